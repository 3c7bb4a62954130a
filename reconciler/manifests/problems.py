"""Collects problems by file and place; lines and columns are found once there is something to report."""

from __future__ import annotations

import re
from collections.abc import Callable, Set
from pathlib import Path
from typing import TypeAlias, TypeVar

import yaml
from msgspec import Struct

from reconciler import files
from reconciler.manifests.yaml_parsing import decode, events, place_of
from reconciler.manifests.yaml_values import DocumentPath, Place
from reconciler.model.address import Origin
from reconciler.model.copies import replace
from reconciler.model.resource import Problem, Severity

T = TypeVar("T")
_KEY_WITH_PLACEHOLDER = re.compile(rb"\$\{[^{}\n]*\}[^\n,{}\"':]*[\"']?:\s")


class SourceFile(Struct):
    """One file that was read: its path relative to the project, its bytes, and where things stand in it, once asked.

    `given` is taken for its bytes instead of what is on the disk. `may_interpolate`: whether there may be a `${` in it
    anywhere, `may_use` the same of the key `use`, `may_fill_keys` of a key with `${` in it.
    """

    path: str
    location: Path
    data: bytes = b""
    given: bytes | None = None
    may_interpolate: bool = False
    may_use: bool = False
    may_fill_keys: bool = False
    _places: dict[int, Places] = {}

    def read(self, problems: Problems) -> bool:
        """Read its bytes. False when that cannot be done; then `problems` say why."""
        try:
            self.data = (
                self.given if self.given is not None else files.read_regular(self.location, files.MANIFEST_BYTES)
            )
        except files.TooLarge as error:
            problems.add(self, (1, 1), "file-too-large", f"the file cannot be read: {error.strerror}: split it")
        except OSError as error:
            problems.add(self, (1, 1), "unreadable", f"the file cannot be read: {error.strerror}")
        else:
            # An escape in quotes can spell either without writing it.
            has_escapes = b"\\" in self.data
            self.may_interpolate = has_escapes or b"${" in self.data
            self.may_use = has_escapes or b"use" in self.data
            self.may_fill_keys = self.may_interpolate and _KEY_WITH_PLACEHOLDER.search(self.data) is not None
            return True
        return False

    def places(self, index: int) -> Places:
        """The places of one document of this file."""
        if not self._places:
            self._places = locate(self.data)
        return self._places[index]


class _ItemProblem(Problem, frozen=True):
    """A problem of a document that an item of `forEach` made; "" where none did."""

    item: str = ""


class Problems(list[Problem]):
    """The problems of one run. Every other module of this room adds to it and goes on."""

    def add(
        self,
        file: SourceFile,
        place: Place,
        code: str,
        message: str,
        *,
        address: str = "",
        severity: Severity = Severity.ERROR,
    ) -> None:
        """A problem at a line and a column that are known."""
        self.append(Problem(file.path, place[0], place[1], address, code, message, severity))

    def add_at(
        self, origin: Origin, code: str, message: str, *, address: str = "", severity: Severity = Severity.ERROR
    ) -> None:
        """The same at a place of a document that may be made by an item."""
        place = (origin.path, origin.line, origin.column)
        self.append(_ItemProblem(*place, address, code, message, severity, origin.item))

    def forget(self, codes: Set[str], paths: Set[str]) -> None:
        """Take back what was said of files that are something else."""
        self[:] = [one for one in self if one.code not in codes or one.path not in paths]

    @property
    def has_errors(self) -> bool:
        return any(problem.severity is Severity.ERROR for problem in self)

    def sorted(self) -> tuple[Problem, ...]:
        """In file order: path, line, column. What is wrong with one place is one problem, however many inherit it."""
        said: dict[tuple[object, ...], list[Problem]] = {}
        for one in self:
            said.setdefault((one.path, one.line, one.column, one.code, one.message, one.severity), []).append(one)
        return tuple(sorted(map(_as_one, said.values())))


