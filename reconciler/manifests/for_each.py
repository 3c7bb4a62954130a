"""Makes of a document with `forEach` one document for each item, filled in with what the item holds.

A document is looked through once: what has no `${` in it is shared by all that are made of it, and what stands in it
for a variable is looked up once. So a document that is made costs less than one that is written.
"""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeAlias, cast

from msgspec import Struct

from reconciler.files import VALUE_BYTES
from reconciler.manifests import item_files, json_schemas, schema_sources
from reconciler.manifests.documents import ManifestDocument
from reconciler.manifests.interpolation import (
    FilledDocument,
    FilledValue,
    InterpolationError,
    Interpolator,
    joined,
)
from reconciler.manifests.placeholders import PLACEHOLDER, each_key, escaped
from reconciler.manifests.problems import ProblemReporter, Problems, SourceFile
from reconciler.manifests.yaml_values import (
    DocumentPath,
    YAMLContainer,
    YAMLValue,
    comment_text,
    is_writable,
    mapping_of,
    text_of,
)
from reconciler.model.copies import replace
from reconciler.suggestion import Suggestions

_LONGEST_SHOWN = 40
_SCHEDULE = ("spec", "schedules", None)
_NONE_WHERE_EMPTY = {("metadata", "movedFrom"), ("spec", "movedFrom"), (*_SCHEDULE, "movedFrom"), (*_SCHEDULE, "id")}
"""What only some items have, in tables of which every row has a cell for it: which ones were moved, or are adopted."""


class Item(Struct):
    """One item: what stands under each key, and what people call it, such as `item 2 (region: nz) of regions.csv:3`.

    `texts` are the words of the values, without those that are secret or could not be filled in; `written` is what a
    manifest says for each. `is_row`: it is one of a table, whose cells are typed by what stands in them.
    """

    number: int
    label: str
    values: dict[str, FilledValue | InterpolationError]
    written: dict[str, YAMLValue]
    texts: dict[str, str] = {}
    is_row: bool = False

    def __post_init__(self) -> None:
        for key, one in self.values.items():
            if isinstance(one, FilledValue) and not one.is_secret:
                self.texts[key] = text_of(one.value)

    def words(self, key: str, default: str) -> str:
        """What a manifest says for a key of this item; the default where it has nothing there."""
        found = self.values.get(key)
        is_empty = isinstance(found, FilledValue) and found.value in (None, "")
        return default if is_empty else text_of(self.written.get(key)) or default

    def value(self, key: str, default: FilledValue | None = None) -> FilledValue:
        """What stands under a key; the default where nothing does. Raises InterpolationError."""
        found = self.values.get(key)
        if isinstance(found, InterpolationError):
            raise found.reported()
        if default is not None and (found is None or found.value in (None, "")):
            return default
        if found is None:
            near = Suggestions(self.values).nearest(key)
            advice = f"did you mean {near}?" if near else f"it has {', '.join(list(self.values)[:10]) or 'none'}"
            raise InterpolationError("unknown-each", f"the item has no key {key[:80]}; {advice}")
        return found


