"""The calendar as iCalendar (RFC 5545): a rule for each schedule, or single events where no rule is exact.

Importing it raises UsageError where the package icalendar is not installed.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import TypeAlias
from zoneinfo import ZoneInfo

from msgspec import Struct

from reconciler.calendar.forecast import Calendar, Entry
from reconciler.calendar.job_starts import Window
from reconciler.calendar.load import Load
from reconciler.errors import UsageError
from reconciler.render import Stamp
from reconciler.timetable.expression import Expression
from reconciler.timetable.instants import starts_between
from reconciler.timetable.wallclock import clock_changes

try:
    import icalendar
except ModuleNotFoundError as error:
    raise UsageError(
        "--format ics needs icalendar, which is not installed", hint="pip install 'acc-mft-reconciler[calendar]'"
    ) from error

SINGLE_EVENTS = 200
"""At most so many single events are written for one schedule."""

_DAYS = ("SU", "MO", "TU", "WE", "TH", "FR", "SA")
_UNITS = ((3600, "HOURLY"), (60, "MINUTELY"), (1, "SECONDLY"))

RuleParts: TypeAlias = dict[str, object]
"""A recurrence rule by the names of RFC 5545, 3.3.10."""


class Written(Struct, frozen=True):
    """The calendar's text, with the line ends of the standard, and what it had to leave out."""

    text: str
    notes: tuple[str, ...]


def calendar(found: Calendar, stamp: Stamp) -> Written:
    """Every enabled schedule that runs in the window. Its identifiers stay the same from one export to the next."""
    load = found.shown.load
    stamped = icalendar.vDatetime(datetime.fromisoformat(stamp.created_at))
    events: list[icalendar.Event] = []
    zones: dict[str, ZoneInfo] = {}
    notes: list[str] = []
    for entry in found.shown.entries:
        starts = starts_between(entry.job.timing, load.window.begin, load.window.end) if entry.job.enabled else ()
        if not starts:
            continue
        uid = _uid(entry, stamp)
        if rule := _rule(entry, load):
            zone, parts = rule
            if zone is not None:
                zones[zone.key] = zone
            event = _event(entry, stamped, datetime.fromtimestamp(starts[0], zone or UTC), uid)
            event.add("rrule", {**parts, "UNTIL": datetime.fromtimestamp(starts[-1], UTC)})
            events.append(event)
            continue
        if len(starts) > SINGLE_EVENTS:
            notes.append(
                f"{entry.job.address} starts {len(starts):,} times and no calendar rule says exactly when: "
                f"only the first {SINGLE_EVENTS} are in the file"
            )
        for start in (datetime.fromtimestamp(instant, UTC) for instant in starts[:SINGLE_EVENTS]):
            events.append(_event(entry, stamped, start, f"{start:%Y%m%dT%H%M%SZ}-{uid}"))
    whole = icalendar.Calendar()
    name = _plain(f"{stamp.project} ({stamp.environment})")
    for key, value in (
        ("version", "2.0"),
        ("prodid", _plain(f"-//reconciler//{stamp.reconciler_version}//EN")),
        ("calscale", "GREGORIAN"),
        ("method", "PUBLISH"),
        ("name", name),
        ("x-wr-calname", name),
        ("x-wr-timezone", found.zone.key),
    ):
        whole.add(key, value)
    for component in (*(_timezone(zones[key], load.window) for key in sorted(zones)), *events):
        whole.add_component(component)
    return Written(whole.to_ical(sorted=False).decode(), tuple(notes))


def _event(entry: Entry, stamped: icalendar.vDatetime, start: datetime, uid: str) -> icalendar.Event:
    job = entry.job
    told = f"{entry.words}, {job.timing.windows_zone}\nAgent {job.agent_path}\n{job.timing.expression.text}"
    event = icalendar.Event()
    event["uid"] = icalendar.vText(uid)
    event["dtstamp"] = stamped
    event.add("dtstart", start)
    if job.duration_seconds is not None:
        # In seconds: of a timedelta icalendar would make days, and those are not always 24 hours long (3.3.6).
        event["duration"] = icalendar.vText(f"PT{job.duration_seconds}S")
    event["summary"] = icalendar.vText(_plain(job.address))
    event["description"] = icalendar.vText(_plain(told))
    event["categories"] = icalendar.vText("managed" if entry.managed else "unmanaged")
    event["transp"] = icalendar.vText("TRANSPARENT")
    return event


