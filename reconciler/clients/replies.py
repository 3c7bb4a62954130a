"""The records that ACC answers with: agents, schedules, runs, servers. Unknown words are kept.

Times are kept as the product's own text (`moment` reads one); a key that is missing is None; `raw` is the object as
received. A key is named where the product's is not the field's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from sys import intern
from typing import Annotated

from reconciler.clients.received import (
    Id,
    Number,
    OwnId,
    Percentage,
    Received,
    Text,
    Truth,
    as_text,
    list_reader,
    reader,
    word_of,
)
from reconciler.errors import ProductError
from reconciler.identity import normal_id

JOB_STATUS = ("Never Run", "In Progress", "In Progress With Failure", "Succeeded", "Failure", "Failed")
_RUN_STATUS = ("Never Run", "Starting", "Running", "Delivery", "Succeeded", "Failed", "Stopped", "Failure")
_FRACTION = re.compile(r"(\.\d{6})\d+")
_USAGE = re.compile(r"(?:([A-Za-z]+)\s*[:=]\s*)?(?<![-\d.,])(\d{1,6}(?:[.,]\d{1,6})?)(?!\d)\s*%?")


def read_parameters(value: object) -> dict[str, str] | None:
    """Input parameters from the JSON in a string; null, "" and "{}" are none; None when it is no object."""
    if value is None or value in ("", "{}"):
        return {}
    if isinstance(value, str):
        try:
            value = json.loads(value) if value.strip() else {}
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


class AgentInfo(Received, frozen=True):
    """An agent in the repository ("Get agent details from repository")."""

    agent_id: OwnId
    name: Text
    directory_id: Text
    description: Text


read_agent = reader(AgentInfo, "an agent")


class JobSchedule(Received, frozen=True):
    """A schedule of an agent's job ("Get job schedules"). `input_parameters`: None when the text is no JSON object."""

    schedule_id: OwnId
    agent_id: Id
    cron: Text
    cron_description: Text
    session_id: Text
    start_time: Text
    time_zone_id: Text
    next_run_time: Text
    input_parameters: Annotated[Mapping[str, str] | None, read_parameters]
    log_level: Number
    is_windowless: Truth
    is_enabled: Truth
    error_message: Text
    schedule_status: Annotated[str | None, word_of("Waiting", "Running", "Succeeded", "Failed")]
    last_run_time: Text


_read_schedule = reader(JobSchedule, "a schedule")


def read_schedule(value: object) -> JobSchedule:
    """A schedule with each text held once: an estate is kept in memory as a whole, and repeats itself."""
    if isinstance(value, dict):
        value = {intern(key): intern(each) if type(each) is str else each for key, each in value.items()}
    return _read_schedule(value)


read_schedules = list_reader(read_schedule, "schedules")


class AgentRun(Received, frozen=True):
    """One run of an agent ("Get agent run details")."""

    run_id: Annotated[OwnId, "agentrunhistoryid"]
    agent_id: Id
    schedule_id: Annotated[Id, "agentjobscheduleid"]
    job_run_number: Annotated[Number, "runid"]
    session_id: Text
    server: Annotated[Text, "serverip"]
    start_time: Text
    end_time: Text
    status: Annotated[str | None, word_of(*_RUN_STATUS)]
    status_message: Text
    errors: Number
    data_count: Number

    @property
    def is_active(self) -> bool:
        return self.status in _RUN_STATUS[1:4]


read_run = reader(AgentRun, "an agent run")
read_runs = list_reader(read_run, "agent runs")


class JobRun(Received, frozen=True):
    """One run of an agent's job ("Get job run details"). `job_run_number` counts the runs of one agent."""

    job_run_id: Annotated[OwnId, "agentjobhistoryid"]
    agent_id: Id
    job_run_number: Annotated[Number, "runid"]
    status: Annotated[str | None, word_of(*JOB_STATUS)]

    @property
    def is_active(self) -> bool:
        return self.status in JOB_STATUS[1:3]


read_job_run = reader(JobRun, "a job run")
read_job_runs = list_reader(read_job_run, "job runs")


def _run_ids(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(each, str) and each.strip() for each in value):
        raise ProductError("Started runs were answered without their ids (agentRunHistoryIds)")
    return tuple(normal_id(each) for each in value)


class StartedRuns(Received, frozen=True):
    """What "Start agent on cluster" began: one id, or several with performance sessions."""

    run_ids: Annotated[tuple[str, ...], _run_ids, "agentrunhistoryids"]


read_started_runs = reader(StartedRuns, "started runs")


class StartedJob(Received, frozen=True):
    """What "Start Job" began."""

    job_run_id: Annotated[OwnId, "agentjobhistoryid"]
    job_run_number: Annotated[Number, "jobrunid"]


read_started_job = reader(StartedJob, "a started job")


class ServerStatus(Received, frozen=True):
    """How a Sequentum Enterprise server is doing ("Get SE Server Status"), and which of its thresholds it is over."""

    is_error: Truth
    message: Text
    cpu_usages: Text
    memory_usages: Text
    cpu_threshold: Percentage
    memory_threshold: Percentage

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


_read_server = reader(ServerStatus, "a server's status")


def read_server(value: object) -> ServerStatus:
    found = _read_server(value)
    if not {"iserror", "message"} & set(map(str.lower, found.raw)):
        raise ProductError("A server's status was answered without isError and message")
    return found


def usage_now(text: str | None) -> float | None:
    """The usage now, in percent, of a text such as "6%, a:13%, p: 23 % " (now, average, peak); None without one.

    Tolerant of spaces, a decimal comma, the order, and a bare number; what has another label is another's.
    """
    for label, number in _USAGE.findall(text or ""):
        if label.lower() in ("", "n", "now", "c", "cur", "current"):
            return float(number.replace(",", "."))
    return None
