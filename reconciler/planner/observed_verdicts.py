"""The verdict on a declared resource of a kind that is read back: live, desired and the ledger's entry side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic

from reconciler.diff import changes
from reconciler.identity import is_owned
from reconciler.kind import A, O, ObservedKind, S
from reconciler.model import (
    Action,
    BlockedResource,
    Change,
    Entry,
    FieldChange,
    Reason,
    Resource,
)
from reconciler.planner.attribution import why_it_differs
from reconciler.planner.inputs import PlanInputs, Verdict
from reconciler.planner.server_ids import IdHolders
from reconciler.planner.verdict_parts import RENAMED, Overview, blocked, unreadable


@dataclass(frozen=True, slots=True)
class _Case(Generic[S, O]):
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
        reason: tuple[Reason, str],
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
            message=reason[1],
            fields=kind.as_written(fields, resource.state),
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
    if case.resource.adopted and (why := _why_not_adopted(case.resource, overview.holders)):
        return why
    if case.resource.address in case.inputs.identities.made_anew:
        reason = Reason.VANISHED, "the agent was made anew, and the schedule vanished with the old one"
    elif entry is None:
        reason = Reason.NEW, "declared, and not in ACC"
    elif own := assigned.at.get(case.resource.address):
        return blocked(case.resource, Reason.UNOWNED, _server_assigned(_OWN_SERVER_ID, own))
    elif entry.settled:
        reason = Reason.VANISHED, "applied before, and no longer in ACC"
    else:
        reason = Reason.INTERRUPTED, "an earlier apply did not finish here; it is not in ACC"
    if case.resource.protect and (other := overview.unremembered.get(case.resource.agent_path)):
        return blocked(case.resource, Reason.LOST_LEDGER, _PERHAPS_IT.format(id=other))
    if assigned.living:
        return blocked(case.resource, Reason.POLICY, _server_assigned(_SERVER_IDS, assigned.living))
    if assigned.unread:
        return blocked(case.resource, Reason.POLICY, _SERVER_IDS_UNREAD.format(path=assigned.unread))
    whole = case.kind.whole(case.resource.state, None)
    fields = tuple(
        one
        for path, value in case.kind.values(whole).items()
        if value not in ("", {})
        for one in changes(None, value, path)
    )
    return case.change(Action.CREATE, reason, before=None, after=whole, fields=fields)


def _why_not_adopted(resource: Resource, holders: IdHolders) -> BlockedResource | None:
    """Another agent has the id that a manifest adopts, or may have it: ACC's call goes by the id, and would change it.

    A derived id names its agent: nobody else has it.
    """
    identity = resource.identity
    if path := holders.paths.get(identity):
        return blocked(resource, Reason.UNOWNED, _ELSEWHERE.format(id=identity, path=path))
    if holders.unread:
        return blocked(resource, Reason.UNREADABLE, _PERHAPS_ELSEWHERE.format(id=identity, path=holders.unread))
    return None


def _compare(case: _Case[S, O], live: S) -> Verdict:
    """The declared schedule is live: leave it, learn of it, change it, or keep off it."""
    desired = case.resource.state
    fields = case.kind.diff(live, desired, as_of=case.inputs.as_of)
    entry = case.entry
    before = case.inputs.identities.renamed.get(case.resource.address)
    if not fields:
        if before is not None:
            reason = Reason.RENAMED, RENAMED.format(before=before)
        elif entry is None:
            reason = Reason.NEW, "live already, just as declared: no change to ACC; recorded in the ledger"
        elif not entry.settled:
            reason = Reason.INTERRUPTED, "an earlier apply did not finish here; live is just as declared"
        else:
            return None
        return case.change(Action.ADOPT, reason, before=live, after=live)
    if not case.is_ours:
        return blocked(case.resource, Reason.UNOWNED, _unowned(case, fields))
    reason = why_it_differs(fields, (live, desired), entry, case.inputs, case.kind)
    after = case.kind.whole(desired, live)
    return case.change(case.kind.action(fields), reason, before=live, after=after, fields=fields)


_PERHAPS_IT = (
    "it is protected, and may be {id}, which no manifest declares: the ledger that would tell was lost. Declare it "
    "with `id: {id}` if it is that one; else delete that one in ACC, or let it be deleted: `reconciler apply "
    "--accept-new-ledger`"
)
_OWN_SERVER_ID = (
    "ACC did not keep the id that we sent and made its own: {ids}. Nothing is sent again while {they} in ACC: {way_out}"
)
_SERVER_IDS = (
    "ACC does not keep the ids that we send: it made {ids} instead of others. Nothing more is created while {they} in "
    "ACC: {way_out}"
)
_SERVER_IDS_UNREAD = (
    "ACC did not keep an id that we sent to {path}, and that agent cannot be read now: whether the schedule that it "
    "made instead is still there is not known, and nothing more is created until it is"
)


def _server_assigned(message: str, ids: tuple[str, ...]) -> str:
    """One message for one id and for several."""
    one = len(ids) == 1
    return message.format(
        ids=", ".join(ids),
        they="that schedule is" if one else "one of them is",
        way_out=f"declare it with `id: {ids[0]}`, or delete it there"
        if one
        else "declare one with its `id`, and delete the others there",
    )


_ELSEWHERE = (
    "the id {id} belongs to a schedule of another agent, {path}, and ACC's call would change that one. Leave `id` out"
    " for a schedule of its own, or declare it under that agent"
)
_PERHAPS_ELSEWHERE = (
    "{path} cannot be read, and may have the schedule {id}: ACC's call would change that one. Plan again when it can "
    "be read, or leave `id` out for a schedule of its own"
)
_UNOWNED = (
    "the schedule {id} was not made by this project and differs ({fields}). To take it over, first declare it "
    "just as it is live (`reconciler import` writes that), apply, and then change it"
)


def _unowned(case: _Case[S, O], fields: tuple[FieldChange, ...]) -> str:
    names = ", ".join(field.path for field in fields)
    message = _UNOWNED.format(id=case.resource.identity, fields=names)
    hint = case.kind.takeover_hint(case.resource.state, fields)
    return f"{message}. {hint}" if hint else message
