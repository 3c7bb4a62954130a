"""Everything that both emulated products hold, found by path and by id; and what people do in the Agent Repository."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from reconciler.emulator.acc_state import Agent, FileLogEntry, JobRun, Run, Schedule, ServerRecord, Token
from reconciler.emulator.mft_state import Tenant
from reconciler.identity import normal_id

NewId = Callable[[], str]
"""Makes the ids of runs, jobs and agents: a GUID in lower case."""


def random_id() -> str:
    """A version 4 UUID, which is what the products make by themselves."""
    return str(uuid.uuid4())


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


# What somebody does in ACC's Agent Repository is in no API: it happens behind the back of whoever reads over HTTP.
_OUTLIVES_AN_AGENT = (
    *("directory_id", "description", "deployed", "sessions", "duration", "outcomes", "data", "keeps_backup"),
)


def move_agent(estate: Estate, path: str, to: str) -> Agent:
    """Move an agent to another path: its id, schedules, files and approval stay. Raises KeyError, ValueError."""
    agent = estate.agents[path]
    _refuse_taken(estate, to)
    del estate.agents[path]
    estate.agents[to] = agent
    if agent.path == path:
        agent.path = to
    agent.record = None
    return agent


def remake_agent(estate: Estate, path: str, agent_id: str = "") -> Agent:
    """Delete an agent and make one anew where it was, at each path that led to it: another id, not approved, and
    neither schedules nor input files nor runs. Raises KeyError, ValueError."""
    former = estate.agents[path]
    if agent_id and normal_id(agent_id) in estate.agents_by_id:
        raise ValueError(f"the id {agent_id} is taken")
    paths = paths_of(estate, former)
    remove_agent(estate, path)
    kept = {name: getattr(former, name) for name in _OUTLIVES_AN_AGENT}
    made = estate.add_agent(former.path, agent_id, approved=False, **kept)
    for each in paths:
        estate.agents[each] = made
    return made


def alias_agent(estate: Estate, path: str, alias: str) -> Agent:
    """Let a second path lead to an agent, which is called by its first path. Raises KeyError, ValueError."""
    agent = estate.agents[path]
    _refuse_taken(estate, alias)
    estate.agents[alias] = agent
    return agent


def remove_agent(estate: Estate, path: str) -> None:
    """Delete an agent with all that is its own, under each path that leads to it. Raises KeyError."""
    agent = estate.agents[path]
    for each in paths_of(estate, agent):
        del estate.agents[each]
    for schedule_id in list(agent.schedules):
        estate.remove_schedule(schedule_id)
    del estate.agents_by_id[normal_id(agent.agent_id)]


def paths_of(estate: Estate, agent: Agent) -> list[str]:
    """The paths that lead to an agent, the one that it is called by first."""
    found = [path for path, at in estate.agents.items() if at is agent]
    return sorted(found, key=lambda path: path != agent.path)


def _refuse_taken(estate: Estate, path: str) -> None:
    if not isinstance(path, str) or not path:
        raise ValueError("a path is a text that is not empty")
    if path in estate.agents:
        raise ValueError(f"there is an agent at {path} already")
