"""A short name for a schedule after when it runs: `daily-0230`, `every-15m`, `weekdays-0900`, `monthly-1-0300`."""

from __future__ import annotations

from calendar import day_abbr, day_name, month_abbr
from collections.abc import Sequence

from reconciler.timetable.days import DayRule
from reconciler.timetable.expression import Expression
from reconciler.timetable.fields import MonthDays, WeekDays
from reconciler.timetable.timing import Timing

_UNITS = "smhd"
_MOST_TIMES = 3
_MOST_DAYS = 4
_LONGEST = 32
_DAYS = tuple(name.lower() for name in day_name)
_SHORT_DAYS = tuple(name.lower() for name in day_abbr)
_MONTHS = tuple(name.lower() for name in month_abbr)
_NTH = ("", "first", "second", "third", "fourth", "fifth")
_QUARTERS = ((1, 4, 7, 10), (2, 5, 8, 11), (3, 6, 9, 12))
_OTHER_DAYS = "some-days"


def short_name(timing: Timing) -> str:
    """A valid name of at most 80 characters that tells people when a schedule runs, on the clock of its own zone.

    Equal timings have equal names; different ones may share one. What takes too long to say is counted
    (`weekdays-12-times`) or left open (`some-days-0230`).
    """
    expression = timing.expression
    if expression.amounts is not None:
        return _interval(expression.amounts, timing)
    day, time = _day(expression.days), _time(expression)
    if not day:
        is_rate = time.startswith(("every-", "hourly"))
        return time if is_rate and len(expression.hours) in (24, _steps(expression.hours, 24)) else f"daily-{time}"
    return f"{day}-{time}"


def _interval(amounts: Sequence[int], timing: Timing) -> str:
    """Intervals of days keep the clock that they begin on, so it is said; of all others only the length is."""
    seconds, minutes, hours, days = amounts
    if days and not (seconds or minutes or hours):
        clock = _clock(timing.start.hour, timing.start.minute, timing.start.second)
        if days == 1:
            return f"daily-{clock}"
        return f"{_DAYS[timing.start.weekday()]}s-{clock}" if days == 7 else f"every-{days}d-{clock}"
    if timing.expression.units == 1:
        length = seconds + 60 * minutes + 3600 * hours
        if length == 3600:
            return "hourly"
        size, unit = next((size, unit) for size, unit in ((3600, "h"), (60, "m"), (1, "s")) if length % size == 0)
        return f"every-{length // size}{unit}"
    said = [f"{amount}{unit}" for amount, unit in zip(amounts, _UNITS, strict=True) if amount]
    return "every-" + "-".join(reversed(said))


# --- the time of day -------------------------------------------------------------------------------------------------


def _time(expression: Expression) -> str:
    seconds, minutes, hours = expression.seconds, expression.minutes, expression.hours
    count = len(seconds) * len(minutes) * len(hours)
    if count <= _MOST_TIMES:
        return "-".join(_clock(hour, minute, second) for hour in hours for minute in minutes for second in seconds)
    span = _span(hours)
    if len(minutes) == len(seconds) == 1:
        past = _past(minutes[0], seconds[0])
        if span is not None:
            return f"hourly{past}{span}"
        if step := _steps(hours, 24):
            return f"every-{24 // step}h{past}" + (f"-from-{hours[0]:02}" if hours[0] else "")
    elif span is not None and len(seconds) == 1 and (step := _steps(minutes, 60)):
        return f"every-{60 // step}m{span}"
    elif span is not None and len(minutes) == 60 and (step := _steps(seconds, 60)):
        return f"every-{60 // step}s{span}"
    return f"{count}-times"


def _clock(hour: int, minute: int, second: int) -> str:
    return f"{hour:02}{minute:02}" + (f"{second:02}" if second else "")


def _past(minute: int, second: int) -> str:
    """At which minute of the hour, where it is not the full one."""
    return f"-at-{minute:02}" + (f"{second:02}" if second else "") if minute or second else ""


def _steps(values: Sequence[int], size: int) -> int:
    """How many values there are, where they divide their field evenly; otherwise 0."""
    count = len(values)
    step = size // count
    is_even = count > 1 and size % count == 0 and tuple(values) == tuple(range(values[0], size, step))
    return count if is_even else 0


def _span(hours: Sequence[int]) -> str | None:
    """The hours as `-from-09-to-17`, "" for all of them; None where they are not in a row."""
    if len(hours) == 24:
        return ""
    if hours[-1] - hours[0] + 1 != len(hours):
        return None
    return f"-from-{hours[0]:02}-to-{hours[-1]:02}" if len(hours) > 1 else f"-in-{hours[0]:02}"


# --- the days --------------------------------------------------------------------------------------------------------


def _day(rule: DayRule) -> str:
    """The days, "" for every day."""
    months = "" if len(rule.months) == 12 else _months(rule.months)
    by_date, by_weekday = rule.month_days, rule.week_days
    if rule.both_restricted or months is None:
        return _OTHER_DAYS
    said = _month_days(by_date, rule.months) if by_date.restricted else ""
    if by_weekday.restricted:
        said = _week_days(by_weekday)
    if said is None:
        return _OTHER_DAYS
    if not said:
        return f"daily-in-{months}" if months else ""
    if months and not said.startswith(("yearly", "quarterly")):
        said = f"{said}-in-{months}"
    return said if len(said) <= _LONGEST else _OTHER_DAYS


def _months(months: Sequence[int]) -> str | None:
    """`jan-jul`, `mar-to-oct`; None where there are too many to name."""
    return _listed(months, [_MONTHS[month] for month in months])


def _month_days(days: MonthDays, months: Sequence[int]) -> str | None:
    if len(days.plain.values) == 31:
        return ""
    said = [str(day) for day in days.plain.values]
    said += [f"weekday-near-{day}" for day in days.nearest]
    said += ["last"] * days.last + ["last-weekday"] * days.last_weekday
    is_plain = len(said) == len(days.plain.values)
    listed = _listed(days.plain.values, said) if is_plain else "-".join(said) if len(said) <= _MOST_DAYS else None
    if listed is None:
        return None
    if len(months) == 1:
        return f"yearly-{_MONTHS[months[0]]}-{listed}"
    return f"quarterly-{listed}" if tuple(months) == _QUARTERS[0] else f"monthly-{listed}"


def _week_days(days: WeekDays) -> str | None:
    values = sorted((value - 1) % 7 for value in days.plain.values)
    special = [f"{_NTH[which]}-{_DAYS[day - 1]}" for day, which in days.nth]
    special += [f"last-{_DAYS[day - 1]}" for day in days.last]
    if special:
        return None if values or len(special) > 2 else f"monthly-{'-'.join(special)}"
    if values == [0, 1, 2, 3, 4]:
        return "weekdays"
    if values == [5, 6]:
        return "weekends"
    if len(values) == 1:
        return f"{_DAYS[values[0]]}s"
    return "" if len(values) == 7 else _listed(values, [_SHORT_DAYS[value] for value in values])


def _listed(values: Sequence[int], names: Sequence[str]) -> str | None:
    """Some names in a row, three or more neighbours as `first-to-last`; None where there are too many."""
    if len(values) > 2 and values[-1] - values[0] + 1 == len(values):
        return f"{names[0]}-to-{names[-1]}"
    return "-".join(names) if len(names) <= _MOST_DAYS else None
