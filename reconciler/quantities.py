"""Amounts as a person reads them: `1 file`, `12 000 lines`, `2 h 5 min`, `10 MB`."""

from __future__ import annotations


def counted(number: int, noun: str, plural: str = "", *, thousands: str = "") -> str:
    """`1 schedule`, `2 schedules`; `plural` where an s is not enough. `thousands` stands between groups of digits."""
    figure = f"{number:,}".replace(",", thousands)
    return f"{figure} {noun if number == 1 else plural or noun + 's'}"


def counted_or_no(number: int, noun: str) -> str:
    """`no errors`, `1 error`, `2 errors`."""
    return counted(number, noun) if number else f"no {noun}s"


def times_text(number: int) -> str:
    """`once`, `2 times`, `1,200 times`."""
    return "once" if number == 1 else counted(number, "time", thousands=",")


def span_text(seconds: float) -> str:
    """A stretch of time, to the minute where it has one: `45 s`, `12 min`, `2 h 5 min`."""
    minutes = int(seconds // 60)
    if minutes < 1:
        return f"{seconds:.0f} s"
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"


def size_text(count: int) -> str:
    """A number of bytes: `10 MB`."""
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("KB", 10**3)):
        if count >= size:
            return f"{count / size:g} {unit}"
    return counted(count, "byte")
