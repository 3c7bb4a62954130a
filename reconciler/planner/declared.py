"""What the planner says of a resource that the manifests declare."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.diff import changes, digest
from reconciler.identity import is_owned
from reconciler.model import (
    Action,
    AgentView,
    BlockedResource,
    Change,
    Entry,
    FieldChange,
    Finding,
    Intent,
    KindName,
    Reason,
    Resource,
    State,
)
from reconciler.planner.attribution import why_it_differs
from reconciler.planner.inputs import (
    Kinds,
    Loss,
    PlanInputs,
    RememberedKind,
    ScheduleKind,
    TriggerKind,
    Verdict,
)
from reconciler.planner.server_ids import IdHolders, ServerAssigned


@dataclass(frozen=True, slots=True)
class Standing:
    """What one look at all of the inputs says about every resource in it.

    `unremembered` is, by agent path, a schedule of ours that no manifest declares, where a lost ledger knew whether it
    was protected.
    """

    loss: Loss
    server_assigned: ServerAssigned
    holders: IdHolders
    unremembered: Mapping[str, str]


def judge(resource: Resource, inputs: PlanInputs, standing: Standing, kinds: Kinds, warnings: list[Finding]) -> Verdict:
    """The table's verdict on one resource. `standing` was found once for all."""
    loss = standing.loss
    entry = inputs.memory.entries.get(resource.address)
    match resource.address.kind:
        case KindName.SCHEDULE:
            return _judge_schedule(resource, entry, (inputs, standing), kinds.schedule)
        case KindName.TRIGGER:
            return _judge_trigger(resource, entry, (inputs, loss), kinds.trigger, warnings)
        case KindName.INPUT_FILES:
            return _judge_remembered(resource, entry, (inputs, loss), kinds.input_files, warnings)
        case KindName.APPROVAL:
            return _judge_remembered(resource, entry, (inputs, loss), kinds.approval, warnings)


@dataclass(frozen=True, slots=True)
class _Case:
    """One declared schedule, with all that its verdict rests on."""

    resource: Resource
    entry: Entry | None
    view: AgentView
    inputs: PlanInputs
    kind: ScheduleKind

    @property
    def is_ours(self) -> bool:
        project = self.inputs.desired.project
        return self.entry is not None or is_owned(self.resource.identity, project.name, project.environment)

    def change(
        self,
        action: Action,
        reason: tuple[Reason, str],
        *,
        before: State | None,
        after: State,
        fields: tuple[FieldChange, ...] = (),
    ) -> Change:
        """The change from one full state to another, in the manifest's words and with its preview."""
        resource, kind = self.resource, self.kind
        return Change(
            address=resource.address,
            action=action,
            reason=reason[0],
            message=reason[1],
            fields=kind.declared_terms(fields, resource.spec),
            before=before,
            after=after,
            identity=resource.identity,
            agent_path=resource.agent_path,
            agent_id=self.view.agent_id,
            basis=kind.fingerprint(before),
            needs=resource.needs,
            origin=resource.origin,
            preview=kind.preview(before, after, as_of=self.inputs.as_of) if action.is_remote else None,
        )


def _judge_schedule(
    resource: Resource, entry: Entry | None, around: tuple[PlanInputs, Standing], kind: ScheduleKind
) -> Verdict:
    inputs, standing = around
    view = inputs.live.agents.get(resource.agent_path)
    if view is None or view.problem:
        return _unreadable(resource, view)
    found = view.schedules.get(resource.identity)
    if found is not None and entry is not None and entry.identity != resource.identity:
        entry = None  # what it remembers is another schedule, and gone
    case = _Case(resource, entry, view, inputs, kind)
    desired = kind.desired_state(resource.spec)
    if found is not None:
        return _compare(case, desired, kind.live_state(found))
    return _create(case, desired, standing)


def _create(case: _Case, desired: State, standing: Standing) -> Verdict:
    """The declared schedule is not live: create it, unless ACC is known to make ids of its own."""
    entry, assigned = case.entry, standing.server_assigned
    if case.resource.adopted and (why := _why_not_adopted(case.resource, standing.holders)):
        return why
    if case.resource.address in case.inputs.identities.made_anew:
        reason = Reason.VANISHED, "the agent was made anew, and the schedule vanished with the old one"
    elif entry is None:
        reason = Reason.NEW, "declared, and not in ACC"
    elif own := assigned.at.get(case.resource.address):
        return _blocked(case.resource, Reason.UNOWNED, _server_assigned(_OWN_SERVER_ID, own))
    elif entry.settled:
        reason = Reason.VANISHED, "applied before, and no longer in ACC"
    else:
        reason = Reason.INTERRUPTED, "an earlier apply did not finish here; it is not in ACC"
    if case.resource.protect and (other := standing.unremembered.get(case.resource.agent_path)):
        return _blocked(case.resource, Reason.LOST_LEDGER, _PERHAPS_IT.format(id=other))
    if assigned.living:
        return _blocked(case.resource, Reason.POLICY, _server_assigned(_SERVER_IDS, assigned.living))
    if assigned.unread:
        return _blocked(case.resource, Reason.POLICY, _SERVER_IDS_UNREAD.format(path=assigned.unread))
    whole = case.kind.whole_state(desired, None)
    fields = tuple(one for path, value in whole.items() if value not in ("", {}) for one in changes(None, value, path))
    return case.change(Action.CREATE, reason, before=None, after=whole, fields=fields)


