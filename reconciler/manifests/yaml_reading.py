"""Reads YAML the way people mean it: plain data, the place of everything in it, and no trap left open."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from reconciler.files import MANIFEST_BYTES
from reconciler.manifests import fast_path
from reconciler.manifests.scalars import plain_value
from reconciler.manifests.yaml_values import Place
from reconciler.quantities import size_text

_MAX_DEPTH = 100
_MAX_ALIASED = 100_000
_TEXT_OF_ONE = 100
_FORBIDDEN = re.compile("[^\\t\\n\\r\\x20-\\x7e\\x85\\xa0-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
_WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\x00")
_STRING_TAG = "tag:yaml.org,2002:str"


class SourceError(Exception):
    """A file that is no YAML, or more than we take. `code` is stable; line and column are counted from 1."""

    def __init__(self, code: str, message: str, line: int = 1, column: int = 1) -> None:
        super().__init__(message)
        self.code, self.message, self.line, self.column = code, message, line, column


@dataclass(slots=True)
class Document:
    """One YAML document: its value, where it begins, and where each mapping and list in it begins, by `id`.

    `index` counts the documents of the file, empty ones included. `problems` do not keep the rest from being read: of a
    key that stands twice, the first value counts.
    """

    value: Any
    index: int
    place: Place
    places: dict[int, Place]
    problems: tuple[SourceError, ...] = ()

    def place_of(self, container: Any) -> Place:
        """Where a mapping or a list of this document begins."""
        return self.places.get(id(container), self.place)


def read(data: bytes) -> list[Document]:
    """The documents of a file that hold anything. Raises SourceError at the first place that cannot be read."""
    text = decode(data)
    try:
        found = fast_path.read(text, _flow)
        return [Document(one[0], index, one[1], one[2]) for index, one in enumerate(found) if one[0] is not None]
    except fast_path.Declined:
        pass
    return parse(text)


def _flow(written: str) -> Any:
    """A `{…}` or `[…]` that stands in one line, for the reader of the plain style."""
    try:
        (document,) = parse(written)
    except (SourceError, ValueError):
        raise fast_path.Declined from None
    if document.problems:
        raise fast_path.Declined
    return document.value


def parse(text: str) -> list[Document]:
    """The same by the YAML parser, which knows all of YAML."""
    try:
        return list(_Reader(text).documents())
    except yaml.reader.ReaderError as error:
        raise _forbidden_character(text) from error
    except yaml.MarkedYAMLError as error:
        raise _explained(text, error) from error


def decode(data: bytes) -> str:
    """The text of a file: UTF-8, with or without a byte-order mark. Raises SourceError."""
    if len(data) > MANIFEST_BYTES:
        most = size_text(MANIFEST_BYTES)
        raise SourceError("file-too-large", f"the file is larger than {most}, the most that is read: split it")
    if data.startswith(_WIDE_MARKS[:2]) or b"\x00" in data[:4]:
        raise SourceError("encoding", "the file looks like UTF-16 or UTF-32: save it as UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8", "replace").lstrip("\ufeff")
        line = before.count("\n") + 1
        column = len(before) - (before.rfind("\n") + 1) + 1
        message = f"byte 0x{data[error.start]:02x} is no UTF-8: save the file as UTF-8"
        raise SourceError("encoding", message, line, column) from None


@dataclass(slots=True)
class _Open:
    """A mapping or a list whose end has not been seen. A mapping with a `key` waits for that key's value."""

    value: Any
    place: Place
    size_before: int
    depth_below: int = 0
    anchor: str | None = None
    key: str | None = None
    key_place: Place = (1, 1)
    keys: dict[str, Place] = field(default_factory=dict)
    merges: list[Any] = field(default_factory=list)
    is_merging: bool = False
    doubles: list[str] = field(default_factory=list)


