"""What the emulated ACC computes about a schedule: its next run, its words, and whether it can be accepted."""

from __future__ import annotations

import itertools
import re
from datetime import UTC, datetime, timedelta

from reconciler.emulator.acc_state import Schedule
from reconciler.emulator.switches import Switches
from reconciler.timetable import Expression, Timing, describe, iter_runs, parse, parse_start
from reconciler.timetable.zones import zone_info

_Key = tuple[str, str, str]
_TIME = re.compile(r"\b(\d\d):(\d\d):(\d\d)\b")
_LONGEST_REPEAT = timedelta(hours=3)
_MOST_TRIED = 20_000


class Prediction:
    """Next runs, remembered for schedules that share expression, start and zone, until the clock has passed them."""

    def __init__(self, switches: Switches) -> None:
        self._switches = switches
        self._known: dict[_Key, tuple[datetime, datetime | None]] = {}
        self._words: dict[_Key, str | None] = {}

    def next_run(self, schedule: Schedule, now: datetime) -> datetime | None:
        """The next run after `now` in the schedule's own zone; None for one that never runs or cannot be read."""
        key = (schedule.cron, schedule.start_time, schedule.time_zone_id)
        known = self._known.get(key)
        if known is not None and known[0] <= now and (known[1] is None or now < known[1]):
            return known[1]
        found = predict(*key, after=now, switches=self._switches)
        self._known[key] = (now, found)
        return found

    def words(self, schedule: Schedule) -> str | None:
        """ACC's `cronDescription`; None for an expression that cannot be read.

        One is documented: "Runs every day at 3:36:00 PM (AET)." What others look like is not, so this goes on alike.
        """
        key = (schedule.cron, schedule.start_time, schedule.time_zone_id)
        if key not in self._words:
            self._words[key] = self._described(*key)
        return self._words[key]

    def _described(self, cron: str, start_time: str, zone: str) -> str | None:
        if self._switches.cron_description == "null":
            return None
        try:
            expression = parse(cron)
            text = describe(expression)
            start = parse_start(start_time)
        except ValueError:
            return None
        if self._switches.cron_description == "plain":
            return f"Runs {text}."
        if expression.whole_days:
            text += f" at {start:%H:%M:%S}"
        told, times = _TIME.subn(_twelve_hours, text)
        return f"Runs {told} ({_abbreviation(zone)})." if times else f"Runs {told}."


def _twelve_hours(match: re.Match[str]) -> str:
    hour = int(match[1])
    return f"{hour % 12 or 12}:{match[2]}:{match[3]} {'AM' if hour < 12 else 'PM'}"


def _abbreviation(zone: str) -> str:
    """`AET` for AUS Eastern Standard Time: the letters that its words begin with, without "Standard"."""
    words = [word for word in zone.split() if word.lower() != "standard"]
    return "".join(word[0] for word in words).upper() if len(words) > 1 else zone


def predict(cron: str, start_time: str, zone: str, *, after: datetime, switches: Switches) -> datetime | None:
    """The first run after an aware instant, None when there is none. The switches settle what is not documented."""
    try:
        timing = Timing(parse(cron), parse_start(start_time, zone), zone)
    except ValueError:
        return None
    candidates: list[datetime] = []
    is_twice = switches.repeated_hour == "twice" or (
        switches.repeated_hour == "wildcards" and timing.expression.has_wildcard_times
    )
    begin = after - _LONGEST_REPEAT if is_twice else after
    for run in itertools.islice(iter_runs(timing, begin), _MOST_TRIED):
        if run.note == "skipped-hour" and switches.skipped_hour == "lost":
            continue
        if switches.both_day_fields == "both" and not _matches_both(timing.expression, run.at):
            continue
        if run.note == "repeated-hour" and is_twice:
            candidates.append(run.at.replace(fold=1))
        if run.at.astimezone(UTC) > after:
            candidates.append(run.at)
            break
    return min((at for at in candidates if at.astimezone(UTC) > after), key=lambda at: at.astimezone(UTC), default=None)


def _matches_both(expression: Expression, at: datetime) -> bool:
    """Whether a run's day is selected by the day of the month and by the weekday, each by itself."""
    if expression.is_interval or not expression.days.both_restricted:
        return True
    *front, month_day, month, week_day = expression.text.split()
    apart = (parse(" ".join([*front, month_day, month, "*"])), parse(" ".join([*front, "*", month, week_day])))
    return all(at.day in each.days.in_month(at.year, at.month) for each in apart)


def on_clock(start_time: str, zone: str) -> datetime | None:
    """A start on the clock of its zone, aware; None when either cannot be read."""
    try:
        start = parse_start(start_time)
    except ValueError:
        return None
    rules = zone_info(zone)
    return start.replace(tzinfo=rules) if rules else None


def cron_problem(cron: str, switches: Switches) -> str:
    """Why ACC would refuse this expression; "" when it would not."""
    try:
        expression = parse(cron)
    except ValueError as error:
        return f"The cron expression is not valid: {error}"
    odd = next(expression.unpromised(), None)
    if odd and switches.undocumented_cron == "refuse":
        return f"The cron expression is not valid: {odd[0]}"
    if expression.units > 1 and switches.several_units == "refuse":
        return "The cron expression is not valid: an interval has one unit"
    return ""
