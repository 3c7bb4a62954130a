"""Generated expressions against two independent evaluators, on what each of them can say, in UTC."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

from croniter import croniter
from cronsim import CronSim
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from reconciler.timetable import Timing, iter_runs, next_runs, parse, runs_per_day
from reconciler.timetable.fields import MONTHS, WEEKDAYS

moments = st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31)).map(lambda moment: moment.replace(microsecond=0))


@st.composite
def plain_items(draw: st.DrawFn, low: int, high: int, names: tuple[str, ...]) -> str:
    """One item of a list: a value, a range, or a step.

    No range of one value: one oracle or the other takes it for everything.
    """

    def say(value: int) -> str:
        if not names:
            return str(value)
        name = names[value - low]
        return draw(st.sampled_from([str(value), name, name.lower(), name.title()]))

    first = draw(st.integers(low, high - 1))
    last = draw(st.integers(first + 1, high))
    step = draw(st.integers(1, high - low))
    match draw(st.sampled_from(["value", "range", "stepped", "from"])):
        case "value":
            return say(first)
        case "range":
            return f"{say(first)}-{say(last)}"
        case "stepped":
            return f"{say(first)}-{say(last)}/{step}"
    return f"{first}/{step}"


def plain_fields(low: int, high: int, names: tuple[str, ...] = ()) -> st.SearchStrategy[str]:
    return st.one_of(
        st.just("*"),
        st.integers(low, high).map(str),
        st.integers(1, high - low).map("*/{}".format),
        st.lists(plain_items(low, high, names), min_size=1, max_size=3).map(",".join),
    )


times = st.tuples(plain_fields(0, 59), plain_fields(0, 59), plain_fields(0, 23)).map(" ".join)
month_fields = plain_fields(1, 12, MONTHS)
# A range that ends on Sunday by name runs backwards for everybody, so weekday names stay below.
week_fields = st.one_of(
    st.just("*"),
    st.integers(0, 7).map(str),
    st.lists(
        st.sampled_from([*WEEKDAYS, "mon-fri", "TUE-SAT", "1-5", "5-7", "0-6/2", "1-6/3"]), min_size=1, max_size=3
    ).map(",".join),
)


def ours(text: str, after: datetime, count: int = 5) -> list[datetime]:
    timing = Timing(parse(text), datetime(1990, 1, 1), "UTC")
    return [run.at.replace(tzinfo=None) for run in next_runs(timing, after.replace(tzinfo=UTC), count)]


def by_cronsim(text: str, after: datetime, count: int = 5) -> list[datetime]:
    return list(itertools.islice(CronSim(text, after), count))


def by_croniter(text: str, after: datetime, count: int = 5) -> list[datetime]:
    runs = croniter(text, after, second_at_beginning=True)
    return [runs.get_next(datetime) for _ in range(count)]


@given(times, plain_fields(1, 31), month_fields, moments)
@settings(max_examples=150, deadline=None)
def test_days_of_the_month_agree_with_both(time: str, day: str, month: str, after: datetime) -> None:
    text = f"{time} {day} {month} *"
    assume(runs_per_day(parse(text)) > 0)
    assert ours(text, after) == by_cronsim(text, after) == by_croniter(text, after)


@given(times, week_fields, month_fields, moments)
@settings(max_examples=150, deadline=None)
def test_weekdays_agree_with_both(time: str, weekday: str, month: str, after: datetime) -> None:
    text = f"{time} * {month} {weekday}"
    assert ours(text, after) == by_cronsim(text, after) == by_croniter(text, after)


@given(
    times,
    st.lists(st.integers(1, 31).map(str), min_size=1, max_size=3).map(",".join),
    st.sampled_from(["MON", "1,3", "FRI-SAT", "0", "7"]),
    moments,
)
@settings(max_examples=80, deadline=None)
def test_either_day_field_is_enough_as_both_have_it(time: str, day: str, weekday: str, after: datetime) -> None:
    text = f"{time} {day} * {weekday}"
    assert ours(text, after) == by_cronsim(text, after) == by_croniter(text, after)


@given(times, month_fields, st.sampled_from(["L", "LW", "15,L", "L,1"]), moments)
@settings(max_examples=80, deadline=None)
def test_last_days_agree_with_cronsim(time: str, month: str, day: str, after: datetime) -> None:
    text = f"{time} {day} {month} *"
    assert ours(text, after) == by_cronsim(text, after)


@given(times, st.lists(st.sampled_from(["0L", "5L", "1#1", "FRI#3", "5#5", "3"]), min_size=1, max_size=3), moments)
@settings(max_examples=80, deadline=None)
def test_weekdays_within_the_month_agree_with_cronsim(time: str, weekdays: list[str], after: datetime) -> None:
    text = f"{time} * * {','.join(weekdays)}"
    assert ours(text, after) == by_cronsim(text, after)


@given(times, st.integers(1, 28), month_fields, moments)
@settings(max_examples=80, deadline=None)
def test_the_nearest_weekday_agrees_with_croniter(time: str, day: int, month: str, after: datetime) -> None:
    text = f"{time} {day}W {month} ?"
    assert ours(text, after) == by_croniter(text.replace("?", "*"), after)


any_month_days = st.one_of(
    plain_fields(1, 31),
    st.just("?"),
    st.lists(st.sampled_from(["L", "LW", "1W", "15W", "31W", "13", "2-9/3"]), min_size=1, max_size=3).map(",".join),
)
any_week_days = st.one_of(
    week_fields,
    st.just("?"),
    st.lists(st.sampled_from(["5L", "SUNL", "1#5", "WED#2", "4"]), min_size=1, max_size=2).map(",".join),
)
anything = st.tuples(times, any_month_days, month_fields, any_week_days).map(" ".join)
zones = st.sampled_from(
    ["UTC", "Australia/Sydney", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Santiago"]
)


@given(anything, zones, moments)
@settings(max_examples=250, deadline=None)
def test_runs_come_in_order_and_each_satisfies_the_expression(text: str, zone: str, after: datetime) -> None:
    expression = parse(text)
    runs = next_runs(Timing(expression, datetime(1990, 1, 1), zone), after.replace(tzinfo=UTC), 30)
    instants = [run.at.timestamp() for run in runs]
    assert instants == sorted(set(instants))
    assert bool(runs) == (runs_per_day(expression) > 0)
    for run in runs:
        assert run.at > after.replace(tzinfo=UTC)
        if run.note != "skipped-hour":
            assert run.at.second in expression.seconds
            assert run.at.minute in expression.minutes
            assert run.at.hour in expression.hours
            assert run.at.day in expression.days.in_month(run.at.year, run.at.month)


@given(anything, zones, moments, st.integers(0, 8))
@settings(max_examples=100, deadline=None)
def test_asking_later_gives_the_rest_of_the_same_runs(text: str, zone: str, after: datetime, index: int) -> None:
    timing = Timing(parse(text), datetime(1990, 1, 1), zone)
    runs = next_runs(timing, after.replace(tzinfo=UTC), 12)
    if len(runs) == 12:
        assert next_runs(timing, runs[index].at, 11 - index) == runs[index + 1 :]
        just_before = runs[index].at.astimezone(UTC) - timedelta(seconds=1)
        assert next_runs(timing, just_before, 1) == runs[index : index + 1]


@given(st.tuples(times, month_fields, week_fields), st.tuples(times, month_fields, week_fields))
@settings(max_examples=150, deadline=None)
def test_equal_meaning_is_equal_runs(one: tuple[str, str, str], other: tuple[str, str, str]) -> None:
    """With one day field at most, where nothing is open, the meaning decides the runs and the runs the meaning."""
    first, second = (parse(f"{time} * {month} {weekday}") for time, month, weekday in (one, other))
    sets = [
        (item.seconds, item.minutes, item.hours, [item.days.in_month(2024, month) for month in range(1, 13)])
        for item in (first, second)
    ]
    assert (first == second) == (sets[0] == sets[1])


@given(plain_fields(0, 23), any_month_days, month_fields, any_week_days)
@settings(max_examples=40, deadline=None)
def test_runs_per_day_is_what_a_long_count_says(hour: str, day: str, month: str, weekday: str) -> None:
    """28 years without a skipped leap year hold every month in every shape equally often."""
    expression = parse(f"0 0 {hour} {day} {month} {weekday}")
    timing = Timing(expression, datetime(2001, 1, 1), "UTC")
    end = datetime(2029, 1, 1, tzinfo=UTC)
    before = datetime(2000, 12, 31, 23, 59, 59, tzinfo=UTC)
    counted = sum(1 for _ in itertools.takewhile(lambda run: run.at < end, iter_runs(timing, before)))
    assert abs(runs_per_day(expression) * 28 * 365.25 - counted) <= max(2 * len(expression.hours), counted * 0.01)
