"""Finds the project folder, and the manifest files that its patterns name."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase, translate
from itertools import takewhile
from pathlib import Path

from msgspec import Struct

from reconciler.errors import UsageError

FILE_NAME = "reconciler.yaml"


def find_root(start: Path) -> Path:
    """The nearest folder from `start` upward that has a `reconciler.yaml`. Raises UsageError."""
    folder = start.absolute()
    if not folder.is_dir():
        raise UsageError(f"there is no folder {str(start)!r}", hint="give the project's folder with -C, --project DIR")
    for candidate in (folder, *folder.parents):
        if (candidate / FILE_NAME).is_file():
            return candidate
    hint = "`reconciler init` writes one; or name the project's folder with -C, --project DIR"
    raise UsageError(f"no {FILE_NAME} in {folder}, nor in any folder above it", hint=hint)


class FoundFiles(Struct):
    """The files that patterns name, relative to the root with `/`, sorted, each once; the patterns that name any; and
    folders that cannot be read, with the reason, though such a file may lie in them."""

    paths: list[str]
    matched: set[str]
    unreadable: list[tuple[str, str]]


def find_files(root: Path, patterns: Iterable[str]) -> FoundFiles:
    """The files that patterns name.

    `**` stands for any number of folders, hidden ones aside. A link is followed, but no folder is entered twice.
    """
    wanted = {pattern: _compiled(pattern) for pattern in patterns}
    found = FoundFiles([], set(), [])
    for path, problem in _walk(root, tuple(wanted)):
        if problem:
            found.unreadable.append((path, problem))
        elif path != FILE_NAME and (naming := [pattern for pattern, form in wanted.items() if form.match(path)]):
            found.paths.append(path)
            found.matched.update(naming)
    found.paths.sort()
    return found


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
    fixed = takewhile(lambda part: not any(char in part for char in "*?["), pattern.split("/")[:-1])
    return "/".join(part for part in fixed if part not in ("", "."))


def _may_lie_below(folder: str, pattern: str) -> bool:
    """Whether a file in this folder, or in one below it, could match."""
    parts = [part for part in pattern.split("/") if part not in ("", ".")]
    for number, name in enumerate(folder.split("/")):
        if number >= len(parts) - 1:
            return "**" in parts
        if parts[number] == "**":
            return True
        if not fnmatchcase(name, parts[number]):
            return False
    return True


def _walk(root: Path, patterns: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Every file below the patterns' fixed parts; and every folder that cannot be read, with the reason."""
    shows_hidden = any(part.startswith(".") and part not in (".", "..") for one in patterns for part in one.split("/"))
    entered: set[tuple[int, int]] = set()
    waiting = sorted({_fixed_part(pattern) for pattern in patterns}, reverse=True)
    while waiting:
        folder = waiting.pop()
        try:
            place = (root / folder).stat()
            if (place.st_dev, place.st_ino) in entered:
                continue
            entered.add((place.st_dev, place.st_ino))
            entries = sorted(os.scandir(root / folder), key=lambda entry: (entry.is_symlink(), entry.name))
        except (FileNotFoundError, NotADirectoryError):
            continue
        except (OSError, ValueError) as error:
            yield folder, getattr(error, "strerror", None) or "not a path"
            continue
        below = []
        for entry in entries:
            if entry.name.startswith(".") and not shows_hidden:
                continue
            path = f"{folder}/{entry.name}" if folder else entry.name
            try:
                is_folder = entry.is_dir()
            except OSError:
                is_folder = False  # a link that leads to itself: whoever reads it says so
            if is_folder:
                if any(_may_lie_below(path, pattern) for pattern in patterns):
                    below.append(path)
            else:
                yield path, ""
        waiting += reversed(below)
