"""What no document promises of cron is warned of or refused, never taken without a word; what is promised is not."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from reconciler.timetable import TimetableError, Timing, findings, parse

NOW = datetime(2026, 5, 4, tzinfo=UTC)

PROMISED = (
    *("0 0 2 * * *", "0/5 * * * * *", "0,30 * * * * *", "*/15 * * * * *", "0 5-10 8-18/2 * * *", "0 0 2 1,15 * ?"),
    *("0 0 2 L * ?", "0 0 2 LW * ?", "0 0 2 15W * ?", "0 0 2 ? * 5L", "0 0 2 ? * 5#3", "0 0 2 ? JAN-JUN MON-FRI"),
    *("0 0 2 ? * SUN,SAT", "0 0 2 ? * 0", "0 0 2 ? * 7", "0 0 2 ? * 1-7", "0 0 2 1-7,15,20-28/2 * ?", "0 0 2 * 1,7 *"),
    *("0 15 0 0", "0 0 0 1"),
)
WARNED = {
    "0 0 2 1,2W * ?": "2W in a list",
    "0 0 2 2W,1 * ?": "2W in a list",
    "0 0 2 LW,15 * ?": "LW in a list",
    "0 0 2 15,LW * ?": "LW in a list",
    "0 0 2 L,15 * ?": "L in a list",
    "0 0 2 1-5,L * ?": "L in a list",
    "0 0 2 L,LW * ?": "L, LW in a list",
    "0 0 2 15W,20W * ?": "15W, 20W in a list",
    "0 0 2 */5,15W * ?": "15W in a list",
    "0 0 2 ? * 5#3,1#1": "5#3, 1#1 in a list",
    "0 0 2 ? * MON,5#3": "5#3 in a list",
    "0 0 2 ? * 1,5L": "5L in a list",
    "0 0 2 ? * 5L,6L": "5L, 6L in a list",
    "0 0 2 ? * 1-3,5#3": "5#3 in a list",
    "0 0 2 ? * FRI#3": "FRI#3, a weekday by its name",
    "0 0 2 ? * fri#3": "FRI#3, a weekday by its name",
    "0 0 2 ? * FRIL": "FRIL, a weekday by its name",
    "0 0 2 ? * ?": "? in both day fields",
    "0 0 2 *,5 * ?": "* in a list",
    "0 */15,7 2 * * *": "* in a list",
    "0 0 2 ? * *,5": "* in a list",
}
REFUSED = (
    *("0 0 2 L-3 * ?", "0 0 2 1-L * ?", "0 0 2 L-5W * ?", "0 0 2 L/2 * ?", "0 0 2 LW/2 * ?", "0 0 2 15W-20 * ?"),
    *("0 0 2 15W/2 * ?", "0 0 2 W * ?", "0 0 2 WL * ?", "0 0 2 0W * ?", "0 0 2 32W * ?", "0 0 2 15w-20w * ?"),
    *("0 0 2 ? * L", "0 0 2 ? * 5L-6", "0 0 2 ? * 5L-6L", "0 0 2 ? * 1-5L", "0 0 2 ? * 5#6", "0 0 2 ? * 5#0"),
    *("0 0 2 ? * 5#3-4", "0 0 2 ? * 1-5#3", "0 0 2 ? * #3", "0 0 2 ? * 5#", "0 0 2 ? * 5#3/2", "0 0 2 ? * 15W"),
    *("0 0 2 5#3 * ?", "0 0 2 5L * ?", "0 0 2 ?,5 * ?", "0 0 2 ?/2 * ?", "0 0 ? * * *", "? 0 2 * * *", "0 0 L * * *"),
    *("0 0 2 * L *", "0 0 2 ? * 5,", "0 0 2 20-10 * ?", "0 0 2 ? * FRI-MON", "0 0 2 *-5 * ?", "0 0 2 * * * *"),
    *("0 2 * * *", "@daily", "0 0 2 ? * H", "H 0 2 * * *", "0 0 2 C * ?", "0 0 2 1 1 ? 2027"),
)


def warned(text: str) -> str:
    timing = Timing(parse(text), datetime(2026, 1, 1), "UTC")
    return " ".join(message for code, message in findings(timing, NOW) if code == "undocumented-cron")


@pytest.mark.parametrize("text", PROMISED)
def test_what_is_promised_is_taken_without_a_word(text: str) -> None:
    assert warned(text) == ""


@pytest.mark.parametrize(("text", "words"), WARNED.items())
def test_what_is_not_promised_is_warned_of(text: str, words: str) -> None:
    assert words in warned(text)
    assert "No document says" in warned(text)


@pytest.mark.parametrize("text", REFUSED)
def test_what_nobody_can_read_for_sure_is_refused(text: str) -> None:
    with pytest.raises(TimetableError) as told:
        parse(text)
    assert told.value.hint
