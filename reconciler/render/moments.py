"""Moments as seen from another one: `in 2 h`, `3 days ago`. Nothing here looks at a clock."""

from __future__ import annotations

from datetime import UTC, datetime

from reconciler.quantities import counted

_MOST_HOURS = 48


def relative_text(moment: str, now: str) -> str:
    """How far a moment is from now, both RFC 3339, in its largest unit; "" where either is none."""
    there, here = moment_of(moment), moment_of(now)
    if there is None or here is None:
        return ""
    seconds = round((there - here).total_seconds())
    if seconds == 0:
        return "now"
    span = _span(abs(seconds))
    return f"in {span}" if seconds > 0 else f"{span} ago"


def moment_of(text: str) -> datetime | None:
    """A moment from RFC 3339; None where it is none."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _span(seconds: int) -> str:
    """Days from two on, hours below them."""
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3_600:
        return f"{seconds // 60} min"
    hours = seconds // 3_600
    return f"{hours} h" if hours < _MOST_HOURS else counted(hours // 24, "day")
