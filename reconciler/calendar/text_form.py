"""The calendar for a terminal: a heat map of hours and days, and below it what stands out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from math import ceil
from typing import NamedTuple

from reconciler.calendar.coming_runs import coming_runs, folded_names, until_text
from reconciler.calendar.forecast import Calendar, Grid
from reconciler.calendar.form_words import (
    ASSUMPTION,
    SOURCES,
    change_text,
    clock_text,
    collision_text,
    days_of,
    length_text,
    moment_text,
    plural,
    quarters_of,
    summary_text,
    times_of,
)
from reconciler.calendar.shading import Cells, Shading, shading_of
from reconciler.quantities import first_few
from reconciler.render import Screen
from reconciler.render.alike_sentences import shared_sentence, skeleton
from reconciler.render.characters import columns
from reconciler.render.likeness import grouped
from reconciler.render.text.text_page import TextPage

_SHADES = ("·", "░", "▒", "▓", "█")
_PLAIN_SHADES = (".", ":", "+", "#", "@")
_STYLES = ("dim", "green", "cyan", "yellow", "red")
_STEPS = len(_SHADES) - 1
_SHOWN = 8
_NAMED = 4
_FOLDED = 3
_CELL = 7
_LITTLE = 0.5


def calendar(found: Calendar, screen: Screen, *, verbose: bool = False) -> str:
    """The whole calendar. With `verbose` every list is complete."""
    page = TextPage(screen)
    span = f"{found.days[0]:%Y-%m-%d} to {found.days[-1]:%Y-%m-%d}"
    page.paragraph(f"Calendar {span}, {SOURCES[found.source]}", style="bold")
    page.paragraph(f"Times in {found.zone.key} ({found.zone_reason}; --zone shows another).", style="dim")
    page.paragraph(summary_text(found) + ".")
    if changed := change_text(found):
        page.paragraph(f"The plan: {changed}.", style="yellow")
    _unreadable(page, found, verbose=verbose)
    _heat_maps(page, found)
    for write in (_next, _peaks, _collisions, _simultaneous, _clocks):
        write(page, found, None if verbose else _SHOWN)
    page.blank()
    for note in found.notes:
        page.paragraph(note, lead="note: ", style="dim")
    page.paragraph(ASSUMPTION, style="dim")
    return page.text()


def _unreadable(page: TextPage, found: Calendar, *, verbose: bool) -> None:
    """What is not in the calendar: one cause once, with the places that it is about."""
    for together in grouped(found.unreadable, lambda one: skeleton(one[1])).values():
        places = [place for place, _ in together]
        named = ", ".join(places) if verbose else first_few(places, _NAMED)
        lead = named if len(together) == 1 else f"{plural(len(together), 'agent')}, {named}"
        why = shared_sentence([why for _, why in together])
        page.paragraph(f"{lead}: could not be read: {why}", style="red")


# --- heat map --------------------------------------------------------------------------------------------------------


def _heat_maps(page: TextPage, found: Calendar) -> None:
    grid = found.shown.grid
    before = None if found.before is None else found.before.grid
    if not any(side.load.total for side in (found.shown, found.before) if side is not None):
        known = " of what could be read" if found.unreadable else ""
        page.title(f"Nothing{known} runs in these days.")
        return
    page.title("Starts by hour" if before is None else "Starts by hour, after this plan")
    rates = [side.rates() for side in (grid, before) if side is not None]
    _heat_map(page, grid.days, grid.starts, _Shades(rates[0], shading_of(*rates, steps=_STEPS)), total=True)
    if before is not None:
        _changes(page, grid, before)
    if grid.load is None:
        return
    if grid.highest < _LITTLE:
        page.blank()
        page.paragraph(f"Load: never more than {grid.highest:.2f} runs at a time, in the mean of an hour.")
        return
    page.title("Load by hour: runs at a time, where it is known how long they take")
    _heat_map(page, grid.days, grid.load, _Shades(grid.load, shading_of(grid.load, steps=_STEPS)))


class _Shades(NamedTuple):
    """What decides how dark the cells of a map are: their own values, or how many starts an hour these make."""

    values: Cells
    shading: Shading

    def of(self, day: int, hour: int) -> int:
        return self.shading.of(self.values[day][hour] or 0)


def _heat_map(page: TextPage, days: Sequence[date], cells: Cells, shades: _Shades, *, total: bool = False) -> None:
    signs = _SHADES if page.signs else _PLAIN_SHADES

    def cell(day: int, hour: int) -> str:
        value, shade = cells[day][hour], shades.of(day, hour)
        text = signs[shade] + (f"{_short(value):>4}" if value else "")
        return " " * (_CELL - len(text)) + page.paint(text, _STYLES[shade])

    _table(page, days, cells, cell, total=total)
    bounds = [shades.shading.begin(shade) for shade in range(2, _STEPS + 1)]
    words = ["none", "from 1" if total else "above none"]
    words += [f"from {_short(ceil(bound) if total else bound)}" for bound in bounds]
    used = sorted({shades.of(day, hour) for day in range(len(days)) for hour in range(24)})
    page.paragraph("  ".join(f"{signs[shade]} {words[shade]}" for shade in used), style="dim")


def _changes(page: TextPage, grid: Grid, before: Grid) -> None:
    """By how much the plan changes each hour."""
    changes = grid.minus(before)
    if not any(filter(None, (change for day in changes for change in day))):
        page.blank()
        page.paragraph("The plan changes the starts of no hour.")
        return
    minus, nothing = ("\u2212", "·") if page.signs else ("-", ".")

    def cell(day: int, hour: int) -> str:
        change = changes[day][hour] or 0
        text = f"{'+' if change > 0 else minus}{_short(abs(change))}" if change else nothing
        style = "yellow" if change > 0 else "cyan" if change else "dim"
        return " " * (_CELL - len(text)) + page.paint(text, style)

    page.title("What the plan changes: more (+) and fewer starts by hour")
    _table(page, grid.days, changes, cell)


def _table(
    page: TextPage,
    days: Sequence[date],
    cells: Cells,
    write: Callable[[int, int], str],
    *,
    total: bool = False,
) -> None:
    """Days beside each other, as many as fit, with their hours below each other."""
    across = max(1, min(7, (page.width - 6) // _CELL))
    for start in range(0, len(days), across):
        if start:
            page.blank()
        chosen = range(start, min(start + across, len(days)))
        names = [f"{days[day]:%a %d}" for day in chosen]
        page.lines.append(("      " + "".join(f"{name:>{_CELL}}" for name in names)).rstrip())
        for hour in range(24):
            row = [f"{'--':>{_CELL}}" if cells[day][hour] is None else write(day, hour) for day in chosen]
            page.lines.append((f"{hour:02}:00 " + "".join(row)).rstrip())
        if total:
            sums = [sum(cell or 0 for cell in cells[day]) for day in chosen]
            page.lines.append(page.paint("total " + "".join(f"{_short(each):>{_CELL}}" for each in sums), "dim"))


def _short(value: float) -> str:
    """A number in four columns."""
    if value < 10_000:
        return f"{value:.{1 if isinstance(value, float) and value < 9.95 else 0}f}"
    return f"{value / 1000:.0f}k" if value < 1_000_000 else f"{value / 1_000_000:.0f}M"


# --- lists -----------------------------------------------------------------------------------------------------------


def _next(page: TextPage, found: Calendar, limit: int | None) -> None:
    """What runs next, minute by minute."""
    coming = coming_runs(found)
    if not coming:
        return
    page.title("Next up")
    for runs in coming[:limit]:
        lead = f"  {moment_text(found, runs.at):<19}  {until_text(found, runs.at):<16}"
        words = folded_names([entry.job.address for entry in runs.entries], page.width - 6)
        if len(runs.entries) == 1:
            took = length_text(runs.entries[0].job.duration_seconds)
            line = lead + page.say(words[0][0]) + (f", about {took}" if took else "")
            if columns(line) <= page.width:
                page.lines.append(line)
                continue
        count = plural(len(runs.entries), "schedule") if len(runs.entries) > 1 else ""
        page.lines.append((lead + count).rstrip())
        shown = words if limit is None else words[:_FOLDED]
        for word, _ in shown:
            page.paragraph(word, indent=6, style="dim")
        if left := sum(number for _, number in words[len(shown) :]):
            page.paragraph(f"and {left:,} more", indent=6, style="dim")
    _rest(page, len(coming), limit)


def _peaks(page: TextPage, found: Calendar, limit: int | None) -> None:
    peaks = [peak for peak in found.shown.load.peaks if peak.starts > 1]
    if not peaks:
        return
    page.title("Busiest quarter hours")
    for peak in peaks[:5] if limit else peaks:
        head = f"{plural(peak.starts, 'start')} at {quarters_of(found, peak.begins)}, {days_of(found, peak.begins)}"
        page.paragraph(head, indent=2)
        _names(page, [f"{name} {page.times}{count}" if count > 1 else name for name, count in peak.members], limit)


def _collisions(page: TextPage, found: Calendar, limit: int | None) -> None:
    listed = found.collisions
    if not listed and not found.gone_collisions:
        return
    page.title("Collisions: schedules of one agent in each other's way")
    for one, is_new in listed[:limit]:
        mark = "new  " if is_new else ""
        names = one.one if one.one == one.other else f"{one.one} and {one.other}"
        page.paragraph(names, indent=2, lead=page.paint(mark, "alarm"))
        page.paragraph(collision_text(found, one), indent=6, style="yellow")
    _rest(page, len(listed), limit)
    for one in found.gone_collisions[:limit]:
        page.paragraph(f"{one.one} and {one.other}", indent=2, lead=page.paint("gone ", "green"))


def _simultaneous(page: TextPage, found: Calendar, limit: int | None) -> None:
    groups = found.shown.load.simultaneous
    if not groups:
        return
    page.title(f"Simultaneous starts: {found.threshold} schedules and more in the same second")
    for group in groups[:limit]:
        when = f"{times_of(found, group.instants)}, {days_of(found, group.instants)}"
        page.paragraph(f"{plural(len(group.members), 'schedule')} at {when}", indent=2)
        _names(page, group.members, limit)
    _rest(page, found.shown.load.simultaneous_count, limit)
    page.paragraph("`calendar --spread` proposes minutes for them, as a patch.", indent=2, style="dim")


def _clocks(page: TextPage, found: Calendar, limit: int | None) -> None:
    marks = found.shown.load.clock_marks
    if not marks:
        return
    page.title("Clock changes")
    for mark in marks:
        page.paragraph(f"{mark.change.begin:%Y-%m-%d} {mark.zone}: {clock_text(mark)}", indent=2)
        if mark.notes:
            _names(page, [name for name, _ in mark.notes], limit)


def _names(page: TextPage, names: Sequence[str], limit: int | None) -> None:
    shown = list(names if limit is None else names[:_NAMED])
    if len(names) > len(shown):
        shown.append(f"and {len(names) - len(shown):,} more")
    page.paragraph(", ".join(shown), indent=6, style="dim")


def _rest(page: TextPage, count: int, limit: int | None) -> None:
    if limit is not None and count > limit:
        page.paragraph(f"and {count - limit:,} more (reconciler -v shows all)", indent=2, style="dim")
