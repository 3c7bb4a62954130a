"""Proposes other minutes for simultaneous starts, as a patch to the manifests that keeps every comment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date, datetime

from reconciler.calendar.estates import declared_schedule, declared_schedules
from reconciler.calendar.forecast import common_zone, window_of
from reconciler.calendar.job_starts import THRESHOLD, Job
from reconciler.calendar.spread import shifted_cron, shifted_start, spread
from reconciler.kinds.schedule_state import ScheduleState
from reconciler.manifests.git_patch import file_patch
from reconciler.manifests.yaml_edit import Edit, Obstacle, YamlText
from reconciler.model import Address, Desired, Resource
from reconciler.quantities import counted


@dataclass(frozen=True, slots=True)
class SpreadOptions:
    """What to spread: the days that are looked at (`first`: None for today), and from how many starts in one second on.

    `minutes` is the width of the part of the hour in which a schedule may move.
    """

    first: date | None = None
    days: int = 7
    threshold: int = THRESHOLD
    minutes: int = 30


@dataclass(frozen=True, slots=True)
class Proposal:
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
    text_of: Callable[[str], str],
    path_before: str,
) -> Proposal:
    """Spread what the manifests say. Selected schedules are moved; the others count, and stay.

    `text_of` reads a manifest by its path; in the patch `path_before` stands before each path.
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
    pieces: list[str] = []
    notes: list[str] = []
    by_file: dict[str, list[str]] = defaultdict(list)
    for address in sorted(found.shifts):
        by_file[resources[address].origin.path].append(address)
    for path, addresses in sorted(by_file.items()):
        text = YamlText(text_of(path))
        edits: list[Edit] = []
        for address in addresses:
            key, edit = _edit(text, resources[address], jobs[address], found.shifts[address])
            if isinstance(edit, Obstacle):
                notes.append(f"{address} ({resources[address].origin}) stays: its {key} {edit}")
            else:
                edits.append(edit)
        pieces.append(file_patch(f"{path_before}{path}", text.text, text.edited(edits)))
    moved = counted(len(found.shifts) - len(notes), "schedule")
    summary = (
        f"moves {moved} by minutes: the most simultaneous starts go from {found.most_before} to {found.most_after}"
    )
    return Proposal("".join(pieces), summary, tuple(notes))


def _edit(text: YamlText, resource: Resource[ScheduleState], job: Job, shift: int) -> tuple[str, Edit | Obstacle]:
    """The key that decides when a schedule starts, and the edit that moves it."""
    key = "startTime" if job.timing.expression.is_interval else "cron"
    written = resource.state.written
    assert written is not None
    value = written.rhythm if key == "cron" else written.start_time
    moved = shifted_cron(value, shift) if key == "cron" else shifted_start(value, job.timing.start, shift)
    return key, text.edit(resource.origin.line, key, value, moved)
