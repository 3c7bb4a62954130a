"""Looks at the input files that a manifest names before they are sent anywhere. Streams them; the work is bounded."""

from __future__ import annotations

import csv
import functools
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

from reconciler.manifests import archives
from reconciler.manifests.problems import Path_, Remark, Spot
from reconciler.model import Problem, Severity

ENDINGS = (".csv", ".txt", ".zip")
_MAX_ROWS = 200_000
_MAX_LINE = 1_000_000
_MAX_REPORTED = 5


def judge(entry: Mapping[str, Any], path: Path_, spot: Spot, root: Path) -> dict[str, str]:
    """Check one declared input file, and return its normal form: the name ACC will know, and the absolute path."""
    written = str(entry["file"])
    location = Path(spot.file.location.parent / written)
    name = str(entry.get("name", location.name))
    if complaint := _name_complaint(name, location):
        spot.error((*path, "name" if "name" in entry else "file"), *complaint)
    try:
        is_inside = location.resolve().is_relative_to(root.resolve())
    except (OSError, ValueError, RuntimeError):
        is_inside = True
    if not is_inside:
        message = f"{written[:200]!r} lies outside the project folder: another checkout will not have it"
        spot.warn((*path, "file"), "outside-project", message)
    for remark in _remarks(location, written):
        _report(remark, location, (*path, "file"), spot, root)
    return {"name": name, "file": str(location.absolute())}


def _report(remark: Remark, location: Path, path: Path_, spot: Spot, root: Path) -> None:
    if remark.line is None:
        (spot.error if remark.severity is Severity.ERROR else spot.warn)(path, remark.code, remark.message)
        return
    shown = location.resolve()
    shown_path = shown.relative_to(root.resolve()).as_posix() if shown.is_relative_to(root.resolve()) else str(shown)
    spot.notes.problems.append(
        Problem(shown_path, remark.line, 1, spot.address, remark.code, remark.message, remark.severity)
    )


def _name_complaint(name: str, location: Path) -> tuple[str, str] | None:
    if any(char in name for char in "/\\") or not name.isprintable() or name.strip(". ") == "":
        return "bad-file-name", "the name of an input file may not hold a slash, a backslash or control characters"
    ending, own = Path(name).suffix, location.suffix.lower()
    if ending.lower() not in ENDINGS:
        return "wrong-ending", f"{name[:120]!r} ends with none of {', '.join(ENDINGS)}, which are all that ACC takes"
    if own in ENDINGS and own != ending.lower():
        return "wrong-ending", f"the file is a {own}, but would be called {name[:120]!r}"
    if ending not in ENDINGS:
        meant = name[: -len(ending)] + ending.lower()
        return "wrong-ending", f"ACC documents {ending.lower()} in small letters: write `name: {meant[:120]}`"
    return None


@functools.lru_cache(maxsize=4096)
def _stamped_remarks(location: Path, _size: int, _changed: int) -> tuple[Remark, ...]:
    """The remarks on a file's content; several agents may share a file, which is then read once."""
    if location.suffix.lower() == ".csv":
        return tuple(_csv_remarks(location))
    if location.suffix.lower() == ".zip":
        with location.open("rb") as stream:
            return tuple(archives.remarks(stream, location.name, _sheet_remarks))
    with location.open("rb"):
        return ()


def _remarks(location: Path, written: str) -> tuple[Remark, ...]:
    try:
        found = location.stat()
        if not stat.S_ISREG(found.st_mode):
            return (Remark("not-a-file", f"{written[:200]!r} is no file"),)
        if found.st_size == 0:
            return (Remark("empty-file", f"{written[:200]!r} is empty"),)
        return _stamped_remarks(location, found.st_size, found.st_mtime_ns)
    except FileNotFoundError:
        return (Remark("missing-file", f"there is no file {written[:200]!r} beside this manifest{_near(location)}"),)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a path"
        return (Remark("unreadable-file", f"{written[:200]!r} cannot be read: {reason}"),)


def _near(location: Path) -> str:
    from difflib import get_close_matches

    try:
        names = sorted(one.name for one in location.parent.iterdir())[:2000]
    except OSError:
        return ""
    near = get_close_matches(location.name, names, 1, 0.7)
    return f"; did you mean {near[0]!r}?" if near else ""


def members(location: Path) -> tuple[str, ...]:
    """The names that come out of a zip file when ACC unpacks it; none for any other file."""
    if location.suffix.lower() != ".zip":
        return ()
    try:
        with location.open("rb") as stream:
            return archives.member_names(stream)
    except OSError:
        return ()


# --- CSV -------------------------------------------------------------------------------------------------------------


def _csv_remarks(location: Path) -> Iterator[Remark]:
    """Uneven rows and repeated headers, as warnings: the product takes such a file, and the agent stumbles over it."""
    with location.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
        yield from _sheet_remarks(stream)


def _sheet_remarks(stream: TextIO) -> Iterator[Remark]:
    delimiter = _delimiter(stream.readline(_MAX_LINE))
    stream.seek(0)
    overlong: list[int] = []
    rows = csv.reader(_lines(stream, overlong), delimiter=delimiter)
    try:
        yield from _row_remarks(rows)
    except csv.Error as error:
        yield _warning("csv-unreadable", f"this is no row of a CSV file: {error}", max(rows.line_num, 1))
    if overlong:
        yield _warning("csv-long-line", f"a line of more than {_MAX_LINE} characters: not checked further", overlong[0])


def _lines(stream: Any, overlong: list[int]) -> Iterator[str]:
    number = 0
    while line := stream.readline(_MAX_LINE):
        number += 1
        if len(line) >= _MAX_LINE and not line.endswith("\n"):
            overlong.append(number)
            return
        yield line


def _delimiter(header: str) -> str:
    return max(",;\t|", key=header.count) if "," not in header else ","


def _row_remarks(rows: Any) -> Iterator[Remark]:
    header: list[str] | None = None
    reported = 0
    line = 1
    for number, row in enumerate(rows):
        first_line, line = line, rows.line_num + 1
        if number >= _MAX_ROWS or reported >= _MAX_REPORTED:
            return
        if not row:
            continue
        if header is None:
            header = row
            seen: set[str] = set()
            for column in row:
                if column.strip() and column.strip().lower() in seen:
                    yield _warning("csv-header", f"the column {column[:80]!r} stands twice in the header", first_line)
                seen.add(column.strip().lower())
            continue
        if row == header and len(header) > 1:
            reported += 1
            yield _warning("csv-header", "the header stands here again, as a row of data", first_line)
        elif len(row) != len(header):
            reported += 1
            yield _warning("csv-uneven", f"{len(row)} columns where the header has {len(header)}", first_line)


def _warning(code: str, message: str, line: int) -> Remark:
    return Remark(code, message, line, Severity.WARNING)
