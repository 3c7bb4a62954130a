"""Where everything stands in the text of a YAML file, to the character, so that an edit can leave the rest as it is."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

import yaml
from msgspec import Struct

from reconciler.manifests.yaml_parsing import events
from reconciler.manifests.yaml_values import DocumentPath


class Form(StrEnum):
    """What a node is."""

    SCALAR = "scalar"
    ALIAS = "alias"
    MAPPING = "mapping"
    LIST = "list"


class Node(Struct):
    """A value as it is written: `text[begin:end]`, with its anchor and its tag, without comments behind it.

    `line` counts from 1, `column` from 0. `style` is the quote of a scalar, `|` or `>`, or "".
    """

    form: Form
    begin: int
    end: int
    line: int
    column: int
    text: str = ""
    style: str = ""
    anchor: str = ""
    is_flow: bool = False
    entries: list[Entry] = []

    def entry(self, step: str | int) -> Entry | None:
        """The entry with this key or this index that is written here; None where there is none, or it is merged in."""
        if self.form is Form.LIST:
            return self.entries[step] if isinstance(step, int) and 0 <= step < len(self.entries) else None
        return next((one for one in self.entries if one.name == step), None)

    @property
    def ends_in_block_text(self) -> bool:
        """Whether the last thing in it is text behind `|` or `>`, to which following lines might come to belong."""
        node = self
        while node.entries:
            node = node.entries[-1].value
        return node.style in ("|", ">")


class Entry(Struct):
    """One entry of a mapping, or of a list, where there is no key."""

    key: Node | None
    value: Node

    @property
    def name(self) -> str | None:
        """The key, where it is written out."""
        return self.key.text if self.key is not None and self.key.form is Form.SCALAR else None

    @property
    def begin(self) -> int:
        return self.value.begin if self.key is None else self.key.begin


class WrittenDocument(Struct):
    """One document of a file: its outermost node, and the anchors that an alias refers to."""

    root: Node | None = None
    aliases: set[str] = set()

    def trail(self, path: DocumentPath) -> list[Node]:
        """The nodes from the outermost one towards a path, as far as they are written there."""
        found: list[Node] = [] if self.root is None else [self.root]
        for step in path:
            entry = found[-1].entry(step) if found else None
            if entry is None:
                break
            found.append(entry.value)
        return found

    def mappings(self) -> Iterator[tuple[DocumentPath, Node]]:
        """Every mapping that is written in the document, with its path."""
        waiting: list[tuple[DocumentPath, Node]] = [] if self.root is None else [((), self.root)]
        while waiting:
            path, node = waiting.pop()
            if node.form is Form.MAPPING:
                yield path, node
            for index, entry in enumerate(node.entries):
                step = index if node.form is Form.LIST else entry.name
                if step is not None:
                    waiting.append(((*path, step), entry.value))


def written_documents(text: str) -> list[WrittenDocument]:
    """The documents of a text without a byte-order mark, empty ones included. Raises the errors of PyYAML."""
    found: list[WrittenDocument] = []
    stack: list[Node] = []
    keys: list[Node | None] = []
    for event in events(text):
        if isinstance(event, yaml.DocumentStartEvent):
            found.append(WrittenDocument())
        elif isinstance(event, yaml.CollectionEndEvent):
            done = stack.pop()
            keys.pop()
            last = done.entries[-1].value.end if done.entries else done.end
            done.end = max(_end(event), last) if done.is_flow else last
        elif isinstance(event, yaml.NodeEvent):
            node = _node(event, text)
            if node.form is Form.ALIAS:
                found[-1].aliases.add(node.anchor)
            _attach(node, stack, keys, found[-1])
            if isinstance(event, yaml.CollectionStartEvent):
                stack.append(node)
                keys.append(None)
    return found


def _attach(node: Node, stack: list[Node], keys: list[Node | None], document: WrittenDocument) -> None:
    if not stack:
        document.root = node
    elif stack[-1].form is Form.LIST:
        stack[-1].entries.append(Entry(None, node))
    elif keys[-1] is None:
        keys[-1] = node
    else:
        stack[-1].entries.append(Entry(keys[-1], node))
        keys[-1] = None


def _node(event: yaml.NodeEvent, text: str) -> Node:
    mark = event.start_mark
    assert mark is not None  # the parser always sets it
    begin, end = mark.index, _end(event)
    node = Node(Form.ALIAS, begin, end, mark.line + 1, mark.column, anchor=event.anchor or "")
    if isinstance(event, yaml.ScalarEvent):
        node.form, node.text, node.style = Form.SCALAR, event.value, event.style or ""
        if node.style in ("|", ">"):
            node.end = begin + len(text[begin:end].rstrip())
    elif isinstance(event, yaml.CollectionStartEvent):
        node.form = Form.MAPPING if isinstance(event, yaml.MappingStartEvent) else Form.LIST
        node.is_flow = bool(event.flow_style)
    return node


def _end(event: yaml.Event) -> int:
    assert event.end_mark is not None  # the parser always sets it
    return event.end_mark.index
