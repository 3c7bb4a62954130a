"""Writes manifests that were edited: all of them or none, and none that somebody changed meanwhile."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from reconciler.errors import ReconcilerError
from reconciler.files import MANIFEST_BYTES, read_regular, write_whole


class EditedManifest(Struct, frozen=True):
    """A file with edits in it: what it held, and its text with them. `name` is its path in the project."""

    name: str
    path: Path
    before: bytes
    text: str

    @property
    def is_changed_meanwhile(self) -> bool:
        """Whether the file holds something else than what was edited. Raises OSError."""
        return read_regular(self.path, MANIFEST_BYTES) != self.before


def write_edited(manifests: Iterable[EditedManifest]) -> None:
    """Write them all. Raises ReconcilerError where one was changed meanwhile, or cannot be written."""
    waiting, written = list(manifests), list[EditedManifest]()
    try:
        for one in waiting:
            if one.is_changed_meanwhile:
                raise ReconcilerError(f"{one.name} was changed meanwhile; nothing was written", hint="run it once more")
        for one in waiting:
            write_whole(one.path, one.text)
            written.append(one)
    except OSError as error:
        name = error.filename or "a manifest"
        message = f"{name} cannot be written: {error.strerror}; nothing was written"
        raise ReconcilerError(message, hint="make the file writable, and run it once more") from error
    finally:
        if len(written) < len(waiting):
            for done in written:
                with suppress(OSError):
                    write_whole(done.path, done.before.decode("utf-8"))
