"""The clock that tests pass in: it starts where a test run says, and no wait on it takes any time."""

from __future__ import annotations

import os
import threading
from datetime import UTC, datetime, timedelta

from reconciler.clock import Clock

BEGIN = datetime.fromisoformat(os.environ.get("TESTS_BEGIN", "2026-11-24T09:07:13+00:00")).astimezone(UTC)
"""When it is, as a test begins. `.ci/run` sets others: another year, just before a full hour, just before midnight."""


class SkippingClock(Clock):
    """Goes at the machine's pace from `start` on, and jumps ahead where somebody would wait.

    The products and the program share one, so that a run of an hour is over when a wait of an hour is. Waits at one
    time overlap, as they would in truth. A wait lets go of the processor, so that other threads get their turn.
    """

    def __init__(self, start: datetime = BEGIN) -> None:
        super().__init__(start)
        self._skipped = 0.0
        self._lock = threading.Lock()

    def __call__(self) -> datetime:
        return super().__call__() + timedelta(seconds=self._skipped)

    def monotonic(self) -> float:
        return super().monotonic() + self._skipped

    def wait(self, event: threading.Event, seconds: float) -> bool:
        until = self.monotonic() + seconds
        if event.wait(0.001):
            return True
        with self._lock:
            self._skipped += max(0.0, until - self.monotonic())
        return False

    def skip(self, span: timedelta) -> None:
        """Let time pass."""
        with self._lock:
            self._skipped += span.total_seconds()
