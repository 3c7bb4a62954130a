"""What the emulated ACC computes about a schedule: its next run, its words, and whether it can be accepted."""

from __future__ import annotations

from datetime import datetime

from reconciler.emulator.state import Schedule
from reconciler.timetable import Timing, describe, next_runs, parse, parse_start
from reconciler.timetable.zones import looks_like_windows, zone_info

_Key = tuple[str, str, str]


class Prediction:
    """Next runs, remembered for schedules that share expression, start and zone, until the clock has passed them."""

    def __init__(self) -> None:
        self._known: dict[_Key, tuple[datetime, datetime | None]] = {}
        self._words: dict[str, str | None] = {}

    def next_run(self, schedule: Schedule, now: datetime) -> datetime | None:
        """The next run after `now` in the schedule's own zone; None for one that never runs or cannot be read."""
        key = (schedule.cron, schedule.start_time, schedule.time_zone_id)
        known = self._known.get(key)
        if known is not None and known[0] <= now and (known[1] is None or now < known[1]):
            return known[1]
        found = predict(*key, after=now)
        self._known[key] = (now, found)
        return found

    def words(self, cron: str) -> str | None:
        """ACC's `cronDescription`; None for an expression that cannot be read."""
        if cron not in self._words:
            try:
                self._words[cron] = f"Runs {describe(parse(cron))}."
            except ValueError:
                self._words[cron] = None
        return self._words[cron]


def predict(cron: str, start_time: str, zone: str, *, after: datetime) -> datetime | None:
    """The first run after an aware instant, None when there is none."""
    try:
        timing = Timing(parse(cron), parse_start(start_time, zone), zone)
    except ValueError:
        return None
    runs = next_runs(timing, after, 1)
    return runs[0].at if runs else None


def on_clock(start_time: str, zone: str) -> datetime | None:
    """A start on the clock of its zone, aware; None when either cannot be read."""
    try:
        start = parse_start(start_time)
    except ValueError:
        return None
    rules = zone_info(zone)
    return start.replace(tzinfo=rules) if rules else None


def cron_problem(cron: str, *, several_units: bool) -> str:
    """Why ACC would refuse this expression; "" when it would not."""
    try:
        expression = parse(cron)
    except ValueError as error:
        return f"The cron expression is not valid: {error}"
    if expression.units > 1 and not several_units:
        return "The cron expression is not valid: an interval has one unit"
    return ""


def is_zone(time_zone_id: str) -> bool:
    """Whether this is, or looks like, a Windows time zone id."""
    return looks_like_windows(time_zone_id)
