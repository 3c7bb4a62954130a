"""The calendar as iCalendar (RFC 5545): a rule for each schedule, or single events where no rule is exact."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from reconciler.calendar.forecast import Calendar, Entry
from reconciler.calendar.job_starts import Window
from reconciler.calendar.load import Load
from reconciler.render import Stamp
from reconciler.timetable.expression import Expression
from reconciler.timetable.instants import starts_between

SINGLE_EVENTS = 200
"""At most so many single events are written for one schedule."""

_DAYS = ("SU", "MO", "TU", "WE", "TH", "FR", "SA")
_UNITS = ((86400, "DAILY"), (3600, "HOURLY"), (60, "MINUTELY"), (1, "SECONDLY"))


@dataclass(frozen=True, slots=True)
class Written:
    """The calendar's text, with the line ends of the standard, and what it had to leave out."""

    text: str
    notes: tuple[str, ...]


def calendar(found: Calendar, stamp: Stamp) -> Written:
    """Every enabled schedule that runs in the window. Its identifiers stay the same from one export to the next."""
    load = found.shown.load
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        f"PRODID:-//reconciler//{_text(stamp.reconciler_version)}//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"NAME:{_text(f'{stamp.project} ({stamp.environment})')}",
        f"X-WR-CALNAME:{_text(f'{stamp.project} ({stamp.environment})')}",
        f"X-WR-TIMEZONE:{found.zone.key}",
    ]
    events: list[str] = []
    zones: dict[str, ZoneInfo] = {}
    notes: list[str] = []
    for entry in found.shown.entries:
        starts = starts_between(entry.job.timing, load.window.begin, load.window.end) if entry.job.enabled else ()
        if not starts:
            continue
        rule = _rule(entry, starts, load)
        if rule is None:
            events.extend(_single_events(entry, starts, stamp, notes))
            continue
        if rule.zone is not None:
            zones[rule.zone.key] = rule.zone
        events.extend(_event(entry, stamp, rule.start_line, [rule.line], _uid(entry, stamp)))
    for key in sorted(zones):
        lines.extend(_zone_component(zones[key], load.window))
    lines.extend(events)
    lines.append("END:VCALENDAR")
    return Written("".join(f"{folded}\r\n" for line in lines for folded in _folded(line)), tuple(notes))


def _event(entry: Entry, stamp: Stamp, start_line: str, rules: Sequence[str], uid: str) -> Iterator[str]:
    job = entry.job
    yield "BEGIN:VEVENT"
    yield f"UID:{uid}"
    yield f"DTSTAMP:{re.sub('[-:]', '', stamp.created_at)}"
    yield start_line
    if job.duration_seconds is not None:
        yield f"DURATION:PT{job.duration_seconds}S"
    yield from rules
    yield f"SUMMARY:{_text(job.address)}"
    told = f"{entry.words}, {job.timing.windows_zone}\nAgent {job.agent_path}\n{job.timing.expression.text}"
    yield f"DESCRIPTION:{_text(told)}"
    yield f"CATEGORIES:{_text('managed' if entry.managed else 'unmanaged')}"
    yield "TRANSP:TRANSPARENT"
    yield "END:VEVENT"


def _single_events(entry: Entry, starts: Sequence[int], stamp: Stamp, notes: list[str]) -> Iterator[str]:
    if len(starts) > SINGLE_EVENTS:
        notes.append(
            f"{entry.job.address} starts {len(starts):,} times and no calendar rule says exactly when: "
            f"only the first {SINGLE_EVENTS} are in the file"
        )
    for instant in starts[:SINGLE_EVENTS]:
        at = _utc(instant)
        yield from _event(entry, stamp, f"DTSTART:{at}", (), f"{at}-{_uid(entry, stamp)}")


def _uid(entry: Entry, stamp: Stamp) -> str:
    whole = f"{stamp.project}/{stamp.environment}/{entry.job.address}"
    return f"{hashlib.sha256(whole.encode('utf-8', 'backslashreplace')).hexdigest()[:32]}@reconciler"


# --- rules -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Rule:
    start_line: str
    line: str
    zone: ZoneInfo | None = None


def _rule(entry: Entry, starts: Sequence[int], load: Load) -> _Rule | None:
    """The recurrence rule that names exactly these starts, up to the end of the window; None where there is none."""
    timing = entry.job.timing
    expression, zone = timing.expression, timing.rules
    until = f"UNTIL={_utc(starts[-1])}"
    if expression.interval is not None and not expression.whole_days:
        step = int(expression.interval.total_seconds())
        # Real time: 24 hours are not a day. In UTC they are the same, but readers treat days as local.
        size, unit = next((size, unit) for size, unit in _UNITS[1:] if step % size == 0)
        return _Rule(f"DTSTART:{_utc(starts[0])}", f"RRULE:FREQ={unit};INTERVAL={step // size};{until}")
    if zone is None or _is_moved(entry, load):
        return None
    if days := expression.whole_days:
        parts = ["FREQ=DAILY", f"INTERVAL={days}"]
    else:
        found = _cron_parts(expression)
        if found is None:
            return None
        parts = found
    local = datetime.fromtimestamp(starts[0], zone)
    if zone.key in ("UTC", "Etc/UTC"):
        return _Rule(f"DTSTART:{_utc(starts[0])}", f"RRULE:{';'.join([*parts, until])}")
    line = f"RRULE:{';'.join([*parts, until])}"
    return _Rule(f"DTSTART;TZID={zone.key}:{local:%Y%m%dT%H%M%S}", line, zone)


