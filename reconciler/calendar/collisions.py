"""Which schedules of one agent are in each other's way: ACC runs one job of an agent at a time."""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from reconciler.calendar.job_starts import Job, JobStarts
from reconciler.timetable.instants import count_between

_WALKED = 20_000
MOST_COMPARED = 500
"""So many schedules of one agent are held against each other at most."""


class Collision(Struct, frozen=True, order=True):
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
        runs = [(job, job_starts.of(job), job.duration_seconds or 1) for job in members]
        found.extend(itertools.chain.from_iterable(itertools.starmap(_with_itself, runs)))
        known: dict[tuple[int, int, int, int], tuple[int, int] | None] = {}
        for (one, starts, lasts), (other, others, theirs) in itertools.combinations(runs, 2):
            # Starts are held once for each rhythm: thousands of pairs are a few sorts of pairs.
            key = (id(starts), lasts, id(others), theirs)
            if key not in known:
                known[key] = _overlaps(starts, lasts, others, theirs)
            if told := known[key]:
                at_least = min(len(starts), len(others)) > _WALKED
                is_known = one.duration_known and other.duration_known
                found.append(Collision(path, told[1], one.address, other.address, told[0], at_least, is_known))
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


def _overlaps(starts: Sequence[int], lasts: int, others: Sequence[int], theirs: int) -> tuple[int, int] | None:
    """How many pairs of runs overlap, and when both are due first; None when none do."""
    if len(starts) > len(others):
        starts, lasts, others, theirs = others, theirs, starts, lasts
    walked = starts[:_WALKED]
    if lasts == theirs == 1:
        held = others if isinstance(others, range) else set(others)
        common = [start for start in walked if start in held]
        return (len(common), common[0]) if common else None
    times, first = 0, 0
    for start in walked:
        if number := count_between(others, start - theirs + 1, start + lasts):
            first = first or max(start, others[bisect_left(others, start - theirs + 1)])
            times += number
    return (times, first) if times else None


def _with_itself(job: Job, starts: Sequence[int], lasts: int) -> Iterator[Collision]:
    if isinstance(starts, range):
        late: Sequence[int] = starts[1:] if starts.step < lasts else ()
    else:
        late = [after for before, after in itertools.pairwise(starts) if after - before < lasts]
    if late:
        yield Collision(job.agent_path, late[0], job.address, job.address, len(late), durations_known=True)
