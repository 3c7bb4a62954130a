"""Limits on what is sent: a rate limiter, and a circuit breaker for a product that does not answer."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

_OPEN_SECONDS = 5.0


class RateLimiter:
    """How many requests may be under way, and how many a second may begin; shared by all threads of a session.

    `concurrency` requests may be under way; `rate` a second may begin, evenly spaced (None: no limit). A product that
    asks for a pause is given it by everybody (`hold`).
    """

    def __init__(
        self, *, concurrency: int, rate: float | None, clock: Callable[[], float], sleep: Callable[[float], object]
    ) -> None:
        self._places = threading.BoundedSemaphore(max(1, concurrency))
        self._interval = 1.0 / rate if rate else 0.0
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._next_start = float("-inf")
        self._held_until = float("-inf")

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Wait until a request may begin; it is under way while the block lasts."""
        with self._places:
            if self._interval or self._held_until > float("-inf"):
                self._wait_for_moment()
            yield

    def hold(self, seconds: float) -> None:
        """Let nobody begin for so long."""
        with self._lock:
            self._held_until = max(self._held_until, self._clock() + seconds)

    def _wait_for_moment(self) -> None:
        with self._lock:
            now = self._clock()
            start = max(now, self._next_start, self._held_until)
            self._next_start = start + self._interval
        if start > now:
            self._sleep(start - now)


@dataclass
class CircuitBreaker:
    """Counts the calls in a row that nobody answered: `enough` of them open it for a moment, and nothing is sent."""

    enough: int
    clock: Callable[[], float]
    calls: int = 0
    _open_until: float = float("-inf")

    def record_failure(self) -> None:
        self.calls += 1
        if self.calls >= self.enough:
            self._open_until = self.clock() + _OPEN_SECONDS

    def record_answer(self) -> None:
        self.calls = 0

    def is_open(self) -> bool:
        return self.clock() < self._open_until
