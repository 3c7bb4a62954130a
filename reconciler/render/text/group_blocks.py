"""What is alike in one block for a terminal: how many, what of them, their names folded, and where they stand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from msgspec import Struct

from reconciler.model.address import Address, Origin
from reconciler.model.copies import replace
from reconciler.model.plan import Action, FieldChange, Preview
from reconciler.quantities import counted
from reconciler.render import wording
from reconciler.render.address_folding import folded_addresses
from reconciler.render.characters import columns, cut, field_texts, shorten_pair
from reconciler.render.drift_review import FindingGroup
from reconciler.render.frequency import first_runs_text, switches_text
from reconciler.render.likeness import VaryingField
from reconciler.render.place_folding import folded_places
from reconciler.render.review import ChangeGroup, Risk
from reconciler.render.signs import ACTION_STYLE
from reconciler.render.text.change_blocks import SWITCHES, change_block, field_sign, runs_lines
from reconciler.render.text.text_page import TextPage

NAMES_ALL = ": -v names all"
_SHORT = 70
_NEVER_UNNAMED = (Action.DELETE, Action.START)
_SWITCH = {
    Risk.SWITCHED_ON: Action.ENABLE,
    Risk.SWITCHED_OFF: Action.DISABLE,
    Risk.NO_FURTHER_RUN: Action.DISABLE,
}


class Detail(Struct, frozen=True):
    """How much is written: lines of names, by what they are of; fields; ways of one; and what is single in full.

    `beside`: fields beside each other, where a block is not in full. `places`: lines of places in manifests.
    `members`: up to so many changes of a group that differ have a line each. `is_whole`: each by itself, and nothing
    folded.
    """

    gravest: int = 12
    risky: int = 6
    routine: int = 3
    fields: int = 8
    ways: int = 3
    beside: int = 8
    places: int = 1
    members: int = 24
    is_full: bool = True
    is_airy: bool = True
    is_whole: bool = False


def group_block(page: TextPage, group: ChangeGroup, detail: Detail) -> None:
    """Changes that are alike: their number and what changes, why, their names, and what the headline does not hold."""
    if detail.is_whole or (group.is_single and detail.is_full):
        for number, change in enumerate(group.changes):
            if number:
                page.blank()
            change_block(page, change, verbose=detail.is_whole)
        return
    origin = group.changes[0].origin if group.is_single else None
    page.head(ACTION_STYLE[group.action], _headline(page, group), group.because, origin=origin)
    are_listed = _are_listed(page, group, detail)
    if not (group.is_single or are_listed):
        most = detail.gravest if group.action in _NEVER_UNNAMED else detail.risky if group.risk else detail.routine
        addresses_lines(page, group.addresses, most)
    sign = field_sign(page, group.action, [field for change in group.changes for field in change.fields])
    if are_listed:
        _members_lines(page, group, sign)
    fields_lines(page, group, [change.fields for change in group.changes], detail, sign=sign, are_listed=are_listed)
    _said(page, group, detail.ways)
    _what_follows(page, group, detail)
    if not group.is_single:
        places_lines(page, group.origins, detail)


def ledger_only_block(page: TextPage, group: ChangeGroup, detail: Detail) -> None:
    """Changes that no product is asked for: a line that says so, and a line of names."""
    if detail.is_whole or (group.is_single and detail.is_full):
        group_block(page, group, detail)
        return
    because, mark, what = group.because.partition(": no change to ")
    told = f"{_will_be(group)}: no change to {what}" if mark else _will_be(group)
    page.head(ACTION_STYLE[group.action], told, because)
    if not group.is_single:
        addresses_lines(page, group.addresses, 1)


def addresses_lines(page: TextPage, addresses: Iterable[Address], most: int) -> None:
    """Names, folded as a shell unfolds them, on so many lines; how many more there are, and what names those."""
    folded = [(one.text, one.number) for one in folded_addresses(addresses, page.width - 5)]
    page.listing(folded, indent=4, most=most, rest=NAMES_ALL)


def places_lines(page: TextPage, origins: Sequence[Origin], detail: Detail) -> None:
    """Where they stand in manifests, on about a line."""
    if origins and detail.places:
        page.listing(folded_places(origins), indent=4, most=detail.places, style="dim")


def fields_lines(
    page: TextPage,
    group: ChangeGroup | FindingGroup,
    of_each: Sequence[Sequence[FieldChange]],
    detail: Detail,
    *,
    sign: str | None = None,
    are_listed: bool = False,
) -> None:
    """The fields that all have, then those that differ with their ways; those of the headline only by their origin.

    What differs is left out where each change is listed with its own.
    """
    common = [_with_shared_origin(field, of_each) for field in group.common]
    if group.is_told:
        page.inherited(common, indent=4)
        return
    if not detail.is_full:
        _in_short(page, common, detail, sign)
    else:
        page.fields(common[: detail.fields], indent=4, verbose=False, sign=sign)
        if len(common) > detail.fields:
            page.paragraph(f"and {counted(len(common) - detail.fields, 'more field')}: -v writes all out", indent=4)
    if are_listed:
        return
    for varying in group.varying[: detail.fields]:
        _line(page, _ways(page, varying, detail, sign), sign)
    if len(group.varying) > detail.fields:
        left_out = ", ".join(varying.path for varying in group.varying[detail.fields :])
        _line(page, f"also differing: {left_out}", None)


def _are_listed(page: TextPage, group: ChangeGroup, detail: Detail) -> bool:
    """Whether a line for each change says more than their folded names: where few differ, and lines have room."""
    if not group.varying or len(group.changes) > detail.members:
        return False
    return max(columns(page.say(str(change.address))) for change in group.changes) <= page.width // 2


def _members_lines(page: TextPage, group: ChangeGroup, sign: str | None) -> None:
    """A line for each change: its name, and what of its fields the others do not share, as far as the line goes."""
    common = {field.path for field in group.common}
    names = [page.say(str(change.address)) for change in group.changes]
    widest = max(map(columns, names))
    for name, change in zip(names, group.changes, strict=True):
        own = [f"{field.path} {_way(page, field, sign)}" for field in change.fields if field.path not in common]
        padding = " " * (widest - columns(name))
        _line(page, f"{name}{padding}  {', '.join(own)}", None)


def _line(page: TextPage, text: str, sign: str | None) -> None:
    """One line and no more, behind a sign if there is one."""
    lead = sign or ""
    room = page.width - 4 - (2 if lead else 0)
    page.paragraph(cut(page.say(text), room, page.ellipsis), indent=4, lead=lead)


def _in_short(page: TextPage, fields: Sequence[FieldChange], detail: Detail, sign: str | None) -> None:
    """Fields beside each other, the first of many, each with as much of its value as tells it."""
    told = [cut(f"{field.path} {_way(page, field, sign)}", _SHORT, page.ellipsis) for field in fields[: detail.beside]]
    if told and (left_out := len(fields) - len(told)):
        told.append(counted(left_out, "more field"))
    if told:
        page.paragraph(", ".join(told), indent=4, lead=sign or "")


def _with_shared_origin(field: FieldChange, of_each: Sequence[Sequence[FieldChange]]) -> FieldChange:
    """The field, with the place that it comes from where that is the same one for all."""
    origins = {one.origin for fields in of_each for one in fields if one.path == field.path}
    return field if len(origins) == 1 else replace(field, origin=None)


def _ways(page: TextPage, varying: VaryingField, detail: Detail, sign: str | None) -> str:
    """`cron: "0 7 * * * *" (12), "0 14 * * * *" (8)`; of many ways their number and the most frequent."""
    told = [f"{_way(page, field, sign)} ({number:,})" for field, number in varying.ways[: detail.ways]]
    left_out = len(varying.ways) - len(told)
    if left_out:
        return f"{varying.path}: {len(varying.ways):,} values, such as {told[0]}"
    return f"{varying.path}: {', '.join(told)}"


def _way(page: TextPage, field: FieldChange, sign: str | None) -> str:
    before, after = field_texts(field)
    if field.secret and sign is None and field.before is not None and field.after is not None:
        return after
    if sign is not None:
        return after if field.after is not None else before
    before, after = shorten_pair(page.say(before), page.say(after), page.width // 3)
    return f"{before} {page.arrow} {after}"


def _will_be(group: ChangeGroup) -> str:
    subject = str(group.changes[0].address) if group.is_single else group.counted()
    return f"{subject} will be {wording.DONE[group.action]}"


def _headline(page: TextPage, group: ChangeGroup) -> str:
    """The group's own, and what follows from switching it on or off."""
    told = group.headline(arrow=page.arrow, times=page.times)
    previews = [change.preview for change in group.changes if change.preview is not None]
    if group.risk is Risk.FIRST_RUN:
        return f"{told}; {first_runs_text(previews)}"
    switch = None if group.risk is None else _SWITCH.get(group.risk)
    if switch is None or len(previews) < len(group.changes):
        return told
    if group.action in SWITCHES:
        return f"{_will_be(group)}: {switches_text(previews, switch)}"
    return f"{told}; {switches_text(previews, switch)}"


