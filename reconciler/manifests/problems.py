"""Collects problems by file and place; lines and columns are found once there is something to report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import yaml

from reconciler import files
from reconciler.manifests.yaml_parsing import decode, events, place_of
from reconciler.manifests.yaml_values import DocumentPath, Place
from reconciler.model import Origin, Problem, Severity

T = TypeVar("T")


@dataclass(slots=True)
class SourceFile:
    """One file that was read: its path relative to the project, its bytes, and where things stand in it, once asked.

    `may_interpolate`: whether there may be a `${` in it anywhere.
    """

    path: str
    location: Path
    data: bytes = b""
    may_interpolate: bool = False
    _places: dict[int, Places] = field(default_factory=dict)

    def read(self, problems: Problems) -> bool:
        """Read its bytes. False when that cannot be done; then `problems` say why."""
        try:
            self.data = files.read_regular(self.location, files.MANIFEST_BYTES)
        except files.TooLarge as error:
            problems.add(self, (1, 1), "file-too-large", f"the file cannot be read: {error.strerror}: split it")
        except OSError as error:
            problems.add(self, (1, 1), "unreadable", f"the file cannot be read: {error.strerror}")
        else:
            # An escape in quotes can spell `${` without writing it.
            self.may_interpolate = b"${" in self.data or b"\\" in self.data
            return True
        return False

    def places(self, index: int) -> Places:
        """The places of one document of this file."""
        if not self._places:
            self._places = locate(self.data)
        return self._places[index]


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

    @property
    def has_errors(self) -> bool:
        return any(problem.severity is Severity.ERROR for problem in self)

    def sorted(self) -> tuple[Problem, ...]:
        """In file order: path, line, column; each once."""
        return tuple(sorted(set(self)))


@dataclass(slots=True)
class ProblemReporter:
    """A document and an address to report against; places are paths into the document.

    `overlay` is where in the project file the chosen environment stands: what was written there is reported there.
    """

    problems: Problems
    file: SourceFile
    index: int
    address: str = ""
    overlay: DocumentPath = ()

    def error(self, path: DocumentPath, code: str, message: str, *, at_key: bool = False) -> None:
        self.problems.add(self.file, self._place(path, at_key=at_key), code, message, address=self.address)

    def warn(self, path: DocumentPath, code: str, message: str) -> None:
        place = self._place(path, at_key=False)
        self.problems.add(self.file, place, code, message, address=self.address, severity=Severity.WARNING)

    def parsed(self, path: DocumentPath, code: str, parse: Callable[[str], T], text: str) -> T | None:
        """What `parse` makes of the text at a path; None where it raises ValueError, which is reported."""
        try:
            return parse(text)
        except ValueError as error:
            hint = getattr(error, "hint", "")
            self.error(path, code, f"`{path[-1]}`: {error.args[0]}" + (f"; {hint}" if hint else ""))
            return None

    def origin(self, path: DocumentPath) -> Origin:
        return Origin(self.file.path, *self._place(path, at_key=False))

    def at(self, address: str) -> ProblemReporter:
        """The same document, for another address."""
        return ProblemReporter(self.problems, self.file, self.index, address, self.overlay)

    def _place(self, path: DocumentPath, *, at_key: bool) -> Place:
        places = self.file.places(self.index)
        candidates = [path]
        if self.overlay and path[:1] == ("spec",):
            candidates.insert(0, (*self.overlay, *path[1:]))
        for candidate in candidates:
            if found := (at_key and places.keys.get(candidate)) or places.values.get(candidate):
                return found
        if at_key and path:
            return places.nearest(path[:-1])
        return places.nearest(path)


@dataclass(frozen=True, slots=True)
class FileProblem:
    """What is wrong or doubtful inside a file; `line` counts from 1, None means the file as a whole."""

    code: str
    message: str
    line: int | None = None
    severity: Severity = Severity.ERROR


# --- places ---------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Level:
    """One level of a walk over events: the path so far, and the next index or the key that waits for its value."""

    path: DocumentPath
    is_list: bool
    index: int = 0
    key: str | None = None
    key_place: Place = (1, 1)


@dataclass(frozen=True, slots=True)
class Places:
    """Where the keys and the values of one document stand, by path."""

    keys: dict[DocumentPath, Place]
    values: dict[DocumentPath, Place]

    def nearest(self, path: DocumentPath) -> Place:
        """The value at this path, or the innermost thing around it that was written."""
        for length in range(len(path), -1, -1):
            if place := self.values.get(path[:length]):
                return place
        return (1, 1)


def locate(data: bytes) -> dict[int, Places]:
    """The places of every document of a file that `yaml_reading.read` could read, by the number of the document.

    Reading for values and reading for places are two passes: a file without problems never pays for the second.
    """
    found: dict[int, Places] = {}
    stack: list[_Level] = []
    for event in events(decode(data)):
        if isinstance(event, yaml.DocumentStartEvent):
            places = found[len(found)] = Places({}, {})
        elif isinstance(event, yaml.CollectionEndEvent):
            stack.pop()
        elif isinstance(event, yaml.NodeEvent):
            _note(event, stack, places)
    return found


def _note(event: yaml.NodeEvent, stack: list[_Level], places: Places) -> None:
    place = place_of(event)
    path: DocumentPath = ()
    top = stack[-1] if stack else None
    if top is not None and top.is_list:
        path = (*top.path, top.index)
        top.index += 1
    elif top is not None and top.key is None:
        top.key = event.value if isinstance(event, yaml.ScalarEvent) else f"*{event.anchor}"
        top.key_place = place
        return
    elif top is not None:
        path = (*top.path, str(top.key))
        places.keys.setdefault(path, top.key_place)  # of a key that stands twice, the first one counts
        top.key = None
    places.values.setdefault(path, place)
    if isinstance(event, yaml.CollectionStartEvent):
        stack.append(_Level(path, isinstance(event, yaml.SequenceStartEvent)))
