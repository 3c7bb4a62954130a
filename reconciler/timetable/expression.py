"""What ACC's `cron` text says: six-field cron or a four-field interval, read once and compared by meaning."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from reconciler.quantities import counted
from reconciler.timetable.days import DayRule, read_days
from reconciler.timetable.fields import HOUR, MINUTE, SECOND, read_values
from reconciler.timetable.timetable_error import TimetableError

_MAX_LENGTH = 1000
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_UNIT_WORDS = {"s": "second", "m": "minute", "h": "hour", "d": "day"}
_EVERY = re.compile(r"([0-9]{1,10})([smhd])")
_AMOUNT = re.compile(r"[0-9]{1,10}")
_LONGEST = timedelta(days=36525)
_SPECIAL = re.compile(r"L|LW|[0-9]+W|[0-9A-Z]+L|[0-9A-Z]+#[0-9]+")
_NAMED = re.compile(r"[A-Z]{3}(L|#[0-9]+)")
_EACH_DAY = read_days("*", "*", "*")
_DESCRIPTORS = {
    "@YEARLY": "0 0 0 1 1 *",
    "@ANNUALLY": "0 0 0 1 1 *",
    "@MONTHLY": "0 0 0 1 * *",
    "@WEEKLY": "0 0 0 * * 0",
    "@DAILY": "0 0 0 * * *",
    "@MIDNIGHT": "0 0 0 * * *",
    "@HOURLY": "0 0 * * * *",
}


@dataclass(frozen=True, slots=True)
class Expression:
    """One of ACC's two languages. Two expressions are equal when they mean the same, however they are written.

    `text` is the normal form: single spaces, upper case. `meaning` is equal exactly when the meaning is; it knows no
    clock and no zone, and is fit for digests. An interval has `amounts` (seconds, minutes, hours, days),
    their sum as `interval`, and `units`, how many of them are not zero: what ACC makes of more than one is not known.
    A cron expression has the times of day it selects (`seconds`, `minutes`, `hours`) and its `days`. `long_steps`
    names the fields whose step is longer than the field, such as `*/90` minutes.
    """

    text: str = field(compare=False)
    meaning: str
    amounts: tuple[int, int, int, int] | None = field(default=None, compare=False)
    seconds: tuple[int, ...] = field(default=(), compare=False)
    minutes: tuple[int, ...] = field(default=(), compare=False)
    hours: tuple[int, ...] = field(default=(), compare=False)
    days: DayRule = field(default=_EACH_DAY, compare=False)
    long_steps: tuple[tuple[str, int], ...] = field(default=(), compare=False)

    @property
    def is_interval(self) -> bool:
        return self.amounts is not None

    @property
    def interval(self) -> timedelta | None:
        """The length of an interval, None for cron."""
        if self.amounts is None:
            return None
        return timedelta(seconds=sum(a * unit for a, unit in zip(self.amounts, _UNITS.values(), strict=True)))

    @property
    def units(self) -> int:
        """How many units of an interval are not zero; 0 for cron."""
        return 0 if self.amounts is None else sum(amount > 0 for amount in self.amounts)

    @property
    def whole_days(self) -> int:
        """The days of an interval that is made of days alone; 0 for everything else."""
        return self.amounts[3] if self.amounts is not None and not any(self.amounts[:3]) else 0

    @property
    def has_wildcard_times(self) -> bool:
        """Whether cron describes its times of day (`*`, a range or a step) instead of naming each."""
        return self.amounts is None and any(sign in word for word in self.text.split()[:3] for sign in "*-/")

    def unpromised(self) -> Iterator[tuple[str, str]]:
        """What of a cron expression can be read, and no document promises ACC to read likewise; what to do instead.

        Promised are lists, ranges and steps of plain values, `?` in one day field, and `L`, `LW`, `15W`, `5L`, `5#3`
        each alone in its field, with a number for the weekday. All else is what schedulers commonly make of it.
        """
        words = self.text.split() if self.amounts is None else []
        for word in words[3::2]:
            items = word.split(",")
            special = [item for item in items if _SPECIAL.fullmatch(item)]
            if len(items) > 1 and special:
                yield f"{', '.join(dict.fromkeys(special))} in a list ({word})", "use one schedule for each"
            if named := next(filter(_NAMED.fullmatch, items), None):
                yield f"{named}, a weekday by its name", "write its number: 1 is Monday, 5 Friday, 0 or 7 Sunday"
        if words[3::2] == ["?", "?"]:
            yield "? in both day fields", "write * in one of them"
        for word in words:
            if "," in word and any(item.startswith("*") for item in word.split(",")):
                yield f"* in a list ({word})", "write the values out, or * alone"

    def every(self) -> str | None:
        """The interval as `every` says it ("15m"), None for cron and for an interval of several units."""
        if self.amounts is None or self.units != 1:
            return None
        return next(f"{amount}{unit}" for amount, unit in zip(self.amounts, _UNITS, strict=True) if amount)


@functools.lru_cache(maxsize=16384)
def parse(text: str) -> Expression:
    """Read ACC's `cron` text in either language. Raises `TimetableError` with the next step."""
    if len(text) > _MAX_LENGTH:
        raise TimetableError(f"a cron expression of {len(text)} characters", hint=f"at most {_MAX_LENGTH} are read")
    words = text.upper().split()
    if not text.isascii():
        raise TimetableError(f"the cron expression {_shown(text)} has characters that cron does not know")
    if words and words[0].startswith("@"):
        instead = _DESCRIPTORS.get(words[0])
        hint = f"write {instead}" if instead else "write six fields: second minute hour day month weekday"
        raise TimetableError(f"ACC does not document {words[0].lower()[:20]}", hint=hint)
    match len(words):
        case 4:
            return _interval(words)
        case 6:
            return _cron(words)
        case 5:
            hint = f"add a seconds field in front: 0 {' '.join(words)}"
            raise TimetableError(f"the cron expression {_shown(text)} has five fields", hint=hint)
        case 7:
            hint = f"ACC has no year field, leave it out: {' '.join(words[:6])}"
            raise TimetableError(f"the cron expression {_shown(text)} has seven fields", hint=hint)
        case 0:
            raise TimetableError("the cron expression is empty", hint="write six fields, such as 0 0 2 * * MON-FRI")
    hint = "write six fields (second minute hour day month weekday), or use every"
    raise TimetableError(f"the cron expression {_shown(text)} has {counted(len(words), 'field')}", hint=hint)


