"""Changes of the clock in a window, and the schedules that they move or may start twice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain, islice
from zoneinfo import ZoneInfo

from msgspec import Struct

from reconciler.calendar.job_starts import Job, JobStarts
from reconciler.timetable.runs import Repeats, iter_runs, repeats_of
from reconciler.timetable.wallclock import ClockChange, clock_changes


class ClockMark(Struct, frozen=True):
    """A change of a zone's clock in the window, and the schedules whose times it moves or folds (`notes`).

    `folds` says of a repeated hour how often each of them starts in it, by the three ways that schedulers have.
    """

    zone: str
    change: ClockChange
    notes: tuple[tuple[str, str], ...]
    folds: tuple[tuple[str, Repeats], ...]


def clock_marks_of(job_starts: JobStarts) -> tuple[ClockMark, ...]:
    """The clock changes of every zone that some job hangs on, with the jobs that they touch."""
    window = job_starts.window
    zones: dict[ZoneInfo, list[Job]] = defaultdict(list)
    for job in chain.from_iterable(job_starts.groups.values()):
        if job.timing.rules is not None:
            zones[job.timing.rules].append(job)
    begin = datetime.fromtimestamp(window.begin, UTC)
    found: list[ClockMark] = []
    for zone, jobs in zones.items():
        for change in clock_changes(zone, begin, (window.end - window.begin) // 86400 + 2):
            if window.begin <= change.instant < window.end:
                # The jobs that may start more often in a repeated hour than is predicted.
                folds = [(job.address, repeats) for job in jobs if (repeats := repeats_of(job.timing, change))]
                notes = sorted(_touched(jobs, change.instant))
                found.append(ClockMark(zone.key, change, tuple(notes), tuple(sorted(folds, key=lambda fold: fold[0]))))
    return tuple(sorted(found, key=lambda mark: (mark.change.instant, mark.zone)))


def _touched(jobs: Iterable[Job], instant: int) -> Iterator[tuple[str, str]]:
    """The jobs that a clock change moves to another time, or would run twice; at most one note for each."""
    begin = datetime.fromtimestamp(instant, UTC) - timedelta(hours=4)
    for job in jobs:
        expression = job.timing.expression
        if expression.is_interval and not expression.whole_days:
            continue
        for run in islice(iter_runs(job.timing, begin), 40_000):
            if run.note:
                yield job.address, run.note
                break
            if run.at - begin > timedelta(hours=8):
                break
