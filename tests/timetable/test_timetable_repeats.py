"""An hour that comes twice: three ways to run it, each held against a clock on the wall in every Windows zone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import product
from zoneinfo import ZoneInfo

import pytest

from reconciler.timetable import Timing, findings, inexact_zone, parse, zones
from reconciler.timetable.runs import Repeats, repeats_of
from reconciler.timetable.timing import rules_of
from reconciler.timetable.wallclock import ClockChange, clock_changes
from reconciler.timetable.windows_zones import WINDOWS_ZONES
from reconciler.timetable.zones import RECENT_ZONES

BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
DAYS = 5 * 366
LONG_AGO = datetime(2000, 1, 1)
FIXED = ("0 30 1 * * *", "0 0,30 0,1,2,3,23 * * *", "0 15 2 ? * SUN", "0 0 0 * * *")
WILDCARDS = ("0 */5 * * * *", "0 30 * * * *", "0 0 0-3 * * *", "0 */30 1,2 * * *")


def shown(zone: ZoneInfo, change: ClockChange) -> Iterator[datetime]:
    """All that the clock shows around a repeated hour, every five minutes of real time; what comes twice, twice."""
    middle = change.begin.replace(tzinfo=zone).astimezone(UTC)
    for minutes in range(-180, 360, 5):
        yield (middle + timedelta(minutes=minutes)).astimezone(zone).replace(tzinfo=None, fold=0)


def expected(text: str, zone: ZoneInfo, change: ClockChange) -> Repeats | None:
    expression = parse(text)
    named = [
        local
        for local in shown(zone, change)
        if change.begin <= local < change.end
        and local.hour in expression.hours
        and local.minute in expression.minutes
        and local.day in expression.days.in_month(local.year, local.month)
    ]
    once, twice = len(set(named)), len(named)
    if not named:
        return None
    return Repeats(once, twice, twice if text in WILDCARDS else once)


def test_the_three_ways_in_every_zone(record_count: Callable[[str, int], None]) -> None:
    cases = 0
    for windows_id, text in product(sorted({*WINDOWS_ZONES, *RECENT_ZONES}), (*FIXED, *WILDCARDS)):
        zone = rules_of(windows_id)
        assert zone is not None
        timing = Timing(parse(text), LONG_AGO, windows_id)
        for change in clock_changes(zone, BEGIN, DAYS):
            if not change.repeats:
                assert repeats_of(timing, change) is None
                continue
            assert repeats_of(timing, change) == expected(text, zone, change), (windows_id, text, change)
            cases += 1
    assert cases > 1000
    record_count("repeated hours, in three ways each", cases)


def test_what_a_wildcard_is() -> None:
    assert [parse(text).has_wildcard_times for text in FIXED] == [False] * len(FIXED)
    assert [parse(text).has_wildcard_times for text in WILDCARDS] == [True] * len(WILDCARDS)
    assert not parse("0 30 2 ? * MON-FRI").has_wildcard_times, "days do not count"
    assert not parse("0 5 0 0").has_wildcard_times


@pytest.mark.parametrize(("text", "start"), [("0 15 0 0", "2025-01-01T00:00:00"), ("0 0 24 0", "2025-01-01T02:30:00")])
def test_intervals_in_real_time_know_no_repeated_hour(text: str, start: str) -> None:
    timing = Timing(parse(text), datetime.fromisoformat(start), "Australia/Sydney")
    assert timing.rules is not None
    assert {repeats_of(timing, change) for change in clock_changes(timing.rules, BEGIN, DAYS)} == {None}


def test_a_wildcard_in_a_repeated_hour_is_told_with_its_counts() -> None:
    found = dict(findings(Timing(parse("0 */5 * * * *"), LONG_AGO, "Australia/Sydney"), BEGIN))
    assert set(found) == {"dst-wildcard"}
    assert "2024-04-07 02:00 to 03:00 comes twice in AUS Eastern Standard Time" in found["dst-wildcard"]
    assert "predicted: 12 runs, the first time" in found["dst-wildcard"]
    assert "both hours makes 24" in found["dst-wildcard"]
    assert dict(findings(Timing(parse("0 */5 * * * *"), LONG_AGO, "UTC"), BEGIN)) == {}


def test_zones_are_inexact_exactly_where_their_clocks_differ(record_count: Callable[[str, int], None]) -> None:
    """Every IANA name against the zone that stands for its Windows id, hour by hour."""
    days, count = 200, 0
    for names in (*WINDOWS_ZONES.values(), *RECENT_ZONES.values()):
        for name in names.split():
            own, used = zones.zone_info(name), rules_of(name)
            if own is None or used is None or own is used:
                continue
            hours = (BEGIN + timedelta(hours=number) for number in range(0, days * 24, 3))
            differs = any(at.astimezone(own).utcoffset() != at.astimezone(used).utcoffset() for at in hours)
            told = inexact_zone(name, BEGIN.date().toordinal(), days)
            assert bool(told) == differs, (name, told)
            count += differs
    assert count > 3
    record_count("IANA names whose clock is not that of their Windows id", count)
