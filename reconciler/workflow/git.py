"""What Git knows of the project: the commit it is at, and earlier contents of a file. The only place that calls it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec import Struct

_SECONDS = 10
_COMMITS_LOOKED_AT = 20


class Checkout(Struct, frozen=True):
    """Where the project's folder comes from: a remote's URL, the commit, and the folder's path in the repository.

    `forge` is github or gitlab where the CI says so. `committed` are the files, relative to the project, that are as
    the commit has them.
    """

    remote: str
    commit: str
    folder: str
    forge: str = ""
    committed: frozenset[str] = frozenset()


def checkout_of(root: Path, environ: Mapping[str, str], url: str = "") -> Checkout | None:
    """What Git knows of the project's folder; None outside Git, or where nothing was committed yet.

    The URL is the one that is given, else the CI's, else that of the remote `origin`. It may hold credentials.
    """
    found = _git(root, "rev-parse", "--verify", "--quiet", "HEAD")
    if found is None:
        return None
    remote, forge = (url, "") if url else _remote_in_ci(environ)
    if not remote:
        remote = _text(_git(root, "remote", "get-url", "origin"))
    folder = _text(_git(root, "rev-parse", "--show-prefix"))
    tracked = _git(root, "ls-files", "-z")
    changed = _git(root, "diff", "--name-only", "--relative", "--no-ext-diff", "--no-textconv", "-z", "HEAD", "--", ".")
    committed = _names(tracked) - _names(changed) if tracked is not None and changed is not None else frozenset()
    return Checkout(remote, _text(found), folder, forge, committed)


def _remote_in_ci(environ: Mapping[str, str]) -> tuple[str, str]:
    server, repository = environ.get("GITHUB_SERVER_URL", ""), environ.get("GITHUB_REPOSITORY", "")
    if server and repository:
        return f"{server.rstrip('/')}/{repository}", "github"
    return environ.get("CI_PROJECT_URL", ""), "gitlab" if environ.get("CI_PROJECT_URL") else ""


def _text(found: bytes | None) -> str:
    return (found or b"").decode(errors="replace").strip()


def _names(listed: bytes) -> frozenset[str]:
    return frozenset(map(os.fsdecode, filter(None, listed.split(b"\0"))))


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
