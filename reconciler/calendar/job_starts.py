"""The schedules of a calendar, and all their starts in a window of time; equal timings are computed once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from reconciler.timetable.instants import starts_between
from reconciler.timetable.timing import Timing
from reconciler.timetable.wallclock import instant_of

QUARTER = 900
"""Seconds in a bucket. Every zone in use today keeps a whole number of quarter hours from UTC."""

Pattern: TypeAlias = tuple[object, ...]
"""What decides all starts in a window: schedules with equal patterns start at the same instants."""


@dataclass(frozen=True, slots=True)
class Job:
    """One schedule as the calendar sees it. `duration_seconds` is how long its runs take; None: not known."""

    address: str
    agent_path: str
    timing: Timing
    enabled: bool = True
    duration_seconds: int | None = None

    @property
    def duration_known(self) -> bool:
        return self.duration_seconds is not None


@dataclass(frozen=True, slots=True)
class Window:
    """From `begin` up to, but not including, `end`: seconds since 1970, both at a full quarter of an hour."""

    begin: int
    end: int

    @property
    def quarters(self) -> int:
        return (self.end - self.begin) // QUARTER


class JobStarts:
    """The starts of all enabled jobs in a window, computed once for each pattern."""

    def __init__(self, jobs: Iterable[Job], window: Window) -> None:
        self.window = window
        self.groups: dict[Pattern, list[Job]] = defaultdict(list)
        for job in jobs:
            if job.enabled:
                self.groups[pattern_of(job.timing, window)].append(job)
        self.starts: dict[Pattern, Sequence[int]] = {
            pattern: starts_between(members[0].timing, window.begin, window.end)
            for pattern, members in self.groups.items()
        }

    def of(self, job: Job) -> Sequence[int]:
        """The starts of one of the jobs."""
        return self.starts[pattern_of(job.timing, self.window)]


def pattern_of(timing: Timing, window: Window) -> Pattern:
    """What decides all starts of a timing in a window. A start that has passed makes no difference to cron."""
    zone = timing.rules
    if zone is None:
        return ("nothing is predicted",)
    expression = timing.expression
    start = instant_of(timing.start, zone)[0]
    if expression.whole_days:
        return expression.text, zone.key, timing.start
    if expression.interval is not None:
        return int(expression.interval.total_seconds()), start
    return expression, zone.key, max(start, window.begin)
