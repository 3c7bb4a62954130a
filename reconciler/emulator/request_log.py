"""What was asked of the emulator, in order: in memory for tests, and as JSON lines for people. Never a token."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TextIO

from reconciler.model.state import JSON

_KEPT = 500_000


@dataclass(frozen=True, slots=True)
class Request:
    """One request. `status` 0: the connection was closed instead. `effect` is what it changed, "" for nothing;
    `fault` the fault that struck; `ms` the time until the reply was ready; `body_digest` "" when there was no body."""

    number: int
    at: datetime
    method: str
    path: str
    query: str
    status: int
    effect: str
    fault: str
    ms: float
    body_size: int
    body_digest: str

    @property
    def target(self) -> str:
        return f"{self.path}?{self.query}" if self.query else self.path

    def document(self) -> dict[str, JSON]:
        """The line in the log."""
        fields = asdict(self)
        return {"time": fields.pop("at").isoformat(), **fields, "ms": round(self.ms, 3)}


class RequestLog:
    """Keeps requests (the latest half a million), and writes each to a file when there is one."""

    def __init__(self, path: Path | None = None) -> None:
        self.kept: deque[Request] = deque(maxlen=_KEPT)
        self._path = path
        self._file: TextIO | None = None

    def open(self) -> None:
        if self._path is not None:
            self._file = self._path.open("a", encoding="utf-8", buffering=1)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def add(self, request: Request) -> None:
        self.kept.append(request)
        if self._file is not None:
            self._file.write(json.dumps(request.document(), ensure_ascii=False) + "\n")
