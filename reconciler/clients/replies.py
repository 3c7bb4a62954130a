"""What ACC answers, as frozen nouns: tolerant of case, spelling and unknown words, never of another shape.

Times are kept as the product's own text (`moment` reads one); a key that is missing is None; `raw` is the object as
received.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from sys import intern
from typing import Any, TypeVar

from reconciler.errors import ProductError
from reconciler.identity import normal_id
from reconciler.model import JSON

T = TypeVar("T")

Raw = Mapping[str, Any]

SCHEDULE_STATUS = ("Waiting", "Running", "Succeeded", "Failed")
JOB_STATUS = ("Never Run", "In Progress", "In Progress With Failure", "Succeeded", "Failure", "Failed")
RUN_STATUS = ("Never Run", "Starting", "Running", "Delivery", "Succeeded", "Failed", "Stopped", "Failure")
_ACTIVE_JOB = frozenset(JOB_STATUS[1:3])
_ACTIVE_RUN = frozenset(RUN_STATUS[1:4])
_USAGE = re.compile(r"(?:([A-Za-z]+)\s*[:=]\s*)?(?<![-\d.,])(\d{1,6}(?:[.,]\d{1,6})?)(?!\d)\s*%?")
_FRACTION = re.compile(r"(\.\d{6})\d+")


@dataclass(frozen=True, slots=True)
class AgentInfo:
    """An agent in the repository ("Get agent details from repository")."""

    agent_id: str
    name: str | None
    directory_id: str | None
    description: str | None
    raw: Raw = field(repr=False)


@dataclass(frozen=True, slots=True)
class JobSchedule:
    """A schedule of an agent's job ("Get job schedules"). `input_parameters`: None when the text is no JSON object."""

    schedule_id: str
    agent_id: str | None
    cron: str | None
    cron_description: str | None
    session_id: str | None
    start_time: str | None
    time_zone_id: str | None
    next_run_time: str | None
    input_parameters: Mapping[str, str] | None
    log_level: int | None
    is_windowless: bool | None
    is_enabled: bool | None
    error_message: str | None
    schedule_status: str | None
    last_run_time: str | None
    completed_time: str | None
    raw: Raw = field(repr=False)


@dataclass(frozen=True, slots=True)
class AgentRun:
    """One run of an agent ("Get agent run details")."""

    run_id: str
    agent_id: str | None
    schedule_id: str | None
    job_run_number: int | None
    session_id: str | None
    server: str | None
    start_time: str | None
    end_time: str | None
    status: str | None
    status_message: str | None
    errors: int | None
    data_count: int | None
    raw: Raw = field(repr=False)

    @property
    def is_active(self) -> bool:
        return self.status in _ACTIVE_RUN


@dataclass(frozen=True, slots=True)
class JobRun:
    """One run of an agent's job ("Get job run details"). `job_run_number` counts the runs of one agent."""

    job_run_id: str
    agent_id: str | None
    job_run_number: int | None
    start_time: str | None
    end_time: str | None
    status: str | None
    total_errors: int | None
    total_data_count: int | None
    raw: Raw = field(repr=False)

    @property
    def is_active(self) -> bool:
        return self.status in _ACTIVE_JOB


@dataclass(frozen=True, slots=True)
class StartedRuns:
    """What "Start agent on cluster" began: one id, or several with performance sessions."""

    run_ids: tuple[str, ...]
    raw: Raw = field(repr=False)


