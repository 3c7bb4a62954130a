"""Around every clock change of every Windows zone, all ways to predict agree with a person who watches the clock.

The person looks every five minutes: what the clock jumps over is due at once, what it shows a second time is not due
again. `next_runs` goes from run to run; the calendar takes whole days at once.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import product, takewhile
from zoneinfo import ZoneInfo

import pytest

from reconciler.timetable import Expression, Timing, iter_runs, parse
from reconciler.timetable.instants import count_between, starts_between
from reconciler.timetable.timing import rules_of
from reconciler.timetable.windows_zones import WINDOWS_ZONES
from reconciler.timetable.zones import RECENT_ZONES

YEARS = (2022, 2031)
"""From which year on, and up to which."""

STEP = 300
BEFORE, AFTER = 30 * 3600, 26 * 3600
"""How long before and after a change the clock is watched."""

LONG_AGO = datetime(2000, 1, 1)
EXPRESSIONS = (
    *("0 30 23 * * *", "0 0 0 * * *", "0 15 0 * * *", "0 30 1 * * *", "0 30 2 * * *", "0 0 3 * * *"),
    *("0 */15 * * * *", "0 5 * * * *", "0 0,30 0,1,2,3,22,23 * * *", "0 55 23 ? * SAT,SUN"),
)
DAY_STARTS = ((1, 23, 30), (1, 0, 0), (2, 1, 30), (1, 2, 30))
"""Intervals of days, and the time of day at which they run."""

GROUPS = 8


def every_zone() -> list[str]:
    return sorted({*WINDOWS_ZONES, *RECENT_ZONES})


def offset(instant: int, zone: ZoneInfo) -> int:
    found = datetime.fromtimestamp(instant, zone).utcoffset()
    assert found is not None
    return int(found.total_seconds())


def changes_of(zone: ZoneInfo) -> Iterator[int]:
    """The first instant of each new offset; found by looking at noon and midnight, and then every five minutes."""
    begin, end = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in YEARS)
    before = offset(begin, zone)
    for half in range(begin, end, 43200):
        if offset(half + 43200, zone) != before:
            change = next(at for at in range(half + STEP, half + 43201, STEP) if offset(at, zone) != before)
            assert offset(change - 1, zone) == before, "it falls between two looks"
            yield change
            before = offset(change, zone)


class Watch:
    """The clock on the wall of one zone around one change."""

    def __init__(self, zone: ZoneInfo, change: int) -> None:
        self.begin, self.end = change - BEFORE, change + AFTER
        self.due_at: dict[datetime, int] = {}
        """When what is named for a time on the wall is due."""
        shown = self.begin + offset(self.begin, zone) - STEP
        for instant in range(self.begin, self.end, STEP):
            wall = instant + offset(instant, zone)
            while shown < wall:
                shown += STEP
                self.due_at[datetime.fromtimestamp(shown, UTC).replace(tzinfo=None)] = instant
        self.days = sorted({wall.date() for wall in self.due_at})

    def due(self, named: Iterable[datetime]) -> list[int]:
        """When these start; what falls together starts once."""
        return sorted({self.due_at[wall] for wall in named if wall in self.due_at})

    def of_cron(self, expression: Expression) -> list[int]:
        return self.due(
            datetime(day.year, day.month, day.day, hour, minute)
            for day, hour, minute in product(self.days, expression.hours, expression.minutes)
            if day.day in expression.days.in_month(day.year, day.month)
        )

    def of_days(self, start: datetime, step: int) -> list[int]:
        return self.due(start + timedelta(days=number) for number in range(0, 10, step))

    def windows(self, change: int) -> tuple[tuple[int, int], ...]:
        """Stretches that begin and end at, beside and far from the change."""
        first, last = self.begin, self.end
        near = ((change - 3600, change + 3600), (change - STEP, change + STEP), (change, change + STEP))
        return ((first, last), (first, change), (first, change + 1), (change, last), (change + 1, last), *near)


def check(timing: Timing, watch: Watch, change: int, expected: Sequence[int]) -> int:
    """Hold both predictions against what was watched; returns how many comparisons that were."""
    runs = iter_runs(timing, datetime.fromtimestamp(watch.begin - 1, UTC))
    one_by_one = takewhile(lambda instant: instant < watch.end, (int(run.at.timestamp()) for run in runs))
    assert list(one_by_one) == expected
    windows = watch.windows(change)
    for begin, end in windows:
        within = expected[bisect_left(expected, begin) : bisect_left(expected, end)]
        found = starts_between(timing, begin, end)
        assert list(found) == within, (timing.expression.text, timing.zone, begin - change, end - change)
        assert count_between(found, begin, end) == len(within)
    return len(windows) + 1


@pytest.mark.parametrize("group", range(GROUPS))
def test_around_every_change_of_every_zone(group: int, record_count: Callable[[str, int], None]) -> None:
    cases = changes = 0
    for windows_id in every_zone()[group::GROUPS]:
        zone = rules_of(windows_id)
        assert zone is not None, windows_id
        found = list(changes_of(zone))
        changes += len(found)
        for change in found or [int(datetime(2026, 3, 29, 1, tzinfo=UTC).timestamp())]:
            watch = Watch(zone, change)
            for text in EXPRESSIONS:
                timing = Timing(parse(text), LONG_AGO, windows_id)
                cases += check(timing, watch, change, watch.of_cron(timing.expression))
            first = datetime.fromtimestamp(watch.begin, UTC).replace(tzinfo=None) - timedelta(days=3)
            for step, hour, minute in DAY_STARTS:
                start = first.replace(hour=hour, minute=minute)
                timing = Timing(parse(f"0 0 0 {step}"), start, windows_id)
                cases += check(timing, watch, change, watch.of_days(start, step))
    assert changes > 20
    record_count("clock changes, those of all Windows zones", changes)
    record_count("predictions held against a clock on the wall", cases)


def test_a_gap_that_ends_at_midnight() -> None:
    """Greenland skips the last hour of 2026-03-28: what is named in it runs as the next day begins."""
    timing = Timing(parse("0 30 23 * * *"), LONG_AGO, "Greenland Standard Time")
    zone = timing.rules
    assert zone is not None
    day, midnight, end = (int(datetime(2026, 3, number, tzinfo=zone).timestamp()) for number in (28, 29, 30))
    assert midnight - day == 23 * 3600
    assert list(starts_between(timing, day, end)) == [midnight, end - 1800]
    assert list(starts_between(timing, midnight, midnight + 1)) == [midnight]
    assert list(starts_between(timing, day, midnight)) == []
    both = Timing(parse("0 0,30 0,23 * * *"), LONG_AGO, "Greenland Standard Time")
    assert list(starts_between(both, day, midnight + 1800)) == [day, day + 1800, midnight], "together, they run once"
