"""Blackouts: when they are, and that exactly the runs inside them are counted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import takewhile

import pytest
from calendar_samples import AS_OF, job
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.calendar.blackout_periods import HORIZON_DAYS, ComingBlackout, Inside, coming, inside_text, runs_inside
from reconciler.model.copies import replace
from reconciler.model.project import Blackout
from reconciler.timetable import iter_runs
from reconciler.timetable.timing import Timing

SYDNEY = Blackout("freeze", "Australia/Sydney")


def dated(begin: str, end: str, zone: str = "Australia/Sydney") -> Blackout:
    period = (datetime.fromisoformat(begin), datetime.fromisoformat(end))
    return Blackout("freeze", zone, period=period)


def moments(timing: Timing, begin: int, end: int) -> list[int]:
    runs = (int(run.at.timestamp()) for run in iter_runs(timing, datetime.fromtimestamp(begin - 1, UTC)))
    return list(takewhile(lambda instant: instant < end, runs))


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(["0 0 2 * * *", "0 */20 8-18 * * MON-FRI", "0 0 0 L * ?", "15m", "1d", "30s"]),
    st.sampled_from(["UTC", "Australia/Sydney", "Europe/Berlin"]),
    st.sampled_from(["0 0 20 * * *", "0 0 22 * * FRI", "0 0 */6 * * *", "0 0 0 L * ?"]),
    st.sampled_from([60, 3600, 8 * 3600, 40 * 3600]),
)
def test_every_run_inside_is_counted_once(rhythm: str, zone: str, cron: str, seconds: int) -> None:
    timing = job("schedule/a/b", rhythm, zone=zone).timing
    found = coming(replace(SYDNEY, cron=cron, duration_seconds=seconds), AS_OF)
    now = int(AS_OF.timestamp())
    begins = moments(job("schedule/x/y", cron).timing, now - seconds + 1, now + HORIZON_DAYS * 86400)
    inside = [
        instant
        for instant in moments(timing, now, now + (HORIZON_DAYS + 2) * 86400)
        if any(begin <= instant < begin + seconds for begin in begins)
    ]
    told = runs_inside(timing, found)
    assert (told.times, told.first) == (len(inside), inside[0]) if told else not inside


def test_dates_hang_on_the_clock_of_the_blackout() -> None:
    found = coming(dated("2026-12-24T00:00:00", "2027-01-02T00:00:00"), AS_OF)
    assert found.periods == (
        (
            int(datetime(2026, 12, 23, 13, tzinfo=UTC).timestamp()),
            int(datetime(2027, 1, 1, 13, tzinfo=UTC).timestamp()),
        ),
    )


def test_the_end_is_no_longer_inside_and_the_begin_is() -> None:
    found = coming(dated("2026-12-24T02:00:00", "2026-12-25T02:00:00"), AS_OF)
    timing = job("schedule/a/b", "0 0 2 * * *").timing
    first = int(datetime(2026, 12, 23, 15, tzinfo=UTC).timestamp())
    assert runs_inside(timing, found) == Inside(1, first)
    assert inside_text(found.blackout, Inside(1, first), timing) == (
        "runs once inside the blackout 'freeze', first at 2026-12-24T02:00:00+11:00"
    )


def test_what_has_passed_is_of_no_interest() -> None:
    assert coming(dated("2026-01-01T00:00:00", "2026-01-02T00:00:00"), AS_OF).periods == ()
    under_way = coming(dated("2026-01-01T00:00:00", "2027-01-02T00:00:00"), AS_OF)
    assert under_way.periods[0][0] == int(AS_OF.timestamp())


def test_a_period_that_began_before_now_counts() -> None:
    found = coming(Blackout("freeze", "UTC", cron="0 0 0 * * *", duration_seconds=86400), AS_OF)
    assert found.periods == ((int(AS_OF.timestamp()), found.periods[0][1]),), (
        "a day that follows a day without a gap is one period"
    )
    assert found.periods[0][1] - int(AS_OF.timestamp()) >= timedelta(days=HORIZON_DAYS).total_seconds() - 86400


def test_a_start_later_than_the_blackout_keeps_out_of_it() -> None:
    found = coming(dated("2026-12-24T00:00:00", "2027-01-02T00:00:00"), AS_OF)
    assert runs_inside(job("schedule/a/b", "0 0 2 * * *", start="2027-01-02T00:00:00").timing, found) is None


@pytest.mark.parametrize(
    ("only", "exclude", "address", "covered"),
    [
        ([], [], "schedule/a/b", True),
        (["schedule/a/*"], [], "schedule/a/b", True),
        (["schedule/c/*"], [], "schedule/a/b", False),
        ([], ["schedule/*/b"], "schedule/a/b", False),
        (["schedule/a/*"], ["*/b"], "schedule/a/b", False),
    ],
)
def test_selectors(only: list[str], exclude: list[str], address: str, covered: bool) -> None:
    found = replace(SYDNEY, only=tuple(only), exclude=tuple(exclude))
    assert ComingBlackout(found, ()).covers(address) is covered


def test_a_zone_without_rules_has_no_periods() -> None:
    found = dated("2026-12-24T00:00:00", "2027-01-02T00:00:00", "Nowhere Standard Time")
    assert coming(found, AS_OF).periods == ()
