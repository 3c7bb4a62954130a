"""Lengths of time and rates mean the same in manifests and on the command line."""

from __future__ import annotations

import pytest
from click import BadParameter

from reconciler.cli.options import Duration
from reconciler.quantities import per_second_of, seconds_of

LENGTHS = [("500ms", 0.5), ("30s", 30), (" 5 m ", 300), ("1.5h", 5400), ("2d", 172_800)]


@pytest.mark.parametrize(("text", "seconds"), LENGTHS)
def test_a_length_of_time_has_one_meaning(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds
    assert Duration().convert(text, None, None).total_seconds() == seconds


@pytest.mark.parametrize("text", ["", "5", "m", "-5m", "1w", "5 minutes", "1h30m", "\uff11s", "99999999d"])
def test_what_is_no_length_of_time(text: str) -> None:
    with pytest.raises(ValueError, match="is no duration"):
        seconds_of(text)
    with pytest.raises(BadParameter):
        Duration().convert(text, None, None)


def test_no_time_at_all_is_a_choice_on_the_command_line_only() -> None:
    assert Duration().convert("0s", None, None).total_seconds() == 0
    assert seconds_of("0s", may_be_zero=True) == 0
    with pytest.raises(ValueError, match="is no duration"):
        seconds_of("0s")


@pytest.mark.parametrize(("text", "rate"), [("20/s", 20), ("600/m", 10), ("1800 / h", 0.5)])
def test_a_rate_is_one_a_second(text: str, rate: float) -> None:
    assert per_second_of(text) == rate


@pytest.mark.parametrize("text", ["", "20", "0/s", "20/d", "-1/s"])
def test_what_is_no_rate(text: str) -> None:
    with pytest.raises(ValueError, match="is no rate"):
        per_second_of(text)
