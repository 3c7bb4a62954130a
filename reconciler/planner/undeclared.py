"""What the planner says of live schedules and of memories that no manifest declares."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import cast

from msgspec import Struct

from reconciler.causes import Cause, Why, because
from reconciler.diff import changes
from reconciler.identity import is_owned
from reconciler.kind import AnyObserved, KindRegistry, ObservedMemo, StartMemo, StartState
from reconciler.model.address import Address, AddressForm
from reconciler.model.entry import Entry
from reconciler.model.live import AgentView, Observation
from reconciler.model.plan import Action, BlockedResource, Change, Finding, Reason, Visibility
from reconciler.planner.inputs import LedgerLoss, PlanInputs, Verdict, loss_of


class Undeclared(Struct, frozen=True):
    """A live schedule that no manifest declares."""

    address: Address
    agent: str
    identity: str
    ours: bool
    entry: Entry | None
    view: AgentView
    live: Observation


def undeclared_of(inputs: PlanInputs) -> Iterator[Undeclared]:
    """Live schedules outside the manifests, and whose they are: by the mark in the id, or by our memory of adopting."""
    project = inputs.desired.project
    declared = () if inputs.destroy else inputs.desired.resources
    kept = {resource.identity for resource in declared if resource.identity}
    handles = {agent.path: agent.handle for agent in inputs.desired.agents}
    remembered = {one.identity: one for at, one in inputs.memory.entries.items() if at.form is AddressForm.IN_AGENT}
    named_by_id = {one.identity: one.address for one in inputs.desired.resources if one.identity}
    for path, view in sorted(inputs.live.agents.items()):
        agent = handles.get(path) or inputs.agent_paths.get(path, path)
        for kind, things in sorted(view.observed.items()):
            for identity in sorted(things.keys() - kept - {""}):
                entry = remembered.get(identity)
                marked = is_owned(identity, project.name, project.environment)
                fallback = named_by_id.get(identity) or Address(kind, agent, identity)
                address = entry.address if entry is not None else fallback
                yield Undeclared(address, agent, identity, marked or entry is not None, entry, view, things[identity])


def unmanaged_of(inputs: PlanInputs, undeclared: Iterable[Undeclared]) -> tuple[Undeclared, ...]:
    """Those that are not ours, on the agents of what the selectors leave."""
    in_sight = inputs.paths_in_sight()
    return tuple(one for one in undeclared if not one.ours and one.view.path in in_sight)


def judge_undeclared(
    inputs: PlanInputs, undeclared: Iterable[Undeclared], kinds: KindRegistry, warnings: list[Finding]
) -> Iterator[tuple[Address, Verdict]]:
    protected = {resource.identity for resource in inputs.desired.resources if resource.protect}
    missed = _missed_protected(inputs)
    for one in undeclared:
        if not one.ours:
            continue
        if one.entry is None and one.view.path in missed:
            why = because(Cause.PERHAPS_PROTECTED, other=missed[one.view.path])
            yield one.address, BlockedResource(one.address, Reason.PROTECTED, why)
        elif (one.entry is not None and one.entry.protect) or one.identity in protected:
            yield one.address, BlockedResource(one.address, Reason.PROTECTED, because(Cause.PROTECTED))
        elif inputs.desired.project.policy.prune == "never" and not inputs.destroy:
            warnings.append(Finding("orphan-kept", str(one.address), because(Cause.ORPHAN_KEPT)))
        else:
            yield one.address, _deletion(one, inputs, kinds)


def _deletion(one: Undeclared, inputs: PlanInputs, kinds: KindRegistry) -> Change:
    kind = cast("AnyObserved", kinds[one.address.kind])
    live = one.live.state
    gone = ((path, value) for path, value in kind.values(live).items() if value not in ("", {}))
    return Change(
        address=one.address,
        action=Action.DELETE,
        reason=Reason.REMOVED,
        why=because(Cause.ALL_DESTROYED if inputs.destroy else Cause.NOT_DECLARED),
        fields=tuple(field for path, value in gone for field in changes(value, None, path)),
        before=live,
        identity=one.identity,
        agent_path=one.view.path,
        agent_id=one.view.agent_id,
        basis=kind.fingerprint(live),
        preview=kind.preview(live, None, as_of=inputs.as_of),
    )


def unremembered(inputs: PlanInputs, undeclared: Iterable[Undeclared]) -> Mapping[str, str]:
    """After a loss of the ledger, by agent path: one of ours that neither a manifest nor the ledger has."""
    if inputs.accepts_new_ledger or loss_of(inputs) is LedgerLoss.NONE:
        return {}
    return {one.view.path: one.identity for one in undeclared if one.ours and one.entry is None}


def _missed_protected(inputs: PlanInputs) -> Mapping[str, Address]:
    """After a loss of the ledger, by agent path: a declared schedule that is protected, and not live under its id.

    A schedule of ours there that no manifest declares may be that one, from before its agent moved or it was renamed.
    """
    if inputs.accepts_new_ledger or loss_of(inputs) is LedgerLoss.NONE:
        return {}
    return {
        resource.agent_path: resource.address
        for resource in inputs.desired.resources
        if resource.protect
        and (view := inputs.live.agents.get(resource.agent_path)) is not None
        and resource.identity not in view.of(resource.address.kind)
    }


def judge_forgotten(
    inputs: PlanInputs, undeclared: Iterable[Undeclared], judged: Mapping[Address, Verdict], kinds: KindRegistry
) -> Iterator[tuple[Address, Verdict]]:
    """Entries whose block is gone: forgotten, unless the thing is still there or nobody knows how it ended."""
    seen = {one.address for one in undeclared if one.ours}
    declared = {agent.path for agent in inputs.desired.agents}
    for address, entry in sorted(inputs.memory.entries.items()):
        if address in judged or address in seen:
            continue
        is_observed = kinds[address.kind].visibility is Visibility.OBSERVED and address.form is AddressForm.IN_AGENT
        if _is_unknown_start(entry):
            why = because(Cause.LAST_START_UNKNOWN, address=address)
            yield address, BlockedResource(address, Reason.UNKNOWN_START, why)
            continue
        if entry.agent_id in inputs.live.elsewhere and is_observed:
            if inputs.destroy:
                yield address, BlockedResource(address, Reason.POLICY, because(Cause.AGENT_ELSEWHERE))
            continue  # it may run on there: the plan says where the agent was
        view = inputs.live.agents.get(entry.agent_path)
        if (
            view is not None
            and isinstance(entry.memo, ObservedMemo)
            and any(map(view.holds, entry.memo.server_assigned_ids))
        ):
            continue  # while that lives, ACC is known not to keep the ids that we send
        if entry.agent_path in inputs.gone_agents:
            why = because(Cause.AGENT_GIVEN_UP)
            yield address, Change(address, Action.FORGET, Reason.REMOVED, why, agent_path=entry.agent_path)
            continue
        if is_observed and (view is None or view.problem):
            not_asked = because(Cause.AGENT_NOT_ASKED)
            why = unread(entry.agent_path, declared, view.problem) if view is not None else not_asked
            yield address, BlockedResource(address, Reason.UNREADABLE, why)
            continue
        if not is_observed:
            why = because(Cause.NOT_DECLARED_ATTESTED, *_left_open(entry))
        elif view is not None and view.holds(entry.identity):
            why = because(Cause.DECLARED_ELSEWHERE)
        else:
            why = because(Cause.GONE_FROM_ACC)
        yield address, Change(address, Action.FORGET, Reason.REMOVED, why, agent_path=entry.agent_path)


def _is_unknown_start(entry: Entry) -> bool:
    memo = entry.memo
    return isinstance(memo, StartMemo) and not entry.settled and memo.state is not StartState.RUNNING


def _left_open(entry: Entry) -> tuple[Why, ...]:
    """What is not known of an entry that is forgotten before it was settled."""
    if entry.settled:
        return ()
    if isinstance(entry.memo, StartMemo):
        return (because(Cause.RUN_NOT_FOLLOWED, run=entry.memo.run_id),)
    return (because(Cause.SENDING_UNKNOWN),)


def owned_in_sight(inputs: PlanInputs, undeclared: Iterable[Undeclared]) -> int:
    """How many live schedules are ours, declared or not: what a limit on deletions is measured against."""
    declared = () if inputs.destroy else inputs.desired.resources
    alive = sum(
        resource.identity in view.of(resource.address.kind)
        for resource in declared
        if resource.identity and (view := inputs.live.agents.get(resource.agent_path)) is not None
    )
    return alive + sum(one.ours for one in undeclared)


def unread(path: str, declared: Collection[str], problem: str) -> Why:
    """Why an agent cannot be read and, where no manifest declares it, what to do should it be gone for ever."""
    cause = Cause.AGENT_UNREAD if path in declared else Cause.AGENT_UNREAD_UNDECLARED
    return because(cause, agent=path, said=problem)


def agents_told(whys: Iterable[Why | None]) -> frozenset[str]:
    """The paths of the agents of which these say that they cannot be read."""
    unread_ones = (Cause.AGENT_UNREAD, Cause.AGENT_UNREAD_UNDECLARED)
    return frozenset(dict(why.about)["agent"] for why in whys if why is not None and why.cause in unread_ones)
