"""What may be written as an expression, what it means, and what a person is told when it cannot be read."""

from __future__ import annotations

import pickle
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.timetable import Expression, TimetableError, describe, parse, parse_every, runs_per_day

REFUSED = [
    ("* * * * *", "five fields", "0 * * * * *"),
    ("0 2 * * MON-FRI", "five fields", "0 0 2 * * MON-FRI"),
    ("@daily", "@daily", "0 0 0 * * *"),
    ("@reboot", "@reboot", "six fields"),
    ("0 0 0 1 1 ? 2026", "seven fields", "0 0 0 1 1 ?"),
    ("", "empty", "six fields"),
    ("   ", "empty", "six fields"),
    ("0 0", "2 fields", "six fields"),
    ("60 0 0 * * *", "second", "0 to 59"),
    ("0 60 0 * * *", "minute", "0 to 59"),
    ("0 0 24 * * *", "hour", "0 to 23"),
    ("0 0 0 0 * *", "day of month", "1 to 31"),
    ("0 0 0 32 * *", "day of month", "1 to 31"),
    ("0 0 0 * 13 *", "month", "1 to 12"),
    ("0 0 0 * 0 *", "month", "1 to 12"),
    ("0 0 0 * * 8", "day of week", "0 to 7"),
    ("0 0 0 * * FRU", "FRU", "FRI"),
    ("0 0 0 * JANUARY *", "JANUARY", "JAN"),
    ("0 0 0 * * FRI-SUN", "backwards", "FRI,SAT,SUN"),
    ("0 0 22-4 * * *", "backwards", "22-23,0-4"),
    ("0 */0 * * * *", "step of 0", "1 or more"),
    ("0 0 0 L-3 * *", "L-3", "LW"),
    ("0 0 0 * * L", "L without a weekday", "6L"),
    ("0 0 0 * * 5#0", "number 0", "1 to 5"),
    ("0 0 0 * * 5#6", "number 6", "1 to 5"),
    ("0 0 0 W * *", "W", "15W"),
    ("0 0 0 32W * *", "32", "1 to 31"),
    ("0 0 L * * *", "hour", "0 to 23"),
    ("0 0 ? * * *", "hour", "?"),
    ("0 0 0 ?,1 * *", "day of month", "alone"),
    ("1,,2 0 0 * * *", "empty part", "comma"),
    ("0 0 0 1.5 * *", "1.5", "1 to 31"),
    ("0 0 0 1-5-9 * *", "1-5-9", "1 to 31"),
    ("0 0 0 *-5 * *", "*-5", "1 to 31"),
    ("-1 0 0 * * *", "-1", "0 to 59"),
    ("0 0 0 0", "zero", "one second"),
    ("a b c d", "interval", "numbers"),
    ("0 -5 0 0", "interval", "numbers"),
    ("0 0 0 99999", "out of range", "century"),
    ("\u0660 0 0 * * *", "characters", ""),
    ("0 0 0 * * fr\u0131", "characters", ""),
    ("0," * 600 + "0 0 0 * * *", "1211 characters", "1000"),
]


@pytest.mark.parametrize(("text", "what", "hint"), REFUSED)
def test_a_text_that_cannot_be_read_is_refused_with_the_next_step(text: str, what: str, hint: str) -> None:
    with pytest.raises(TimetableError) as caught:
        parse(text)
    assert what in caught.value.message
    assert hint in caught.value.hint
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize(
    ("text", "cron"),
    [
        ("30s", "30 0 0 0"),
        ("15m", "0 15 0 0"),
        ("6h", "0 0 6 0"),
        ("1d", "0 0 0 1"),
        (" 90 M ", "0 90 0 0"),
        ("007m", "0 7 0 0"),
    ],
)
def test_every_is_the_four_field_form(text: str, cron: str) -> None:
    expression = parse_every(text)
    assert expression == parse(cron)
    assert expression.text == cron
    assert expression.units == 1
    assert parse_every(expression.every() or "") == expression


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("1h30m", "90m"),
        ("1.5h", "90m"),
        ("90", "90m"),
        ("15 minutes", "15m"),
        ("15min", "15m"),
        ("PT15M", "15m"),
        ("2w", "14d"),
        ("0m", "one second"),
        ("-5m", "15m"),
        ("", "15m"),
        ("m", "15m"),
        ("40000d", "century"),
        ("9" * 5000 + "d", "15m"),
    ],
)
def test_every_that_cannot_be_read_is_refused_with_the_next_step(text: str, hint: str) -> None:
    with pytest.raises(TimetableError) as caught:
        parse_every(text)
    assert hint in caught.value.hint
    assert len(str(caught.value)) < 200


def test_the_vendor_s_own_sample_is_one_day() -> None:
    expression = parse("0 0 0 1")
    assert expression.is_interval
    assert expression.interval == timedelta(days=1)
    assert expression.every() == "1d"


