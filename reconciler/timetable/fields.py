"""One field of a cron expression: what may stand in it, and what it selects.

The grammar is the one that the vendor documents for the product before ACC: values, lists `a,b`, ranges `a-b`, steps
`*/n`, `a/n` and `a-b/n`, names of months and weekdays; `?`, `L`, `LW` and `15W` for days of the month; `?`, `5L` and
`5#3` for weekdays. What it leaves open is refused with a hint rather than guessed.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence

from msgspec import Struct

from reconciler.timetable.timetable_error import TimetableError

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")


class Field(Struct, frozen=True, eq=False):
    """What a field is called, its lowest and highest value, and its names with the number of the first one.

    `top` is the highest value that may be written: weekdays have 7 as a second way to say Sunday.
    """

    title: str
    low: int
    high: int
    top: int
    names: tuple[str, ...] = ()
    example: str = ""


SECOND = Field("second", 0, 59, 59, example="0, 0,30 or */15")
MINUTE = Field("minute", 0, 59, 59, example="0, 0,30 or */15")
HOUR = Field("hour", 0, 23, 23, example="2, 8-18 or */6")
DAY = Field("day of month", 1, 31, 31, example="*, 1,15, L, LW or 15W")
MONTH = Field("month", 1, 12, 12, MONTHS, example="*, 1-6 or JAN,JUL")
WEEKDAY = Field("day of week", 0, 6, 7, WEEKDAYS, example="*, MON-FRI, 5L or 5#3")


class Values(Struct, frozen=True):
    """The plain values of a field, sorted, and the one `text` of them: `*` for all. `long_step` never comes round."""

    values: tuple[int, ...]
    text: str
    long_step: int = 0


class MonthDays(Struct, frozen=True):
    """Days of the month: plain ones, the weekdays nearest to `nearest`, the last day, the last Monday-to-Friday."""

    plain: Values
    nearest: tuple[int, ...]
    last: bool
    last_weekday: bool
    restricted: bool

    @property
    def text(self) -> str:
        """The one text of what the field selects."""
        nearest = [f"{day}W" for day in self.nearest]
        return ",".join(filter(None, [self.plain.text, "L" * self.last, "LW" * self.last_weekday, *nearest]))


class WeekDays(Struct, frozen=True):
    """Weekdays (0 is Sunday): plain ones, the n-th of the month as (weekday, n), and the last of the month."""

    plain: Values
    nth: tuple[tuple[int, int], ...]
    last: tuple[int, ...]
    restricted: bool

    @property
    def text(self) -> str:
        """The one text of what the field selects."""
        last, nth = [f"{day}L" for day in self.last], [f"{day}#{which}" for day, which in self.nth]
        return ",".join(filter(None, [self.plain.text, *last, *nth]))


_ITEM = re.compile(r"(?P<first>[0-9]+|[A-Z]+|\*)(?:-(?P<end>[0-9]+|[A-Z]+))?(?:/(?P<step>[0-9]+))?")
_NEAREST = re.compile(r"([0-9]+)W")
_NTH = re.compile(r"([0-9]+|[A-Z]+)#([0-9]+)")
_LAST = re.compile(r"([0-9]+|[A-Z]{3})L")
_ALL = ("*", "*/1")


# A field has few texts, and an estate repeats them tens of thousands of times: so each is read once.


@functools.lru_cache(maxsize=16384)
def read_values(text: str, field: Field) -> Values:
    """Read a field that takes plain values alone. Raises `TimetableError`."""
    return _read(text, field, lambda item: False)


@functools.lru_cache(maxsize=4096)
def read_month_days(text: str) -> MonthDays:
    """Read a day-of-month field. Raises `TimetableError`."""
    nearest: set[int] = set()
    ends: set[str] = set()

    def take(item: str) -> bool:
        if item in ("L", "LW"):
            ends.add(item)
        elif match := _NEAREST.fullmatch(item):
            nearest.add(_number(match[1], DAY, text))
        elif item.startswith("L-"):
            raise _error(DAY, text, f"has {item}, a count back that ACC documents nowhere", "write L or LW")
        else:
            return False
        return True

    plain = _read(text, DAY, take)
    return MonthDays(plain, tuple(sorted(nearest)), "L" in ends, "LW" in ends, restricted=text not in (*_ALL, "?"))


@functools.lru_cache(maxsize=4096)
def read_week_days(text: str) -> WeekDays:
    """Read a day-of-week field; 0 and 7 are Sunday. Raises `TimetableError`."""
    nth: set[tuple[int, int]] = set()
    last: set[int] = set()

    def take(item: str) -> bool:
        if match := _NTH.fullmatch(item):
            which = int(match[2][:4])
            if not 1 <= which <= 5:
                raise _error(WEEKDAY, text, f"asks for number {which} of a month in {item}", "a month has 1 to 5: 5#3")
            nth.add((_number(match[1], WEEKDAY, text) % 7, which))
        elif match := _LAST.fullmatch(item):
            last.add(_number(match[1], WEEKDAY, text) % 7)
        elif item == "L":
            hint = "write SAT for every Saturday, 6L for the last Saturday of the month"
            raise _error(WEEKDAY, text, "has an L without a weekday", hint)
        else:
            return False
        return True

    plain = _read(text, WEEKDAY, take)
    return WeekDays(plain, tuple(sorted(nth)), tuple(sorted(last)), restricted=text not in (*_ALL, "?"))


def _read(text: str, field: Field, take: Callable[[str], bool]) -> Values:
    """Read a list. `take` gets each item first and says whether it was a special one of that field."""
    every = range(field.low, field.high + 1)
    if text in _ALL or (text == "?" and field in (DAY, WEEKDAY)):
        return Values(tuple(every), "*")
    found: set[int] = set()
    long_step = 0
    for item in text.split(","):
        if not take(item):
            values, step = _item_values(item, field, text)
            found.update(values)
            if step >= len(every):
                long_step = max(long_step, step)
    if field is WEEKDAY:
        found = {value % 7 for value in found}
    shown = "*" if len(found) == len(every) else ",".join(map(str, sorted(found)))
    return Values(tuple(sorted(found)), shown, long_step)


def _item_values(item: str, field: Field, text: str) -> tuple[Sequence[int], int]:
    match = _ITEM.fullmatch(item)
    if not match or (match["first"] == "*" and match["end"]):
        what, hint = f"cannot take {item[:20]}", f"it takes {field.low} to {field.top}, as in {field.example}"
        if not item:
            what, hint = "has an empty part", "remove the comma that is too many"
        elif "?" in item:
            hint = "? stands alone, in the day of month or the day of week"
        raise _error(field, text, what, hint)
    first, end, step_text = match["first"], match["end"], match["step"]
    step = int(step_text[:6]) if step_text else 1
    if step == 0:
        raise _error(field, text, f"has a step of 0 in {item}", "a step is 1 or more, as in */5")
    low = field.low if first == "*" else _number(first, field, text)
    if end:
        high = _number(end, field, text)
        if high < low:
            two = "two parts, as in FRI,SAT,SUN" if field is WEEKDAY else f"{low}-{field.high},{field.low}-{high}"
            raise _error(field, text, f"has a range that runs backwards: {item}", f"write {two}")
    else:
        high = max(field.high, low) if first == "*" or step_text else low
    return range(low, high + 1, step), step if step_text else 0


def _number(word: str, field: Field, text: str) -> int:
    if word[0].isdigit():
        value = int(word[:6])
        if not field.low <= value <= field.top:
            raise _error(field, text, f"has {word[:12]}", f"it takes {field.low} to {field.top}")
        return value
    if word in field.names:
        return field.names.index(word) + field.low
    if not field.names:
        hint = f"it takes numbers {field.low} to {field.top}, as in {field.example}"
        raise _error(field, text, f"has {word[:12]}", hint)
    import difflib  # only for a hint: not worth its share of every start

    near = difflib.get_close_matches(word[:3], field.names, n=1, cutoff=0.6)
    hint = (
        f"did you mean {near[0]}?" if near else f"names are {field.names[0]} to {field.names[-1]}, three letters each"
    )
    raise _error(field, text, f"has the unknown name {word[:12]}", hint)


def _error(field: Field, text: str, what: str, hint: str) -> TimetableError:
    shown = text if len(text) <= 40 else text[:37] + "..."
    place = "" if what.endswith(text) else f", in {shown}"
    return TimetableError(f"the {field.title} field {what}{place}", hint=hint)
