"""When a schedule runs next, how often, and what a change of the clock does to that: predicted from the text alone.

Assumed where ACC is silent: no run before the start, the start itself is the first run of an interval; intervals of
days keep their time on the clock, all others count real time; daylight saving as in `wallclock`.
"""

from __future__ import annotations

import functools
import itertools
from bisect import bisect_left
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from msgspec import Struct

from reconciler.timetable.expression import Expression
from reconciler.timetable.timing import Timing
from reconciler.timetable.wallclock import ClockChange, Note, instant_of, local_at, offset_of, seconds_of, whole_second

_LAST_YEAR = 9990


class Run(NamedTuple):
    """One predicted run: an aware time in the schedule's zone, and what daylight saving did to it, if anything."""

    at: datetime
    note: Note = ""


class Repeats(Struct, frozen=True):
    """How often a schedule starts while the clock shows a repeated hour, both times taken together, by three ways.

    ACC documents none. `once`: what NCrontab does, and is predicted; an hour of silence for what runs all the time.
    `twice`: every time that the clock shows it. `wildcards_twice`: as Cronos and Azure's timer do, in both hours where
    the expression has a wildcard, a range or a step in its times of day, and once where it names them.
    """

    once: int
    twice: int
    wildcards_twice: int

    def __add__(self, other: Repeats) -> Repeats:
        return Repeats(self.once + other.once, self.twice + other.twice, self.wildcards_twice + other.wildcards_twice)


def next_runs(timing: Timing, after: datetime, count: int) -> tuple[Run, ...]:
    """The first `count` runs after an aware instant, none before the start.

    Fewer when the expression never fires or the calendar ends. Empty too for a zone whose rules are not known
    (`Timing.rules` is None): then nothing can be predicted, and `findings` says so.
    """
    return tuple(itertools.islice(iter_runs(timing, after), count))


def iter_runs(timing: Timing, after: datetime) -> Iterator[Run]:
    """All runs after an aware instant, one by one, strictly in order. It need not end: stop when you have enough."""
    floor = whole_second(after)
    zone = timing.rules
    if zone is None:
        return iter(())
    if timing.expression.interval is not None:
        return _interval_runs(timing, zone, timing.expression.interval, floor)
    start = instant_of(timing.start, zone)[0]
    return _cron_runs(timing.expression, zone, max(floor, start - 1))


def runs_per_day(expression: Expression) -> float:
    """How often an expression runs on an average day: exact over the 400 years after which the calendar repeats."""
    if expression.interval is not None:
        return 86400 / expression.interval.total_seconds()
    return len(expression.seconds) * len(expression.minutes) * len(expression.hours) * expression.days.share


def same_start(a: Timing, b: Timing, as_of: datetime) -> bool:
    """Whether two starts make no difference after an aware moment, given that expression and zone agree.

    Intervals: the same phase and the same first run. Cron: starts that have passed make none; otherwise the first
    run decides.
    """
    if a.start == b.start:
        return True
    if a.expression.is_interval and phase(a) != phase(b):
        return False
    zone = a.rules
    if zone is None:
        # Nobody knows when it is what time there; a day and a bit covers every offset there is.
        threshold = whole_second(as_of) - 26 * 3600
        return seconds_of(a.start) <= threshold and seconds_of(b.start) <= threshold
    now = whole_second(as_of)
    if instant_of(a.start, zone)[0] <= now and instant_of(b.start, zone)[0] <= now:
        return True
    first, second = ([run.at.timestamp() for run in next_runs(each, as_of, 1)] for each in (a, b))
    return first == second


def phase(timing: Timing) -> str:
    """What of a start matters for good, as a text without a clock: its remainder by the interval; "" for cron.

    Whole days: the day within the cycle and the time on the clock. Other intervals: seconds of real time.
    """
    expression = timing.expression
    if expression.interval is None:
        return ""
    if days := expression.whole_days:
        return f"day {timing.start.toordinal() % days} of {days} at {timing.start:%H:%M:%S}"
    step = int(expression.interval.total_seconds())
    zone = timing.rules
    if zone is None:
        return f"second {seconds_of(timing.start) % step} of {step} on its clock"
    return f"second {instant_of(timing.start, zone)[0] % step} of {step}"


def times_between(expression: Expression, begin: datetime, end: datetime) -> Iterator[datetime]:
    """The naive local times that a cron expression names from `begin` up to, but not including, `end`."""
    day = begin.date()
    while day <= end.date():
        if day.day in expression.days.in_month(day.year, day.month):
            midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - local on purpose
            for second in _times_of_day(expression, max(0, seconds_of(begin) - seconds_of(midnight))):
                moment = midnight + timedelta(seconds=second)
                if moment >= end:
                    return
                yield moment
        day += timedelta(days=1)


def repeats_of(timing: Timing, change: ClockChange) -> Repeats | None:
    """What a schedule makes of a repeated hour; None where the three ways do not differ for it."""
    if not change.repeats or not (count := named_within(timing, change)[1]):
        return None
    return Repeats(count, 2 * count, 2 * count if timing.expression.has_wildcard_times else count)


