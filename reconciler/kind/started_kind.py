"""The contract of a kind that is started exactly once for each key."""

from __future__ import annotations

from abc import abstractmethod
from enum import StrEnum
from typing import ClassVar, Generic, TypeVar

from msgspec import Struct

from reconciler.kind.contract import A, Decision, Kind, S
from reconciler.model.entry import Entry, Memo, always
from reconciler.model.plan import Visibility
from reconciler.model.resource import Resource


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


class LicenceCount(Struct, frozen=True):
    """The task-execution counter of a licence; None where it is not told."""

    used: int | None = None
    limit: int | None = None


class StartMemo(Memo, frozen=True):
    """What the ledger keeps of a start. `licence` is the counter before it; `resolved`: a person said how it went."""

    state: StartState = always(StartState.UNKNOWN)
    attempts: int = always(1)
    run_id: str = always("")
    licence: LicenceCount | None = always(None)
    resolved: bool = False

    @property
    def what(self) -> str:
        """What was started, in words; "" where that is not known."""
        return ""


U = TypeVar("U", bound=StartMemo)


class Wait(Struct, frozen=True):
    """How long a run is followed, and how often it is asked for, in seconds."""

    timeout: float
    interval: float


class Run(Struct, frozen=True):
    """A run as its product shows it; `status` is the product's own word."""

    run_id: str
    status: str
    is_final: bool
    has_succeeded: bool


class Progress(Struct, Generic[S], frozen=True):
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