class _Reader:
    """Builds values from the parser's events, with a stack of its own: depth costs no recursion."""

    def __init__(self, text: str) -> None:
        self.events = events(text)
        self.aliased = 0

    def documents(self) -> Iterator[Document]:
        index = -1
        for event in self.events:
            if type(event) is yaml.DocumentStartEvent:
                index += 1
                document = self._document(index)
                if document.value is not None:
                    yield document

    def _document(self, index: int) -> Document:
        self.size = 0
        self.stack: list[_Open] = []
        self.anchors: dict[str, tuple[Any, int, int]] = {}
        self.places: dict[int, Place] = {}
        self.problems: list[SourceError] = []
        self.root: Any = None
        self.root_place: Place | None = None
        for event in self.events:
            kind = type(event)
            if kind is yaml.ScalarEvent:
                self._scalar(event)
            elif kind is yaml.MappingStartEvent:
                self._open(event, {})
            elif kind is yaml.SequenceStartEvent:
                self._open(event, [])
            elif kind is yaml.AliasEvent:
                self._alias(event)
            elif kind is yaml.DocumentEndEvent:
                break
            else:
                self._close()
        return Document(self.root, index, self.root_place or (1, 1), self.places, tuple(self.problems))

    def _scalar(self, event: Any) -> None:
        text: str = event.value
        is_plain = event.implicit[0] and event.tag is None
        if event.tag is not None and event.tag not in ("!", _STRING_TAG):
            raise _tag_refused(event)
        stack = self.stack
        if stack:
            top = stack[-1]
            if top.key is None and type(top.value) is dict:
                if event.anchor is not None:
                    self.anchors[event.anchor] = (text, _size_of(text), 0)
                mark = event.start_mark
                self._key(top, text, (mark.line + 1, mark.column + 1), is_plain)
                return
        value = plain_value(text) if is_plain and not event.style else text
        if event.anchor is not None:
            self.anchors[event.anchor] = (value, _size_of(text), 0)
        self.size += len(text) // _TEXT_OF_ONE
        self._place(value, event)

    def _key(self, top: _Open, text: str, place: Place, is_plain: bool) -> None:  # noqa: FBT001
        if is_plain and text == "<<":
            top.key, top.key_place, top.is_merging = text, place, True
            return
        if text in top.keys:
            first = top.keys[text]
            message = f"the key {text[:80]!r} stands here twice; the first one is in line {first[0]}, column {first[1]}"
            self.problems.append(SourceError("duplicate-key", message, *place))
            text = f"{text}\0{len(self.problems)}"  # beside the first one until the mapping ends, and then dropped
            top.doubles.append(text)
        top.keys[text] = place
        top.key, top.key_place = text, place

    def _place(self, value: Any, event: Any) -> None:
        """Put a finished scalar, or a container that has just begun, where it belongs."""
        self.size += 1
        if not self.stack:
            self.root = value
            self.root_place = (event.start_mark.line + 1, event.start_mark.column + 1)
            return
        top = self.stack[-1]
        if type(top.value) is list:
            top.value.append(value)
        elif top.key is None:
            mark = event.start_mark
            message = "a key must be plain text here, not a mapping or a list"
            raise SourceError("key-type", message, mark.line + 1, mark.column + 1)
        elif top.is_merging:
            top.merges.append((value, top.key_place))
            top.key, top.is_merging = None, False
        else:
            top.value[top.key] = value
            top.key = None

    def _open(self, event: Any, value: Any) -> None:
        if event.tag is not None and event.tag not in ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"):
            raise _tag_refused(event)
        mark = event.start_mark
        place = (mark.line + 1, mark.column + 1)
        if len(self.stack) >= _MAX_DEPTH:
            raise SourceError("too-deep", f"nested deeper than {_MAX_DEPTH} levels", *place)
        size_before = self.size
        self._place(value, event)
        self.places[id(value)] = place
        if event.anchor is not None:
            self.anchors.pop(event.anchor, None)
        self.stack.append(_Open(value, place, size_before, anchor=event.anchor))

    def _close(self) -> None:
        done = self.stack.pop()
        for double in done.doubles:
            done.value.pop(double, None)
        if done.merges:
            _merge(done)
        if done.anchor is not None:
            self.anchors[done.anchor] = (done.value, self.size - done.size_before, done.depth_below + 1)
        self._deepen(done.depth_below + 1)

    def _deepen(self, depth: int) -> None:
        """What was put into the innermost container is `depth` levels deep by itself."""
        if self.stack:
            top = self.stack[-1]
            top.depth_below = max(top.depth_below, depth)

    def _alias(self, event: Any) -> None:
        mark = event.start_mark
        place = (mark.line + 1, mark.column + 1)
        if event.anchor not in self.anchors:
            name = event.anchor
            if any(waiting.anchor == name for waiting in self.stack):
                raise SourceError("alias-in-itself", f"*{name} stands inside what &{name} names", *place)
            raise SourceError("unknown-alias", f"nothing before this place is named &{name}", *place)
        value, size, depth = self.anchors[event.anchor]
        if len(self.stack) + depth > _MAX_DEPTH:
            raise SourceError("too-deep", f"*{event.anchor[:80]} nests deeper than {_MAX_DEPTH} levels here", *place)
        self._deepen(depth)
        self.size += size
        self.aliased += size
        if self.aliased > _MAX_ALIASED:
            message = (
                f"the aliases of this file stand for more than {_MAX_ALIASED} values, or as much text: "
                "write them out, or fewer"
            )
            raise SourceError("alias-budget", message, *place)
        if self.stack and self.stack[-1].key is None and type(self.stack[-1].value) is dict:
            if type(value) is not str:
                raise SourceError("key-type", "a key must be plain text", *place)
            self._key(self.stack[-1], value, place, False)  # noqa: FBT003
            return
        self._place(value, event)


