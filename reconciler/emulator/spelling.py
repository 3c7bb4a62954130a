"""How the emulated ACC writes what it knows: the documented fields, in the spelling that the switches ask for."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from reconciler.emulator.acc_state import Agent, JobRun, JobStatus, Run, RunStatus, Schedule, ScheduleStatus
from reconciler.emulator.prediction import Prediction, on_clock
from reconciler.emulator.switches import Switches
from reconciler.model.state import JSON

_EMPTY = (None, "", "{}")
_EMPTY_AS = {"null": None, "blank": "", "braces": "{}"}
_STYLES: Mapping[str, Callable[[str], str]] = {
    "keep": str,
    "camel": str,
    "lower": str.lower,
    "upper": str.upper,
    "pascal": lambda text: text[0].upper() + text[1:],
    "mixed": lambda text: "".join(c.upper() if i % 2 else c.lower() for i, c in enumerate(text)),
    "braces": lambda text: "{" + text.strip("{}").upper() + "}",
    "spaced": lambda text: "  ".join(text.split()) + " ",
}
"""How a switch has a text written, by the name of the choice."""


class Spelling:
    """Turns live objects into the plain data of a reply. `zone` is the clock on which the server hangs its times."""

    def __init__(self, switches: Switches, prediction: Prediction, zone: str = "UTC") -> None:
        self.switches = switches
        self.prediction = prediction
        self.zone = ZoneInfo(zone)

    def guid(self, value: str | None) -> str | None:
        return _STYLES[self.switches.guid_case](value) if value else value

    def time(self, moment: datetime | None) -> str | None:
        """An instant as ACC writes it: local, with up to seven digits of a second, and an offset."""
        if moment is None:
            return None
        local = moment.astimezone(self.zone)
        digits = "" if self.switches.fractions == "none" else f".{local.microsecond:06d}{local.microsecond * 7 % 10}"
        return local.strftime("%Y-%m-%dT%H:%M:%S") + digits + offset_text(local)

    def parameters(self, text: str | None) -> str | None:
        if text in _EMPTY:
            return text if self.switches.empty_parameters == "keep" else _EMPTY_AS[self.switches.empty_parameters]
        assert text is not None
        style = self.switches.reserialise_parameters
        parameters = None if style == "keep" else object_in(text)
        if parameters is None:
            return text
        if style == "spaced":
            return json.dumps(parameters, indent=2)
        names = sorted(parameters) if style == "sorted" else reversed(parameters)
        return json.dumps({name: parameters[name] for name in names}, separators=(",", ":"))

    def written(self, document: JSON) -> JSON:
        """A finished reply with the key case and the booleans that are asked for."""
        if isinstance(document, list):
            return [self.written(entry) for entry in document]
        if isinstance(document, Mapping):
            return {self._key(key): self.written(value) for key, value in document.items()}
        if isinstance(document, bool):
            match self.switches.booleans:
                case "string":
                    return str(document)
                case "number":
                    return int(document)
        return document

    def agent(self, agent: Agent) -> dict[str, JSON]:
        """Sequentum ACC, API Access: Get agent details from repository."""
        return {
            "agentId": self.guid(agent.agent_id),
            "name": agent.name,
            "directoryId": self.guid(agent.directory_id),
            "description": agent.description,
        }

    def schedule(self, schedule: Schedule, now: datetime) -> dict[str, JSON]:
        """Sequentum ACC, API Access: Get job schedules."""
        following = self.prediction.next_run(schedule, now) if schedule.is_enabled else None
        return {
            "scheduleId": self.guid(schedule.schedule_id),
            "agentId": self.guid(schedule.agent.agent_id),
            "cron": _STYLES[self.switches.cron_style](schedule.cron),
            "cronDescription": self.prediction.words(schedule),
            "sessionId": schedule.session_id,
            "startTime": self._start(schedule, following),
            "timeZoneId": _STYLES[self.switches.zone_case](schedule.time_zone_id),
            "nextRunTime": self._following(following),
            "inputParameters": self.parameters(schedule.input_parameters),
            "logLevel": schedule.log_level,
            "isWindowless": schedule.is_windowless,
            "errorMessage": schedule.error_message,
            "scheduleStatus": self._status(schedule.status, ScheduleStatus),
            "lastRunTime": self.time(schedule.last_run_time),
            "completedTime": self.time(schedule.completed_time),
            "isEnabled": schedule.is_enabled,
        }

    def run(self, run: Run, now: datetime) -> dict[str, JSON]:
        """Sequentum ACC, API Access: Get agent run details."""
        status = run.status(now)
        ended = run.end if status >= RunStatus.SUCCEEDED else None
        good = status == RunStatus.SUCCEEDED
        return {
            "agentRunHistoryId": self.guid(run.run_id),
            "agentId": self.guid(run.agent.agent_id),
            "sessionId": run.session_id,
            "runId": run.job.number if run.job else 0,
            "agentJobScheduleId": self.guid(run.schedule_id),
            "serverIp": "127.0.0.1",
            "startTime": self.time(run.start),
            "endTime": self.time(ended),
            "expectedEndTime": None if ended else self.time(run.end),
            "runTime": duration_text((ended or now) - run.start),
            "status": self._status(status, RunStatus),
            "successActionCount": int(good),
            "dynamicSuccessActionCount": int(good),
            "volume": 25,
            "pageLoadCount": 1,
            "requestCount": 33,
            "downloadCount": 0,
            "errors": int(status in (RunStatus.FAILED, RunStatus.FAILURE)),
            "dataCount": max(0, run.agent.data.count("\n") - 1) if good else 0,
            "deliveryCount": int(good and run.is_production),
            "statusMessage": run.message or _MESSAGES[status],
            "logPath": log_name(run, self.zone) if run.log_level else None,
            "inputParameters": run.parameters,
            "logLevel": run.log_level,
            "isWindowLess": run.is_windowless,
            "isProductionRun": run.is_production,
            "backupDataExpiry": None,
            "lastUpdated": self.time(ended or now),
        }

    def job(self, job: JobRun, now: datetime) -> dict[str, JSON]:
        """Sequentum ACC, API Access: Get job run details."""
        status = job.status(now)
        active = status in (JobStatus.IN_PROGRESS, JobStatus.IN_PROGRESS_WITH_FAILURE)
        runs = [self.run(run, now) for run in job.runs]
        done = sum(run.status(now) >= RunStatus.SUCCEEDED for run in job.runs)
        totals = {
            "total" + name[0].upper() + name[1:]: sum(run[name] for run in runs)
            for name in (
                "successActionCount",
                "dynamicSuccessActionCount",
                "pageLoadCount",
                "requestCount",
                "downloadCount",
                "volume",
                "errors",
                "dataCount",
                "deliveryCount",
            )
        }
        return {
            "agentJobHistoryId": self.guid(job.job_id),
            "agentId": self.guid(job.agent.agent_id),
            "startTime": self.time(job.start),
            "endTime": None if active else self.time(max((run.end for run in job.runs), default=job.start)),
            **totals,
            "completedScheduleCount": int(bool(job.schedule_id) and not active),
            "totalScheduleCount": int(bool(job.schedule_id)),
            "completedRunCount": done,
            "totalRunCount": len(job.runs),
            "runId": job.number,
            "status": self._status(status, JobStatus),
            "agentJobSetting": None,
        }

    def _key(self, key: str) -> str:
        return _STYLES[self.switches.key_case](key)

    def _start(self, schedule: Schedule, following: datetime | None) -> str:
        start = schedule.start_time
        if self.switches.roll_start_time and following is not None and len(schedule.cron.split()) == 4:
            start = following.strftime("%Y-%m-%dT%H:%M:%S")
        match self.switches.start_time_style:
            case "fraction":
                return f"{start}.0000000"
            case "offset":
                return with_offset(start, schedule)
        return start

    def _following(self, moment: datetime | None) -> str | None:
        if moment is None or self.switches.next_run_time == "null":
            return None
        if self.switches.next_run_time == "shifted":
            moment += timedelta(hours=1)
        return moment.strftime("%Y-%m-%dT%H:%M:%S") + offset_text(moment)

    def _status(self, status: int, names: type[RunStatus | JobStatus | ScheduleStatus]) -> int | str:
        match self.switches.enumerations:
            case "unknown":
                return 90 + status
            case "text":
                return names(status).name.title().replace("_", "")
        return int(status)


_MESSAGES = {
    RunStatus.NEVER_RUN: None,
    RunStatus.STARTING: "Starting",
    RunStatus.RUNNING: "Running",
    RunStatus.DELIVERY: "Delivering data",
    RunStatus.SUCCEEDED: "Completed",
    RunStatus.FAILED: "Failed",
    RunStatus.STOPPED: "Stopped",
    RunStatus.FAILURE: "Failure",
}


def object_in(text: str) -> dict[str, JSON] | None:
    """The JSON object in a string, None when there is none: somebody may have typed anything by hand."""
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def offset_text(moment: datetime) -> str:
    """`+10:00`, and for UTC `+00:00`."""
    return re.sub(r"([+-]\d\d)(\d\d)$", r"\1:\2", moment.strftime("%z") or "+0000")


def with_offset(start: str, schedule: Schedule) -> str:
    """A start with the offset of the schedule's zone at that time: the same instant, written out."""
    local = on_clock(start, schedule.time_zone_id)
    return start + (offset_text(local) if local else "")


def duration_text(length: timedelta) -> str:
    """`00:00:08.9677836`, as ACC writes how long a run took."""
    total = max(length, timedelta(0))
    minutes, rest = divmod(int(total.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{rest:02d}.{total.microseconds:06d}0"


def log_name(run: Run, zone: ZoneInfo | None = None) -> str:
    """`quick-2019_05_21-01_52_14.log`: the agent, the day, and the time on a twelve-hour clock."""
    return f"{run.agent.name}-{run.start.astimezone(zone or UTC).strftime('%Y_%m_%d-%I_%M_%S')}.log"
