"""Which schedules there are: in the manifests, in ACC, or in ACC once a plan was applied."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TypeAlias

from msgspec import Struct

from reconciler.calendar.job_starts import Job
from reconciler.kinds import schedule
from reconciler.kinds.schedule_state import ScheduleState, timing
from reconciler.model.address import Address
from reconciler.model.live import Live
from reconciler.model.plan import Plan
from reconciler.model.resource import Desired, Resource
from reconciler.timetable import Timing


class KnownSchedule(Struct, frozen=True):
    """A schedule of an estate: when it runs (`timing` None: cannot be read), and whether a manifest declares it."""

    address: str
    agent_path: str
    timing: Timing | None
    enabled: bool
    managed: bool

    def job(self, duration_seconds: int | None = None) -> Job | None:
        """What the calendar predicts from; None where nothing can be predicted."""
        if self.timing is None or self.timing.rules is None:
            return None
        return Job(self.address, self.agent_path, self.timing, self.enabled, duration_seconds)


Estate: TypeAlias = Mapping[tuple[str, str], KnownSchedule]
"""Schedules by their agent's path and their id."""


def declared_schedules(desired: Desired) -> Iterator[Resource[ScheduleState]]:
    return schedule.KIND.among(desired.resources)


def declared_schedule(resource: Resource[ScheduleState]) -> KnownSchedule:
    """A schedule as its manifest alone would make it."""
    state = schedule.KIND.whole(resource.state, None)
    return _known(str(resource.address), resource.agent_path, state, managed=True)


def declared_estate(desired: Desired, selected: Collection[Address] | None) -> Estate:
    """What the manifests declare."""
    return {
        (resource.agent_path, resource.identity): declared_schedule(resource)
        for resource in declared_schedules(desired)
        if selected is None or resource.address in selected
    }


def live_estate(
    desired: Desired, live: Live, selected: Collection[Address] | None = None, paths: Collection[str] | None = None
) -> Estate:
    """All live schedules, or those of some agents, by the address of their manifest, else by their agent and id."""
    declared = {(resource.agent_path, resource.identity): resource.address for resource in declared_schedules(desired)}
    handles = {agent.path: agent.handle for agent in desired.agents}
    found: dict[tuple[str, str], KnownSchedule] = {}
    for path, view in live.agents.items():
        if paths is not None and path not in paths:
            continue
        for identity, one in schedule.KIND.live_of(view).items():
            address = declared.get((path, identity))
            if selected is not None and address not in selected:
                continue
            shown = address or Address(schedule.KIND.name, handles.get(path, path), identity)
            found[path, identity] = _known(str(shown), path, one.state, managed=address is not None)
    return found


def after_plan(before: Estate, plan: Plan, paths: Collection[str] | None = None) -> Estate:
    """What a plan makes of an estate."""
    after = dict(before)
    for change in schedule.KIND.changes_in(plan):
        if not change.action.is_remote or (paths is not None and change.agent_path not in paths):
            continue
        key = (change.agent_path, change.identity)
        after.pop(key, None)
        if change.after is not None:
            after[key] = _known(str(change.address), change.agent_path, change.after, managed=True)
    return after


def _known(address: str, path: str, state: ScheduleState | None, *, managed: bool) -> KnownSchedule:
    assert state is not None
    # A product that does not say whether a schedule is enabled is taken to run it.
    return KnownSchedule(address, path, timing(state), state.enabled is not False, managed)