def _as_one(said: list[Problem]) -> Problem:
    """What is said of one place for several addresses or items: for the first of them, with a count of the others."""
    by_use = dict.fromkeys((one.address, getattr(one, "item", "")) for one in said)
    (address, item), *others = by_use
    shown = Problem(*(getattr(said[0], one) for one in Problem.__struct_fields__))
    if ("", "") in by_use:
        return replace(shown, address="")  # a template that is wrong says so itself, and needs nobody who uses it
    if not others and not item:
        return shown
    more = [f"and for {len(others)} more"] if others else []
    return replace(shown, message=f"{shown.message} [{', '.join([item or address, *more])}]")


class ProblemReporter(Struct):
    """A document and an address to report against; places are paths into the document.

    `overlay` is where in the project file the chosen environment stands: what was written there is reported there.
    `inherited` says whose document a path was taken over from, and where it stands there; `item` which of `forEach`
    made the document.
    """

    problems: Problems
    file: SourceFile
    index: int
    address: str = ""
    overlay: DocumentPath = ()
    inherited: Inherited | None = None
    item: str = ""

    def error(self, path: DocumentPath, code: str, message: str, *, at_key: bool = False) -> None:
        self._add(path, code, message, Severity.ERROR, at_key=at_key)

    def warn(self, path: DocumentPath, code: str, message: str, *, at_key: bool = False) -> None:
        self._add(path, code, message, Severity.WARNING, at_key=at_key)

    def _add(self, path: DocumentPath, code: str, message: str, severity: Severity, *, at_key: bool = False) -> None:
        at = self._origin(path, at_key=at_key)
        self.problems.add_at(at, code, message, address=self.address, severity=severity)

    def parsed(self, path: DocumentPath, code: str, parse: Callable[[str], T], text: str) -> T | None:
        """What `parse` makes of the text at a path; None where it raises ValueError, which is reported."""
        try:
            return parse(text)
        except ValueError as error:
            hint = getattr(error, "hint", "")
            self.error(path, code, f"`{path[-1]}`: {error.args[0]}" + (f"; {hint}" if hint else ""))
            return None

    def origin(self, path: DocumentPath) -> Origin:
        return self._origin(path)

    def at(self, address: str) -> ProblemReporter:
        """The same document, for another address."""
        return ProblemReporter(self.problems, self.file, self.index, address, self.overlay, self.inherited, self.item)

    def source(self, path: DocumentPath) -> tuple[ProblemReporter, DocumentPath]:
        """The document that says what stands at a path, and where there: another one where the path is inherited."""
        found = self.inherited(path) if self.inherited is not None else None
        return found or (self, path)

    def folder(self, path: DocumentPath) -> Path:
        """The folder that a relative file at a path is meant from: that of the file it is written in."""
        return self.source(path)[0].file.location.parent

    def _origin(self, path: DocumentPath, *, at_key: bool = False) -> Origin:
        source, path = self.source(path)
        places = source.file.places(source.index)
        if source.overlay and path[:1] == ("spec",):
            overlaid = places.exact((*source.overlay, *path[1:]), at_key=at_key)
            if overlaid is not None:
                return Origin(source.file.path, *overlaid, self.item)
        place = places.exact(path, at_key=at_key) or places.nearest(path[:-1] if at_key else path)
        return Origin(source.file.path, *place, self.item)


Inherited: TypeAlias = Callable[[DocumentPath], "tuple[ProblemReporter, DocumentPath] | None"]
"""Which document a path is inherited from, and where it stands there; None for what a document says itself."""


class FileProblem(Struct, frozen=True):
    """What is wrong or doubtful inside a file; `line` counts from 1, None means the file as a whole."""

    code: str
    message: str
    line: int | None = None
    severity: Severity = Severity.ERROR


# --- places ---------------------------------------------------------------------------------------------------------


class _Level(Struct):
    """One level of a walk over events: the path so far, and the next index or the key that waits for its value."""

    path: DocumentPath
    is_list: bool
    index: int = 0
    key: str | None = None
    key_place: Place = (1, 1)


