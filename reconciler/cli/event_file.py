"""The file of `--events`: one JSON object a line, while an apply goes on."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from reconciler.cli.session import Session
from reconciler.errors import UsageError
from reconciler.model import Began, Outcome


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