def named_within(timing: Timing, change: ClockChange) -> tuple[datetime | None, int]:
    """The first of the local times that a schedule names among those of a clock change, and how many there are.

    None for intervals that count real time: no change of a clock touches them.
    """
    expression = timing.expression
    begin = max(change.begin, timing.start)
    if not expression.is_interval:
        return _named(expression, begin, change.end)
    for day in (change.begin, change.end) if expression.whole_days else ():
        local = datetime.combine(day.date(), timing.start.time())
        on_phase = (local.toordinal() - timing.start.toordinal()) % expression.whole_days == 0
        if on_phase and begin <= local < change.end:
            return local, 1
    return None, 0


@functools.lru_cache(maxsize=4096)
def _named(expression: Expression, begin: datetime, end: datetime) -> tuple[datetime | None, int]:
    found = list(times_between(expression, begin, end))
    return (found[0], len(found)) if found else (None, 0)


def _interval_runs(timing: Timing, zone: ZoneInfo, length: timedelta, floor: int) -> Iterator[Run]:
    step, days = int(length.total_seconds()), timing.expression.whole_days
    start, note = instant_of(timing.start, zone)
    # Days begin two days early, so that no offset and no gap can hide a run; what is too early is dropped below.
    first = (floor - start - 2 * 86400) // step if days else (floor - start) // step + 1
    for number in itertools.count(max(0, first)):
        try:
            if days:
                instant, note = instant_of(timing.start + timedelta(days=days * number), zone)
            else:
                instant, note = start + number * step, note if number == 0 else ""
            at = local_at(instant, zone)
        except OverflowError:
            return
        if instant > floor:
            yield Run(at, note)


def _cron_runs(expression: Expression, zone: ZoneInfo, floor: int) -> Iterator[Run]:
    """Walk the days that match; only on days of a clock change does each time need a look of its own."""
    try:
        local = local_at(floor, zone)
    except OverflowError:
        return
    first_day = local.toordinal()
    for day in _days_from(expression, local.date()):
        midnight = datetime.fromordinal(day)
        offset = offset_of(midnight, zone)
        if offset != offset_of(datetime.fromordinal(day + 1), zone):
            for instant, note in runs_of_changing_day(expression, zone, midnight, floor):
                floor = instant
                yield Run(local_at(instant, zone), note)
            continue
        base = seconds_of(midnight) - offset
        for second in _times_of_day(expression, max(0, floor + 1 - base) if day == first_day else 0):
            if base + second > floor:
                hour, rest = divmod(second, 3600)
                yield Run(midnight.replace(hour=hour, minute=rest // 60, second=rest % 60, tzinfo=zone))


def runs_of_changing_day(
    expression: Expression, zone: ZoneInfo, midnight: datetime, floor: int
) -> Iterator[tuple[int, Note]]:
    """What a day on which the clock changes names, and when that is due; after an instant, in order.

    Times that fall together run once. A gap at the end of the day moves its runs to the beginning of the next.
    """
    pending: tuple[int, Note] | None = None
    for second in _times_of_day(expression, 0):
        instant, note = instant_of(midnight + timedelta(seconds=second), zone)
        if instant <= floor:
            continue
        if pending is not None and pending[0] != instant:
            yield pending
        # A time that was skipped adds nothing where the expression names the moment after the gap itself.
        pending = (instant, note)
    if pending is not None:
        yield pending


def _days_from(expression: Expression, first: date) -> Iterator[int]:
    """The ordinals of the days that match, from a day on; ends when no day ever matches."""
    begin, is_found = first.toordinal(), False
    for number in range(12 * first.year + first.month - 1, 12 * _LAST_YEAR + 12):
        year, month = number // 12, number % 12 + 1
        # A leap day on one weekday is up to 40 years away. So after some fruitless years ask whether there is any.
        if not is_found and year == first.year + 10 and month == 1 and not expression.days.share:
            return
        base = date(year, month, 1).toordinal() - 1
        for day in expression.days.in_month(year, month):
            is_found = True
            if base + day >= begin:
                yield base + day


def _times_of_day(expression: Expression, begin: int) -> Iterator[int]:
    """The times of day that match, as seconds from midnight, from `begin` on."""
    hours, minutes, seconds = expression.hours, expression.minutes, expression.seconds
    begin_hour, begin_minute, begin_second = begin // 3600, begin // 60 % 60, begin % 60
    for hour in hours[bisect_left(hours, begin_hour) :]:
        at_first_hour = hour == begin_hour
        for minute in minutes[bisect_left(minutes, begin_minute) :] if at_first_hour else minutes:
            base = hour * 3600 + minute * 60
            at_first_minute = at_first_hour and minute == begin_minute
            for second in seconds[bisect_left(seconds, begin_second) :] if at_first_minute else seconds:
                yield base + second