def test_several_units_are_read_and_flagged() -> None:
    expression = parse("30 5 0 1")
    assert expression.units == 3
    assert expression.interval == timedelta(days=1, minutes=5, seconds=30)
    assert expression.every() is None


SAME = [
    ("0 0 2 * * MON-FRI", "0 0 2 * * 1-5"),
    ("0 0 2 * * MON-FRI", "  0\t0 2 ? * mon-Fri "),
    ("0 0 2 * * 0", "0 0 2 * * 7"),
    ("0 0 2 * * 0", "0 0 2 * * sun"),
    ("0 0 2 * * 5-7", "0 0 2 ? * FRI,SAT,SUN"),
    ("0 */15 * * * *", "0 0/15 * * * *"),
    ("0 */15 * * * *", "0 45,30,15,0 * * * *"),
    ("0 0-59/15 * * * *", "00 */15 * * * *"),
    ("0 0 0 1-31 * *", "0 0 0 ? * *"),
    ("0 0 12-12 * * *", "0 0 12-12/5 * * *"),
    ("0 0 12-12 * * *", "0 0 12 * * *"),
    ("0 0 0 * * 0-7/7", "0 0 0 * * SUN"),
    ("0 0 0 * * 5-7/2", "0 0 0 * * FRI,SUN"),
    ("*/1 0 0 */1 */1 */1", "* 0 0 * * ?"),
    ("0 0 0 * 1-12 *", "0 0 0 * JAN-DEC 0-6"),
    ("0 0 0 * * 1,1,2", "0 0 0 * * TUE,MON"),
    ("0 0 0 15W,L * ?", "0 0 0 L,15W * *"),
    ("0 0 0 ? * FRI#3", "0 0 0 * * 5#3"),
    ("0 0 0 ? * FRIL", "0 0 0 * * 5l"),
    ("0 0 0 ? * 7L", "0 0 0 * * 0L"),
    ("0 0 0 13 * FRI", "0 0 0 13 1-12 5"),
    ("60 0 0 0", "0 1 0 0"),
    ("0 0 24 0", "0 1440 0 0"),
]

