"""The schedules of a calendar, all their starts in a window of time, and who starts in one and the same second.

Equal timings are computed once.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TypeAlias

from msgspec import Struct

from reconciler.timetable.instants import starts_between
from reconciler.timetable.timing import Timing
from reconciler.timetable.wallclock import instant_of

QUARTER = 900
"""Seconds in a bucket. Every zone in use today keeps a whole number of quarter hours from UTC."""

THRESHOLD = 10
"""How many schedules in one second count as simultaneous starts, unless somebody says otherwise."""

_NAMED = 200
"""At most so many groups of simultaneous starts are named."""

Pattern: TypeAlias = tuple[object, ...]
"""What decides all starts in a window: schedules with equal patterns start at the same instants."""


class Job(Struct, frozen=True):
    """One schedule as the calendar sees it. `duration_seconds` is how long its runs take; None: not known."""

    address: str
    agent_path: str
    timing: Timing
    enabled: bool = True
    duration_seconds: int | None = None

    @property
    def duration_known(self) -> bool:
        return self.duration_seconds is not None


class Window(Struct, frozen=True):
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

    @cached_property
    def per_second(self) -> Counter[int]:
        """How many jobs start at each instant."""
        counts: Counter[int] = Counter()
        for pattern, jobs in self.groups.items():
            if len(jobs) == 1:
                counts.update(self.starts[pattern])
            else:
                for instant in self.starts[pattern]:
                    counts[instant] += len(jobs)
        return counts


class SimultaneousStarts(Struct, frozen=True):
    """Schedules that start in the same second, and the instants at which exactly these do."""

    members: tuple[str, ...]
    instants: tuple[int, ...]


def simultaneous_starts(job_starts: JobStarts, threshold: int) -> tuple[tuple[SimultaneousStarts, ...], int]:
    """Who starts together, `threshold` and more in one second: the largest groups first, and how many there are.

    A second that only even starts of less than a quarter hour share is found all the same: they differ in few phases,
    so there are few patterns of them.
    """
    sizes = job_starts.per_second
    crowded = {instant for instant, size in sizes.items() if size >= max(2, threshold)}
    groups = list(job_starts.groups.values())
    shared: dict[int, list[int]] = defaultdict(list)
    for number, pattern in enumerate(job_starts.groups):
        for instant in crowded.intersection(job_starts.starts[pattern]) if crowded else ():
            shared[instant].append(number)
    together: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for instant in sorted(crowded):
        together[tuple(shared[instant])].append(instant)
    order = sorted(together.items(), key=lambda group: (-sizes[group[1][0]], group[1][0]))
    found = (
        SimultaneousStarts(tuple(sorted(job.address for number in group for job in groups[number])), tuple(instants))
        for group, instants in order[:_NAMED]
    )
    return tuple(found), len(order)


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
