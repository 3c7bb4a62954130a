"""When a schedule runs, as ACC keeps it: an expression, a start on the wall clock, and a zone."""

from __future__ import annotations

import functools
import re
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from msgspec import Struct

from reconciler.timetable.expression import Expression
from reconciler.timetable.timetable_error import TimetableError
from reconciler.timetable.zones import to_windows, zone_info

_DECLARED = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[T ]([0-9]{2}:[0-9]{2})(:[0-9]{2})?)?", re.ASCII)
_RETURNED = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}:[0-9]{2})(:[0-9]{2})?(?:[.,][0-9]{1,12})?"
    r"\s*(Z|z|[+-][0-9]{2}:?[0-9]{2})?",
    re.ASCII,
)


class Timing(Struct, frozen=True):
    """An expression, its start (naive, on the zone's clock, whole seconds) and its zone (Windows id or IANA name)."""

    expression: Expression
    start: datetime
    zone: str

    @property
    def windows_zone(self) -> str:
        """The zone as ACC keeps it. A name that nothing is known about is given back as it is."""
        return windows_zone(self.zone)

    @property
    def rules(self) -> ZoneInfo | None:
        """The rules by which ACC reads the clock: those of the Windows id, all that ACC is told. None: unknown."""
        return rules_of(self.zone)


@functools.lru_cache(maxsize=4096)
def windows_zone(zone: str) -> str:
    """A zone as ACC keeps it, by its Windows id; a name that nothing is known about comes back as it is."""
    try:
        return to_windows(zone)
    except TimetableError:
        return zone.strip()


def rules_of(zone: str) -> ZoneInfo | None:
    """The rules by which ACC reads a clock of this zone: those of its Windows id. None when they are not known."""
    return zone_info(windows_zone(zone))


@functools.lru_cache(maxsize=8192)
def parse_declared_start(text: str) -> datetime:
    """Read a manifest's `startTime`: `2026-01-01T02:00:00`, naive, on the clock of the schedule's own zone.

    What people mean when they write less is taken as well: a space for the T, no seconds, no time at all (midnight).
    An offset, a `Z` and fractions of a second are refused, since `timeZone` says where the clock hangs and ACC counts
    whole seconds. Raises `TimetableError`.
    """
    asked = text.strip()
    match = _DECLARED.fullmatch(asked)
    if not match:
        hint = "write it like 2026-01-01T02:00:00"
        if returned := _RETURNED.fullmatch(asked):
            plain = f"{returned[1]}T{returned[2]}{returned[3] or ':00'}"
            hint = f"write whole seconds: {plain}"
            if returned[4]:
                hint = f"write {plain}: timeZone says which clock is meant"
        raise TimetableError(f"{asked[:60]!r} is no start time", hint=hint)
    return _moment(match[1], match[2], match[3], asked)


def parse_start(text: str, zone: str = "") -> datetime:
    """Read a start time as products return it: naive, or with an offset, and with fractions of any length.

    The result is naive and in whole seconds: fractions are dropped, since no manifest can say them and cron knows
    none. A time with an offset needs `zone`, whose clock it is put on. Raises `TimetableError`.
    """
    asked = text.strip()
    match = _RETURNED.fullmatch(asked)
    if not match:
        if _DECLARED.fullmatch(asked):
            return parse_declared_start(asked)
        raise TimetableError(f"{asked[:60]!r} is no start time", hint="expected something like 2026-01-01T02:00:00")
    naive = _moment(match[1], match[2], match[3], asked)
    if not match[4]:
        return naive
    rules = rules_of(zone)
    if rules is None:
        raise TimetableError(f"{asked[:60]!r} has an offset, and the zone {zone!r} is not known")
    offset = _offset(match[4], asked)
    try:
        return naive.replace(tzinfo=offset).astimezone(rules).replace(tzinfo=None, fold=0)
    except OverflowError:
        raise TimetableError(f"{asked[:60]!r} is outside the calendar") from None


def _moment(day: str, time: str | None, seconds: str | None, shown: str) -> datetime:
    try:
        return datetime.fromisoformat(f"{day}T{time or '00:00'}{seconds or ':00'}")
    except ValueError as error:
        raise TimetableError(f"{shown[:60]!r} is no start time: {error}") from None


def _offset(text: str, shown: str) -> timezone:
    if text in "Zz":
        return UTC
    hours, minutes = int(text[1:3]), int(text[-2:])
    if hours > 14 or minutes > 59:
        raise TimetableError(f"{shown[:60]!r} has an impossible offset")
    length = timedelta(hours=hours, minutes=minutes)
    return timezone(-length if text[0] == "-" else length)