class Expander(Struct):
    """Makes documents for one project; a file of items is read once, whoever names it.

    `edited` are files by their path in the project, as they would be.
    """

    interpolator: Interpolator
    root: Path
    problems: Problems
    edited: Mapping[str, bytes] = {}
    _files: dict[Path, list[Item] | None] = {}

    @property
    def item_files(self) -> set[str]:
        """The files of items that were read, as problems name them: they are no manifests, though they may look so."""
        return {path_in_project(location, self.root) for location in self._files}

    def documents(self, document: ManifestDocument) -> Iterator[ManifestDocument]:
        """The document itself, filled in; or those that are made of it."""
        content = mapping_of(document.filled.value)
        if document.report.file.may_fill_keys:
            for path in _keys_with_placeholders(content, ()):
                message = f"nothing is filled in in a key, so {str(path[-1])[:80]!r} is taken as it is written"
                document.report.warn(path, "literal-key", message, at_key=True)
        if "forEach" not in content:
            document.fill(self.interpolator)
            yield document
            return
        each = content["forEach"]
        document.filled.value = {key: one for key, one in content.items() if key != "forEach"}
        if document.kind.is_template:
            message = f"a {document.kind.document} is one document: write forEach in the documents that use it"
            document.report.error(("forEach",), "for-each-here", message, at_key=True)
            document.fill(self.interpolator)
            yield document
            return
        items = self._items(each, document)
        if items is not None and not items:
            where = f"the file {str(mapping_of(each)['file'])!r}" if isinstance(each, dict) else "`forEach`"
            document.report.warn(("forEach",), "no-items", f"{where} has no items, so this makes no documents")
        if items:
            yield from _made(document, items, self.interpolator)

    def _items(self, each: YAMLValue, document: ManifestDocument) -> list[Item] | None:
        """The items of a document; None where they cannot be used, which is reported."""
        report, before = document.report, len(self.problems)
        for one in _violations(each):
            report.error(one.path, one.code, one.message, at_key=one.at_key)
        if len(self.problems) > before:
            return None
        if isinstance(each, list):
            return [self._inline(mapping_of(one), number, report) for number, one in enumerate(each)]
        name = self._file_name(str(mapping_of(each)["file"]), report)
        return self._from_file(name, report) if name else None

    def _file_name(self, written: str, report: ProblemReporter) -> str:
        """The file of items that is meant; "" where that is not known, or wrong, which is reported."""
        path = ("forEach", "file")
        try:
            filled = self.interpolator.fill(written, report.file.location.parent)
        except InterpolationError as error:
            if not error.is_reported:
                report.error(path, error.code, error.message)
            return ""
        if filled.unset and self.interpolator.unset is not None:
            self.interpolator.unset.hides_documents = True
            for name in filled.uses:
                self.interpolator.unset.add_use(name, report, path)
            return ""
        return text_of(filled.value)

    def _inline(self, written: dict[str, YAMLValue], number: int, report: ProblemReporter) -> Item:
        values: dict[str, FilledValue | InterpolationError] = {}
        for key, one in written.items():
            try:
                folder = report.file.location.parent
                filled = self.interpolator.fill(one, folder) if isinstance(one, str) else FilledValue(one)
                values[key] = filled
                if self.interpolator.unset is not None:
                    for name in filled.uses:
                        self.interpolator.unset.add_use(name, report, ("forEach", number, key))
            except InterpolationError as error:
                if not error.is_reported:
                    report.error(("forEach", number, key), error.code, error.message)
                values[key] = error
        return Item(number, _label(number, values), values, written)

    def _from_file(self, written: str, report: ProblemReporter) -> list[Item] | None:
        location = report.file.location.parent / written
        if location not in self._files:
            self._files[location] = self._read(location, written, report)
        return self._files[location]

    def _read(self, location: Path, written: str, report: ProblemReporter) -> list[Item] | None:
        path = ("forEach", "file")
        if location.suffix.lower() not in (".csv", ".json", ".yaml", ".yml"):
            report.error(path, "wrong-ending", f"{written[:120]!r} ends with none of .csv, .yaml, .json")
            return None
        is_something = False
        try:
            is_something, is_there = os.path.lexists(location), location.is_file()
            is_inside = location.resolve().is_relative_to(self.root.resolve())
        except (OSError, ValueError, RuntimeError):
            is_there, is_inside = False, True
        if not is_there:
            message = f"there is no file {written[:200]!r} beside this manifest"
            if is_something:
                message = f"{written[:200]!r} is no file that can be read, but a folder, a pipe or a link to nothing"
            report.error(path, "missing-file", message)
            return None
        if not is_inside:
            message = f"{written[:200]!r} lies outside the project folder: another checkout will not have it"
            report.warn(path, "outside-project", message)
        shown = path_in_project(location, self.root)
        file = SourceFile(shown, location, given=self.edited.get(shown))
        before = len(self.problems)
        found = item_files.read(file, self.problems)
        if found is None:
            return None
        rows = [value for value, _ in found.rows]
        for one in _violations(rows):
            number, key = (*one.path[1:3], None, None)[:2]
            place = found.place(number if isinstance(number, int) else 0, key if isinstance(key, str) else None)
            self.problems.add(file, place, one.code, one.message)
        for number, row in enumerate(rows):
            for key, value in mapping_of(row).items():
                if isinstance(value, str) and not is_writable(value):
                    self.problems.add(file, found.place(number, key), "wrong-value", f"`{key}` is no UTF-8 text")
        if len(self.problems) > before:
            return None
        return [
            _item_of(mapping_of(value), number, f"{file.path}:{at[0]}", is_row=location.suffix.lower() == ".csv")
            for number, (value, at) in enumerate(found.rows)
        ]


