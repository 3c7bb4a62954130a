"""`status` and `doctor` as text and as JSON documents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from reconciler.model import Check, Health, Level, Standing, Unchanged
from reconciler.render import Stamp, plan_summary
from reconciler.render.characters import columns
from reconciler.render.json_ import header
from reconciler.render.text.sheet import Sheet

_HEALTH_STYLE = {
    Health.FAILING: ("✗", "x", "red"),
    Health.DISABLED: ("○", "o", "red"),
    Health.LATE: ("!", "!", "yellow"),
    Health.RUNNING_LONG: ("!", "!", "yellow"),
    Health.UNKNOWN: ("?", "?", "yellow"),
    Health.NEVER_RAN: ("·", ".", "dim"),
    Health.RUNNING: ("▸", ">", "cyan"),
    Health.OFF: ("·", ".", "dim"),
    Health.HEALTHY: ("✓", "v", "green"),
}
_LEVEL_STYLE = {
    Level.OK: ("✓", "ok", "green"),
    Level.WARNING: ("!", "!", "yellow"),
    Level.FAILED: ("✗", "x", "red"),
}
_GAP = "  "


def status_text(
    standings: Sequence[Standing],
    attested: Sequence[Unchanged] = (),
    *,
    width: int,
    color: bool,
    encoding: str = "utf-8",
) -> str:
    """A table, worst first; what a person should know stands below its row. At its end what is `attested`."""
    sheet = Sheet(width=width, color=color, encoding=encoding)
    rows = [
        (
            str(one.address),
            one.sync.value,
            one.health.value,
            _short(one.last_run),
            _short(one.next_run or one.predicted),
        )
        for one in standings
    ]
    head = ("", "sync", "health", "last run", "next run")
    sizes = [max(columns(sheet.say(row[place])) for row in (head, *rows)) for place in range(5)]
    room = sheet.width - 2 - sum(sizes[1:]) - len(_GAP) * 4
    fits = sizes[0] <= room
    if fits and standings:
        sheet.lines.append(("  " + _row(sheet, head, sizes)).rstrip())
    for one, row in zip(standings, rows, strict=True):
        sign = sheet.sign(_HEALTH_STYLE[one.health]) + " "
        if fits:
            sheet.lines.append((sign + _row(sheet, row, sizes)).rstrip())
        else:
            _block(sheet, sign, row)
        for note in one.notes:
            sheet.paragraph(note, indent=4)
    counts = Counter(one.health for one in standings)
    said = ", ".join(f"{counts[word]} {word.value}" for word in Health if counts[word])
    sheet.blank()
    total = f"{len(standings)} in all: {said}."
    sheet.paragraph(total if standings else "No schedule and no trigger is declared.")
    if said := plan_summary.attested(attested):
        sheet.paragraph(said)
    return sheet.text()


def _row(sheet: Sheet, cells: Sequence[str], sizes: Sequence[int]) -> str:
    return _GAP.join(
        text + " " * (size - columns(text)) for text, size in zip(map(sheet.say, cells), sizes, strict=True)
    )


def _block(sheet: Sheet, sign: str, cells: Sequence[str]) -> None:
    """A row on lines of its own, where the table would be wider than the screen: no address is ever cut."""
    address, sync, health, last_run, next_run = cells
    sheet.paragraph(address, lead=sign)
    times = [f"{word} {time}" for word, time in (("last", last_run), ("next", next_run)) if time]
    sheet.paragraph(", ".join([sync, health, *times]), indent=4)


def _short(moment: str) -> str:
    """A time to the minute, with its offset: `2026-11-23 02:00 +11:00`, `2026-11-23 02:00 UTC`."""
    if len(moment) < 16:
        return moment
    offset = "UTC" if moment[19:] in ("Z", "+00:00") else moment[19:]
    return f"{moment[:10]} {moment[11:16]} {offset}".rstrip()


def status_document(standings: Iterable[Standing], stamp: Stamp) -> dict[str, Any]:
    """The same as a JSON document."""
    shown = list(standings)
    counts = Counter(one.health for one in shown)
    return header(stamp) | {
        "summary": {word.value: counts[word] for word in Health},
        "resources": [
            {
                "address": str(one.address),
                "sync": one.sync.value,
                "health": one.health.value,
                "last_run": one.last_run or None,
                "next_run": one.next_run or None,
                "predicted": one.predicted or None,
                "notes": list(one.notes),
            }
            for one in sorted(shown, key=lambda one: one.address)
        ],
    }


def doctor_text(checks: Sequence[Check], *, width: int, color: bool, encoding: str = "utf-8") -> str:
    """A line a check, and what to do below it."""
    sheet = Sheet(width=width, color=color, encoding=encoding)
    widest = max((columns(check.name) for check in checks), default=0)
    for check in checks:
        name = sheet.say(check.name)
        lead = f"{sheet.sign(_LEVEL_STYLE[check.level])} {name}{' ' * (widest - columns(name))}  "
        sheet.paragraph(check.found, lead=lead)
        if check.next_step:
            sheet.paragraph(check.next_step, indent=4, lead="next: ")
    bad = sum(check.level is not Level.OK for check in checks)
    sheet.blank()
    sheet.paragraph("All is well." if not bad else f"{bad} of {len(checks)} checks need attention.")
    return sheet.text()


def doctor_document(checks: Iterable[Check], stamp: Stamp) -> dict[str, Any]:
    """The same as a JSON document."""
    return header(stamp) | {
        "checks": [
            {"name": check.name, "level": check.level.value, "found": check.found, "next": check.next_step}
            for check in checks
        ]
    }
