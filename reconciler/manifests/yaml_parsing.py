"""Builds plain data from the events of the YAML parser, with the place of everything in it, and no trap left open."""

from __future__ import annotations

from collections.abc import Iterator

import yaml
from msgspec import Struct

from reconciler.files import MANIFEST_BYTES
from reconciler.manifests.yaml_values import Place, YAMLValue, plain_value
from reconciler.quantities import size_text

_WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff")
_MAX_DEPTH = 100
_MAX_ALIASED = 100_000
_TEXT_OF_ONE = 100
_TEXT_TAGS = (None, "!", "tag:yaml.org,2002:str")
_CONTAINER_TAGS = (None, "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")


class SourceError(Exception):
    """A file that is no YAML, or more than we take. `code` is stable; line and column are counted from 1."""

    def __init__(self, code: str, message: str, line: int = 1, column: int = 1) -> None:
        super().__init__(message)
        self.code, self.message, self.line, self.column = code, message, line, column


class YAMLDocument(Struct):
    """One YAML document: its value, where it begins, and where each mapping and list in it begins, by `id`.

    `index` counts the documents of the file, empty ones included. `problems` do not keep the rest from being read: of a
    key that stands twice, the first value counts.
    """

    value: YAMLValue
    index: int
    place: Place
    places: dict[int, Place]
    problems: tuple[SourceError, ...] = ()


def decode(data: bytes) -> str:
    """The text of a file: UTF-8, with or without a byte-order mark. Raises SourceError."""
    if len(data) > MANIFEST_BYTES:
        most = size_text(MANIFEST_BYTES)
        raise SourceError("file-too-large", f"the file is larger than {most}, the most that is read: split it")
    if data.startswith(_WIDE_MARKS) or b"\x00" in data[:4]:
        raise SourceError("encoding", "the file looks like UTF-16 or UTF-32: save it as UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8", "replace").lstrip("\ufeff")
        line = before.count("\n") + 1
        column = len(before) - (before.rfind("\n") + 1) + 1
        message = f"byte 0x{data[error.start]:02x} is no UTF-8: save the file as UTF-8"
        raise SourceError("encoding", message, line, column) from None


def events(text: str, loader: str = "CSafeLoader") -> Iterator[yaml.Event]:
    """The parser's events; libyaml's where PyYAML was built with it, else the same in Python."""
    parser = getattr(yaml, loader, yaml.SafeLoader)(text)
    try:
        step = parser.get_event
        while (event := step()) is not None and type(event) is not yaml.StreamEndEvent:
            yield event
    finally:
        parser.dispose()


def place_of(event: yaml.Event) -> Place:
    """Where an event begins."""
    mark = event.start_mark
    assert mark is not None  # the parser always sets it
    return (mark.line + 1, mark.column + 1)


def documents(text: str) -> Iterator[YAMLDocument]:
    """The documents of a text that hold anything. Raises SourceError, and the errors of PyYAML."""
    try:
        yield from _documents(events(text))
    except yaml.MarkedYAMLError as error:
        if "nesting depth" not in str(error.problem):
            raise
        # libyaml gives up at a depth of its own, before it tells where ours was passed: the parser in Python does.
        yield from _documents(events(text, "SafeLoader"))


def _documents(stream: Iterator[yaml.Event]) -> Iterator[YAMLDocument]:
    index = -1
    builder = _Builder()
    for event in stream:
        if type(event) is yaml.DocumentStartEvent:
            index += 1
            document = builder.document(stream, index)
            if document.value is not None:
                yield document


class _OpenContainer(Struct):
    """A mapping or a list whose end has not been seen. A mapping with a `key` waits for that key's value."""

    value: dict[str, YAMLValue] | list[YAMLValue]
    size_before: int
    anchor: str | None
    depth_below: int = 0
    key: str | None = None
    key_place: Place = (1, 1)
    keys: dict[str, Place] = {}
    merges: list[tuple[YAMLValue, Place]] = []
    is_merging: bool = False
    doubles: list[str] = []

    @property
    def waits_for_key(self) -> bool:
        return self.key is None and isinstance(self.value, dict)


