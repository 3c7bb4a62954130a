"""All starts of a schedule in a window, in whole seconds since 1970: a range where evenly spaced, else an array.

The same prediction as `runs`, made for thousands of schedules at once: what runs evenly is never written out.
"""

from __future__ import annotations

import functools
import itertools
from array import array
from bisect import bisect_left
from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from reconciler.timetable.expression import Expression
from reconciler.timetable.runs import iter_runs, runs_of_changing_day
from reconciler.timetable.timing import Timing
from reconciler.timetable.wallclock import clock_changes, instant_of, offset_at, offset_of, seconds_of

_DAY = 86400


def starts_between(timing: Timing, begin: int, end: int) -> Sequence[int]:
    """The instants at which a schedule starts, from `begin` up to, but not including, `end`; strictly rising.

    Empty for a zone whose rules are not known: nothing can be predicted there.
    """
    zone = timing.rules
    if zone is None or end <= begin:
        return ()
    expression = timing.expression
    if expression.whole_days:
        return _walked(timing, begin, end)
    start = instant_of(timing.start, zone)[0]
    if expression.interval is not None:
        step = int(expression.interval.total_seconds())
        return range(start + max(0, -((start - begin) // step)) * step, end, step)
    begin = max(begin, start)
    even = _even(expression)
    day_before = datetime.fromtimestamp(begin - _DAY, UTC)
    if even is not None and begin < end and not clock_changes(zone, day_before, (end - begin) // _DAY + 4):
        first, step = even
        # Times of day hang on the local clock, so the phase is that of local midnight.
        phase = (first - offset_at(begin, zone)) % step
        return range(begin + (phase - begin) % step, end, step)
    return _by_days(timing, zone, begin, end)


def count_between(starts: Sequence[int], begin: int, end: int) -> int:
    """How many of these starts lie from `begin` up to, but not including, `end`."""
    if isinstance(starts, range):  # bisect would be three times slower
        first, step = starts.start, starts.step
        low, high = max(begin, first), min(end, starts.stop)
        return (first - low) // step - (first - high) // step if low < high else 0
    return bisect_left(starts, end) - bisect_left(starts, begin)


def _walked(timing: Timing, begin: int, end: int) -> array[int]:
    """One run after the other, for what has few."""
    found = array("q")
    for run in iter_runs(timing, datetime.fromtimestamp(begin - 1, UTC)):
        instant = int(run.at.timestamp())
        if instant >= end:
            break
        found.append(instant)
    return found


def _by_days(timing: Timing, zone: ZoneInfo, begin: int, end: int) -> array[int]:
    """Day by day: all times of a day at once where the clock stands still, one by one on the days it is changed.

    A day's runs are those that it names, whenever they are due: a gap at its end moves them into the next day, so the
    day before the window is looked at as well.
    """
    expression = timing.expression
    times = _times(expression)
    found = array("q")
    if not times:
        return found
    first = datetime.fromtimestamp(begin, zone).date().toordinal()
    last = datetime.fromtimestamp(end, zone).date().toordinal()
    for day in range(first - 1, last + 1):
        midnight = datetime.fromordinal(day)
        if midnight.day in expression.days.in_month(midnight.year, midnight.month):
            offset = offset_of(midnight, zone)
            low = seconds_of(midnight) - offset
            after = found[-1] if found else begin - 1
            if offset != offset_of(datetime.fromordinal(day + 1), zone):
                runs = runs_of_changing_day(expression, zone, midnight, after)
                found.extend([instant for instant, _ in runs if instant < end])
            elif after < low and low + _DAY <= end:
                found.extend([low + second for second in times])
            elif day >= first:
                found.extend([low + second for second in times if after < low + second < end])
    return found


@functools.lru_cache(maxsize=4096)
def _times(expression: Expression) -> tuple[int, ...]:
    return tuple(
        hour * 3600 + minute * 60 + second
        for hour in expression.hours
        for minute in expression.minutes
        for second in expression.seconds
    )


@functools.lru_cache(maxsize=4096)
def _even(expression: Expression) -> tuple[int, int] | None:
    """The first time of day and the step of a cron expression that runs evenly round the clock, each day."""
    count = len(expression.hours) * len(expression.minutes) * len(expression.seconds)
    if count < 24 or expression.days.share != 1 or _DAY % count:
        return None
    times = _times(expression)
    step = _DAY // count
    if times[-1] - times[0] != _DAY - step or any(b - a != step for a, b in itertools.pairwise(times)):
        return None
    return times[0], step
