"""Laws of the calendar's counting: whatever is computed at once equals what counting one by one would give."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise, takewhile

import pytest
from calendar_samples import calendar_of, estate, job
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler import timetable
from reconciler.calendar.collisions import Collision, collisions, overcrowded
from reconciler.calendar.forecast import common_zone, read_zone, window_of
from reconciler.calendar.form_words import clock_text
from reconciler.calendar.job_starts import QUARTER, Job, JobStarts, Window
from reconciler.calendar.load import load_of
from reconciler.timetable.instants import count_between, starts_between
from reconciler.timetable.runs import Repeats
from reconciler.timetable.timing import Timing

ZONES = ("UTC", "Australia/Sydney", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe")
CRONS = (
    *("0 0 2 * * *", "0 30 2 * * MON-FRI", "0 */15 * * * *", "*/30 * * * * *", "0 7/20 8-18 * * ?", "15 0 22 L * ?"),
    *("0 0 0 1,15 * *", "0 0 9 ? * 5#3", "0 0/5 * * * *", "10 59 23 * * SUN", "0 0 * * * *"),
)
EVERY = ("30s", "45s", "10m", "15m", "90m", "6h", "1d", "2d", "24h", "7d")

rhythms = st.one_of(
    st.sampled_from(CRONS).map(timetable.parse),
    st.sampled_from(EVERY).map(timetable.parse_every),
    st.builds(
        lambda minute, hour: timetable.parse(f"0 {minute} {hour} * * *"),
        st.integers(0, 59),
        st.integers(0, 23),
    ),
)
starts = st.datetimes(datetime(2026, 2, 1), datetime(2026, 4, 10)).map(lambda moment: moment.replace(microsecond=0))
timings = st.builds(Timing, rhythms, starts, st.sampled_from(ZONES))
windows = st.builds(
    # Around the end of March clocks change in Berlin, New York, Sydney and on Lord Howe.
    lambda quarter, length: Window(quarter * QUARTER, (quarter + length) * QUARTER),
    st.integers(1772323200 // QUARTER, 1775433600 // QUARTER),
    st.integers(1, 4 * 96),
)
jobs = st.lists(
    st.tuples(timings, st.sampled_from([None, 1, 20, 600, 4000, 100_000]), st.integers(0, 2)), max_size=6
).map(
    lambda drawn: [
        Job(f"schedule/a{agent}/s{number}", f"a{agent}", timing, True, seconds)
        for number, (timing, seconds, agent) in enumerate(drawn)
    ]
)
law = settings(deadline=None, max_examples=120)


def one_by_one(timing: Timing, begin: int, end: int) -> list[int]:
    runs = timetable.iter_runs(timing, datetime.fromtimestamp(begin - 1, UTC))
    return list(takewhile(lambda instant: instant < end, (int(run.at.timestamp()) for run in runs)))


@law
@given(timings, windows)
def test_starts_are_those_of_one_run_after_the_other(timing: Timing, window: Window) -> None:
    assert list(starts_between(timing, window.begin, window.end)) == one_by_one(timing, window.begin, window.end)


@law
@given(timings, windows, st.integers(-5000, 400_000), st.integers(0, 9000))
def test_counting_between_is_counting(timing: Timing, window: Window, begin: int, length: int) -> None:
    found = starts_between(timing, window.begin, window.end)
    low = window.begin + begin
    assert count_between(found, low, low + length) == sum(low <= instant < low + length for instant in found)


@law
@given(jobs, windows)
def test_the_buckets_hold_what_counting_one_by_one_finds(drawn: list[Job], window: Window) -> None:
    job_starts = JobStarts(drawn, window)
    load = load_of(job_starts, threshold=10)
    expected = Counter(
        (instant - window.begin) // QUARTER
        for each in drawn
        for instant in one_by_one(each.timing, window.begin, window.end)
    )
    assert load.starts == tuple(expected[quarter] for quarter in range(window.quarters))
    assert load.total == sum(len(job_starts.of(each)) for each in drawn if each.enabled)


@settings(deadline=None, max_examples=60)
@given(jobs, windows)
def test_the_load_is_the_time_that_runs_take(drawn: list[Job], window: Window) -> None:
    busy = load_of(JobStarts(drawn, window), threshold=10).busy
    known = [each for each in drawn if each.duration_seconds is not None]
    if not known:
        assert busy is None
        return
    expected = [0] * window.quarters
    for each in known:
        seconds = each.duration_seconds or 0
        for instant in one_by_one(each.timing, window.begin - seconds + 1, window.end):
            for quarter in range(window.quarters):
                low = window.begin + quarter * QUARTER
                expected[quarter] += max(0, min(instant + seconds, low + QUARTER) - max(instant, low))
    assert busy == tuple(expected)


@law
@given(jobs, windows)
def test_simultaneous_starts_are_the_seconds_that_many_share(drawn: list[Job], window: Window) -> None:
    crowds: dict[int, list[str]] = {}
    for each in drawn:
        for instant in one_by_one(each.timing, window.begin, window.end):
            crowds.setdefault(instant, []).append(each.address)
    found = {
        instant: group.members
        for group in load_of(JobStarts(drawn, window), threshold=2).simultaneous
        for instant in group.instants
    }
    assert found == {instant: tuple(sorted(names)) for instant, names in crowds.items() if len(names) >= 2}


@law
@given(jobs, windows, st.randoms(use_true_random=False))
def test_collisions_do_not_depend_on_who_is_named_first(drawn: list[Job], window: Window, chance) -> None:  # type: ignore[no-untyped-def]
    there = collisions(drawn, JobStarts(drawn, window))
    shuffled = list(drawn)
    chance.shuffle(shuffled)
    assert collisions(shuffled, JobStarts(shuffled, window)) == there
    renamed = [
        Job(
            each.address.replace("/s", "/z" if number % 2 else "/b"),
            each.agent_path,
            each.timing,
            True,
            each.duration_seconds,
        )
        for number, each in enumerate(drawn)
    ]
    assert Counter(
        (one.agent_path, one.times, one.first) for one in collisions(renamed, JobStarts(renamed, window))
    ) == (Counter((one.agent_path, one.times, one.first) for one in there))


@settings(deadline=None, max_examples=60)
@given(jobs, windows)
def test_collisions_are_the_pairs_of_runs_that_overlap(drawn: list[Job], window: Window) -> None:
    found = {(one.one, one.other): one.times for one in collisions(drawn, JobStarts(drawn, window))}
    expected: Counter[tuple[str, str]] = Counter()
    for index, one in enumerate(drawn):
        mine = one_by_one(one.timing, window.begin, window.end)
        own = one.duration_seconds or 1
        late = sum(after - before < own for before, after in pairwise(mine))
        if late:
            expected[one.address, one.address] += late
        for other in drawn[index + 1 :]:
            if other.agent_path != one.agent_path or len(mine) > 3000:
                continue
            theirs = one_by_one(other.timing, window.begin, window.end)
            if len(mine) * len(theirs) > 2_000_000:
                found.pop((one.address, other.address), None)
                continue
            took = other.duration_seconds or 1
            times = sum(a < b + took and b < a + own for a in mine for b in theirs)
            if times:
                expected[one.address, other.address] += times
    if all(len(one_by_one(each.timing, window.begin, window.end)) <= 3000 for each in drawn):
        assert found == dict(expected)


def test_an_agent_that_trips_over_itself_is_told() -> None:
    window = Window(1774882800, 1774882800 + 86400)
    drawn = [job("schedule/feed/ticker", "30s", zone="UTC", seconds=45)]
    assert collisions(drawn, JobStarts(drawn, window)) == (
        Collision("sequentum/feed", 1774882830, "schedule/feed/ticker", "schedule/feed/ticker", 2879, False, True),
    )


def test_runs_of_unknown_length_collide_only_where_they_start_together() -> None:
    window = Window(1774882800, 1774882800 + 86400)
    drawn = [
        job("schedule/a/one", "0 0 2 * * *"),
        job("schedule/a/two", "0 1 2 * * *"),
        job("schedule/a/three", "0 0 * * * *"),
    ]
    assert [(one.one, one.other, one.durations_known) for one in collisions(drawn, JobStarts(drawn, window))] == [
        ("schedule/a/one", "schedule/a/three", False)
    ]


def test_a_run_that_is_still_going_meets_what_starts_inside_it() -> None:
    window = Window(1774882800, 1774882800 + 86400)
    drawn = [job("schedule/a/long", "0 0 2 * * *", seconds=600), job("schedule/a/short", "0 5 2 * * *")]
    assert [one.times for one in collisions(drawn, JobStarts(drawn, window))] == [1]


def test_agents_and_disabled_schedules_are_in_nobodys_way() -> None:
    window = Window(1774882800, 1774882800 + 86400)
    drawn = [
        job("schedule/a/one", "0 0 2 * * *"),
        job("schedule/b/one", "0 0 2 * * *"),
        job("schedule/a/two", "0 0 2 * * *", enabled=False),
    ]
    assert collisions(drawn, JobStarts(drawn, window)) == ()
    assert load_of(JobStarts(drawn, window), threshold=10).total == 2


def test_ten_thousand_even_schedules_are_not_written_out() -> None:
    window = Window(1774882800, 1774882800 + 7 * 86400)
    drawn = [
        job(f"schedule/a{number}/poll", "30s", start=f"2026-01-01T00:00:{number % 30:02}", zone="UTC")
        for number in range(10_000)
    ]
    found = JobStarts(drawn, window)
    assert len(found.groups) == 30
    assert all(isinstance(each, range) for each in found.starts.values())
    assert load_of(JobStarts(drawn, window), threshold=1_000_000).starts == (300_000,) * window.quarters


def test_the_busiest_quarter_names_all_its_days() -> None:
    found = calendar_of(estate())
    peak = found.shown.load.peaks[0]
    assert len(peak.begins) == 7
    assert [name for name, _ in peak.members if name.endswith("/nightly")] == sorted(
        entry.job.address for entry in found.shown.entries if entry.job.address.endswith("/nightly")
    )
    assert dict(peak.members)["schedule/feed/ticker"] == 30


def test_a_day_that_skips_an_hour_says_so() -> None:
    drawn = [job("schedule/a/hourly", "0 0 * * * *", zone="Europe/Berlin")]
    found = calendar_of(drawn, first=datetime(2026, 3, 29).date(), days=1)
    assert found.shown.grid.starts[0][2] is None
    assert found.shown.grid.seconds[0][2] == 0
    assert found.shown.load.total == 23
    (mark,) = found.shown.load.clock_marks
    assert (mark.zone, mark.change.repeats, mark.change.begin.hour, mark.change.end.hour) == (
        "Europe/Berlin",
        False,
        2,
        3,
    )


def test_a_day_that_repeats_an_hour_holds_it_twice() -> None:
    drawn = [job("schedule/a/poll", "15m", zone="UTC"), job("schedule/a/early", "0 30 2 * * *")]
    found = calendar_of(drawn, first=datetime(2026, 4, 5).date(), days=1, zone="Australia/Sydney")
    assert found.shown.grid.starts[0][2] == 9
    assert found.shown.grid.seconds[0][2] == 7200
    (mark,) = found.shown.load.clock_marks
    assert mark.change.repeats and mark.notes == (("schedule/a/early", "repeated-hour"),)
    assert mark.change.instant == int(datetime(2026, 4, 4, 16, tzinfo=UTC).timestamp())
    assert mark.folds == (("schedule/a/early", Repeats(1, 2, 1)),)


def test_a_repeated_hour_says_where_schedulers_differ() -> None:
    fixed, wild = job("schedule/a/early", "0 30 2 * * *"), job("schedule/a/often", "0 */5 * * * *")
    told = "02:00 to 03:00 comes twice; {} predicted to run once, the first time: {}"
    for drawn, words in (
        ([fixed], told.format("1 schedule", "1 start, or 2 if ACC runs both hours")),
        ([wild], told.format("1 schedule", "12 starts, or 24 if ACC runs wildcards in both hours")),
        (
            [fixed, wild],
            told.format(
                "2 schedules",
                "13 starts, or 25 if ACC runs wildcards in both hours and fixed times once, "
                "or 26 if it runs everything in both",
            ),
        ),
    ):
        found = calendar_of(drawn, first=datetime(2026, 4, 5).date(), days=1, zone="Australia/Sydney")
        assert clock_text(found.shown.load.clock_marks[0]) == words


def test_the_clock_is_that_of_most_schedules() -> None:
    zone, reason = common_zone(each.timing for each in estate())
    assert (zone.key, reason) == ("Australia/Sydney", "the zone of 20 of 23 schedules")
    assert common_zone([])[0].key == "Etc/UTC" or common_zone([])[0].key == "UTC"


def test_a_zone_nobody_knows_is_refused_with_the_nearest() -> None:
    with pytest.raises(timetable.TimetableError, match="Australia/Sydney"):
        read_zone("Australia/Sidney")


def test_a_window_is_whole_days_of_its_zone() -> None:
    window = window_of(datetime(2026, 4, 5).date(), 1, read_zone("Australia/Sydney"))
    assert window.end - window.begin == int(timedelta(hours=25).total_seconds())


def test_more_schedules_than_anybody_could_compare_are_said_and_not_compared() -> None:
    begin = int(datetime(2026, 2, 1, tzinfo=UTC).timestamp())
    window = Window(begin, begin + 86_400)
    timing = Timing(timetable.parse("0 0 2 * * *"), datetime(2026, 1, 1), "UTC")

    def jobs(count: int) -> list[Job]:
        return [Job(f"schedule/a/s{number:04}", "sequentum/a", timing) for number in range(count)]

    few, many = jobs(500), jobs(501)
    assert len(collisions(few, JobStarts(few, window))) == 500 * 499 // 2
    assert overcrowded(few) == ()
    assert collisions(many, JobStarts(many, window)) == ()
    assert len(overcrowded(many)) == 1
    assert "501 schedules" in overcrowded(many)[0]
