"""What every note is put together from: head, sections by importance, what was left out for want of room, foot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum

from reconciler.model.condition import Drift
from reconciler.model.plan import Plan
from reconciler.render import Stamp
from reconciler.render.markdown.markdown_escape import code, marker, prose, table
from reconciler.render.markdown.size_budget import Piece, Section, fit


class Rank(IntEnum):
    """What gets room first: who is concerned by what needs a close look, before anything about the rest."""

    HEAD = 0
    NAMES = 1
    DETAILS = 2
    GROUPS = 3
    GROUP_NAMES = 4
    GROUP_DETAILS = 5
    SINGLY = 6
    WARNINGS = 7
    ALL_WARNINGS = 8


UNDETAILED, SINGLY, FIELDS, NOTES, FILES = _MORE_THAN_NAMES = (
    "Without details",
    "Not listed singly",
    "Fields left out",
    "Notes left out",
    "Files with manifests left out",
)
"""Nouns of what is left out that is more than a name."""

_WARNING = "warning "


def warning_noun(code: str) -> str:
    """The noun of warnings of a code where they are left out."""
    return _WARNING + prose(code)


def note(
    subject: Plan | Drift,
    summary: str,
    counts: Sequence[tuple[str, int]],
    sections: Sequence[Section],
    stamp: Stamp,
    max_bytes: int,
) -> str:
    """The whole note: `## Plan: retail-data / prod`, its summary, its counts where there are any, and who wrote it.

    Its first line marks it, so that a bot can replace it.
    """
    title = "Plan" if isinstance(subject, Plan) else "Drift"
    head = [
        f"{marker(title.lower(), subject.project, subject.environment)}\n",
        f"## {title}: {prose(subject.project)} / {prose(subject.environment)}\n",
        f"\n**{prose(summary)}**\n",
    ]
    if counts:
        head.append("\n" + table([word for word, _ in counts], [[str(number) for _, number in counts]]))
    foot = f"\n<sub>reconciler {prose(stamp.reconciler_version)} · {code(stamp.created_at)}</sub>\n"

    def left_out(numbers: Mapping[str, int]) -> str:
        return _left_out(numbers, title.lower(), max_bytes)

    page = Section([*(Piece(text, Rank.HEAD) for text in head), *sections])
    return fit(page, foot, max_bytes, left_out)


def _left_out(numbers: Mapping[str, int], command: str, max_bytes: int) -> str:
    """How many of what are missing, and where to see them."""
    told = [f"{noun}: {numbers[noun]:,}." for noun in _MORE_THAN_NAMES if noun in numbers]
    named = {noun: f"{number:,}" for noun, number in numbers.items() if noun not in _MORE_THAN_NAMES}
    unnamed = [f"{number} {noun}" for noun, number in named.items() if not noun.startswith(_WARNING)]
    warned = [f"{number} {noun.removeprefix(_WARNING)}" for noun, number in named.items() if noun.startswith(_WARNING)]
    told = [f"Not named: {', '.join(unnamed)}.", *told] if unnamed else told
    told += [f"Warnings left out: {', '.join(warned)}."] if warned else []
    hint = f"`reconciler {command} -v` shows all of it in a terminal, `--format html` on one page."
    return f"\n> Shortened to {max_bytes:,} bytes. {' '.join([*told, hint])}\n"
