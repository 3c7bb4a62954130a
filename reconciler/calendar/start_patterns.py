"""Starts written shortly: what repeats by the hour and by the day is said once, so that a page can hold thousands."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import TypeAlias

from reconciler.calendar.job_starts import Window

_HOUR = 3600
_DAY = 86400

CompactStarts: TypeAlias = list[int] | list[tuple[str, str, int]]
"""Either `[first, step, count]`, or parts (days, hours, template): what a template says happens in each of these hours
of each of these days. Hours and days are counted from the window's begin and written as bits, in hexadecimal."""

Template: TypeAlias = tuple[int, ...]
"""Starts within an hour, as runs of evenly spaced ones: first second, step, count, and so on."""


class StartPatterns:
    """The patterns of a window's starts, each written once, and the templates that they share."""

    def __init__(self, window: Window) -> None:
        self.patterns: list[CompactStarts] = []
        self._window = window
        self._templates: dict[Template, int] = {}
        self._known: dict[object, int] = {}

    @property
    def templates(self) -> list[Template]:
        return list(self._templates)

    def number_of(self, starts: Sequence[int]) -> int:
        """The number of the pattern that says these starts, which rise and lie in the window."""
        key = starts if isinstance(starts, range) else tuple(starts)
        if key not in self._known:
            self._known[key] = len(self.patterns)
            self.patterns.append(self._pattern(starts))
        return self._known[key]

    def _pattern(self, starts: Sequence[int]) -> CompactStarts:
        begin = self._window.begin
        if isinstance(starts, range):
            return [starts.start - begin, starts.step, len(starts)]
        hours: dict[int, list[int]] = defaultdict(list)
        for start in starts:
            hours[(start - begin) // _HOUR].append((start - begin) % _HOUR)
        of_day: dict[int, dict[int, int]] = defaultdict(lambda: defaultdict(int))
        for hour, seconds in hours.items():
            template = tuple(_runs(seconds))
            number = self._templates.setdefault(template, len(self._templates))
            of_day[hour // 24][number] |= 1 << hour % 24
        days: dict[tuple[int, int], int] = defaultdict(int)
        for day, found in of_day.items():
            for number, bits in found.items():
                days[bits, number] |= 1 << day
        return [(f"{day:x}", f"{hour:x}", number) for (hour, number), day in days.items()]


def _runs(seconds: Sequence[int]) -> Iterator[int]:
    """Rising numbers as runs of evenly spaced ones, the longest that begin at each."""
    at = 0
    while at < len(seconds):
        end = at + 1
        step = seconds[end] - seconds[at] if end < len(seconds) else 1
        while end < len(seconds) and seconds[end] - seconds[end - 1] == step:
            end += 1
        yield from (seconds[at], step, end - at)
        at = end