class _Builder:
    """Keeps a stack of its own, so that depth costs no recursion, and counts what the aliases of a file stand for."""

    def __init__(self) -> None:
        self.aliased = 0

    def document(self, stream: Iterator[yaml.Event], index: int) -> YAMLDocument:
        self.size = 0
        self.stack: list[_OpenContainer] = []
        self.anchors: dict[str, tuple[YAMLValue, int, int]] = {}
        self.places: dict[int, Place] = {}
        self.problems: list[SourceError] = []
        self.root: YAMLValue = None
        self.root_place: Place = (1, 1)
        for event in stream:
            if isinstance(event, yaml.ScalarEvent):
                self._scalar(event)
            elif isinstance(event, yaml.MappingStartEvent):
                self._open(event, {})
            elif isinstance(event, yaml.SequenceStartEvent):
                self._open(event, [])
            elif isinstance(event, yaml.AliasEvent):
                self._alias(event)
            elif isinstance(event, yaml.DocumentEndEvent):
                break
            else:
                self._close()
        return YAMLDocument(self.root, index, self.root_place, self.places, tuple(self.problems))

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        text = event.value
        is_plain = event.implicit[0] and event.tag is None
        if event.tag not in _TEXT_TAGS:
            raise _tag_refused(event, event.tag)
        is_key = bool(self.stack) and self.stack[-1].waits_for_key
        value = plain_value(text) if is_plain and not event.style and not is_key else text
        if event.anchor is not None:  # a long one counts as much as many short ones, since each alias is checked anew
            self.anchors[event.anchor] = (value, 1 + len(text) // _TEXT_OF_ONE, 0)
        if is_key:
            self._key(text, place_of(event), may_merge=is_plain)
        else:
            self.size += len(text) // _TEXT_OF_ONE
            self._put(value, event)

    def _key(self, text: str, place: Place, *, may_merge: bool) -> None:
        top = self.stack[-1]
        if may_merge and text == "<<":
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

    def _put(self, value: YAMLValue, event: yaml.Event) -> None:
        """Put a finished scalar, or a container that has just begun, where it belongs."""
        self.size += 1
        if not self.stack:
            self.root, self.root_place = value, place_of(event)
            return
        top = self.stack[-1]
        if isinstance(top.value, list):
            top.value.append(value)
        elif top.key is None:
            raise SourceError("key-type", "a key must be plain text here, not a mapping or a list", *place_of(event))
        elif top.is_merging:
            top.merges.append((value, top.key_place))
            top.key, top.is_merging = None, False
        else:
            top.value[top.key] = value
            top.key = None

    def _open(self, event: yaml.CollectionStartEvent, value: dict[str, YAMLValue] | list[YAMLValue]) -> None:
        if event.tag not in _CONTAINER_TAGS:
            raise _tag_refused(event, event.tag)
        place = place_of(event)
        if len(self.stack) >= _MAX_DEPTH:
            raise SourceError("too-deep", f"nested deeper than {_MAX_DEPTH} levels", *place)
        size_before = self.size
        self._put(value, event)
        self.places[id(value)] = place
        if event.anchor is not None:
            self.anchors.pop(event.anchor, None)
        self.stack.append(_OpenContainer(value, size_before, event.anchor))

    def _close(self) -> None:
        done = self.stack.pop()
        if isinstance(done.value, dict):
            for double in done.doubles:
                done.value.pop(double, None)
            _merge(done.value, done.merges)
        if done.anchor is not None:
            self.anchors[done.anchor] = (done.value, self.size - done.size_before, done.depth_below + 1)
        self._deepen(done.depth_below + 1)

    def _deepen(self, depth: int) -> None:
        """What was put into the innermost container is `depth` levels deep by itself."""
        if self.stack:
            self.stack[-1].depth_below = max(self.stack[-1].depth_below, depth)

    def _alias(self, event: yaml.AliasEvent) -> None:
        place, name = place_of(event), str(event.anchor)
        if name not in self.anchors:
            if any(waiting.anchor == name for waiting in self.stack):
                raise SourceError("alias-in-itself", f"*{name} stands inside what &{name} names", *place)
            raise SourceError("unknown-alias", f"nothing before this place is named &{name}", *place)
        value, size, depth = self.anchors[name]
        if len(self.stack) + depth > _MAX_DEPTH:
            raise SourceError("too-deep", f"*{name[:80]} nests deeper than {_MAX_DEPTH} levels here", *place)
        self._deepen(depth)
        self.size += size
        self.aliased += size
        if self.aliased > _MAX_ALIASED:
            message = (
                f"the aliases of this file stand for more than {_MAX_ALIASED} values, or as much text: "
                "write them out, or fewer"
            )
            raise SourceError("alias-budget", message, *place)
        if not (self.stack and self.stack[-1].waits_for_key):
            self._put(value, event)
        elif isinstance(value, str):
            self._key(value, place, may_merge=False)
        else:
            raise SourceError("key-type", "a key must be plain text", *place)


def _merge(into: dict[str, YAMLValue], merges: list[tuple[YAMLValue, Place]]) -> None:
    """YAML 1.1's `<<`: what it names fills in the keys that the mapping does not have itself."""
    for merged, place in merges:
        for source in merged if isinstance(merged, list) else [merged]:
            if not isinstance(source, dict):
                raise SourceError("merge", "<< takes a mapping, or a list of mappings: `<<: *name`", *place)
            for key, value in source.items():
                into.setdefault(key, value)


def _tag_refused(event: yaml.Event, tag: str | None) -> SourceError:
    shown = str(tag).replace("tag:yaml.org,2002:", "!!")
    message = f"the tag {shown[:80]} is not understood: write plain values, and quotes where text is meant"
    return SourceError("tag", message, *place_of(event))
