"""The calendar as one page to hang on a wall: a picture of the days, and below it the names. It needs no network."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from html import escape
from math import ceil

from reconciler.calendar.forecast import Calendar, Forecast
from reconciler.calendar.form_words import (
    ASSUMPTION,
    SOURCES,
    WEEKDAYS,
    Shades,
    day_text,
    plural,
    quarter_text,
    shades_of,
)
from reconciler.calendar.html_sections import schedules_table, sections
from reconciler.calendar.html_style import SCRIPT, SHADES, STYLE
from reconciler.render import Stamp
from reconciler.render.characters import neutral

_STEPS = 8
_STARTS = "starts an hour"
_WEEK = 10
"""Up to so many days stand side by side on a phone; more stand below each other."""

_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)


def calendar(found: Calendar, stamp: Stamp) -> str:
    """The whole page. Every text from outside is escaped, and the page allows no script but its own."""
    digest = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; base-uri 'none'"
    title = f"{stamp.project} ({stamp.environment}): calendar"
    return "\n".join(
        (
            "<!doctype html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{text(title)}</title>",
            f"<style>{STYLE}\n{SHADES}</style>",
            "</head>",
            "<body>",
            '<a class="skip" href="#schedules">To the list of schedules</a>',
            '<main class="sheet">',
            *_head(found, stamp),
            *_unreadable(found),
            *_poster(found),
            '<div class="columns">',
            *sections(found),
            "</div>",
            *schedules_table(found),
            *_foot(found, stamp),
            "</main>",
            f"<script>{SCRIPT}</script>",
            "</body>",
            "</html>",
            "",
        )
    )


def text(value: str) -> str:
    """A text from anywhere, safe inside an element and inside a quoted attribute."""
    return escape(neutral(value), quote=True)


def _head(found: Calendar, stamp: Stamp) -> Iterator[str]:
    first, last = found.days[0], found.days[-1]
    if first == last:
        span = f"{first.day} {_MONTHS[first.month - 1]} {first.year}"
    elif (first.year, first.month) == (last.year, last.month):
        span = f"{first.day} to {last.day} {_MONTHS[first.month - 1]} {first.year}"
    elif first.year == last.year:
        span = f"{first.day} {_MONTHS[first.month - 1]} to {last.day} {_MONTHS[last.month - 1]} {first.year}"
    else:
        span = f"{day_text(first)} {first.year} to {day_text(last)} {last.year}"
    yield '<header class="top"><div>'
    yield f'<p class="eyebrow">What runs when in {text(stamp.project)}, environment {text(stamp.environment)}</p>'
    yield f"<h1>{span}</h1></div>"
    yield (
        f'<p class="where">Schedules {SOURCES[found.source]}<br>Times in <b>{text(found.zone.key)}</b>'
        f"<br>{text(found.zone_reason)}</p></header>"
    )
    yield from _facts(found)


def _facts(found: Calendar) -> Iterator[str]:
    side, before = found.shown, found.before
    enabled = sum(entry.job.enabled for entry in side.entries)
    peak = max(side.load.starts, default=0)
    quarter = ""
    if peak:
        begin = side.load.window.begin + side.load.starts.index(peak) * 900
        quarter = f" <small>{quarter_text(found, begin)}</small>"

    def was(value: int, then: int | None) -> str:
        return f" <small>was {then:,}</small>" if then is not None and then != value else ""

    peak_then = max(before.load.starts, default=0) if before else None
    rows = (
        ("schedules enabled", f"{enabled:,}{_off(side)}", False),
        ("starts", f"{side.load.total:,}{was(side.load.total, before.load.total if before else None)}", False),
        ("starts in the busiest quarter hour", f"{peak:,}{was(peak, peak_then) or quarter}", False),
        (
            "collisions",
            f"{len(side.collisions):,}{was(len(side.collisions), len(before.collisions) if before else None)}",
            bool(side.collisions),
        ),
        (
            f"simultaneous starts of {found.threshold} and more",
            f"{side.load.simultaneous_count:,}",
            bool(side.load.simultaneous),
        ),
    )
    yield '<dl class="facts">'
    for name, value, bad in rows:
        yield f"<div{' class=bad' if bad else ''}><dt>{name}</dt><dd>{value}</dd></div>"
    yield "</dl>"


def _off(side: Forecast) -> str:
    off = sum(not entry.job.enabled for entry in side.entries)
    return f" <small>{off:,} disabled</small>" if off else ""


def _unreadable(found: Calendar) -> Iterator[str]:
    if found.unreadable:
        yield f'<div class="banner" role="alert">{plural(len(found.unreadable), "agent")} could not be read, so this is'
        yield " not the whole picture:<ul>"
        for place, why in found.unreadable:
            yield f"<li><code>{text(place)}</code> {text(why)}</li>"
        yield "</ul></div>"


# --- the picture -----------------------------------------------------------------------------------------------------


def _poster(found: Calendar) -> Iterator[str]:
    grid, before = found.shown.grid, found.before
    views = [("starts", "Starts")]
    if grid.load is not None:
        views.append(("load", "Runs at a time"))
    if before is not None:
        views.append(("change", "What the plan changes"))
    chosen = "change" if before is not None else "starts"
    if len(views) > 1:
        yield '<fieldset class="views"><legend>Show</legend>'
        for value, name in views:
            checked = " checked" if value == chosen else ""
            yield f'<label><input type="radio" name="view" value="{value}"{checked}>{name}</label>'
        yield "</fieldset>"
    starts = shades_of(grid.rates(), _STEPS)
    load = shades_of(grid.load, _STEPS) if grid.load is not None else None
    shape = "week" if len(grid.days) <= _WEEK else "many"
    label = f"Heat map of {plural(found.shown.load.total, 'start')} by day and hour; the table below says the same"
    yield "<figure>"
    yield f'<div class="poster {shape} see-{chosen}" style="--days:{len(grid.days)}" role="img" aria-label="{label}">'
    for hour in range(24):
        yield f'<div class="h" style="--h:{hour}">{hour:02}</div>'
    for index, day in enumerate(grid.days):
        weekend = " we" if day.weekday() > 4 else ""
        name = f"<b>{day.day}</b><span>{WEEKDAYS[day.weekday()]}</span>"
        yield f'<div class="d{weekend}" style="--d:{index}">{name}</div>'
        yield "".join(_cell(found, index, hour, starts, load) for hour in range(24))
        yield f'<div class="t" style="--d:{index}">{sum(count or 0 for count in grid.starts[index]):,}</div>'
    yield "</div>"
    yield from _key(found, starts, load)
    yield from _table(found)
    yield "</figure>"


def _cell(found: Calendar, index: int, hour: int, starts: Shades, load: Shades | None) -> str:
    grid = found.shown.grid
    place = f"--d:{index};--h:{hour}"
    count, level = grid.starts[index][hour], starts.levels[index][hour]
    day = grid.days[index]
    if count is None:
        return f'<div class="c gone-hour" style="{place}" title="{day_text(day)}: {hour:02}:00 is skipped"></div>'
    classes = [f"c s{level}"]
    inside = f'<span class="s">{_number(count)}</span>'
    title = f"{day_text(day)} {hour:02}:00: {plural(count, 'start')}"
    if load is not None and grid.load is not None:
        value = grid.load[index][hour] or 0.0
        classes.append(f"l{load.levels[index][hour]}")
        digits = 1 if grid.highest >= 1 else 2
        inside += f'<span class="l">{value:.{digits}f}</span>' if round(value, digits) else ""
        title += f", {value:.{digits}f} runs at a time"
    if found.before is not None:
        change = count - (found.before.grid.starts[index][hour] or 0)
        most = _most_change(found)
        if change:
            step = max(1, round(3 * abs(change) / most))
            classes.append(f"g{'u' if change > 0 else 'd'}{step}")
            inside += f'<span class="g">{change:+d}</span>'
            title += f", {change:+d} by the plan"
    if grid.seconds[index][hour] > 3600:
        classes.append("twice")
        title += "; this hour comes twice"
    now = found.local(int(found.as_of.timestamp()))
    if (now.date(), now.hour) == (day, hour):
        classes.append("now")
        title += "; now"
    return f'<div class="{" ".join(classes)}" style="{place}" title="{title}">{inside}</div>'


def _most_change(found: Calendar) -> int:
    assert found.before is not None
    pairs = zip(found.shown.grid.starts, found.before.grid.starts, strict=True)
    return max((abs((a or 0) - (b or 0)) for one, two in pairs for a, b in zip(one, two, strict=True)), default=1) or 1


def _number(count: int) -> str:
    if not count:
        return ""
    return str(count) if count < 10_000 else f"{count // 1000}k"


def _key(found: Calendar, starts: Shades, load: Shades | None) -> Iterator[str]:
    yield '<figcaption class="key">'
    yield f'<div class="ramp for-starts">{_ramp(starts, _STARTS)}</div>'
    if load is not None:
        yield f'<div class="ramp for-load">{_ramp(load, "runs at a time")}</div>'
    if found.before is not None:
        yield '<div class="ramp for-change"><span><i class="igu3"></i>more starts</span>'
        yield '<span><i class="igd3"></i>fewer starts</span></div>'
    yield "</figcaption>"


def _ramp(shades: Shades, unit: str) -> str:
    seen = {level for day in shades.levels for level in day if level}
    parts = [
        f'<span><i class="i{level}"></i>from {_bound(bound, unit)}</span>'
        for level, bound in enumerate(shades.bounds, 1)
        if level in seen
    ]
    if any(level == 0 for day in shades.levels for level in day):
        parts.insert(0, '<span><i class="i0"></i>none</span>')
    return f"<span>{unit}</span>{''.join(parts)}"


def _bound(value: float, unit: str) -> str:
    if unit == _STARTS:
        return f"{ceil(value):,}"
    return f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def _table(found: Calendar) -> Iterator[str]:
    """The same numbers for readers who cannot see the picture."""
    grid = found.shown.grid
    yield "<details><summary>The same as a table</summary>"
    yield '<div class="scroll" tabindex="0" role="region" aria-label="Starts by day and hour">'
    yield '<table class="plain"><caption class="skip">Starts by day and hour</caption>'
    yield '<thead><tr><th scope="col">Day</th>'
    yield (
        "".join(f'<th scope="col">{hour:02}</th>' for hour in range(24))
        + '<th scope="col">All</th></tr></thead><tbody>'
    )
    for day, row in zip(grid.days, grid.starts, strict=True):
        yield f'<tr><th scope="row">{day_text(day)}</th>{_figures(row)}<td>{sum(one or 0 for one in row):,}</td></tr>'
    yield "</tbody></table></div></details>"


def _figures(row: Sequence[int | None]) -> str:
    return "".join(f"<td>{'skipped' if one is None else one}</td>" for one in row)


def _foot(found: Calendar, stamp: Stamp) -> Iterator[str]:
    yield "<footer>"
    for note in found.notes:
        yield f"<p>{text(note)}</p>"
    yield f"<p>{ASSUMPTION}</p>"
    yield f"<p>Made {text(stamp.created_at)} by reconciler {text(stamp.reconciler_version)}.</p></footer>"
