"""Short names of schedules: readable, valid, and true to when they run."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from test_timetable_oracles import month_fields, plain_fields, times, week_fields

from reconciler.timetable import Timing, next_runs, parse, parse_every, short_name

MONDAY = datetime(2026, 1, 5, 15, 36)
VALID = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}")
FROM = datetime(2026, 3, 1, tzinfo=UTC)
days = st.one_of(plain_fields(1, 31), st.sampled_from(["?", "L", "LW", "15W", "L,15", "1W,LW"]))
weekdays = st.one_of(week_fields, st.sampled_from(["?", "5L", "1#3", "MON-FRI", "SAT,SUN", "1L,5L", "1#1,1#3"]))
expressions = st.one_of(
    st.tuples(times, days, month_fields, weekdays).map(" ".join),
    st.tuples(*[st.integers(0, 400)] * 4).filter(any).map(lambda amounts: " ".join(map(str, amounts))),
)


def name(text: str, start: datetime = MONDAY) -> str:
    return short_name(Timing(parse(text), start, "UTC"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0 30 2 * * *", "daily-0230"),
        ("7 30 2 * * *", "daily-023007"),
        ("0 0 2,14 * * *", "daily-0200-1400"),
        ("0 15 0 0", "every-15m"),
        ("0 */15 * * * *", "every-15m"),
        ("*/10 * * * * *", "every-10s"),
        ("0 0 9 * * MON-FRI", "weekdays-0900"),
        ("0 0 9 ? * SAT,SUN", "weekends-0900"),
        ("0 0 6 * * 1", "mondays-0600"),
        ("0 0 6 * * 1,3,5", "mon-wed-fri-0600"),
        ("0 0 6 * * 2-6", "tue-to-sat-0600"),
        ("0 0 6 * * 0-6", "daily-0600"),
        ("0 0 * * * *", "hourly"),
        ("0 0 1 0", "hourly"),
        ("0 60 0 0", "hourly"),
        ("0 15 * * * *", "hourly-at-15"),
        ("0 0 8-18 * * 1-5", "weekdays-hourly-from-08-to-18"),
        ("0 */15 9-17 * * 1-5", "weekdays-every-15m-from-09-to-17"),
        ("0 5 */6 * * *", "every-6h-at-05"),
        ("0 0 2,8,14,20 * * *", "every-6h-from-02"),
        ("0 5 2,4,6,8,11 * * *", "daily-5-times"),
        ("0 0 3 1 * *", "monthly-1-0300"),
        ("0 0 3 1,15 * *", "monthly-1-15-0300"),
        ("0 0 3 L * ?", "monthly-last-0300"),
        ("0 0 3 LW * ?", "monthly-last-weekday-0300"),
        ("0 0 3 15W * ?", "monthly-weekday-near-15-0300"),
        ("0 0 3 ? * 5L", "monthly-last-friday-0300"),
        ("0 0 3 ? * 5#3", "monthly-third-friday-0300"),
        ("0 0 3 1 1,4,7,10 *", "quarterly-1-0300"),
        ("0 0 3 1 1 *", "yearly-jan-1-0300"),
        ("0 0 3 * 6-8 *", "daily-in-jun-to-aug-0300"),
        ("0 0 3 * 6-8 MON-FRI", "weekdays-in-jun-to-aug-0300"),
        ("0 0 3 1-7 * 1", "some-days-0300"),
        ("0 0 3 1,3,5,7,9 * *", "some-days-0300"),
        ("0 0 0 1", "daily-1536"),
        ("0 0 0 7", "mondays-1536"),
        ("0 0 0 3", "every-3d-1536"),
        ("0 0 36 0", "every-36h"),
        ("30 5 0 0", "every-5m-30s"),
    ],
)
def test_a_name_says_when_it_runs(text: str, expected: str) -> None:
    assert name(text) == expected


@given(expressions, st.datetimes(datetime(2000, 1, 1), datetime(2040, 1, 1)))
def test_every_expression_has_a_valid_name(text: str, start: datetime) -> None:
    assert VALID.fullmatch(name(text, start.replace(microsecond=0)))


@given(expressions, expressions)
def test_what_means_the_same_is_called_the_same(one: str, other: str) -> None:
    for text in (other, one.lower(), f" {one}  ", one.replace("?", "*")):
        if parse(text) == parse(one):
            assert name(text) == name(one)


@given(expressions, st.datetimes(datetime(2000, 1, 1), datetime(2026, 1, 1)))
def test_a_name_never_says_what_is_not_so(text: str, start: datetime) -> None:
    timing = Timing(parse(text), start.replace(microsecond=0), "UTC")
    said = short_name(timing)
    runs = [run.at for run in next_runs(timing, FROM, 12)]
    assume(len(runs) > 1)
    if match := re.fullmatch(r"every-(\d+)([smh])", said):
        unit = {"s": "seconds", "m": "minutes", "h": "hours"}[match[2]]
        assert {later - earlier for earlier, later in pairwise(runs)} == {timedelta(**{unit: int(match[1])})}
    if said == "hourly":
        assert {later - earlier for earlier, later in pairwise(runs)} == {timedelta(hours=1)}
    kind = said.split("-", 1)[0]
    weekday = {
        "weekdays": {0, 1, 2, 3, 4},
        "weekends": {5, 6},
        **{f"{day}s": {number} for number, day in enumerate(["monday", "tuesday", "wednesday", "thursday", "friday"])},
    }.get(kind)
    if weekday is not None:
        assert {run.weekday() for run in runs} <= weekday
    if match := re.fullmatch(r"monthly-(\d+)-(\d{4})", said):
        assert {(run.day, f"{run:%H%M}") for run in runs} == {(int(match[1]), match[2])}
    if match := re.fullmatch(r"daily-(\d{4})", said):
        assert {f"{run:%H%M}" for run in runs} == {match[1]}
        assert {later - earlier for earlier, later in pairwise(runs)} == {timedelta(days=1)}


def test_an_interval_of_days_keeps_the_clock_of_its_own_zone() -> None:
    timing = Timing(parse_every("1d"), datetime(2026, 1, 1, 2, 30), "Australia/Sydney")
    assert short_name(timing) == "daily-0230"
