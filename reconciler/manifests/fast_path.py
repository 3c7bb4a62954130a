"""Reads the plain style that nearly every manifest is written in, line by line and much faster than a YAML parser.

It knows block mappings and lists of them, one-line scalars, flat one-line `{...}` and `[...]`, and comments. Whatever
else stands in a file makes it decline the whole file, which then goes to the parser; so it may say less than YAML, but
never anything else. A test holds the two against each other. Estates repeat themselves: a line that was seen before
costs one look-up.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from typing import TypeAlias, cast

from reconciler.manifests.yaml_values import Place, YAMLContainer, YAMLValue, plain_value

ContainerPlaces: TypeAlias = dict[int, Place]
Flow: TypeAlias = Callable[[str], YAMLValue]

_INNER = r"[A-Za-z0-9_./+~$%=@*?!&()<>{}\[\];,-]"
_REST = rf"(?::{_INNER}+)*(?: +{_INNER}+(?::{_INNER}+)*)*"
_LINE = re.compile(
    r"(?P<indent> *)(?P<dash>- )?(?P<key>[A-Za-z_][A-Za-z0-9_]*):"
    r"(?: +(?:"
    rf"(?P<word>[A-Za-z0-9_./$]{_INNER}*{_REST})"
    r'|"(?P<double>[ !#-\[\]-~]*)"'
    r"|'(?P<single>[ -&(-~]*)'"
    r"|(?P<flow>\{[ -\"$-~]*\}|\[[ -\"$-~]*\])"
    r"))? *(?: #[ -~]*)?"
)
_NOTHING = re.compile(r" *(?:#[ -~]*)?")
_MAX_LINE = 500
_MAX_LEVELS = 30
_MAX_REMEMBERED = 20_000

_BLANK, _OPENS, _HOLDS, _FLOWS = range(4)
_Line: TypeAlias = tuple[int, int, bool, str, YAMLValue]
"""What a line says: which of the above, its indentation, whether a dash begins it, its key, and its value."""

_lines: dict[str, _Line] = {}
_flows: dict[str, YAMLContainer | None] = {}


class Declined(Exception):
    """The file has something in it that this reader does not know."""


def read(text: str, flow: Flow) -> list[tuple[YAMLValue, Place, ContainerPlaces]]:
    """The documents of a text as (value, place, places of containers by `id`). Raises Declined.

    `flow` reads a one-line `{…}` or `[…]`, and may raise Declined.
    """
    if len(_lines) > _MAX_REMEMBERED:
        _lines.clear()
        _flows.clear()
    lines = text.split("\n")
    marks = [number for number, line in enumerate(lines) if line == "---"] if "---" in text else []
    first = marks[0] if marks else len(lines)
    documents = [_document(lines, mark + 1, end, flow) for mark, end in pairwise((*marks, len(lines)))]
    before = _document(lines, 0, first, flow)
    return documents if before[0] is None else [before, *documents]


def _remember(written: str) -> _Line:
    """What a line says, by itself; from then on it is in `_lines`. Raises Declined."""
    match = _LINE.fullmatch(written) if len(written) <= _MAX_LINE else None
    if match is not None:
        form = str(match.lastgroup)
        sort = {"key": _OPENS, "flow": _FLOWS}.get(form, _HOLDS)
        value = None if sort == _OPENS else plain_value(match[form]) if form == "word" else match[form]
        line: _Line = (sort, len(match["indent"]), match["dash"] is not None, match["key"], value)
    elif len(written) <= _MAX_LINE and _NOTHING.fullmatch(written):
        line = (_BLANK, 0, False, "", None)
    else:
        raise Declined
    _lines[written] = line
    return line


def _document(lines: list[str], begin: int, end: int, flow: Flow) -> tuple[YAMLValue, Place, ContainerPlaces]:
    """The document between two lines; None where nothing but comments stand."""
    places: ContainerPlaces = {}
    root: dict[str, YAMLValue] = {}
    stack: list[tuple[int, YAMLContainer]] = [(0, root)]
    waiting: str | None = None
    holder, holder_indent = root, 0
    for index in range(begin, end):
        written = lines[index]
        sort, indent, has_dash, key, value = _lines[written] if written in _lines else _remember(written)
        if sort == _HOLDS and indent == holder_indent and not has_dash and key not in holder:
            holder[key] = value
            waiting = None
            continue
        if sort == _BLANK:
            continue
        if waiting is not None and (indent > holder_indent or (has_dash and indent == holder_indent)):
            inner: YAMLContainer = [] if has_dash else {}
            holder[waiting] = inner
            places[id(inner)] = (index + 1, indent + 1)
            stack.append((indent, inner))
        else:
            _unwind(stack, indent, list if has_dash else dict)
        if has_dash:
            holder, holder_indent = _entry(stack, places, index + 1), indent + 2
        else:
            holder, holder_indent = cast("dict[str, YAMLValue]", stack[-1][1]), indent
        if key in holder or len(stack) > _MAX_LEVELS:
            raise Declined
        if sort == _FLOWS:
            column = written.index(str(value)) + 1
            value = _flow(str(value), flow)
            places[id(value)] = (index + 1, column)
        waiting = key if sort == _OPENS else None
        holder[key] = value
    if not root:
        return None, (1, 1), places
    first = next(index for index in range(begin, end) if _lines[lines[index]][0] != _BLANK)
    places[id(root)] = (first + 1, 1)
    return root, places[id(root)], places


def _entry(stack: list[tuple[int, YAMLContainer]], places: ContainerPlaces, number: int) -> dict[str, YAMLValue]:
    """Begin the mapping that stands behind a dash, in the list on top."""
    indent, listed = cast("tuple[int, list[YAMLValue]]", stack[-1])
    entry: dict[str, YAMLValue] = {}
    listed.append(entry)
    places[id(entry)] = (number, indent + 3)
    stack.append((indent + 2, entry))
    return entry


def _unwind(stack: list[tuple[int, YAMLContainer]], indent: int, kind: type) -> None:
    """Close what is indented deeper, until the mapping or the list is on top that goes on at this indentation."""
    while stack[-1][0] > indent:
        stack.pop()
    if kind is dict and type(stack[-1][1]) is list:
        stack.pop()
    top, container = stack[-1]
    if top != indent or type(container) is not kind:
        raise Declined


def _flow(written: str, flow: Flow) -> YAMLValue:
    """A flat container; each place that writes it gets one of its own."""
    if written not in _flows:
        found = cast("YAMLContainer", flow(written))
        parts = found.values() if isinstance(found, dict) else found
        _flows[written] = None if any(isinstance(part, dict | list) for part in parts) else found
    held = _flows[written]
    if held is None:
        raise Declined
    return held.copy()
