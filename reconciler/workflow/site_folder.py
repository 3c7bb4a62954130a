"""The folder of a site: each file is written whole, and nothing is touched there that a former site did not write.

`site.json` lists what was written. It may have been written by anybody, so it decides only about files that could be
ours: regular ones, in no folder that is a link, under names that pages have.
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path

from msgspec import Struct

from reconciler.errors import UsageError
from reconciler.files import MANIFEST_BYTES, read_regular, write_whole
from reconciler.quantities import first_few

LISTING = "site.json"
_FORMAT_VERSION = "1.0"
_OURS = re.compile(r"[a-z]+\.html|agents/[a-z0-9][a-z0-9._-]*\.html|assets/[a-z_]+\.(css|js)")
_MOST_NAMED = 3


class SiteFolder(Struct, frozen=True):
    """A folder that can be written to, and the files that a former site wrote there."""

    path: Path
    former: frozenset[str] = frozenset()

    def require_free(self, names: Iterable[str]) -> None:
        """Raises UsageError where something stands in the way of these files that no former site wrote."""
        names = tuple(names)
        folders = sorted({name.partition("/")[0] for name in names if "/" in name})
        foreign = [name for name in folders if os.path.lexists(self.path / name) and not _is_folder(self.path / name)]
        foreign += [name for name in names if name not in self.former and os.path.lexists(self.path / name)]
        if foreign:
            raise UsageError(
                f"{self.path} holds files that no report wrote: {first_few(foreign, _MOST_NAMED)}",
                hint="choose a folder of the report's own, or remove them",
            )

    def write(self, pages: Mapping[str, str], progress: Callable[[str, int, int], None] = lambda *_: None) -> None:
        """Write the pages, in this order, and remove those of the former site that are gone.

        What will be written is listed first, so that whatever happens between, the next report knows its own. Raises
        UsageError as `require_free`, and OSError.
        """
        former = open_site(self.path).former  # the folder may be another one by now
        SiteFolder(self.path, former).require_free(pages)
        self.path.mkdir(parents=True, exist_ok=True)
        write_whole(self.path / LISTING, _listed({*pages, *former}))
        for number, (name, text) in enumerate(pages.items(), 1):
            progress("writing pages", number, len(pages))
            (self.path / name).parent.mkdir(exist_ok=True)
            write_whole(self.path / name, text)
        for name in sorted(former - pages.keys()):
            (self.path / name).unlink(missing_ok=True)
        write_whole(self.path / LISTING, _listed(pages))


def open_site(path: Path) -> SiteFolder:
    """The folder to write a site to; it may be made later. Raises UsageError where that cannot be."""
    path = path.absolute()
    if not path.exists():
        if path.is_symlink():
            raise UsageError(f"{path} is a link that leads nowhere", hint="remove it, or choose another folder")
        ground = next(one for one in path.parents if os.path.lexists(one))
        _require_writable(ground, f"{path} cannot be made")
        return SiteFolder(path)
    _require_writable(path, f"{path} cannot be written to")
    return SiteFolder(path, _former(path))


def _require_writable(folder: Path, problem: str) -> None:
    if not folder.is_dir():
        raise UsageError(f"{problem}: {folder} is no folder", hint="choose another one with --out")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UsageError(f"{problem}: no permission to write in {folder}", hint="choose another one with --out")


def _former(path: Path) -> frozenset[str]:
    """What a former site wrote there, as far as it is there and can be ours."""
    listing = path / LISTING
    if not os.path.lexists(listing):
        return frozenset()
    refused = UsageError(
        f"{listing} was not written by a report", hint="choose a folder of the report's own, or remove the file"
    )
    if listing.is_symlink():
        raise refused
    try:
        found = json.loads(read_regular(listing, MANIFEST_BYTES))
    except (OSError, ValueError, RecursionError):
        raise refused from None
    if not isinstance(found, dict) or found.get("made_by") != "reconciler" or not isinstance(found.get("files"), list):
        raise refused
    return frozenset(name for name in found["files"] if isinstance(name, str) and _is_ours(path, name))


def _is_ours(path: Path, name: str) -> bool:
    if not _OURS.fullmatch(name) or not all(map(_is_folder, (path / name).parents[: name.count("/")])):
        return False
    try:
        return stat.S_ISREG((path / name).lstat().st_mode)
    except OSError:
        return False


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _listed(names: Collection[str]) -> str:
    listing = {"format_version": _FORMAT_VERSION, "made_by": "reconciler", "files": sorted(names)}
    return json.dumps(listing, indent=1) + "\n"
