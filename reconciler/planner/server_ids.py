"""Schedules that ACC made under ids of its own where we sent ours: while one of them lives, nothing more is created.

The guard holds whatever the selectors leave: what it has to know is in the ledger, and the agents in question are read.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from typing import cast

from msgspec import Struct

from reconciler.identity import is_owned
from reconciler.kind import AnyObserved, KindRegistry, ObservedMemo
from reconciler.model.address import Address
from reconciler.model.entry import Entry, Memo
from reconciler.model.live import AgentView
from reconciler.model.resource import Resource
from reconciler.planner.inputs import PlanInputs


class ServerAssigned(Struct, frozen=True):
    """The ids that live, by the address that they were made for. `unread` is an agent where one may live unseen."""

    at: Mapping[Address, tuple[str, ...]] = {}
    unread: str = ""

    @property
    def living(self) -> tuple[str, ...]:
        return tuple(sorted({one for ids in self.at.values() for one in ids}))


class IdHolders(Struct, frozen=True):
    """Which agent has a schedule, by its id. `unread` is an agent that may have any."""

    paths: Mapping[str, str]
    unread: str


def holders_of(inputs: PlanInputs) -> IdHolders:
    """Look once, for all verdicts; not at all, where no manifest adopts an id."""
    if not any(resource.adopted for resource in inputs.desired.resources):
        return IdHolders({}, "")
    views = sorted((*inputs.live.agents.values(), *inputs.live.elsewhere.values()), key=lambda view: view.path)
    paths = {identity: view.path for view in reversed(views) for identity in view.identities}
    return IdHolders(paths, next((view.path for view in views if view.problem), ""))


def server_assigned(inputs: PlanInputs, kinds: KindRegistry) -> ServerAssigned:
    """Look once, for all verdicts. A schedule that a manifest declares by its id has been taken over."""
    resources = {resource.address: resource for resource in inputs.desired.resources}
    taken = {resource.identity for resource in resources.values() if resource.identity}
    living: dict[Address, tuple[str, ...]] = {}
    views = {view.agent_id: view for view in (*inputs.live.elsewhere.values(), *inputs.live.agents.values())}
    unread = ""
    for address, entry in sorted(inputs.memory.entries.items()):
        memo = entry.memo
        if not (isinstance(memo, ObservedMemo) and may_have_made_its_own(memo)):
            continue
        view = _view_of(entry, inputs, views)
        if view is None:
            continue
        if view.problem:
            unread = unread or view.path
            continue
        found = {one for one in memo.server_assigned_ids if one in view.of(address.kind)}
        if not entry.settled and address in resources and memo.ids_before is not None:
            kind = cast("AnyObserved", kinds[address.kind])
            found |= set(_unseen_until_now(memo.ids_before, resources[address], view, inputs, kind))
        if found - taken:
            living[address] = tuple(sorted(found - taken))
    return ServerAssigned(living, unread)


def _view_of(entry: Entry, inputs: PlanInputs, views: Mapping[str, AgentView]) -> AgentView | None:
    """The entry's agent as it was read, by its id; None when it is known no more, or was given up."""
    if entry.agent_path in inputs.gone_agents:
        return None
    by_id = views.get(entry.agent_id) if entry.agent_id else None
    return by_id or inputs.live.agents.get(entry.agent_path)


def _unseen_until_now(
    before: Container[str], resource: Resource, view: AgentView, inputs: PlanInputs, kind: AnyObserved
) -> Iterator[str]:
    """What a create left behind whose outcome nobody saw: schedules that were not there before, and are as declared."""
    project = inputs.desired.project
    remembered = {one.identity for one in inputs.memory.entries.values()}
    for identity, live in view.of(kind.name).items():
        if identity in before or identity in remembered or is_owned(identity, project.name, project.environment):
            continue
        if not kind.diff(live.state, resource.state, as_of=inputs.as_of):
            yield identity


def may_have_made_its_own(memo: Memo) -> bool:
    """Whether a server that does not keep our ids made, or may have made, something in place of what was created."""
    return isinstance(memo, ObservedMemo) and bool(memo.server_assigned_ids or memo.ids_before is not None)