def _size_of(text: str) -> int:
    """What a scalar counts for: a long one as much as many short ones, since each alias of it is checked anew."""
    return 1 + len(text) // _TEXT_OF_ONE


def _merge(done: _Open) -> None:
    """YAML 1.1's `<<`: what it names fills in the keys that the mapping does not have itself."""
    for merged, place in done.merges:
        for source in merged if type(merged) is list else [merged]:
            if type(source) is not dict:
                raise SourceError("merge", "<< takes a mapping, or a list of mappings: `<<: *name`", *place)
            for key, value in source.items():
                done.value.setdefault(key, value)


def _tag_refused(event: Any) -> SourceError:
    mark = event.start_mark
    shown = event.tag.replace("tag:yaml.org,2002:", "!!")
    message = f"the tag {shown[:80]} is not understood: write plain values, and quotes where text is meant"
    return SourceError("tag", message, mark.line + 1, mark.column + 1)


def events(text: str) -> Iterator[Any]:
    """The parser's events; libyaml's where PyYAML was built with it, else the same in Python."""
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    parser = loader(text)
    try:
        step = parser.get_event
        while (event := step()) is not None and type(event) is not yaml.StreamEndEvent:
            yield event
    finally:
        parser.dispose()


# --- what went wrong -------------------------------------------------------------------------------------------------


def _forbidden_character(text: str) -> SourceError:
    match = _FORBIDDEN.search(text)
    start = match.start() if match else 0
    line = text.count("\n", 0, start) + 1
    column = start - (text.rfind("\n", 0, start) + 1) + 1
    shown = f"U+{ord(match[0]):04X}" if match else "a control character"
    return SourceError("control-character", f"the character {shown} may not stand in YAML: remove it", line, column)


def _explained(text: str, error: yaml.MarkedYAMLError) -> SourceError:
    """libyaml's complaint, with the usual cause where the line gives it away."""
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    lines = text.splitlines()
    written = lines[line - 1] if line <= len(lines) else ""
    words = " ".join(str(part) for part in (error.context, error.problem) if part)
    indent = written[: len(written) - len(written.lstrip())]
    if "\t" in indent:
        message = "a tab stands in the indentation: YAML indents with spaces"
        return SourceError("tab", message, line, indent.index("\t") + 1)
    if "found character" in words and column <= len(written) and written[column - 1] in "@`%":
        message = f"plain text cannot begin with {written[column - 1]}: put it in quotes"
        return SourceError("syntax", message, line, column)
    if "mapping values are not allowed" in words:
        message = "a colon here makes no sense: put text that contains `: ` in quotes, or check the indentation"
        return SourceError("syntax", message, line, column)
    if "flow" in words and "${" in written:
        message = "inside { } or [ ] a text with ${…} needs quotes around it"
        return SourceError("syntax", message, line, column)
    return SourceError("syntax", f"this is no YAML: {words}", line, column)
