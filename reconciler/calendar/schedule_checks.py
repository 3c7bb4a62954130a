"""What a plan, or the manifests, would run into: blackouts of the project, collisions within an agent, and more
schedules that start in the same second than before.

A blackout with the policy `warn` only tells. With `block`, `validate` reports an error, and a plan is refused (exit 3)
when it creates, enables or retimes a schedule that would run inside. A schedule that the plan does not touch, or whose
timing it leaves alone, is told of and never in the way: refusing the plan would not stop its runs, and would hold up
the very change that somebody makes to get ready for the blackout.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from msgspec import Struct

from reconciler import planner
from reconciler.calendar.blackout_periods import ComingBlackout, coming, inside_text, runs_inside
from reconciler.calendar.collisions import collisions, overcrowded
from reconciler.calendar.estates import (
    Estate,
    KnownSchedule,
    after_plan,
    declared_schedule,
    declared_schedules,
    live_estate,
)
from reconciler.calendar.job_starts import THRESHOLD, Job, JobStarts, Window, simultaneous_starts
from reconciler.causes import said
from reconciler.kinds import schedule
from reconciler.manifests.problems import Problems
from reconciler.model.plan import Action, Change, Finding, Plan
from reconciler.model.project import Blackout
from reconciler.model.resource import Desired, Problem, Severity
from reconciler.quantities import first_few, times_text

_DAYS = 7
_DAY = 86400
_MANY_CHANGES = 1_000
_TIMING = {"cron", "every", "startTime", "timeZone", "enabled"}
_NAMED = 3


class ScheduleFindings(Struct, frozen=True):
    """What to tell about a plan, and why it must not run."""

    warnings: tuple[Finding, ...] = ()
    refusals: tuple[Finding, ...] = ()


def of_manifests(desired: Desired, *, as_of: datetime) -> tuple[Problem, ...]:
    """What the manifests would run inside a blackout, at the place of its schedule."""
    blackouts = _coming(desired, as_of)
    if not blackouts:
        return ()
    found = Problems()
    for resource in declared_schedules(desired):
        for blackout, message in _inside(declared_schedule(resource), blackouts):
            address, severity = str(resource.address), Severity.ERROR if blackout.blocks else Severity.WARNING
            found.add_at(resource.origin, "blackout", _next_step(message), address=address, severity=severity)
    return found.sorted()


def of_plan(inputs: planner.PlanInputs, plan: Plan) -> ScheduleFindings:
    """What this plan would run into. Without blackouts, only agents whose schedules change cost anything."""
    if inputs.destroy:
        return ScheduleFindings()
    retimed = {
        str(change.address): change.agent_path
        for change in schedule.KIND.changes_in(plan)
        if _retimes(change) and change.after is not None and change.after.enabled
    }
    warnings: list[Finding] = []
    refusals: list[Finding] = []
    blackouts = _coming(inputs.desired, inputs.as_of)
    if blackouts:
        shown = after_plan(live_estate(inputs.desired, inputs.live, inputs.selected), plan)
        for known in shown.values():
            for blackout, message in _inside(known, blackouts) if known.managed else ():
                refused = blackout.blocks and known.address in retimed
                told = Finding("blackout", known.address, said(_next_step(message) if refused else message))
                (refusals if refused else warnings).append(told)
    if retimed:
        warnings.extend(_crowding(inputs, plan, retimed))
    return ScheduleFindings(tuple(sorted(warnings)), tuple(sorted(refusals)))


def _retimes(change: Change) -> bool:
    if change.action in (Action.CREATE, Action.ENABLE):
        return True
    return change.action is Action.UPDATE and any(field.path in _TIMING for field in change.fields)


def _next_step(message: str) -> str:
    return f"{message}. Move it, disable it, or name it in the blackout's `exclude`"


# --- blackouts -------------------------------------------------------------------------------------------------------


def _coming(desired: Desired, as_of: datetime) -> tuple[ComingBlackout, ...]:
    found = (coming(blackout, as_of) for blackout in desired.project.blackouts)
    return tuple(each for each in found if each.periods)


def _inside(known: KnownSchedule, blackouts: Iterable[ComingBlackout]) -> Iterator[tuple[Blackout, str]]:
    if not known.enabled or known.timing is None:
        return
    for one in blackouts:
        inside = runs_inside(known.timing, one) if one.covers(known.address) else None
        if inside is not None:
            yield one.blackout, inside_text(one.blackout, inside, known.timing)


# --- collisions and simultaneous starts ------------------------------------------------------------------------------


def _crowding(inputs: planner.PlanInputs, plan: Plan, retimed: Mapping[str, str]) -> Iterator[Finding]:
    """New collisions, and a new most of simultaneous starts, on the agents whose schedules change.

    Starts alone count: no run is looked up.
    """
    days = _DAYS if len(retimed) <= _MANY_CHANGES else 1
    # Whole days, and no moment in the words: the same plan made again an hour later has to read the same.
    begin = int(inputs.as_of.timestamp()) // _DAY * _DAY
    window = Window(begin, begin + days * _DAY)
    paths = set(retimed.values())
    estate = live_estate(inputs.desired, inputs.live, paths=paths)
    before, after = _jobs(estate), _jobs(after_plan(estate, plan, paths))
    starts_before, starts_after = JobStarts(before, window), JobStarts(after, window)
    known = {(found.one, found.other) for found in collisions(before, starts_before)}
    partners: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for found in collisions(after, starts_after):
        if (found.one, found.other) in known or found.one == found.other:
            continue
        mine, other = (found.one, found.other) if found.one in retimed else (found.other, found.one)
        if mine in retimed:
            partners[mine].append((other, found.times))
    for told in overcrowded(after):
        yield Finding("collision", "", said(told))
    for mine, others in sorted(partners.items()):
        yield Finding("collision", mine, said(_together(others, days)))
    groups, _ = simultaneous_starts(starts_after, THRESHOLD)
    members = groups[0].members if groups else ()
    if len(members) > max(starts_before.per_second.values(), default=0):
        message = (
            f"a new peak: {len(members):,} schedules start in the same second; this plan sets "
            f"{sum(name in retimed for name in members)} of them. "
            "`reconciler calendar --source desired --spread` proposes other minutes"
        )
        yield Finding("collision", "", said(message))


def _together(others: list[tuple[str, int]], days: int) -> str:
    others.sort()
    named = first_few([name for name, _ in others], _NAMED)
    often = times_text(sum(times for _, times in others))
    span = "a day" if days == 1 else f"{days} days"
    return f"starts at the same instant as {named}, {often} in {span}: ACC runs one job of an agent at a time"


def _jobs(estate: Estate) -> list[Job]:
    found = (known.job() for known in estate.values() if known.enabled)
    return [job for job in found if job is not None]
