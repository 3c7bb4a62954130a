"""Looks at the input files that a manifest names before they are sent anywhere. Streams them; the work is bounded."""

from __future__ import annotations

import csv
import functools
import io
import shlex
import stat
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, TextIO

from reconciler import files
from reconciler.kinds import archive_checks
from reconciler.manifests.problems import FileProblem, ProblemReporter
from reconciler.manifests.yaml_values import DocumentPath, YAMLValue
from reconciler.model.resource import Problem, Severity
from reconciler.quantities import size_text
from reconciler.suggestion import Suggestions

if TYPE_CHECKING:
    from _csv import Reader

ENDINGS = (".csv", ".txt", ".zip")
_MAX_ROWS = 200_000
_MAX_LINE = 1_000_000
_MAX_REPORTED = 5


def check_name(entry: Mapping[str, YAMLValue], path: DocumentPath, report: ProblemReporter) -> str:
    """Check the name that ACC will know a declared input file by, and return it. The file's path need not be known."""
    written = str(entry.get("file") or entry["name"])
    name = str(entry.get("name", Path(written).name))
    if complaint := _name_complaint(name, Path(written)):
        report.error((*path, "name" if "name" in entry else "file"), *complaint)
    return name


def check_file(written: str, path: DocumentPath, report: ProblemReporter, root: Path) -> Path:
    """Check the file of a declared input file, and return its absolute path."""
    location = report.folder((*path, "file")) / written
    try:
        is_inside = location.resolve().is_relative_to(root.resolve())
    except (OSError, ValueError, RuntimeError):
        is_inside = True
    if not is_inside:
        message = f"{written[:200]!r} lies outside the project folder: another checkout will not have it"
        report.warn((*path, "file"), "outside-project", message)
    for problem in _file_problems(location, written):
        _report(problem, location, (*path, "file"), report, root)
    return location.absolute()


def _report(problem: FileProblem, location: Path, path: DocumentPath, report: ProblemReporter, root: Path) -> None:
    if problem.line is None:
        (report.error if problem.severity is Severity.ERROR else report.warn)(path, problem.code, problem.message)
        return
    shown = location.resolve()
    shown_path = shown.relative_to(root.resolve()).as_posix() if shown.is_relative_to(root.resolve()) else str(shown)
    report.problems.append(
        Problem(shown_path, problem.line, 1, report.address, problem.code, problem.message, problem.severity)
    )


def _name_complaint(
    name: str, location: Path, *, spell: Callable[[str], str] = "name: {}".format
) -> tuple[str, str] | None:
    """The code and the words of what is wrong with a name. `spell`: how another one is given, where it was given."""
    if any(char in name for char in "/\\") or not name.isprintable() or name.strip(". ") == "":
        return "bad-file-name", "the name of an input file may not hold a slash, a backslash or control characters"
    ending, own = Path(name).suffix, location.suffix.lower()
    if ending.lower() not in ENDINGS:
        return "wrong-ending", f"{name[:120]!r} ends with none of {', '.join(ENDINGS)}, which are all that ACC takes"
    if own in ENDINGS and own != ending.lower():
        return "wrong-ending", f"the file is a {own}, but would be called {name[:120]!r}"
    if ending not in ENDINGS:
        meant = name[: -len(ending)] + ending.lower()
        return "wrong-ending", f"ACC documents {ending.lower()} in small letters: write `{spell(meant[:120])}`"
    return None


@functools.lru_cache(maxsize=4096)
def _content_problems(location: Path, _size: int, _changed: int) -> tuple[FileProblem, ...]:
    """The problems on a file's content; several agents may share a file, which is then read once."""
    with files.open_regular(location) as stream:
        match location.suffix.lower():
            case ".csv":
                return tuple(_csv_problems(stream))
            case ".zip":
                return tuple(archive_checks.problems_in(stream, location.name, _csv_problems))
    return ()


