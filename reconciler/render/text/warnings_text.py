"""Warnings for a terminal: by code, a sentence once, with what it is about folded below it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from reconciler.model.address import Address
from reconciler.model.plan import Finding
from reconciler.quantities import counted
from reconciler.render.alike_sentences import much_alike, shared_sentence, skeleton
from reconciler.render.reasons import words
from reconciler.render.review import WarningGroup, warning_groups
from reconciler.render.text.group_blocks import Detail, addresses_lines
from reconciler.render.text.text_page import TextPage

_Said = tuple[str, tuple[str, ...]]
_SORTS = 20
_STYLE = ("!", "!", "yellow")


def warnings_list(
    page: TextPage, warnings: Sequence[Finding], detail: Detail | None = None, *, title: str = "Warnings"
) -> None:
    """What somebody should know beside all that, under a title of its own; nothing where there is nothing."""
    detail = detail or Detail()
    if not warnings:
        return
    page.title(title if len(warnings) == 1 else f"{title}: {len(warnings):,}")
    if detail.is_whole:
        for warning in warnings:
            _single(page, warning.address, warning.code, words(warning.why))
        return
    for group in warning_groups(warnings):
        _group(page, group, detail)


def _single(page: TextPage, address: str, code: str, sentence: str) -> None:
    page.head(_STYLE, address or "project", code)
    page.paragraph(sentence, indent=4)


def _group(page: TextPage, group: WarningGroup, detail: Detail) -> None:
    if group.count == 1:
        ((sentence, (address,)),) = group.sentences
        _single(page, address, group.code, sentence)
        return
    page.head(_STYLE, f"{counted(group.count, 'warning')}: {group.code}")
    # What is about the project as a whole comes first, then what is said most often.
    found = sorted(_alike(group.sentences), key=lambda alike: ("" not in alike[0][1], -_count(alike)))
    for alike in found[: detail.ways]:
        page.paragraph(_told_once([sentence for sentence, _ in alike]), indent=4)
        if named := [_address(address) for _, addresses in alike for address in addresses if address]:
            addresses_lines(page, named, 1)
    if left_out := sum(map(_count, found[detail.ways :])):
        page.paragraph(f"and {left_out:,} more: -v writes all out", indent=4)


def _alike(sentences: Iterable[_Said]) -> list[list[_Said]]:
    """Sentences that say the same but for a few words, together; what is about the project stays by itself."""
    found: list[list[_Said]] = []
    for one in sentences:
        for alike in found[:_SORTS] if "" not in one[1] else ():
            if "" not in alike[0][1] and much_alike(alike[0][0], one[0]):
                alike.append(one)
                break
        else:
            found.append([one])
    return found


def _told_once(sentences: Sequence[str]) -> str:
    if len(set(map(skeleton, sentences))) == 1:
        return shared_sentence(sentences)
    return f"such as: {sentences[0]}"


def _count(alike: Iterable[_Said]) -> int:
    return sum(len(addresses) for _, addresses in alike)


def _address(text: str) -> Address:
    """The address, or what stands in its place, as something that can be folded."""
    try:
        return Address.parse(text)
    except ValueError:
        return Address(text, "")
