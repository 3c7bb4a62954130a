"""Changes of files as a patch that `git apply` takes."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from pathlib import Path

from msgspec import Struct

from reconciler.manifests.yaml_splices import Splice

_CONTEXT = 3
_NO_END = "\n\\ No newline at end of file\n"


def path_in_repository(folder: Path) -> str:
    """The way from the repository's top, since `git apply` takes paths from there; "" outside Git."""
    whole = folder.resolve()
    top = next((each for each in (whole, *whole.parents) if (each / ".git").exists()), whole)
    return f"{whole.relative_to(top).as_posix()}/" if top != whole else ""


def file_patch(path: str, before: str, splices: Iterable[Splice]) -> str:
    """The patch of one file in which splices are made, which come in order; "" where nothing changes.

    What changes is known, so nothing is searched for: `difflib` takes most of a minute where the lines of 16 000
    schedules change.
    """
    lines = re.findall(r"[^\n]*\n|[^\n]+", before)  # broken at line feeds alone, as Git does
    changes = list(_changes(lines, before, splices))
    if not changes:
        return ""
    shown = _quoted(path)
    one, two = (f"a/{path}", f"b/{path}") if shown == path else (f'"a/{shown}"', f'"b/{shown}"')
    pieces = [f"diff --git {one} {two}\n--- {one}\n+++ {two}\n"]
    shift, hunk = 0, [changes[0]]
    for change in changes[1:]:
        if change.begin > hunk[-1].end + 2 * _CONTEXT:
            pieces += _hunk(lines, hunk, shift)
            shift += sum(one.growth for one in hunk)
            hunk = []
        hunk.append(change)
    pieces += _hunk(lines, hunk, shift)
    return "".join(pieces)


class _Change(Struct, frozen=True):
    """Lines `begin` to `end` of the text before, counted from 0, and what stands there afterwards."""

    begin: int
    end: int
    lines: Sequence[str]

    @property
    def growth(self) -> int:
        return len(self.lines) - (self.end - self.begin)


def _changes(lines: Sequence[str], before: str, splices: Iterable[Splice]) -> Iterator[_Change]:
    """Splices of the same lines together, without the lines around them that stay as they are."""
    starts = [0, *accumulate(map(len, lines))]
    groups: list[tuple[int, int, list[Splice]]] = []
    for splice in splices:
        begin = max(0, min(bisect_right(starts, splice.begin), len(lines)) - 1)
        end = max(begin, min(bisect_right(starts, splice.end), len(lines)) - 1) + 1
        if groups and begin < groups[-1][1]:
            first, last, together = groups.pop()
            groups.append((first, max(last, end), [*together, splice]))
        else:
            groups.append((begin, end, [splice]))
    for first, last, together in groups:
        old = lines[first:last]
        new = _spliced(before, starts[first], starts[min(last, len(lines))], together)
        shorter = min(len(old), len(new))
        head = next((at for at in range(shorter) if old[at] != new[at]), shorter)
        tail = next((at for at in range(shorter - head) if old[-1 - at] != new[-1 - at]), shorter - head)
        if head + tail < max(len(old), len(new)):
            yield _Change(first + head, first + len(old) - tail, new[head : len(new) - tail])


def _spliced(before: str, begin: int, end: int, splices: Sequence[Splice]) -> list[str]:
    pieces: list[str] = []
    for splice in splices:
        pieces += (before[begin : splice.begin], splice.text)
        begin = splice.end
    return re.findall(r"[^\n]*\n|[^\n]+", "".join((*pieces, before[begin:end])))


def _hunk(lines: Sequence[str], changes: Sequence[_Change], shift: int) -> Iterator[str]:
    begin, end = max(0, changes[0].begin - _CONTEXT), min(len(lines), changes[-1].end + _CONTEXT)
    size = end - begin + sum(change.growth for change in changes)
    yield f"@@ -{_range(begin, end - begin)} +{_range(begin + shift, size)} @@\n"
    at = begin
    for change in changes:
        yield from (_marked(" ", line) for line in lines[at : change.begin])
        yield from (_marked("-", line) for line in lines[change.begin : change.end])
        yield from (_marked("+", line) for line in change.lines)
        at = change.end
    yield from (_marked(" ", line) for line in lines[at:end])


def _range(begin: int, size: int) -> str:
    """Where a hunk lies; of one without lines, the line before it is named."""
    return f"{begin + 1 if size else begin},{size}"


def _marked(sign: str, line: str) -> str:
    return f"{sign}{line}" if line.endswith("\n") else f"{sign}{line}{_NO_END}"


def _quoted(path: str) -> str:
    """A path as Git writes it inside double quotes; the path itself where it needs none."""
    octets = path.encode("utf-8", "surrogateescape")
    return "".join(chr(octet) if 32 <= octet < 127 and octet not in b'"\\' else f"\\{octet:03o}" for octet in octets)