@dataclass(frozen=True, slots=True)
class StartedJob:
    """What "Start Job" began."""

    job_run_id: str
    job_run_number: int | None
    raw: Raw = field(repr=False)


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """A server's answer to "Get SE Server Status"."""

    is_error: bool | None
    message: str | None
    cpu_usages: str | None
    memory_usages: str | None
    disc_usages: str | None
    cpu_threshold: int | None
    memory_threshold: int | None
    raw: Raw = field(repr=False)

    def judged(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What is over its threshold, and what has a threshold and shows no usage to hold against it, in words.

        The threshold is the server's own "maximum utilisation"; what is held against it is the first number, the usage
        now. A threshold of 0 or below is none.
        """
        over: list[str] = []
        unread: list[str] = []
        for what, usages, most in (
            ("CPU", self.cpu_usages, self.cpu_threshold),
            ("memory", self.memory_usages, self.memory_threshold),
        ):
            if most is None or most <= 0:
                continue
            usage = usage_now(usages)
            if usage is None:
                unread.append(
                    f"{what}: no usage can be read from {usages!r}, to hold against the threshold of {most} %"
                )
            elif usage > most:
                over.append(f"{what}: {usage:g} % is used, the threshold is {most} %")
        return tuple(over), tuple(unread)


# --- shapes ----------------------------------------------------------------------------------------------------------


def read_agent(value: JSON) -> AgentInfo:
    raw, keys = _object(value, "an agent")
    return AgentInfo(
        agent_id=_id(keys, "agentid", "an agent"),
        name=_text(keys.get("name")),
        directory_id=_text(keys.get("directoryid")),
        description=_text(keys.get("description")),
        raw=raw,
    )


def read_schedule(value: JSON) -> JobSchedule:
    raw, keys = _object(_shared(value), "a schedule")
    get = keys.get
    return JobSchedule(
        schedule_id=_id(keys, "scheduleid", "a schedule"),
        agent_id=_optional_id(get("agentid")),
        cron=_text(get("cron")),
        cron_description=_text(get("crondescription")),
        session_id=_text(get("sessionid")),
        start_time=_text(get("starttime")),
        time_zone_id=_text(get("timezoneid")),
        next_run_time=_text(get("nextruntime")),
        input_parameters=read_parameters(get("inputparameters")),
        log_level=_number(get("loglevel")),
        is_windowless=_truth(get("iswindowless")),
        is_enabled=_truth(get("isenabled")),
        error_message=_text(get("errormessage")),
        schedule_status=_word(get("schedulestatus"), SCHEDULE_STATUS),
        last_run_time=_text(get("lastruntime")),
        completed_time=_text(get("completedtime")),
        raw=raw,
    )


def read_run(value: JSON) -> AgentRun:
    raw, keys = _object(value, "an agent run")
    get = keys.get
    return AgentRun(
        run_id=_id(keys, "agentrunhistoryid", "an agent run"),
        agent_id=_optional_id(get("agentid")),
        schedule_id=_optional_id(get("agentjobscheduleid")),
        job_run_number=_number(get("runid")),
        session_id=_text(get("sessionid")),
        server=_text(get("serverip")),
        start_time=_text(get("starttime")),
        end_time=_text(get("endtime")),
        status=_word(get("status"), RUN_STATUS),
        status_message=_text(get("statusmessage")),
        errors=_number(get("errors")),
        data_count=_number(get("datacount")),
        raw=raw,
    )


def read_job_run(value: JSON) -> JobRun:
    raw, keys = _object(value, "a job run")
    get = keys.get
    return JobRun(
        job_run_id=_id(keys, "agentjobhistoryid", "a job run"),
        agent_id=_optional_id(get("agentid")),
        job_run_number=_number(get("runid")),
        start_time=_text(get("starttime")),
        end_time=_text(get("endtime")),
        status=_word(get("status"), JOB_STATUS),
        total_errors=_number(get("totalerrors")),
        total_data_count=_number(get("totaldatacount")),
        raw=raw,
    )


def read_started_runs(value: JSON) -> StartedRuns:
    raw, keys = _object(value, "started runs")
    ids = keys.get("agentrunhistoryids")
    if not isinstance(ids, list) or not ids or not all(isinstance(each, str) and each.strip() for each in ids):
        raise ProductError("Started runs were answered without their ids (agentRunHistoryIds)")
    return StartedRuns(tuple(normal_id(each) for each in ids), raw)


def read_started_job(value: JSON) -> StartedJob:
    raw, keys = _object(value, "a started job")
    return StartedJob(_id(keys, "agentjobhistoryid", "a started job"), _number(keys.get("jobrunid")), raw)


def read_server(value: JSON) -> ServerStatus:
    raw, keys = _object(value, "a server's status")
    if "iserror" not in keys and "message" not in keys:
        raise ProductError("A server's status was answered without isError and message")
    return ServerStatus(
        is_error=_truth(keys.get("iserror")),
        message=_text(keys.get("message")),
        cpu_usages=_text(keys.get("cpuusages")),
        memory_usages=_text(keys.get("memoryusages")),
        disc_usages=_text(keys.get("discusages")),
        cpu_threshold=_percentage(keys.get("cputhreshold")),
        memory_threshold=_percentage(keys.get("memorythreshold")),
        raw=raw,
    )


def read_list(value: JSON, read: Callable[[JSON], T], what: str) -> tuple[T, ...]:
    """Each element of a list. Raises ProductError for anything but a list: never an empty answer instead."""
    if not isinstance(value, list):
        raise ProductError(f"{_shape(value).capitalize()} was answered where a list of {what} is due")
    return tuple(read(each) for each in value)


# --- values ----------------------------------------------------------------------------------------------------------


def read_parameters(value: JSON) -> dict[str, str] | None:
    """Input parameters from the JSON in a string; null, "" and "{}" are none; None when it is no object."""
    if value is None or value in ("", "{}"):
        return {}
    if isinstance(value, str):
        if not value.strip():
            return {}
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return None
        if value is None:
            return {}
    if not isinstance(value, dict):
        return None
    return {key: each if isinstance(each, str) else _plain(each) for key, each in value.items()}


def usage_now(text: str | None) -> float | None:
    """The usage now, in percent, of a text such as "6%, a:13%, p: 23 % " (now, average, peak); None without one.

    Tolerant of spaces, a decimal comma, the order, and a bare number; what has another label is another's.
    """
    if text is None:
        return None
    for label, number in _USAGE.findall(text):
        if label.lower() in ("", "n", "now", "c", "cur", "current"):
            return float(number.replace(",", "."))
    return None


def moment(text: str | None) -> datetime | None:
    """A time of ACC, fractions of seven digits too. None when there is none to be read; naive without an offset."""
    if not text:
        return None
    try:
        return datetime.fromisoformat(_FRACTION.sub(r"\1", text.strip()))
    except ValueError:
        return None


def _object(value: JSON, what: str) -> tuple[Raw, dict[str, Any]]:
    if not isinstance(value, dict):
        raise ProductError(f"{_shape(value).capitalize()} was answered where {what} is due")
    return value, {key.lower(): each for key, each in value.items()}


def _shared(value: JSON) -> JSON:
    """An object with each text held once: an estate is kept in memory as a whole, and repeats itself."""
    if not isinstance(value, dict):
        return value
    return {intern(key): intern(each) if type(each) is str else each for key, each in value.items()}


def _shape(value: JSON) -> str:
    for kind, words in ((bool, "a boolean"), (str, "a text"), (list, "a list"), (dict, "an object")):
        if isinstance(value, kind):
            return words
    return "null" if value is None else "a number"


def _id(keys: Mapping[str, Any], key: str, what: str) -> str:
    value = keys.get(key)
    if isinstance(value, str) and (text := normal_id(value)):
        return text
    raise ProductError(f"{what.capitalize()} was answered without its id")


def _optional_id(value: JSON) -> str | None:
    return normal_id(value) if isinstance(value, str) and value else None


def _plain(value: JSON) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def _text(value: JSON) -> str | None:
    return value if value is None or isinstance(value, str) else _plain(value)


def _truth(value: JSON) -> bool | None:
    if value is True or value is False or value is None:
        return value
    text = str(value).strip().lower()
    return True if text in ("true", "1") else False if text in ("false", "0") else None


def _number(value: JSON) -> int | None:
    if type(value) is int or value is None:
        return value
    try:
        return int(value)
    except (ValueError, TypeError, OverflowError):
        return None


def _percentage(value: JSON) -> int | None:
    """A whole number of percent, also where it is written with its sign."""
    return _number(value.replace("%", "").strip() if isinstance(value, str) else value)


def _word(value: JSON, words: tuple[str, ...]) -> str | None:
    """A status by its documented word; the words themselves are understood too, and others shown as unknown."""
    if value is None:
        return None
    code = _number(value)
    if code is not None and 0 <= code < len(words):
        return words[code]
    wanted = re.sub(r"\W", "", str(value)).lower()
    return next((word for word in words if word.replace(" ", "").lower() == wanted), f"unknown ({value})")