def _is_moved(entry: Entry, load: Load) -> bool:
    """Whether daylight saving moves a run in the window: a rule would leave it out instead.

    A time that comes twice is meant the first time by the standard too.
    """
    address = entry.job.address
    return any(address == name for mark in load.clock_marks if not mark.repeats for name, _ in mark.notes)


def _cron_parts(expression: Expression) -> list[str] | None:
    rule = expression.days
    days, week = rule.month_days, rule.week_days
    if rule.both_restricted or days.nearest or days.last_weekday:
        return None
    parts = ["FREQ=DAILY"]
    if week.restricted and (week.nth or week.last):
        if week.plain.values:
            return None
        parts = ["FREQ=MONTHLY"]
        named = [f"{which}{_DAYS[day]}" for day, which in week.nth] + [f"-1{_DAYS[day]}" for day in week.last]
        parts.append(f"BYDAY={','.join(named)}")
    elif week.restricted:
        parts.append(f"BYDAY={','.join(_DAYS[day % 7] for day in week.plain.values)}")
    if len(rule.months) < 12:
        parts.insert(1, f"BYMONTH={_numbers(rule.months)}")
    if days.restricted:
        numbers = [*days.plain.values, *([-1] if days.last else [])]
        parts.append(f"BYMONTHDAY={_numbers(numbers)}")
    parts.append(f"BYHOUR={_numbers(expression.hours)}")
    parts.append(f"BYMINUTE={_numbers(expression.minutes)}")
    parts.append(f"BYSECOND={_numbers(expression.seconds)}")
    return parts


def _numbers(values: Sequence[int]) -> str:
    return ",".join(map(str, values))


# --- zones -----------------------------------------------------------------------------------------------------------


def _zone_component(zone: ZoneInfo, window: Window) -> Iterator[str]:
    """The zone's rules around the window, each change of its clock written out."""
    begin, end = window.begin - 400 * 86400, window.end + 86400
    yield "BEGIN:VTIMEZONE"
    yield f"TZID:{zone.key}"
    before = _offset(zone, begin)
    yield from _observance(zone, begin, before, before)
    moment = begin
    while moment < end:
        after = _offset(zone, min(moment + 86400, end))
        if after != before:
            low, high = moment, moment + 86400
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if _offset(zone, middle) == before else (low, middle)
            yield from _observance(zone, high, before, after)
            before = after
        moment += 86400
    yield "END:VTIMEZONE"


def _observance(zone: ZoneInfo, instant: int, before: int, after: int) -> Iterator[str]:
    """One stretch of the zone's clock; its onset is said on the clock as it was before."""
    local = datetime.fromtimestamp(instant, zone)
    kind = "DAYLIGHT" if local.dst() else "STANDARD"
    onset = datetime.fromtimestamp(instant, UTC) + timedelta(seconds=before)
    yield f"BEGIN:{kind}"
    yield f"DTSTART:{onset:%Y%m%dT%H%M%S}"
    yield f"TZOFFSETFROM:{_offset_text(before)}"
    yield f"TZOFFSETTO:{_offset_text(after)}"
    yield f"TZNAME:{_text(local.tzname() or zone.key)}"
    yield f"END:{kind}"


def _offset(zone: ZoneInfo, instant: int) -> int:
    found = datetime.fromtimestamp(instant, zone).utcoffset()
    return int(found.total_seconds()) if found is not None else 0


def _offset_text(seconds: int) -> str:
    minutes = abs(seconds) // 60
    return f"{'-' if seconds < 0 else '+'}{minutes // 60:02}{minutes % 60:02}"


# --- text ------------------------------------------------------------------------------------------------------------


def _utc(instant: int) -> str:
    return f"{datetime.fromtimestamp(instant, UTC):%Y%m%dT%H%M%SZ}"


def _text(value: str) -> str:
    """A value of type TEXT: its four special characters escaped, and other control characters left out."""
    plain = "".join(char for char in value.replace("\r\n", "\n") if char == "\n" or char.isprintable() or char == " ")
    return plain.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def _folded(line: str) -> Iterator[str]:
    """A content line in pieces of at most 75 octets, never inside a character; all but the first begin with a space."""
    piece, size = "", 0
    for char in line:
        octets = len(char.encode("utf-8", "replace"))
        if size + octets > 75:
            yield piece
            piece, size = " ", 1
        piece += char
        size += octets
    yield piece
