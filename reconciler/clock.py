"""Where time comes from. One clock enters through `main()`; nothing else asks the machine what time it is."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Final


class Clock:
    """The time of day (aware, UTC) by calling it, seconds that only grow, and a wait that an event ends.

    `start` is the moment it shows when it is made; from there it keeps the machine's pace. None: the machine's clock.
    """

    def __init__(self, start: datetime | None = None) -> None:
        self._ahead = timedelta() if start is None else start - datetime.now(UTC)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def monotonic(self) -> float:
        return time.monotonic()

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Wait so many seconds, or until the event is set; whether it is."""
        return event.wait(seconds)


MACHINE: Final = Clock()
"""The machine's clock."""


def at_text(moment: datetime) -> str:
    """RFC 3339 in UTC with whole seconds, the one form of time in documents and in the ledger."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
