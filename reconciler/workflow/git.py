"""What Git knows of the project: the commit it is at, and earlier contents of a file. The only place that calls it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

_SECONDS = 10
_COMMITS_LOOKED_AT = 20


def commit_of(root: Path) -> str:
    """The commit that the project's folder is at; "" outside Git. A changed work tree shows as `…-dirty`."""
    found = _git(root, "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty")
    return found.decode(errors="replace").strip() if found is not None else ""


def earlier_contents(path: Path, largest: int) -> Iterator[bytes]:
    """The contents that a file had in its latest commits, newest first, up to `largest` bytes; nothing outside Git."""
    listed = _git(path.parent, "log", f"-n{_COMMITS_LOOKED_AT}", "--format=%H", "--", path.name)
    for commit in (listed or b"").decode(errors="replace").split():
        size = _git(path.parent, "cat-file", "-s", f"{commit}:./{path.name}")
        if size is None or not size.strip().isdigit() or int(size) > largest:
            continue
        content = _git(path.parent, "show", f"{commit}:./{path.name}")
        if content is not None:
            yield content


def _git(folder: Path, *arguments: str) -> bytes | None:
    try:
        done = subprocess.run(  # noqa: S603 - fixed commands; folder and file name come from the manifests, not a shell
            ["git", "-C", str(folder), *arguments],  # noqa: S607 - which git is the user's own choice
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout if done.returncode == 0 else None
