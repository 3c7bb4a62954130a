"""The load of a window: starts and running time by the quarter hour, and the busiest quarters.

All of it is predicted from the timings alone.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import pairwise

from msgspec import Struct

from reconciler.calendar.clock_marks import ClockMark, clock_marks_of
from reconciler.calendar.job_starts import QUARTER, JobStarts, SimultaneousStarts, Window, simultaneous_starts
from reconciler.timetable.instants import count_between, starts_between

_PEAKS = 8
_COMPARED = 2_000_000
"""At most so many pairs of a pattern and a quarter hour are looked at to name who makes a peak."""


class Peak(Struct, frozen=True):
    """A busy quarter hour: the instants at which it begins (the same members each time), and how often each starts."""

    begins: tuple[int, ...]
    starts: int
    members: tuple[tuple[str, int], ...]


class Load(Struct, frozen=True):
    """What is going on in a window, by the quarter hour.

    `starts[n]` counts the starts of quarter n, `busy[n]` the seconds that runs of known duration take in it, as if
    nothing ever waited; `busy` is None where no duration is known. `simultaneous` are the largest of
    `simultaneous_count` groups of schedules.
    """

    window: Window
    starts: tuple[int, ...]
    busy: tuple[int, ...] | None
    peaks: tuple[Peak, ...]
    simultaneous: tuple[SimultaneousStarts, ...]
    simultaneous_count: int
    clock_marks: tuple[ClockMark, ...]

    @property
    def total(self) -> int:
        return sum(self.starts)

    @property
    def most_starts(self) -> int:
        """The starts of the busiest quarter hour."""
        return max(self.starts, default=0)


def load_of(job_starts: JobStarts, *, threshold: int) -> Load:
    """Starts, load, peaks and clock changes; simultaneous starts are those of `threshold` and more in one second."""
    window = job_starts.window
    counts = [0] * window.quarters
    for instant, number in job_starts.per_second.items():
        counts[(instant - window.begin) // QUARTER] += number
    return Load(
        window,
        tuple(counts),
        _busy(job_starts),
        _peaks(job_starts, counts),
        *simultaneous_starts(job_starts, threshold),
        clock_marks_of(job_starts),
    )


def _busy(job_starts: JobStarts) -> tuple[int, ...] | None:
    """The run seconds in each quarter, of all jobs whose duration is known. Runs that began before the window count."""
    begin, end = job_starts.window.begin, job_starts.window.end
    # By how much the number of runs under way changes, at the instants at which it does and where a quarter begins.
    changes = defaultdict(int, dict.fromkeys(range(begin, end + 1, QUARTER), 0))
    is_known = False
    for members in job_starts.groups.values():
        durations = Counter(max(1, job.duration_seconds) for job in members if job.duration_seconds is not None)
        for duration, weight in durations.items():
            is_known = True
            for start in starts_between(members[0].timing, begin - duration + 1, end):
                changes[start] += weight
                changes[start + duration] -= weight
    busy = [0] * job_starts.window.quarters
    running = 0
    for instant, after in pairwise(sorted(changes)):
        running += changes[instant]
        if begin <= instant < end:
            busy[(instant - begin) // QUARTER] += running * (after - instant)
    return tuple(busy) if is_known else None


def _peaks(job_starts: JobStarts, counts: Sequence[int]) -> tuple[Peak, ...]:
    """The busiest quarter hours, those with the same members taken together; none where all are alike."""
    window = job_starts.window
    hot = _hottest(counts, len(job_starts.groups))
    members: dict[int, list[tuple[str, int]]] = {quarter: [] for quarter in hot}
    for pattern, jobs in job_starts.groups.items():
        starts = job_starts.starts[pattern]
        for quarter in hot:
            begin = window.begin + quarter * QUARTER
            if number := count_between(starts, begin, begin + QUARTER):
                members[quarter].extend((job.address, number) for job in jobs)
    together: dict[tuple[tuple[str, int], ...], list[int]] = defaultdict(list)
    for quarter in sorted(hot):
        together[tuple(sorted(members[quarter]))].append(window.begin + quarter * QUARTER)
    found = [Peak(tuple(begins), sum(number for _, number in names), names) for names, begins in together.items()]
    return tuple(sorted(found, key=lambda peak: (-peak.starts, peak.begins))[:_PEAKS])


def _hottest(counts: Sequence[int], patterns: int) -> Sequence[int]:
    """The busiest quarters, cut where the counts change: half of what is alike would name half of the days."""
    order = sorted(filter(counts.__getitem__, range(len(counts))), key=counts.__getitem__, reverse=True)
    limit = _PEAKS * 20
    if len(order) <= limit:
        return order
    border = counts[order[limit]]
    busier = [quarter for quarter in order[:limit] if counts[quarter] > border]
    alike = [quarter for quarter in order if counts[quarter] == border]
    return busier or (alike if len(alike) * patterns <= _COMPARED else order[:limit])
