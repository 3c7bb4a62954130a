"""The load of a window: starts and running time by the quarter hour, and the busiest quarters.

All of it is predicted from the timings alone.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from reconciler.calendar.clock_marks import ClockMark, clock_marks_of
from reconciler.calendar.job_starts import QUARTER, JobStarts, Pattern, Window
from reconciler.calendar.simultaneous_starts import THRESHOLD, SimultaneousStarts, simultaneous_starts
from reconciler.timetable.instants import count_between, starts_between
from reconciler.timetable.timing import Timing

_COMPARED = 2_000_000
"""At most so many pairs of a pattern and a quarter hour are looked at to name who makes a peak."""


@dataclass(frozen=True, slots=True)
class Peak:
    """A busy quarter hour: the instants at which it begins (the same members each time), and how often each starts."""

    begins: tuple[int, ...]
    starts: int
    members: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Load:
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
    per_job: Mapping[str, int]

    @property
    def total(self) -> int:
        return sum(self.starts)


def load_of(job_starts: JobStarts, *, threshold: int = THRESHOLD, peaks: int = 8) -> Load:
    """Starts, load, peaks and clock changes; simultaneous starts are those of `threshold` and more in one second."""
    window = job_starts.window
    counts = [0] * window.quarters
    for pattern, members in job_starts.groups.items():
        for quarter, number in _by_quarter(job_starts.starts[pattern], window):
            counts[quarter] += number * len(members)
    simultaneous, simultaneous_count = simultaneous_starts(job_starts, threshold)
    per_job = {
        job.address: len(job_starts.starts[pattern]) for pattern, group in job_starts.groups.items() for job in group
    }
    return Load(
        window=window,
        starts=tuple(counts),
        busy=_busy(job_starts),
        peaks=_peaks(job_starts, counts, peaks),
        simultaneous=simultaneous,
        simultaneous_count=simultaneous_count,
        clock_marks=clock_marks_of(job_starts),
        per_job=dict(sorted(per_job.items())),
    )


def _by_quarter(starts: Sequence[int], window: Window) -> Iterator[tuple[int, int]]:
    """How many of the starts lie in which quarter; dense ranges are divided, not walked."""
    if isinstance(starts, range) and starts and starts.step < QUARTER:
        first, step = starts.start, starts.step
        counted, length = 0, len(starts)
        for quarter in range((first - window.begin) // QUARTER, window.quarters):
            until = min(length, (window.begin + (quarter + 1) * QUARTER - first + step - 1) // step)
            yield quarter, until - counted
            counted = until
        return
    begin = window.begin
    if len(starts) <= window.quarters:
        for instant in starts:
            yield (instant - begin) // QUARTER, 1
        return
    yield from Counter((instant - begin) // QUARTER for instant in starts).items()


# --- load ------------------------------------------------------------------------------------------------------------


def _busy(job_starts: JobStarts) -> tuple[int, ...] | None:
    """The run seconds in each quarter, of all jobs whose duration is known. Runs that began before the window count."""
    window = job_starts.window
    weights: Counter[tuple[Pattern, int]] = Counter()
    timings: dict[Pattern, Timing] = {}
    for pattern, members in job_starts.groups.items():
        timings[pattern] = members[0].timing
        for job in members:
            if job.duration_seconds is not None:
                weights[pattern, max(1, job.duration_seconds)] += 1
    if not weights:
        return None
    busy = [0] * (window.quarters + 1)
    whole = [0] * (window.quarters + 2)
    for (pattern, duration), weight in weights.items():
        starts = starts_between(timings[pattern], window.begin - duration + 1, window.end)
        if isinstance(starts, range) and starts and starts.step < QUARTER:
            _add_dense(busy, starts, duration, weight, window)
        else:
            for instant in starts:
                _add_run(busy, whole, (instant - window.begin, instant - window.begin + duration), weight)
    running = 0
    for quarter in range(window.quarters):
        running += whole[quarter]
        busy[quarter] += running * QUARTER
    return tuple(busy[: window.quarters])


def _add_run(busy: list[int], whole: list[int], run: tuple[int, int], weight: int) -> None:
    """Add one run: seconds to the quarters at its ends, and a mark where whole quarters begin and end."""
    limit = (len(busy) - 1) * QUARTER
    begin, end = max(0, run[0]), min(run[1], limit)
    if begin >= end:
        return
    first, last = begin // QUARTER, end // QUARTER
    if first == last:
        busy[first] += (end - begin) * weight
        return
    busy[first] += ((first + 1) * QUARTER - begin) * weight
    busy[last] += (end - last * QUARTER) * weight
    whole[first + 1] += weight
    whole[last] -= weight


def _add_dense(busy: list[int], starts: range, duration: int, weight: int, window: Window) -> None:
    """Add many runs at once: what has been run up to a moment is a sum that needs no walk."""

    def run_until(moment: int) -> int:
        begun = count_between(starts, starts.start, moment)
        done = count_between(starts, starts.start, moment - duration + 1)
        under_way = begun - done
        # The ones under way began at start + i·step for i from done to begun - 1.
        total = under_way * (moment - starts.start) - starts.step * (done + begun - 1) * under_way // 2
        return done * duration + total

    before = run_until(window.begin)
    for quarter in range(window.quarters):
        after = run_until(window.begin + (quarter + 1) * QUARTER)
        busy[quarter] += (after - before) * weight
        before = after


# --- busiest quarters -----------------------------------------------------------------------------------------------


def _peaks(job_starts: JobStarts, counts: Sequence[int], wanted: int) -> tuple[Peak, ...]:
    """The busiest quarter hours, those with the same members taken together; none where all are alike."""
    window = job_starts.window
    order = sorted((quarter for quarter, count in enumerate(counts) if count), key=lambda n: (-counts[n], n))
    if not order or wanted <= 0:
        return ()
    hot = _hottest(order, counts, wanted * 20, len(job_starts.groups))
    members: dict[int, list[tuple[str, int]]] = {quarter: [] for quarter in hot}
    for pattern, jobs in job_starts.groups.items():
        starts = job_starts.starts[pattern]
        for quarter in hot:
            begin = window.begin + quarter * QUARTER
            number = count_between(starts, begin, begin + QUARTER)
            if number:
                members[quarter].extend((job.address, number) for job in jobs)
    together: dict[tuple[tuple[str, int], ...], list[int]] = defaultdict(list)
    for quarter in hot:
        together[tuple(sorted(members[quarter]))].append(window.begin + quarter * QUARTER)
    found = [
        Peak(tuple(sorted(begins)), sum(number for _, number in names), names) for names, begins in together.items()
    ]
    return tuple(sorted(found, key=lambda peak: (-peak.starts, peak.begins))[:wanted])


def _hottest(order: Sequence[int], counts: Sequence[int], limit: int, patterns: int) -> Sequence[int]:
    """The beginning of the order, cut where the counts change: half of what is alike would name half of the days."""
    if len(order) <= limit:
        return order
    border = counts[order[limit]]
    busier = [quarter for quarter in order[:limit] if counts[quarter] > border]
    if busier:
        return busier
    alike = [quarter for quarter in order if counts[quarter] == border]
    return alike if len(alike) * patterns <= _COMPARED else order[:limit]
