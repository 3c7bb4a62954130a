"""The contract of a kind whose things are read back."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Callable, Container, Mapping
from datetime import datetime
from typing import ClassVar, Generic, Self, TypeVar

from msgspec import Struct, field

from reconciler.causes import Why
from reconciler.diff import Sealer, changes, digest, sealed
from reconciler.kind.contract import A, Kind, S
from reconciler.model.copies import replace
from reconciler.model.entry import Entry, Memo, as_plain
from reconciler.model.live import Observation
from reconciler.model.plan import Action, Change, FieldChange, Preview, Visibility
from reconciler.model.resource import Resource
from reconciler.model.state import JSON, Beside


class ObservedMemo(Memo, frozen=True):
    """What the ledger keeps of a thing that is read back.

    `moved_from` is the `movedFrom` that was followed. `server_assigned_ids` are the things that the product made under
    ids of its own when we sent ours, `ids_before` what was on the agent before a create on a server that is not known
    to keep the ids that we send. `name` is what it was called, of an entry that was set aside.
    """

    moved_from: str = ""
    server_assigned_ids: tuple[str, ...] = field(default=(), name="server_assigned_ids")
    ids_before: tuple[str, ...] | None = field(default=None, name="ids_before")
    name: str = ""

    @classmethod
    def from_json(cls, kept: Mapping[str, JSON]) -> Self:
        """Ledgers of older versions hold one assigned id, as `stray`."""
        if older := kept.get("stray"):
            kept = {**kept, "server_assigned_ids": sorted({*kept.get("server_assigned_ids", ()), str(older)})}
        return super().from_json(kept)

    def with_ids_left(self, live: Container[str], identity: str) -> Self:
        """The same once its own thing, `identity`, is as wished: of the assigned ids, those that still live."""
        left = tuple(one for one in self.server_assigned_ids if one in live and one != identity)
        return replace(self, server_assigned_ids=left, ids_before=None)


O = TypeVar("O", bound=ObservedMemo)  # noqa: E741


class ObservedKind(Kind[S, O, A]):
    """A kind whose things are read back: equal or not is seen, and success is claimed after a second look.

    By default a state's fields are compared as they are; a field that is None is not managed.
    """

    visibility = Visibility.OBSERVED
    surely_alike: ClassVar[tuple[str, ...]] = ()
    """Fields that have one text for one meaning, whatever the time."""

    @abstractmethod
    def observe(self, api: A, agent_id: str) -> Mapping[str, Observation[S]]:
        """All that the agent has of this kind, by identity. Raises ProductError."""

    @abstractmethod
    def act(self, api: A, change: Change[S], *, once: bool) -> None:
        """Send one change. Raises Refused when nothing happened, Uncertain when perhaps it did.

        `once`: never twice, also when the first reply is lost.
        """

    def path(self, name: str) -> str:
        """What the manifest calls a field of the state."""
        return name

    def values(self, state: S) -> dict[str, JSON]:
        """What a state sets, by its path in the manifest."""
        found = ((name, getattr(state, name)) for name in state.__struct_fields__)
        told = ((name, value) for name, value in found if value is not None and not isinstance(value, Beside))
        return {self.path(name): as_plain(value) for name, value in told}

    def declared_fields(self, state: S) -> Mapping[str, JSON]:
        return self.values(state)

    def whole(self, desired: S, live: S | None) -> S:
        """The full state that is sent: what is declared, and else what is live, or the defaults of a new one."""
        left = {name: getattr(live, name) for name in desired.__struct_fields__ if getattr(desired, name) is None}
        return replace(desired, **left) if live is not None and left else desired

    def diff(self, live: S, desired: S, *, as_of: datetime) -> tuple[FieldChange, ...]:
        """The declared fields in which live means something else."""
        seen = self.values(live)
        found = ((path, seen.get(path), value) for path, value in self.values(desired).items())
        return tuple(one for path, before, after in found for one in changes(before, after, path))

    def as_written(self, found: tuple[FieldChange, ...], desired: S) -> tuple[FieldChange, ...]:
        """Differences in the words that the manifest uses."""
        return found

    def meaning(self, state: S) -> Mapping[str, str]:
        """Each field of a live state as text that depends on no spelling: what the ledger keeps digests of."""
        return self.declared_meaning(state)

    def declared_meaning(self, state: S) -> Mapping[str, str]:
        """The same of what a manifest sets."""
        return {path: json.dumps(value, sort_keys=True) for path, value in self.values(state).items()}

    def action(self, found: tuple[FieldChange, ...]) -> Action:
        """The call that makes these differences go away."""
        return Action.UPDATE

    def preview(self, before: S | None, after: S | None, *, as_of: datetime) -> Preview | None:
        """What a reviewer approves about a change beside its fields."""
        return None

    def remember(self, live: S, resource: Resource[S] | None, before: O | None) -> O:
        """What the ledger keeps once `live` was reached. `resource`: None where no manifest declares it."""
        return replace(before or self.memo_type(), ids_before=None)

    def moved_since(self, entry: Entry[O], state: S, meant: Mapping[str, str], after: MovedSince[S]) -> frozenset[str]:
        """The fields of a state, `meant` so, that mean something else than what the ledger remembers having reached."""
        digests = sealed(meant, after.seal)
        return frozenset(path for path, now in digests.items() if entry.applied.get(path) != now)

    def newly_set(self, entry: Entry[O], desired: S) -> frozenset[str]:
        """The fields that the manifest sets now, and did not when the entry was written; none where nobody knows."""
        return frozenset()

    def is_on_by_default_now(self, entry: Entry[O], differing: frozenset[str], desired: S) -> bool:
        """Whether only a default that the program learned of since the entry was written makes the difference."""
        return False

    def takeover_hint(self, desired: S, found: tuple[FieldChange, ...]) -> tuple[Why, ...]:
        """What to know, besides, of a thing that is not ours and differs so."""
        return ()

    def unset_changes(
        self, entry: Entry[O], live: S, desired: S, digest_of: Callable[[str, str], str]
    ) -> tuple[FieldChange, ...]:
        """What moved since the entry was written in fields that the manifest does not set: live, and what it was."""
        return ()

    # --- what follows ------------------------------------------------------------------------------------------------

    def fingerprint(self, state: S | None) -> str:
        """What a saved plan rests on, as one digest."""
        return "absent" if state is None else digest(dict(self.meaning(state)))

    def is_unmoved(self, before: S | None, live: S | None, *, as_of: datetime) -> bool:
        """Whether what was seen when deciding still stands, by the one definition of what makes a difference."""
        if before is None or live is None:
            return before is live
        return not self.diff(live, before, as_of=as_of)

    def content(self, state: S, seal: Sealer) -> str:
        return seal(dict(self.declared_meaning(state)))

    def declared(self, state: S, seal: Sealer) -> str:
        return seal(dict(self.declared_meaning(state)))


class MovedSince(Struct, Generic[S], frozen=True):
    """How a state is held against what the ledger remembers: with its key, under the desired rhythm, at a time."""

    desired: S
    seal: Sealer
    as_of: datetime
