"""The contract of a kind that is started exactly once for each key."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Generic, TypeVar

from reconciler.kind.contract import A, Decision, Kind, S
from reconciler.model.entry import Entry, Memo, stored
from reconciler.model.plan import Visibility
from reconciler.model.resource import Resource
from reconciler.model.state import JSON


class StartState(StrEnum):
    """How far a start came."""

    SENDING = "sending"
    """Told before the request left."""
    RUNNING = "running"
    """A run id came back, and the run is waited for."""
    STARTED = "started"
    """A run id came back, and nobody waits."""
    SUCCESS = "success"
    FAILED = "failed"
    UNKNOWN = "unknown"
    """The reply was lost."""
    NOT_RAN = "not-ran"
    """A person said so."""

    @property
    def is_open(self) -> bool:
        """Whether nobody has seen the end of it; its run can be asked for."""
        return self in (StartState.RUNNING, StartState.STARTED)


@dataclass(frozen=True, slots=True)
class LicenceCount:
    """The task-execution counter of a licence; None where it is not told."""

    used: int | None = None
    limit: int | None = None

    @classmethod
    def read(cls, kept: Mapping[str, JSON] | None) -> LicenceCount | None:
        return None if kept is None else cls(kept.get("used"), kept.get("limit"))


@dataclass(frozen=True, slots=True)
class StartMemo(Memo):
    """What the ledger keeps of a start. `licence` is the counter before it; `resolved`: a person said how it went."""

    state: StartState = stored("state", StartState, always=True, default=StartState.UNKNOWN)
    attempts: int = stored("attempts", int, always=True, default=1)
    run_id: str = stored("runId", str, always=True, default="")
    licence: LicenceCount | None = stored("licence", LicenceCount.read, always=True, default=None)
    resolved: bool = stored("resolved", bool, default=False)

    @property
    def what(self) -> str:
        """What was started, in words; "" where that is not known."""
        return ""


U = TypeVar("U", bound=StartMemo)


@dataclass(frozen=True, slots=True)
class Wait:
    """How long a run is followed, and how often it is asked for, in seconds."""

    timeout: float
    interval: float


@dataclass(frozen=True, slots=True)
class Run:
    """A run as its product shows it; `status` is the product's own word."""

    run_id: str
    status: str
    is_final: bool
    has_succeeded: bool


@dataclass(frozen=True, slots=True)
class Progress(Generic[S]):
    """How far the start of `state` came: what its memo is made from."""

    state: S
    how_far: StartState
    run_id: str = ""
    licence: LicenceCount | None = None


class StartedKind(Kind[S, U, A]):
    """A kind that is started exactly once for each key, and never again on a guess."""

    visibility = Visibility.STARTED_ONCE
    has_health = True
    usual_wait: ClassVar[Wait]
    """How a run is followed where the manifest does not say."""

    @abstractmethod
    def decide(self, resource: Resource[S], entry: Entry[U] | None, *, again: bool) -> Decision[S] | None:
        """Whether a start is due; None when its key was started before. `again`: somebody asks for one more."""

    @abstractmethod
    def retried(self, state: S) -> S | None:
        """The next attempt after a run that is known to have failed; None when there is none."""

    @abstractmethod
    def wait(self, state: S) -> Wait | None:
        """How long the run is followed; None: it is started and left."""

    @abstractmethod
    def start(self, api: A, state: S) -> str:
        """Start it, and return the id of its run. Raises Refused when it did not start, Uncertain when perhaps."""

    @abstractmethod
    def run(self, api: A, run_id: str) -> Run:
        """A run as the product shows it now. Raises ProductError."""

    @abstractmethod
    def remember(self, progress: Progress[S]) -> U:
        """What the ledger keeps of a start."""
