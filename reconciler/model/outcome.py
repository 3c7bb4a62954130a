"""What was done: how each change of a run ended, and who ran it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeAlias

from msgspec import Struct

from reconciler.causes import Why
from reconciler.model.address import Address
from reconciler.model.live import Evidence
from reconciler.model.plan import Change, Plan
from reconciler.model.state import JSON


class Status(StrEnum):
    """How one change ended."""

    APPLIED = "applied"
    FAILED = "failed"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"
    UNVERIFIED = "unverified"
    STALE = "stale"


class ApplyBegan(Struct, frozen=True):
    """An event: the changes of this plan are applied from now on."""

    plan: Plan


class Began(Struct, frozen=True):
    """An event: this change is about to be sent. `at` is RFC 3339."""

    change: Change
    at: str


class Outcome(Struct, frozen=True):
    """An event: how a change ended. `seconds` is wall time; `run_id` only for a started task."""

    change: Change
    status: Status
    why: Why | None = None
    seconds: float = 0.0
    evidence: Evidence = Evidence.UNKNOWN
    identity: str = ""
    run_id: str = ""
    at: str = ""


class Waiting(Struct, frozen=True):
    """An event that is told again while it lasts: how what is waited for stands, and for how many seconds it lasts.

    `what` is the address of a change, or what else it is called; `state` is a product's own word for a run. `is_over`
    ends the wait for what is no change.
    """

    what: str
    state: str = ""
    seconds: float = 0.0
    run_id: str = ""
    is_over: bool = False


ApplyEvent: TypeAlias = ApplyBegan | Began | Waiting | Outcome
"""What an apply tells of itself while it runs."""


class Owner(Struct, frozen=True):
    """Who runs: shown to whoever is kept waiting. `ci_link` leads to the job, where there is one."""

    user: str
    host: str
    pid: int
    ci_link: str = ""

    def __str__(self) -> str:
        link = f", {self.ci_link}" if self.ci_link else ""
        return f"{self.user} on {self.host} (process {self.pid}{link})"


class RunRecord(Struct, frozen=True):
    """One run for `history`. `finished` and `result` are "" while it goes on, and for ever when it died."""

    id: str
    owner: Owner
    commit: str
    plan_digest: str
    command: str
    started: str
    finished: str = ""
    result: str = ""
    summary: Mapping[str, JSON] | None = None


class Done(Struct, frozen=True):
    """How one change of a run ended, as the ledger's events have it; `status` is "" where its end is not recorded.

    `began` and `ended` are RFC 3339, "" where there is no such event.
    """

    address: str
    action: str
    status: str
    detail: str
    began: str = ""
    ended: str = ""
    seconds: float = 0.0
    run_id: str = ""


class Span(Struct, frozen=True):
    """When one change was under way, in seconds since its run began. `ended` is None where its end was not seen."""

    began: float
    ended: float | None = None


class Ending(StrEnum):
    """How a whole apply came to its end. The value is the word for it."""

    FINISHED = "finished"
    DECLINED = "declined"
    REFUSED = "refused"
    INTERRUPTED = "interrupted"
    BROKEN = "broke off"


class ApplyReport(Struct, frozen=True):
    """One apply from its first moment to its end: for whoever reads afterwards how it went.

    `spans` are of all changes that were begun; `seconds` is how long it took. `said` are the sentences about how it
    ended where it did not run to its end, each with its next step.
    """

    plan: Plan
    run: RunRecord
    ending: Ending
    outcomes: tuple[Outcome, ...] = ()
    spans: Mapping[Address, Span] = {}
    seconds: float = 0.0
    said: tuple[tuple[str, str], ...] = ()
