"""An estate as a file: JSON or YAML in, JSON out, under the products' own field names."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from reconciler.emulator.acc_state import Agent, FileLogEntry, InputFile, Run, RunStatus, Schedule, ServerRecord, Token
from reconciler.emulator.agent_repository import alias_agent, paths_of
from reconciler.emulator.emulated_estate import Estate
from reconciler.emulator.mft_state import Licence, Task, Tenant
from reconciler.errors import UsageError
from reconciler.files import STATE_BYTES, read_regular

_SCHEDULE = {
    "cron": "cron",
    "startTime": "start_time",
    "timeZoneId": "time_zone_id",
    "sessionId": "session_id",
    "inputParameters": "input_parameters",
    "logLevel": "log_level",
    "isWindowless": "is_windowless",
    "isEnabled": "is_enabled",
    "errorMessage": "error_message",
    "scheduleStatus": "status",
}
_TEXT, _TEXT_OR_NONE = (str,), (str, type(None))
_SCHEDULE_TYPES: Mapping[str, tuple[type, ...]] = {
    "cron": _TEXT,
    "start_time": _TEXT,
    "time_zone_id": _TEXT,
    "session_id": _TEXT_OR_NONE,
    "input_parameters": _TEXT_OR_NONE,
    "log_level": (int,),
    "is_windowless": (bool,),
    "is_enabled": (bool,),
    "error_message": _TEXT_OR_NONE,
    "status": (int,),
}
_AGENT = {
    "description": "description",
    "directoryId": "directory_id",
    "approved": "approved",
    "deployed": "deployed",
    "sessions": "sessions",
    "duration": "duration",
    "data": "data",
    "keepsBackup": "keeps_backup",
}
SESSIONS = ("none", "single", "multiple")
_LONGEST_RUN = 10_000_000
_LICENCE = {"plan": "plan", "startDate": "start_date", "endDate": "end_date", "used": "used", "limit": "limit"}
_TENANT = {"tokenSeconds": "token_seconds", "tokenUses": "token_uses"}
_SERVER = {
    "key": "key",
    "ipAddress": "ip_address",
    "port": "port",
    "useSsl": "use_ssl",
    "cpuUsages": "cpu_usages",
    "memoryUsages": "memory_usages",
    "cpuThreshold": "cpu_threshold",
    "memoryThreshold": "memory_threshold",
}
_TOP = {"zone", "agents", "tokens", "servers", "tenant", "fileLog"}
_AGENT_MORE = {"path", "aliases", "agentId", "outcomes", "schedules", "inputFiles", "runs", "jobs"}
_TENANT_MORE = {"tenantId", "keys", "tasks", "licence"}
_RUN = {"agentRunHistoryId", "startTime", "endTime", "status", "scheduleId", "jobRunId"}


def load(path: Path) -> Estate:
    """Read a state file. Raises UsageError when it cannot be read or says what no estate has."""
    try:
        text = read_regular(path, STATE_BYTES).decode("utf-8")
        if path.suffix.lower() in (".yaml", ".yml"):
            import yaml

            document = yaml.safe_load(text)
        else:
            document = json.loads(text)
    except (OSError, ValueError) as error:
        raise UsageError(f"the state file {path} cannot be read: {error}") from error
    except Exception as error:  # yaml's errors are no ValueErrors, and yaml is imported only where it is needed
        raise UsageError(f"the state file {path} is not valid YAML: {error}") from error
    return from_document({} if document is None else document)


def save(estate: Estate, path: Path) -> None:
    """Write an estate so that `load` gives it back: all but the runs that are still going on."""
    path.write_text(json.dumps(to_document(estate), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def from_document(document: Mapping[str, Any]) -> Estate:
    """An estate from plain data. Raises UsageError when the data describes none."""
    try:
        return _read(document)
    except KeyError as error:
        raise UsageError(f"the state lacks, or does not know, {error}") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise UsageError(f"the state has a value of the wrong kind: {error}") from error


def _read(document: Mapping[str, Any]) -> Estate:
    if not isinstance(document, Mapping):
        raise UsageError("a state file holds a mapping")
    _refuse_others(document, _TOP, "the state")
    estate = Estate(zone=document.get("zone") or "UTC")
    for entry in document.get("tokens") or ():
        _refuse_others(entry, {"value", "readOnly", "user", "expires"}, "a token")
        estate.add_token(
            Token(entry["value"], bool(entry.get("readOnly")), entry.get("user", "api"), moment(entry.get("expires")))
        )
    for entry in document.get("servers") or ():
        estate.servers.append(ServerRecord(**_named(entry, _SERVER, (), "a server")))
    for entry in document.get("agents") or ():
        _read_agent(estate, entry)
    if document.get("tenant"):
        estate.tenant = _read_tenant(document["tenant"])
    for entry in document.get("fileLog") or ():
        at = moment(entry["at"])
        assert at is not None
        estate.file_log.append(FileLogEntry(at, entry["path"], entry["user"], entry["event"], entry["message"]))
    return estate


def to_document(estate: Estate) -> dict[str, Any]:
    """Plain data from an estate. It holds tokens, since a state file must be able to bring them back."""
    return {
        "zone": estate.zone,
        "tokens": [
            {"value": t.value, "readOnly": t.read_only, "user": t.user, "expires": text_of(t.expires)}
            for t in estate.tokens.values()
        ],
        "servers": [{key: getattr(s, name) for key, name in _SERVER.items()} for s in estate.servers],
        "agents": [_agent_document(estate, agent) for agent in dict.fromkeys(estate.agents.values())],
        "tenant": _tenant_document(estate.tenant) if estate.tenant else None,
        "fileLog": [
            {"at": e.at.isoformat(), "path": e.path, "user": e.user, "event": e.event, "message": e.message}
            for e in estate.file_log
        ],
    }


def moment(text: str | None) -> datetime | None:
    """An aware moment from its RFC 3339 text."""
    if text is None:
        return None
    value = datetime.fromisoformat(str(text))
    if value.tzinfo is None:
        raise UsageError(f"{text} in the state file has no offset")
    return value


def text_of(value: datetime | None) -> str | None:
    return value.isoformat() if value else None


def _read_agent(estate: Estate, entry: Mapping[str, Any]) -> None:
    settings = _named(entry, _AGENT, _AGENT_MORE, f"agent {entry.get('path')}")
    if not entry.get("path"):
        raise UsageError("an agent in the state file has no path")
    check_agent(settings)
    agent = estate.add_agent(entry["path"], entry.get("agentId") or "", **settings)
    for alias in entry.get("aliases") or ():
        alias_agent(estate, agent.path, alias)
    if entry.get("outcomes"):
        agent.outcomes = tuple(RunStatus[word.upper()] for word in entry["outcomes"])
    for document in entry.get("schedules") or ():
        read_schedule(estate, agent, document)
    for held in entry.get("inputFiles") or ():
        content = base64.b64decode(held["base64"]) if "base64" in held else held.get("content", "").encode()
        agent.input_files[held["name"]] = InputFile(held["name"], content, held.get("enabled", True))
    for past in sorted(entry.get("jobs") or (), key=lambda job: int(job["jobRunId"])):
        at = moment(past["startTime"])
        assert at is not None
        agent.jobs_started = int(past["jobRunId"]) - 1
        estate.add_job(agent, at, past.get("scheduleId"), past["agentJobHistoryId"])
    for past in entry.get("runs") or ():
        _read_run(estate, agent, past)


_AGENT_TYPES: Mapping[str, tuple[type, ...]] = {
    "description": _TEXT_OR_NONE,
    "directory_id": _TEXT,
    "approved": (bool,),
    "deployed": (bool,),
    "sessions": _TEXT,
    "duration": (int, float),
    "data": _TEXT,
    "keeps_backup": (bool,),
}


def check_agent(settings: Mapping[str, Any]) -> None:
    """Refuse values that an agent cannot have. Raises UsageError."""
    for name, value in settings.items():
        wanted = _AGENT_TYPES[name]
        if not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted):
            raise UsageError(f"an agent's {name} is of the wrong type: {value!r}")
    if settings.get("sessions", "none") not in SESSIONS:
        raise UsageError(f"an agent's sessions are one of {', '.join(SESSIONS)}")
    if not 0 <= settings.get("duration", 0) <= _LONGEST_RUN:
        raise UsageError(f"an agent's duration is between 0 and {_LONGEST_RUN} seconds")


def read_schedule(estate: Estate, agent: Agent, document: Mapping[str, Any]) -> Schedule:
    """A schedule from its documented fields."""
    more = {"scheduleId", "lastRunTime", "completedTime"}
    settings = _schedule_settings(document, more, f"a schedule of {agent.path}")
    settings["last_run_time"] = moment(document.get("lastRunTime"))
    settings["completed_time"] = moment(document.get("completedTime"))
    return estate.add_schedule(agent, document.get("scheduleId") or "", **settings)


def change_schedule(schedule: Schedule, document: Mapping[str, Any]) -> None:
    """Change documented fields of a schedule by hand, as somebody in the product's own pages would."""
    for name, value in _schedule_settings(document, (), "a schedule").items():
        setattr(schedule, name, value)