def _why_not_adopted(resource: Resource, holders: IdHolders) -> BlockedResource | None:
    """Another agent has the id that a manifest adopts, or may have it: ACC's call goes by the id, and would change it.

    A derived id names its agent: nobody else has it.
    """
    identity = resource.identity
    if path := holders.paths.get(identity):
        return _blocked(resource, Reason.UNOWNED, _ELSEWHERE.format(id=identity, path=path))
    if holders.unread:
        return _blocked(resource, Reason.UNREADABLE, _PERHAPS_ELSEWHERE.format(id=identity, path=holders.unread))
    return None


def _compare(case: _Case, desired: State, live: State) -> Verdict:
    """The declared schedule is live: leave it, learn of it, change it, or keep off it."""
    fields = case.kind.diff(live, desired, as_of=case.inputs.as_of)
    entry = case.entry
    before = case.inputs.identities.renamed.get(case.resource.address)
    if not fields:
        if before is not None:
            reason = Reason.RENAMED, _RENAMED.format(before=before)
        elif entry is None:
            reason = Reason.NEW, "live already, just as declared: no change to ACC; recorded in the ledger"
        elif not entry.settled:
            reason = Reason.INTERRUPTED, "an earlier apply did not finish here; live is just as declared"
        else:
            return None
        return case.change(Action.ADOPT, reason, before=live, after=live)
    if not case.is_ours:
        return _blocked(case.resource, Reason.UNOWNED, _unowned(case.resource, fields))
    reason = why_it_differs(fields, (live, desired), entry, case.inputs, case.kind)
    after = case.kind.whole_state(desired, live)
    return case.change(case.kind.action(fields), reason, before=live, after=after, fields=fields)


_PERHAPS_IT = (
    "it is protected, and may be {id}, which no manifest declares: the ledger that would tell was lost. Declare it "
    "with `id: {id}` if it is that one; else delete that one in ACC, or let it be deleted: `reconciler apply "
    "--accept-new-ledger`"
)
_RENAMED = "it was {before} before: no change to ACC; recorded in the ledger"
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
_RUN_ACTIVE = (
    "a run of this agent is active, and its input files are not replaced meanwhile. Apply again when it has ended"
)
_UNOWNED = (
    "the schedule {id} was not made by this project and differs ({fields}). To take it over, first declare it "
    "just as it is live (`reconciler import` writes that), apply, and then change it"
)


def _unowned(resource: Resource, fields: tuple[FieldChange, ...]) -> str:
    names = ", ".join(field.path for field in fields)
    message = _UNOWNED.format(id=resource.identity, fields=names)
    if "enabled" in resource.spec or not any(field.path == "enabled" for field in fields):
        return message
    return (
        f"{message}. It is off in ACC: `enabled: false` takes it over as it is, `enabled: keep` leaves the switch alone"
    )


def _judge_remembered(
    resource: Resource,
    entry: Entry | None,
    around: tuple[PlanInputs, Loss],
    kind: RememberedKind,
    warnings: list[Finding],
) -> Verdict:
    inputs, loss = around
    view = inputs.live.agents.get(resource.agent_path)
    if view is None or view.problem:
        return _unreadable(resource, view)
    desired = inputs.contents[resource.address]
    fields = kind.diff(entry, desired)
    again = resource.address in inputs.resend
    if not fields and (entry is None or entry.settled) and not again:
        return _renamed(resource, desired, entry, inputs, view.agent_id)
    intent = kind.intent(entry, desired, fields, again=again)
    if not fields and again and not intent.action.is_remote:
        return None
    warnings.extend(Finding(code, str(resource.address), text) for code, text in intent.warnings)
    if intent.needs_idle_agent and resource.agent_path in inputs.busy:
        return _blocked(resource, Reason.POLICY, _RUN_ACTIVE)
    if entry is None and resource.address in inputs.identities.made_anew:
        reason, message = Reason.VANISHED, f"the agent was made anew, and has none of it; {intent.message}"
    elif entry is None:
        lost = loss is Loss.CERTAIN
        reason = Reason.DIFFERS if lost else Reason.NEW
        message = "not in the ledger: it will be sent again" if lost else intent.message
    elif not entry.settled:
        call = _OPEN_BY_HAND.format(**entry.facts["byHand"]) if "byHand" in entry.facts else _OPEN
        reason, message = Reason.INTERRUPTED, f"{call}; {intent.message}"
    elif again and not fields:
        reason, message = Reason.RETRY, f"--resend asks for it once more; {intent.message}"
    elif by_hand := entry.facts.get("byHand"):
        moved = entry.declared != kind.declared(desired, inputs.seal)
        reason = Reason.DIVERGED if moved else Reason.DRIFTED
        message = f"{_BY_HAND.format(**by_hand)}; {intent.message}"
    else:
        reason, message = intent.reason or Reason.EDITED, intent.message
    return _plain_change(resource, intent, (reason, message), entry, agent_id=view.agent_id)


