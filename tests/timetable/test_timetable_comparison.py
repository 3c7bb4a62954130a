"""Whether two timings run at the same instants from now on, and what is worth a warning."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from reconciler.timetable import Timing, findings, next_runs, parse, phase, same_start, windows_zone

NOW = datetime(2025, 3, 1, 12, tzinfo=UTC)
SYDNEY = "Australia/Sydney"


def timing(text: str, start: str = "2025-01-01T02:00:00", zone: str = SYDNEY) -> Timing:
    return Timing(parse(text), datetime.fromisoformat(start), zone)


def same_zone(a: str, b: str) -> bool:
    """Zones as schedules compare them."""
    return windows_zone(a).casefold() == windows_zone(b).casefold()


def same_runs(a: Timing, b: Timing, as_of: datetime) -> bool:
    """The three comparisons of which a schedule's diff is made, together."""
    return a.expression == b.expression and same_zone(a.zone, b.zone) and same_start(a, b, as_of)


def codes(what: Timing, as_of: datetime = NOW) -> list[str]:
    return [code for code, _ in findings(what, as_of)]


def test_equal_zones() -> None:
    assert same_zone("Australia/Melbourne", "AUS Eastern Standard Time")
    assert same_zone("aus eastern standard time", SYDNEY)
    assert same_zone("Mars Standard Time", "mars standard time")
    assert not same_zone("Australia/Brisbane", SYDNEY)


def test_spelling_and_zone_names_make_no_difference() -> None:
    assert same_runs(timing("0 0 2 * * MON-FRI"), timing("0 0 2 ? * 1-5", zone="aus eastern standard time"), NOW)


def test_zones_that_happen_to_agree_are_different() -> None:
    assert not same_runs(
        timing("0 0 2 * * *", zone="Australia/Brisbane"), timing("0 0 2 * * *", zone="Pacific/Guam"), NOW
    )


def test_a_start_in_the_past_on_both_sides_makes_no_difference_to_cron() -> None:
    assert same_runs(timing("0 0 2 * * *", "2019-01-01T00:00:00"), timing("0 0 2 * * *", "2025-02-28T23:59:59"), NOW)


def test_a_start_ahead_makes_a_difference_to_cron_when_it_skips_a_run() -> None:
    past = timing("0 0 2 * * *", "2019-01-01T00:00:00")
    assert same_runs(past, timing("0 0 2 * * *", "2025-03-02T01:59:59"), NOW)
    assert same_runs(past, timing("0 0 2 * * *", "2025-03-02T02:00:00"), NOW)
    assert not same_runs(past, timing("0 0 2 * * *", "2025-03-02T02:00:01"), NOW)
    assert not same_start(past, timing("0 0 2 * * *", "2025-03-02T02:00:01"), NOW)


def test_a_start_does_not_matter_to_what_never_fires() -> None:
    assert same_runs(timing("0 0 0 31 2 *", "2019-01-01T00:00:00"), timing("0 0 0 31 2 *", "2030-01-01T00:00:00"), NOW)


def test_intervals_are_compared_by_phase() -> None:
    assert same_runs(timing("0 15 0 0", "2019-01-01T00:00:00"), timing("0 15 0 0", "2025-02-01T07:45:00"), NOW)
    assert not same_runs(timing("0 15 0 0", "2019-01-01T00:00:00"), timing("0 15 0 0", "2025-02-01T07:50:00"), NOW)


def test_the_product_may_move_the_start_of_an_interval_forward() -> None:
    """Days keep their time on the clock, so a start moved across the end of daylight saving is the same."""
    after = datetime(2025, 5, 1, tzinfo=UTC)
    assert same_runs(timing("0 0 0 1", "2019-05-30T15:36:00"), timing("0 0 0 1", "2025-04-20T15:36:00"), after)
    assert not same_runs(timing("0 0 0 1", "2019-05-30T15:36:00"), timing("0 0 0 1", "2025-04-20T16:36:00"), after)
    assert same_runs(timing("0 0 0 2", "2025-04-01T15:36:00"), timing("0 0 0 2", "2025-04-21T15:36:00"), after)
    assert not same_runs(timing("0 0 0 2", "2025-04-01T15:36:00"), timing("0 0 0 2", "2025-04-20T15:36:00"), after)


def test_a_start_ahead_that_skips_a_phase_is_a_difference() -> None:
    past = timing("0 0 6 0", "2025-01-01T00:00:00")
    # 23:00 on the first of March in Sydney is now; the next instant in phase is midnight.
    assert same_runs(past, timing("0 0 6 0", "2025-03-02T00:00:00"), NOW)
    assert not same_runs(past, timing("0 0 6 0", "2025-03-02T06:00:00"), NOW)


