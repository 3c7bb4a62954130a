"""Request bodies that are read from files a piece at a time, so that memory does not grow with them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from reconciler.clients import wire
from reconciler.clients.wire import StreamedBody
from reconciler.errors import Refused

_FILE_TYPES = {".csv": "text/csv", ".txt": "text/plain", ".zip": "application/zip"}


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file to upload: the name that the agent will know, and where its content is."""

    name: str
    path: Path


def file_body(path: Path) -> StreamedBody:
    """The bytes of one file as they are. Raises Refused when it cannot be read."""
    return StreamedBody(_size(path), lambda: wire.file_chunks(path))


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
            yield from StreamedBody(size, lambda path=path: wire.file_chunks(path))  # type: ignore[misc]
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
