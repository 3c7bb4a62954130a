"""The schedule calls of the emulated ACC, strict in what they accept."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime

from reconciler.emulator.acc_state import Agent, Schedule
from reconciler.emulator.emulated_estate import Estate
from reconciler.emulator.execution import Execution, request_of
from reconciler.emulator.prediction import cron_problem
from reconciler.emulator.reply import JSON_TYPE, Call, Refusal, Reply, json_reply
from reconciler.emulator.spelling import Spelling
from reconciler.emulator.switches import Switches
from reconciler.identity import normal_id
from reconciler.model.state import JSON
from reconciler.product_terms import is_guid
from reconciler.timetable.zones import looks_like_windows

_START = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", re.ASCII)
_ATTRIBUTES = {
    "cron": "cron",
    "sessionId": "session_id",
    "startTime": "start_time",
    "timeZoneId": "time_zone_id",
    "inputParameters": "input_parameters",
    "logLevel": "log_level",
    "isWindowless": "is_windowless",
    "isEnabled": "is_enabled",
}
_REQUIRED = ("scheduleId", "cron", "startTime", "timeZoneId", "isWindowless", "isEnabled")
_RESET = {"sessionId": None, "inputParameters": "{}", "logLevel": 1, "isWindowless": True, "isEnabled": True}
_DEFAULTS = {"sessionId": None, "inputParameters": "{}", "logLevel": 1}
_EMPTY_LISTS = {"list": b"[]", "null": b"null", "nothing": b""}


@dataclass(eq=False)
class ScheduleCalls:
    """Get, add or update, delete, start, enable and disable job schedules."""

    estate: Estate
    switches: Switches
    execution: Execution
    spelling: Spelling

    def listing(self, agent: Agent, now: datetime) -> Reply:
        """Sequentum ACC, API Access: Get job schedules. The bytes are kept until something in them would change."""
        if agent.listing is None or (agent.listing_until is not None and agent.listing_until <= now):
            listed = list(agent.schedules.values())
            documents = [self.spelling.written(self.spelling.schedule(schedule, now)) for schedule in listed]
            following = [self.spelling.prediction.next_run(one, now) for one in listed if one.is_enabled]
            # A lone surrogate, which JSON can spell and UTF-8 cannot, goes out as JSON spells it.
            text = json.dumps(documents, ensure_ascii=False, separators=(",", ":")).encode(errors="backslashreplace")
            agent.listing = text if documents else _EMPTY_LISTS[self.switches.empty_list]
            agent.listing_until = min((at.astimezone(UTC) for at in following if at is not None), default=None)
        return Reply(agent.listing, 200, JSON_TYPE)

    def put(self, agent: Agent, call: Call) -> Reply:
        """Sequentum ACC, API Access: Add or update job schedule."""
        wanted = call.json_object()
        self._check_keys(wanted)
        key = normal_id(wanted["scheduleId"])
        present = self.estate.schedules.get(key)
        if present is not None and present.agent is not agent and self.switches.foreign_id != "move":
            raise Refusal(int(self.switches.foreign_id), "The schedule belongs to another agent")
        fields = self._complete(wanted, present)
        self._check(fields)
        if fields["sessionId"] and agent.sessions == "none":
            if self.switches.unsupported_session == "refuse":
                raise Refusal(400, "The agent does not support sessions")
            fields["sessionId"] = None
        if self.switches.silently_ignore_writes:
            return self.written(wanted["scheduleId"], fields)
        self._mangle(fields)
        attributes = {_ATTRIBUTES[name]: value for name, value in fields.items()}
        if present is not None and present.agent is not agent:
            self.estate.remove_schedule(key)
            present = None
        if present is None:
            given = "" if self.switches.ignore_new_ids else wanted["scheduleId"].strip("{}")
            created = self.estate.add_schedule(agent, given, **attributes)
            return self.written(created.schedule_id, fields, "schedule-created")
        for name, value in attributes.items():
            setattr(present, name, value)
        return self.written(present.schedule_id, fields, "schedule-updated")

    def delete(self, call: Call) -> Reply:
        """Sequentum ACC, API Access: Delete job schedule."""
        schedule = self._find(call.args[0])
        if schedule is None or self.switches.silently_ignore_writes:
            return Reply()
        self.estate.remove_schedule(schedule.schedule_id)
        return self.written(schedule.schedule_id, {}, "schedule-deleted")

    def delete_all(self, agent: Agent, call: Call) -> Reply:
        """Sequentum ACC, API Access: Delete all job schedules."""
        if not self.switches.silently_ignore_writes:
            for schedule in list(agent.schedules.values()):
                self.estate.remove_schedule(schedule.schedule_id)
        return Reply(effect="schedules-deleted")

    def switch(self, call: Call) -> Reply:
        """Sequentum ACC, API Access: Enable job schedule, Disable job schedule."""
        schedule = self._find(call.args[0])
        if schedule is None or self.switches.silently_ignore_writes:
            return Reply()
        schedule.is_enabled = call.args[1].lower() == "on"
        effect = "schedule-enabled" if schedule.is_enabled else "schedule-disabled"
        return self.written(schedule.schedule_id, {"isEnabled": schedule.is_enabled}, effect)

    def switch_all(self, agent: Agent, call: Call) -> Reply:
        """Sequentum ACC, API Access: Enable all job schedules, Disable all job schedules."""
        on = call.args[1].lower() == "on"
        if not self.switches.silently_ignore_writes:
            for schedule in agent.schedules.values():
                schedule.is_enabled = on
        return Reply(effect="schedules-enabled" if on else "schedules-disabled")

    def start(self, call: Call) -> Reply:
        """Sequentum ACC, API Access: Start job schedule."""
        schedule = self._find(call.args[0])
        if schedule is None:
            return Reply()
        job = self.execution.start_job(schedule.agent, request_of(schedule), call.now, schedule)
        document = {"agentJobHistoryId": self.spelling.guid(job.job_id), "jobRunId": job.number}
        return self.written(job.job_id, document, "schedule-started")

    def written(self, identity: str, document: dict[str, JSON], effect: str = "") -> Reply:
        """The reply to a write whose reply is not documented."""
        match self.switches.post_reply:
            case "id":
                return json_reply(self.spelling.guid(identity), effect=effect)
            case "object":
                if "agentJobHistoryId" not in document:
                    document = {"scheduleId": self.spelling.guid(identity), **document}
                return json_reply(self.spelling.written(document), effect=effect)
        return Reply(effect=effect)

    def _find(self, schedule_id: str) -> Schedule | None:
        schedule = self.estate.schedules.get(normal_id(schedule_id))
        if schedule is None and self.switches.delete_unknown == "404":
            raise Refusal(404, f"There is no schedule {schedule_id}")
        return schedule

    def _check_keys(self, wanted: dict[str, JSON]) -> None:
        known = {"scheduleId", *_ATTRIBUTES}
        unknown = sorted(wanted.keys() - known)
        if unknown and self.switches.unknown_keys == "refuse":
            raise Refusal(400, f"Unknown field: {', '.join(unknown)}")
        schedule_id = wanted.get("scheduleId")
        if not isinstance(schedule_id, str) or not is_guid(schedule_id.removeprefix("{").removesuffix("}")):
            raise Refusal(400, "scheduleId must be a GUID")

    def _complete(self, wanted: dict[str, JSON], present: Schedule | None) -> dict[str, JSON]:
        """The fields to write: as sent, and for what was left out as documented, or as the switch says."""
        fields = {name: wanted[name] for name in _ATTRIBUTES if name in wanted}
        if present is not None and self.switches.omitted == "keep":
            return {name: getattr(present, attribute) for name, attribute in _ATTRIBUTES.items()} | fields
        missing = [name for name in _REQUIRED if name not in wanted]
        if present is not None and self.switches.omitted == "reset":
            missing = [name for name in missing if name not in _RESET]
        if missing:
            raise Refusal(400, f"Missing field: {', '.join(missing)}")
        return {**(_RESET if present is not None and self.switches.omitted == "reset" else _DEFAULTS), **fields}

    def _check(self, fields: dict[str, JSON]) -> None:
        for name in ("cron", "startTime", "timeZoneId"):
            if not isinstance(fields[name], str):
                raise Refusal(400, f"{name} must be a string")
        if problem := cron_problem(fields["cron"], self.switches):
            raise Refusal(400, problem)
        if not is_start(fields["startTime"]):
            raise Refusal(400, "startTime must be in the format yyyy-MM-ddTHH:mm:ss")
        if not looks_like_windows(fields["timeZoneId"]):
            raise Refusal(400, f"The time zone {fields['timeZoneId']!r} is not known")
        if not isinstance(fields["sessionId"], str | None):
            raise Refusal(400, "sessionId must be a string or null")
        for name in ("isWindowless", "isEnabled"):
            if not isinstance(fields[name], bool):
                raise Refusal(400, f"{name} must be true or false")
        check_log_level(fields["logLevel"])
        check_parameters(fields["inputParameters"])

    def _mangle(self, fields: dict[str, JSON]) -> None:
        match self.switches.mangle_field:
            case "lower-parameters":
                fields["inputParameters"] = (fields["inputParameters"] or "").lower()
            case "drop-parameters":
                fields["inputParameters"] = "{}"
            case "truncate-session":
                fields["sessionId"] = (fields["sessionId"] or "")[:2] or None
            case "log-level":
                fields["logLevel"] = 0 if fields["logLevel"] else 1
            case "drop-seconds":
                fields["startTime"] = fields["startTime"][:-2] + "00"


def is_start(text: str) -> bool:
    """Whether a text is a real moment in ACC's documented format."""
    try:
        return bool(_START.fullmatch(text) and datetime.fromisoformat(text))
    except ValueError:
        return False


def check_log_level(level: object) -> None:
    if isinstance(level, bool) or not isinstance(level, int) or not 0 <= level <= 3:
        raise Refusal(400, "logLevel must be 0, 1, 2 or 3")


def check_parameters(text: object) -> None:
    """`inputParameters` is null, empty, or a JSON object in a string whose values are strings."""
    if text is None or text == "":
        return
    if not isinstance(text, str):
        raise Refusal(400, "inputParameters must be a JSON object in a string")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise Refusal(400, "inputParameters is not valid JSON") from None
    if not isinstance(value, dict) or not all(isinstance(entry, str) for entry in value.values()):
        raise Refusal(400, "inputParameters must be a JSON object whose values are strings")
