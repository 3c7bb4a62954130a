"""The thread that tells of an apply while it runs: what ends on stderr, every event in the file of `--events`.

Events queue up for it, so that nobody who works for a product waits for a terminal.
"""

from __future__ import annotations

import json
import os
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO

from reconciler.cli.session import Session, complain
from reconciler.errors import UsageError
from reconciler.model.outcome import ApplyEvent, Began, Outcome

if TYPE_CHECKING:
    from reconciler.render.text.apply_telling import ApplyTelling

_TICK = 0.2
"""Seconds after which the line is drawn anew where nothing happens: how long something is waited for goes on."""


@contextmanager
def telling(session: Session, events: Path | None) -> Iterator[Callable[[ApplyEvent], None]]:
    """Tell of an apply while the block lasts; what comes out takes its events, from any thread. Raises UsageError."""
    queue: SimpleQueue[ApplyEvent | None] = SimpleQueue()
    with EventFile(session, events) as file:
        teller = threading.Thread(target=_tell_all, args=(session, queue, file), name="teller")
        teller.start()
        try:
            yield queue.put
        finally:
            queue.put(None)
            teller.join()


def _tell_all(session: Session, queue: SimpleQueue[ApplyEvent | None], file: EventFile) -> None:
    from reconciler.render.text.apply_telling import ApplyTelling

    told = ApplyTelling(session.log_screen, verbose=session.verbose)
    while True:
        try:
            event = queue.get(timeout=_TICK)
        except Empty:
            _show(session, told)
            continue
        if event is None:
            break
        try:
            if isinstance(event, Began | Outcome):
                file.add(event)
            for line in told.hear(event, session.clock.monotonic()):
                session.say(line)
            _show(session, told)
        except Exception as error:  # whatever cannot be worded, the apply goes on and is told of at its end
            session.is_unwritten = True
            complain(error, verbose=session.verbose)
    session.line.clear()
    for line in told.rest():
        session.say(line)


def _show(session: Session, told: ApplyTelling) -> None:
    is_interrupted = session.stop.is_set()
    session.line.show(
        lambda now: told.live_text(now, is_interrupted=is_interrupted),
        lambda now: told.heartbeat(now, is_interrupted=is_interrupted),
    )


class EventFile:
    """Events, appended. A file that can no longer be written ends them, said once, and never the apply."""

    def __init__(self, session: Session, path: Path | None) -> None:
        self._session = session
        self._path = path
        self._file: BinaryIO | None = None

    def __enter__(self) -> EventFile:
        """Open it, before anything is done. Raises UsageError."""
        if self._path is not None:
            try:
                self._file = self._path.open("ab", buffering=0)
            except OSError as error:
                hint = "give --events a file in a folder that is there and may be written"
                raise UsageError(f"{self._path} cannot be written: {error.strerror}", hint=hint) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, event: Began | Outcome) -> None:
        """Write one event, whole or not at all."""
        if self._file is None:
            return
        from reconciler.render import json_

        line = json.dumps(json_.event_object(event), ensure_ascii=False) + "\n"
        content = line.encode("utf-8", "backslashreplace")
        written = 0
        try:
            while written < len(content):
                written += self._file.write(content[written:]) or 0
        except OSError as error:
            self._end(error, written)

    def _end(self, error: OSError, written: int) -> None:
        file, self._file = self._file, None
        assert file is not None
        assert self._path is not None
        try:
            status = os.fstat(file.fileno())
            if written and stat.S_ISREG(status.st_mode):
                file.truncate(status.st_size - written)
            file.close()
        except OSError:
            pass  # it is full or gone: half a line stays
        self._session.fail_to_write(self._path, error, more=". The apply goes on; no more events are written")