class Places(Struct, frozen=True):
    """Where the keys and the values of one document stand, by path.

    `aliased` is where what an alias stands for is written, `merged` what `<<` brings into a mapping: somebody who
    corrects a value has to go there.
    """

    keys: dict[DocumentPath, Place] = {}
    values: dict[DocumentPath, Place] = {}
    aliased: dict[DocumentPath, DocumentPath] = {}
    merged: dict[DocumentPath, list[DocumentPath]] = {}

    def exact(self, path: DocumentPath, *, at_key: bool = False) -> Place | None:
        """Where the value, or the key, at this path is written; None where nothing is."""
        written = self._written(path)
        if len(written) <= len(path):
            return None
        return self.keys.get(written[-1]) if at_key and path else self.values[self._meant(written[-1])]

    def nearest(self, path: DocumentPath) -> Place:
        """The value at this path, or the innermost thing around it that was written."""
        written = self._written(path)
        return self.values.get(self._meant(written[-1]), (1, 1))

    def _meant(self, path: DocumentPath) -> DocumentPath:
        return self.aliased.get(path, path)

    def _written(self, path: DocumentPath) -> list[DocumentPath]:
        """Where each step of a path is written, beginning with the root, as far as it is."""
        written: list[DocumentPath] = [()]
        for step in path:
            found = self._inside(written[-1], step, set())
            if found is None:
                break
            written.append(found)
        return written

    def _inside(self, path: DocumentPath, step: str | int, seen: set[DocumentPath]) -> DocumentPath | None:
        """Where an entry of what is written at a path is written, in it or in what is merged into it."""
        inside = self._meant(path)
        if (*inside, step) in self.values:
            return (*inside, step)
        if inside in seen:
            return None
        seen.add(inside)
        found = (self._inside(each, step, seen) for each in self.merged.get(inside, ()))
        return next((one for one in found if one is not None), None)


def locate(data: bytes) -> dict[int, Places]:
    """The places of every document of a file that `yaml_reading.read` could read, by the number of the document.

    Reading for values and reading for places are two passes: a file without problems never pays for the second.
    """
    found: dict[int, Places] = {}
    walk = _Walk(Places())
    for event in events(decode(data)):
        if isinstance(event, yaml.DocumentStartEvent):
            walk = _Walk(Places())
            found[len(found)] = walk.places
        elif isinstance(event, yaml.CollectionEndEvent):
            walk.levels.pop()
        elif isinstance(event, yaml.NodeEvent):
            walk.note(event)
    return found


class _Walk(Struct):
    """A walk over the events of one document. `anchors` are where each is, and its text where it is a scalar."""

    places: Places
    levels: list[_Level] = []
    anchors: dict[str, tuple[DocumentPath, str]] = {}

    def note(self, event: yaml.NodeEvent) -> None:
        """Note where a key or a value stands."""
        place = place_of(event)
        path: DocumentPath = ()
        top = self.levels[-1] if self.levels else None
        if top is not None and top.is_list:
            path = (*top.path, top.index)
            top.index += 1
        elif top is not None and top.key is None:
            anchored = self.anchors.get(str(event.anchor), ((), ""))[1]
            top.key = event.value if isinstance(event, yaml.ScalarEvent) else anchored
            top.key_place = place
            return
        elif top is not None:
            path = (*top.path, str(top.key))
            self.places.keys.setdefault(path, top.key_place)  # of a key that stands twice, the first one counts
            top.key = None
        self.places.values.setdefault(path, place)
        self._link(event, path)
        if isinstance(event, yaml.CollectionStartEvent):
            self.levels.append(_Level(path, isinstance(event, yaml.SequenceStartEvent)))

    def _link(self, event: yaml.NodeEvent, path: DocumentPath) -> None:
        if isinstance(event, yaml.AliasEvent):
            self.places.aliased[path] = self.anchors.get(str(event.anchor), (path, ""))[0]
        elif event.anchor is not None:
            self.anchors[event.anchor] = (path, event.value if isinstance(event, yaml.ScalarEvent) else "")
        into = path[:-1] if path[-1:] == ("<<",) else path[:-2] if path[-2:-1] == ("<<",) else None
        if into is not None and not isinstance(event, yaml.SequenceStartEvent):
            self.places.merged.setdefault(into, []).append(path)
