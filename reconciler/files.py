"""Reads files up to a limit, and regular files only, since a path may come from anybody; writes text files whole."""

from __future__ import annotations

import errno
import os
import stat
import threading
from pathlib import Path
from typing import BinaryIO

from reconciler.quantities import size_text

_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_CLOEXEC", 0)
_PIECE = 1 << 16
_NO_FOLDERS = (("/", "dev"), ("/", "proc"))
_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
)

MANIFEST_BYTES = 10_000_000
"""Project file and manifests."""
VALUE_BYTES = 1_000_000
"""`${file:…}`, and what a value may become."""
CERTIFICATE_BYTES = 10_000_000
"""Bundles of certificates."""
INPUT_FILE_BYTES = 2_000_000_000
"""Input files of agents, which are read in pieces."""
STATE_BYTES = 1_000_000_000
"""What the emulator holds at its start."""
PLAN_BYTES = 500_000_000
"""Saved plans: some fifty thousand changes take a tenth of it."""


class TooLarge(OSError):
    """The file goes on after the limit."""


def open_regular(path: Path) -> BinaryIO:
    """Open a file for reading in pieces. Raises OSError, in words, when it is a folder, a pipe, a device, a socket."""
    return os.fdopen(_descriptor(path), "rb")


def read_regular(path: Path, limit: int) -> bytes:
    """The bytes of a regular file of at most `limit` bytes. Raises OSError as `open_regular`, TooLarge beyond that.

    What a file says of its own size is only a hint: those under /proc say 0.
    """
    descriptor = _descriptor(path)
    try:
        left = limit + 1
        pieces: list[bytes] = []
        ask = os.fstat(descriptor).st_size + 1
        while left and (piece := os.read(descriptor, min(max(ask, _PIECE), left))):
            pieces.append(piece)
            left -= len(piece)
    finally:
        os.close(descriptor)
    if not left:
        raise too_large(path, limit)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _descriptor(path: Path) -> int:
    """Open, then look at what was opened: so it cannot become something else in between, and a pipe that nobody
    writes to does not keep us here."""
    try:
        descriptor = os.open(path, _FLAGS)
    except ValueError:
        raise OSError(errno.EINVAL, "no path holds a NUL character") from None
    except OSError as error:
        if error.errno == errno.ENXIO:
            raise OSError(errno.EINVAL, "it is a socket or a device, not a regular file", str(path)) from None
        raise
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return descriptor
    os.close(descriptor)
    kind = next((words for is_kind, words in _KINDS if is_kind(mode)), "something else")
    raise OSError(errno.EINVAL, f"it is {kind}, not a regular file", str(path))


def write_whole(path: Path, text: str) -> None:
    """Write a text file so that nobody ever finds half of it: what was there stays until the new one is on the disk.

    A pipe or a device is written to as it is. Lone surrogates, which UTF-8 does not have, become escapes such as
    `\\ud800`, which is what JSON calls them too. Raises OSError.
    """
    content = text.encode("utf-8", "backslashreplace")
    try:
        try:
            mode = path.stat().st_mode
        except FileNotFoundError:
            mode = None
        target = path.resolve()
        # /dev/stdout may lead to a file, but means the open one, and not whatever is put in its place.
        is_open = path.absolute().parts[:2] in _NO_FOLDERS or target.parts[:2] in _NO_FOLDERS
        if (mode is None or stat.S_ISREG(mode)) and not is_open:
            _replace(target, content, mode)
        else:
            with path.open("wb", buffering=0) as stream:
                stream.write(content)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
    except RuntimeError:
        raise OSError(errno.ELOOP, "too many symbolic links", str(path)) from None


def create_whole(path: Path, text: str) -> None:
    """Write a new text file so that nobody ever finds half of it. Raises FileExistsError, and OSError."""
    draft = path.with_name(f".{path.name[:100]}.{os.getpid()}.{threading.get_ident()}")
    try:
        write_whole(draft, text)
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            raise
        except OSError:  # a file system without hard links
            if os.path.lexists(path):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from None
            draft.rename(path)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        draft.unlink(missing_ok=True)


def _replace(target: Path, content: bytes, mode: int | None) -> None:
    draft = target.with_name(f".{target.name[:100]}.{os.getpid()}.{threading.get_ident()}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0)
    try:
        with os.fdopen(os.open(draft, flags, 0o666), "wb") as stream:
            if mode is not None:
                draft.chmod(stat.S_IMODE(mode))
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(target)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def too_large(path: Path, limit: int) -> TooLarge:
    """What to raise when a file that is read in pieces goes on after its limit."""
    return TooLarge(errno.EFBIG, f"it is larger than {size_text(limit)}, the most that is read", str(path))
