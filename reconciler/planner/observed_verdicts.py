"""The verdict on a declared resource of a kind that is read back: live, desired and the ledger's entry side by side."""

from __future__ import annotations

from typing import Generic

from msgspec import Struct

from reconciler.causes import Cause, Why, because
from reconciler.diff import changes
from reconciler.identity import is_owned
from reconciler.kind import A, O, ObservedKind, S
from reconciler.model.entry import Entry
from reconciler.model.plan import Action, BlockedResource, Change, FieldChange, Reason
from reconciler.model.resource import Resource
from reconciler.planner.attribution import why_it_differs
from reconciler.planner.inputs import PlanInputs, Verdict
from reconciler.planner.server_ids import IdHolders
from reconciler.planner.verdict_parts import Overview, blocked, located, unreadable


class _Case(Struct, Generic[S, O], frozen=True):
    """One declared resource, with all that its verdict rests on."""

    resource: Resource[S]
    entry: Entry[O] | None
    agent_id: str
    inputs: PlanInputs
    kind: ObservedKind[S, O, object]

    @property
    def is_ours(self) -> bool:
        project = self.inputs.desired.project
        return self.entry is not None or is_owned(self.resource.identity, project.name, project.environment)

    def change(
        self,
        action: Action,
        reason: tuple[Reason, Why],
        *,
        before: S | None,
        after: S,
        fields: tuple[FieldChange, ...] = (),
    ) -> Change[S]:
        """The change from one full state to another, in the manifest's words and with its preview."""
        resource, kind = self.resource, self.kind
        return Change(
            address=resource.address,
            action=action,
            reason=reason[0],
            why=reason[1],
            fields=located(kind.as_written(fields, resource.state), resource),
            before=before,
            after=after,
            identity=resource.identity,
            agent_path=resource.agent_path,
            agent_id=self.agent_id,
            basis=kind.fingerprint(before),
            needs=resource.needs,
            origin=resource.origin,
            preview=kind.preview(before, after, as_of=self.inputs.as_of) if action.is_remote else None,
        )


def judge(
    resource: Resource[S], entry: Entry[O] | None, inputs: PlanInputs, overview: Overview, kind: ObservedKind[S, O, A]
) -> Verdict:
    """The table's verdict on one resource."""
    observed = inputs.live.observation(resource)
    if observed.problem:
        return unreadable(resource, observed)
    if observed.state is not None and entry is not None and entry.identity != resource.identity:
        entry = None  # what it remembers is another schedule, and gone
    agent_id = inputs.live.agents[resource.agent_path].agent_id
    case: _Case[S, O] = _Case(resource, entry, agent_id, inputs, kind)  # type: ignore[arg-type]  # no call is made
    return _create(case, overview) if observed.state is None else _compare(case, observed.state)


def _create(case: _Case[S, O], overview: Overview) -> Verdict:
    """The declared schedule is not live: create it, unless ACC is known to make ids of its own."""
    entry, assigned = case.entry, overview.server_assigned
    if case.resource.adopted and (why := _why_not_adopted(case.resource, overview.holders, case.inputs)):
        return why
    if case.resource.address in case.inputs.identities.made_anew:
        reason = Reason.VANISHED, because(Cause.AGENT_MADE_ANEW)
    elif entry is None:
        reason = Reason.NEW, because(Cause.NOT_IN_ACC)
    elif own := assigned.at.get(case.resource.address):
        return blocked(case.resource, Reason.UNOWNED, because(Cause.SERVER_ASSIGNED_ID, names=own))
    elif entry.settled:
        reason = Reason.VANISHED, because(Cause.VANISHED)
    else:
        reason = Reason.INTERRUPTED, because(Cause.INTERRUPTED, because(Cause.NOT_LIVE))
    if case.resource.protect and (other := overview.unremembered.get(case.resource.agent_path)):
        return blocked(case.resource, Reason.LOST_LEDGER, because(Cause.PROTECTED_PERHAPS_LIVE, id=other))
    if assigned.living:
        return blocked(case.resource, Reason.POLICY, because(Cause.SERVER_ASSIGNS_IDS, names=assigned.living))
    if assigned.unread:
        return blocked(case.resource, Reason.POLICY, because(Cause.SERVER_IDS_UNREAD, path=assigned.unread))
    whole = case.kind.whole(case.resource.state, None)
    fields = tuple(
        one
        for path, value in case.kind.values(whole).items()
        if value not in ("", {})
        for one in changes(None, value, path)
    )
    return case.change(Action.CREATE, reason, before=None, after=whole, fields=fields)


def _why_not_adopted(resource: Resource, holders: IdHolders, inputs: PlanInputs) -> BlockedResource | None:
    """Another agent has the id that a manifest adopts, or may have it: ACC's call goes by the id, and would change it.

    A derived id names its agent: nobody else has it.
    """
    identity = resource.identity
    if path := holders.paths.get(identity):
        return blocked(resource, Reason.UNOWNED, because(Cause.ID_ELSEWHERE, id=identity, path=path))
    known = inputs.environment_ids.get(identity)
    if known is not None and known.agent_path.casefold() != resource.agent_path.casefold():
        why = because(Cause.ID_OF_ENVIRONMENT, id=identity, path=known.agent_path, environment=known.environment)
        return blocked(resource, Reason.UNOWNED, why)
    if holders.unread:
        why = because(Cause.ID_PERHAPS_ELSEWHERE, id=identity, path=holders.unread)
        return blocked(resource, Reason.UNREADABLE, why)
    return None


def _compare(case: _Case[S, O], live: S) -> Verdict:
    """The declared schedule is live: leave it, learn of it, change it, or keep off it."""
    desired = case.resource.state
    fields = case.kind.diff(live, desired, as_of=case.inputs.as_of)
    entry = case.entry
    before = case.inputs.identities.renamed.get(case.resource.address)
    if not fields:
        if before is not None:
            reason = Reason.RENAMED, because(Cause.RENAMED, before=before)
        elif entry is None:
            reason = Reason.NEW, because(Cause.AS_DECLARED)
        elif not entry.settled:
            reason = Reason.INTERRUPTED, because(Cause.INTERRUPTED, because(Cause.LIVE_AS_DECLARED))
        else:
            return None
        return case.change(Action.ADOPT, reason, before=live, after=live)
    if not case.is_ours:
        names, hint = tuple(field.path for field in fields), case.kind.takeover_hint(desired, fields)
        why = because(Cause.UNOWNED, *hint, names=names, id=case.resource.identity)
        return blocked(case.resource, Reason.UNOWNED, why)
    reason = why_it_differs(fields, (live, desired), entry, case.inputs, case.kind)
    after = case.kind.whole(desired, live)
    return case.change(case.kind.action(fields), reason, before=live, after=after, fields=fields)
