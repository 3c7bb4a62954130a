"""Changes of files as a patch that `git apply` takes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

_CONTEXT = 3


def path_in_repository(folder: Path) -> str:
    """The way from the repository's top, since `git apply` takes paths from there; "" outside Git."""
    whole = folder.resolve()
    top = next((each for each in (whole, *whole.parents) if (each / ".git").exists()), whole)
    return f"{whole.relative_to(top).as_posix()}/" if top != whole else ""


def file_patch(path: str, before: str, after: str) -> str:
    """The patch of one file; "" where nothing changes.

    Lines are only replaced, never added or removed, so each hunk is known without the search that `difflib` would do,
    which takes most of a minute where the lines of 16 000 schedules change.
    """
    lines, new = _lines(before), _lines(after)
    changed = [number for number, (one, two) in enumerate(zip(lines, new, strict=True)) if one != two]
    if not changed:
        return ""
    shown = _quoted(path)
    one, two = (f"a/{path}", f"b/{path}") if shown == path else (f'"a/{shown}"', f'"b/{shown}"')
    pieces = [f"diff --git {one} {two}\n--- {one}\n+++ {two}\n"]
    first = last = changed[0]
    for number in [*changed[1:], len(lines) + 2 * _CONTEXT + 1]:
        if number > last + 2 * _CONTEXT:
            pieces.extend(_hunk(lines, new, max(0, first - _CONTEXT), min(len(lines), last + _CONTEXT + 1)))
            first = number
        last = number
    return "".join(pieces)


def _hunk(lines: list[str], new: list[str], begin: int, end: int) -> Iterator[str]:
    yield f"@@ -{begin + 1},{end - begin} +{begin + 1},{end - begin} @@\n"
    for is_same, run in groupby(range(begin, end), lambda number: lines[number] == new[number]):
        numbers = list(run)
        yield from (_marked(" " if is_same else "-", lines[number]) for number in numbers)
        if not is_same:
            yield from (_marked("+", new[number]) for number in numbers)


def _marked(sign: str, line: str) -> str:
    return f"{sign}{line}" if line.endswith("\n") else f"{sign}{line}\n\\ No newline at end of file\n"


def _lines(text: str) -> list[str]:
    """Lines with their ends, broken at line feeds alone, as Git does."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _quoted(path: str) -> str:
    """A path as Git writes it inside double quotes; the path itself where it needs none."""
    octets = path.encode("utf-8", "surrogateescape")
    return "".join(chr(octet) if 32 <= octet < 127 and octet not in b'"\\' else f"\\{octet:03o}" for octet in octets)
