"""Spreads simultaneous starts over minutes, as a patch to the manifests that keeps every comment.

It proposes the same each time, and nothing once that has been followed. A schedule keeps its hour, its days and how
often it runs. Only the minute moves, within the part of the hour that its own minute lies in: with a window of 30
minutes, 02:10 stays between 02:00 and 02:29.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date, datetime

from msgspec import Struct

from reconciler.calendar.estates import declared_schedule, declared_schedules
from reconciler.calendar.forecast import common_zone, window_of
from reconciler.calendar.job_starts import THRESHOLD, Job, JobStarts, Window
from reconciler.kinds.schedule_state import ScheduleState
from reconciler.manifests.git_patch import file_patch
from reconciler.manifests.yaml_document_edit import CannotEdit, EditedFile, Obstacle
from reconciler.model.address import Address
from reconciler.model.resource import Desired, Resource
from reconciler.quantities import counted
from reconciler.timetable.timing import Timing

_MOST_STARTS = 3_000
_MINUTE = re.compile(r"(\s*\S+\s+)(\S+)(.*)", re.DOTALL)
_LIST = re.compile(r"[0-9]{1,2}(,[0-9]{1,2})*")
_STEP = re.compile(r"(\*|[0-9]{1,2})/([0-9]{1,2})")
_CLOCK = re.compile(r"([0-9]{2}:)[0-9]{2}")


class Spread(Struct, frozen=True):
    """By how many minutes each schedule should move, and the most simultaneous starts before and after."""

    shifts: Mapping[str, int]
    most_before: int
    most_after: int


class _Movable(Struct):
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
    counts = job_starts.per_second
    movable: list[_Movable] = []
    for pattern, members in job_starts.groups.items():
        starts = job_starts.starts[pattern]
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
    shifts = {one.address: one.shift for one in movable if one.shift}
    return Spread(shifts, before, max(counts.values(), default=0))


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
    if step := _STEP.fullmatch(parts[2]):
        moved = f"{(0 if step[1] == '*' else int(step[1])) + shift}/{step[2]}"
    else:
        moved = ",".join(str(int(value) + shift) for value in parts[2].split(","))
    return f"{parts[1]}{moved}{parts[3]}"


def shifted_start(text: str, start: datetime, shift: int) -> str:
    """A start as it was written, with its minute moved; a start without a time of day gets one."""
    minute = start.minute + shift
    moved, is_found = _CLOCK.subn(rf"\g<1>{minute:02}", text, count=1)
    return moved if is_found else f"{text.strip()}T{start.hour:02}:{minute:02}:00"


class SpreadOptions(Struct, frozen=True):
    """What to spread: the days that are looked at (`first`: None for today), and from how many starts in one second on.

    `minutes` is the width of the part of the hour in which a schedule may move.
    """

    first: date | None = None
    days: int = 7
    threshold: int = THRESHOLD
    minutes: int = 30


class Proposal(Struct, frozen=True):
    """A patch for `git apply` ("" when there is nothing to move), one sentence about it, and what it had to leave."""

    patch: str
    summary: str
    notes: tuple[str, ...] = ()


def propose(
    desired: Desired,
    selected: Collection[Address] | None,
    options: SpreadOptions,
    *,
    as_of: datetime,
    content_of: Callable[[str], bytes],
    path_before: str,
) -> Proposal:
    """Spread what the manifests say. Selected schedules are moved; the others count, and stay.

    `content_of` reads a manifest by its path; in the patch `path_before` stands before each path.
    """
    jobs: dict[str, Job] = {}
    resources: dict[str, Resource[ScheduleState]] = {}
    for resource in declared_schedules(desired):
        job = declared_schedule(resource).job()
        if job is not None and job.enabled:
            jobs[job.address], resources[job.address] = job, resource
    zone, _ = common_zone(job.timing for job in jobs.values())
    window = window_of(options.first or as_of.astimezone(zone).date(), options.days, zone)
    fixed = frozenset(
        name for name, resource in resources.items() if selected is not None and resource.address not in selected
    )
    found = spread(jobs.values(), window, threshold=options.threshold, minutes=options.minutes, fixed=fixed)
    if not found.shifts:
        most = f"at most {found.most_before} schedules start" if found.most_before > 1 else "no two schedules start"
        more = f"{options.threshold} and more are moved where a better minute is free"
        return Proposal("", f"nothing to spread: {most} in the same second; {more}")
    declared_at = Counter(resource.origin.place for resource in declared_schedules(desired))
    pieces: list[str] = []
    notes: list[str] = []
    by_file: dict[str, list[str]] = defaultdict(list)
    for address in sorted(found.shifts):
        by_file[resources[address].origin.path].append(address)
    for path, addresses in sorted(by_file.items()):
        file = EditedFile(content_of(path))
        stays: dict[str, str] = {}
        for address in addresses:
            origin = resources[address].origin
            if origin.item or declared_at[origin.place] > 1:
                stays[address] = f"its block {Obstacle.MADE}"
                continue
            key, obstacle = _move_start(file, resources[address], jobs[address], found.shifts[address])
            if obstacle is not None:
                stays[address] = f"its {key} {obstacle}"
        try:
            _ = file.text
            pieces.append(file_patch(f"{path_before}{path}", file.before, file.splices()))
        except CannotEdit as error:
            stays = dict.fromkeys(addresses, f"its file {error.obstacle}")
        notes += [f"{address} ({resources[address].origin}) stays: {why}" for address, why in stays.items()]
    moved = counted(len(found.shifts) - len(notes), "schedule")
    summary = (
        f"moves {moved} by minutes: the most simultaneous starts go from {found.most_before} to {found.most_after}"
    )
    return Proposal("".join(pieces), summary, tuple(notes))


def _move_start(
    file: EditedFile, resource: Resource[ScheduleState], job: Job, shift: int
) -> tuple[str, Obstacle | None]:
    """Move a schedule in its file. Returns the key that decides when it starts, and why that stays as it is, if so."""
    key = "startTime" if job.timing.expression.is_interval else "cron"
    written = resource.state.written
    value = written.rhythm if key == "cron" else written.start_time
    moved = shifted_cron(value, shift) if key == "cron" else shifted_start(value, job.timing.start, shift)
    block = file.mapping_at(resource.origin.line, resource.origin.column)
    if block is None:
        return key, Obstacle.ELSEWHERE
    document, path = block[0], (*block[1], key)
    if not file.is_written(document, path):
        return key, Obstacle.ELSEWHERE
    if file.value_at(document, path) != value:
        return key, Obstacle.COMPOSED
    try:
        file.set_value(document, path, moved)
    except CannotEdit as error:
        return key, error.obstacle
    return key, None