def _file_problems(location: Path, written: str) -> Iterator[FileProblem]:
    shown = repr(written[:200])
    try:
        found = location.stat()
        if not stat.S_ISREG(found.st_mode):
            yield FileProblem("not-a-file", f"{shown} is no file: a folder, a pipe or a device cannot be sent")
        elif found.st_size == 0:
            yield FileProblem("empty-file", f"{shown} is empty")
        elif found.st_size > files.INPUT_FILE_BYTES:
            most = size_text(files.INPUT_FILE_BYTES)
            yield FileProblem("file-too-large", f"{shown} is larger than {most}, the most that is sent")
        else:
            yield from _content_problems(location, found.st_size, found.st_mtime_ns)
    except FileNotFoundError:
        yield FileProblem("missing-file", f"there is no file {shown} beside this manifest{_near(location)}")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a path"
        yield FileProblem("unreadable-file", f"{shown} cannot be read: {reason}")


def _near(location: Path) -> str:
    try:
        near = _names_in(location.parent, location.parent.stat().st_mtime_ns).nearest(location.name, 0.7)
    except OSError:
        return ""
    return f"; did you mean {near!r}?" if near else ""


@functools.lru_cache(maxsize=256)
def _names_in(folder: Path, _changed: int) -> Suggestions:
    """The names in a folder, which is listed once for all the files that are missing in it. Raises OSError."""
    return Suggestions(sorted(one.name for one in folder.iterdir()))


def complaint(name: str, location: Path) -> str:
    """Why ACC would not take a file that is sent by hand under this name; "" when it would, as far as can be told."""
    if found := _name_complaint(name, location, spell=lambda meant: f"--name {shlex.quote(meant)}"):
        return found[1]
    errors = (problem for problem in _file_problems(location, location.name) if problem.severity is Severity.ERROR)
    return next((problem.message for problem in errors), "")


def members(location: Path) -> tuple[str, ...]:
    """The names that come out of a zip file when ACC unpacks it; none for any other file."""
    if location.suffix.lower() != ".zip":
        return ()
    try:
        with files.open_regular(location) as stream:
            return archive_checks.member_names(stream)
    except OSError:
        return ()


# --- CSV -------------------------------------------------------------------------------------------------------------


def _csv_problems(content: IO[bytes]) -> Iterator[FileProblem]:
    """Uneven rows and repeated headers, as warnings: the product takes such a file, and the agent stumbles over it."""
    with io.TextIOWrapper(content, "utf-8-sig", "replace", newline="") as stream:
        header = stream.readline(_MAX_LINE)
        delimiter = max(",;\t|", key=header.count) if "," not in header else ","
        stream.seek(0)
        overlong: list[int] = []
        rows = csv.reader(_lines(stream, overlong), delimiter=delimiter)
        try:
            yield from _row_problems(rows)
        except csv.Error as error:
            yield _warning("csv-unreadable", f"this is no row of a CSV file: {error}", max(rows.line_num, 1))
        if overlong:
            yield _warning(
                "csv-long-line", f"a line of more than {_MAX_LINE} characters: not checked further", overlong[0]
            )


def _lines(stream: TextIO, overlong: list[int]) -> Iterator[str]:
    number = 0
    while line := stream.readline(_MAX_LINE):
        number += 1
        if len(line) >= _MAX_LINE and not line.endswith("\n"):
            overlong.append(number)
            return
        yield line


def _row_problems(rows: Reader) -> Iterator[FileProblem]:
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
            yield from _header_problems(row, first_line)
            continue
        if row == header and len(header) > 1:
            reported += 1
            yield _warning("csv-header", "the header stands here again, as a row of data", first_line)
        elif len(row) != len(header):
            reported += 1
            yield _warning("csv-uneven", f"{len(row)} columns where the header has {len(header)}", first_line)


def _header_problems(header: list[str], line: int) -> Iterator[FileProblem]:
    """The columns that stand in a header more than once, each once; the first few by name, the rest counted."""
    counts = Counter(column.strip().lower() for column in header)
    doubles = [name for name, count in counts.items() if count > 1 and name]
    for name in doubles[:_MAX_REPORTED]:
        yield _warning("csv-header", f"the column {name[:80]!r} stands twice in the header", line)
    if more := len(doubles[_MAX_REPORTED:]):
        yield _warning("csv-header", f"{more} more columns stand twice in the header", line)


def _warning(code: str, message: str, line: int) -> FileProblem:
    return FileProblem(code, message, line, Severity.WARNING)