def _schedule_settings(document: Mapping[str, Any], others: set[str] | tuple[()], what: str) -> dict[str, Any]:
    settings = _named(document, _SCHEDULE, others, what)
    if isinstance(settings.get("input_parameters"), Mapping):
        settings["input_parameters"] = json.dumps(settings["input_parameters"])
    for name, value in settings.items():
        wanted = _SCHEDULE_TYPES[name]
        if not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted):
            raise UsageError(f"{what} has a {name} of the wrong type: {value!r}")
    return settings


def _read_run(estate: Estate, agent: Agent, document: Mapping[str, Any]) -> None:
    _refuse_others(document, _RUN, f"a run of {agent.path}")
    start, end = moment(document["startTime"]), moment(document["endTime"])
    assert start is not None
    assert end is not None
    number = document.get("jobRunId") or 0
    job = next((job for job in agent.jobs if job.number == number), None)
    run = Run(
        document.get("agentRunHistoryId") or estate.new_id(), agent, start, end, RunStatus(document["status"]), job
    )
    run.schedule_id = document.get("scheduleId")
    estate.add_run(run, settled=True)


def _read_tenant(document: Mapping[str, Any]) -> Tenant:
    settings = _named(document, _TENANT, _TENANT_MORE, "the tenant")
    tenant = Tenant(tenant_id=document["tenantId"], keys=dict(document.get("keys") or {}), **settings)
    tenant.licence = Licence(**_named(document.get("licence") or {}, _LICENCE, (), "the licence"))
    for entry in document.get("tasks") or ():
        _refuse_others(entry, {"id", "name", "duration", "outcome", "parameters"}, "a task")
        outcome = entry.get("outcome", "success")
        outcomes = (outcome,) if isinstance(outcome, str) else tuple(outcome)
        if not outcomes or set(outcomes) - {"success", "failed"}:
            raise UsageError(f"task {entry['name']}: an outcome is success or failed")
        parameters = dict(entry.get("parameters") or {})
        tenant.add_task(Task(entry["id"], entry["name"], float(entry.get("duration", 2.0)), outcomes, parameters))
    return tenant


