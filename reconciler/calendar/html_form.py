"""The calendar as one page to hang on a wall: a picture of the days, and below it the names. It needs no network."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from math import ceil
from pathlib import Path
from typing import NamedTuple, TypeAlias

from msgspec import Struct

from reconciler.calendar.forecast import Calendar, Entry, Forecast
from reconciler.calendar.form_words import (
    ASSUMPTION,
    SOURCES,
    Shades,
    clock_text,
    collision_text,
    days_of,
    length_text,
    moment_text,
    plural,
    quarter_text,
    quarters_of,
    shades_of,
    times_of,
)
from reconciler.calendar.job_starts import QUARTER
from reconciler.model.copies import replace
from reconciler.render import Stamp
from reconciler.render.frequency import TIMES, day_text
from reconciler.render.html.scaffold import page
from reconciler.timetable.instants import starts_between

_STEPS = 8
_STARTS = "starts an hour"
_RUNS = "runs at a time"
_WEEK = 10
"""Up to so many days stand side by side on a phone; more stand below each other."""

_LISTED_ROWS = 1_000
_LISTED = 12

_Cell: TypeAlias = tuple[str, str, list[tuple[str, str]]]
"""An hour of the picture: the classes that colour it, what it says, and its number in each view."""


_COLOURS = "".join(
    f".see-starts .s{step},.see-load .l{step},.i{step}{{background:var(--c{step});color:var(--on{step})}}"
    for step in range(_STEPS + 1)
) + "".join(
    f".see-change .g{way[0]}{step},.ig{way[0]}{step}"
    f"{{background:color-mix(in srgb,var(--{way}) {24 * step}%,var(--c0));color:var(--ink)}}"
    for step in (1, 2, 3)
    for way in ("up", "down")
)
"""The shades of the views, and those of more and fewer starts."""


class Tag(NamedTuple):
    """A word in a frame; its style says whether it is new, gone or switched off."""

    style: str
    word: str


_Row: TypeAlias = tuple[Entry, list[Tag], list[int] | None]
"""A line of the table of all schedules, with the hours of the day in which it starts; None for one that is gone."""


class Item(Struct, frozen=True):
    """One item of a list: when, `share` of the most in percent, who, on which days; sentences before and after them."""

    when: str = ""
    aside: str = ""
    share: float = 0.0
    before: str = ""
    tag: Tag | None = None
    days: str = ""
    names: Sequence[str] = ()
    after: str = ""


class Section(NamedTuple):
    """A list under a heading; `nothing` stands where it is empty, `more` counts what is left out."""

    title: str
    aside: str
    items: Sequence[Item]
    nothing: str
    more: int = 0


def calendar(found: Calendar, stamp: Stamp) -> str:
    """The whole page."""
    grid = found.shown.grid
    starts = shades_of(grid.rates(), _STEPS)
    load = shades_of(grid.load, _STEPS) if grid.load is not None else None
    views, ramps = [("starts", "Starts")], [("starts", _STARTS, _ramp(starts, _STARTS))]
    if load is not None:
        views.append(("load", _RUNS.capitalize()))
        ramps.append(("load", _RUNS, _ramp(load, _RUNS)))
    if found.before is not None:
        views.append(("change", "What the plan changes"))
    return page(
        Path(__file__).with_suffix(".html"),
        stamp,
        title="Calendar",
        rules=f":root{{--days:{len(grid.days)}}}{_places('d', len(grid.days))}{_places('h', 24)}{_COLOURS}",
        found=found,
        source=SOURCES[found.source],
        span=_span(found),
        facts=_facts(found),
        unreadable=plural(len(found.unreadable), "agent"),
        views=views,
        chosen="change" if found.before is not None else "starts",
        shape="week" if len(grid.days) <= _WEEK else "many",
        total=plural(found.shown.load.total, "start"),
        days=list(zip(grid.days, _cells(found, starts, load), grid.starts, strict=True)),
        ramps=ramps,
        sections=list(_sections(found)),
        rows=_rows(found),
        listed=_LISTED_ROWS,
        assumption=ASSUMPTION,
        day_text=day_text,
        moment_text=partial(moment_text, found),
        length_text=length_text,
        capital=_capital,
    )


def _places(name: str, count: int) -> str:
    """Classes that say where a cell stands: the policy of all pages allows no style on an element."""
    return "".join(f".{name}{number}{{--{name}:{number}}}" for number in range(count))


def _span(found: Calendar) -> str:
    first, last = found.days[0], found.days[-1]
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}{'' if first == last else f' to {last.day}'} {first:%B} {first.year}"
    if first.year == last.year:
        return f"{first.day} {first:%B} to {last.day} {last:%B} {first.year}"
    return f"{day_text(first)} {first.year} to {day_text(last)} {last.year}"


def _facts(found: Calendar) -> Iterator[tuple[str, int, str, bool]]:
    """The numbers of the summary: name, value, what is said beside it, and whether somebody should look at it."""
    side, load = found.shown, found.shown.load

    def was(count: Callable[[Forecast], int]) -> str:
        then = count(side if found.before is None else found.before)
        return f"was {then:,}" if then != count(side) else ""

    quarter = ""
    if load.most_starts:
        quarter = quarter_text(found, load.window.begin + load.starts.index(load.most_starts) * QUARTER)
    off = f"{side.disabled:,} disabled" if side.disabled else ""
    yield "schedules enabled", len(side.entries) - side.disabled, off, False
    yield "starts", load.total, was(lambda one: one.load.total), False
    busiest = was(lambda one: one.load.most_starts) or quarter
    yield "starts in the busiest quarter hour", load.most_starts, busiest, False
    yield "collisions", len(side.collisions), was(lambda one: len(one.collisions)), bool(side.collisions)
    groups = load.simultaneous_count
    yield f"simultaneous starts of {found.threshold} and more", groups, "", bool(groups)


# --- the picture -----------------------------------------------------------------------------------------------------


def _cells(found: Calendar, starts: Shades, load: Shades | None) -> list[list[_Cell]]:
    """The hours of each day."""
    grid = found.shown.grid
    before = found.before.grid.starts if found.before is not None else grid.starts
    changes = [
        [(count or 0) - (then or 0) for count, then in zip(*day, strict=True)]
        for day in zip(grid.starts, before, strict=True)
    ]
    most_change = max((abs(change) for day in changes for change in day), default=0)
    now = found.local(int(found.as_of.timestamp()))
    digits = 1 if grid.highest >= 1 else 2

    def cell(index: int, hour: int) -> _Cell:
        day, count = grid.days[index], grid.starts[index][hour]
        if count is None:
            return "gone-hour", f"{day_text(day)}: {hour:02}:00 is skipped", []
        classes = [f"s{starts.levels[index][hour]}"]
        numbers = [("s", "" if not count else str(count) if count < 10_000 else f"{count // 1000}k")]
        title = f"{day_text(day)} {hour:02}:00: {plural(count, 'start')}"
        if load is not None and grid.load is not None:
            value = grid.load[index][hour] or 0.0
            classes.append(f"l{load.levels[index][hour]}")
            if round(value, digits):
                numbers.append(("l", f"{value:.{digits}f}"))
            title += f", {value:.{digits}f} runs at a time"
        if change := changes[index][hour]:
            classes.append(f"g{'u' if change > 0 else 'd'}{max(1, round(3 * abs(change) / most_change))}")
            numbers.append(("g", f"{change:+d}"))
            title += f", {change:+d} by the plan"
        if grid.seconds[index][hour] > 3600:
            classes.append("twice")
            title += "; this hour comes twice"
        if (now.date(), now.hour) == (day, hour):
            classes.append("now")
            title += "; now"
        return " ".join(classes), title, numbers

    return [[cell(index, hour) for hour in range(24)] for index in range(len(grid.days))]


def _ramp(shades: Shades, unit: str) -> list[tuple[int, str]]:
    """The key of a view: each shade that occurs, and from which number on."""
    seen = {level for day in shades.levels for level in day if level is not None}
    numbers = (
        f"{ceil(bound):,}" if unit == _STARTS else f"{bound:.{1 if bound >= 1 else 2}f}" for bound in shades.bounds
    )
    texts = ["none", *(f"from {number}" for number in numbers)]
    return [(level, text) for level, text in enumerate(texts) if level in seen]


# --- the lists below it ----------------------------------------------------------------------------------------------


def _sections(found: Calendar) -> Iterator[Section]:
    """All lists but the table of schedules."""
    load, listed = found.shown.load, found.shown.collisions
    nothing = "No two schedules of an agent collide."
    more = max(len(listed) - _LISTED, 0)
    yield Section("Collisions", "one agent, one job at a time", list(_collisions(found)), nothing, more)
    groups = [
        Item(
            times_of(found, group.instants),
            plural(len(group.members), "schedule"),
            days=_capital(days_of(found, group.instants)),
            names=group.members,
        )
        for group in load.simultaneous[:_LISTED]
    ]
    nothing = f"At no second do {found.threshold} schedules start together."
    yield Section("Simultaneous starts", "in the same second", groups, nothing, load.simultaneous_count - len(groups))
    if load.clock_marks:
        marks = [
            Item(
                f"{mark.change.begin:%Y-%m-%d}",
                mark.zone,
                before=clock_text(mark),
                names=[name for name, _ in mark.notes],
            )
            for mark in load.clock_marks[:_LISTED]
        ]
        yield Section("Clock changes", "", marks, "", len(load.clock_marks) - len(marks))
    coming = found.shown.coming
    following = [
        Item(moment_text(found, at), f"about {took}" if took else "", names=(entry.job.address,))
        for at, entry in coming[:_LISTED]
        for took in (length_text(entry.job.duration_seconds),)
    ]
    yield Section("Next up", "", following, "Nothing runs any more.", len(coming) - len(following))
    yield Section("Busiest quarter hours", "", list(_peaks(found)), "Nothing starts together.")


def _peaks(found: Calendar) -> Iterator[Item]:
    peaks = [peak for peak in found.shown.load.peaks if peak.starts > 1]
    for peak in peaks[:6]:
        yield Item(
            quarters_of(found, peak.begins),
            plural(peak.starts, "start"),
            share=100 * peak.starts / peaks[0].starts,
            days=_capital(days_of(found, peak.begins)),
            names=[f"{name} {TIMES}{count}" if count > 1 else name for name, count in peak.members],
        )


def _collisions(found: Calendar) -> Iterator[Item]:
    for one, is_new in found.collisions[:_LISTED]:
        names = (one.one,) if one.one == one.other else (one.one, one.other)
        tag = Tag("new", "new") if is_new else None
        yield Item(tag=tag, names=names, after=_capital(collision_text(found, one)))
    for one in found.gone_collisions[:_LISTED]:
        yield Item(tag=Tag("gone", "gone"), names=(one.one, one.other))


def _rows(found: Calendar) -> list[_Row]:
    """Every schedule with what is to be said of it, and the hours of the day in which it starts."""
    entries = found.shown.entries
    then = {} if found.before is None else {entry.job.address: entry for entry in found.before.entries}
    gone = sorted(set(then) - {entry.job.address for entry in entries})
    window = found.shown.load.window
    hours = [found.local(window.begin + number * QUARTER).hour for number in range(window.quarters)]
    rows: list[_Row] = [
        (entry, _tags(found, entry, then), _filled(found, entry, hours)) for entry in entries[:_LISTED_ROWS]
    ]
    return rows + [(replace(then[name], starts=0), [Tag("gone", "gone")], None) for name in gone[:_LISTED_ROWS]]


def _tags(found: Calendar, entry: Entry, then: dict[str, Entry]) -> list[Tag]:
    job = entry.job
    tags = [] if job.enabled else [Tag("off", "disabled")]
    if found.before is not None:
        known = then.get(job.address)
        if known is None:
            tags.append(Tag("new", "new"))
        elif (known.job.timing, known.job.enabled) != (job.timing, job.enabled):
            tags.append(Tag("new", "changed"))
    if not entry.managed:
        tags.append(Tag("off", "unmanaged"))
    return tags


def _filled(found: Calendar, entry: Entry, hours: Sequence[int]) -> list[int]:
    """The local hours in which the schedule starts, from those of every quarter in the window."""
    window = found.shown.load.window
    starts = starts_between(entry.job.timing, window.begin, window.end) if entry.job.enabled else ()
    if isinstance(starts, range) and starts and starts.step <= 3600:
        return sorted(set(hours[(starts[0] - window.begin) // QUARTER :]))
    return sorted({hours[(instant - window.begin) // QUARTER] for instant in starts})


def _capital(value: str) -> str:
    return value[:1].upper() + value[1:]
