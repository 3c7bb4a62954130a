"""The calendar as one page, also for a wall: heat maps of its days, what stands out, and every schedule by its name.

It says all that matters without its script. With it, `page_data` lets a reader open any hour, choose another clock, see
the runs of one agent as lanes, and search all schedules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypedDict

from jinja2.utils import htmlsafe_json_dumps
from msgspec import Struct

from reconciler.calendar.coming_runs import coming_runs, folded_names, until_text
from reconciler.calendar.forecast import Calendar, Entry, Forecast
from reconciler.calendar.form_words import (
    ASSUMPTION,
    SOURCES,
    clock_text,
    collision_count,
    days_of,
    length_text,
    moment_text,
    plural,
    quarter_text,
    quarters_of,
    times_of,
)
from reconciler.calendar.html_heat_map import heat_maps, keys, rules
from reconciler.calendar.job_starts import QUARTER
from reconciler.calendar.page_data import Row, page_data, rows_of
from reconciler.render import Stamp
from reconciler.render.frequency import TIMES, day_text
from reconciler.render.html.links import ALONE, Links
from reconciler.render.html.scaffold import page
from reconciler.timetable.instants import starts_between

_WEEK = 10
"""Up to so many days stand side by side where there is little room; more stand below each other."""

_LISTED_ROWS = 400
_LISTED = 12
_NAMED = 6


class Fact(NamedTuple):
    """A number of the summary, what it was before the plan, and whether somebody should look at it."""

    name: str
    value: int
    was: int | None = None
    aside: str = ""
    is_bad: bool = False


class Item(Struct, frozen=True):
    """One item of a list: when (`at`, an instant, is told on the reader's clock), who, and sentences around them.

    `share` is that of the most, in percent; `lane` leads to the lanes of an agent: its path, and an instant.
    """

    when: str = ""
    at: int | None = None
    aside: str = ""
    share: float = 0.0
    before: str = ""
    tag: str = ""
    days: str = ""
    names: Sequence[str] = ()
    words: Sequence[str] = ()
    left: int = 0
    after: str = ""
    first: int | None = None
    lane: str = ""


class Section(NamedTuple):
    """A list under a heading; `nothing` stands where it is empty, `more` counts what is left out.

    `is_fixed`: its times stay on the calendar's clock whatever zone is chosen.
    """

    title: str
    aside: str
    items: Sequence[Item]
    nothing: str
    more: int = 0
    is_fixed: bool = False


def calendar(found: Calendar, stamp: Stamp, links: Links = ALONE) -> str:
    """The whole page."""
    rows = rows_of(found)
    links = links.showing(row.entry.job.address for row in rows)
    grid = found.shown.grid
    return page(
        Path(__file__).with_suffix(".html"),
        stamp,
        title="Calendar",
        links=links,
        rules=rules(),
        found=found,
        source=SOURCES[found.source],
        span=_span(found),
        facts=list(_facts(found)),
        unreadable=plural(len(found.unreadable), "agent"),
        maps=heat_maps(found),
        keys=keys(found),
        has_load=grid.load is not None,
        shape="week" if len(grid.days) <= _WEEK else "many",
        tables=[("before the plan", found.before), ("after it", found.shown)] if found.before else [("", found.shown)],
        sections=list(_sections(found)),
        rows=[(row, _hours(found, row)) for row in rows[:_LISTED_ROWS]],
        count=len(rows),
        listed=_LISTED_ROWS,
        data=htmlsafe_json_dumps(page_data(found, rows, links), separators=(",", ":")),
        assumption=ASSUMPTION,
        day_text=day_text,
        moment_text=partial(moment_text, found),
        length_text=length_text,
        capital=_capital,
    )


def _span(found: Calendar) -> str:
    first, last = found.days[0], found.days[-1]
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}{'' if first == last else f' to {last.day}'} {first:%B} {first.year}"
    if first.year == last.year:
        return f"{first.day} {first:%B} to {last.day} {last:%B} {first.year}"
    return f"{day_text(first)} {first.year} to {day_text(last)} {last.year}"


def _facts(found: Calendar) -> Iterator[Fact]:
    """The numbers of the summary."""
    side, load = found.shown, found.shown.load

    def fact(name: str, count: Callable[[Forecast], int], aside: str = "", *, alarms: bool = False) -> Fact:
        was = None if found.before is None else count(found.before)
        return Fact(name, count(side), None if was == count(side) else was, aside, alarms and count(side) > 0)

    quarter = ""
    if load.most_starts:
        quarter = quarter_text(found, load.window.begin + load.starts.index(load.most_starts) * QUARTER)
    off = f"{side.disabled:,} disabled" if side.disabled else ""
    yield fact("schedules enabled", lambda one: len(one.entries) - one.disabled, off)
    yield fact("starts", lambda one: one.load.total)
    yield fact("starts in the busiest quarter hour", lambda one: one.load.most_starts, quarter)
    yield fact("collisions", lambda one: len(one.collisions), alarms=True)
    together = f"simultaneous starts of {found.threshold} and more"
    yield fact(together, lambda one: one.load.simultaneous_count, alarms=True)


# --- the lists below the maps ----------------------------------------------------------------------------------------


def _sections(found: Calendar) -> Iterator[Section]:
    """All lists but the table of schedules."""
    load = found.shown.load
    coming = coming_runs(found)
    following = [_coming(found, runs.at, runs.entries) for runs in coming[:_LISTED]]
    aside = f"from {moment_text(found, int(found.as_of.timestamp()))}"
    yield Section("Next up", aside, following, "Nothing runs any more.", len(coming) - len(following))
    listed, gone = found.collisions, found.gone_collisions
    more = max(len(listed) - _LISTED, 0) + max(len(gone) - _LISTED, 0)
    nothing = "No two schedules of an agent collide."
    yield Section("Collisions", "one agent, one job at a time", list(_collisions(found)), nothing, more)
    groups = [
        Item(
            times_of(found, group.instants),
            aside=plural(len(group.members), "schedule"),
            days=_capital(days_of(found, group.instants)),
            **_folded(group.members),
        )
        for group in load.simultaneous[:_LISTED]
    ]
    nothing = f"At no second do {found.threshold} schedules start together."
    left = load.simultaneous_count - len(groups)
    yield Section("Simultaneous starts", "in the same second", groups, nothing, left, is_fixed=True)
    if load.clock_marks:
        marks = [
            Item(
                f"{mark.change.begin:%Y-%m-%d}",
                aside=mark.zone,
                before=clock_text(mark),
                **_folded([name for name, _ in mark.notes]),
            )
            for mark in load.clock_marks[:_LISTED]
        ]
        yield Section("Clock changes", "", marks, "", len(load.clock_marks) - len(marks))
    yield Section("Busiest quarter hours", "", list(_peaks(found)), "Nothing starts together.", is_fixed=True)


class _Folded(TypedDict):
    """Whom an item names: single schedules, words for several, and how many are left out."""

    names: Sequence[str]
    words: Sequence[str]
    left: int


def _folded(names: Sequence[str]) -> _Folded:
    """A few names in full, or many in few words."""
    if len(names) <= 2:
        return _Folded(names=names, words=(), left=0)
    words = folded_names(names)
    left = sum(number for _, number in words[_NAMED:])
    return _Folded(names=(), words=[word for word, _ in words[:_NAMED]], left=left)


def _coming(found: Calendar, at: int, entries: Sequence[Entry]) -> Item:
    aside = until_text(found, at)
    if len(entries) > 1:
        return Item(at=at, aside=aside, days=plural(len(entries), "schedule"), **_folded(_names(entries)))
    took = length_text(entries[0].job.duration_seconds)
    return Item(at=at, aside=f"{aside}, about {took}" if took else aside, names=_names(entries))


def _names(entries: Sequence[Entry]) -> list[str]:
    return [entry.job.address for entry in entries]


def _peaks(found: Calendar) -> Iterator[Item]:
    peaks = [peak for peak in found.shown.load.peaks if peak.starts > 1]
    for peak in peaks[:6]:
        often = [f"{name} {TIMES}{count}" for name, count in peak.members if count > 1]
        once = _folded([name for name, count in peak.members if count == 1])
        words = [*often[:_NAMED], *once["words"][: max(_NAMED - len(often), 1)], *once["names"]]
        yield Item(
            quarters_of(found, peak.begins),
            aside=plural(peak.starts, "start"),
            share=100 * peak.starts / peaks[0].starts,
            days=f"{_capital(days_of(found, peak.begins))}, {plural(len(peak.members), 'schedule')}",
            words=words,
        )


def _collisions(found: Calendar) -> Iterator[Item]:
    for one, is_new in found.collisions[:_LISTED]:
        yield Item(
            tag="new" if is_new else "",
            names=(one.one,) if one.one == one.other else (one.one, one.other),
            after=f"{_capital(collision_count(one))}, first",
            first=one.first,
            lane=one.agent_path,
        )
    for one in found.gone_collisions[:_LISTED]:
        yield Item(tag="gone", names=(one.one, one.other))


def _hours(found: Calendar, row: Row) -> list[int] | None:
    """The hours of the day in which a schedule starts, on the calendar's clock; None for one that is gone."""
    if row.is_gone:
        return None
    window = found.shown.load.window
    job = row.entry.job
    starts = starts_between(job.timing, window.begin, window.end) if job.enabled else ()
    if isinstance(starts, range) and starts and starts.step <= 3600:
        starts = range(starts[0], window.end, QUARTER)
    hours: set[int] = set()
    for instant in starts:
        hours.add(found.local(instant).hour)
        if len(hours) == 24:
            break
    return sorted(hours)


def _capital(value: str) -> str:
    return value[:1].upper() + value[1:]
