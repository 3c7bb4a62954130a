"""An hour that comes twice when daylight saving ends: what a schedule names in it, and three ways to run that.

ACC documents none of them. The predictions of this package are the first: once, the first time.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from datetime import datetime

from reconciler.timetable.expression import Expression
from reconciler.timetable.runs import times_between
from reconciler.timetable.timing import Timing
from reconciler.timetable.wallclock import ClockChange


@dataclass(frozen=True, slots=True)
class Repeats:
    """How often a schedule starts while the clock shows a repeated hour, both times taken together.

    `once`: what NCrontab does, and what is predicted; an hour of silence for a schedule that runs all the time.
    `twice`: every time that the clock shows it. `wildcards_twice`: as Cronos and Azure's timer do, in both hours where
    the expression has a wildcard, a range or a step in its times of day, and once where it names them.
    """

    once: int
    twice: int
    wildcards_twice: int

    def __add__(self, other: Repeats) -> Repeats:
        return Repeats(self.once + other.once, self.twice + other.twice, self.wildcards_twice + other.wildcards_twice)


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
