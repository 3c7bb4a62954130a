"""What a call is made of: its request, the files that it carries, how often it is tried again, and the reply."""

from __future__ import annotations

import json
import random as randomness
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

from msgspec import Struct, field

from reconciler.clients.redaction import Redactor
from reconciler.clock import Clock
from reconciler.errors import Refused
from reconciler.files import open_regular

JSON_TYPE = "application/json"
_CHUNK = 64 * 1024
_FILE_TYPES = {".csv": "text/csv", ".txt": "text/plain", ".zip": "application/zip"}


class RetryPolicy(Struct, frozen=True):
    """How long to try. Waits double from `first_wait` to `longest_wait` seconds, each with full jitter.

    `tries` counts attempts of what is safe to repeat. `throttled_tries` counts attempts that met 429, which any call
    may repeat; `throttled_wait` is the fixed wait when 429 names none (None: the growing one). After `deadline`
    seconds no further attempt begins; each lasts no longer than the connection's timeout.
    """

    tries: int = 4
    first_wait: float = 0.5
    longest_wait: float = 20.0
    deadline: float = 120.0
    throttled_tries: int = 8
    throttled_wait: float | None = None


class SessionOptions(Struct, frozen=True, kw_only=True):
    """What the sessions of one run have in common.

    `redact` takes secrets out of a text. `interrupted`, once set, ends waiting: what is under way is finished, no
    attempt is repeated. `retry_policy` is other than the product's usual one. `before_write` is asked right before each
    attempt of a request that could change something; a LedgerError of its ends the call.
    """

    clock: Clock
    redact: Callable[[str], str] = field(default_factory=Redactor)
    interrupted: threading.Event = field(default_factory=threading.Event)
    retry_policy: RetryPolicy | None = None
    before_write: Callable[[], None] | None = None
    random: Callable[[], float] = randomness.random


class StreamedBody(Struct, frozen=True, eq=False):
    """A request body that is read while it is sent: `size` bytes exactly, from `chunks()`.

    Iterating raises BodyError when the source yields another number of bytes, before the last of them is sent, so that
    a file that changes meanwhile never arrives as if it were whole.
    """

    size: int
    chunks: Callable[[], Iterator[bytes]]

    def __iter__(self) -> Iterator[bytes]:
        left = self.size
        held = b""
        for chunk in self.chunks():
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


class Request(Struct, frozen=True):
    """One call. `path` starts with "/" and is quoted already (`segment`), as is `query` (`query_text`).

    `repeatable`: doing it twice is as good as once. `timeout` in seconds stands in for the connection's. `is_transfer`:
    what comes back may be large, and may take longer as long as it moves.
    """

    method: str
    path: str
    query: str = ""
    body: bytes | StreamedBody | None = None
    content_type: str = ""
    repeatable: bool = False
    timeout: float | None = None
    is_transfer: bool = False

    @classmethod
    def get(cls, path: str, query: Mapping[str, str | int | None] | None = None) -> Request:
        """A read, which may be repeated."""
        return cls("GET", path, query_text(query or {}), repeatable=True)

    @classmethod
    def post(cls, path: str, body: object = None, *, query: Mapping[str, str | int | None] | None = None) -> Request:
        """A change, with `body` as JSON; None is sent as no body at all."""
        raw = None if body is None else compact_json(body).encode("ascii")
        return cls("POST", path, query_text(query or {}), raw, "" if raw is None else JSON_TYPE)

    @property
    def is_read(self) -> bool:
        return self.method == "GET"


class Reply(Struct, frozen=True):
    """A 2xx answer: its body as received."""

    status: int
    content_type: str
    body: bytes

    def __repr__(self) -> str:
        return f"Reply({self.status}, {self.content_type!r}, {len(self.body)} bytes)"


def compact_json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def segment(value: str, what: str) -> str:
    """A value as one part of a path. Raises Refused for what would make another path of it."""
    text = value.strip()
    if not text or text in (".", ".."):
        raise Refused(f"{what} is {'empty' if not text else repr(text)}: nothing was asked of the product")
    return quote(text, safe="", errors="surrogatepass")


def query_text(values: Mapping[str, str | int | None]) -> str:
    """Keys and values as a query string, without those that are None. Spaces are %20; slashes stay readable."""
    pairs = ((key, value) for key, value in values.items() if value is not None)
    return "&".join(f"{quote(key)}={quote(str(value), safe='/', errors='surrogatepass')}" for key, value in pairs)


# --- files on their way, read a piece at a time, so that memory does not grow with them -----------------------------


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


class InputFile(Struct, frozen=True):
    """A file to upload: the name that the agent will know, and where its content is."""

    name: str
    path: Path


def _file_body(path: Path) -> StreamedBody:
    """The bytes of one file as they are. Raises Refused when it cannot be read."""
    try:
        return StreamedBody(path.stat().st_size, lambda: file_chunks(path))
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror or error}") from error


def file_request(path: str, file: InputFile) -> Request:
    """One file byte for byte, under its name. ACC's document sends plain CSV under the content type of JSON."""
    return Request("POST", path, query_text({"name": file.name}), _file_body(file.path), JSON_TYPE)


def multipart(path: str, files: Iterable[InputFile]) -> Request:
    """Files as `multipart/form-data` with one part a file, all under the documented field name."""
    boundary = uuid.uuid4().hex
    parts = [(_part_head(file.name, boundary), _file_body(file.path)) for file in files]
    tail = f"--{boundary}--\r\n".encode()

    def chunks() -> Iterator[bytes]:
        for head, content in parts:
            yield head
            yield from content
            yield b"\r\n"
        yield tail

    body = StreamedBody(sum(len(head) + content.size + 2 for head, content in parts) + len(tail), chunks)
    return Request("POST", path, body=body, content_type=f"multipart/form-data; boundary={boundary}")


def _part_head(name: str, boundary: str) -> bytes:
    quoted = name.replace("\r", "%0D").replace("\n", "%0A").replace('"', "%22")
    kind = _FILE_TYPES.get(Path(name).suffix.lower(), "application/octet-stream")
    return (
        f'--{boundary}\r\nContent-Disposition: form-data; name="filename"; filename="{quoted}"\r\n'
        f"Content-Type: {kind}\r\n\r\n"
    ).encode(errors="surrogateescape")
