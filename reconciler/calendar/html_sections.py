"""The lists below the calendar's picture: collisions, simultaneous starts, what comes next, and all schedules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape

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
from reconciler.render.characters import neutral
from reconciler.timetable.instants import starts_between

_ROWS = 1_000
_LISTED = 12
_NAMED = 6


def sections(found: Calendar) -> Iterator[str]:
    """All sections but the table of schedules."""
    yield from _collisions(found)
    yield from _simultaneous(found)
    yield from _clocks(found)
    yield from _next(found)
    yield from _peaks(found)


def _section(title: str, aside: str, items: Sequence[str], nothing: str, count: int) -> Iterator[str]:
    small = f" <small>{aside}</small>" if aside else ""
    yield f"<section><h2>{title}{small}</h2>"
    if items:
        yield f'<ol class="list">{"".join(items)}</ol>'
    else:
        yield f'<p class="none">{nothing}</p>'
    if count > len(items):
        yield f'<p class="none">and {count - len(items):,} more</p>'
    yield "</section>"


def _next(found: Calendar) -> Iterator[str]:
    coming = sorted(
        (entry for entry in found.shown.entries if entry.next_run is not None),
        key=lambda entry: (entry.next_run or 0, entry.job.address),
    )
    items = [
        f'<li><div class="when">{_moment(found, entry.next_run)}<em>{_took(entry)}</em></div>'
        f"<div class=who>{_code(entry.job.address)}</div></li>"
        for entry in coming[:_LISTED]
    ]
    yield from _section("Next up", "", items, "Nothing runs any more.", len(coming))


def _moment(found: Calendar, instant: int | None) -> str:
    return "" if instant is None else moment_text(found, instant)


def _took(entry: Entry) -> str:
    took = length_text(entry.job.duration_seconds)
    return f"about {took}" if took else ""


def _peaks(found: Calendar) -> Iterator[str]:
    peaks = [peak for peak in found.shown.load.peaks if peak.starts > 1]
    most = max((peak.starts for peak in peaks), default=1)
    items = [
        f'<li><div class="when">{quarters_of(found, peak.begins)}<em>{plural(peak.starts, "start")}</em></div>'
        f'<div class="bar" style="width:{100 * peak.starts / most:.0f}%"></div>'
        f"<div class=who>{_capital(days_of(found, peak.begins))}<br>"
        f"{_names(f'{name} ×{count}' if count > 1 else name for name, count in peak.members)}</div></li>"  # noqa: RUF001
        for peak in peaks[:6]
    ]
    yield from _section("Busiest quarter hours", "", items, "Nothing starts together.", len(items))


def _collisions(found: Calendar) -> Iterator[str]:
    new = set(found.new_collisions)
    listed = sorted(found.shown.collisions, key=lambda one: (one not in new, one))
    items = []
    for one in listed[:_LISTED]:
        tag = '<span class="tag new">new</span>' if one in new else ""
        names = _code(one.one) if one.one == one.other else f"{_code(one.one)} {_code(one.other)}"
        items.append(f"<li>{tag}<span class=who>{names}</span><div>{_capital(collision_text(found, one))}</div></li>")
    gone = [
        f'<li><span class="tag gone">gone</span><span class=who>{_code(one.one)} {_code(one.other)}</span></li>'
        for one in found.gone_collisions[:_LISTED]
    ]
    aside = "one agent, one job at a time"
    yield from _section("Collisions", aside, items + gone, "No two schedules of an agent collide.", len(listed))


def _simultaneous(found: Calendar) -> Iterator[str]:
    groups = found.shown.load.simultaneous
    items = [
        f'<li><div class="when">{times_of(found, group.instants)}'
        f"<em>{plural(len(group.members), 'schedule')}</em></div>"
        f"<div class=who>{_capital(days_of(found, group.instants))}<br>{_names(group.members)}</div></li>"
        for group in groups[:_LISTED]
    ]
    nothing = f"At no second do {found.threshold} schedules start together."
    yield from _section(
        "Simultaneous starts", "many in the same second", items, nothing, found.shown.load.simultaneous_count
    )


def _clocks(found: Calendar) -> Iterator[str]:
    marks = found.shown.load.clock_marks
    if marks:
        items = [
            f'<li><div class="when">{mark.begin:%Y-%m-%d}<em>{_text(mark.zone)}</em></div>'
            f"<div>{clock_text(mark)}</div><div class=who>{_names(name for name, _ in mark.notes)}</div></li>"
            for mark in marks[:_LISTED]
        ]
        yield from _section("Clock changes", "", items, "", len(marks))


# --- all schedules ---------------------------------------------------------------------------------------------------


def schedules_table(found: Calendar) -> Iterator[str]:
    """Every schedule with its rhythm, the hours of the day in which it starts, and its next run; with a filter."""
    entries = found.shown.entries
    then = {} if found.before is None else {entry.job.address: entry for entry in found.before.entries}
    gone = sorted(set(then) - {entry.job.address for entry in entries})
    yield f'<section id="schedules"><h2>All schedules <small>{len(entries):,}</small></h2>'
    if not entries:
        yield '<p class="none">There are none.</p></section>'
        return
    yield '<div class="tools"><label class="skip" for="find">Filter the schedules</label>'
    yield '<input id="find" type="search" placeholder="Filter by name, rhythm or zone ( / )" autocomplete="off">'
    yield '<output id="told" for="find" aria-live="polite"></output></div>'
    yield '<table class="all"><thead><tr><th scope="col">Schedule</th><th scope="col">Rhythm</th>'
    yield '<th scope="col">Hours of the day</th><th scope="col">Next run</th><th scope="col" class="n">Takes</th>'
    yield '<th scope="col" class="n">Starts</th></tr></thead><tbody>'
    hours = _hours(found)
    for entry in entries[:_ROWS]:
        yield _row(found, entry, then, hours)
    for address in gone[:_ROWS]:
        tag = '<span class="tag gone">gone</span>'
        yield f"<tr class=off><td>{tag}{_code(address)}</td><td>{_text(then[address].words)}</td><td></td><td></td>"
        yield '<td class="n"></td><td class="n">0</td></tr>'
    yield "</tbody></table>"
    if len(entries) > _ROWS:
        yield f'<p class="none">Only the first {_ROWS:,} of {len(entries):,} are listed; --only shows a part.</p>'
    yield "</section>"


def _row(found: Calendar, entry: Entry, then: dict[str, Entry], hours: Sequence[int]) -> str:
    job = entry.job
    tag = "" if job.enabled else '<span class="tag off">disabled</span>'
    if found.before is not None:
        known = then.get(job.address)
        if known is None:
            tag += '<span class="tag new">new</span>'
        elif (known.job.timing, known.job.enabled) != (job.timing, job.enabled):
            tag += '<span class="tag new">changed</span>'
    if not entry.managed:
        tag += '<span class="tag off">unmanaged</span>'
    return (
        f"<tr{'' if job.enabled else ' class=off'}>"
        f"<td>{tag}{_code(job.address)}<small>{_text(job.agent_path)}</small></td>"
        f"<td>{_text(_capital(entry.words))}<small>{_text(job.timing.windows_zone)}</small></td>"
        f"<td>{_strip(found, entry, hours)}</td><td class=m>{_moment(found, entry.next_run)}</td>"
        f'<td class="n">{length_text(job.duration_seconds)}</td><td class="n">{entry.starts:,}</td></tr>'
    )


def _hours(found: Calendar) -> Sequence[int]:
    """The local hour of every quarter in the window."""
    window = found.shown.load.window
    return [found.local(window.begin + number * QUARTER).hour for number in range(window.quarters)]


def _strip(found: Calendar, entry: Entry, hours: Sequence[int]) -> str:
    """A day as a strip, with the hours in which the schedule starts filled."""
    window = found.shown.load.window
    starts = starts_between(entry.job.timing, window.begin, window.end) if entry.job.enabled else ()
    if isinstance(starts, range) and starts and starts.step <= 3600:
        filled = set(hours[(starts[0] - window.begin) // QUARTER :])
    else:
        filled = {hours[(instant - window.begin) // QUARTER] for instant in starts}
    drawn = "".join(f"M{6 * hour}.5 0h5v16h-5z" for hour in sorted(filled))
    told = ", ".join(f"{hour:02}" for hour in sorted(filled)) if len(filled) < 24 else "all"
    return (
        f'<svg viewBox="0 0 144 16" role="img" aria-label="Hours: {told or "none"}">'
        f'<rect width="144" height="16" rx="3"/><path d="{drawn}"/></svg>'
    )


# --- words -----------------------------------------------------------------------------------------------------------


def _names(names: Iterable[str]) -> str:
    listed = list(names)
    more = f" and {len(listed) - _NAMED:,} more" if len(listed) > _NAMED else ""
    return " ".join(map(_code, listed[:_NAMED])) + more


def _code(name: str) -> str:
    return f"<code>{_text(name)}</code>"


def _text(value: str) -> str:
    return escape(neutral(value), quote=True)


def _capital(value: str) -> str:
    return value[:1].upper() + value[1:]