def path_in_project(location: Path, root: Path) -> str:
    """A file of items as problems name it: relative to the project, where it lies in there."""
    absolute = Path(os.path.normpath(location))
    return absolute.relative_to(root).as_posix() if absolute.is_relative_to(root) else str(absolute)


def _item_of(row: dict[str, YAMLValue], number: int, place: str, *, is_row: bool) -> Item:
    values: dict[str, FilledValue | InterpolationError] = {key: FilledValue(one) for key, one in row.items()}
    written = {key: escaped(one) for key, one in row.items()}
    return Item(number, f"{_label(number, values)} of {place}", values, written, is_row=is_row)


def _label(number: int, values: dict[str, FilledValue | InterpolationError]) -> str:
    """What people call an item: its number, and the first thing in it that everybody may see."""
    for key, one in values.items():
        if isinstance(one, FilledValue) and not one.is_secret:
            shown = comment_text(text_of(one.value))
            shown = shown if len(shown) <= _LONGEST_SHOWN else f"{shown[:_LONGEST_SHOWN]}…"
            return f"item {number + 1} ({key}: {shown})"
    return f"item {number + 1}"


@functools.cache
def _schema() -> str:
    """The schema of `forEach` alone: what a document may be, only those that are made of it can show."""
    whole = json.loads(schema_sources.text("agent.schema.json"))
    return json.dumps({"properties": {"forEach": whole["properties"]["forEach"]}, "$defs": whole.get("$defs", {})})


def _violations(each: YAMLValue) -> list[json_schemas.Violation]:
    document: YAMLValue = {"forEach": each}
    if json_schemas.is_valid(_schema(), document):
        return []
    return list(json_schemas.violations(_schema(), document))


def _keys_with_placeholders(part: YAMLValue, path: DocumentPath) -> Iterator[DocumentPath]:
    entries = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    for key, value in entries:
        if isinstance(key, str) and any(match["inside"] for match in PLACEHOLDER.finditer(key)):
            yield (*path, key)
        yield from _keys_with_placeholders(value, (*path, key))


# --- documents that are made ----------------------------------------------------------------------------------------


def _made(document: ManifestDocument, items: list[Item], interpolator: Interpolator) -> Iterator[ManifestDocument]:
    maker = _maker(document.filled.value, (), interpolator, document.report.file.location.parent)
    report = document.report
    for item in items:
        filled = FilledDocument(document.filled.value)
        if maker is not None:
            filled.value = maker.make(item, filled, interpolator)
        reporter = ProblemReporter(report.problems, report.file, report.index, item=item.label)
        yield ManifestDocument(document.kind, document.parsed, reporter, filled, item=item)


