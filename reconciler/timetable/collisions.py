"""Which schedules of one agent are in each other's way: ACC runs one job of an agent at a time."""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reconciler.timetable.instants import count_between
from reconciler.timetable.load import Job, Rhythms

_WALKED = 20_000


@dataclass(frozen=True, slots=True, order=True)
class Collision:
    """Two schedules of one agent whose runs would overlap, in the order of their addresses; or one with itself.

    `times` counts the pairs of runs that overlap (`at_least` when only the first were counted), `first` is the instant
    at which both are due for the first time. `durations_known` is false where at least one run was taken for a moment.
    """

    agent_path: str
    first: int
    one: str
    other: str
    times: int
    at_least: bool = False
    durations_known: bool = False


def collisions(jobs: Iterable[Job], rhythms: Rhythms) -> tuple[Collision, ...]:
    """All collisions in the window, agent by agent, earliest first.

    A run takes as long as its duration says; where that is not known it is taken for a moment, so that only what
    starts inside the other run, or at the same instant, counts. A schedule whose run outlasts its own rhythm collides
    with itself.
    """
    agents: dict[str, list[Job]] = defaultdict(list)
    for job in jobs:
        if job.enabled:
            agents[job.agent_path].append(job)
    found: list[Collision] = []
    for path in sorted(agents):
        members = sorted(agents[path], key=lambda job: job.address)
        for index, one in enumerate(members):
            starts = rhythms.of(one)
            found.extend(_with_itself(one, starts))
            for other in members[index + 1 :]:
                found.extend(_of_two(one, starts, other, rhythms.of(other)))
    return tuple(sorted(found))


def _of_two(one: Job, one_starts: Sequence[int], other: Job, other_starts: Sequence[int]) -> tuple[Collision, ...]:
    if not one_starts or not other_starts:
        return ()
    sparse, dense = (one, other) if len(one_starts) <= len(other_starts) else (other, one)
    starts, others = (one_starts, other_starts) if sparse is one else (other_starts, one_starts)
    own, theirs = sparse.duration_seconds or 1, dense.duration_seconds or 1
    times, first = 0, None
    walked = starts[:_WALKED]
    if own == theirs == 1:
        common = (
            [start for start in walked if start in others] if isinstance(others, range) else _common(walked, others)
        )
        times, first = len(common), min(common, default=None)
        walked = ()
    for start in walked:
        number = count_between(others, start - theirs + 1, start + own)
        if number:
            times += number
            if first is None:
                first = max(start, _first_from(others, start - theirs + 1))
    if first is None:
        return ()
    known = one.duration_known and other.duration_known
    return (Collision(one.agent_path, first, one.address, other.address, times, len(starts) > _WALKED, known),)


def _with_itself(job: Job, starts: Sequence[int]) -> tuple[Collision, ...]:
    duration = job.duration_seconds or 1
    if duration <= 1 or len(starts) < 2:
        return ()
    if isinstance(starts, range):
        times = len(starts) - 1 if starts.step < duration else 0
        first = starts[1] if times else 0
    else:
        late = [after for before, after in itertools.pairwise(starts) if after - before < duration]
        times, first = len(late), late[0] if late else 0
    return (Collision(job.agent_path, first, job.address, job.address, times, durations_known=True),) if times else ()


def _common(starts: Sequence[int], others: Sequence[int]) -> set[int]:
    return set(starts).intersection(others)


def _first_from(starts: Sequence[int], moment: int) -> int:
    return starts[bisect_left(starts, moment)]