def _said(page: TextPage, group: ChangeGroup, most: int) -> None:
    """Why, where that is not one sentence for all."""
    if group.because == group.reason.value:
        with_counts(page, group.sentences, most)


def _what_follows(page: TextPage, group: ChangeGroup, detail: Detail) -> None:
    """The next runs where they are the same for all, and notes on them."""
    previews = [change.preview for change in group.changes if change.preview is not None]
    shown = {(preview.before_runs, preview.after_runs) for preview in previews}
    if len(shown) == 1 and len(previews) == len(group.changes) and group.action not in SWITCHES and detail.is_full:
        before, after = shown.pop()
        runs_lines(page, group.action, Preview(before, after))
    notes = Counter(note for preview in previews for note in preview.notes)
    with_counts(page, notes.most_common(), detail.ways, lead="note: ")


def with_counts(page: TextPage, sentences: Iterable[tuple[str, int]], most: int, *, lead: str = "") -> None:
    """Sentences with how often each is said; of many the most frequent, and how many there are beside them."""
    said = [(sentence, number) for sentence, number in sentences if sentence]
    for sentence, number in said[:most]:
        page.paragraph(f"{sentence} ({number:,} of them)" if number > 1 else sentence, indent=4, lead=lead)
    if left_out := sum(number for _, number in said[most:]):
        page.paragraph(f"and {left_out:,} more: -v writes all out", indent=4, lead=lead)
