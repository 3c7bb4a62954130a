"""One sign for each action and status: for streams that carry it, for those that do not, and its colour."""

from __future__ import annotations

from reconciler.model.condition import DriftStatus, Health, Level
from reconciler.model.outcome import Status
from reconciler.model.plan import Action

ACTION_STYLE = {
    Action.CREATE: ("+", "+", "green"),
    Action.UPDATE: ("~", "~", "yellow"),
    Action.ENABLE: ("●", "*", "green"),
    Action.DISABLE: ("○", "o", "yellow"),
    Action.DELETE: ("-", "-", "red"),
    Action.UPLOAD: ("↑", "^", "cyan"),
    Action.APPROVE: ("✓", "v", "green"),
    Action.DISAPPROVE: ("✗", "x", "red"),
    Action.START: ("▸", ">", "magenta"),
    Action.ADOPT: ("=", "=", "dim"),
    Action.FORGET: ("·", ".", "dim"),
}

STATUS_STYLE = {
    Status.APPLIED: ("✓", "ok", "green"),
    Status.FAILED: ("✗", "x", "red"),
    Status.SKIPPED: ("·", "-", "yellow"),
    Status.UNKNOWN: ("?", "?", "alarm"),
    Status.UNVERIFIED: ("≠", "!", "alarm"),
    Status.STALE: ("↻", "!", "yellow"),
}

DRIFT_STYLE = {
    DriftStatus.IN_SYNC: ("✓", "=", "green"),
    DriftStatus.DRIFTED: ("≠", "~", "yellow"),
    DriftStatus.PENDING: ("○", "o", "cyan"),
    DriftStatus.DIVERGED: ("✗", "x", "alarm"),
    DriftStatus.MISSING: ("-", "-", "red"),
    DriftStatus.UNMANAGED: ("·", ".", "dim"),
    DriftStatus.UNVERIFIABLE: ("?", "?", "dim"),
    DriftStatus.UNREADABLE: ("!", "!", "alarm"),
}

HEALTH_STYLE = {
    Health.FAILING: ("✗", "x", "red"),
    Health.DISABLED: ("○", "o", "red"),
    Health.LATE: ("!", "!", "yellow"),
    Health.RUNNING_LONG: ("!", "!", "yellow"),
    Health.UNKNOWN: ("?", "?", "yellow"),
    Health.NEVER_RAN: ("·", ".", "dim"),
    Health.RUNNING: ("▸", ">", "cyan"),
    Health.OFF: ("·", ".", "dim"),
    Health.HEALTHY: ("✓", "v", "green"),
}

LEVEL_STYLE = {
    Level.OK: ("✓", "ok", "green"),
    Level.WARNING: ("!", "!", "yellow"),
    Level.FAILED: ("✗", "x", "red"),
}

UNSET_STYLE = ("·", ".", "dim")
BLOCKED_STYLE = ("!", "!", "alarm")
