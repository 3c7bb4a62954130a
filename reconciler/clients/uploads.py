"""Request bodies that are read from files a piece at a time, so that memory does not grow with them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from reconciler.errors import Refused
from reconciler.files import open_regular

_CHUNK = 64 * 1024
_FILE_TYPES = {".csv": "text/csv", ".txt": "text/plain", ".zip": "application/zip"}


class StreamedBody:
    """A request body that is read while it is sent: `size` bytes exactly, from `chunks()`.

    Iterating raises BodyError when the source yields another number of bytes, before the last of them is sent, so that
    a file that changes meanwhile never arrives as if it were whole.
    """

    def __init__(self, size: int, chunks: Callable[[], Iterator[bytes]]) -> None:
        self.size = size
        self._chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        left = self.size
        held = b""
        for chunk in self._chunks():
            left -= len(chunk)
            if left < 0:
                raise BodyError("the file grew while it was being sent")
            if held:
                yield held
            held = chunk
        if left:
            raise BodyError("the file shrank while it was being sent")
        if held:
            yield held


class BodyError(Exception):
    """What was to be sent cannot be read to its end."""


def file_chunks(path: Path) -> Iterator[bytes]:
    """The bytes of a file, a piece at a time. Raises BodyError when it cannot be read."""
    try:
        with open_regular(path) as source:
            while chunk := source.read(_CHUNK):
                yield chunk
    except OSError as error:
        raise BodyError(f"{path}: {error.strerror or error}") from error


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file to upload: the name that the agent will know, and where its content is."""

    name: str
    path: Path


def file_body(path: Path) -> StreamedBody:
    """The bytes of one file as they are. Raises Refused when it cannot be read."""
    return StreamedBody(_size(path), lambda: file_chunks(path))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror or error}") from error


def multipart(files: Iterable[InputFile], boundary: str) -> StreamedBody:
    """`multipart/form-data` with one part a file, all under the documented field name."""
    parts = [(_part_head(file.name, boundary), file.path, _size(file.path)) for file in files]
    tail = f"--{boundary}--\r\n".encode()

    def chunks() -> Iterator[bytes]:
        for head, path, size in parts:
            yield head
            yield from StreamedBody(size, lambda path=path: file_chunks(path))  # type: ignore[misc]
            yield b"\r\n"
        yield tail

    return StreamedBody(sum(len(head) + size + 2 for head, _, size in parts) + len(tail), chunks)


def _part_head(name: str, boundary: str) -> bytes:
    quoted = name.replace("\r", "%0D").replace("\n", "%0A").replace('"', "%22")
    kind = _FILE_TYPES.get(Path(name).suffix.lower(), "application/octet-stream")
    return (
        f'--{boundary}\r\nContent-Disposition: form-data; name="filename"; filename="{quoted}"\r\n'
        f"Content-Type: {kind}\r\n\r\n"
    ).encode(errors="surrogateescape")
