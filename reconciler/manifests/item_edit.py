"""Edits what `forEach` takes its items from, a cell of a table or a key of an item in JSON or YAML, and no other byte.

What comes out is read as items are read, and has to hold what was there before with nothing but the edits in it.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from msgspec import Struct

from reconciler.manifests import item_files
from reconciler.manifests.item_files import Row
from reconciler.manifests.placeholders import escaped, is_composed
from reconciler.manifests.yaml_document_edit import CannotEdit, EditedFile, Obstacle, spliced
from reconciler.manifests.yaml_parsing import SourceError, decode
from reconciler.manifests.yaml_splices import Splice
from reconciler.manifests.yaml_values import DocumentPath, YAMLValue, is_writable, list_of, mapping_of, text_of
from reconciler.manifests.yaml_writing import same

_MARK = "\ufeff"
_CELL = re.compile(r'"(?:[^"]|"")*"|[^,\r\n]*')
_LINE_END = re.compile(r"\r\n|\r|\n|\Z")
_TO_BE_QUOTED = re.compile(r'[,"\r\n]')


class EditedText(Protocol):
    """A file with edits in it: as `EditedFile`, which is one."""

    @property
    def before(self) -> str: ...

    @property
    def text(self) -> str: ...

    def splices(self) -> list[Splice]: ...


class EditedItems(Protocol):
    """Items that can be edited, by their number from 0. Values are what `${each.KEY}` stands for."""

    def keys(self) -> frozenset[str]:
        """Every key that an item has."""

    def value(self, number: int, key: str) -> YAMLValue:
        """What is written there; None where nothing is."""

    def obstacle(self, number: int, key: str) -> Obstacle | None:
        """Why no value can be set there; None where one can."""

    def set_value(self, number: int, key: str, value: YAMLValue) -> None:
        """Set the value of a key that is there, or of a new one."""


class ListedItems(Struct, frozen=True):
    """Items in a YAML file: a file of its own, or the list in a manifest, in which `${…}` is filled in."""

    file: EditedFile
    document: int
    path: DocumentPath
    is_interpolated: bool = False

    def keys(self) -> frozenset[str]:
        listed = list_of(self.file.value_at(self.document, self.path))
        return frozenset(key for item in listed for key in mapping_of(item))

    def value(self, number: int, key: str) -> YAMLValue:
        return self.file.value_at(self.document, (*self.path, number, key))

    def obstacle(self, number: int, key: str) -> Obstacle | None:
        before = self.value(number, key)
        if self.is_interpolated and is_composed(before):
            return Obstacle.COMPOSED
        return self.file.obstacle(self.document, (*self.path, number, key))

    def set_value(self, number: int, key: str, value: YAMLValue) -> None:
        written = escaped(value) if self.is_interpolated else value
        self.file.set_value(self.document, (*self.path, number, key), written)


def edited_list(data: bytes) -> ListedItems:
    """The items of a YAML file. Raises CannotEdit."""
    file = EditedFile(data)
    return ListedItems(file, next(iter(file.documents), 0), ())


class _ItemText:
    """The text of a table or of a JSON file, how it is read, and what shall become of its values."""

    def __init__(self, data: bytes, rows: Callable[[str], Iterable[Row]]) -> None:
        """Raises CannotEdit where the bytes are no such file."""
        try:
            self._text = decode(data)
            self._values = [dict(mapping_of(value)) for value, _ in rows(self._text)]
        except SourceError as error:
            raise CannotEdit(Obstacle.UNREADABLE) from error
        self._mark = _MARK if data.startswith(_MARK.encode()) else ""
        self._rows = rows

    @property
    def before(self) -> str:
        return self._mark + self._text

    @property
    def text(self) -> str:
        """The whole file with the edits in it. Raises CannotEdit where that would not be read as just these edits."""
        text = spliced(self._text, self._splices())
        try:
            found = [mapping_of(value) for value, _ in self._rows(text)]
        except SourceError as error:
            raise CannotEdit(Obstacle.UNSURE) from error
        expected = self._expected()
        if len(found) != len(expected) or not all(map(same, found, expected)):
            raise CannotEdit(Obstacle.UNSURE)
        return self._mark + text

    def splices(self) -> list[Splice]:
        shift = len(self._mark)
        return [Splice(one.begin + shift, one.end + shift, one.text) for one in self._splices()]

    def keys(self) -> frozenset[str]:
        return frozenset(key for row in self._values for key in row)

    def value(self, number: int, key: str) -> YAMLValue:
        return self._values[number].get(key)

    def obstacle(self, number: int, key: str) -> Obstacle | None:
        return None if number < len(self._values) else Obstacle.ELSEWHERE

    def _expected(self) -> list[dict[str, YAMLValue]]:
        return self._values

    def _splices(self) -> list[Splice]:
        raise NotImplementedError


# --- tables ----------------------------------------------------------------------------------------------------------


class _Cell(Struct, frozen=True):
    """A cell as it is written: `text[begin:end]`, its quotes included."""

    begin: int
    end: int
    is_quoted: bool


class EditedTable(_ItemText):
    """A CSV file. A new key is a column at the end, of which only the lines that have something in it need a cell."""

    def __init__(self, data: bytes) -> None:
        """Raises CannotEdit."""
        super().__init__(data, item_files.read_table)
        self._lines = list(_lines(self._text))
        names = [self._unquoted(cell) for cell in self._lines[0]] if self._lines else []
        self._columns = {name: number for number, name in enumerate(names)}
        self._changes: dict[int, dict[int, str]] = defaultdict(dict)
        if len(self._lines) != len(self._values) + 1:
            raise CannotEdit(Obstacle.UNSURE)

    def set_value(self, number: int, key: str, value: YAMLValue) -> None:
        column = self._columns.setdefault(key, len(self._columns))
        if column >= len(self._lines[0]):
            self._changes[0][column] = key
        self._changes[number + 1][column] = text_of(value)
        self._values[number][key] = item_files.cell_value(text_of(value))

    def keys(self) -> frozenset[str]:
        return frozenset(self._columns)

    def _unquoted(self, cell: _Cell) -> str:
        written = self._text[cell.begin : cell.end]
        return written[1:-1].replace('""', '"') if cell.is_quoted else written

    def _expected(self) -> list[dict[str, YAMLValue]]:
        return [{key: row.get(key, "") for key in self._columns} for row in self._values]

    def _splices(self) -> list[Splice]:
        return [splice for number, changes in sorted(self._changes.items()) for splice in self._line(number, changes)]

    def _line(self, number: int, changes: dict[int, str]) -> Iterator[Splice]:
        cells = self._lines[number]
        is_quoted = all(cell.is_quoted for cell in cells)
        for column, cell in enumerate(cells):
            if column in changes:
                value = changes[column]
                written = _worded(value, is_quoted=is_quoted or (cell.is_quoted and bool(value)))
                yield Splice(cell.begin, cell.end, written or '""' * (len(cells) == 1))
        last, end = max(changes), cells[-1].end
        if last >= len(cells):
            added = (changes.get(column, "") for column in range(len(cells), last + 1))
            yield Splice(end, end, "".join(f",{_worded(one, is_quoted=is_quoted and bool(one))}" for one in added))


def _lines(text: str) -> Iterator[list[_Cell]]:
    """The cells of each line that has something in it, as a table is read."""
    at = 0
    while at < len(text):
        cells: list[_Cell] = []
        while not cells or text[at : at + 1] == ",":
            at += bool(cells)
            found = _CELL.match(text, at)
            assert found is not None  # it matches nothing at all, too
            cells.append(_Cell(at, found.end(), found[0].startswith('"')))
            at = found.end()
        end = _LINE_END.match(text, at)
        if end is None:
            raise CannotEdit(Obstacle.UNSURE)
        at = end.end()
        if len(cells) > 1 or text[cells[0].begin : cells[0].end].strip():
            yield cells


def _worded(value: str, *, is_quoted: bool) -> str:
    return '"' + value.replace('"', '""') + '"' if is_quoted or _TO_BE_QUOTED.search(value) else value


# --- JSON ------------------------------------------------------------------------------------------------------------


class _Pair(Struct, frozen=True):
    """A key and its value where they stand in a JSON object."""

    key: str
    begin: int
    key_end: int
    value_begin: int
    end: int


class EditedJSON(_ItemText):
    """A JSON file with a list of objects. A new key is written as the one before it, on a line of its own or not."""

    def __init__(self, data: bytes) -> None:
        """Raises CannotEdit."""
        super().__init__(data, item_files.read_json)
        self._objects = list(_objects(self._text))
        self._changes: dict[int, dict[str, YAMLValue]] = defaultdict(dict)

    def set_value(self, number: int, key: str, value: YAMLValue) -> None:
        if isinstance(value, str) and not is_writable(value):
            raise CannotEdit(Obstacle.UNSURE, (number, key))
        self._changes[number][key] = value
        self._values[number][key] = value

    def _splices(self) -> list[Splice]:
        found = (one for number, changes in self._changes.items() for one in self._object(number, changes))
        return sorted(found, key=lambda one: (one.begin, one.end))

    def _object(self, number: int, changes: dict[str, YAMLValue]) -> Iterator[Splice]:
        begin, pairs = self._objects[number]
        known = {pair.key: pair for pair in pairs}
        added = {key: _json(value) for key, value in changes.items() if key not in known}
        for key in changes.keys() & known.keys():
            yield Splice(known[key].value_begin, known[key].end, _json(changes[key]))
        if not added:
            return
        if not pairs:
            end = self._text.index("}", begin)
            yield Splice(begin + 1, end, ", ".join(f"{_json(key)}: {value}" for key, value in added.items()))
            return
        last = pairs[-1]
        colon = self._text[last.key_end : last.value_begin]
        gap = self._text[pairs[-2].end : last.begin] if len(pairs) > 1 else f",{self._text[begin + 1 : last.begin]}"
        gap = gap if gap != "," or len(pairs) > 1 else ", "
        yield Splice(last.end, last.end, "".join(f"{gap}{_json(key)}{colon}{one}" for key, one in added.items()))


def _objects(text: str) -> Iterator[tuple[int, list[_Pair]]]:
    """Where each object of a JSON list begins, and what stands in it. The text was read before, and is sound."""
    decoder = json.JSONDecoder()
    at = item_files.skip_space(text, item_files.skip_space(text, 0) + 1)
    while text[at] != "]":
        begin, pairs = at, list[_Pair]()
        at = item_files.skip_space(text, at + 1)
        while text[at] != "}":
            first = at
            key, key_end = decoder.raw_decode(text, at)
            at = item_files.skip_space(text, item_files.skip_space(text, key_end) + 1)
            _, end = decoder.raw_decode(text, at)
            pairs.append(_Pair(key, first, key_end, at, end))
            at = item_files.skip_space(text, end)
            at = item_files.skip_space(text, at + 1) if text[at] == "," else at
        yield begin, pairs
        at = item_files.skip_space(text, at + 1)
        at = item_files.skip_space(text, at + 1) if text[at] == "," else at


def _json(value: YAMLValue) -> str:
    return json.dumps(value, ensure_ascii=False)
