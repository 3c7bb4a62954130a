"""Looks into a zip archive of input files, which by the vendor's page "can have multiple csv or txt files".

Members are held to what files are held to. Nothing is unpacked to disk; the work is bounded by what the archive says of
itself, and what says too much is not read.
"""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from reconciler.manifests.problems import FileProblem
from reconciler.model.resource import Severity

ENDINGS = (".csv", ".txt")
_MAX_MEMBERS = 10_000
_MAX_UNPACKED = 2_000_000_000
_MAX_RATIO = 200
_MAX_REPORTED = 5
_CHUNK = 1 << 20
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED, _UTF_8 = 0x1, 0x800
_BROKEN = (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, ValueError, RuntimeError)

CheckCSV = Callable[[IO[bytes]], Iterator[FileProblem]]


def member_names(stream: IO[bytes]) -> tuple[str, ...]:
    """The names of the files in an archive; none when it cannot be read, which `problems` says."""
    try:
        with zipfile.ZipFile(stream) as archive:
            # `filename` is what this machine makes of a name.
            return tuple(one.orig_filename for one in archive.infolist()[:_MAX_MEMBERS] if not one.is_dir())
    except _BROKEN:
        return ()


def problems_in(stream: IO[bytes], name: str, check_csv: CheckCSV) -> Iterator[FileProblem]:
    """What is wrong or doubtful in the archive called `name`; `check_csv` looks at one CSV."""
    try:
        with zipfile.ZipFile(stream) as archive:
            members = archive.infolist()
            found = [*_of_the_whole(members, name), *_of_members(members, name)]
            yield from found
            if not any(problem.severity is Severity.ERROR for problem in found):
                yield from _of_contents(archive, members, name, check_csv)
    except _BROKEN:
        yield FileProblem("bad-zip", f"{name!r} is no zip archive that can be read")


def _of_the_whole(members: list[zipfile.ZipInfo], name: str) -> Iterator[FileProblem]:
    if not members:
        yield FileProblem("empty-file", f"the archive {name!r} holds nothing")
    unpacked = sum(member.file_size for member in members)
    packed = max(sum(member.compress_size for member in members), 1)
    is_bomb = unpacked > _MAX_UNPACKED or (unpacked > 50_000_000 and unpacked / packed > _MAX_RATIO)
    if is_bomb or len(members) > _MAX_MEMBERS:
        yield FileProblem(
            "zip-bomb",
            f"{name!r} unpacks to {unpacked / 1e6:.0f} MB in {len(members)} files from {packed / 1e6:.1f} MB: "
            "that looks like a zip bomb, and is not sent",
        )


def _of_members(members: list[zipfile.ZipInfo], name: str) -> Iterator[FileProblem]:
    """One problem for each sort of mistake, naming the first member that has it: they tend to be alike."""
    wrong: dict[str, list[str]] = {}
    seen: set[str] = set()
    for member in members:
        shown = member.orig_filename
        for code in _codes(member, shown):
            wrong.setdefault(code, []).append(shown)
        if shown.casefold() in seen:
            wrong.setdefault("zip-duplicate", []).append(shown)
        seen.add(shown.casefold())
    for code, (first, *others) in wrong.items():
        more = f" (and {len(others)} more)" if others else ""
        severity = Severity.WARNING if code == "zip-name-encoding" else Severity.ERROR
        yield FileProblem(code, f"{first[:120]!r}{more} in {name!r} {_MEANING[code]}", severity=severity)


_MEANING = {
    "zip-climbs-out": "would be unpacked outside its folder",
    "zip-not-a-file": "is a link or a device, and no file",
    "zip-folder": "lies in a folder: put the files at the top, as `zip -j` does",
    "bad-file-name": "has a name with control characters, or none at all",
    "wrong-ending": "ends with none of .csv and .txt in small letters, which are all that ACC takes in a zip file",
    "zip-duplicate": "has the name of another file in it: which of the two wins is not documented",
    "zip-encrypted": "is encrypted, and nobody can give ACC the password",
    "zip-method": "is compressed in a way that not everybody can read: use deflate, which is what zip does by itself",
    "zip-name-encoding": "has letters whose encoding the archive does not tell: ACC may read another name",
    "empty-file": "is empty",
}


def _codes(member: zipfile.ZipInfo, name: str) -> Iterator[str]:
    path, kind = name.replace("\\", "/"), stat.S_IFMT(member.external_attr >> 16)
    if path.startswith("/") or path[1:2] == ":" or ".." in path.split("/"):
        yield "zip-climbs-out"
        return
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        yield "zip-not-a-file"
        return
    if "/" in path:
        yield "zip-folder"
        return
    if not name.isprintable() or name.strip(". ") == "":
        yield "bad-file-name"
    elif Path(name).suffix not in ENDINGS:
        yield "wrong-ending"
    if member.flag_bits & _ENCRYPTED:
        yield "zip-encrypted"
    elif member.compress_type not in _METHODS:
        yield "zip-method"
    elif member.file_size == 0:
        yield "empty-file"
    if not name.isascii() and not member.flag_bits & _UTF_8:
        yield "zip-name-encoding"


def _of_contents(
    archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], name: str, check_csv: CheckCSV
) -> Iterator[FileProblem]:
    """What each member holds: whether it comes out whole, and for a CSV what is said of any CSV."""
    reported = 0
    for member in members:
        shown = member.orig_filename[:120]
        try:
            with archive.open(member) as stream:
                while stream.read(_CHUNK):
                    pass
        except _BROKEN:
            yield FileProblem("bad-zip", f"{shown!r} in {name!r} does not come out whole: the archive is damaged")
            return
        if Path(shown).suffix != ".csv" or reported >= _MAX_REPORTED:
            continue
        with archive.open(member) as stream:
            for problem in check_csv(stream):
                reported += 1
                place = f"line {problem.line} of " if problem.line is not None else ""
                yield FileProblem(
                    problem.code, f"{place}{shown!r} in {name!r}: {problem.message}", severity=problem.severity
                )
