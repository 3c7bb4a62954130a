"""Time, chance and a credential that a test holds in its hand."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from reconciler.clients.auth import BearerToken, Credential
from reconciler.clients.calls import RetryPolicy, SessionOptions
from reconciler.clients.redaction import Redactor
from reconciler.clients.transport import Session
from reconciler.clock import Clock
from reconciler.model.project import Connection

BEGIN = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
TOKEN = "a-token-of-the-tests-4711"


@dataclass
class Time(Clock):
    """A clock that moves only by waiting."""

    at: float = 0.0
    slept: list[float] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self) -> datetime:
        return BEGIN + timedelta(seconds=self.at)

    def monotonic(self) -> float:
        return self.at

    def wait(self, event: threading.Event, seconds: float) -> bool:
        with self.lock:
            self.slept.append(seconds)
            self.at += seconds
        return event.is_set()


def session(
    url: str,
    *,
    time: Time | None = None,
    credential: Credential | None = None,
    secrets: tuple[str, ...] = (),
    retry_policy: RetryPolicy | None = None,
    interrupted: threading.Event | None = None,
    **settings: Any,
) -> Session:
    time = time or Time()
    options = SessionOptions(
        clock=time,
        redact=Redactor(secrets),
        random=lambda: 1.0,
        retry_policy=retry_policy,
        interrupted=interrupted or threading.Event(),
    )
    return Session(Connection("acc", url, {}, **settings), options, credential=credential or BearerToken(TOKEN))
