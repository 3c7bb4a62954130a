"""When schedules run: every special of the grammar, starts, intervals, and the days on which clocks change."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.timetable import (
    TimetableError,
    Timing,
    iter_runs,
    next_runs,
    parse,
    parse_declared_start,
    parse_start,
    zones,
)

LONG_AGO = datetime(2000, 1, 1)


def runs(text: str, after: str, count: int = 5, zone: str = "UTC", start: datetime = LONG_AGO) -> list[str]:
    """The next runs as `date time offset note`, without what is always the same."""
    found = next_runs(Timing(parse(text), start, zone), datetime.fromisoformat(after), count)
    return [" ".join([run.at.isoformat(" "), *([run.note] if run.note else [])]) for run in found]


def days(text: str, after: str = "2026-01-01T00:00:00+00:00", count: int = 12) -> list[str]:
    return [run[:10] for run in runs(text, after, count)]


def test_third_friday() -> None:
    expected = ["2026-01-16", "2026-02-20", "2026-03-20", "2026-04-17", "2026-05-15", "2026-06-19"]
    assert days("0 0 9 ? * 5#3", count=6) == expected


def test_a_fifth_weekday_comes_only_in_months_that_have_one() -> None:
    assert days("0 0 9 ? * 5#5", count=4) == ["2026-01-30", "2026-05-29", "2026-07-31", "2026-10-30"]


def test_last_friday() -> None:
    expected = ["2026-01-30", "2026-02-27", "2026-03-27", "2026-04-24", "2026-05-29", "2026-06-26"]
    assert days("0 0 9 ? * 5L", count=6) == expected


def test_last_day_of_the_month() -> None:
    expected = ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31", "2026-06-30"]
    assert days("0 0 9 L * ?", count=6) == expected
    assert days("0 0 9 L 2 ?", "2027-01-01T00:00:00+00:00", 2) == ["2027-02-28", "2028-02-29"]


def test_last_monday_to_friday_of_the_month() -> None:
    expected = ["2026-01-30", "2026-02-27", "2026-03-31", "2026-04-30", "2026-05-29", "2026-06-30"]
    assert days("0 0 9 LW * ?", count=6) == expected


def test_nearest_weekday() -> None:
    """In 2026 the 15th of February and of March are Sundays, that of August a Saturday."""
    found = days("0 0 9 15W * ?")
    assert found[:3] == ["2026-01-15", "2026-02-16", "2026-03-16"]
    assert found[7] == "2026-08-14"


def test_nearest_weekday_stays_within_the_month() -> None:
    """The first of February and March 2026 are Sundays, that of August a Saturday."""
    first = days("0 0 9 1W * ?")
    assert first[:3] == ["2026-01-01", "2026-02-02", "2026-03-02"]
    assert first[7] == "2026-08-03"
    # The 31st of January 2026 is a Saturday, those of May and of October 2027 are a Sunday each.
    assert days("0 0 9 31W * ?", count=3) == ["2026-01-30", "2026-03-31", "2026-05-29"]
    assert days("0 0 9 31W 10 ?", "2027-01-01T00:00:00+00:00", 1) == ["2027-10-29"]


def test_a_day_that_a_month_lacks_is_left_out() -> None:
    assert days("0 0 9 31 * ?", count=4) == ["2026-01-31", "2026-03-31", "2026-05-31", "2026-07-31"]
    assert days("0 0 9 29 2 ?", count=3) == ["2028-02-29", "2032-02-29", "2036-02-29"]
    assert days("0 0 9 29 2 ?", "2096-03-01T00:00:00+00:00", 1) == ["2104-02-29"]


def test_a_leap_day_on_one_weekday_is_found_however_far_away() -> None:
    assert days("0 0 9 ? 2 1#5", count=3) == ["2044-02-29", "2072-02-29", "2112-02-29"]


@pytest.mark.parametrize("text", ["0 0 0 31 2 *", "0 0 0 30 2 ?", "0 0 0 31 4,6,9,11 ?", "0 0 0 31W 6 ?"])
def test_what_never_fires_has_no_runs(text: str) -> None:
    assert runs(text, "2026-01-01T00:00:00+00:00") == []


def test_either_day_field_is_enough() -> None:
    assert days("0 0 9 13 * FRI", count=6) == [
        *("2026-01-02", "2026-01-09", "2026-01-13"),
        *("2026-01-16", "2026-01-23", "2026-01-30"),
    ]


def test_steps_from_a_start() -> None:
    found = runs("0 5/20 14,18 * * *", "2026-01-01T00:00:00+00:00", 6)
    assert [run[11:16] for run in found] == ["14:05", "14:25", "14:45", "18:05", "18:25", "18:45"]
    assert days("0 0 0 * 7/3 *", "2026-07-31T00:00:00+00:00", 2) == ["2026-10-01", "2026-10-02"]


def test_after_is_exclusive_and_start_inclusive() -> None:
    start = datetime(2026, 5, 4, 2)
    assert runs("0 0 2 * * *", "2026-05-04T02:00:00+00:00", 1) == ["2026-05-05 02:00:00+00:00"]
    assert runs("0 0 2 * * *", "2026-01-01T00:00:00+00:00", 1, start=start) == ["2026-05-04 02:00:00+00:00"]
    assert runs("0 0 2 * * *", "2026-01-01T00:00:00+00:00", 1, start=start + timedelta(seconds=1)) == [
        "2026-05-05 02:00:00+00:00"
    ]
    assert runs("0 15 0 0", "2026-01-01T00:00:00+00:00", 2, start=start) == [
        "2026-05-04 02:00:00+00:00",
        "2026-05-04 02:15:00+00:00",
    ]


def test_after_may_have_fractions_and_any_zone() -> None:
    assert runs("* * * * * *", "2026-05-04T02:00:00.999999+00:00", 1) == ["2026-05-04 02:00:01+00:00"]
    assert runs("0 0 2 * * *", "2026-05-04T12:00:00+10:00", 1) == ["2026-05-05 02:00:00+00:00"]


def test_the_start_stands_on_the_clock_of_the_zone() -> None:
    found = runs("0 0 6 0", "2026-01-01T00:00:00+00:00", 2, "Australia/Sydney", datetime(2026, 7, 1, 1))
    assert found == ["2026-07-01 01:00:00+10:00", "2026-07-01 07:00:00+10:00"]


# These dates have passed, so no law can move them: Sydney went back on 2025-04-06 and forward on 2025-10-05.


def test_sydney_a_skipped_time_runs_at_the_next_valid_instant() -> None:
    assert runs("0 30 2 * * *", "2025-10-04T00:00:00+10:00", 3, "Australia/Sydney") == [
        "2025-10-04 02:30:00+10:00",
        "2025-10-05 03:00:00+11:00 skipped-hour",
        "2025-10-06 02:30:00+11:00",
    ]


def test_sydney_a_repeated_time_runs_once() -> None:
    assert runs("0 30 2 * * *", "2025-04-05T00:00:00+11:00", 3, "AUS Eastern Standard Time") == [
        "2025-04-05 02:30:00+11:00",
        "2025-04-06 02:30:00+11:00 repeated-hour",
        "2025-04-07 02:30:00+10:00",
    ]
    # Asked in the middle of the second pass, the first is over.
    assert runs("0 30 2 * * *", "2025-04-06T02:15:00+10:00", 1, "Australia/Sydney") == ["2025-04-07 02:30:00+10:00"]


def test_several_skipped_times_run_once_together() -> None:
    assert runs("0 */20 2 * * *", "2025-10-05T00:00:00+10:00", 2, "Australia/Sydney") == [
        "2025-10-05 03:00:00+11:00 skipped-hour",
        "2025-10-06 02:00:00+11:00",
    ]


def test_a_skipped_time_adds_nothing_where_the_expression_names_the_next_moment() -> None:
    assert runs("0 */30 2,3 * * *", "2025-10-05T00:00:00+10:00", 2, "Australia/Sydney") == [
        "2025-10-05 03:00:00+11:00",
        "2025-10-05 03:30:00+11:00",
    ]


def test_new_york() -> None:
    assert runs("0 30 2 * * *", "2025-03-08T12:00:00-05:00", 2, "America/New_York") == [
        "2025-03-09 03:00:00-04:00 skipped-hour",
        "2025-03-10 02:30:00-04:00",
    ]
    assert runs("0 30 1 * * *", "2025-11-01T12:00:00-04:00", 2, "Eastern Standard Time") == [
        "2025-11-02 01:30:00-04:00 repeated-hour",
        "2025-11-03 01:30:00-05:00",
    ]


def test_lord_howe_moves_by_half_an_hour() -> None:
    assert runs("0 10 2 * * *", "2025-10-04T12:00:00+10:30", 2, "Australia/Lord_Howe") == [
        "2025-10-05 02:30:00+11:00 skipped-hour",
        "2025-10-06 02:10:00+11:00",
    ]
    assert runs("0 40 2 * * *", "2025-10-04T12:00:00+10:30", 1, "Australia/Lord_Howe") == ["2025-10-05 02:40:00+11:00"]
    assert runs("0 45 1 * * *", "2025-04-05T12:00:00+11:00", 1, "Lord Howe Standard Time") == [
        "2025-04-06 01:45:00+11:00 repeated-hour"
    ]


def test_santiago_skips_midnight() -> None:
    assert runs("0 0 0 * * *", "2025-09-06T12:00:00-04:00", 2, "America/Santiago") == [
        "2025-09-07 01:00:00-03:00 skipped-hour",
        "2025-09-08 00:00:00-03:00",
    ]


def test_samoa_skipped_a_whole_day() -> None:
    assert runs("0 0 12 * * *", "2011-12-29T12:00:00-10:00", 2, "Pacific/Apia") == [
        "2011-12-31 00:00:00+14:00 skipped-hour",
        "2011-12-31 12:00:00+14:00",
    ]


def by_looking_at_the_clock(text: str, zone: str, begin: datetime, hours: int) -> list[int]:
    """Runs within so many hours of an instant, found by watching the clock on the wall, minute by minute."""
    info = zones.zone_info(zone)
    assert info is not None
    expression = parse(text)
    origin = int(begin.timestamp()) // 60 * 60
    local = datetime.fromtimestamp(origin, info).replace(tzinfo=None, fold=0)
    shown = local - timedelta(minutes=1)
    found: list[int] = []
    for instant in range(origin, origin + hours * 3600, 60):
        local = datetime.fromtimestamp(instant, info).replace(tzinfo=None, fold=0)
        # All that the clock jumped over is due now; what it shows a second time is not due again.
        while shown < local:
            shown += timedelta(minutes=1)
            is_due = shown.minute in expression.minutes and shown.hour in expression.hours
            if is_due and (not found or found[-1] != instant):
                found.append(instant)
    return found


@pytest.mark.parametrize(
    "text", ["0 */20 * * * *", "0 5 * * * *", "0 0,31 0-3,23 * * *", "0 1 0 * * *", "0 45 23 * * *"]
)
@pytest.mark.parametrize(
    ("zone", "change"),
    [
        ("Australia/Sydney", "2025-04-05T16:00:00+00:00"),
        ("Australia/Sydney", "2025-10-04T16:00:00+00:00"),
        ("Australia/Lord_Howe", "2025-04-05T15:00:00+00:00"),
        ("Australia/Lord_Howe", "2025-10-04T15:30:00+00:00"),
        ("America/Santiago", "2025-04-06T03:00:00+00:00"),
        ("America/Santiago", "2025-09-07T04:00:00+00:00"),
        ("Atlantic/Azores", "2025-10-26T01:00:00+00:00"),
        ("Asia/Beirut", "2022-10-29T21:00:00+00:00"),
        ("Asia/Beirut", "2022-03-26T22:00:00+00:00"),
        # Newfoundland changed its clocks one minute after midnight.
        ("America/St_Johns", "2010-03-14T03:31:00+00:00"),
        ("America/St_Johns", "2010-11-07T02:31:00+00:00"),
        ("Pacific/Apia", "2011-12-30T10:00:00+00:00"),
        ("Asia/Pyongyang", "2018-05-04T15:00:00+00:00"),
    ],
)
def test_around_a_change_runs_are_what_the_clock_on_the_wall_says(text: str, zone: str, change: str) -> None:
    info = zones.zone_info(zone)
    assert info is not None
    at = datetime.fromisoformat(change)
    assert at.astimezone(info).utcoffset() != (at - timedelta(seconds=1)).astimezone(info).utcoffset()
    begin = at - timedelta(hours=30)
    timing = Timing(parse(text), LONG_AGO, zone)
    assert timing.rules is not None
    end = begin + timedelta(hours=60)
    found = itertools.takewhile(lambda run: run.at < end, iter_runs(timing, begin - timedelta(seconds=1)))
    assert [int(run.at.timestamp()) for run in found] == by_looking_at_the_clock(text, timing.rules.key, begin, 60)


def test_days_keep_their_time_on_the_clock_and_hours_do_not() -> None:
    start = datetime(2025, 10, 2, 9)
    after = "2025-10-04T00:00:00+10:00"
    assert runs("0 0 0 1", after, 2, "Australia/Sydney", start) == [
        "2025-10-04 09:00:00+10:00",
        "2025-10-05 09:00:00+11:00",
    ]
    assert runs("0 0 24 0", after, 2, "Australia/Sydney", start) == [
        "2025-10-04 09:00:00+10:00",
        "2025-10-05 10:00:00+11:00",
    ]


def test_a_day_s_interval_is_moved_and_marked_like_cron() -> None:
    start = datetime(2025, 10, 2, 2, 30)
    assert runs("0 0 0 3", "2025-10-03T00:00:00+10:00", 2, "Australia/Sydney", start) == [
        "2025-10-05 03:00:00+11:00 skipped-hour",
        "2025-10-08 02:30:00+11:00",
    ]


def test_an_interval_that_starts_in_the_skipped_hour_starts_after_it() -> None:
    assert runs("0 0 6 0", "2025-10-01T00:00:00+10:00", 2, "Australia/Sydney", datetime(2025, 10, 5, 2, 30)) == [
        "2025-10-05 03:00:00+11:00 skipped-hour",
        "2025-10-05 09:00:00+11:00",
    ]


def test_short_intervals_run_through_the_repeated_hour() -> None:
    found = runs("0 30 0 0", "2025-04-06T02:15:00+11:00", 4, "Australia/Sydney", datetime(2025, 1, 1))
    assert found == [
        "2025-04-06 02:30:00+11:00",
        "2025-04-06 02:00:00+10:00",
        "2025-04-06 02:30:00+10:00",
        "2025-04-06 03:00:00+10:00",
    ]


@pytest.mark.parametrize("text", ["0 0 0 * * *", "0 0 6 0", "0 0 0 1", "0 0 0 36000"])
@pytest.mark.parametrize("start", [datetime.min, datetime(9999, 12, 31, 23, 59, 59)])
@pytest.mark.parametrize("zone", ["UTC", "Australia/Sydney", "America/New_York"])
def test_starts_at_the_ends_of_the_calendar_do_no_harm(text: str, start: datetime, zone: str) -> None:
    found = runs(text, "2026-01-01T00:00:00+00:00", 3, zone, start)
    assert len(found) == 3 if start.year == 1 else len(found) <= 1


def test_an_unknown_zone_predicts_nothing() -> None:
    assert runs("0 0 0 * * *", "2026-01-01T00:00:00+00:00", 3, "Mars Standard Time") == []


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no zone"):
        iter_runs(Timing(parse("0 0 0 * * *"), LONG_AGO, "UTC"), datetime(2026, 1, 1))


def test_runs_are_made_one_by_one() -> None:
    timing = Timing(parse("* * * * * *"), LONG_AGO, "UTC")
    first = next(iter_runs(timing, datetime(2026, 1, 1, tzinfo=UTC)))
    assert first.at == datetime(2026, 1, 1, 0, 0, 1, tzinfo=UTC)


@given(
    st.sampled_from(["30 0 0 0", "0 7 0 0", "0 0 5 0", "0 0 0 1", "0 0 0 3", "0 30 2 1"]),
    st.datetimes(datetime(1990, 1, 1), datetime(2060, 1, 1)),
    st.datetimes(datetime(1990, 1, 1), datetime(2060, 1, 1)),
    st.sampled_from(["UTC", "Australia/Sydney", "Australia/Lord_Howe", "America/Santiago", "Pacific/Apia"]),
)
@settings(max_examples=200, deadline=None)
def test_intervals_are_in_order_and_evenly_spaced(text: str, start: datetime, after: datetime, zone: str) -> None:
    timing = Timing(parse(text), start.replace(microsecond=0), zone)
    moment = after.replace(tzinfo=UTC)
    found = next_runs(timing, moment, 12)
    instants = [run.at.timestamp() for run in found]
    assert len(found) == 12
    assert all(run.at > moment for run in found)
    assert instants == sorted(set(instants))
    length = timing.expression.interval
    assert length is not None
    if timing.expression.whole_days:
        assert all(run.at.time() == timing.start.time() for run in found if run.note != "skipped-hour")
    else:
        gaps = {second - first for first, second in itertools.pairwise(instants)}
        assert gaps == {length.total_seconds()}


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2019-05-30T15:36:00", datetime(2019, 5, 30, 15, 36)),
        ("2019-07-16T11:21:20.1234567", datetime(2019, 7, 16, 11, 21, 20)),
        ("2019-07-16T11:21:20.9999999Z", datetime(2019, 7, 16, 21, 21, 20)),
        ("2019-01-16T11:21:20+00:00", datetime(2019, 1, 16, 22, 21, 20)),
        ("2019-01-16T11:21:20-0500", datetime(2019, 1, 17, 3, 21, 20)),
        ("2019-07-16 11:21", datetime(2019, 7, 16, 11, 21)),
        ("2019-07-16", datetime(2019, 7, 16)),
        ("0001-01-01T00:00:00", datetime.min),
    ],
)
def test_a_start_as_products_return_it(text: str, moment: datetime) -> None:
    assert parse_start(text, "AUS Eastern Standard Time") == moment


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("yesterday", "UTC"),
        ("", "UTC"),
        ("2019-13-01T00:00:00", "UTC"),
        ("2019-01-01T24:30:00", "UTC"),
        ("2019-01-01T00:00:00Z", ""),
        ("2019-01-01T00:00:00Z", "Mars Standard Time"),
        ("2019-01-01T00:00:00+99:00", "UTC"),
        ("0001-01-01T00:00:00+14:00", "America/New_York"),
    ],
)
def test_a_start_that_says_nothing_is_refused(text: str, zone: str) -> None:
    with pytest.raises(TimetableError):
        parse_start(text, zone)


@pytest.mark.parametrize(
    "text",
    ["2026-01-01T02:00:00", "2026-01-01T02:00", "2026-01-01 02:00:00", "2026-01-01 02:00", " 2026-01-01T02:00:00 "],
)
def test_a_declared_start(text: str) -> None:
    assert parse_declared_start(text) == datetime(2026, 1, 1, 2)


def test_a_declared_date_is_its_midnight() -> None:
    assert parse_declared_start("2026-01-01") == datetime(2026, 1, 1)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("2026-01-01T02:00:00Z", "2026-01-01T02:00:00: timeZone"),
        ("2026-01-01T02:00:00+10:00", "2026-01-01T02:00:00: timeZone"),
        ("2026-01-01T02:00Z", "2026-01-01T02:00:00: timeZone"),
        ("2026-01-01T02:00:00.5", "whole seconds"),
        ("01/02/2026", "2026-01-01T02:00:00"),
        ("tomorrow", "2026-01-01T02:00:00"),
        ("", "2026-01-01T02:00:00"),
    ],
)
def test_a_declared_start_that_is_not_one_says_how_to_write_it(text: str, hint: str) -> None:
    with pytest.raises(TimetableError) as caught:
        parse_declared_start(text)
    assert hint in caught.value.hint


def test_a_date_that_does_not_exist_is_refused() -> None:
    with pytest.raises(TimetableError, match="2026-02-30"):
        parse_declared_start("2026-02-30T00:00:00")
