"""What the emulated Automate MFT holds: a tenant with its keys, tasks, task runs, licence and access tokens."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


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
