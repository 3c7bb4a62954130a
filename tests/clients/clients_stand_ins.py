"""Time, chance and a credential that a test holds in its hand."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

from reconciler.clients.auth import BearerToken
from reconciler.clients.redaction import Redactor
from reconciler.clients.transport import Authorise, Patience, Session
from reconciler.model import Connection

TOKEN = "a-token-of-the-tests-4711"


@dataclass
class Time:
    """A clock that moves only by sleeping."""

    at: float = 0.0
    slept: list[float] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def clock(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        with self.lock:
            self.slept.append(seconds)
            self.at += seconds


def session(
    url: str,
    *,
    time: Time | None = None,
    authorise: Authorise | None = None,
    secrets: tuple[str, ...] = (),
    patience: Patience | None = None,
    interrupted: threading.Event | None = None,
    **settings: Any,
) -> Session:
    time = time or Time()
    return Session(
        Connection("acc", url, {}, **settings),
        authorise=authorise or BearerToken(TOKEN),
        redact=Redactor(secrets),
        clock=time.clock,
        sleep=time.sleep,
        random=lambda: 1.0,
        patience=patience,
        interrupted=interrupted,
    )