DIFFERENT = [
    ("0 0 2 * * 1-5", "0 0 2 * * 1-6"),
    ("0 0 2 * * *", "0 0 3 * * *"),
    ("0 0 0 L * *", "0 0 0 LW * *"),
    ("0 0 0 15 * *", "0 0 0 15W * *"),
    ("0 0 0 * * 5", "0 0 0 * * 5L"),
    ("0 0 0 * * 5#1", "0 0 0 * * 5#2"),
    ("0 1 0 0", "0 0 0 1 1 *"),
    # A day keeps its time on the clock when daylight saving comes, 24 hours do not.
    ("0 0 0 1", "0 0 24 0"),
    # What ACC makes of several units, or of both day fields, is not known: neither may be merged away.
    ("0 30 1 0", "0 90 0 0"),
    ("0 0 0 1-31 * MON", "0 0 0 * * MON"),
    ("0 0 0 1-31 * MON", "0 0 0 * * *"),
    ("0 0 0 */2 * MON", "0 0 0 1/2 * MON"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_equal_meaning_however_it_is_written(one: str, other: str) -> None:
    assert parse(one) == parse(other)
    assert hash(parse(one)) == hash(parse(other))
    assert parse(one).meaning == parse(other).meaning


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_different_meaning(one: str, other: str) -> None:
    assert parse(one) != parse(other)
    assert parse(one).meaning != parse(other).meaning


def test_the_text_of_a_meaning_does_not_change_between_versions() -> None:
    """The ledger keeps digests of these: a new spelling would look like drift everywhere."""
    assert parse("0 */30 2 ? JAN,JUL MON-WED").meaning == "cron 0 0,30 2 * 1,7 1,2,3"
    assert parse("* * * L,LW,15W,3 * ?").meaning == "cron * * * 3,L,LW,15W * *"
    assert parse("0 0 0 13 * FRI,5L,1#2").meaning == "cron 0 0 0 13 * 5,5L,1#2 both"
    assert parse("0 0 0 */2 * FRI").meaning == "cron 0 0 0 ~1,3,5,7,9,11,13,15,17,19,21,23,25,27,29,31 * 5 both"
    assert parse("0 15 0 0").meaning == "every 900s"
    assert parse("0 0 0 2").meaning == "every 2d"
    assert parse("0 15 1 0").meaning == "mixed 0 15 1 0"


def test_the_normal_form_keeps_the_words() -> None:
    assert parse("  0 0  2 ?\t* mon-fri\n").text == "0 0 2 ? * MON-FRI"
    assert parse("00 015 0 0").text == "0 15 0 0"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0 0 2 * * MON-FRI", "at 02:00:00 on Monday to Friday"),
        ("0 15 0 0", "every 15 minutes"),
        ("0 0 0 1", "every day"),
        ("0 30 1 0", "every hour and 30 minutes"),
        ("* * * * * *", "every second"),
        ("*/10 * * * * *", "every 10 seconds"),
        ("0 * * * * *", "every minute"),
        ("0 */15 * * * *", "every 15 minutes"),
        ("0 0 * * * *", "every hour"),
        ("0 0 0/2 * * *", "every 2 hours"),
        ("0 0 */6 * * *", "at 00:00:00, 06:00:00, 12:00:00 and 18:00:00 every day"),
        ("0 0 8-18 * * MON-FRI", "on the hour, 08:00 to 18:00 on Monday to Friday"),
        ("0 0 1,3,5,7,9-12,14 * * *", "on the hour, 01:00, 03:00, 05:00, 07:00, 09:00 to 12:00 and 14:00 every day"),
        ("0 0/5 14,18 * * *", "every 5 minutes, from 14:00 to 14:59 and 18:00 to 18:59"),
        ("0 5 * * * *", "every hour at minute 5"),
        ("30 5 */2 * * *", "every 2 hours at minute 5, second 30"),
        ("30 0 * * * *", "every hour at minute 0, second 30"),
        ("0 0 */5 * * *", "at 00:00:00, 05:00:00, 10:00:00, 15:00:00 and 20:00:00 every day"),
        ("15,45 0 9 * * *", "at 09:00:15 and 09:00:45 every day"),
        ("0 */7 * * * *", "at minutes 0, 7, 14, 21, 28, 35, 42, 49 and 56 of every hour"),
        ("*/7 * * * * *", "at seconds 0, 7, 14, 21, 28, 35, 42, 49 and 56 of every minute"),
        ("*/20 5 * * * *", "at minute 5 of every hour, seconds 0, 20 and 40"),
        ("0 */10 8-10 * * *", "every 10 minutes, from 08:00 to 10:59"),
        ("0 5,7 8-18 * * *", "at minutes 5 and 7 of the hour, from 08:00 to 18:59 every day"),
        ("0 5,7 1-3,6,8,10 * * *", "at minutes 5 and 7 of the hour, in the hours 01 to 03, 06, 08 and 10 every day"),
        ("* * 5 * * *", "every second, from 05:00 to 05:59"),
        ("0 0 0 1,15 * ?", "at 00:00:00 on days 1 and 15 of the month"),
        ("0 0 0 L * ?", "at 00:00:00 on the last day of the month"),
        ("0 0 0 LW * ?", "at 00:00:00 on the last weekday of the month"),
        ("0 0 0 15W * ?", "at 00:00:00 on the weekday nearest to day 15 of the month"),
        ("0 0 0 ? * 5#3", "at 00:00:00 on the third Friday of the month"),
        ("0 0 0 ? * 5L", "at 00:00:00 on the last Friday of the month"),
        ("0 0 0 ? * SAT,SUN", "at 00:00:00 on Saturday and Sunday"),
        ("0 0 0 13 * FRI", "at 00:00:00 on day 13 of the month or on Friday"),
        ("0 0 0 * JAN-MAR *", "at 00:00:00 every day in January to March"),
    ],
)
def test_plain_english(text: str, words: str) -> None:
    assert describe(parse(text)) == words


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("0 15 0 0", 96),
        ("0 0 0 2", 0.5),
        ("0 0 2 * * *", 1),
        ("0 0 2 * * MON-FRI", 5 / 7),
        ("0 */20 * * * *", 72),
        ("* * * * * *", 86400),
        ("0 0 0 1 1 *", 400 / 146097),
        ("0 0 0 29 2 *", 97 / 146097),
        ("0 0 0 31 2 *", 0),
        ("0 0 0 L * *", 4800 / 146097),
        ("0 0 0 LW * *", 4800 / 146097),
        ("0 0 0 ? * 1#1", 4800 / 146097),
        ("0 0 0 13 * FRI", (4800 - 688 + 20871) / 146097),
    ],
)
def test_runs_per_day(text: str, rate: float) -> None:
    """688 times in 400 years the 13th is a Friday."""
    assert runs_per_day(parse(text)) == pytest.approx(rate, rel=1e-12)


def test_an_expression_survives_pickling() -> None:
    for text in ("0 0 2 ? * 5#3", "0 15 0 0"):
        expression = parse(text)
        copy = pickle.loads(pickle.dumps(expression))
        assert isinstance(copy, Expression)
        assert copy == expression
        assert copy.days.in_month(2026, 11) == expression.days.in_month(2026, 11)


@given(st.text(alphabet="0123456789*/,-?LW#SUNMOJAFRI @é\n", max_size=60))
@settings(max_examples=500, deadline=None)
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        expression = parse(text)
    except TimetableError as error:
        assert error.message
    else:
        assert parse(expression.text) == expression
        assert describe(expression)


@given(st.text(alphabet="0123456789smhdwp.T -", max_size=30))
@settings(max_examples=300, deadline=None)
def test_any_every_is_read_or_refused(text: str) -> None:
    try:
        expression = parse_every(text)
    except TimetableError as error:
        assert error.hint
    else:
        assert expression.interval
        assert parse_every(expression.every() or "") == expression
