"""Changes single values in the text of a YAML file, so that comments, order and spelling stay as they are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from yaml import MappingNode


class Obstacle(StrEnum):
    """Why a value cannot be changed where it stands; completes "its cron …"."""

    ELSEWHERE = "does not stand in its own block"
    SHARED = "is shared through an anchor"
    COMPOSED = "is put together from variables"
    SPLIT = "is not written on one line"


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """New text for a value that stands on one line; line and columns counted from 0."""

    line: int
    begin: int
    end: int
    text: str


class YamlText:
    """A YAML file as it is written, and where its mappings are."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._lines = text.split("\n")
        self._mappings = _mappings(text)

    def edit(self, line: int, key: str, before: str, after: str) -> Edit | Obstacle:
        """The edit that writes `after` for the value `before` of a key, in the mapping that begins on a line from 1."""
        block = self._mappings.get(line)
        node = next((value for name, value in block.value if name.value == key), None) if block is not None else None
        if block is None or node is None:
            return Obstacle.ELSEWHERE
        if not block.start_mark.index <= node.start_mark.index < block.end_mark.index:
            return Obstacle.SHARED
        if str(node.value) != before:
            return Obstacle.COMPOSED
        mark, end = node.start_mark, node.end_mark
        offset = 1 if self.text.startswith("\ufeff") and mark.line == 0 else 0
        begin, until = mark.column + offset, end.column + offset
        written = self._lines[mark.line][begin:until] if mark.line == end.line < len(self._lines) else ""
        if before not in written:
            return Obstacle.SPLIT
        return Edit(mark.line, begin, until, written.replace(before, after, 1))

    def edited(self, edits: Iterable[Edit]) -> str:
        """The whole text with these edits in it."""
        lines = list(self._lines)
        for edit in sorted(edits, reverse=True):
            line = lines[edit.line]
            lines[edit.line] = line[: edit.begin] + edit.text + line[edit.end :]
        return "\n".join(lines)


def _mappings(text: str) -> dict[int, MappingNode]:
    """Every mapping of a file by the line on which it begins, counted from 1; the innermost where several do."""
    import yaml

    found: dict[int, MappingNode] = {}
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    open_nodes = [node for node in yaml.compose_all(text.lstrip("\ufeff"), Loader=loader) if node is not None]
    seen: set[int] = set()
    while open_nodes:
        node = open_nodes.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            line = node.start_mark.line + 1
            if line not in found or node.start_mark.column >= found[line].start_mark.column:
                found[line] = node
            open_nodes.extend(value for _, value in node.value)
        elif isinstance(node, yaml.SequenceNode):
            open_nodes.extend(node.value)
    return found
