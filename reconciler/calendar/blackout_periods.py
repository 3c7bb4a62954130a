"""Times in which nothing should run: when they are, and what runs inside them all the same."""

from __future__ import annotations

from bisect import bisect_left
from datetime import UTC, datetime
from fnmatch import fnmatchcase

from msgspec import Struct

from reconciler.model.project import Blackout
from reconciler.quantities import times_text
from reconciler.timetable.expression import parse
from reconciler.timetable.instants import count_between, starts_between
from reconciler.timetable.timing import Timing, rules_of
from reconciler.timetable.wallclock import instant_of

HORIZON_DAYS = 28
"""How far ahead a repeating blackout is looked at. One with dates of its own is looked at to its end."""

_LONG_AGO = datetime(1970, 1, 1)  # noqa: DTZ001 - local on purpose


class ComingBlackout(Struct, frozen=True):
    """A blackout and what of it is still to come: seconds since 1970, in order, none touching the next."""

    blackout: Blackout
    periods: tuple[tuple[int, int], ...]

    def covers(self, address: str) -> bool:
        """Whether its selectors leave this address."""
        only, exclude = self.blackout.only or ("*",), self.blackout.exclude
        is_meant = any(fnmatchcase(address, pattern) for pattern in only)
        return is_meant and not any(fnmatchcase(address, pattern) for pattern in exclude)


class Inside(Struct, frozen=True):
    """Runs inside a blackout: how many, and when the first one starts (seconds since 1970)."""

    times: int
    first: int


def coming(blackout: Blackout, as_of: datetime) -> ComingBlackout:
    """What of a blackout is still to come after an aware moment. A zone without known rules has no periods."""
    now = int(as_of.timestamp())
    zone = rules_of(blackout.time_zone)
    periods: list[tuple[int, int]] = []
    if zone is not None and blackout.period is not None:
        begin, end = (instant_of(local, zone)[0] for local in blackout.period)
        periods = [(max(now, begin), end)] if end > now else []
    elif zone is not None:
        length = max(1, int(blackout.duration_seconds))
        timing = Timing(parse(blackout.cron), _LONG_AGO, blackout.time_zone)
        for begin in starts_between(timing, now - length + 1, now + HORIZON_DAYS * 86400):
            # What goes on without a gap is one period, so that no run is counted twice.
            first = periods.pop()[0] if periods and begin <= periods[-1][1] else max(now, begin)
            periods.append((first, begin + length))
    return ComingBlackout(blackout, tuple(periods))


def runs_inside(timing: Timing, blackout: ComingBlackout) -> Inside | None:
    """What a timing starts inside the coming periods of a blackout; None for nothing."""
    if not blackout.periods:
        return None
    starts = starts_between(timing, blackout.periods[0][0], blackout.periods[-1][1])
    times, first = 0, None
    for begin, end in blackout.periods:
        if number := count_between(starts, begin, end):
            first = starts[bisect_left(starts, begin)] if first is None else first
            times += number
    return None if first is None else Inside(times, first)


def inside_text(blackout: Blackout, inside: Inside, timing: Timing) -> str:
    """What a person is told: how often, inside what, and when for the first time on the schedule's own clock."""
    first = datetime.fromtimestamp(inside.first, timing.rules or UTC)
    return f"runs {times_text(inside.times)} inside the blackout {blackout.name!r}, first at {first.isoformat()}"
