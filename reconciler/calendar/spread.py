"""Spreads simultaneous starts over minutes: the same proposal each time, and none once it has been followed.

A schedule keeps its hour, its days and how often it runs. Only the minute moves, within the part of the hour that its
own minute lies in: with a window of 30 minutes, 02:10 stays between 02:00 and 02:29.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from reconciler.calendar.job_starts import Job, JobStarts, Window
from reconciler.timetable.timing import Timing

_MOST_STARTS = 3_000
_MINUTE = re.compile(r"(\s*\S+\s+)(\S+)(.*)", re.DOTALL)
_LIST = re.compile(r"[0-9]{1,2}(,[0-9]{1,2})*")
_STEP = re.compile(r"(\*|[0-9]{1,2})/([0-9]{1,2})")
_CLOCK = re.compile(r"(.*[0-9]{2}:)([0-9]{2})(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Spread:
    """By how many minutes each schedule should move, and the most simultaneous starts before and after."""

    shifts: Mapping[str, int]
    most_before: int
    most_after: int


@dataclass(slots=True)
class _Movable:
    address: str
    starts: Sequence[int]
    low: int
    high: int
    seed: int
    shift: int = 0


def spread(
    jobs: Iterable[Job], window: Window, *, threshold: int, minutes: int, fixed: frozenset[str] = frozenset()
) -> Spread:
    """Move whoever starts with `threshold` and more in one second to the least crowded of `minutes`.

    Which of equally crowded minutes a schedule gets is decided by a hash of its address. Schedules that take part in
    no simultaneous start stay where they are, and so do the addresses in `fixed`, which only count.
    """
    job_starts = JobStarts(jobs, window)
    counts: Counter[int] = Counter()
    movable: list[_Movable] = []
    for pattern, members in job_starts.groups.items():
        starts = job_starts.starts[pattern]
        for instant in starts:
            counts[instant] += len(members)
        room = room_of(members[0].timing, minutes)
        if room is not None and 0 < len(starts) <= _MOST_STARTS:
            movable += [
                _Movable(job.address, starts, *room, seed=_seed(job.address))
                for job in members
                if job.address not in fixed
            ]
    movable.sort(key=lambda one: (one.seed, one.address))
    before = max(counts.values(), default=0)
    crowded: set[int] = set()
    while True:
        # A move can crowd a second that was none before, so look again until nothing joins and nothing moves.
        crowded.update(number for number, one in enumerate(movable) if _crowd(one, counts) >= threshold)
        if not sum(_move(movable[number], counts) for number in sorted(crowded)):
            break
    return Spread(
        {one.address: one.shift for one in sorted(movable, key=lambda one: one.address) if one.shift},
        before,
        max(counts.values(), default=0),
    )


def _crowd(one: _Movable, counts: Counter[int]) -> int:
    """The most schedules that start together with this one, itself included."""
    return max(counts[instant + 60 * one.shift] for instant in one.starts)


def _move(one: _Movable, counts: Counter[int]) -> bool:
    """Move one schedule to its best minute, if any is better than its own. Each move makes a sum smaller."""
    here = [instant + 60 * one.shift for instant in one.starts]
    crowd = max(counts[instant] for instant in here)
    if crowd < 2:
        return False
    for instant in here:
        counts[instant] -= 1
    weight = sum(counts[instant] for instant in here)
    width = one.high - one.low + 1
    best, best_crowd = one.shift, crowd
    known = counts.get
    for step in range(width):
        shift = one.low + (one.seed + step) % width
        offset = 60 * shift
        if any(known(instant + offset, 0) + 1 >= best_crowd for instant in one.starts):
            continue
        there = [known(instant + offset, 0) for instant in one.starts]
        if sum(there) < weight:
            best, best_crowd = shift, max(there) + 1
    moved = best != one.shift
    one.shift = best
    for instant in one.starts:
        counts[instant + 60 * best] += 1
    return moved


def _seed(address: str) -> int:
    return int.from_bytes(hashlib.sha256(address.encode("utf-8", "backslashreplace")).digest()[:8])


def room_of(timing: Timing, minutes: int) -> tuple[int, int] | None:
    """By how many minutes a timing may move, down and up; None where it cannot move without becoming another rhythm."""
    expression = timing.expression
    if expression.interval is not None:
        length = int(expression.interval.total_seconds()) // 60
        return _within(timing.start.minute, min(minutes, length), 60)
    field = expression.text.split()[1]
    if _LIST.fullmatch(field):
        values = sorted(map(int, field.split(",")))
        room = _within(values[0], minutes, 60)
        return None if room is None else (room[0], min(room[1], 59 - values[-1]))
    step = _STEP.fullmatch(field)
    if step is None:
        return None
    first, length = 0 if step[1] == "*" else int(step[1]), int(step[2])
    if not length or 60 % length or first >= length:
        return None
    return _within(first, min(minutes, length), length)


def _within(minute: int, width: int, end: int) -> tuple[int, int] | None:
    """The room around a minute in its own part of the hour, when the hour is cut into parts of this width."""
    if width < 2:
        return None
    begin = minute // width * width
    return begin - minute, min(begin + width, end) - 1 - minute


def shifted_cron(text: str, shift: int) -> str:
    """A cron text with its minutes moved, and everything else as it was written."""
    parts = _MINUTE.fullmatch(text)
    assert parts is not None
    field = parts[2]
    step = _STEP.fullmatch(field)
    if step is not None:
        moved = f"{(0 if step[1] == '*' else int(step[1])) + shift}/{step[2]}"
    else:
        moved = ",".join(str(int(value) + shift) for value in field.split(","))
    return f"{parts[1]}{moved}{parts[3]}"


def shifted_start(text: str, start: datetime, shift: int) -> str:
    """A start as it was written, with its minute moved; a start without a time of day gets one."""
    parts = _CLOCK.fullmatch(text) if text.count(":") == 1 else _CLOCK.fullmatch(text.rpartition(":")[0])
    minute = start.minute + shift
    if parts is None:
        return f"{text.strip()}T{start.hour:02}:{minute:02}:00"
    rest = text[len(parts[0]) :]
    return f"{parts[1]}{minute:02}{parts[3]}{rest}"