@functools.lru_cache(maxsize=4096)
def parse_every(text: str) -> Expression:
    """Read `every`: a number and one unit, s, m, h or d ("15m" is `0 15 0 0`). Raises `TimetableError`."""
    compact = "".join(text.lower().split()) if len(text) <= 100 else text
    match = _EVERY.fullmatch(compact)
    if not match:
        raise TimetableError(f"every cannot be {_shown(text)}", hint=_every_hint(compact))
    amounts = ["0", "0", "0", "0"]
    amounts["smhd".index(match[2])] = match[1]
    try:
        return _interval(amounts)
    except TimetableError as error:
        raise TimetableError(f"every cannot be {_shown(text)}", hint=error.hint) from None


def _cron(words: list[str]) -> Expression:
    fields = (SECOND, MINUTE, HOUR)
    second, minute, hour = times = tuple(map(read_values, words, fields))
    rule = read_days(*words[3:])
    long_steps = [(each.title, read.long_step) for each, read in zip(fields, times, strict=True) if read.long_step]
    return Expression(
        text=" ".join(words),
        meaning=f"cron {second.text} {minute.text} {hour.text} {rule.meaning}",
        seconds=second.values,
        minutes=minute.values,
        hours=hour.values,
        days=rule,
        long_steps=(*long_steps, *rule.long_steps),
    )


def _interval(words: list[str]) -> Expression:
    shown = " ".join(words)
    if not all(map(_AMOUNT.fullmatch, words)):
        hint = "four fields are an interval in numbers: seconds minutes hours days. Cron has six fields"
        raise TimetableError(f"the interval {_shown(shown)} cannot be read", hint=hint)
    seconds, minutes, hours, days = (int(word) for word in words)
    total = seconds + 60 * minutes + 3600 * hours + 86400 * days
    if total == 0:
        raise TimetableError(f"the interval {shown} is zero", hint="an interval is at least one second")
    if total > _LONGEST.total_seconds():
        raise TimetableError(f"the interval {_shown(shown)} is out of range", hint="it is longer than a century")
    amounts = (seconds, minutes, hours, days)
    if sum(amount > 0 for amount in amounts) > 1:
        meaning = f"mixed {seconds} {minutes} {hours} {days}"
    else:
        # A day keeps its time on the clock when daylight saving moves it; 24 hours do not. So they stay apart.
        meaning = f"every {days}d" if days else f"every {total}s"
    return Expression(" ".join(map(str, amounts)), meaning, amounts)


def _every_hint(compact: str) -> str:
    if week := re.fullmatch(r"([0-9]{1,4})w(eeks?)?", compact):
        return f"write {7 * int(week[1])}d"
    if compact.startswith("p"):
        compact = compact[1:].replace("t", "")
    parts = re.findall(r"([0-9]+(?:\.[0-9]+)?)([smhd])", compact)
    if parts and "".join(number + unit for number, unit in parts) == compact and len(compact) <= 9:
        total = sum(float(number) * _UNITS[unit] for number, unit in parts)
        for unit, seconds in reversed(_UNITS.items()):
            if total >= seconds and total % seconds == 0:
                return f"one whole number and one unit: {int(total // seconds)}{unit}"
    for unit, word in _UNIT_WORDS.items():
        if match := re.fullmatch(rf"([0-9]{{1,9}})({word}s?|{word[:3]}s?)", compact):
            return f"write {match[1]}{unit}"
    if re.fullmatch(r"[0-9]{1,9}", compact):
        return f"name the unit: {compact}s, {compact}m, {compact}h or {compact}d"
    return "one whole number and one unit, such as 30s, 15m, 6h or 1d"


def _shown(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")
