"""`status` and `doctor` as text and as JSON documents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from reconciler.model.condition import Check, Health, Level, ResourceStatus
from reconciler.model.plan import Finding, Unchanged
from reconciler.render import Screen, Stamp, plan_summary
from reconciler.render.alike_sentences import shared_sentence, skeleton
from reconciler.render.characters import columns, table
from reconciler.render.frequency import minute_text
from reconciler.render.json_ import Document, header, warning_objects
from reconciler.render.likeness import grouped
from reconciler.render.reasons import words
from reconciler.render.review import counted_kinds
from reconciler.render.signs import HEALTH_STYLE, LEVEL_STYLE
from reconciler.render.text.group_blocks import Detail, addresses_lines
from reconciler.render.text.text_page import TextPage
from reconciler.render.text.warnings_text import warnings_list

_MANY = 4
_NAMES_LINES = 6


def status_text(
    statuses: Sequence[ResourceStatus],
    attested: Sequence[Unchanged],
    screen: Screen,
    warnings: Sequence[Finding] = (),
    *,
    verbose: bool = False,
    is_filtered: bool = False,
) -> str:
    """A table, worst first; what a person should know stands below its row. At its end warnings, what is `attested`.

    A note that many rows have is told once, below the table; `verbose` repeats it at each.
    """
    page = TextPage(screen)
    repeated = {} if verbose else _repeated_notes(statuses)
    rows = [
        (
            str(one.address),
            one.sync.value,
            one.health.value,
            minute_text(one.last_run),
            minute_text(one.next_run or one.predicted),
        )
        for one in statuses
    ]
    head, *lines = table([("", "sync", "health", "last run", "next run"), *(tuple(map(page.say, row)) for row in rows)])
    fits = max(map(columns, (head, *lines))) <= page.width - 2
    if fits and statuses:
        page.lines.append(f"  {head}")
    for one, row, line in zip(statuses, rows, lines, strict=True):
        sign = page.sign(HEALTH_STYLE[one.health]) + " "
        if fits:
            page.lines.append(sign + line)
        else:
            _block(page, sign, row)
        for note in map(words, one.notes):
            if skeleton(note) not in repeated:
                page.paragraph(note, indent=4)
    _notes(page, repeated)
    warnings_list(page, warnings, Detail(is_whole=verbose))
    counts = Counter(one.health for one in statuses)
    said = ", ".join(f"{counts[word]:,} {word.value}" for word in Health if counts[word])
    page.blank()
    total = f"{len(statuses):,} in all: {said}."
    seen = "selected" if is_filtered else "declared"
    page.paragraph(total if statuses else f"No schedule and no trigger is {seen}.")
    if said := plan_summary.attested(attested):
        page.paragraph(said)
    return page.text()


_Notes = dict[tuple[str, ...], list[tuple[str, ResourceStatus]]]


def _repeated_notes(statuses: Sequence[ResourceStatus]) -> _Notes:
    """What many rows say but for names and times, and which: a screen of it at every row hides what is said of one."""
    said = grouped(
        ((words(note), one) for one in statuses for note in one.notes), lambda note_and_row: skeleton(note_and_row[0])
    )
    return {key: notes for key, notes in said.items() if len({one.address for _, one in notes}) >= _MANY}


def _notes(page: TextPage, repeated: _Notes) -> None:
    if repeated:
        page.title("Notes")
    for notes in repeated.values():
        rows = {one.address: one for _, one in notes}
        page.head(HEALTH_STYLE[next(iter(rows.values())).health], counted_kinds(list(rows)))
        page.paragraph(shared_sentence([note for note, _ in notes]), indent=4)
        addresses_lines(page, rows, _NAMES_LINES)


def _block(page: TextPage, sign: str, cells: Sequence[str]) -> None:
    """A row on lines of its own, where the table would be wider than the screen: no address is ever cut."""
    address, sync, health, last_run, next_run = cells
    page.paragraph(address, lead=sign)
    times = [f"{word} {time}" for word, time in (("last", last_run), ("next", next_run)) if time]
    page.paragraph(", ".join([sync, health, *times]), indent=4)


def status_document(statuses: Sequence[ResourceStatus], stamp: Stamp, warnings: Sequence[Finding] = ()) -> Document:
    """The same as a JSON document."""
    counts = Counter(one.health for one in statuses)
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
                "notes": list(map(words, one.notes)),
            }
            for one in sorted(statuses, key=lambda one: one.address)
        ],
        "warnings": warning_objects(warnings),
    }


def doctor_text(checks: Sequence[Check], screen: Screen) -> str:
    """A line a check, and what to do below it."""
    page = TextPage(screen)
    widest = max((columns(check.name) for check in checks), default=0)
    for check in checks:
        name = page.say(check.name)
        lead = f"{page.sign(LEVEL_STYLE[check.level])} {name}{' ' * (widest - columns(name))}  "
        page.paragraph(check.found, lead=lead)
        if check.next_step:
            page.paragraph(check.next_step, indent=4, lead="next: ")
    bad = sum(check.level is not Level.OK for check in checks)
    page.blank()
    page.paragraph("All is well." if not bad else f"{bad} of {len(checks)} checks need attention.")
    return page.text()


def doctor_document(checks: Iterable[Check], stamp: Stamp) -> Document:
    """The same as a JSON document."""
    return header(stamp) | {
        "checks": [
            {"name": check.name, "level": check.level.value, "found": check.found, "next": check.next_step}
            for check in checks
        ]
    }
