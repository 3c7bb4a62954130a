"""Simultaneous starts: which schedules start in one and the same second, and when."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass

from reconciler.calendar.job_starts import JobStarts, Pattern

THRESHOLD = 10
"""How many schedules in one second count as simultaneous starts, unless somebody says otherwise."""

_NAMED = 200
"""At most so many groups are named."""


@dataclass(frozen=True, slots=True)
class SimultaneousStarts:
    """Schedules that start in the same second, and the instants at which exactly these do."""

    members: tuple[str, ...]
    instants: tuple[int, ...]


def simultaneous_starts(job_starts: JobStarts, threshold: int) -> tuple[tuple[SimultaneousStarts, ...], int]:
    """Who starts together, `threshold` and more in one second: the largest groups first, and how many there are.

    A second that only even job_starts of less than a quarter hour share is found all the same: they differ in few
    phases, so there are few patterns of them.
    """
    sizes: Counter[int] = Counter()
    for pattern, jobs in job_starts.groups.items():
        if len(jobs) == 1:
            sizes.update(job_starts.starts[pattern])
        else:
            for instant in job_starts.starts[pattern]:
                sizes[instant] += len(jobs)
    crowded = {instant for instant, size in sizes.items() if size >= max(2, threshold)}
    if not crowded:
        return (), 0
    patterns: dict[int, list[Pattern]] = defaultdict(list)
    for pattern in job_starts.groups:
        for instant in crowded.intersection(job_starts.starts[pattern]):
            patterns[instant].append(pattern)
    together: dict[tuple[int, ...], list[int]] = defaultdict(list)
    groups = list(job_starts.groups.values())
    numbers = {pattern: number for number, pattern in enumerate(job_starts.groups)}
    for instant in sorted(crowded):
        together[tuple(numbers[pattern] for pattern in patterns[instant])].append(instant)
    order = sorted(together, key=lambda group: (-sum(len(groups[number]) for number in group), together[group][0]))
    found = tuple(
        SimultaneousStarts(
            tuple(sorted(job.address for number in group for job in groups[number])), tuple(together[group])
        )
        for group in order[:_NAMED]
    )
    return found, len(order)
