"""The calendar of an estate: days and hours on one clock, what runs in them, and what stands in whose way."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from msgspec import Struct

from reconciler.calendar.collisions import Collision, collisions
from reconciler.calendar.estates import Estate
from reconciler.calendar.job_starts import QUARTER, THRESHOLD, Job, JobStarts, Window
from reconciler.calendar.load import Load, load_of
from reconciler.calendar.run_durations import Durations
from reconciler.kinds import schedule
from reconciler.model.copies import replace
from reconciler.model.resource import Desired
from reconciler.quantities import first_few
from reconciler.timetable import describe, inexact_zone
from reconciler.timetable.runs import iter_runs
from reconciler.timetable.timing import Timing
from reconciler.timetable.wallclock import instant_of
from reconciler.timetable.zones import unknown_zone, zone_info


class Source(StrEnum):
    """What a calendar is made from."""

    LIVE = "live"
    DESIRED = "desired"
    PLAN = "plan"


class Entry(Struct, frozen=True):
    """One schedule in the calendar. `managed`: a manifest declares it. `words`: its rhythm in plain English."""

    job: Job
    words: str
    managed: bool = True
    next_run: int | None = None
    starts: int = 0


class Grid(Struct, frozen=True):
    """Starts and load by day and hour on the clock of the calendar's zone.

    `starts[day][hour]` is None for an hour that daylight saving skips. `load` is the mean number of runs at a time,
    counting only runs of known duration; None where none is known. `seconds` is how long each hour lasts: twice as
    long where daylight saving repeats it, 0 where it skips it.
    """

    days: tuple[date, ...]
    starts: tuple[tuple[int | None, ...], ...]
    load: tuple[tuple[float | None, ...], ...] | None
    seconds: tuple[tuple[int, ...], ...]

    def rates(self) -> tuple[tuple[float | None, ...], ...]:
        """Starts an hour, which is what a shade tells: an hour that lasts two hours is not busier for it."""
        return tuple(
            tuple(None if count is None else count * 3600 / length for count, length in zip(day, lengths, strict=True))
            for day, lengths in zip(self.starts, self.seconds, strict=True)
        )

    def minus(self, other: Grid) -> tuple[tuple[int | None, ...], ...]:
        """How many starts each hour has more than in another grid of the same hours."""
        return tuple(
            tuple(None if count is None else count - (then or 0) for count, then in zip(*day, strict=True))
            for day in zip(self.starts, other.starts, strict=True)
        )

    @property
    def highest(self) -> float:
        """The load of the busiest hour."""
        return max((load or 0.0 for day in self.load or () for load in day), default=0.0)


class Forecast(Struct, frozen=True):
    """An estate at one time: what it has, and what comes of it."""

    entries: tuple[Entry, ...]
    load: Load
    collisions: tuple[Collision, ...]
    grid: Grid

    @property
    def coming(self) -> list[tuple[int, Entry]]:
        """The next run of each schedule that has one, in order."""
        runs = [(entry.next_run, entry) for entry in self.entries if entry.next_run is not None]
        return sorted(runs, key=lambda run: run[0])

    @property
    def disabled(self) -> int:
        """How many schedules are switched off."""
        return sum(not entry.job.enabled for entry in self.entries)


class Calendar(Struct, frozen=True):
    """All that a calendar shows. `before` is there when it compares: then `shown` is the estate after the plan.

    `zone_reason` says why this clock was chosen. `unreadable` are (place, why); `notes` are said to the reader.
    """

    source: Source
    zone: ZoneInfo
    zone_reason: str
    as_of: datetime
    threshold: int
    shown: Forecast
    before: Forecast | None = None
    unreadable: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def days(self) -> tuple[date, ...]:
        return self.shown.grid.days

    @property
    def collisions(self) -> list[tuple[Collision, bool]]:
        """All collisions, and whether the plan creates them; those that it does first."""
        new = set(self.new_collisions)
        return sorted(((one, one in new) for one in self.shown.collisions), key=lambda told: not told[1])

    @property
    def new_collisions(self) -> tuple[Collision, ...]:
        """The collisions that the plan creates; none where nothing is compared."""
        return _only_in(self.shown, self.before)

    @property
    def gone_collisions(self) -> tuple[Collision, ...]:
        """The collisions that the plan ends."""
        return _only_in(self.before, self.shown)

    def local(self, instant: int) -> datetime:
        """An instant on the calendar's clock."""
        return datetime.fromtimestamp(instant, self.zone)


