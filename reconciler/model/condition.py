"""How things stand: drift, health, and what `doctor` checks."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from reconciler.causes import Cause, Why
from reconciler.model.address import Address, Origin
from reconciler.model.live import Evidence
from reconciler.model.plan import FieldChange, Finding, Unchanged


class DriftStatus(StrEnum):
    """How live stands to what was last applied; in the order of the summary."""

    IN_SYNC = "in-sync"
    DRIFTED = "drifted"
    PENDING = "pending"
    DIVERGED = "diverged"
    MISSING = "missing"
    UNMANAGED = "unmanaged"
    UNVERIFIABLE = "unverifiable"
    UNREADABLE = "unreadable"

    @property
    def is_drift(self) -> bool:
        """Whether live is not as it was last applied, by somebody else's doing."""
        return self in (DriftStatus.DRIFTED, DriftStatus.DIVERGED, DriftStatus.MISSING)

    @property
    def needs_attention(self) -> bool:
        """Whether somebody should look: it drifted, or nobody knows."""
        return self.is_drift or self is DriftStatus.UNREADABLE


class DriftFinding(Struct, frozen=True):
    """One resource in the audit. `fields`: `before` is live, `after` what was declared.

    `unset` are fields that the manifest does not set, and that changed since the last apply: no drift. There `after` is
    what they were then.
    """

    address: Address
    status: DriftStatus
    evidence: Evidence
    fields: tuple[FieldChange, ...] = ()
    origin: Origin | None = None
    why: Why | None = None
    unset: tuple[FieldChange, ...] = ()


class Drift(Struct, frozen=True):
    """An audit. `unchanged` says how what needs no change is known; `warnings` are about no single resource."""

    project: str
    environment: str
    findings: tuple[DriftFinding, ...] = ()
    unchanged: tuple[Unchanged, ...] = ()
    warnings: tuple[Finding, ...] = ()


class Health(StrEnum):
    """Whether a resource does its work; from worst to best, as `status` sorts them."""

    FAILING = "failing"
    DISABLED = "disabled"
    LATE = "late"
    RUNNING_LONG = "running long"
    UNKNOWN = "unknown"
    NEVER_RAN = "never ran"
    RUNNING = "running"
    OFF = "off"
    HEALTHY = "healthy"

    @property
    def is_unhealthy(self) -> bool:
        """Whether somebody should look."""
        return self in (Health.FAILING, Health.DISABLED, Health.LATE, Health.RUNNING_LONG)


class ResourceStatus(Struct, frozen=True):
    """One row of `status`. Times are RFC 3339, "" where there is none; `predicted` is our own next run.

    `notes` are what a person should know, without what is secret. `in_doubt`: what happened has to be said by a person.
    """

    address: Address
    sync: DriftStatus
    health: Health
    last_run: str = ""
    next_run: str = ""
    predicted: str = ""
    notes: tuple[Why, ...] = ()
    in_doubt: bool = False

    @property
    def is_unhealthy(self) -> bool:
        """Whether somebody should look: also at a schedule that is gone, and at a start that nobody knows about."""
        if self.in_doubt:
            return True
        return self.health.is_unhealthy or self.sync is DriftStatus.MISSING

    @property
    def remark(self) -> Why | None:
        """The first note that is reason enough to look, however well the rest is; None where there is none."""
        return next((note for note in self.notes if note.cause in _REMARKS), None)

    @property
    def needs_attention(self) -> bool:
        """Whether somebody should look: it does not do its work, is not as it was applied, or is not known.

        What the next apply creates is not known to ACC yet, and nothing to look at.
        """
        is_to_come = self.sync is DriftStatus.PENDING and any(
            note.cause is Cause.ABSENT_FROM_ACC for note in self.notes
        )
        is_unknown = self.health is Health.UNKNOWN and not is_to_come
        return self.is_unhealthy or is_unknown or self.sync.needs_attention or self.remark is not None


_REMARKS = frozenset({Cause.NEXT_RUN_DISAGREES, Cause.RUNS_UNREAD})


class Level(StrEnum):
    """How a check of `doctor` came out."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


class Gauge(Struct, frozen=True):
    """The number that a check rests on, from `least` to `most`; good from `good_from` to `good_to`, both included."""

    value: float
    least: float
    most: float
    good_from: float
    good_to: float
    unit: str


class Check(Struct, frozen=True):
    """One line of `doctor`: what was looked at, what was found, and what to do. `gauge` where it is about a number."""

    name: str
    level: Level
    found: str
    next_step: str = ""
    gauge: Gauge | None = None
