"""Warnings by code: first those that stop the plan, each in full; at the end all others, each code with an example."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.model.address import Address
from reconciler.quantities import counted
from reconciler.render import wording
from reconciler.render.address_folding import folded_addresses
from reconciler.render.markdown.alike_parts import names, table_of
from reconciler.render.markdown.markdown_escape import name, prose
from reconciler.render.markdown.note_frame import Rank, warning_noun
from reconciler.render.markdown.size_budget import Piece, Section
from reconciler.render.review import WarningGroup

_IN_FULL = 2_000
_INLINE = 160
_FEW = 3


def stops(groups: Sequence[WarningGroup]) -> Section:
    """Why the plan is refused, and what could not be read: what all else depends on."""
    return Section([part for group in groups if wording.is_stop(group.code) for part in _stop(group)])


def _stop(group: WarningGroup) -> Iterator[Piece | Section]:
    for sentence, addresses in group.sentences:
        told = f"\n**{prose(group.code)}**: {prose(sentence, _IN_FULL)}\n"
        yield Piece(told, Rank.NAMES, prose(group.code))
        if any(addresses):
            about = [Address("", one) for one in addresses if one]
            summary = counted(len(about), "address", "addresses")
            yield names(about, Rank.NAMES, prose(group.code), summary=summary)


def warnings(groups: Sequence[WarningGroup]) -> Section:
    """The others: a line for each code with what is said most often, and behind them all that the lines leave out."""
    shown = [group for group in groups if not wording.is_stop(group.code)]
    title = counted(sum(group.count for group in shown), "warning")
    lines = [line for group in shown for line in _lines(group)]
    rows = [
        [prose(group.code), prose(sentence), _about(addresses)]
        for group in shown
        for sentence, addresses in group.sentences
        if not _is_told(group, addresses)
    ]
    more = [table_of(("Warning", "Told", "Of"), rows, "Each warning", rank=Rank.ALL_WARNINGS, noun="")] if rows else []
    return Section([*lines, *more], f"\n### {title}\n\n")


def _lines(group: WarningGroup) -> Iterator[Piece]:
    """Each sentence of a code where there are few, the most frequent one first; else that one for all."""
    if len(group.sentences) > _FEW:
        yield Piece(
            _line(group, *group.sentences[0], group.count), Rank.WARNINGS, warning_noun(group.code), group.count
        )
        return
    for place, (sentence, addresses) in enumerate(group.sentences):
        rank = Rank.ALL_WARNINGS if place else Rank.WARNINGS
        text = _line(group, sentence, addresses, len(addresses))
        yield Piece(text, rank, warning_noun(group.code), len(addresses))


def _line(group: WarningGroup, sentence: str, addresses: Sequence[str], count: int) -> str:
    """`- **dst-skipped** (20): … — `schedule/shop-{01..20}/poll``: all that it is about, or an example of it."""
    lead, said = f"- **{prose(group.code)}**", prose(sentence)
    named = [one for one in addresses if one]
    about = _about(named) if not named or _is_told(group, addresses) else f"such as {name(named[0])}"
    if count == 1:
        return f"{lead}{' ' if about else ''}{about}: {said}\n"
    return f"{lead} ({count:,}): {said}{' — ' if about else ''}{about}\n"


def _is_told(group: WarningGroup, addresses: Sequence[str]) -> bool:
    """Whether a line tells all of a sentence of the group."""
    return len(group.sentences) <= _FEW and (len(addresses) == 1 or len(_about(addresses)) <= _INLINE)


def _about(addresses: Sequence[str]) -> str:
    words = folded_addresses(Address("", one) for one in addresses if one)
    return ", ".join(name(word.text) for word in words)
