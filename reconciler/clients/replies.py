"""The records that ACC answers with: agents, schedules, runs. Unknown words are kept; another shape is an error.

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
from typing import TypeVar

from reconciler.clients.received import RawObject, Received, as_text, shape
from reconciler.errors import ProductError
from reconciler.identity import normal_id

T = TypeVar("T")

SCHEDULE_STATUS = ("Waiting", "Running", "Succeeded", "Failed")
JOB_STATUS = ("Never Run", "In Progress", "In Progress With Failure", "Succeeded", "Failure", "Failed")
RUN_STATUS = ("Never Run", "Starting", "Running", "Delivery", "Succeeded", "Failed", "Stopped", "Failure")
_ACTIVE_JOB = frozenset(JOB_STATUS[1:3])
_ACTIVE_RUN = frozenset(RUN_STATUS[1:4])
_FRACTION = re.compile(r"(\.\d{6})\d+")


@dataclass(frozen=True, slots=True)
class AgentInfo:
    """An agent in the repository ("Get agent details from repository")."""

    agent_id: str
    name: str | None
    directory_id: str | None
    description: str | None
    raw: RawObject = field(repr=False)


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
    raw: RawObject = field(repr=False)


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
    raw: RawObject = field(repr=False)

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
    raw: RawObject = field(repr=False)

    @property
    def is_active(self) -> bool:
        return self.status in _ACTIVE_JOB


@dataclass(frozen=True, slots=True)
class StartedRuns:
    """What "Start agent on cluster" began: one id, or several with performance sessions."""

    run_ids: tuple[str, ...]
    raw: RawObject = field(repr=False)


@dataclass(frozen=True, slots=True)
class StartedJob:
    """What "Start Job" began."""

    job_run_id: str
    job_run_number: int | None
    raw: RawObject = field(repr=False)


# --- shapes ----------------------------------------------------------------------------------------------------------


def read_agent(value: object) -> AgentInfo:
    given = Received(value, "an agent")
    return AgentInfo(
        agent_id=given.own_id("agentid"),
        name=given.text("name"),
        directory_id=given.text("directoryid"),
        description=given.text("description"),
        raw=given.raw,
    )


def read_schedule(value: object) -> JobSchedule:
    given = Received(_shared(value), "a schedule")
    return JobSchedule(
        schedule_id=given.own_id("scheduleid"),
        agent_id=given.id("agentid"),
        cron=given.text("cron"),
        cron_description=given.text("crondescription"),
        session_id=given.text("sessionid"),
        start_time=given.text("starttime"),
        time_zone_id=given.text("timezoneid"),
        next_run_time=given.text("nextruntime"),
        input_parameters=read_parameters(given.value("inputparameters")),
        log_level=given.number("loglevel"),
        is_windowless=given.truth("iswindowless"),
        is_enabled=given.truth("isenabled"),
        error_message=given.text("errormessage"),
        schedule_status=given.word("schedulestatus", SCHEDULE_STATUS),
        last_run_time=given.text("lastruntime"),
        completed_time=given.text("completedtime"),
        raw=given.raw,
    )


def read_run(value: object) -> AgentRun:
    given = Received(value, "an agent run")
    return AgentRun(
        run_id=given.own_id("agentrunhistoryid"),
        agent_id=given.id("agentid"),
        schedule_id=given.id("agentjobscheduleid"),
        job_run_number=given.number("runid"),
        session_id=given.text("sessionid"),
        server=given.text("serverip"),
        start_time=given.text("starttime"),
        end_time=given.text("endtime"),
        status=given.word("status", RUN_STATUS),
        status_message=given.text("statusmessage"),
        errors=given.number("errors"),
        data_count=given.number("datacount"),
        raw=given.raw,
    )


def read_job_run(value: object) -> JobRun:
    given = Received(value, "a job run")
    return JobRun(
        job_run_id=given.own_id("agentjobhistoryid"),
        agent_id=given.id("agentid"),
        job_run_number=given.number("runid"),
        start_time=given.text("starttime"),
        end_time=given.text("endtime"),
        status=given.word("status", JOB_STATUS),
        total_errors=given.number("totalerrors"),
        total_data_count=given.number("totaldatacount"),
        raw=given.raw,
    )


def read_started_runs(value: object) -> StartedRuns:
    given = Received(value, "started runs")
    ids = given.value("agentrunhistoryids")
    if not isinstance(ids, list) or not ids or not all(isinstance(each, str) and each.strip() for each in ids):
        raise ProductError("Started runs were answered without their ids (agentRunHistoryIds)")
    return StartedRuns(tuple(normal_id(each) for each in ids), given.raw)


def read_started_job(value: object) -> StartedJob:
    given = Received(value, "a started job")
    return StartedJob(given.own_id("agentjobhistoryid"), given.number("jobrunid"), given.raw)


def read_list(value: object, read: Callable[[object], T], what: str) -> tuple[T, ...]:
    """Each element of a list. Raises ProductError for anything but a list: never an empty answer instead."""
    if not isinstance(value, list):
        raise ProductError(f"{shape(value).capitalize()} was answered where a list of {what} is due")
    return tuple(read(each) for each in value)


# --- values ----------------------------------------------------------------------------------------------------------


def read_parameters(value: object) -> dict[str, str] | None:
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
    return {key: each if isinstance(each, str) else as_text(each) for key, each in value.items()}


def moment(text: str | None) -> datetime | None:
    """A time of ACC, fractions of seven digits too. None when there is none to be read; naive without an offset."""
    if not text:
        return None
    try:
        return datetime.fromisoformat(_FRACTION.sub(r"\1", text.strip()))
    except ValueError:
        return None


def _shared(value: object) -> object:
    """An object with each text held once: an estate is kept in memory as a whole, and repeats itself."""
    if not isinstance(value, dict):
        return value
    return {intern(key): intern(each) if type(each) is str else each for key, each in value.items()}
