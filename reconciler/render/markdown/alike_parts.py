"""What is alike, as parts of a note: folded names, fields as a diff, what differs in a table, each with its rank."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from msgspec import Struct

from reconciler.model.address import Address, Origin
from reconciler.model.plan import FieldChange
from reconciler.model.state import JSON
from reconciler.quantities import counted, first_few
from reconciler.render.address_folding import folded_addresses
from reconciler.render.characters import ABSENT, cut, field_texts, neutral, shorten_pair
from reconciler.render.likeness import VaryingField
from reconciler.render.markdown.markdown_escape import code, fence, name, prose, summary_text, table
from reconciler.render.markdown.note_frame import FIELDS, FILES, SINGLY, UNDETAILED, Rank
from reconciler.render.markdown.size_budget import Piece, Section
from reconciler.render.place_folding import folded_places

_INLINE = 320
"""Up to so many characters of names stand in the text; more are folded away."""

_VALUE, _CELL, _WAY = 160, 80, 40
_MOST_FIELDS = 24
_MOST_WAYS = 6
_MOST_PLACES = 6
_MOST_COLUMNS = 3
_PLAIN = re.compile(r"[A-Za-z0-9/][A-Za-z0-9 +*?/.,:%_-]*")
_NO_TEXT = re.compile(r"(?:true|false|null|yes|no|on|off|[0-9.,:+-]+|[0-9][0-9_.]*e[0-9+-]*)", re.IGNORECASE)


def names(addresses: Sequence[Address], rank: Rank, noun: str, *, summary: str) -> Section:
    """The addresses, folded as a shell writes names, in a paragraph; many are folded away under a summary."""
    words = folded_addresses(addresses)
    if sum(len(word.text) for word in words) <= _INLINE:
        texts = [f"{', ' if place else ''}{name(word.text)}" for place, word in enumerate(words)]
        opening, closing = "\n", "\n"
    else:
        texts = [f"{neutral(word.text)}\n" for word in words]
        opening = f"\n<details>\n<summary>{summary_text(summary)}</summary>\n\n```text\n"
        closing = "```\n\n</details>\n"
    pieces = [Piece(text, rank, noun, word.number) for text, word in zip(texts, words, strict=True)]
    return Section(pieces, opening, closing, _and_more if closing == "\n" else _more_lines)


def _and_more(number: int) -> str:
    return f" and {number:,} more"


def _more_lines(number: int) -> str:
    return f"… and {number:,} more\n"


def diff(fields: Sequence[FieldChange], *, head: Sequence[str] = ()) -> str:
    """Fields as a diff, `- every: 15m` above `+ every: 45m`, after an empty line; "" where there are none.

    Long values are shortened around what differs. No line can end the fence, since each begins with a sign.
    """
    lines = [line for field in fields for line in _lines(field)]
    return "\n" + fence("diff", [*head, *lines]) if lines else ""


def few_fields(fields: Sequence[FieldChange]) -> tuple[Sequence[FieldChange], Sequence[FieldChange]]:
    """The fields that are told with what is told of a resource, and the others of one that has very many."""
    return fields[:_MOST_FIELDS], fields[_MOST_FIELDS:]


def more_fields(fields: Sequence[FieldChange], *, head: Sequence[str] = ()) -> Iterator[Piece]:
    """The other fields of what has very many, by the dozens."""
    for start in range(0, len(fields), _MOST_FIELDS):
        part = fields[start : start + _MOST_FIELDS]
        yield Piece(diff(part, head=head), Rank.SINGLY, FIELDS, len(part))


def differing(varying: Sequence[VaryingField]) -> str:
    """`Not alike: logLevel 1 → 2 (30), 1 → 3 (12); cron in 40 ways`, or "": the fields in which not all are alike."""
    return f"\nNot alike: {'; '.join(map(_ways, varying))}.\n" if varying else ""


class Group(Struct, frozen=True):
    """What is told of one resource, or of several that are alike. All but `subject` is Markdown already.

    `lead` stands before the name of one, `about` ends the headline of many, `reason` follows either on the same line.
    `noun` is what the resources are counted as where their names are left out; `more` waits for the rest.
    """

    addresses: Sequence[Address]
    subject: str
    lead: str
    about: str
    reason: str
    body: str
    noun: str
    more: Sequence[Piece | Section] = ()

    @property
    def is_single(self) -> bool:
        return len(self.addresses) == 1


class Ranks(NamedTuple):
    """What gets room first of a group: its headline, its names, or what else is told of it."""

    head: Rank
    names: Rank
    details: Rank


def open_group(group: Group, ranks: Ranks) -> Section:
    """One resource with its name, or a headline with a count and the folded names below it."""
    if group.is_single:
        head = Piece(f"\n{group.lead}{name(group.subject)}", ranks.names, group.noun)
    else:
        head = Piece(f"\n**{prose(group.subject)}**{group.about}", ranks.head)
    return Section([Section([head, _reason(group, ranks, group.reason)], "", "\n"), *_below(group, ranks)])


def folded_group(group: Group, ranks: Ranks, summary: str) -> Section:
    """The same, folded away under its headline."""
    head = Piece(f"<summary>{summary}</summary>\n", ranks.head, group.noun if group.is_single else "")
    reason = Section([_reason(group, ranks, group.reason.removeprefix(" — "))], "\n", "\n")
    return Section([head, reason, *_below(group, ranks)], "\n<details>\n", "\n</details>\n")


def _reason(group: Group, ranks: Ranks, text: str) -> Piece:
    return Piece(text, ranks.details, "" if group.body else UNDETAILED, len(group.addresses))


def _below(group: Group, ranks: Ranks) -> Iterator[Piece | Section]:
    if not group.is_single:
        yield names(group.addresses, ranks.names, group.noun, summary=group.subject)
    if group.body:
        yield Piece(group.body, ranks.details, UNDETAILED, len(group.addresses))
    yield from group.more


class Row(NamedTuple):
    """What is told of one of many in a table: its name, why (in Markdown), fields, a run, and where it is declared."""

    address: Address
    why: str
    fields: Sequence[FieldChange]
    origin: Origin | None
    run: str = ""


def each_singly(rows: Sequence[Row], varying: Sequence[VaryingField], summary: str, *, run: str = "") -> Section:
    """A table of many that differ: few fields in columns of their own, more of them in one; `run` heads the runs."""
    paths = [field.path for field in varying]
    is_wide = len(paths) > _MOST_COLUMNS
    columns = ["Resource", "Why", *(["Fields"] if is_wide else map(code, paths)), run, "Where"]
    texts = []
    for row in rows:
        of_path = {path: [field for field in row.fields if field.path == path] for path in paths}
        told = [[_named(field) if is_wide else _sided(field) for field in of_path[path]] for path in paths]
        cells = ["<br>".join(one) for one in told]
        cells = ["<br>".join(filter(None, cells))] if is_wide else cells
        where = code(row.origin.shown) if row.origin else ""
        texts.append([name(str(row.address)), row.why, *cells, prose(row.run), where])
    return table_of(columns, texts, summary)


def table_of(
    head: Sequence[str], rows: Sequence[Sequence[str]], summary: str, *, rank: Rank = Rank.SINGLY, noun: str = SINGLY
) -> Section:
    """A table that is folded away, of rows that stand each by itself; columns without any cell are left out."""
    kept = [column for column in range(len(head)) if not column or any(row[column] for row in rows)]
    opening = f"\n<details>\n<summary>{summary_text(summary)}</summary>\n\n"
    opening += table([head[column] for column in kept], [])
    pieces = [Piece(f"| {' | '.join(row[column] for column in kept)} |\n", rank, noun) for row in rows]
    return Section(pieces, opening, "\n</details>\n", lambda number: f"\n_{number:,} more._\n")


def _named(field: FieldChange) -> str:
    return f"{code(field.path)}: {_sided(field)}"


def _sided(field: FieldChange) -> str:
    return _both(field, _CELL) + place(field.origin)


def place(origin: Origin | None) -> str:
    """The place in the manifest, led by a dot, or nothing."""
    return f" · {code(origin.shown)}" if origin else ""


def places(origins: Iterable[Origin]) -> Iterator[Section]:
    """Where many stand in the manifests, a file once: `manifests/shops.yaml:12, :30`; nothing where it is not known."""
    files: list[str] = []
    for word in folded_places(origins):
        if word.text.startswith(":") and files:
            files[-1] += f", {word.text}"
        else:
            files.append(word.text)
    pieces = [Piece(f"{', ' if at else ''}{name(file)}", Rank.SINGLY, FILES) for at, file in enumerate(files)]
    if sum(map(len, files)) <= _INLINE:
        yield Section(pieces, "\nDeclared in ", "\n", _and_more)
    else:
        opening = "\n<details>\n<summary>Where they are declared</summary>\n\n"
        yield Section(pieces, opening, "\n\n</details>\n", _and_more)


def inherited(of_each: Iterable[Sequence[FieldChange]]) -> str:
    """Where values stand that are not written in the block itself, field by field; "" where all of them are."""
    origins: dict[str, list[Origin]] = {}
    for fields in of_each:
        for field in fields:
            if field.origin is not None:
                origins.setdefault(field.path, []).append(field.origin)
    told = [
        f"{code(path)} from {first_few([name(word.text) for word in folded_places(of)], _MOST_PLACES)}"
        for path, of in origins.items()
    ]
    return f"\nInherited: {first_few(told, _MOST_FIELDS, between='; ')}.\n" if told else ""


def _lines(field: FieldChange) -> Iterator[str]:
    path = cut(neutral(field.path), _VALUE)
    before, after = shorten_pair(*_texts(field), _VALUE)
    if field.before is not None:
        yield f"- {path}: {before}"
    if field.after is not None:
        yield f"+ {path}: {after}"
    if field.before is None and field.after is None:
        yield f"  {path}: {ABSENT}"


def _texts(field: FieldChange) -> tuple[str, str]:
    """Both sides as a manifest has them: a text without quotes where it can be taken for nothing else."""
    before, after = (
        text if field.secret or not _is_plain(value) else value
        for text, value in zip(field_texts(field), (field.before, field.after), strict=True)
    )
    return before, after


def _is_plain(value: JSON) -> bool:
    return (
        isinstance(value, str)
        and _PLAIN.fullmatch(value) is not None
        and _NO_TEXT.fullmatch(value) is None
        and not value.endswith(" ")
        and ": " not in value
    )


def _ways(varying: VaryingField) -> str:
    if len(varying.ways) > _MOST_WAYS:
        return f"{code(varying.path)} in {counted(len(varying.ways), 'way')}"
    told = ", ".join(f"{_both(field, _WAY)} ({number:,})" for field, number in varying.ways)
    return f"{code(varying.path)} {told}"


def _both(field: FieldChange, width: int) -> str:
    texts, values = shorten_pair(*_texts(field), width), (field.before, field.after)
    sides = [code(text) for text, value in zip(texts, values, strict=True) if value is not None]
    return " → ".join(sides) if sides else ABSENT
