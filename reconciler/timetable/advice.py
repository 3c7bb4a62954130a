"""What a reviewer should know about a timing before it goes live: warnings with stable codes."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import zip_longest
from typing import TypeAlias
from zoneinfo import ZoneInfo

from reconciler.quantities import counted
from reconciler.timetable.expression import Expression
from reconciler.timetable.runs import named_within, repeats_of
from reconciler.timetable.timing import Timing, rules_of, windows_zone
from reconciler.timetable.wallclock import ClockChange, clock_changes, instant_of, offset_of, whole_second
from reconciler.timetable.zone_hints import ABBREVIATIONS
from reconciler.timetable.zones import is_known_windows, is_recent_windows, suggest, zone_info

Advice: TypeAlias = tuple[str, str]

_MONTHS_AHEAD_DAYS = 396
_NEVER_CHANGES = ("EST", "MST")
"""IANA has them as zones of their own, which are not what most people mean by the words."""


def findings(timing: Timing, as_of: datetime) -> tuple[Advice, ...]:
    """Warnings as (code, message), most weighty first, for runs after an aware moment.

    Codes: `unknown-zone`, `recent-zone`, `zone-abbreviation`, `zone-differs`, `never-fires`, `mixed-interval`,
    `both-day-fields`, `undocumented-cron`, `long-step`, `short-month`, `start-in-past`, and for the next 13 months
    `dst-skipped`, `dst-repeated`, and `dst-wildcard` for a repeated hour in which a schedule with wildcards runs.
    """
    return (
        *_zone_advice(timing.zone, as_of.date().toordinal()),
        *_expression_advice(timing.expression),
        *_start_advice(timing, as_of),
        *_daylight_advice(timing, as_of),
    )


@functools.lru_cache(maxsize=2048)
def _zone_advice(zone: str, first_day: int) -> tuple[Advice, ...]:
    """What there is to say about a zone, whatever runs in it; an estate has few of them."""
    windows, found = windows_zone(zone), []
    if is_recent_windows(windows):
        message = (
            f"{windows} is new in Windows since 2026: a server without that update does not know it, "
            "and then needs the older id that it still has"
        )
        found.append(("recent-zone", message))
    elif not is_known_windows(windows):
        near = suggest(windows)
        meant = f"; did you mean {near}?" if near else ""
        found.append(
            ("unknown-zone", f"the zone {windows} is not in Unicode's table, so no run can be predicted{meant}")
        )
    if zone.strip().upper() in _NEVER_CHANGES:
        places = ABBREVIATIONS[zone.strip().upper()].split()
        message = f"{zone} never changes its clock, winter and summer: write {places[0]} where its clock is meant"
        found.append(("zone-abbreviation", message))
    if told := inexact_zone(zone, first_day, _MONTHS_AHEAD_DAYS):
        found.append(("zone-differs", told))
    return tuple(found)


@functools.lru_cache(maxsize=2048)
def inexact_zone(zone: str, first_day: int, days: int) -> str:
    """What to say where ACC's clock is not that of the zone that was written; "" where they agree all these days.

    ACC is told a Windows id, and follows the zone that stands for it: several IANA zones share one.
    """
    own, used, windows = zone_info(zone), rules_of(zone), windows_zone(zone)
    if own is None or used is None or own is used:
        return ""
    day = _first_difference(own, used, first_day, days)
    if day is None:
        return ""
    return f"ACC knows {zone} only as {windows}, whose clock differs from it on {day:%Y-%m-%d}: runs follow {windows}"


def _first_difference(own: ZoneInfo, used: ZoneInfo, first_day: int, days: int) -> date | None:
    begin = datetime.fromordinal(first_day).replace(tzinfo=UTC)
    if begin.astimezone(own).utcoffset() != begin.astimezone(used).utcoffset():
        return begin.date()
    # From one offset on, the same changes make the same clock.
    for pair in zip_longest(clock_changes(own, begin, days), clock_changes(used, begin, days)):
        if pair[0] != pair[1]:
            return min(change.begin for change in pair if change is not None).date()
    return None


def _expression_advice(expression: Expression) -> Iterator[Advice]:
    if expression.units > 1:
        yield (
            "mixed-interval",
            f"the interval {expression.text} has more than one unit, and what ACC makes of that is not documented: "
            f"assumed is their sum, {expression.interval}",
        )
    if expression.is_interval:
        return
    if not expression.days.share:
        yield "never-fires", f"{expression.text} never runs: no such day exists"
    if expression.days.both_restricted:
        yield (
            "both-day-fields",
            f"{expression.text} restricts the day of month and the day of week. ACC does not say whether one or both "
            "must match; assumed is either one, as cron has it. Use ? for one of them to be sure",
        )
    for what, instead in expression.unpromised():
        yield (
            "undocumented-cron",
            f"{expression.text} has {what}. No document says that ACC reads that; assumed is what other schedulers "
            f"make of it. To be sure, {instead}",
        )
    late = [day for day in expression.days.month_days.nearest if day > 28]
    if late:
        yield (
            "short-month",
            f"{late[0]}W in a month that has no day {late[0]}: ACC does not say, and schedulers differ; assumed is "
            "no run in that month. LW is the last weekday of every month",
        )
    for title, step in expression.long_steps:
        yield (
            "long-step",
            f"a step of {step} is longer than the {title} field, so it selects the first value alone; "
            "a longer interval is written with every",
        )


def _start_advice(timing: Timing, as_of: datetime) -> Iterator[Advice]:
    """Where a start in the past leaves the next run open.

    It does not for cron, which knows no phase, nor for days, which keep their time on the clock. Other intervals
    are predicted in real time; had ACC counted on the clock, each change of the offset since would have moved them.
    """
    expression, zone = timing.expression, timing.rules
    if expression.interval is None or expression.whole_days or zone is None:
        return
    if timing.start >= _long_before(as_of) and instant_of(timing.start, zone)[0] > whole_second(as_of):
        return
    start_date = f"{timing.start:%Y-%m-%d}" if timing.start.year > 1000 else "long ago"
    if expression.units > 1:
        yield (
            "start-in-past",
            f"the start ({start_date}) has passed, and with several units in the interval the next run is a guess; "
            "a start ahead of now makes it certain",
        )
        return
    now = as_of.astimezone(zone).utcoffset() or timedelta()
    shift = abs(int(now.total_seconds()) - offset_of(timing.start, zone))
    if shift % int(expression.interval.total_seconds()):
        yield (
            "start-in-past",
            f"the start ({start_date}) has passed, and the clock of {timing.windows_zone} has been changed since by "
            f"{timedelta(seconds=shift)}: if ACC counts on the clock and not in real time, runs come that much "
            "earlier or later than predicted. A start after the change makes it certain",
        )


def _daylight_advice(timing: Timing, as_of: datetime) -> Iterator[Advice]:
    zone = timing.rules
    if zone is None:
        return
    if timing.expression.is_interval and not timing.expression.whole_days:
        return
    begin = max(as_of, _start_instant(timing, zone, as_of))
    days = _MONTHS_AHEAD_DAYS - (begin - as_of).days
    if days <= 0:
        return
    told: set[bool] = set()
    for change in clock_changes(zone, begin, days):
        if change.repeats in told:
            continue
        said = _on_repeated(timing, change) if change.repeats else _on_skipped(timing, change)
        if said is not None:
            told.add(change.repeats)
            yield said


def _on_skipped(timing: Timing, change: ClockChange) -> Advice | None:
    """None for cron that runs in every hour: a skipped hour loses nothing there that the next hour lacks."""
    if len(timing.expression.hours) == 24 or (local := named_within(timing, change)[0]) is None:
        return None
    shown = f"{local:%Y-%m-%d %H:%M:%S} in {timing.windows_zone}"
    moved = f"{change.end:%H:%M:%S}"
    return "dst-skipped", f"{shown} does not exist when daylight saving begins; predicted is a run at {moved}"


def _on_repeated(timing: Timing, change: ClockChange) -> Advice | None:
    """Where the three ways to run a repeated hour differ for this schedule."""
    found, local = repeats_of(timing, change), named_within(timing, change)[0]
    if found is None or local is None:
        return None
    if timing.expression.has_wildcard_times:
        runs = counted(found.once, "run")
        return (
            "dst-wildcard",
            f"{change.begin:%Y-%m-%d %H:%M} to {change.end:%H:%M} comes twice in {timing.windows_zone} when daylight "
            f"saving ends; predicted: {runs}, the first time, then silence. A scheduler that runs wildcards in both "
            f"hours makes {found.wildcards_twice:,} of it, and ACC does not say which it is",
        )
    shown = f"{local:%Y-%m-%d %H:%M:%S} in {timing.windows_zone}"
    return (
        "dst-repeated",
        f"{shown} comes twice when daylight saving ends; predicted is one run, the first time; some schedulers make "
        "it two, and ACC does not say",
    )


def _start_instant(timing: Timing, zone: ZoneInfo, as_of: datetime) -> datetime:
    if timing.start < _long_before(as_of):
        return as_of
    instant, _ = instant_of(timing.start, zone)
    if instant <= whole_second(as_of):
        return as_of
    try:
        return datetime.fromtimestamp(instant, as_of.tzinfo)
    except (ValueError, OverflowError):  # the last hours of the year 9999 end in 10000, west of Greenwich
        return datetime.max.replace(tzinfo=as_of.tzinfo)


@functools.lru_cache(maxsize=64)
def _long_before(as_of: datetime) -> datetime:
    """A time on the clock that has passed in every zone."""
    return (as_of - timedelta(days=2)).replace(tzinfo=None) if as_of.year > 1 else datetime.min  # noqa: DTZ901 - a clock
