"""Reads the file that `forEach` names: a table, or a list of mappings in YAML or JSON. What stands in it is data.

Nothing in it is interpolated. A cell of a table is a number, true or false where its text is exactly what such a value
prints as, and text everywhere else.
"""

from __future__ import annotations

import csv
import io
import json
import re
from bisect import bisect_left
from collections.abc import Callable, Iterator
from typing import TypeAlias

from msgspec import Struct

from reconciler.files import MANIFEST_BYTES
from reconciler.manifests import yaml_reading
from reconciler.manifests.problems import ProblemReporter, Problems, SourceFile
from reconciler.manifests.yaml_parsing import SourceError, decode
from reconciler.manifests.yaml_values import Place, YAMLValue, plain_value, text_of
from reconciler.quantities import counted, size_text

KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*", re.ASCII)
_KEY_RULE = "a key has letters, digits, and . _ - after a letter"

Row: TypeAlias = tuple[YAMLValue, Place]
"""What stands for one item, which may still be anything, and where it begins."""


class ItemFile(Struct, frozen=True):
    """The rows of a file; and where a value in one of them stands: `place` takes the row's number and the key."""

    rows: list[Row]
    place: Callable[[int, str | None], Place]


def read(file: SourceFile, problems: Problems) -> ItemFile | None:
    """The rows of a file; None where it cannot be read as what its ending says, and `problems` have the reason."""
    suffix = file.location.suffix.lower()
    try:
        if suffix in (".yaml", ".yml"):
            return _yaml(file, problems)
        if not file.read(problems):
            return None
        rows = list((read_json if suffix == ".json" else read_table)(decode(file.data)))
    except SourceError as error:
        problems.add(file, (error.line, error.column), error.code, error.message)
        return None
    return ItemFile(rows, lambda number, _: rows[number][1] if number < len(rows) else (1, 1))


def _yaml(file: SourceFile, problems: Problems) -> ItemFile | None:
    before = len(problems)
    documents = yaml_reading.read_file(file, problems)
    if len(problems) > before:
        return None
    if len(documents) > 1:
        raise SourceError("extra-document", "a file of items is one list of mappings", *documents[1].place)
    if not documents:
        return ItemFile([], lambda _, __: (1, 1))
    found, report = documents[0], ProblemReporter(problems, file, documents[0].index)
    if not isinstance(found.value, list):
        raise SourceError("not-items", "a file of items is one list of mappings: - {region: au}", *found.place)

    def place(number: int, key: str | None) -> Place:
        at = report.origin((number,) if key is None else (number, key))
        return at.line, at.column

    rows = [(value, found.places.get(id(value), found.place)) for value in found.value]
    return ItemFile(rows, place)


def read_table(text: str) -> Iterator[Row]:
    """The rows of a CSV file, by the names in its first line. Lines without anything in them are left out.

    Cells that are missing at the end of a row are empty. They count as if their commas were written: a short file
    would otherwise make a table that is as large as its square.
    """
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] | None = None
    room = MANIFEST_BYTES - len(text)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise SourceError("bad-table", f"this is no row of a table: {error}", line) from error
        if cells is None:
            break
        if not cells or (len(cells) == 1 and cells[0].isspace()):
            continue
        if header is None:
            header = _header(cells, line)
            continue
        missing = len(header) - len(cells)
        if missing < 0:
            names = ", ".join(header)[:200]
            message = f"the row has {counted(len(cells), 'cell')}, and the first line names {len(header)}: {names}"
            raise SourceError("bad-table", message, line)
        room -= missing
        if room < 0:
            message = f"the table with all its empty cells is larger than {size_text(MANIFEST_BYTES)}: split it"
            raise SourceError("bad-table", message, line)
        cells += [""] * missing
        yield dict(zip(header, map(cell_value, cells), strict=True)), (line, 1)
    if header is None:
        raise SourceError("bad-table", "the file is empty: its first line names the keys, such as region,zone")


def _header(cells: list[str], line: int) -> list[str]:
    for number, name in enumerate(cells):
        if not KEY.fullmatch(name):
            separator = next((char for char in ";\t|" if char in name), "")
            advice = f"separate cells with commas, not {separator!r}" if separator else _KEY_RULE
            raise SourceError("bad-table", f"{name[:80]!r} in the first line cannot be a key: {advice}", line)
        if name in cells[:number]:
            raise SourceError("bad-table", f"the first line names {name[:80]} twice", line)
    return cells


def cell_value(text: str) -> YAMLValue:
    """What the text of a cell says: a number, true or false where it is exactly what such a value prints as."""
    value = plain_value(text) if text else text
    return value if text_of(value) == text else text


def read_json(text: str) -> Iterator[Row]:
    """The entries of a JSON list. Numbers that would lose something stay text, as in YAML."""
    decoder = json.JSONDecoder(
        object_pairs_hook=_object, parse_float=plain_value, parse_int=plain_value, parse_constant=_no_constant
    )

    breaks = [-1, *(match.start() for match in re.finditer("\n", text))]

    def place(index: int) -> Place:
        line = bisect_left(breaks, index)
        return line, index - breaks[line - 1]

    at = skip_space(text, 0)
    if text[at : at + 1] != "[":
        raise SourceError("not-items", 'a file of items is one list of mappings: [{"region": "au"}]', *place(at))
    at = skip_space(text, at + 1)
    is_first = True
    while text[at : at + 1] != "]":
        if not is_first:
            if text[at : at + 1] != ",":
                raise SourceError("syntax", "this is no JSON: a comma or ] is missing", *place(at))
            at = skip_space(text, at + 1)
        is_first = False
        begin = at
        try:
            value, at = decoder.raw_decode(text, at)
        except json.JSONDecodeError as error:
            raise SourceError("syntax", f"this is no JSON: {error.msg}", error.lineno, error.colno) from error
        except (ValueError, RecursionError) as error:
            raise SourceError("syntax", f"this is no JSON: {error}", *place(begin)) from error
        yield value, place(begin)
        at = skip_space(text, at)
    rest = skip_space(text, at + 1)
    if rest < len(text):
        raise SourceError("syntax", "this is no JSON: something stands behind the list", *place(rest))


_SPACE = re.compile(r"[ \t\r\n]*")


def skip_space(text: str, index: int) -> int:
    """The next place that is no space."""
    found = _SPACE.match(text, index)
    return found.end() if found else index


def _object(pairs: list[tuple[str, YAMLValue]]) -> dict[str, YAMLValue]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key {next(name for name in names if names.count(name) > 1)[:80]!r} stands here twice")
    return found


def _no_constant(name: str) -> YAMLValue:
    raise ValueError(f"{name} is no number")