def _uid(entry: Entry, stamp: Stamp) -> str:
    whole = f"{stamp.project}/{stamp.environment}/{entry.job.address}"
    return f"{hashlib.sha256(whole.encode('utf-8', 'backslashreplace')).hexdigest()[:32]}@reconciler"


def _plain(value: str) -> str:
    """A text without control characters other than line feeds: those icalendar writes as they are."""
    if value.isprintable():
        return value
    return "".join(char for char in value.replace("\r\n", "\n") if char == "\n" or char.isprintable())


# --- rules -----------------------------------------------------------------------------------------------------------


def _rule(entry: Entry, load: Load) -> tuple[ZoneInfo | None, RuleParts] | None:
    """The clock (None: UTC) and the rule that names exactly the starts of an entry; None where there is none."""
    timing = entry.job.timing
    expression, zone = timing.expression, timing.rules
    if expression.interval is not None and not expression.whole_days:
        step = int(expression.interval.total_seconds())
        # Real time: 24 hours are not a day. In UTC they are the same, but readers treat days as local.
        size, unit = next((size, unit) for size, unit in _UNITS if step % size == 0)
        return None, {"FREQ": unit, "INTERVAL": step // size}
    if zone is None or _is_moved(entry, load):
        return None
    days = expression.whole_days
    parts = {"FREQ": "DAILY", "INTERVAL": days} if days else _cron_parts(expression)
    if parts is None:
        return None
    return None if zone.key in ("UTC", "Etc/UTC") else zone, parts


def _is_moved(entry: Entry, load: Load) -> bool:
    """Whether daylight saving moves a run in the window: a rule would leave it out instead.

    A time that comes twice is meant the first time by the standard too.
    """
    address = entry.job.address
    return any(address == name for mark in load.clock_marks if not mark.change.repeats for name, _ in mark.notes)


def _cron_parts(expression: Expression) -> RuleParts | None:
    rule = expression.days
    days, week = rule.month_days, rule.week_days
    if rule.both_restricted or days.nearest or days.last_weekday:
        return None
    parts: RuleParts = {"FREQ": "DAILY"}
    if week.restricted and (week.nth or week.last):
        if week.plain.values:
            return None
        parts["FREQ"] = "MONTHLY"
        parts["BYDAY"] = [
            *(f"{which}{_DAYS[day]}" for day, which in week.nth),
            *(f"-1{_DAYS[day]}" for day in week.last),
        ]
    elif week.restricted:
        parts["BYDAY"] = [_DAYS[day % 7] for day in week.plain.values]
    if len(rule.months) < 12:
        parts["BYMONTH"] = list(rule.months)
    if days.restricted:
        parts["BYMONTHDAY"] = [*days.plain.values, *([-1] if days.last else [])]
    parts["BYHOUR"] = list(expression.hours)
    parts["BYMINUTE"] = list(expression.minutes)
    parts["BYSECOND"] = list(expression.seconds)
    return parts


# --- zones -----------------------------------------------------------------------------------------------------------


def _timezone(zone: ZoneInfo, window: Window) -> icalendar.Timezone:
    """The zone's rules around the window, each change of its clock written out.

    Our own, since `Timezone.from_tzinfo` of icalendar 7.3 names the onset on the clock after a change, where the
    standard (3.6.5) wants the clock before it: an hour late in spring.
    """
    begin = datetime.fromtimestamp(window.begin - 400 * 86400, zone)
    before = begin.utcoffset() or timedelta(0)
    found = icalendar.Timezone()
    found.add("tzid", zone.key)
    found.add_component(_observance(zone, begin.replace(tzinfo=None), before, before))
    for change in clock_changes(zone, begin, (window.end - window.begin) // 86400 + 402):
        length = change.end - change.begin
        after = before - length if change.repeats else before + length
        found.add_component(_observance(zone, change.end if change.repeats else change.begin, before, after))
        before = after
    return found


def _observance(
    zone: ZoneInfo, onset: datetime, before: timedelta, after: timedelta
) -> icalendar.TimezoneDaylight | icalendar.TimezoneStandard:
    """One stretch of the zone's clock; its onset is said on the clock as it was before."""
    local = (onset - before).replace(tzinfo=UTC).astimezone(zone)
    found = icalendar.TimezoneDaylight() if local.dst() else icalendar.TimezoneStandard()
    found.add("dtstart", onset)
    found.add("tzoffsetfrom", before)
    found.add("tzoffsetto", after)
    found.add("tzname", local.tzname() or zone.key)
    return found