def _only_in(side: Forecast | None, other: Forecast | None) -> tuple[Collision, ...]:
    if side is None or other is None:
        return ()
    known = {(found.one, found.other) for found in other.collisions}
    return tuple(found for found in side.collisions if (found.one, found.other) not in known)


def entries_of(estate: Estate, durations: Durations) -> tuple[tuple[Entry, ...], tuple[str, ...]]:
    """The calendar's entries, in the order of their addresses, and what has to be said of the others."""
    entries: list[Entry] = []
    notes: list[str] = []
    for (path, identity), known in sorted(estate.items(), key=lambda item: item[1].address):
        job = known.job(durations.of(path, identity))
        if job is None:
            notes.append(f"{known.address}: its rhythm, start or zone cannot be read, so it is not in the calendar")
        else:
            entries.append(Entry(job, describe(job.timing.expression), known.managed))
    return tuple(entries), tuple(notes)


def inexact_zones(desired: Desired, entries: Collection[Entry], first: date, days: int) -> Iterator[str]:
    """Where a manifest names a zone whose clock is not, in these days, that of the Windows id that ACC is told."""
    shown = {entry.job.address for entry in entries}
    written: dict[str, list[str]] = defaultdict(list)
    for resource in schedule.KIND.among(desired.resources):
        address = str(resource.address)
        if address in shown and resource.state.written is not None:
            written[resource.state.written.time_zone].append(address)
    for zone, addresses in sorted(written.items()):
        if told := inexact_zone(zone, first.toordinal(), days):
            yield f"{first_few(sorted(addresses), 1)}: {told}"


def read_zone(name: str) -> ZoneInfo:
    """A zone to show times in, by its IANA name or its Windows id. Raises TimetableError with the nearest name."""
    if (found := zone_info(name)) is None:
        raise unknown_zone(name)
    return found


def common_zone(timings: Iterable[Timing]) -> tuple[ZoneInfo, str]:
    """The zone on whose clock most schedules hang, and the reason in words; UTC where there are none."""
    counts = Counter(rules for timing in timings if (rules := timing.rules) is not None)
    if not counts:
        return read_zone("UTC"), "no schedule names a zone"
    zone, count = min(counts.items(), key=lambda item: (-item[1], item[0].key))
    every = counts.total()
    return zone, "the zone of all schedules" if count == every else f"the zone of {count:,} of {every:,} schedules"


def window_of(first: date, days: int, zone: ZoneInfo) -> Window:
    """From the first midnight to the one after the last day, each at a full quarter of an hour."""
    midnight = datetime.combine(first, time.min)
    begin, end = (instant_of(day, zone)[0] for day in (midnight, midnight + timedelta(days=days)))
    return Window(begin // QUARTER * QUARTER, -(-end // QUARTER) * QUARTER)


def forecast_of(
    entries: Sequence[Entry], window: Window, zone: ZoneInfo, *, as_of: datetime, threshold: int = THRESHOLD
) -> Forecast:
    """Work out one estate over a window, with the next run of each schedule after `as_of`."""
    jobs = [entry.job for entry in entries]
    job_starts = JobStarts(jobs, window)
    load = load_of(job_starts, threshold=threshold)
    in_order = sorted(entries, key=lambda entry: entry.job.address)
    predicted = tuple(_predicted(entry, job_starts, as_of) if entry.job.enabled else entry for entry in in_order)
    return Forecast(predicted, load, collisions(jobs, job_starts), grid_of(load, zone))


def _predicted(entry: Entry, job_starts: JobStarts, as_of: datetime) -> Entry:
    run = next(iter_runs(entry.job.timing, as_of), None)
    next_run = None if run is None else int(run.at.timestamp())
    return replace(entry, next_run=next_run, starts=len(job_starts.of(entry.job)))


def grid_of(load: Load, zone: ZoneInfo) -> Grid:
    """Put the quarters of a load on the clock of a zone."""
    hours: dict[date, list[list[int]]] = {}
    for quarter, count in enumerate(load.starts):
        local = datetime.fromtimestamp(load.window.begin + quarter * QUARTER, zone)
        hour = hours.setdefault(local.date(), [[0, 0, 0] for _ in range(24)])[local.hour]
        for place, amount in enumerate((count, load.busy[quarter] if load.busy else 0, QUARTER)):
            hour[place] += amount
    days = hours.values()
    return Grid(
        tuple(hours),
        tuple(tuple(count if lasts else None for count, _, lasts in day) for day in days),
        tuple(tuple(busy / lasts if lasts else None for _, busy, lasts in day) for day in days) if load.busy else None,
        tuple(tuple(lasts for _, _, lasts in day) for day in days),
    )
