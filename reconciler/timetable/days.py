"""Which days of a month a cron expression selects.

When both day fields are restricted the rule is *either one*, as cron has it since Unix V7 and as the tickets of the
small .NET schedulers ask for; ACC's own answer is not known, so the caller says which rule was assumed.
A day that a month does not have never matches: 31 skips the months of 30 days, and so does 31W.
"""

from __future__ import annotations

import calendar
import functools
from collections import Counter
from dataclasses import dataclass, field
from datetime import date

from reconciler.timetable.fields import (
    DAY,
    MONTH,
    WEEKDAY,
    MonthDays,
    WeekDays,
    read_month_days,
    read_values,
    read_week_days,
)

_CYCLE_DAYS = 146097


@dataclass(frozen=True)
class DayRule:
    """The day part of a cron expression: months, days of the month, weekdays; made by `read_days`.

    `meaning` is the one text of the three fields; `long_steps` are the fields with a step longer than they are.
    """

    meaning: str
    months: tuple[int, ...]
    month_days: MonthDays
    week_days: WeekDays
    long_steps: tuple[tuple[str, int], ...] = ()
    _seen: dict[tuple[int, int], tuple[int, ...]] = field(default_factory=dict, compare=False, repr=False)

    @property
    def both_restricted(self) -> bool:
        """Whether both day fields select something, so that their combination is open."""
        return self.month_days.restricted and self.week_days.restricted

    def in_month(self, year: int, month: int) -> tuple[int, ...]:
        """The days of this month that match, in order."""
        if month not in self.months:
            return ()
        first = date(year, month, 1).weekday()
        return self.in_shape((first + 1) % 7, calendar.monthrange(year, month)[1])

    @functools.cached_property
    def share(self) -> float:
        """The share of all days that match, exact over the 400 years after which the calendar repeats."""
        shapes = ((shape, months) for shape, months in _month_shapes().items() if shape[0] in self.months)
        return sum(months * len(self.in_shape(*shape[1:])) for shape, months in shapes) / _CYCLE_DAYS

    def in_shape(self, first: int, length: int) -> tuple[int, ...]:
        """The days of a month of this length whose first day is this weekday (0 is Sunday)."""
        known = self._seen.get((first, length))
        if known is None:
            by_date = _month_days_in(self.month_days, first, length)
            by_weekday = _week_days_in(self.week_days, first, length)
            found = by_date | by_weekday if self.both_restricted else by_date & by_weekday
            known = self._seen[first, length] = tuple(sorted(found))
        return known


@functools.lru_cache(maxsize=8192)
def read_days(days: str, months: str, weekdays: str) -> DayRule:
    """Read the day part of a cron expression, upper case. Raises `TimetableError`."""
    month_days, month, week_days = read_month_days(days), read_values(months, MONTH), read_week_days(weekdays)
    days_text, weekdays_text = month_days.text, week_days.text
    if month_days.restricted and week_days.restricted:
        # ACC's rule for this is open, so the meaning keeps apart whatever a cron may: also a star with a step, which
        # some take for unrestricted.
        days_text = "~" * days.startswith("*") + days_text
        weekdays_text = "~" * weekdays.startswith("*") + weekdays_text + " both"
    plain = ((DAY, month_days.plain), (MONTH, month), (WEEKDAY, week_days.plain))
    return DayRule(
        meaning=f"{days_text} {month.text} {weekdays_text}",
        months=month.values,
        month_days=month_days,
        week_days=week_days,
        long_steps=tuple((part.title, values.long_step) for part, values in plain if values.long_step),
    )


def _month_days_in(days: MonthDays, first: int, length: int) -> set[int]:
    plain = (*days.plain.values, *[length] * days.last)
    nearest = (*days.nearest, *[length] * days.last_weekday)
    weekdays = {_nearest_weekday(day, first, length) for day in nearest if day <= length}
    return weekdays.union(day for day in plain if day <= length)


def _nearest_weekday(day: int, first: int, length: int) -> int:
    """The Monday to Friday nearest to a day, without leaving its month."""
    match (first + day - 1) % 7:
        case 6:
            return day - 1 if day > 1 else day + 2
        case 0:
            return day + 1 if day < length else day - 2
    return day


def _week_days_in(days: WeekDays, first: int, length: int) -> set[int]:
    plain = {day for day in range(1, length + 1) if (first + day - 1) % 7 in days.plain.values}
    nth = {1 + (weekday - first) % 7 + 7 * (which - 1) for weekday, which in days.nth}
    last = {length - (first + length - 1 - weekday) % 7 for weekday in days.last}
    return plain | {day for day in nth if day <= length} | last


@functools.cache
def _month_shapes() -> Counter[tuple[int, int, int]]:
    """How often each (month, weekday of its first day, length) comes in 400 years."""
    months = ((month, *calendar.monthrange(year, month)) for year in range(2000, 2400) for month in range(1, 13))
    return Counter((month, (first + 1) % 7, length) for month, first, length in months)
