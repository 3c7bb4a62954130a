"""What shall be done, and why: changes, what is blocked, what needs no change."""

from __future__ import annotations

from enum import StrEnum
from typing import Generic

from msgspec import Struct

from reconciler.causes import Why
from reconciler.model.address import Address, Origin
from reconciler.model.state import JSON, SECRET, SECRET_CHANGED, S_co


class Finding(Struct, frozen=True, order=True):
    """A warning about a plan, or the reason why a guard refuses it."""

    code: str
    address: str
    why: Why


class Action(StrEnum):
    """What can be done to a resource; in the order of the plan's summary."""

    CREATE = "create"
    UPDATE = "update"
    ENABLE = "enable"
    DISABLE = "disable"
    DELETE = "delete"
    UPLOAD = "upload"
    APPROVE = "approve"
    DISAPPROVE = "disapprove"
    START = "start"
    ADOPT = "adopt"
    FORGET = "forget"

    @property
    def is_remote(self) -> bool:
        """Whether a product is asked to change something; the others touch the ledger alone."""
        return self not in (Action.ADOPT, Action.FORGET)


class Reason(StrEnum):
    """Why a change stands in the plan, or why a resource is blocked. A reason explains; it never decides."""

    NEW = "new"
    RENAMED = "renamed"
    EDITED = "edited"
    DRIFTED = "drifted"
    DIVERGED = "diverged"
    DIFFERS = "differs"
    VANISHED = "vanished"
    INTERRUPTED = "interrupted"
    REMOVED = "removed"
    DUE = "due"
    RETRY = "retry"
    PROTECTED = "protected"
    UNOWNED = "unowned"
    UNREADABLE = "unreadable"
    POLICY = "policy"
    UNKNOWN_START = "unknown-start"
    LOST_LEDGER = "lost-ledger"
    STRANDED = "stranded"


class FieldChange(Struct, frozen=True):
    """One field that differs, by its path in the manifest. None means: not there. A secret's values are never shown.

    `origin` is where the value that it shall have stands, where that is not in the block itself.
    """

    path: str
    before: JSON
    after: JSON
    secret: bool = False
    origin: Origin | None = None

    @property
    def shown(self) -> tuple[JSON, JSON]:
        """Before and after as they may be shown: for a secret only that there is one, and whether it changed."""
        if not self.secret:
            return self.before, self.after
        before = None if self.before is None else SECRET
        after = None if self.after is None else SECRET if self.before is None else SECRET_CHANGED
        return before, after


class Preview(Struct, frozen=True):
    """What a reviewer approves about a schedule, before and after: next runs (RFC 3339, local offset) and runs a day.

    Empty and None where the schedule does not run, or does not exist, on that side.
    """

    before_runs: tuple[str, ...] = ()
    after_runs: tuple[str, ...] = ()
    before_per_day: float | None = None
    after_per_day: float | None = None
    notes: tuple[str, ...] = ()


class Change(Struct, Generic[S_co], frozen=True):
    """One step of a plan. It holds no function and survives JSON.

    `before` and `after` are full states (None: absent); `basis` is the fingerprint of what was seen when deciding.
    `secrets` are the paths that are secret from now on: those declared, and those that were and may still be shown.
    """

    address: Address
    action: Action
    reason: Reason
    why: Why | None = None
    fields: tuple[FieldChange, ...] = ()
    before: S_co | None = None
    after: S_co | None = None
    identity: str = ""
    agent_path: str = ""
    agent_id: str = ""
    basis: str = ""
    needs: tuple[Address, ...] = ()
    origin: Origin | None = None
    preview: Preview | None = None
    secrets: tuple[str, ...] = ()


class BlockedResource(Struct, frozen=True):
    """A resource that the plan may not touch, and why."""

    address: Address
    reason: Reason
    why: Why
    origin: Origin | None = None


class Unmanaged(Struct, frozen=True, order=True):
    """A live schedule that is not ours: counted, never touched. `agent` is its handle, or its path if undeclared."""

    agent: str
    id: str


class Visibility(StrEnum):
    """How what we did can be seen again; the value is the word for what needs no change."""

    OBSERVED = "read"
    ATTESTED = "attested"
    STARTED_ONCE = "started"


class Unchanged(Struct, frozen=True, order=True):
    """What needs no change, of one kind. Of what no product shows, `first` and `last` are when it was accepted.

    Times are RFC 3339, "" for what was read. `nouns` are what one of them and several are
    called.
    """

    kind: str
    count: int
    first: str = ""
    last: str = ""
    visibility: Visibility = Visibility.OBSERVED
    nouns: tuple[str, ...] = ()


class Plan(Struct, frozen=True):
    """The changes that turn live into desired. Every tuple is sorted, so that equal input gives equal bytes."""

    project: str
    environment: str
    changes: tuple[Change, ...] = ()
    blocked: tuple[BlockedResource, ...] = ()
    unmanaged: tuple[Unmanaged, ...] = ()
    unchanged: int = 0
    warnings: tuple[Finding, ...] = ()
    owned_in_sight: int = 0
    filtered: bool = False
    unchanged_kinds: tuple[Unchanged, ...] = ()

    def count(self, action: Action) -> int:
        """How many changes take this action."""
        return sum(change.action is action for change in self.changes)

    @property
    def is_empty(self) -> bool:
        return not self.changes
