"""Between a clock on the wall and instants: seconds since 1970 in UTC, and what daylight saving does to a local time.

Prediction, since ACC documents neither: a local time that is skipped runs at the next valid instant, and one that comes
twice runs once, the first time.
"""

from __future__ import annotations

import functools
import math
from datetime import UTC, datetime, timedelta
from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo

from msgspec import Struct

Note: TypeAlias = Literal["", "skipped-hour", "repeated-hour"]

_EPOCH_DAY = datetime(1970, 1, 1).toordinal()  # noqa: DTZ001 - an ordinal has no zone


class ClockChange(Struct, frozen=True):
    """A change of a zone's clock: local times from `begin` up to `end` are skipped, or come twice (`repeats`).

    `instant` is when it is changed, in seconds since 1970.
    """

    instant: int
    begin: datetime
    end: datetime
    repeats: bool


def seconds_of(local: datetime) -> int:
    """A naive time as seconds since 1970, as if it were UTC. Fractions of a second are dropped."""
    day = local.toordinal() - _EPOCH_DAY
    return day * 86400 + local.hour * 3600 + local.minute * 60 + local.second


def whole_second(moment: datetime) -> int:
    """The last whole second up to an aware moment, since 1970. Raises ValueError for a naive one."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment} names no instant: it has no zone")
    return math.floor(moment.timestamp())


def offset_of(local: datetime, zone: ZoneInfo) -> int:
    """The offset from UTC that a naive local time has there, in seconds; `fold` counts."""
    offset = zone.utcoffset(local)
    return int(offset.total_seconds()) if offset is not None else 0


def instant_of(local: datetime, zone: ZoneInfo) -> tuple[int, Note]:
    """When a naive local time happens: seconds since 1970, and what daylight saving makes of it."""
    wall = seconds_of(local)
    first = offset_of(local.replace(fold=0), zone)
    second = offset_of(local.replace(fold=1), zone)
    if first == second:
        return wall - first, ""
    if first > second:
        return wall - first, "repeated-hour"
    return _change_between(wall - second, wall - first, first, zone), "skipped-hour"


def local_at(instant: int, zone: ZoneInfo) -> datetime:
    """The aware local time of an instant. Raises OverflowError outside the years 1 to 9999."""
    try:
        return datetime.fromtimestamp(instant, zone)
    except (ValueError, OSError) as error:
        raise OverflowError(f"{instant} is outside the calendar") from error


def clock_changes(zone: ZoneInfo, begin: datetime, days: int) -> tuple[ClockChange, ...]:
    """The clock changes of a zone within so many days of an aware instant, in order."""
    return _changes_on(zone, begin.astimezone(UTC).date().toordinal(), days)


@functools.lru_cache(maxsize=512)
def _changes_on(zone: ZoneInfo, first_day: int, days: int) -> tuple[ClockChange, ...]:
    found: list[ClockChange] = []
    start = (first_day - _EPOCH_DAY) * 86400
    before = offset_at(start, zone)
    for day in range(1, days + 1):
        after = offset_at(start + 86400 * day, zone)
        if after != before:
            at = _change_between(start + 86400 * (day - 1), start + 86400 * day, before, zone)
            low, high = sorted((at + before, at + after))
            naive = datetime(1970, 1, 1)  # noqa: DTZ001 - local times on purpose
            begin, end = naive + timedelta(seconds=low), naive + timedelta(seconds=high)
            found.append(ClockChange(at, begin, end, repeats=after < before))
        before = after
    return tuple(found)


def offset_at(instant: int, zone: ZoneInfo) -> int:
    """The offset from UTC at an instant, in seconds."""
    offset = local_at(instant, zone).utcoffset()
    return int(offset.total_seconds()) if offset is not None else 0


def _change_between(before: int, after: int, offset: int, zone: ZoneInfo) -> int:
    """The first instant after `before`, and not after `after`, at which the offset is no longer `offset`."""
    while after - before > 1:
        middle = (before + after) // 2
        if offset_at(middle, zone) == offset:
            before = middle
        else:
            after = middle
    return after
