"""An estate as a file: JSON or YAML in, JSON out, under the products' own field names."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import IntEnum
from pathlib import Path
from typing import Any, get_type_hints

from reconciler.emulator.acc_state import (
    Agent,
    FileLogEntry,
    InputFile,
    JobRun,
    Run,
    RunStatus,
    Schedule,
    ServerRecord,
    Token,
)
from reconciler.emulator.emulated_estate import Estate, alias_agent, paths_of
from reconciler.emulator.mft_state import Licence, Task, Tenant
from reconciler.errors import UsageError
from reconciler.files import STATE_BYTES, read_regular
from reconciler.model.state import JSON


class RecordFields:
    """Some attributes of one sort of record, under the names that documents give them, with the types that they have.

    In a document `time_zone_id` is `timeZoneId`, unless `renamed` says else. `others` are further names that a document
    may have, and that are read elsewhere.
    """

    def __init__(
        self, record: type, *attributes: str, renamed: Mapping[str, str] | None = None, others: Iterable[str] = ()
    ) -> None:
        self.attributes = {(renamed or {}).get(name, _documented(name)): name for name in attributes}
        self._types = get_type_hints(record)
        self._known = {*self.attributes, *others}

    def read(self, document: Mapping[str, JSON], what: str) -> dict[str, Any]:
        """The attributes that a document sets. Raises UsageError for a name that is not known, or another type."""
        refuse_others(document, self._known, what)
        found = {name: document[key] for key, name in self.attributes.items() if key in document}
        for name, value in found.items():
            wanted = self._types[name]
            if wanted in (datetime, datetime | None):
                found[name] = None if value is None and wanted is not datetime else moment(value)
                continue
            is_number_at_last = wanted is float and isinstance(value, int)
            if not (isinstance(value, wanted) or is_number_at_last) or (isinstance(value, bool) and wanted is not bool):
                raise UsageError(f"{what} has a {name} of the wrong type: {value!r}")
        return found

    def write(self, record: object) -> dict[str, JSON]:
        """A record's attributes under their documented names."""
        return {key: _plain(getattr(record, name)) for key, name in self.attributes.items()}


def refuse_others(document: Mapping[str, JSON], known: Iterable[str], what: str) -> None:
    """Refuse names that are not known. Raises UsageError."""
    if unknown := sorted(set(document) - set(known)):
        raise UsageError(f"{what} has no {', '.join(unknown)}", hint="known are: " + ", ".join(sorted(known)))


def _documented(name: str) -> str:
    return re.sub("_(.)", lambda match: match[1].upper(), name)


def _plain(value: object) -> JSON:
    match value:
        case datetime():
            return value.isoformat()
        case IntEnum():
            return int(value)
    return value


def moment(text: str) -> datetime:
    """An aware moment from its RFC 3339 text."""
    value = datetime.fromisoformat(str(text))
    if value.tzinfo is None:
        raise UsageError(f"{text} in the state file has no offset")
    return value


SCHEDULE = RecordFields(
    Schedule,
    *("cron", "start_time", "time_zone_id", "session_id", "input_parameters", "log_level", "is_windowless"),
    *("is_enabled", "error_message", "status", "last_run_time", "completed_time"),
    renamed={"status": "scheduleStatus"},
    others=("scheduleId",),
)
AGENT = RecordFields(
    Agent,
    *("description", "directory_id", "approved", "deployed", "sessions", "duration", "data", "keeps_backup"),
    others=("path", "aliases", "agentId", "outcomes", "schedules", "inputFiles", "runs", "jobs"),
)
LICENCE = RecordFields(Licence, "plan", "start_date", "end_date", "used", "limit")
TENANT = RecordFields(Tenant, "token_seconds", "token_uses", others=("tenantId", "keys", "tasks", "licence"))
SERVER = RecordFields(
    ServerRecord,
    *("key", "ip_address", "port", "use_ssl", "cpu_usages", "memory_usages", "cpu_threshold", "memory_threshold"),
)
TOKEN = RecordFields(Token, "value", "read_only", "user", "expires")
FILE_LOG = RecordFields(FileLogEntry, "at", "path", "user", "event", "message")
JOB = RecordFields(
    JobRun,
    *("job_id", "number", "start", "schedule_id"),
    renamed={"job_id": "agentJobHistoryId", "number": "jobRunId", "start": "startTime"},
)
RUN = RecordFields(
    Run,
    *("run_id", "start", "end", "outcome", "schedule_id"),
    renamed={"run_id": "agentRunHistoryId", "start": "startTime", "end": "endTime", "outcome": "status"},
)
SESSIONS = ("none", "single", "multiple")
_LONGEST_RUN = 10_000_000
_TOP = ("zone", "agents", "tokens", "servers", "tenant", "fileLog")


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


def from_document(document: JSON) -> Estate:
    """An estate from plain data. Raises UsageError when the data describes none."""
    try:
        return _read(document)
    except KeyError as error:
        raise UsageError(f"the state lacks, or does not know, {error}") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise UsageError(f"the state has a value of the wrong kind: {error}") from error


def _read(document: JSON) -> Estate:
    if not isinstance(document, Mapping):
        raise UsageError("a state file holds a mapping")
    refuse_others(document, _TOP, "the state")
    estate = Estate(zone=document.get("zone") or "UTC")
    for entry in document.get("tokens") or ():
        estate.add_token(Token(**TOKEN.read(entry, "a token")))
    for entry in document.get("servers") or ():
        estate.servers.append(ServerRecord(**SERVER.read(entry, "a server")))
    for entry in document.get("agents") or ():
        _read_agent(estate, entry)
    if document.get("tenant"):
        estate.tenant = _read_tenant(document["tenant"])
    for entry in document.get("fileLog") or ():
        estate.file_log.append(FileLogEntry(**FILE_LOG.read(entry, "an entry of the file log")))
    return estate