class _Text(Struct):
    """A text with something in it that differs by item. `parts` are what it is put together from, in order.

    Where no part comes from outside, `pattern` takes the words of `keys` one after the other. `uses` are the names of
    what is not set, for the first document that is made: they are written once. `is_none_where_empty`: without text
    it is as if nothing were written here.
    """

    path: DocumentPath
    written: str
    parts: list[str | FilledValue | _Key | InterpolationError]
    pattern: str = ""
    keys: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    is_none_where_empty: bool = False

    def make(self, item: Item, filled: FilledDocument, interpolator: Interpolator) -> YAMLValue:
        try:
            if self.pattern:
                try:
                    whole = self.pattern % tuple([item.texts[key] for key in self.keys])
                except KeyError:
                    pass
                else:
                    if len(whole) <= VALUE_BYTES:
                        interpolator.spend(len(whole))
                        return whole
            return self._make(item, filled, interpolator)
        except InterpolationError as error:
            filled.errors.append((self.path, error))
            return self.written

    def _make(self, item: Item, filled: FilledDocument, interpolator: Interpolator) -> YAMLValue:
        found: list[str | FilledValue] = []
        for number, part in enumerate(self.parts):
            if isinstance(part, InterpolationError):
                self.parts[number] = part.reported()  # it is no item's fault: once is enough
                raise part
            found.append(item.value(part.name, part.default) if isinstance(part, _Key) else part)
        whole = found[0]
        if len(found) > 1 or isinstance(whole, str):
            whole = joined(found)
            interpolator.spend(len(text_of(whole.value)))
        if whole.is_secret:
            filled.note(self.path, replace(whole, uses=self.uses))
            self.uses = () if whole.unset else self.uses
        return whole.value


class _Key(Struct, frozen=True):
    """`${each.NAME}`, or `${each.NAME:-default}` for items that have nothing there."""

    name: str
    default: FilledValue | None = None


class _Container(Struct):
    """A mapping or a list with something in it that differs by item: `makers` by the key or the index."""

    part: YAMLContainer
    makers: list[tuple[str | int, _Maker]]

    def make(self, item: Item, filled: FilledDocument, interpolator: Interpolator) -> YAMLValue:
        made = self.part.copy()
        for key, maker in self.makers:
            made[key] = value = maker.make(item, filled, interpolator)  # type: ignore[index]  # one of its own keys
            if value in ("", None) and isinstance(maker, _Text) and maker.is_none_where_empty:
                del made[key]  # type: ignore[arg-type]
        filled.sources[id(made)] = id(self.part)
        return made


_Maker: TypeAlias = "_Text | _Container"


def _maker(part: YAMLValue, path: DocumentPath, interpolator: Interpolator, folder: Path) -> _Maker | None:
    """What makes a part of a document for an item; None for a part that is the same for all."""
    if isinstance(part, str):
        return _text(part, path, interpolator, folder) if "${" in part else None
    entries = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    makers = [(key, maker) for key, one in entries if (maker := _maker(one, (*path, key), interpolator, folder))]
    return _Container(cast("YAMLContainer", part), makers) if makers else None


def _text(written: str, path: DocumentPath, interpolator: Interpolator, folder: Path) -> _Text:
    parts: list[str | FilledValue | _Key | InterpolationError] = []
    position = 0
    for match in PLACEHOLDER.finditer(written):
        parts.append(written[position : match.start()])
        position = match.end()
        each = each_key(match["inside"]) if match["end"] else None
        if each is not None and item_files.KEY.fullmatch(each.name) and "${" not in (each.default or ""):
            default = FilledValue(item_files.cell_value(each.default)) if each.default is not None else None
            parts.append(_Key(each.name, default))
            continue
        try:
            parts.append(interpolator.fill(match[0], folder))
        except InterpolationError as error:
            parts.append(error)
    parts = [part for part in (*parts, written[position:]) if part != ""]
    keys = tuple(part.name for part in parts if isinstance(part, _Key))
    texts = [_pattern(part) for part in parts]
    pattern = "".join(filter(None, texts)) if len(parts) > 1 and all(texts) else ""
    uses = tuple(name for part in parts if isinstance(part, FilledValue) for name in part.uses)
    place = tuple(None if isinstance(step, int) else step for step in path)
    has_key = any(isinstance(part, _Key) for part in parts)
    return _Text(path, written, parts, pattern, keys, uses, has_key and place in _NONE_WHERE_EMPTY)


def _pattern(part: str | FilledValue | _Key | InterpolationError) -> str | None:
    """A part of a text as `%` takes it; None where it may hide or cannot be filled in."""
    if isinstance(part, _Key):
        return "%s" if part.default is None else None
    if isinstance(part, FilledValue):
        return None if part.is_secret else text_of(part.value).replace("%", "%%")
    return part.replace("%", "%%") if isinstance(part, str) else None
