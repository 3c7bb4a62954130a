"""Which schedules of one agent are in each other's way: ACC runs one job of an agent at a time."""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reconciler.calendar.job_starts import Job, JobStarts
from reconciler.timetable.instants import count_between

_WALKED = 20_000
MOST_COMPARED = 500
"""So many schedules of one agent are held against each other at most."""


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


def collisions(jobs: Iterable[Job], job_starts: JobStarts) -> tuple[Collision, ...]:
    """All collisions in the window, agent by agent, earliest first.

    A run takes as long as its duration says; where that is not known it is taken for a moment, so that only what
    starts inside the other run, or at the same instant, counts. A schedule whose run outlasts its own rhythm collides
    with itself. Agents that are `overcrowded` are left out.
    """
    found: list[Collision] = []
    for path, members in sorted(_by_agent(jobs).items()):
        if len(members) > MOST_COMPARED:
            continue
        members.sort(key=lambda job: job.address)
        runs = [(job_starts.of(job), job.duration_seconds or 1) for job in members]
        known: dict[tuple[int, int, int, int], tuple[int, int] | None] = {}
        for index, one in enumerate(members):
            found.extend(_with_itself(one, runs[index][0]))
            for place in range(index + 1, len(members)):
                # Starts are held once for each rhythm: thousands of pairs are a few sorts of pairs.
                key = (id(runs[index][0]), runs[index][1], id(runs[place][0]), runs[place][1])
                if key not in known:
                    known[key] = _overlaps(*runs[index], *runs[place])
                if (told := known[key]) is not None:
                    other = members[place]
                    sparse = min(len(runs[index][0]), len(runs[place][0]))
                    is_known = one.duration_known and other.duration_known
                    collision = Collision(
                        path, told[1], one.address, other.address, told[0], sparse > _WALKED, is_known
                    )
                    found.append(collision)
    return tuple(sorted(found))


def overcrowded(jobs: Iterable[Job]) -> tuple[str, ...]:
    """What to say of agents with so many schedules that nobody could read which of them are in each other's way.

    All pairs of four thousand are eight million.
    """
    return tuple(
        f"{path} has {len(members)} schedules that are on: which are in each other's way is worked out up to "
        f"{MOST_COMPARED}"
        for path, members in sorted(_by_agent(jobs).items())
        if len(members) > MOST_COMPARED
    )


def _by_agent(jobs: Iterable[Job]) -> dict[str, list[Job]]:
    agents: dict[str, list[Job]] = defaultdict(list)
    for job in jobs:
        if job.enabled:
            agents[job.agent_path].append(job)
    return agents


def _overlaps(
    one_starts: Sequence[int], one_lasts: int, other_starts: Sequence[int], other_lasts: int
) -> tuple[int, int] | None:
    """How many pairs of runs overlap, and when both are due first; None when none do."""
    if not one_starts or not other_starts:
        return None
    is_sparse = len(one_starts) <= len(other_starts)
    starts, others = (one_starts, other_starts) if is_sparse else (other_starts, one_starts)
    own, theirs = (one_lasts, other_lasts) if is_sparse else (other_lasts, one_lasts)
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
    return None if first is None else (times, first)


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
