"""When everything runs: starts and load by the quarter hour, the busiest times, herds, and what collides.

All of it is predicted from the timings alone. Schedules with one and the same rhythm are computed once.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TypeAlias

from reconciler.timetable.instants import count_between, starts_between
from reconciler.timetable.repeats import Repeats, repeats_of
from reconciler.timetable.runs import iter_runs
from reconciler.timetable.timing import Timing
from reconciler.timetable.wallclock import ClockChange, clock_changes, instant_of

QUARTER = 900
"""Seconds in a bucket. Every zone in use today keeps a whole number of quarter hours from UTC."""

_HERDS = 200
"""At most so many herds are named."""

_COMPARED = 2_000_000
"""At most so many pairs of a pattern and a quarter hour are looked at to name who makes a peak."""

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


@dataclass(frozen=True, slots=True)
class Peak:
    """A busy quarter hour: the instants at which it begins (the same members each time), and how often each starts."""

    begins: tuple[int, ...]
    starts: int
    members: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Herd:
    """Schedules that start in the same second, and the instants at which exactly these do."""

    members: tuple[str, ...]
    instants: tuple[int, ...]


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


@dataclass(frozen=True, slots=True)
class Load:
    """What is going on in a window, by the quarter hour.

    `starts[n]` counts the starts of quarter n, `busy[n]` the seconds that runs of known duration take in it, as if
    nothing ever waited; `busy` is None where no duration is known. `herds` are the largest of `herd_count`.
    """

    window: Window
    starts: tuple[int, ...]
    busy: tuple[int, ...] | None
    peaks: tuple[Peak, ...]
    herds: tuple[Herd, ...]
    herd_count: int
    clock_marks: tuple[ClockMark, ...]
    per_job: Mapping[str, int]

    @property
    def total(self) -> int:
        return sum(self.starts)


class Rhythms:
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


def forecast(jobs: Sequence[Job], window: Window, *, herd: int = 10, peaks: int = 8) -> Load:
    """All that the calendar shows but collisions. `herd` is how many schedules in one second make a herd."""
    return forecast_of(Rhythms(jobs, window), herd=herd, peaks=peaks)


def forecast_of(rhythms: Rhythms, *, herd: int = 10, peaks: int = 8) -> Load:
    """The same of rhythms that are known already."""
    window = rhythms.window
    counts = [0] * window.quarters
    for pattern, members in rhythms.groups.items():
        for quarter, number in _by_quarter(rhythms.starts[pattern], window):
            counts[quarter] += number * len(members)
    herds, herd_count = herds_of(rhythms, herd)
    per_job = {job.address: len(rhythms.starts[pattern]) for pattern, group in rhythms.groups.items() for job in group}
    return Load(
        window=window,
        starts=tuple(counts),
        busy=_busy(rhythms),
        peaks=_peaks(rhythms, counts, peaks),
        herds=herds,
        herd_count=herd_count,
        clock_marks=_clock_marks(rhythms),
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


def _busy(rhythms: Rhythms) -> tuple[int, ...] | None:
    """The run seconds in each quarter, of all jobs whose duration is known. Runs that began before the window count."""
    window = rhythms.window
    weights: Counter[tuple[Pattern, int]] = Counter()
    timings: dict[Pattern, Timing] = {}
    for pattern, members in rhythms.groups.items():
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


# --- peaks and herds -------------------------------------------------------------------------------------------------


def _peaks(rhythms: Rhythms, counts: Sequence[int], wanted: int) -> tuple[Peak, ...]:
    """The busiest quarter hours, those with the same members taken together; none where all are alike."""
    window = rhythms.window
    order = sorted((quarter for quarter, count in enumerate(counts) if count), key=lambda n: (-counts[n], n))
    if not order or wanted <= 0:
        return ()
    hot = _hottest(order, counts, wanted * 20, len(rhythms.groups))
    members: dict[int, list[tuple[str, int]]] = {quarter: [] for quarter in hot}
    for pattern, jobs in rhythms.groups.items():
        starts = rhythms.starts[pattern]
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


def herds_of(rhythms: Rhythms, threshold: int) -> tuple[tuple[Herd, ...], int]:
    """Who starts together, `threshold` and more in one second: the largest herds first, and how many there are.

    A second that only even rhythms of less than a quarter hour share is found all the same: they differ in few
    phases, so there are few patterns of them.
    """
    sizes: Counter[int] = Counter()
    for pattern, jobs in rhythms.groups.items():
        if len(jobs) == 1:
            sizes.update(rhythms.starts[pattern])
        else:
            for instant in rhythms.starts[pattern]:
                sizes[instant] += len(jobs)
    crowded = {instant for instant, size in sizes.items() if size >= max(2, threshold)}
    if not crowded:
        return (), 0
    patterns: dict[int, list[Pattern]] = defaultdict(list)
    for pattern in rhythms.groups:
        for instant in crowded.intersection(rhythms.starts[pattern]):
            patterns[instant].append(pattern)
    together: dict[tuple[int, ...], list[int]] = defaultdict(list)
    groups = list(rhythms.groups.values())
    numbers = {pattern: number for number, pattern in enumerate(rhythms.groups)}
    for instant in sorted(crowded):
        together[tuple(numbers[pattern] for pattern in patterns[instant])].append(instant)
    order = sorted(together, key=lambda group: (-sum(len(groups[number]) for number in group), together[group][0]))
    found = tuple(
        Herd(tuple(sorted(job.address for number in group for job in groups[number])), tuple(together[group]))
        for group in order[:_HERDS]
    )
    return found, len(order)


# --- clocks ----------------------------------------------------------------------------------------------------------


def _clock_marks(rhythms: Rhythms) -> tuple[ClockMark, ...]:
    """The clock changes of every zone that some job hangs on, with the jobs that they touch."""
    window = rhythms.window
    zones: dict[str, list[Job]] = defaultdict(list)
    for jobs in rhythms.groups.values():
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
            edge = change.begin + (change.end - change.begin) / 2
            instant = instant_of(change.begin, rules)[0]
            if change.repeats:
                instant = instant_of(edge, rules)[0] + int((change.end - edge).total_seconds())
            if window.begin <= instant < window.end:
                notes = tuple(sorted(_touched(jobs, instant)))
                folds = tuple(sorted(_folded(jobs, change), key=lambda fold: fold[0]))
                mark = ClockMark(name, instant, change.begin, change.end, change.repeats, notes, folds)
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