def to_document(estate: Estate) -> dict[str, JSON]:
    """Plain data from an estate. It holds tokens, since a state file must be able to bring them back."""
    return {
        "zone": estate.zone,
        "tokens": [TOKEN.write(token) for token in estate.tokens.values()],
        "servers": [SERVER.write(server) for server in estate.servers],
        "agents": [_agent_document(estate, agent) for agent in dict.fromkeys(estate.agents.values())],
        "tenant": _tenant_document(estate.tenant) if estate.tenant else None,
        "fileLog": [FILE_LOG.write(entry) for entry in estate.file_log],
    }


def _read_agent(estate: Estate, entry: Mapping[str, JSON]) -> None:
    settings = agent_fields(entry, f"agent {entry.get('path')}")
    if not entry.get("path"):
        raise UsageError("an agent in the state file has no path")
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
        agent.jobs_started = int(past["jobRunId"]) - 1
        estate.add_job(agent, moment(past["startTime"]), past.get("scheduleId"), past["agentJobHistoryId"])
    for past in entry.get("runs") or ():
        _read_run(estate, agent, past)


def agent_fields(document: Mapping[str, JSON], what: str) -> dict[str, JSON]:
    """The attributes of an agent that a document sets. Raises UsageError for values that an agent cannot have."""
    settings = AGENT.read(document, what)
    if settings.get("sessions", "none") not in SESSIONS:
        raise UsageError(f"an agent's sessions are one of {', '.join(SESSIONS)}")
    if not 0 <= settings.get("duration", 0) <= _LONGEST_RUN:
        raise UsageError(f"an agent's duration is between 0 and {_LONGEST_RUN} seconds")
    return settings


def read_schedule(estate: Estate, agent: Agent, document: Mapping[str, JSON]) -> Schedule:
    """A schedule from its documented fields."""
    return estate.add_schedule(
        agent,
        document.get("scheduleId") or "",
        **_schedule_fields(document, f"a schedule of {agent.path}"),
    )


def change_schedule(schedule: Schedule, document: Mapping[str, JSON]) -> None:
    """Change documented fields of a schedule by hand, as somebody in the product's own pages would."""
    refuse_others(document, SCHEDULE.attributes.keys() - {"lastRunTime", "completedTime"}, "a schedule")
    for name, value in _schedule_fields(document, "a schedule").items():
        setattr(schedule, name, value)


def _schedule_fields(document: Mapping[str, JSON], what: str) -> dict[str, JSON]:
    given = document.get("inputParameters")
    parameters = {"inputParameters": json.dumps(given)} if isinstance(given, Mapping) else {}
    return SCHEDULE.read({**document, **parameters}, what)


def _read_run(estate: Estate, agent: Agent, document: Mapping[str, JSON]) -> None:
    refuse_others(document, (*RUN.attributes, "jobRunId"), f"a run of {agent.path}")
    start, end = moment(document["startTime"]), moment(document["endTime"])
    number = document.get("jobRunId") or 0
    job = next((job for job in agent.jobs if job.number == number), None)
    run = Run(
        document.get("agentRunHistoryId") or estate.new_id(), agent, start, end, RunStatus(document["status"]), job
    )
    run.schedule_id = document.get("scheduleId")
    estate.add_run(run, settled=True)


def _read_tenant(document: Mapping[str, JSON]) -> Tenant:
    settings = TENANT.read(document, "the tenant")
    tenant = Tenant(tenant_id=document["tenantId"], keys=dict(document.get("keys") or {}), **settings)
    tenant.licence = Licence(**LICENCE.read(document.get("licence") or {}, "the licence"))
    for entry in document.get("tasks") or ():
        refuse_others(entry, {"id", "name", "duration", "outcome", "parameters"}, "a task")
        outcome = entry.get("outcome", "success")
        outcomes = (outcome,) if isinstance(outcome, str) else tuple(outcome)
        if not outcomes or set(outcomes) - {"success", "failed"}:
            raise UsageError(f"task {entry['name']}: an outcome is success or failed")
        parameters = dict(entry.get("parameters") or {})
        tenant.add_task(Task(entry["id"], entry["name"], float(entry.get("duration", 2.0)), outcomes, parameters))
    return tenant


def _agent_document(estate: Estate, agent: Agent) -> dict[str, JSON]:
    return {
        "path": agent.path,
        "aliases": [path for path in paths_of(estate, agent) if path != agent.path],
        "agentId": agent.agent_id,
        **AGENT.write(agent),
        "outcomes": [outcome.name.lower() for outcome in agent.outcomes],
        "schedules": [schedule_document(schedule) for schedule in agent.schedules.values()],
        "inputFiles": [
            {"name": held.name, "base64": base64.b64encode(held.content).decode(), "enabled": held.enabled}
            for held in agent.input_files.values()
        ],
        "jobs": [JOB.write(job) for job in agent.jobs],
        "runs": [{**RUN.write(run), "jobRunId": run.job.number if run.job else 0} for run in agent.runs if run.settled],
    }


def schedule_document(schedule: Schedule) -> dict[str, JSON]:
    """A schedule as it is held, without the spellings that the switches give it."""
    return {"scheduleId": schedule.schedule_id, **SCHEDULE.write(schedule)}


def _tenant_document(tenant: Tenant) -> dict[str, JSON]:
    return {
        "tenantId": tenant.tenant_id,
        "keys": tenant.keys,
        **TENANT.write(tenant),
        "licence": LICENCE.write(tenant.licence),
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