_OPEN = "an earlier apply did not finish here"
_OPEN_BY_HAND = "whether `reconciler {call}`, by hand by {by} at {at}, was done is not known"
_BY_HAND = "changed by hand, with `reconciler {call}` by {by} at {at}"


def _renamed(
    resource: Resource, desired: State, entry: Entry | None, inputs: PlanInputs, agent_id: str
) -> Change | None:
    """What was attested under another handle of the same agent is so under the new one; nothing is sent."""
    before = inputs.identities.renamed.get(resource.address)
    if before is None:
        return None
    intent = Intent(Action.ADOPT, message=_RENAMED.format(before=before), after=desired)
    return _plain_change(resource, intent, (Reason.RENAMED, intent.message), entry, agent_id=agent_id)


def _judge_trigger(
    resource: Resource, entry: Entry | None, around: tuple[PlanInputs, Loss], kind: TriggerKind, warnings: list[Finding]
) -> Verdict:
    inputs, loss = around
    intent = kind.judge(resource, inputs.contents[resource.address], entry, again=resource.address in inputs.resend)
    if intent is None:
        return None
    warnings.extend(Finding(code, str(resource.address), text) for code, text in intent.warnings)
    if intent.blocked is not None:
        return _blocked(resource, intent.blocked, intent.message)
    if intent.reason is None:
        return None
    # An entry in a new ledger is a person's word about this trigger (`resolve`): what was lost is known again.
    if entry is None and not inputs.accepts_new_ledger and loss is not Loss.NONE:
        message = _LOST_LEDGER if loss is Loss.CERTAIN else _NEW_OR_LOST
        return _blocked(resource, Reason.LOST_LEDGER, message.format(address=resource.address))
    if inputs.mft_problem:
        return _blocked(resource, Reason.UNREADABLE, inputs.mft_problem)
    return _plain_change(resource, intent, (intent.reason, intent.message), entry)


_LOST_LEDGER = (
    "the ledger is empty although schedules of this project are live: nobody knows whether this task was started. "
    "Restore the ledger; or say of this one `reconciler resolve {address} --ran` or `--not-ran`; or accept that all "
    "due tasks start: `reconciler apply --accept-new-ledger`"
)
_NEW_OR_LOST = (
    "the ledger is empty, and not every agent could be read: nobody knows whether it is new or was lost, and whether "
    "this task was started. Apply again when all agents can be read; or say of this one "
    "`reconciler resolve {address} --ran` or `--not-ran`; or accept that all due tasks start: "
    "`reconciler apply --accept-new-ledger`"
)


def _plain_change(
    resource: Resource,
    intent: Intent,
    reason: tuple[Reason, str],
    entry: Entry | None,
    *,
    agent_id: str = "",
) -> Change:
    return Change(
        address=resource.address,
        action=intent.action,
        reason=reason[0],
        message=reason[1],
        fields=intent.fields,
        after=intent.after,
        agent_path=resource.agent_path,
        agent_id=agent_id,
        basis=_remembered_basis(entry),
        needs=resource.needs,
        origin=resource.origin,
    )


def _remembered_basis(entry: Entry | None) -> str:
    """What a decision rested on where no product shows the state: the entry as it was."""
    return (
        "absent" if entry is None else digest([entry.declared, dict(entry.applied), entry.settled, dict(entry.facts)])
    )


def _unreadable(resource: Resource, view: AgentView | None) -> BlockedResource:
    return _blocked(resource, Reason.UNREADABLE, view.problem if view else "the agent was not looked at")


def _blocked(resource: Resource, reason: Reason, message: str) -> BlockedResource:
    return BlockedResource(resource.address, reason, message, resource.origin)
