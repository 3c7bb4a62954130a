"""Edits a YAML file that people wrote: only what an edit changes is written anew, and each other byte stays as it was.

Comments, order, quotes, indentation, blank lines, line ends and a byte-order mark are kept since nobody writes them
again: the parser tells where a value stands, and the new text goes there. What came out is then read like any manifest,
and has to say what the file said before with nothing but the edits in it; otherwise nobody gets to see it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from enum import StrEnum
from itertools import pairwise

from msgspec import Struct

from reconciler.manifests.yaml_nodes import Form, Node, WrittenDocument, written_documents
from reconciler.manifests.yaml_parsing import SourceError, decode
from reconciler.manifests.yaml_reading import read
from reconciler.manifests.yaml_splices import LINE_BREAK, NoPlace, Splice, SpliceWriter, item_value
from reconciler.manifests.yaml_values import DocumentPath, Place, YAMLValue
from reconciler.manifests.yaml_writing import same

_MARK = "\ufeff"


class Obstacle(StrEnum):
    """Why something cannot be edited where it stands; completes "its cron …"."""

    ELSEWHERE = "does not stand in its own block"
    SHARED = "is shared through an anchor"
    COMPOSED = "is put together from variables"
    MADE = "is written for several at once"
    UNREADABLE = "stands in a file that cannot be read"
    UNSURE = "is written in a way that this program does not edit"


class CannotEdit(Exception):
    """An edit that would change more than it should, or that has no place to stand. Nothing was changed."""

    def __init__(self, obstacle: Obstacle, path: DocumentPath = ()) -> None:
        super().__init__(f"{'.'.join(map(str, path)) or 'the file'} {obstacle}")
        self.obstacle, self.path = obstacle, path


class _Changes(Struct):
    """What shall become of the entries of one mapping or list."""

    replaced: dict[str | int, YAMLValue] = {}
    added: dict[str, YAMLValue] = {}
    removed: set[str] = set()
    appended: list[str] = []


class EditedFile:
    """A YAML file with edits in it. Documents are counted from 0, empty ones included; a path is that of the document.

    Values are as they stand in the file: a literal `${` is written `$${` by whoever means one. What is asked for and
    cannot be done raises CannotEdit, and leaves the other edits as they are. Nothing is written to the disk.
    """

    def __init__(self, data: bytes) -> None:
        """Raises CannotEdit where the bytes are no YAML, or have a key twice."""
        try:
            self._text = decode(data)
            found = read(data)
            self._documents = written_documents(self._text)
        except SourceError as error:
            raise CannotEdit(Obstacle.UNREADABLE) from error
        if any(document.problems for document in found):
            raise CannotEdit(Obstacle.UNREADABLE)
        self._mark = _MARK if data.startswith(_MARK.encode()) else ""
        first = LINE_BREAK.search(self._text)
        self._line_end = first[0] if first is not None and first[0] in ("\r\n", "\r") else "\n"
        # Copies, so that what an alias stands for can be changed in one place and not in the other.
        self._values = {document.index: _copied(document.value) for document in found}
        self._changes: dict[int, dict[DocumentPath, _Changes]] = defaultdict(lambda: defaultdict(_Changes))
        self._starts: dict[tuple[int, int], tuple[int, DocumentPath]] | None = None

    # --- what is there -----------------------------------------------------------------------------------------------

    @property
    def documents(self) -> Iterable[int]:
        """The numbers of the documents that are not empty."""
        return self._values.keys()

    def value_at(self, document: int, path: DocumentPath) -> YAMLValue:
        """What is written at a path, with all edits so far; None where nothing is."""
        value = self._values.get(document)
        for step in path:
            if isinstance(value, dict) and isinstance(step, str):
                value = value.get(step)
            elif isinstance(value, list) and isinstance(step, int) and 0 <= step < len(value):
                value = value[step]
            else:
                return None
        return value

    def is_written(self, document: int, path: DocumentPath) -> bool:
        """Whether a key stands right there, whatever its value, or is merged into its mapping from elsewhere."""
        return len(self._written(document).trail(path)) == len(path) + 1

    def is_mapping_here(self, document: int, path: DocumentPath) -> bool:
        """Whether a mapping stands at a path, entry by entry, and no alias for one."""
        trail = self._written(document).trail(path)
        return len(trail) == len(path) + 1 and trail[-1].form is Form.MAPPING

    def place_of(self, document: int, path: DocumentPath) -> Place:
        """Where a value stands, or what is around it."""
        trail = self._written(document).trail(path)
        return (trail[-1].line, trail[-1].column + 1) if trail else (1, 1)

    def mapping_at(self, line: int, column: int) -> tuple[int, DocumentPath] | None:
        """The mapping that begins at a place, as origins have it: its document and its path; None where none does."""
        if self._starts is None:
            self._starts = {
                (node.line, node.column + 1): (index, path)
                for index, written in enumerate(self._documents)
                for path, node in written.mappings()
            }
        return self._starts.get((line, column))

    # --- edits -------------------------------------------------------------------------------------------------------

    def set_value(self, document: int, path: DocumentPath, value: YAMLValue) -> None:
        """Write a value at a path: in place of what stands there, or as a new key of the mapping around it."""
        is_new = self._place_for(document, path)
        key, changes = path[-1], self._changes[document][path[:-1]]
        if is_new:
            changes.added[str(key)] = value
        else:
            changes.replaced[key] = value
            changes.removed.discard(str(key))
        self._put(document, path, value)

    def obstacle(self, document: int, path: DocumentPath) -> Obstacle | None:
        """Why no value can be written at a path; None where one can."""
        try:
            self._place_for(document, path)
        except CannotEdit as error:
            return error.obstacle
        return None

    def _place_for(self, document: int, path: DocumentPath) -> bool:
        """Whether a value at a path would be that of a new key. Raises CannotEdit where none can be written."""
        container = self._container(document, path)
        entry = container.entry(path[-1])
        if entry is not None:
            self._refuse_shared(document, path, _inside(entry.value))
        elif container.form is not Form.MAPPING or not isinstance(path[-1], str):
            raise CannotEdit(Obstacle.ELSEWHERE, path)
        return entry is None

    def remove(self, document: int, path: DocumentPath) -> None:
        """Remove a key with its value, and the comment behind it."""
        container, key = self._container(document, path), path[-1]
        entry = container.entry(key)
        if entry is None or not isinstance(key, str):
            raise CannotEdit(Obstacle.ELSEWHERE, path)
        self._refuse_shared(document, path, _inside(entry.value))
        changes = self._changes[document][path[:-1]]
        changes.replaced.pop(key, None)
        changes.removed.add(key)
        around = self.value_at(document, path[:-1])
        assert isinstance(around, dict)  # `_container` found the key in it
        around.pop(key, None)

    def append(self, document: int, path: DocumentPath, items: Iterable[str]) -> None:
        """Add items at the end of a list, which is made where there is none. Each is YAML, with comments if it likes.

        The comments get lost where the list is written in brackets. Raises SourceError for an item that is no YAML.
        """
        written = list(items)
        values = [item_value(item) for item in written]
        if not written:
            return
        container = self._container(document, path)
        entry, listed = container.entry(path[-1]), self.value_at(document, path)
        if entry is not None:
            self._refuse_shared(document, path, [entry.value])
            if entry.value.form is Form.ALIAS:
                raise CannotEdit(Obstacle.SHARED, path)
        if (
            (listed is not None and not isinstance(listed, list))
            or (entry is None and listed is not None and not self._changes[document][path].appended)
            or (entry is None and container.form is not Form.MAPPING)
        ):
            raise CannotEdit(Obstacle.ELSEWHERE, path)
        self._changes[document][path].appended += written
        self._put(document, path, [*(listed or ()), *values])

    def _written(self, document: int) -> WrittenDocument:
        return self._documents[document] if 0 <= document < len(self._documents) else WrittenDocument()

    def _container(self, document: int, path: DocumentPath) -> Node:
        """The mapping or list in which the last step of a path stands. Raises CannotEdit where it is not written."""
        trail = self._written(document).trail(path[:-1])
        if any(node.form is Form.ALIAS for node in trail):
            raise CannotEdit(Obstacle.SHARED, path)
        self._refuse_shared(document, path, trail)
        if not path or len(trail) < len(path) or trail[-1].form is Form.SCALAR:
            raise CannotEdit(Obstacle.ELSEWHERE, path)
        # A pair in a list, as in `[a: 1]`, is a mapping without brackets.
        if trail[-1].is_flow and self._text[trail[-1].begin] not in "{[&!":
            raise CannotEdit(Obstacle.UNSURE, path)
        return trail[-1]

    def _refuse_shared(self, document: int, path: DocumentPath, nodes: Iterable[Node]) -> None:
        used = self._written(document).aliases
        if any(node.anchor in used for node in nodes if node.form is not Form.ALIAS):
            raise CannotEdit(Obstacle.SHARED, path)

    def _put(self, document: int, path: DocumentPath, value: YAMLValue) -> None:
        around = self.value_at(document, path[:-1])
        around[path[-1]] = _copied(value)  # type: ignore[index]  # `_container` found it there

    # --- what comes of it --------------------------------------------------------------------------------------------

    @property
    def before(self) -> str:
        """The whole file as it was."""
        return self._mark + self._text

    @property
    def text(self) -> str:
        """The whole file with the edits in it. Raises CannotEdit where that would say something else as well."""
        text = spliced(self.before, self.splices())
        try:
            found = read(text.encode("utf-8"))
        except (SourceError, ValueError) as error:
            raise CannotEdit(Obstacle.UNSURE) from error
        expected = {index: value for index, value in self._values.items() if value is not None}
        said = {document.index: document.value for document in found}
        if any(document.problems for document in found) or said.keys() != expected.keys():
            raise CannotEdit(Obstacle.UNSURE)
        if not all(same(value, expected[index]) for index, value in said.items()):
            raise CannotEdit(Obstacle.UNSURE)
        return text

    def splices(self) -> list[Splice]:
        """What is written in place of what in `before`, in order. Raises CannotEdit where edits get into each other."""
        try:
            found = sorted(self._splices(), key=lambda one: (one.begin, one.end))
        except NoPlace as error:
            raise CannotEdit(Obstacle.UNSURE) from error
        if any(two.begin < one.end for one, two in pairwise(found)):
            raise CannotEdit(Obstacle.UNSURE)
        shift = len(self._mark)
        return [Splice(one.begin + shift, one.end + shift, one.text) for one in found]

    def _splices(self) -> Iterator[Splice]:
        writer = SpliceWriter(self._text, self._line_end)
        for document, by_path in self._changes.items():
            for path, changes in by_path.items():
                trail = self._written(document).trail(path)
                if changes.appended:
                    yield from writer.appended(trail, path, changes.appended)
                for key, value in changes.replaced.items():
                    entry = trail[-1].entry(key)
                    assert entry is not None  # it was there when it was asked for
                    yield writer.replaced(entry.value, value, in_flow=trail[-1].is_flow)
                if changes.added or changes.removed:
                    yield from writer.rewritten(trail[-1], changes.added, changes.removed)


def spliced(text: str, splices: Iterable[Splice]) -> str:
    """A text with these splices in it, which come in order."""
    pieces: list[str] = []
    end = 0
    for splice in splices:
        pieces += (text[end : splice.begin], splice.text)
        end = splice.end
    return "".join((*pieces, text[end:]))


def _inside(node: Node) -> Iterator[Node]:
    """A node and all that is written in it."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += [part for entry in node.entries for part in (entry.key, entry.value) if part is not None]


def _copied(value: YAMLValue) -> YAMLValue:
    if isinstance(value, dict):
        return {key: _copied(one) for key, one in value.items()}
    return [_copied(one) for one in value] if isinstance(value, list) else value