def test_a_day_s_interval_in_the_skipped_hour_is_told_apart_from_its_neighbour() -> None:
    """On 2025-10-05 both would run at 03:00, and never again together."""
    just_before = datetime(2025, 10, 4, 15, 30, tzinfo=UTC)
    assert not same_runs(
        timing("0 0 0 1", "2025-01-01T02:10:00"), timing("0 0 0 1", "2025-01-01T02:20:00"), just_before
    )


def test_unknown_zones_are_compared_carefully() -> None:
    one = timing("0 0 2 * * *", "2019-01-01T00:00:00", "Mars Standard Time")
    assert same_runs(one, timing("0 0 2 * * *", "2020-01-01T00:00:00", "mars standard time"), NOW)
    assert not same_runs(one, timing("0 0 2 * * *", "2025-03-01T11:00:00", "Mars Standard Time"), NOW)
    assert same_runs(
        timing("0 0 6 0", "2019-01-01T00:00:00", "Mars Standard Time"),
        timing("0 0 6 0", "2019-01-02T18:00:00", "Mars Standard Time"),
        NOW,
    )


def test_the_text_of_a_phase_does_not_change_between_versions() -> None:
    assert phase(timing("0 0 2 * * *")) == ""
    assert phase(timing("0 15 0 0", "2025-02-01T07:50:20")) == "second 320 of 900"
    assert phase(timing("0 0 0 1", "2025-02-01T07:50:00")) == "day 0 of 1 at 07:50:00"
    assert phase(timing("0 0 0 7", "2025-02-01T07:50:00")) == "day 6 of 7 at 07:50:00"


starts = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)).map(lambda moment: moment.replace(microsecond=0))
texts = st.sampled_from(
    ["0 */20 3 * * *", "0 0 2 ? * MON", "0 0 0 29 2 ?", "0 20 0 0", "0 0 7 0", "0 0 0 1", "0 0 0 3"]
)
zone_names = st.sampled_from([SYDNEY, "AUS Eastern Standard Time", "America/New_York", "UTC"])


@given(texts, starts, st.integers(-50, 50), st.sampled_from([1200, 3600, 86400, 7 * 3600]), zone_names, starts)
@settings(max_examples=300, deadline=None)
def test_same_runs_is_what_the_runs_say(
    text: str, start: datetime, steps: int, step: int, zone: str, as_of: datetime
) -> None:
    one = Timing(parse(text), start, zone)
    other = Timing(parse(text), start + timedelta(seconds=steps * step), zone)
    moment = as_of.replace(tzinfo=UTC)
    first, second = ([run.at.timestamp() for run in next_runs(each, moment, 12)] for each in (one, other))
    assert same_runs(one, other, moment) == (first == second)
    assert same_runs(one, other, moment) == same_runs(other, one, moment)
    assert same_runs(one, one, moment)


@given(texts, starts, starts, zone_names)
@settings(max_examples=150, deadline=None)
def test_equal_runs_have_an_equal_phase(text: str, one: datetime, other: datetime, zone: str) -> None:
    first, second = Timing(parse(text), one, zone), Timing(parse(text), other, zone)
    assume(same_runs(first, second, NOW))
    assert phase(first) == phase(second)


# --- warnings


def test_an_ordinary_schedule_has_no_warnings() -> None:
    assert codes(timing("0 0 9 * * MON-FRI")) == []
    assert codes(timing("0 15 0 0")) == []
    assert codes(timing("0 0 0 1", "2019-05-30T15:36:00", "AUS Eastern Standard Time")) == []
    assert codes(timing("0 */15 * * * *", zone="UTC")) == []


def test_a_time_that_daylight_saving_skips_or_repeats() -> None:
    found = dict(findings(timing("0 30 2 * * *"), NOW))
    assert set(found) == {"dst-skipped", "dst-repeated"}
    assert "2025-10-05 02:30:00" in found["dst-skipped"]
    assert "03:00:00" in found["dst-skipped"]
    assert "2025-04-06 02:30:00" in found["dst-repeated"]
    assert "predicted" in found["dst-skipped"]
    assert "predicted" in found["dst-repeated"]


def test_thirteen_months_hold_one_warning_of_a_kind() -> None:
    before_both = datetime(2025, 3, 20, tzinfo=UTC)
    assert codes(timing("0 30 2 * * *"), before_both) == ["dst-repeated", "dst-skipped"]


def test_daylight_saving_is_asked_about_the_date_too() -> None:
    """Both changes fall on a Sunday."""
    assert codes(timing("0 30 2 ? * MON-SAT")) == []
    assert codes(timing("0 30 2 ? * SUN")) == ["dst-repeated", "dst-skipped"]
    assert codes(timing("0 30 2 ? 10 *")) == ["dst-skipped"]
    assert codes(timing("0 59 1 * * *")) == []
    assert codes(timing("0 0 3 * * *")) == []


