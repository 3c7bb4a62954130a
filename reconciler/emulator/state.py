"""What the emulated products hold: agents, schedules, runs, files, tokens and tasks, as live objects."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Any

from reconciler.identity import normal_id

NewId = Callable[[], str]
"""Makes the ids of runs, jobs and agents: a GUID in lower case."""


def random_id() -> str:
    """A version 4 UUID, which is what the products make by themselves."""
    return str(uuid.uuid4())


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

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)
        agent = self.__dict__.get("agent")
        if agent is not None:
            agent.listing = None


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


@dataclass(eq=False)
class Licence:
    """The tenant's plan. `limit` None means without limit; dates left out are set by `begin`."""

    plan: str = "Professional"
    start_date: str = ""
    end_date: str = ""
    used: int = 0
    limit: int | None = 10_000

    def begin(self, now: datetime) -> None:
        """Let a licence without dates be good: from the first day of this year to the last of the next."""
        self.start_date = self.start_date or f"{now.year:04}-01-01"
        self.end_date = self.end_date or f"{now.year + 1:04}-12-31"


@dataclass(eq=False)
class Task:
    """An Automate MFT task. `duration` is in seconds; `outcomes` (success, failed) are used one after the other."""

    task_id: str
    name: str
    duration: float = 2.0
    outcomes: tuple[str, ...] = ("success",)
    parameters: dict[str, str] = field(default_factory=dict)
    runs_started: int = 0

    def next_outcome(self) -> str:
        """How the next run will end."""
        outcome = self.outcomes[min(self.runs_started, len(self.outcomes) - 1)]
        self.runs_started += 1
        return outcome


@dataclass(eq=False)
class TaskRun:
    """One start of a task, with the parameters it was given."""

    run_id: str
    task: Task
    queued: datetime
    end: datetime
    outcome: str = "success"
    parameters: dict[str, str] = field(default_factory=dict)


@dataclass(eq=False)
class AccessToken:
    """What the token endpoint gave out: good until `expires`, and for `uses` more calls (None: any number)."""

    value: str
    expires: datetime
    uses: int | None = None


@dataclass(eq=False)
class Tenant:
    """The Automate MFT side. `keys` are registered public keys (PEM) by key id."""

    tenant_id: str
    keys: dict[str, str] = field(default_factory=dict)
    tasks: dict[str, Task] = field(default_factory=dict)
    licence: Licence = field(default_factory=Licence)
    token_seconds: float = 3600.0
    token_uses: int | None = None
    runs: dict[str, TaskRun] = field(default_factory=dict)
    access_tokens: dict[str, AccessToken] = field(default_factory=dict, repr=False)
    seen_assertions: dict[str, float] = field(default_factory=dict, repr=False)

    def add_task(self, task: Task) -> Task:
        self.tasks[task.task_id.lower()] = task
        return task

    def task_named(self, name: str) -> Task | None:
        return next((task for task in self.tasks.values() if task.name == name), None)


class Estate:
    """Everything the emulator holds. Ids are found without regard to case, braces or space. Several paths may
    lead to one agent."""

    def __init__(self, *, tenant: Tenant | None = None, zone: str = "UTC", new_id: NewId = random_id) -> None:
        self.agents: dict[str, Agent] = {}
        self.agents_by_id: dict[str, Agent] = {}
        self.schedules: dict[str, Schedule] = {}
        self.runs: dict[str, Run] = {}
        self.jobs: dict[str, JobRun] = {}
        self.tokens: dict[str, Token] = {}
        self.servers: list[ServerRecord] = []
        self.file_log: list[FileLogEntry] = []
        self.tenant = tenant
        self.zone = zone
        self.new_id = new_id
        self.unsettled: list[Run] = []

    def add_agent(self, path: str, agent_id: str = "", **fields: Any) -> Agent:
        """Put an agent into the repository, with an id of its own unless one is given."""
        agent = Agent(path=path, agent_id=agent_id or self.new_id(), **fields)
        self.agents[path] = agent
        self.agents_by_id[normal_id(agent.agent_id)] = agent
        return agent

    def become(self, other: Estate) -> None:
        """Hold what another estate holds, in place, so that everybody who holds this one sees it."""
        own_ids = self.new_id
        self.__dict__.update(other.__dict__)
        self.new_id = own_ids

    def add_token(self, token: Token) -> Token:
        self.tokens[token.value] = token
        return token

    def add_schedule(self, agent: Agent | str, schedule_id: str = "", **fields: Any) -> Schedule:
        """Give an agent (or the agent at a path) a schedule, as somebody in the product's own pages would."""
        owner = self.agents[agent] if isinstance(agent, str) else agent
        schedule = Schedule(schedule_id=schedule_id or self.new_id(), agent=owner, **fields)
        key = normal_id(schedule.schedule_id)
        self.schedules[key] = owner.schedules[key] = schedule
        owner.listing = None
        return schedule

    def remove_schedule(self, schedule_id: str) -> bool:
        """Delete a schedule; False when there is none."""
        schedule = self.schedules.pop(normal_id(schedule_id), None)
        if schedule is None:
            return False
        del schedule.agent.schedules[normal_id(schedule_id)]
        schedule.agent.listing = None
        return True

    def schedule(self, schedule_id: str) -> Schedule:
        """The schedule with this id, however it is written. Raises KeyError."""
        return self.schedules[normal_id(schedule_id)]

    def add_run(self, run: Run, *, settled: bool = False) -> Run:
        """Enter a run. `settled`: it is history already, and has no more effects."""
        run.settled = settled
        self.runs[normal_id(run.run_id)] = run
        run.agent.runs.append(run)
        if run.job is not None:
            run.job.runs.append(run)
        if not settled:
            self.unsettled.append(run)
        return run

    def add_job(self, agent: Agent, start: datetime, schedule_id: str | None = None, job_id: str = "") -> JobRun:
        """Enter a job run under the agent's next number."""
        agent.jobs_started += 1
        job = JobRun(job_id or self.new_id(), agent, agent.jobs_started, start, schedule_id=schedule_id)
        self.jobs[normal_id(job.job_id)] = job
        agent.jobs.append(job)
        return job

    def finished(self, now: datetime) -> Iterator[Run]:
        """Runs that ended since the last look, oldest end first; each is handed out once."""
        ended = sorted((run for run in self.unsettled if run.settled or now >= run.end), key=lambda run: run.end)
        if ended:
            self.unsettled = [run for run in self.unsettled if not (run.settled or now >= run.end)]
        yield from ended


def seconds(value: float) -> timedelta:
    return timedelta(seconds=value)