def _agent_document(estate: Estate, agent: Agent) -> dict[str, Any]:
    return {
        "path": agent.path,
        "aliases": [path for path in paths_of(estate, agent) if path != agent.path],
        "agentId": agent.agent_id,
        **{key: getattr(agent, name) for key, name in _AGENT.items()},
        "outcomes": [outcome.name.lower() for outcome in agent.outcomes],
        "schedules": [schedule_document(schedule) for schedule in agent.schedules.values()],
        "inputFiles": [
            {"name": held.name, "base64": base64.b64encode(held.content).decode(), "enabled": held.enabled}
            for held in agent.input_files.values()
        ],
        "jobs": [
            {
                "agentJobHistoryId": job.job_id,
                "jobRunId": job.number,
                "startTime": job.start.isoformat(),
                "scheduleId": job.schedule_id,
            }
            for job in agent.jobs
        ],
        "runs": [
            {
                "agentRunHistoryId": run.run_id,
                "startTime": run.start.isoformat(),
                "endTime": run.end.isoformat(),
                "status": int(run.outcome),
                "scheduleId": run.schedule_id,
                "jobRunId": run.job.number if run.job else 0,
            }
            for run in agent.runs
            if run.settled
        ],
    }


def schedule_document(schedule: Schedule) -> dict[str, Any]:
    """A schedule as it is held, without the spellings that the switches give it."""
    return {
        "scheduleId": schedule.schedule_id,
        **{key: getattr(schedule, name) for key, name in _SCHEDULE.items()},
        "lastRunTime": text_of(schedule.last_run_time),
        "completedTime": text_of(schedule.completed_time),
    }


def _tenant_document(tenant: Tenant) -> dict[str, Any]:
    return {
        "tenantId": tenant.tenant_id,
        "keys": tenant.keys,
        **{key: getattr(tenant, name) for key, name in _TENANT.items()},
        "licence": {key: getattr(tenant.licence, name) for key, name in _LICENCE.items()},
        "tasks": [
            {
                "id": task.task_id,
                "name": task.name,
                "duration": task.duration,
                "outcome": list(task.outcomes),
                "parameters": task.parameters,
            }
            for task in tenant.tasks.values()
        ],
    }


def _named(
    document: Mapping[str, Any], names: Mapping[str, str], others: set[str] | tuple[()], what: str
) -> dict[str, Any]:
    _refuse_others(document, {*names, *others}, what)
    return {name: document[key] for key, name in names.items() if key in document}


def _refuse_others(document: Mapping[str, Any], known: set[str], what: str) -> None:
    unknown = sorted(set(document) - known)
    if unknown:
        raise UsageError(f"{what} has no {', '.join(unknown)}", hint="known are: " + ", ".join(sorted(known)))
