"""The contract of a kind that its product accepts, and has no way to read back."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import TypeVar

from msgspec import Struct

from reconciler.diff import Sealer
from reconciler.kind.contract import A, Decision, Kind, S
from reconciler.model.entry import Entry, Memo
from reconciler.model.plan import Change, FieldChange, Visibility
from reconciler.model.state import JSON


class ByHand(Struct, frozen=True):
    """That calls by hand moved what is attested since the last apply: which, by whom, when, and from what."""

    call: str
    by: str
    at: str
    before: Mapping[str, JSON] = {}


class AttestedMemo(Memo, frozen=True):
    """What the ledger keeps of what a product accepted and does not show."""

    by_hand: ByHand | None = None

    @property
    def is_enabled(self) -> bool | None:
        """Whether it is switched on; None where it has no switch, or nothing was said of it."""
        return None


T = TypeVar("T", bound=AttestedMemo)


class Sending(Struct, frozen=True):
    """What a call needs besides its change: the ledger's key, words for the product's log, whether a run is active."""

    seal: Sealer
    context: str
    is_busy: Callable[[str], bool]


class AttestedKind(Kind[S, T, A]):
    """A kind that its product accepts, and has no way to read back: what the ledger holds stands in for live."""

    visibility = Visibility.ATTESTED

    @abstractmethod
    def diff(self, entry: Entry[T] | None, desired: S) -> tuple[FieldChange, ...]:
        """What was declared to be otherwise since it was last accepted."""

    @abstractmethod
    def decide(self, entry: Entry[T] | None, desired: S, found: tuple[FieldChange, ...], *, again: bool) -> Decision[S]:
        """What to do about these differences; `again`: somebody asks for all of it once more."""

    @abstractmethod
    def act(self, api: A, change: Change[S], sending: Sending) -> None:
        """Send one change. Raises Refused when nothing happened, Uncertain when perhaps it did, OSError."""

    @abstractmethod
    def remember(self, change: Change[S], before: Entry[T] | None) -> tuple[Mapping[str, str], T]:
        """The digests and the memo that the ledger keeps once the change was accepted."""

    def refreshed(self, state: S, entry: Entry[T]) -> T:
        """The memo of what needed no change, where the manifest has moved on."""
        return entry.memo

    def is_sent_in_parts(self, change: Change[S]) -> bool:
        """Whether a change takes several requests, so that one that is refused may leave others done."""
        return False

    def needs_idle_agent(self, state: S, entry: Entry[T] | None) -> bool:
        """Whether an active run of the agent may be in the way of a change."""
        return False
