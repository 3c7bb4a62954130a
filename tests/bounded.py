"""For tests of what must not grow without bound: how much work something is, and an end to what would never end."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

GROWTH = 2.5
"""At most so many times the work for twice the size: linear, with some room for sorting and for what is done once."""


def work_of(function: Callable[[], object]) -> int:
    """How many steps of the interpreter something takes, in all threads: the same on every machine at every hour."""
    steps = 0

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal steps
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        steps += event == "opcode"
        return trace

    before = sys.gettrace()
    threading.settrace(trace)
    sys.settrace(trace)
    try:
        function()
    finally:
        sys.settrace(before)
        threading.settrace(before)
    return steps


def growth(measure: Callable[[int], Callable[[], object]], size: int) -> float:
    """How many times the work of `size` things two times as many take. `measure(size)` makes what is to be done."""
    # What is imported or remembered once does not count; and Python 3.12 sees no steps the first time.
    work_of(measure(max(size // 10, 1)))
    once = work_of(measure(size))
    return work_of(measure(2 * size)) / once


@contextmanager
def ends_within(seconds: float) -> Iterator[None]:
    """Fail, instead of waiting for ever, when something does not end."""

    def ring(number: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"it did not end within {seconds} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
