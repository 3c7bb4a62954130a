"""Amounts as a person reads and writes them: `1 file`, `12,000 lines`, `2 h 5 min`, `10 MB`; `30s`, `20/s`."""

from __future__ import annotations

import re
from collections.abc import Sequence

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*(ms|s|m|h|d)\s*", re.ASCII)
_RATE = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*/\s*([smh])\s*", re.ASCII)


def counted(number: int, noun: str, plural: str = "") -> str:
    """`1 schedule`, `2,400 schedules`; `plural` where an s is not enough."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def counted_or_no(number: int, noun: str) -> str:
    """`no errors`, `1 error`, `2 errors`."""
    return counted(number, noun) if number else f"no {noun}s"


def first_few(names: Sequence[str], most: int, *, between: str = ", ", rest: str = "more") -> str:
    """The first names, and how many there are beside them: `a, b and 1,200 more`."""
    left_out = len(names) - most
    return between.join(names[:most]) + (f" and {left_out:,} {rest}" if left_out > 0 else "")


def times_text(number: int) -> str:
    """`once`, `2 times`, `1,200 times`."""
    return "once" if number == 1 else counted(number, "time")


def span_text(seconds: float) -> str:
    """A stretch of time, to the minute where it has one: `45 s`, `12 min`, `2 h 5 min`."""
    minutes = int(seconds // 60)
    if minutes < 1:
        return f"{seconds:.0f} s"
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"


def short_span_text(seconds: int) -> str:
    """A stretch of time where there is little room: `45s`, `12m`, `1h 05m`."""
    if seconds < 90:
        return f"{seconds}s"
    minutes = round(seconds / 60)
    return f"{minutes}m" if minutes < 90 else f"{minutes // 60}h {minutes % 60:02}m"


def rate_text(per_second: float) -> str:
    """`24/s`, `2.4/s`, `40/min`."""
    if per_second >= 1:
        return f"{per_second:.0f}/s" if per_second >= 10 else f"{per_second:.1f}/s"
    return f"{per_second * 60:.0f}/min"


def size_text(count: int) -> str:
    """A number of bytes: `10 MB`."""
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("KB", 10**3)):
        if count >= size:
            return f"{count / size:g} {unit}"
    return counted(count, "byte")


def seconds_of(text: str, *, may_be_zero: bool = False) -> float:
    """The seconds of a duration such as `30s` or `1.5h`. Raises ValueError when the text is none."""
    match = _DURATION.fullmatch(text)
    seconds = float(match[1]) * _SECONDS[match[2]] if match else -1.0
    if not 0 <= seconds < 1e9 or (seconds == 0 and not may_be_zero):
        raise ValueError(f"{text[:40]!r} is no duration: write it like 30s, 5m or 1h")
    return round(seconds, 6)


def per_second_of(text: str) -> float:
    """The requests per second of a rate such as `20/s`. Raises ValueError when the text is none, or is zero."""
    match = _RATE.fullmatch(text)
    value = float(match[1]) / _SECONDS[match[2]] if match else 0.0
    if not 0 < value < 1e9:
        raise ValueError(f"{text[:40]!r} is no rate: write it like 20/s, 600/m or 1000/h")
    return value
