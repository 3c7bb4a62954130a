"""The lists below the calendar's picture: collisions, simultaneous starts, what comes next, and all schedules."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from reconciler.calendar.forecast import Calendar, Entry
from reconciler.calendar.form_words import (
    clock_text,
    collision_text,
    days_of,
    length_text,
    moment_text,
    plural,
    quarters_of,
    times_of,
)
from reconciler.calendar.job_starts import QUARTER
from reconciler.timetable.instants import starts_between

LISTED_ROWS = 1_000
_LISTED = 12


class Tag(NamedTuple):
    """A word in a frame; its style says whether it is new, gone or switched off."""

    style: str
    word: str


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a list: when, `share` of the most in percent, who, on which days; sentences before and after them."""

    when: str = ""
    aside: str = ""
    share: float = 0.0
    before: str = ""
    tag: Tag | None = None
    days: str = ""
    names: Sequence[str] = ()
    after: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A list under a heading; `nothing` stands where it is empty, `more` counts what is left out."""

    title: str
    aside: str
    items: Sequence[Item]
    nothing: str
    more: int


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table of all schedules; `hours` are those of the day in which it starts."""

    address: str
    rhythm: str
    starts: int
    tags: tuple[Tag, ...] = ()
    agent: str = ""
    zone: str = ""
    hours: tuple[int, ...] | None = None
    next_run: str = ""
    takes: str = ""
    is_off: bool = False


def sections(found: Calendar) -> Iterator[Section]:
    """All sections but the table of schedules."""
    load, listed = found.shown.load, found.shown.collisions
    aside = "one agent, one job at a time"
    nothing = "No two schedules of an agent collide."
    yield Section("Collisions", aside, list(_collisions(found)), nothing, max(len(listed) - _LISTED, 0))
    groups = [
        Item(
            times_of(found, group.instants),
            plural(len(group.members), "schedule"),
            days=_capital(days_of(found, group.instants)),
            names=group.members,
        )
        for group in load.simultaneous[:_LISTED]
    ]
    aside, nothing = "in the same second", f"At no second do {found.threshold} schedules start together."
    yield Section("Simultaneous starts", aside, groups, nothing, load.simultaneous_count - len(groups))
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
        Item(moment_text(found, at), _took(entry), names=(entry.job.address,)) for at, entry in coming[:_LISTED]
    ]
    yield Section("Next up", "", following, "Nothing runs any more.", len(coming) - len(following))
    yield Section("Busiest quarter hours", "", list(_peaks(found)), "Nothing starts together.", 0)


def _peaks(found: Calendar) -> Iterator[Item]:
    peaks = [peak for peak in found.shown.load.peaks if peak.starts > 1]
    most = max((peak.starts for peak in peaks), default=1)
    for peak in peaks[:6]:
        yield Item(
            quarters_of(found, peak.begins),
            plural(peak.starts, "start"),
            share=100 * peak.starts / most,
            days=_capital(days_of(found, peak.begins)),
            names=[f"{name} ×{count}" if count > 1 else name for name, count in peak.members],  # noqa: RUF001 - the sign
        )


def _collisions(found: Calendar) -> Iterator[Item]:
    for one, is_new in found.collisions[:_LISTED]:
        names = (one.one,) if one.one == one.other else (one.one, one.other)
        tag = Tag("new", "new") if is_new else None
        yield Item(tag=tag, names=names, after=_capital(collision_text(found, one)))
    for one in found.gone_collisions[:_LISTED]:
        yield Item(tag=Tag("gone", "gone"), names=(one.one, one.other))


def schedule_rows(found: Calendar) -> list[Row]:
    """Every schedule with its rhythm, the hours of the day in which it starts, and its next run."""
    entries = found.shown.entries
    then = {} if found.before is None else {entry.job.address: entry for entry in found.before.entries}
    gone = sorted(set(then) - {entry.job.address for entry in entries})
    window = found.shown.load.window
    hours = [found.local(window.begin + number * QUARTER).hour for number in range(window.quarters)]
    rows = [_row(found, entry, then, hours) for entry in entries[:LISTED_ROWS]]
    rows += [
        Row(address, then[address].words, 0, (Tag("gone", "gone"),), is_off=True) for address in gone[:LISTED_ROWS]
    ]
    return rows


def _row(found: Calendar, entry: Entry, then: dict[str, Entry], hours: Sequence[int]) -> Row:
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
    return Row(
        job.address,
        _capital(entry.words),
        entry.starts,
        tuple(tags),
        job.agent_path,
        job.timing.windows_zone,
        _filled(found, entry, hours),
        "" if entry.next_run is None else moment_text(found, entry.next_run),
        length_text(job.duration_seconds),
        not job.enabled,
    )


def _filled(found: Calendar, entry: Entry, hours: Sequence[int]) -> tuple[int, ...]:
    """The local hours in which the schedule starts, from those of every quarter in the window."""
    window = found.shown.load.window
    starts = starts_between(entry.job.timing, window.begin, window.end) if entry.job.enabled else ()
    if isinstance(starts, range) and starts and starts.step <= 3600:
        return tuple(sorted(set(hours[(starts[0] - window.begin) // QUARTER :])))
    return tuple(sorted({hours[(instant - window.begin) // QUARTER] for instant in starts}))


# --- words -----------------------------------------------------------------------------------------------------------


def _took(entry: Entry) -> str:
    took = length_text(entry.job.duration_seconds)
    return f"about {took}" if took else ""


def _capital(value: str) -> str:
    return value[:1].upper() + value[1:]
