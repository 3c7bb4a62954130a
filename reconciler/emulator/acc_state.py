"""What the emulated ACC holds: agents, schedules, runs, files, tokens and servers, as live objects."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum


class RunStatus(IntEnum):
    """Sequentum ACC, API Access: Get agent run details."""

    NEVER_RUN = 0
    STARTING = 1
    RUNNING = 2
    DELIVERY = 3
    SUCCEEDED = 4
    FAILED = 5
    STOPPED = 6
    FAILURE = 7


class JobStatus(IntEnum):
    """Sequentum ACC, API Access: Get job run details."""

    NEVER_RUN = 0
    IN_PROGRESS = 1
    IN_PROGRESS_WITH_FAILURE = 2
    SUCCEEDED = 3
    FAILURE = 4
    FAILED = 5


class ScheduleStatus(IntEnum):
    """Sequentum ACC, API Access: Get job schedules."""

    WAITING = 0
    RUNNING = 1
    SUCCEEDED = 2
    FAILED = 3


@dataclass(eq=False)
class Token:
    """An access token of one user; `expires` None means never."""

    value: str
    read_only: bool = False
    user: str = "api"
    expires: datetime | None = None


@dataclass(eq=False)
class InputFile:
    """An input file of an agent: exactly the bytes that were sent. A disabled file is not deployed to the servers."""

    name: str
    content: bytes
    enabled: bool = True
    uploads: int = 1


@dataclass(eq=False)
class Schedule:
    """A job schedule under its documented fields. `start_time` is the text as given; whatever changes here drops the
    agent's prepared listing, so that a test may assign to any field."""

    schedule_id: str
    agent: Agent = field(repr=False)
    cron: str = "0 0 0 1"
    start_time: str = "2026-01-01T00:00:00"
    time_zone_id: str = "UTC"
    session_id: str | None = None
    input_parameters: str | None = "{}"
    log_level: int = 1
    is_windowless: bool = True
    is_enabled: bool = True
    error_message: str | None = None
    status: int = ScheduleStatus.WAITING
    last_run_time: datetime | None = None
    completed_time: datetime | None = None

    def __setattr__(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)
        agent = self.__dict__.get("agent")
        if agent is not None:
            agent.listing = None

    def show_end(self, run: Run) -> None:
        """Show that a run which this schedule began has ended, and how."""
        is_good = run.outcome is RunStatus.SUCCEEDED
        self.status = ScheduleStatus.SUCCEEDED if is_good else ScheduleStatus.FAILED
        self.error_message = None if is_good else f"The agent run ended as {run.outcome.name.title()}"
        self.completed_time = run.end


@dataclass(eq=False)
class Run:
    """An agent run. It ends by itself at `end` as `outcome` says, unless somebody sets another status first.

    `message` is what it says of itself, "" for the words that go with its status.
    """

    run_id: str
    agent: Agent = field(repr=False)
    start: datetime
    end: datetime
    outcome: RunStatus = RunStatus.SUCCEEDED
    job: JobRun | None = field(default=None, repr=False)
    schedule_id: str | None = None
    session_id: str | None = None
    parameters: str | None = None
    log_level: int = 1
    is_production: bool = True
    is_windowless: bool = True
    input_files: tuple[str, ...] = ()
    delete_input_files: bool = False
    settled: bool = False
    message: str = ""

    def status(self, now: datetime) -> RunStatus:
        """Where the run stands: it starts, works, delivers, and ends."""
        if self.settled or now >= self.end:
            return self.outcome
        share = (now - self.start) / (self.end - self.start)
        if share < 0.1:
            return RunStatus.STARTING
        return RunStatus.RUNNING if share < 0.9 else RunStatus.DELIVERY


@dataclass(eq=False)
class JobRun:
    """A job run and the agent runs it started. `forced` is a status that somebody set by hand."""

    job_id: str
    agent: Agent = field(repr=False)
    number: int
    start: datetime
    runs: list[Run] = field(default_factory=list)
    schedule_id: str | None = None
    forced: JobStatus | None = None

    def status(self, now: datetime) -> JobStatus:
        """The job's own view of its runs."""
        if self.forced is not None:
            return self.forced
        statuses = [run.status(now) for run in self.runs]
        failed = any(status >= RunStatus.FAILED for status in statuses)
        if any(status < RunStatus.SUCCEEDED for status in statuses):
            return JobStatus.IN_PROGRESS_WITH_FAILURE if failed else JobStatus.IN_PROGRESS
        return JobStatus.FAILED if failed else JobStatus.SUCCEEDED

    def is_active(self, now: datetime) -> bool:
        return self.status(now) in (JobStatus.IN_PROGRESS, JobStatus.IN_PROGRESS_WITH_FAILURE)


@dataclass(eq=False)
class Agent:
    """An agent in the repository, its job, its files, and how its runs turn out.

    `sessions` says what it is configured for: none, single, or multiple; one that is not `deployed` is on no server.
    `duration` is in seconds of emulated time; `outcomes` are used one after the other, the last one for good;
    `data` is the CSV that a run exports; `listing` and `record` are prepared replies, None when they must be made anew.
    """

    path: str
    agent_id: str
    directory_id: str = "45e52cf1-b2a1-4f37-b670-4582c08a8df8"
    description: str | None = None
    approved: bool = True
    deployed: bool = True
    sessions: str = "multiple"
    duration: float = 9.0
    outcomes: tuple[RunStatus, ...] = (RunStatus.SUCCEEDED,)
    data: str = "url,price\r\nhttps://shop.example/1,10.00\r\n"
    keeps_backup: bool = True
    schedules: dict[str, Schedule] = field(default_factory=dict, repr=False)
    runs: list[Run] = field(default_factory=list, repr=False)
    jobs: list[JobRun] = field(default_factory=list, repr=False)
    input_files: dict[str, InputFile] = field(default_factory=dict, repr=False)
    runs_started: int = 0
    jobs_started: int = 0
    listing: bytes | None = field(default=None, repr=False)
    listing_until: datetime | None = None
    record: bytes | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    def next_outcome(self) -> RunStatus:
        """How the next run will end."""
        outcome = self.outcomes[min(self.runs_started, len(self.outcomes) - 1)]
        self.runs_started += 1
        return outcome

    def active_runs(self, now: datetime) -> list[Run]:
        return [run for run in self.runs if not run.settled and now < run.end]

    def active_job(self, now: datetime) -> JobRun | None:
        return next((job for job in reversed(self.jobs) if job.is_active(now)), None)


@dataclass(eq=False)
class FileLogEntry:
    """One line of Audit Logs >> File Logs."""

    at: datetime
    path: str
    user: str
    event: str
    message: str


@dataclass(eq=False)
class ServerRecord:
    """A server that ACC knows, as `server/check` finds it."""

    key: str = "3f8fb288098e4c749f18da856115f674"
    ip_address: str = "127.0.0.1"
    port: int = 8004
    use_ssl: bool = False
    cpu_usages: str = "0%, a:2%, p:20%"
    memory_usages: str = "6%, a:13%, p: 23 % "
    cpu_threshold: int = 100
    memory_threshold: int = 90
