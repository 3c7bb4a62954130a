"""The status of estates of any size: mostly healthy, with some of everything that needs a person."""

from __future__ import annotations

from render_estates import agent

from reconciler.causes import Cause, because
from reconciler.model.address import Address
from reconciler.model.condition import DriftStatus, Health, ResourceStatus

NOW = "2026-11-22T20:45:00Z"
_LAST, _NEXT = "2026-11-22T02:00:00+11:00", "2026-11-24T02:00:00+11:00"


def estate_status(count: int) -> tuple[ResourceStatus, ...]:
    """So many rows as `status` hands them over, worst first; the first of all is one that failed."""
    order = list(Health)
    rows = [_row(number) for number in range(count)]
    return tuple(sorted(rows, key=lambda row: (order.index(row.health), row.address)))


def _row(number: int) -> ResourceStatus:
    schedule = Address("schedule", agent(number), "nightly")
    match number % 25:
        case 0:
            said = f"GET https://shop.example/{agent(number)} answered 503 Service Unavailable"
            times = number // 25 % 3 + 2
            note = because(Cause.LAST_RUNS_FAILED, count=times, since="2026-11-19T02:00:00+11:00", said=said)
            return ResourceStatus(schedule, DriftStatus.IN_SYNC, Health.FAILING, _LAST, _NEXT, _NEXT, (note,))
        case 3:
            note = because(Cause.DISABLED_THOUGH_DEFAULT)
            return ResourceStatus(schedule, DriftStatus.DRIFTED, Health.DISABLED, _LAST, notes=(note,))
        case 5:
            note = because(Cause.RUN_MISSED, at=f"2026-11-22T0{number % 9}:00:00+11:00")
            return ResourceStatus(schedule, DriftStatus.IN_SYNC, Health.LATE, _LAST, _NEXT, _NEXT, (note,))
        case 7:
            note = because(Cause.NEXT_RUN_DISAGREES, served=_NEXT, predicted="2026-11-24T03:00:00+11:00")
            ours = "2026-11-24T03:00:00+11:00"
            return ResourceStatus(schedule, DriftStatus.IN_SYNC, Health.HEALTHY, _LAST, _NEXT, ours, (note,))
        case 9:
            trigger = Address("trigger", "", f"publish-{agent(number)}")
            note = because(Cause.LAST_START_IN_DOUBT, address=trigger)
            at = "2026-11-22T20:02:11Z"
            return ResourceStatus(trigger, DriftStatus.IN_SYNC, Health.UNKNOWN, at, notes=(note,), in_doubt=True)
        case 11:
            return ResourceStatus(schedule, DriftStatus.MISSING, Health.NEVER_RAN)
        case 13:
            return ResourceStatus(schedule, DriftStatus.UNREADABLE, Health.UNKNOWN)
        case 15:
            return ResourceStatus(schedule, DriftStatus.PENDING, Health.OFF)
    return ResourceStatus(schedule, DriftStatus.IN_SYNC, Health.HEALTHY, _LAST, _NEXT, _NEXT)
