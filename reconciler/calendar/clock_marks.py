"""Changes of the clock in a window, and the schedules that they move or may start twice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice

from reconciler.calendar.job_starts import Job, JobStarts
from reconciler.timetable.repeats import Repeats, repeats_of
from reconciler.timetable.runs import iter_runs
from reconciler.timetable.wallclock import ClockChange, clock_changes


@dataclass(frozen=True, slots=True)
class ClockMark:
    """A change of a zone's clock in the window, and the schedules whose times it moves or folds (`notes`).

    `folds` says of a repeated hour how often each of them starts in it, by the three ways that schedulers have.
    """

    zone: str
    instant: int
    begin: datetime
    end: datetime
    repeats: bool
    notes: tuple[tuple[str, str], ...] = ()
    folds: tuple[tuple[str, Repeats], ...] = ()

    @property
    def repeated(self) -> Repeats:
        """The starts of all of them together."""
        return sum((found for _, found in self.folds), Repeats(0, 0, 0))


def clock_marks_of(job_starts: JobStarts) -> tuple[ClockMark, ...]:
    """The clock changes of every zone that some job hangs on, with the jobs that they touch."""
    window = job_starts.window
    zones: dict[str, list[Job]] = defaultdict(list)
    for jobs in job_starts.groups.values():
        for job in jobs:
            if job.timing.rules is not None:
                zones[job.timing.rules.key].append(job)
    begin = datetime.fromtimestamp(window.begin, UTC)
    days = (window.end - window.begin) // 86400 + 2
    found: list[ClockMark] = []
    for name, jobs in sorted(zones.items()):
        rules = jobs[0].timing.rules
        assert rules is not None
        for change in clock_changes(rules, begin, days):
            if window.begin <= change.instant < window.end:
                notes = tuple(sorted(_touched(jobs, change.instant)))
                folds = tuple(sorted(_folded(jobs, change), key=lambda fold: fold[0]))
                mark = ClockMark(name, change.instant, change.begin, change.end, change.repeats, notes, folds)
                found.append(mark)
    return tuple(sorted(found, key=lambda mark: (mark.instant, mark.zone)))


def _folded(jobs: Iterable[Job], change: ClockChange) -> Iterator[tuple[str, Repeats]]:
    """The jobs that may start more often in a repeated hour than is predicted."""
    for job in jobs:
        found = repeats_of(job.timing, change)
        if found is not None:
            yield job.address, found


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
