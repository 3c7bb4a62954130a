"""How often a schedule runs and when next, as a reader wants to know it: `24 → 72 runs a day`, `Mon 23 Nov 02:00`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from reconciler.model.plan import Action, Change, Preview

_UNITS = (("day", 1.0), ("week", 7.0), ("month", 365.25 / 12), ("year", 365.25))
_BIG_FACTOR = 2.0
_OFTEN = 24 * 60.0
_LONG_PAUSE = timedelta(days=1)
TIMES = "×"  # noqa: RUF001 - the sign, not the letter


def frequency_text(preview: Preview, *, arrow: str = "→", times: str = TIMES) -> str:
    """`24 → 72 runs a day` and the factor; one number where nothing changes; empty where nothing is to be said."""
    before, after = preview.before_per_day, preview.after_per_day
    if before is None and after is None:
        return ""
    if before is None or after is None or _alike(before, after):
        rate = after if after is not None else before
        assert rate is not None
        unit, size = _unit(rate)
        amount = _number(rate * size)
        return f"{amount} {'run' if amount == '1' else 'runs'} a {unit}"
    unit, size = _unit(max(before, after))
    text = f"{_number(before * size)} {arrow} {_number(after * size)} runs a {unit}"
    factor = frequency_factor(preview)
    return f"{text}, {_number(factor)}{times}" if factor is not None else text


def frequency_factor(preview: Preview | None) -> float | None:
    """By how much a change multiplies how often a schedule runs; None where it does not, or cannot be said."""
    if preview is None or not preview.before_per_day or not preview.after_per_day:
        return None
    if _alike(preview.before_per_day, preview.after_per_day):
        return None
    return preview.after_per_day / preview.before_per_day


def multiplies(change: Change) -> bool:
    """Whether the change makes a schedule run at least twice as often, or at most half as often."""
    factor = frequency_factor(change.preview)
    return factor is not None and (factor >= _BIG_FACTOR or factor <= 1 / _BIG_FACTOR)


def never_ran(preview: Preview | None) -> bool:
    """Whether it runs from now on, while its timing so far held no run at all."""
    return preview is not None and preview.before_per_day == 0 and bool(preview.after_per_day)


def never_runs(preview: Preview | None) -> bool:
    """Whether it ran so far, and its new timing holds no run at all."""
    return preview is not None and bool(preview.before_per_day) and preview.after_per_day == 0


def moves_first_run(preview: Preview | None) -> bool:
    """Whether all the next runs are past, or still to come, by more than a day when the first one of the others is.

    So it is where a start moves into the future, or comes back from there.
    """
    if preview is None or not preview.before_runs or not preview.after_runs:
        return False
    before, after = ([_moment(run) for run in runs] for runs in (preview.before_runs, preview.after_runs))
    if before[-1] is None or after[0] is None or before[0] is None or after[-1] is None:
        return False
    return after[0] - before[-1] > _LONG_PAUSE or before[0] - after[-1] > _LONG_PAUSE


def runs_every_minute(preview: Preview | None) -> bool:
    """Whether it runs every minute or more often, and nothing is known of how often it did before."""
    return preview is not None and preview.before_per_day is None and (preview.after_per_day or 0) >= _OFTEN


def first_runs_text(previews: Sequence[Preview]) -> str:
    """`no run before Mon 1 Jan 2035 02:00 (UTC)`; `first run …` where it comes sooner than so far."""
    first = min((preview.after_runs[0] for preview in previews if preview.after_runs), key=_instant, default="")
    due = min((preview.before_runs[0] for preview in previews if preview.before_runs), key=_instant, default="")
    if not first:
        return "when it runs next is not known"
    said = "no run before" if due and _instant(first) > _instant(due) else "first run"
    return f"{said} {_first([first], year=True)}"


def switch_text(preview: Preview, action: Action) -> str:
    """What follows from switching a schedule on or off: `next run Mon 23 Nov 02:00 (UTC+11:00)`, or that none does."""
    if action is Action.ENABLE:
        return f"next run {_first(preview.after_runs)}" if preview.after_runs else "no run follows from its timing"
    if not preview.before_runs:
        return "no run was due"
    return f"no further run; the next was due {_first(preview.before_runs)}"


def switches_text(previews: Sequence[Preview], action: Action) -> str:
    """The same for many schedules: where their next runs differ, the first of all, and how many have none."""
    told = {switch_text(preview, action) for preview in previews}
    if len(told) == 1:
        return told.pop()
    nexts = [preview.after_runs if action is Action.ENABLE else preview.before_runs for preview in previews]
    first = min((runs[0] for runs in nexts if runs), key=_instant)
    without = sum(not runs for runs in nexts)
    if action is Action.ENABLE:
        return f"first run {_first([first])}" + (f"; no run follows of {without}" if without else "")
    return f"no further run; the first was due {_first([first])}" + (f"; of {without} none was due" if without else "")


def _instant(run: str) -> tuple[bool, float, str]:
    """What runs are sorted by, whatever their offsets; what is no time comes last."""
    moment = _moment(run)
    return (moment is None, moment.timestamp() if moment else 0.0, run)


def _first(runs: Sequence[str], *, year: bool = False) -> str:
    (text,), offset = run_texts(runs[:1], year=0 if year else None)
    return f"{text} ({offset})" if offset else text


def run_texts(runs: Sequence[str], *, year: int | None = None) -> tuple[list[str], str]:
    """Next runs for reading (`Mon 23 Nov 02:00`), and the offset that all share, if they do; else each has its own.

    A year stands where it is not `year`, or else the first run's.
    """
    moments = [_moment(run) for run in runs]
    offsets = {moment.strftime("%z") if moment else "" for moment in moments}
    shared = offsets.pop() if len(offsets) == 1 else ""
    if year is None:
        year = next((moment.year for moment in moments if moment), 0)
    texts = [
        _run_text(moment, year, offset=not shared) if moment else run for run, moment in zip(runs, moments, strict=True)
    ]
    return texts, _offset_text(shared)


def day_text(day: date) -> str:
    """`Mon 23 Nov`."""
    return f"{day:%a} {day.day} {day:%b}"


def minute_text(moment: str) -> str:
    """A time to the minute, with its offset: `2026-11-23 02:00 +11:00`, `2026-11-23 02:00 UTC`."""
    return _clock_text(moment, 16)


def second_text(moment: str) -> str:
    """The same to the second: `2026-11-22 20:45:03 UTC`."""
    return _clock_text(moment, 19)


def _clock_text(moment: str, length: int) -> str:
    """The first so many characters for reading, and the offset; what is shorter stays as it is."""
    if len(moment) < length:
        return moment
    offset = "UTC" if moment[19:] in ("Z", "+00:00") else moment[19:]
    return f"{moment[:10]} {moment[11:length]} {offset}".rstrip()


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _offset_text(offset: str) -> str:
    if not offset:
        return ""
    return "UTC" if offset == "+0000" else f"UTC{offset[:3]}:{offset[3:5]}"


def _run_text(moment: datetime, year: int, *, offset: bool) -> str:
    seconds = f":{moment.second:02d}" if moment.second else ""
    day = day_text(moment)
    if moment.year != year:
        day += f" {moment.year}"
    zone = moment.strftime("%z")[:5] if offset else ""
    return f"{day} {moment.hour:02d}:{moment.minute:02d}{seconds}{' ' + zone if zone else ''}"


def _alike(one: float, other: float) -> bool:
    return abs(one - other) <= 0.01 * max(abs(one), abs(other))


def _unit(per_day: float) -> tuple[str, float]:
    for unit, days in _UNITS:
        if per_day * days >= 0.995:
            return unit, days
    return "day" if not per_day else "year", 1.0 if not per_day else 365.25


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.2f}".rstrip("0").rstrip(".")
