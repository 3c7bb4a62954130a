"""The calendar as one page to hang on a wall: a picture of the days, and below it the names. It needs no network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import NamedTuple

from reconciler.calendar.forecast import Calendar
from reconciler.calendar.form_words import (
    ASSUMPTION,
    SOURCES,
    Shades,
    plural,
    quarter_text,
    shades_of,
)
from reconciler.calendar.html_sections import LISTED_ROWS, schedule_rows, sections
from reconciler.render import Stamp
from reconciler.render.frequency import day_text
from reconciler.render.html.scaffold import page

_STEPS = 8
_STARTS = "starts an hour"
_WEEK = 10
"""Up to so many days stand side by side on a phone; more stand below each other."""


class _Fact(NamedTuple):
    """A number of the summary, what is said beside it, and whether somebody should look at it."""

    name: str
    value: int
    aside: str = ""
    is_bad: bool = False


@dataclass(frozen=True, slots=True)
class _Cell:
    """An hour of the picture: the classes that colour it, and its number in each view."""

    classes: str
    title: str
    numbers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class _Day:
    """A line of the picture, and of the table that says the same."""

    day: int
    weekday: str
    name: str
    is_weekend: bool
    cells: tuple[_Cell, ...]
    starts: tuple[int | None, ...]

    @property
    def total(self) -> int:
        return sum(count or 0 for count in self.starts)


def calendar(found: Calendar, stamp: Stamp) -> str:
    """The whole page."""
    grid = found.shown.grid
    starts = shades_of(grid.rates(), _STEPS)
    load = shades_of(grid.load, _STEPS) if grid.load is not None else None
    views, ramps = [("starts", "Starts")], [("starts", _STARTS, _ramp(starts, _STARTS))]
    if load is not None:
        views.append(("load", "Runs at a time"))
        ramps.append(("load", "runs at a time", _ramp(load, "runs at a time")))
    if found.before is not None:
        views.append(("change", "What the plan changes"))
    return page(
        Path(__file__).with_suffix(".html"),
        stamp,
        title="Calendar",
        rules=f":root{{--days:{len(grid.days)}}}{_places('d', len(grid.days))}{_places('h', 24)}",
        found=found,
        source=SOURCES[found.source],
        span=_span(found),
        facts=_facts(found),
        unreadable=plural(len(found.unreadable), "agent"),
        views=views,
        chosen="change" if found.before is not None else "starts",
        shape="week" if len(grid.days) <= _WEEK else "many",
        total=plural(found.shown.load.total, "start"),
        days=[_day(found, index, starts, load) for index in range(len(grid.days))],
        ramps=ramps,
        sections=list(sections(found)),
        rows=schedule_rows(found),
        listed=LISTED_ROWS,
        assumption=ASSUMPTION,
    )


def _places(name: str, count: int) -> str:
    """Classes that say where a cell stands: the policy of all pages allows no style on an element."""
    return "".join(f".{name}{number}{{--{name}:{number}}}" for number in range(count))


def _span(found: Calendar) -> str:
    first, last = found.days[0], found.days[-1]
    if first == last:
        return f"{first.day} {first:%B} {first.year}"
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day} to {last.day} {first:%B} {first.year}"
    if first.year == last.year:
        return f"{first.day} {first:%B} to {last.day} {last:%B} {first.year}"
    return f"{day_text(first)} {first.year} to {day_text(last)} {last.year}"


def _facts(found: Calendar) -> Iterator[_Fact]:
    side, before = found.shown, found.before
    off = sum(not entry.job.enabled for entry in side.entries)
    peak = max(side.load.starts, default=0)
    quarter = ""
    if peak:
        quarter = quarter_text(found, side.load.window.begin + side.load.starts.index(peak) * 900)

    def was(value: int, then: int | None) -> str:
        return f"was {then:,}" if then is not None and then != value else ""

    total, collisions = side.load.total, len(side.collisions)
    yield _Fact("schedules enabled", len(side.entries) - off, f"{off:,} disabled" if off else "")
    yield _Fact("starts", total, was(total, before.load.total if before else None))
    peak_then = max(before.load.starts, default=0) if before else None
    yield _Fact("starts in the busiest quarter hour", peak, was(peak, peak_then) or quarter)
    collisions_then = len(before.collisions) if before else None
    yield _Fact("collisions", collisions, was(collisions, collisions_then), is_bad=bool(collisions))
    groups = side.load.simultaneous_count
    yield _Fact(f"simultaneous starts of {found.threshold} and more", groups, is_bad=bool(groups))


# --- the picture -----------------------------------------------------------------------------------------------------


def _day(found: Calendar, index: int, starts: Shades, load: Shades | None) -> _Day:
    day = found.shown.grid.days[index]
    return _Day(
        day.day,
        f"{day:%a}",
        day_text(day),
        day.weekday() > 4,
        tuple(_cell(found, index, hour, starts, load) for hour in range(24)),
        tuple(found.shown.grid.starts[index]),
    )


def _cell(found: Calendar, index: int, hour: int, starts: Shades, load: Shades | None) -> _Cell:
    grid = found.shown.grid
    count, level = grid.starts[index][hour], starts.levels[index][hour]
    day = grid.days[index]
    if count is None:
        return _Cell("gone-hour", f"{day_text(day)}: {hour:02}:00 is skipped")
    classes = [f"s{level}"]
    numbers = [("s", _number(count))]
    title = f"{day_text(day)} {hour:02}:00: {plural(count, 'start')}"
    if load is not None and grid.load is not None:
        value = grid.load[index][hour] or 0.0
        classes.append(f"l{load.levels[index][hour]}")
        digits = 1 if grid.highest >= 1 else 2
        if round(value, digits):
            numbers.append(("l", f"{value:.{digits}f}"))
        title += f", {value:.{digits}f} runs at a time"
    if found.before is not None:
        change = count - (found.before.grid.starts[index][hour] or 0)
        most = _most_change(found)
        if change:
            step = max(1, round(3 * abs(change) / most))
            classes.append(f"g{'u' if change > 0 else 'd'}{step}")
            numbers.append(("g", f"{change:+d}"))
            title += f", {change:+d} by the plan"
    if grid.seconds[index][hour] > 3600:
        classes.append("twice")
        title += "; this hour comes twice"
    now = found.local(int(found.as_of.timestamp()))
    if (now.date(), now.hour) == (day, hour):
        classes.append("now")
        title += "; now"
    return _Cell(" ".join(classes), title, tuple(numbers))


def _most_change(found: Calendar) -> int:
    assert found.before is not None
    pairs = zip(found.shown.grid.starts, found.before.grid.starts, strict=True)
    return max((abs((a or 0) - (b or 0)) for one, two in pairs for a, b in zip(one, two, strict=True)), default=1) or 1


def _number(count: int) -> str:
    if not count:
        return ""
    return str(count) if count < 10_000 else f"{count // 1000}k"


def _ramp(shades: Shades, unit: str) -> list[tuple[int, str]]:
    """The key of a view: each shade that occurs, and from which number on."""
    seen = {level for day in shades.levels for level in day if level is not None}
    bounds = {level: f"from {_bound(bound, unit)}" for level, bound in enumerate(shades.bounds, 1)}
    return [(level, text) for level, text in ({0: "none"} | bounds).items() if level in seen]


def _bound(value: float, unit: str) -> str:
    if unit == _STARTS:
        return f"{ceil(value):,}"
    return f"{value:.1f}" if value >= 1 else f"{value:.2f}"
