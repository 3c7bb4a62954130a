"""Which characters of a YAML text have to change so that a mapping or a list in it says something else."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence

from msgspec import Struct

from reconciler.manifests.yaml_nodes import Entry, Form, Node
from reconciler.manifests.yaml_reading import parse
from reconciler.manifests.yaml_values import DocumentPath, YAMLValue, quoted
from reconciler.manifests.yaml_writing import entry_lines, inline, key_text

LINE_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
"""Where YAML ends a line."""

_LEAD = re.compile(r"(?:[&!]\S*|\s+|#[^\r\n]*)*")
_TAIL = re.compile(r"[ \t]*(,?)[ \t]*(?:#[^\r\n]*)?(?=\r?\n)")
_BLANK_LINE = re.compile(r"\n[ \t]*\r?\n")
_INDENT = 2
_QUOTE = '"'


class Splice(Struct, frozen=True, order=True):
    """New text in place of `text[begin:end]`."""

    begin: int
    end: int
    text: str


class NoPlace(Exception):
    """Something is written in a way in which nothing can be put beside it."""


class SpliceWriter(Struct, frozen=True):
    """Writes into a text, with the line end that its lines have."""

    text: str
    line_end: str

    def replaced(self, node: Node, value: YAMLValue, *, in_flow: bool) -> Splice:
        """A value in place of a node."""
        begin, end = node.begin, node.end
        style = node.style if node.form is Form.SCALAR and begin < end else None
        written = inline(value, in_flow=in_flow, style=style)
        if node.entries and not node.is_flow:
            begin = self._after_colon(begin)
            if begin == node.begin and node.form is Form.LIST:
                written = f" {written}"  # its dashes may stand below the key, where no other value may
        needs_space = begin > 0 and self.text[begin - 1] in ":-" and (begin == end or begin < node.begin)
        return Splice(begin, end, f" {written}" if needs_space else written)

    def rewritten(self, node: Node, added: Mapping[str, YAMLValue], removed: Collection[str]) -> Iterator[Splice]:
        """Keys added to a mapping behind its last one, and removed from it. Raises NoPlace."""
        kept = [entry for entry in node.entries if entry.key is None or entry.key.text not in removed]
        if not node.is_flow and not kept:
            yield self.replaced(node, dict(added), in_flow=False)
            return
        if node.is_flow:
            yield from self._flow_removals(node, kept)
            written = [self._flow_entry(node, key, value) for key, value in added.items()]
            yield from self._flow_additions(node, kept, written)
            return
        yield from self._block_removals(node, kept)
        if added:
            column = node.column if self.text[node.begin] == "?" else _first_key(node).column
            lines = [line for key, value in added.items() for line in self._block_entry(node, key, value)]
            yield self._lines_after(kept, lines, column)

    def appended(self, trail: Sequence[Node], path: DocumentPath, items: Sequence[str]) -> Iterator[Splice]:
        """Items at the end of a list; `trail` leads to it, or to the mapping without such a key. Raises NoPlace."""
        around = trail[len(path) - 1]
        if len(trail) == len(path):
            if around.is_flow:
                values: list[YAMLValue] = [item_value(item) for item in items]
                yield from self.rewritten(around, {str(path[-1]): values}, ())
                return
            lines = [f"{key_text(str(path[-1]), in_flow=False)}:", *self._items(items, " " * self._habit(trail[0]))]
            yield self._lines_after(around.entries, lines, _first_key(around).column)
            return
        node = trail[-1]
        is_empty = not node.entries
        if not is_empty and not node.is_flow:
            yield self._lines_after(node.entries, *self._more_items(node, items))
        elif is_empty and not around.is_flow and around.form is Form.MAPPING and self._is_one_line(node):
            key = next(entry.key for entry in around.entries if entry.value is node)
            assert key is not None  # it is a mapping
            yield Splice(self._after_colon(node.begin), node.end, "")
            at = self._end_of_line(node.end)
            lines = self._items(items, "")
            yield self._lines(at, lines, _first_key(around).column + self._habit(trail[0]))
        else:
            written = [inline(item_value(item), in_flow=True) for item in items]
            if node.form is Form.LIST:
                yield from self._flow_additions(node, node.entries, written)
            else:
                yield self.replaced(node, [item_value(item) for item in items], in_flow=around.is_flow)

    # --- in brackets -------------------------------------------------------------------------------------------------

    def _flow_entry(self, node: Node, key: str, value: YAMLValue) -> str:
        if _is_json(node):
            return f"{quoted(key)}: {inline(value, in_flow=True, style=_QUOTE)}"
        return f"{key_text(key, in_flow=True)}: {inline(value, in_flow=True)}"

    def _flow_removals(self, node: Node, kept: Sequence[Entry]) -> Iterator[Splice]:
        entries = node.entries
        if not kept and entries:
            end = entries[-1].value.end
            comma = re.compile(r"\s*,").match(self.text, end)
            yield Splice(entries[0].begin, comma.end() if comma else end, "")
            return
        stays = [any(entry is one for one in kept) for entry in entries]
        for index, entry in enumerate(entries):
            if stays[index]:
                continue
            if any(stays[index + 1 :]):
                yield Splice(entry.begin, entries[index + 1].begin, "")
            else:
                yield Splice(entries[index - 1].value.end, entry.value.end, "")

    def _flow_additions(self, node: Node, kept: Sequence[Entry], written: Sequence[str]) -> Iterator[Splice]:
        if not written:
            return
        if not kept:
            at = self.text.index("[" if node.form is Form.LIST else "{", node.begin) + 1
            yield Splice(at, at, ", ".join(written))
            return
        end, begin = kept[-1].value.end, kept[-1].begin
        tail = _TAIL.match(self.text, end) if kept[-1] is node.entries[-1] else None
        indent = self.text[begin - self._column(begin) : begin]
        if tail is None or indent.strip():
            yield Splice(end, end, "".join(f", {one}" for one in written))
            return
        if not tail[1]:
            yield Splice(end, end, ",")
        line = self.line_end + indent
        yield Splice(tail.end(), tail.end(), line + f",{line}".join(written) + tail[1])

    # --- line by line ------------------------------------------------------------------------------------------------

    def _block_entry(self, node: Node, key: str, value: YAMLValue) -> list[str]:
        if _is_json(node):
            return [f"{quoted(key)}: {inline(value, in_flow=False, style=_QUOTE)}"]
        return entry_lines(key, value)

    def _block_removals(self, node: Node, kept: Sequence[Entry]) -> Iterator[Splice]:
        stays = {id(entry) for entry in kept}
        after = -1
        first = node.entries[0]
        if id(first) not in stays and not self._begins_line(first):
            # A dash stands before it, which the first key that stays gets, unless a comment lies between.
            if self.text[node.begin] == "?":
                raise NoPlace
            end = self._end_of_line(first.value.end)
            if "#" in self.text[end : kept[0].begin]:
                yield Splice(len(self.text[: first.begin].rstrip(" \t")), end, "")
                after = end
            else:
                after = kept[0].begin
                yield Splice(first.begin, after, "")
        for entry in node.entries:
            if id(entry) in stays or entry.begin < after:
                continue
            if not self._begins_line(entry):
                raise NoPlace
            yield self._without_lines(entry.begin - self._column(entry.begin), self._end_of_line(entry.value.end))

    def _begins_line(self, entry: Entry) -> bool:
        return not self.text[entry.begin - self._column(entry.begin) : entry.begin].strip()

    def _without_lines(self, begin: int, end: int) -> Splice:
        """Remove whole lines, with the line break before them, or behind them at the top of a file."""
        if begin:
            is_double = self.text[begin - 2 : begin] == "\r\n"
            return Splice(begin - (2 if is_double else 1), end, "")
        after = LINE_BREAK.match(self.text, end)
        return Splice(0, after.end() if after else end, "")

    def _more_items(self, node: Node, items: Sequence[str]) -> tuple[list[str], int]:
        """The lines of further items of a list with dashes, spaced as those that are there, and the dashes' column."""
        lead = _LEAD.match(self.text, node.begin)
        assert lead is not None  # it matches nothing at all, too
        column = self._column(lead.end())
        last = node.entries[-1].value
        is_beside = last.entries and not last.is_flow and self.text[last.begin - last.column + column] == "-"
        gap = " " * (last.column - column - 1) if is_beside else " "
        lines = self._items(items, "", gap)
        between = self.text[node.entries[-2].value.end : node.entries[-1].begin] if len(node.entries) > 1 else ""
        if _BLANK_LINE.search(between):
            lines = ["", *lines]
        return lines, column

    def _items(self, items: Sequence[str], indent: str, gap: str = " ") -> list[str]:
        """The lines of items of a list; comments before an item stand above its dash."""
        found: list[str] = []
        for item in items:
            has_begun = False
            for line in item.rstrip("\n").split("\n"):
                if has_begun:
                    lead = " " + gap
                else:
                    has_begun = bool(line.strip()) and not line.startswith("#")
                    lead = f"-{gap}" if has_begun else ""
                found.append(f"{indent}{lead}{line}" if line.strip() else "")
        return found

    def _lines_after(self, entries: Sequence[Entry], lines: Sequence[str], column: int) -> Splice:
        """Lines behind the last entry, if possible one that no text behind `|` or `>` ends."""
        last = next((entry for entry in reversed(entries) if not entry.value.ends_in_block_text), entries[-1])
        return self._lines(self._end_of_line(last.value.end), lines, column)

    def _lines(self, at: int, lines: Sequence[str], column: int) -> Splice:
        pad = " " * column
        return Splice(at, at, "".join(f"{self.line_end}{pad}{line}" if line else self.line_end for line in lines))

    # --- places ------------------------------------------------------------------------------------------------------

    def _habit(self, root: Node) -> int:
        """How far lists stand to the right of their key in this document."""
        waiting = [root]
        while waiting:
            node = waiting.pop(0)
            for entry in node.entries:
                inner = entry.value
                if entry.key is not None and inner.form is Form.LIST and inner.entries and not inner.is_flow:
                    return inner.column - entry.key.column if inner.line != entry.key.line else _INDENT
                waiting.append(inner)
        return _INDENT

    def _is_one_line(self, node: Node) -> bool:
        inside = self.text[node.begin : node.end]
        return inside in ("", "~", "null") or (inside[0] == "[" and not inside[1:-1].strip(" \t"))

    def _after_colon(self, at: int) -> int:
        """The place right behind the colon or the dash before `at`; `at` itself where more than space lies between."""
        begin = len(self.text[:at].rstrip())
        line = self.text[begin - self._column(begin) : begin]
        is_joined = line.endswith((":", "-")) and "#" not in line and not line.startswith("---")
        return begin if is_joined else at

    def _end_of_line(self, at: int) -> int:
        found = LINE_BREAK.search(self.text, at)
        return found.start() if found else len(self.text)

    def _column(self, at: int) -> int:
        return at - max(self.text.rfind(end, 0, at) for end in "\n\r\x85\u2028\u2029") - 1


def item_value(written: str) -> YAMLValue:
    """What one item says that is written by itself. Raises SourceError, and ValueError where it is more than one."""
    found = parse(written)
    if len(found) > 1:
        raise ValueError("one item, and not several documents")
    return found[0].value if found else None


def _first_key(node: Node) -> Node:
    key = node.entries[0].key if node.entries else None
    if key is None:
        raise NoPlace
    return key


def _is_json(node: Node) -> bool:
    """Whether every key stands in double quotes, so that a new one should, too."""
    return bool(node.entries) and all(entry.key is not None and entry.key.style == '"' for entry in node.entries)
