"""Standard output and standard error that do not break what is being done: a full disk, a reader who went away.

Neither is a reason to stop half-way, so no write raises. What could not be written is told at the end.
"""

from __future__ import annotations

import io
import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO


class Sink(io.RawIOBase):
    """Writes to a descriptor until that fails, and then to nowhere. `trouble` is how it failed."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor
        self.trouble: OSError | None = None

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def isatty(self) -> bool:
        return os.isatty(self._descriptor)

    def write(self, data: object) -> int:
        content = memoryview(data).cast("B")  # type: ignore[arg-type]  # a BufferedWriter hands over nothing but bytes
        while self.trouble is None:
            try:
                return os.write(self._descriptor, content)
            except BlockingIOError:  # whoever started us made the pipe so; it has to take its time
                select.select([], [self._descriptor], [])
            except OSError as error:
                self.trouble = error
        return len(content)


@contextmanager
def guarded() -> Iterator[Sink | None]:
    """Put such streams in the place of the process's own, while it lasts; the one of stdout is handed out.

    A stream that is closed altogether is one to nowhere. One that somebody put there, as a test does, is left alone.
    """
    before = sys.stdout, sys.stderr
    out = _guard(sys.__stdout__) if sys.stdout is sys.__stdout__ else None
    err = _guard(sys.__stderr__) if sys.stderr is sys.__stderr__ else None
    sys.stdout, sys.stderr = out or sys.stdout, err or sys.stderr
    try:
        yield out.buffer.raw if out is not None else None  # type: ignore[attr-defined]
    finally:
        for stream in (out, err):
            if stream is not None:
                stream.flush()
        sys.stdout, sys.stderr = before


def _guard(stream: TextIO | None) -> io.TextIOWrapper:
    if stream is None:
        return io.TextIOWrapper(io.BufferedWriter(Sink(os.open(os.devnull, os.O_WRONLY))), "utf-8")
    sink = Sink(stream.fileno())
    return io.TextIOWrapper(
        io.BufferedWriter(sink), stream.encoding, "backslashreplace", line_buffering=sink.isatty(), write_through=False
    )
