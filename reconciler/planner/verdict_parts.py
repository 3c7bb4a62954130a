"""What the verdicts on declared resources of every kind have in common."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from reconciler.causes import Cause, Why, because
from reconciler.diff import digest
from reconciler.kind import Decision
from reconciler.model.copies import replace
from reconciler.model.entry import Entry
from reconciler.model.live import Observation
from reconciler.model.plan import BlockedResource, Change, FieldChange, Reason
from reconciler.model.resource import Resource
from reconciler.model.state import State
from reconciler.planner.inputs import LedgerLoss
from reconciler.planner.server_ids import IdHolders, ServerAssigned


class Overview(Struct, frozen=True):
    """What one look at all of the inputs says about every resource in them.

    `unremembered` is, by agent path, a schedule of ours that no manifest declares, where a lost ledger knew whether it
    was protected.
    """

    loss: LedgerLoss
    server_assigned: ServerAssigned
    holders: IdHolders
    unremembered: Mapping[str, str]


def blocked(resource: Resource, reason: Reason, why: Why) -> BlockedResource:
    return BlockedResource(resource.address, reason, why, resource.origin)


def located(fields: tuple[FieldChange, ...], resource: Resource) -> tuple[FieldChange, ...]:
    """The fields, those with their place that the resource has from a template or from defaults."""
    inherited = resource.inherited
    return tuple(
        replace(one, origin=inherited[one.path]) if one.after is not None and one.path in inherited else one
        for one in fields
    )


def unreadable(resource: Resource, observed: Observation) -> BlockedResource:
    why = because(Cause.AGENT_UNREAD, said=observed.problem, agent=resource.agent_path)
    return blocked(resource, Reason.UNREADABLE, why)


def decided(
    resource: Resource,
    decision: Decision[State],
    reason: tuple[Reason, Why | None],
    entry: Entry | None,
    *,
    agent_id: str = "",
) -> Change:
    """The change that a kind decided on, resting on the entry as it was: no product shows the state."""
    return Change(
        address=resource.address,
        action=decision.action,
        reason=reason[0],
        why=reason[1],
        fields=located(decision.fields, resource),
        after=decision.after,
        agent_path=resource.agent_path,
        agent_id=agent_id,
        basis="absent"
        if entry is None
        else digest([entry.declared, dict(entry.applied), entry.settled, entry.memo.to_json()]),
        needs=resource.needs,
        origin=resource.origin,
    )
