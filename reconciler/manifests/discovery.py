"""Finds the project folder, and the manifest files that its patterns name."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Iterable, Iterator
from fnmatch import translate
from pathlib import Path

from reconciler.errors import UsageError

_FILE_NAME = "reconciler.yaml"


def find_root(start: Path) -> Path:
    """The nearest folder from `start` upward that has a `reconciler.yaml`. Raises UsageError."""
    folder = start.absolute()
    if not folder.is_dir():
        raise UsageError(f"there is no folder {str(start)!r}", hint="give the project's folder with -C, --project DIR")
    for candidate in (folder, *folder.parents):
        if (candidate / _FILE_NAME).is_file():
            return candidate
    hint = "`reconciler init` writes one; or name the project's folder with -C, --project DIR"
    raise UsageError(f"no {_FILE_NAME} in {folder}, nor in any folder above it", hint=hint)


def find_files(root: Path, patterns: Iterable[str]) -> tuple[dict[str, list[str]], list[str]]:
    """The files of each pattern, relative to `root` with `/`; and all of them together, sorted, each once.

    `**` stands for any number of folders, hidden ones aside. A link is followed, but no folder is entered twice.
    """
    wanted = {pattern: _compiled(pattern) for pattern in patterns}
    found: dict[str, list[str]] = {pattern: [] for pattern in wanted}
    everything: set[str] = set()
    shows_hidden = any(part.startswith(".") and part not in (".", "..") for one in wanted for part in one.split("/"))
    tops = {_fixed_part(pattern) for pattern in wanted}
    for path in _walk(root, tops, shows_hidden=shows_hidden):
        if path == _FILE_NAME:
            continue
        for pattern, matches in wanted.items():
            if matches.match(path):
                found[pattern].append(path)
                everything.add(path)
    return found, sorted(everything)


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """A pattern over whole relative paths, part by part; a wildcard does not stand for a hidden name."""
    parts = []
    for part in (one for one in pattern.split("/") if one not in ("", ".")):
        if part == "**":
            parts.append(r"(?:(?!\.)[^/]+/)*")
            continue
        inner = translate(part).removeprefix("(?s:").removesuffix(r")\Z").removesuffix(r")\z").replace(".*", "[^/]*")
        hidden = "" if part.startswith(".") else r"(?!\.)"
        parts.append(f"{hidden}{inner}/")
    whole = "".join(parts).removesuffix("/")
    return re.compile(f"{whole}\\Z", re.DOTALL)


def _fixed_part(pattern: str) -> str:
    """The folders in front of the first wildcard."""
    fixed = []
    for part in pattern.split("/")[:-1]:
        if any(char in part for char in "*?["):
            break
        if part not in ("", "."):
            fixed.append(part)
    return "/".join(fixed)


def _walk(root: Path, tops: Iterable[str], *, shows_hidden: bool) -> Iterator[str]:
    entered: set[tuple[int, int]] = set()
    waiting = sorted(tops, reverse=True)
    given: set[str] = set()
    while waiting:
        folder = waiting.pop()
        try:
            place = (root / folder).stat()
            if (place.st_dev, place.st_ino) in entered:
                continue
            entered.add((place.st_dev, place.st_ino))
            entries = sorted(os.scandir(root / folder), key=lambda entry: (entry.is_symlink(), entry.name))
        except OSError:
            continue
        below = []
        for entry in entries:
            if entry.name.startswith(".") and not shows_hidden:
                continue
            path = f"{folder}/{entry.name}" if folder else entry.name
            try:
                is_folder = entry.is_dir()
            except OSError:
                continue
            if is_folder:
                below.append(path)
            elif path not in given:
                given.add(path)
                yield path
        waiting += reversed(below)