def test_daylight_saving_and_intervals_of_days() -> None:
    assert codes(timing("0 0 0 1", "2025-01-01T02:30:00")) == ["dst-repeated", "dst-skipped"]
    # Every seventh day from a Wednesday is never a Sunday.
    assert codes(timing("0 0 0 7", "2025-01-01T02:30:00")) == []


def test_a_start_after_the_change_has_no_warning_of_it() -> None:
    assert codes(timing("0 30 2 * * *", "2025-04-07T00:00:00")) == ["dst-skipped"]
    assert codes(timing("0 30 2 * * *", "2025-10-06T00:00:00"), NOW) == []
    assert codes(timing("0 30 2 * * *", "2035-01-01T00:00:00"), NOW) == []


@pytest.mark.parametrize("zone", ["Central Standard Time", "UTC", "Tokyo Standard Time"])
def test_a_start_in_the_last_second_of_the_calendar_has_no_warning(zone: str) -> None:
    """In America that is in the year 10000 of Greenwich."""
    assert codes(timing("0 30 2 * * *", "9999-12-31T23:59:59", zone)) == []


def test_both_day_fields() -> None:
    found = dict(findings(timing("0 0 9 13 * FRI"), NOW))
    assert set(found) == {"both-day-fields"}
    assert "either" in found["both-day-fields"]


def test_never_fires() -> None:
    assert codes(timing("0 0 9 31 2 ?")) == ["never-fires"]
    assert codes(timing("0 0 9 29 2 ?")) == []


def test_several_units() -> None:
    assert codes(timing("0 30 1 0", "2026-01-01T00:00:00")) == ["mixed-interval"]
    assert codes(timing("0 30 1 0", "2019-01-01T00:00:00")) == ["mixed-interval", "start-in-past"]


def test_a_start_in_the_past_matters_where_the_clock_has_moved_since() -> None:
    winter = "2024-07-01T00:00:00"
    assert codes(timing("0 0 6 0", winter)) == ["start-in-past"]
    assert codes(timing("0 0 6 0", "2024-12-01T00:00:00")) == []
    assert codes(timing("0 15 0 0", winter)) == []
    assert codes(timing("0 0 1 0", winter)) == []
    assert codes(timing("0 0 0 1", winter)) == []
    assert codes(timing("0 0 6 0", "2025-07-01T00:00:00")) == []
    assert codes(timing("0 0 9 * * *", winter)) == []


def test_a_step_that_never_comes_round() -> None:
    found = dict(findings(timing("0 */90 * * * *"), NOW))
    assert "90" in found["long-step"]
    assert "every" in found["long-step"]


def test_the_weekday_nearest_to_a_day_that_months_lack() -> None:
    assert codes(timing("0 0 9 31W * ?")) == ["short-month"]
    assert codes(timing("0 0 9 28W * ?")) == []


def test_unknown_zone() -> None:
    found = dict(findings(timing("0 0 9 * * *", zone="AUS Estern Standard Time"), NOW))
    assert set(found) == {"unknown-zone"}
    assert "did you mean AUS Eastern Standard Time" in found["unknown-zone"]
    assert "not in Unicode's table" in found["unknown-zone"]


def test_a_zone_that_many_servers_do_not_have_yet() -> None:
    assert "recent-zone" in codes(timing("0 0 9 * * *", zone="British Columbia Standard Time"))


def test_a_name_whose_clock_differs_from_what_acc_will_use() -> None:
    """Vostok moved its clock in 2023; Windows has no id of its own for it."""
    found = dict(findings(timing("0 0 9 * * *", zone="Antarctica/Vostok"), NOW))
    assert set(found) == {"zone-differs"}
    assert "Central Asia Standard Time" in found["zone-differs"]
    assert codes(timing("0 0 9 * * *", zone="Central Asia Standard Time")) == []


@pytest.mark.parametrize("as_of", [datetime(1975, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)])
@pytest.mark.parametrize("start", [datetime.min, datetime(9999, 12, 31, 23, 59, 59)])
@pytest.mark.parametrize("text", ["0 30 2 * * *", "0 0 6 0", "0 0 0 1", "0 30 1 0"])
def test_starts_at_the_ends_of_the_calendar_do_no_harm(text: str, start: datetime, as_of: datetime) -> None:
    strange = Timing(parse(text), start, SYDNEY)
    assert findings(strange, as_of) is not None
    assert same_runs(strange, strange, as_of)
    assert isinstance(same_runs(strange, timing(text), as_of), bool)
