"""The one line of progress at the end of a terminal, drawn over itself, and out of the way of whatever else is printed.

Where there is no terminal, in the log of a CI job, nothing is drawn over: a line is said now and then, if nothing else
was.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from reconciler.clock import Clock

if TYPE_CHECKING:
    from io import TextIOBase

_BETWEEN = 0.2
"""Seconds between two drawings: nobody reads faster, and a terminal far away has to keep up."""

_WIDEST = 120
_NARROWEST = 10
_FOR_INTERRUPT = 3
"""Columns left free, so that neither the last one nor the `^C` of an interruption begins another line."""

HEARTBEAT = 20.0
"""Seconds of silence in a log after which a line says that it goes on."""


class LiveLine:
    """One line on stderr. Every method may be called from any thread.

    `is_live`: stderr is a terminal on which a line can be drawn over.
    """

    def __init__(self, clock: Clock, environ: Mapping[str, str]) -> None:
        self._clock = clock
        self._environ = environ
        self._lock = threading.RLock()
        self._text = ""
        self._drawn = 0
        self._next = float("-inf")
        self._said = clock.monotonic()
        self._held = False

    @property
    def is_live(self) -> bool:
        return sys.stderr.isatty() and self._environ.get("TERM") not in ("dumb", "unknown")

    def show(self, live: Callable[[float], str], log: Callable[[float], str]) -> None:
        """Draw what `live` says of this moment; in a log say what `log` says, after a long silence. "" is nothing."""
        from reconciler.render.characters import neutral

        with self._lock:
            now = self._clock.monotonic()
            if self._held:
                return
            if self.is_live:
                if now >= self._next:
                    self._next = now + _BETWEEN
                    self._draw(live(now))
            elif now - self._said >= HEARTBEAT and (text := log(now)):
                self._said = now
                click.echo(neutral(text), err=True)

    def clear(self) -> None:
        """Leave the line empty, as if nothing had been drawn."""
        with self._lock:
            if self._drawn:
                self._write(self._erasing())
                self._drawn = 0
                self._next = float("-inf")

    @contextmanager
    def aside(self) -> Iterator[None]:
        """While something else is printed: the line is gone, and nobody draws it again meanwhile."""
        with self._lock:
            self.clear()
            self._said = self._clock.monotonic()
            yield

    @contextmanager
    def held(self) -> Iterator[None]:
        """While a person is asked something: nothing is drawn."""
        with self._lock:
            self.clear()
            self._held = True
        try:
            yield
        finally:
            self._held = False

    def _draw(self, text: str) -> None:
        from reconciler.render.characters import columns, cut, neutral

        width = min(self._columns() - _FOR_INTERRUPT, _WIDEST)
        shown = cut(neutral(text, sys.stderr.encoding or "utf-8"), width, "...") if width >= _NARROWEST else ""
        if shown != self._text or columns(shown) != self._drawn:
            self._write(self._erasing() + shown)
            self._text, self._drawn = shown, columns(shown)

    def _erasing(self) -> str:
        """What takes away the line that was drawn, however many rows it fills since the terminal became narrower.

        Terminals of today wrap again what does not fit; on one that cuts it off, the row above goes with it. What
        matters of that is told again at the end.
        """
        rows = -(-self._drawn // max(self._columns(), 1))
        return f"\x1b[{rows - 1}A\r\x1b[J" if rows > 1 else "\r\x1b[K" if self._drawn else ""

    def _columns(self) -> int:
        try:
            return os.get_terminal_size(sys.stderr.fileno()).columns or 80
        except (OSError, ValueError):
            return 80

    def _write(self, text: str) -> None:
        stream: TextIOBase = sys.stderr  # type: ignore[assignment]
        stream.write(text)
        stream.flush()


class ReadingProgress:
    """How far a reading is: drawn once it takes over a second, with its rate and what is left of it."""

    def __init__(self, line: LiveLine, clock: Clock) -> None:
        self._line = line
        self._clock = clock
        self._began: dict[str, tuple[float, int]] = {}

    def __call__(self, stage: str, done: int, total: int) -> None:
        """So much of a stage is done. A stage that begins anew counts anew."""
        now = self._clock.monotonic()
        began, at = self._began.setdefault(stage, (now, done))
        if done < at:
            began, at = self._began[stage] = now, done
        if done >= total:
            self._line.clear()
        elif now - began >= 1:
            text = self._stage_text(stage, done, total, (done - at) / (now - began))
            self._line.show(lambda _: text, lambda _: f"still {text}")

    def _stage_text(self, stage: str, done: int, total: int, per_second: float) -> str:
        from reconciler.quantities import rate_text, span_text

        pace = f", {rate_text(per_second)}, about {span_text((total - done) / per_second)} left" if per_second else ""
        return f"{stage} {done:,}/{total:,}{pace}"
