"""A schedule's expression in plain English, for people who approve it."""

from __future__ import annotations

from calendar import day_name, month_name
from collections.abc import Sequence

from reconciler.quantities import counted
from reconciler.timetable.expression import Expression
from reconciler.timetable.fields import MonthDays, WeekDays

_UNITS = ("second", "minute", "hour", "day")
_DAYS, _MONTHS = tuple(day_name), tuple(month_name)
_NTH = ("", "first", "second", "third", "fourth", "fifth")


def describe(expression: Expression) -> str:
    """Say when an expression runs: "at 02:00:00 on Monday to Friday", "every 15 minutes"."""
    if expression.amounts is not None:
        named = [_amount(amount, unit) for amount, unit in zip(expression.amounts, _UNITS, strict=True) if amount]
        return "every " + _joined(named[::-1])
    time = _time(expression)
    day = _day(expression)
    if not day:
        return time if len(expression.hours) == 24 or time.startswith("every") else f"{time} every day"
    return f"{time} {day}"


def _amount(amount: int, unit: str) -> str:
    return unit if amount == 1 else counted(amount, unit)


def _time(expression: Expression) -> str:
    seconds, minutes, hours = expression.seconds, expression.minutes, expression.hours
    is_once_an_hour = len(seconds) == len(minutes) == 1
    if is_once_an_hour and (rate := _period(hours, 24, "hour")) and len(hours) > 4:
        return rate + _past_the_hour(minutes[0], seconds[0])
    if len(seconds) * len(minutes) * len(hours) <= (6 if is_once_an_hour else 4):
        times = [f"{h:02}:{m:02}:{s:02}" for h in hours for m in minutes for s in seconds]
        return "at " + _joined(times)
    if minutes == (0,) and seconds == (0,):
        return f"on the hour, {_joined(_hour_spans(hours))}"
    if seconds == (0,):
        rate = _period(minutes, 60, "minute") or f"at {_listed('minute', minutes)} of the hour"
    elif len(minutes) == 60:
        rate = _period(seconds, 60, "second") or f"at {_listed('second', seconds)} of every minute"
    else:
        rate = f"at {_listed('minute', minutes)} of the hour, {_listed('second', seconds)}"
    if len(hours) == 24:
        return rate.replace("of the hour", "of every hour")
    return f"{rate}, {_hours(hours)}"


def _past_the_hour(minute: int, second: int) -> str:
    if not minute and not second:
        return ""
    return f" at minute {minute}" + (f", second {second}" if second else "")


def _period(values: Sequence[int], size: int, unit: str) -> str:
    """ "every 15 minutes", where the values divide their field evenly from 0 on; otherwise ""."""
    step = size // len(values)
    if tuple(values) != tuple(range(0, size, step)) or size % step or len(values) < 2:
        return ""
    return "every " + _amount(step, unit)


def _hours(hours: Sequence[int]) -> str:
    spans = _spans(hours)
    if len(spans) > 3:
        return f"in the hours {_words([f'{hour:02}' for hour in hours], hours)}"
    return "from " + _joined([f"{low:02}:00 to {high:02}:59" for low, high in spans])


def _hour_spans(hours: Sequence[int]) -> list[str]:
    return [f"{low:02}:00 to {high:02}:00" if low < high else f"{low:02}:00" for low, high in _spans(hours)]


def _listed(unit: str, values: Sequence[int]) -> str:
    words = _words([str(value) for value in values], values)
    return f"{unit} {words}" if len(values) == 1 else f"{unit}s {words}"


def _day(expression: Expression) -> str:
    rule = expression.days
    month_days = [_month_days(rule.month_days)] if rule.month_days.restricted else []
    week_days = [_week_days(rule.week_days)] if rule.week_days.restricted else []
    text = " or ".join(month_days + week_days)
    if len(rule.months) < 12:
        months = _words([_MONTHS[month] for month in rule.months], rule.months)
        text = f"{text} in {months}" if text else f"every day in {months}"
    return text


def _month_days(days: MonthDays) -> str:
    parts = []
    if values := days.plain.values:
        words = _words([str(value) for value in values], values)
        parts.append(f"{'day' if len(values) == 1 else 'days'} {words} of the month")
    parts += [f"the weekday nearest to day {day} of the month" for day in days.nearest]
    parts += ["the last day of the month"] * days.last
    parts += ["the last weekday of the month"] * days.last_weekday
    return "on " + _joined(parts)


def _week_days(days: WeekDays) -> str:
    parts = []
    if days.plain.values:
        # The week begins on Monday here, so that Saturday and Sunday stand together.
        values = sorted((value - 1) % 7 for value in days.plain.values)
        parts.append(_words([_DAYS[value] for value in values], values))
    parts += [f"the {_NTH[which]} {_DAYS[day - 1]} of the month" for day, which in days.nth]
    parts += [f"the last {_DAYS[day - 1]} of the month" for day in days.last]
    return "on " + _joined(parts)


def _spans(values: Sequence[int]) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    for value in values:
        if spans and spans[-1][1] == value - 1:
            spans[-1] = (spans[-1][0], value)
        else:
            spans.append((value, value))
    return spans


def _words(names: Sequence[str], values: Sequence[int]) -> str:
    """Names in a row, three or more neighbours as "first to last"."""
    parts: list[str] = []
    for low, high in _spans(values):
        span = names[values.index(low) : values.index(high) + 1]
        parts += [f"{span[0]} to {span[-1]}"] if len(span) > 2 else span
    return _joined(parts)


def _joined(parts: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(parts[:-1]), *parts[-1:])))
