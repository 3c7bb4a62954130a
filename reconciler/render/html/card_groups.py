"""What is alike as one card: what is common to all, how the rest varies, and every single one folded inside."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from reconciler.model.address import Address, Origin
from reconciler.model.plan import FieldChange
from reconciler.quantities import counted
from reconciler.render.address_folding import folded_addresses
from reconciler.render.characters import cut, field_texts
from reconciler.render.html.cards import LONGEST, FieldsTable, Runs
from reconciler.render.likeness import VaryingField, shown_field
from reconciler.render.review import WarningGroup

_WAYS, _EXAMPLES = 4, 2
_WAY = 120
_FOLDED = 12
_FEW = 8
"""So many members are seen without unfolding anything."""


class Member(Struct, frozen=True):
    """One of what is alike: `own` fields and sentences (`told`) are what the others do not share.

    `is_resource` says that `address` is one, and no name of an agent or of the project.
    """

    address: str
    own: tuple[tuple[str, str], ...] = ()
    told: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    listed: tuple[str, ...] = ()
    origin: Origin | None = None
    is_resource: bool = True


class Part(Struct, frozen=True):
    """Members under one line, which counts or names them. `word` is what filters find, where it is not the card's."""

    title: str
    members: Sequence[Member]
    is_open: bool = False
    word: str = ""


class Variation(Struct, frozen=True):
    """How a field varies: each way with how many change so, and how many other ways there are."""

    path: str
    ways: tuple[tuple[str, int], ...]
    more: int


class CardGroup(Struct, frozen=True):
    """Resources that are judged together. The word chooses sign and colour; `told` are sentences, each with its count.

    A count of 0 says that a sentence is about all of them. `names` are addresses, folded as a shell does.
    """

    word: str
    sign: str
    headline: str
    parts: Sequence[Part]
    tags: tuple[str, ...] = ()
    alarm: str = ""
    told: tuple[tuple[str, int], ...] = ()
    step: str = ""
    needs: tuple[str, ...] = ()
    table: FieldsTable | None = None
    variations: tuple[Variation, ...] = ()
    runs: Runs | None = None
    names: tuple[str, ...] = ()

    @property
    def members(self) -> Iterable[Member]:
        return (member for part in self.parts for member in part.members)


def members_part(members: Sequence[Member], *, is_risky: bool = False) -> Part:
    """All members in one part; a few are in sight at once, more of them where each has to be looked at."""
    return Part(counted(len(members), "address", "addresses"), members, len(members) <= _FEW * (1 + 2 * is_risky))


def names_of(addresses: Sequence[Address]) -> tuple[str, ...]:
    """Many addresses in a few words, for what is named outright; () where the members themselves are in sight."""
    if len(addresses) <= 3 * _FEW:
        return ()
    folded = folded_addresses(addresses)
    left = sum(one.number for one in folded[_FOLDED:])
    return (*(one.text for one in folded[:_FOLDED]), *([f"… and {left:,} more"] if left else []))


def variations(fields: Iterable[VaryingField]) -> tuple[Variation, ...]:
    """The fields in which members differ, the most frequent ways first; examples where none is more frequent."""
    return tuple(map(_variation, fields))


def _variation(field: VaryingField) -> Variation:
    shown = field.ways[: _WAYS if field.ways[0][1] > 1 else _EXAMPLES]
    ways = tuple((cut(change_text(way), _WAY), count) for way, count in shown)
    return Variation(field.path, ways, len(field.ways) - len(shown))


def own_fields(fields: Iterable[FieldChange], common: Iterable[FieldChange]) -> tuple[tuple[str, str], ...]:
    """The fields of a member that the group does not share, each with what becomes of it."""
    shared = {shown_field(field) for field in common}
    return tuple((field.path, change_text(field)) for field in fields if shown_field(field) not in shared)


def change_text(field: FieldChange, longest: int = LONGEST) -> str:
    """`"15m" → "45m"`; the one side where there is no other; a sentence where the field stays as it is.

    Of each side so many characters are shown.
    """
    before, after = (cut(text, longest) for text in field_texts(field))
    if field.before is None and field.after is None:
        return "not changed"
    if field.before is None:
        return after
    return before if field.after is None else f"{before} → {after}"


def warning_card(group: WarningGroup) -> CardGroup:
    """The warnings of one code: what is said of several once, above their addresses."""
    parts: list[Part] = []
    single: list[Member] = []
    for sentence, addresses in group.sentences:
        if len(addresses) > 1:
            parts.append(
                Part(f"{sentence} ({len(addresses):,})", [_warned(one) for one in addresses], len(addresses) <= _FEW)
            )
        else:
            single += [_warned(one, sentence) for one in addresses]
    if single:
        title = "Said of one each" if parts else counted(len(single), "warning")
        parts.append(Part(title, single, len(single) <= _FEW))
    # Where each is said of one alone, no title below says what they are about.
    told = ((f"Such as: {single[0].told[0]}", 0),) if len(parts) == 1 and single and len(single) > _FEW else ()
    return CardGroup("warning", "!", counted(group.count, "warning"), parts, (group.code,), told=told)


def _warned(address: str, *told: str) -> Member:
    return Member(address or "project", told=told, is_resource=bool(address))
