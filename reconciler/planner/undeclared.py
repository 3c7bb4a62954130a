"""What the planner says of live schedules and of memories that no manifest declares."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from reconciler.diff import changes
from reconciler.identity import is_owned
from reconciler.kind import AnyObserved, Kinds, ObservedMemo, StartMemo, StartState
from reconciler.model import (
    Action,
    Address,
    AddressForm,
    AgentView,
    BlockedResource,
    Change,
    Entry,
    Finding,
    Observation,
    Reason,
    Visibility,
)
from reconciler.planner.inputs import LedgerLoss, PlanInputs, Verdict, loss_of


@dataclass(frozen=True, slots=True)
class Undeclared:
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
    inputs: PlanInputs, undeclared: Iterable[Undeclared], kinds: Kinds, warnings: list[Finding]
) -> Iterator[tuple[Address, Verdict]]:
    protected = {resource.identity for resource in inputs.desired.resources if resource.protect}
    missed = _missed_protected(inputs)
    for one in undeclared:
        if not one.ours:
            continue
        if one.entry is None and one.view.path in missed:
            message = f"it may be {missed[one.view.path]}, which is protected and not live: the ledger does not know"
            yield one.address, BlockedResource(one.address, Reason.PROTECTED, message)
        elif (one.entry is not None and one.entry.protect) or one.identity in protected:
            message = "protected: declare it again with `protect: false`, apply, and then remove it"
            yield one.address, BlockedResource(one.address, Reason.PROTECTED, message)
        elif inputs.desired.project.policy.prune == "never" and not inputs.destroy:
            message = "no manifest declares it, and `policy.prune: never` keeps it"
            warnings.append(Finding("orphan-kept", str(one.address), message))
        else:
            yield one.address, _deletion(one, inputs, kinds)


def _deletion(one: Undeclared, inputs: PlanInputs, kinds: Kinds) -> Change:
    kind = cast("AnyObserved", kinds[one.address.kind])
    live = one.live.state
    gone = ((path, value) for path, value in kind.values(live).items() if value not in ("", {}))
    return Change(
        address=one.address,
        action=Action.DELETE,
        reason=Reason.REMOVED,
        message="all that is owned is to be deleted" if inputs.destroy else "no manifest declares it any more",
        fields=tuple(field for path, value in gone for field in changes(value, None, path)),
        before=live,
        identity=one.identity,
        agent_path=one.view.path,
        agent_id=one.view.agent_id,
        basis=kind.fingerprint(live),
        preview=kind.preview(live, None, as_of=inputs.as_of),
    )


def unremembered(inputs: PlanInputs, undeclared: Iterable[Undeclared]) -> Mapping[str, str]:
    """After a loss of the ledger, by agent path: one of ours that no manifest declares and nothing remembers."""
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
    inputs: PlanInputs, undeclared: Iterable[Undeclared], judged: Mapping[Address, Verdict], kinds: Kinds
) -> Iterator[tuple[Address, Verdict]]:
    """Entries whose block is gone: forgotten, unless the thing is still there or nobody knows how it ended."""
    seen = {one.address for one in undeclared if one.ours}
    declared = {agent.path for agent in inputs.desired.agents}
    for address, entry in sorted(inputs.memory.entries.items()):
        if address in judged or address in seen:
            continue
        is_observed = kinds[address.kind].visibility is Visibility.OBSERVED and address.form is AddressForm.IN_AGENT
        if _is_unknown_start(entry):
            message = f"how its last start ended is not known: say `reconciler resolve {address} --ran` or `--not-ran`"
            yield address, BlockedResource(address, Reason.UNKNOWN_START, message)
            continue
        if entry.agent_id in inputs.live.elsewhere and is_observed:
            if inputs.destroy:
                yield address, BlockedResource(address, Reason.POLICY, _ELSEWHERE)
            continue  # it may run on there: the plan says where the agent was
        view = inputs.live.agents.get(entry.agent_path)
        if (
            view is not None
            and isinstance(entry.memo, ObservedMemo)
            and any(map(view.holds, entry.memo.server_assigned_ids))
        ):
            continue  # while that lives, ACC is known not to keep the ids that we send
        if entry.agent_path in inputs.gone_agents:
            words = "`--forget-agent` was given: its agent is gone from ACC for good"
            yield address, Change(address, Action.FORGET, Reason.REMOVED, words, agent_path=entry.agent_path)
            continue
        if is_observed and (view is None or view.problem):
            problem = with_way_out(entry.agent_path, declared, view.problem) if view else "its agent was not read"
            yield address, BlockedResource(address, Reason.UNREADABLE, problem)
            continue
        if not is_observed:
            gone = "no manifest declares it any more: removed from the ledger; the product is left as it is"
            words = gone + _left_open(entry)
        elif view is not None and view.holds(entry.identity):
            words = "another address declares this schedule now"
        else:
            words = "no manifest declares it, and it is no longer in ACC"
        yield address, Change(address, Action.FORGET, Reason.REMOVED, words, agent_path=entry.agent_path)


_ELSEWHERE = (
    "it may live on: its agent is elsewhere now. Declare the agent under its new path and destroy again, or delete the "
    "agent in ACC"
)


def _is_unknown_start(entry: Entry) -> bool:
    memo = entry.memo
    return isinstance(memo, StartMemo) and not entry.settled and memo.state is not StartState.RUNNING


def _left_open(entry: Entry) -> str:
    """What is not known of an entry that is forgotten before it was settled."""
    if entry.settled:
        return ""
    if isinstance(entry.memo, StartMemo):
        return f"; nobody follows its run {entry.memo.run_id} any more"
    return "; whether what was sent last has arrived is not known"


def owned_in_sight(inputs: PlanInputs, undeclared: Iterable[Undeclared]) -> int:
    """How many live schedules are ours, declared or not: what a limit on deletions is measured against."""
    declared = () if inputs.destroy else inputs.desired.resources
    alive = sum(
        resource.identity in view.of(resource.address.kind)
        for resource in declared
        if resource.identity and (view := inputs.live.agents.get(resource.agent_path)) is not None
    )
    return alive + sum(one.ours for one in undeclared)


_WAY_OUT = ". If the agent is gone for good: `reconciler apply --forget-agent "


def with_way_out(path: str, declared: Collection[str], problem: str) -> str:
    """Why an agent cannot be read and, where no manifest declares it, what to do should it be gone for ever."""
    return problem if path in declared else f"{problem.rstrip('.')}{_WAY_OUT}{shlex.quote(path)}`"


def problems_told(messages: Iterable[str]) -> frozenset[str]:
    """Which problems of agents these messages tell of, in the form of `bare`."""
    return frozenset(bare(message.partition(_WAY_OUT)[0]) for message in messages)


def bare(problem: str) -> str:
    """A problem as it is compared: without its full stop."""
    return problem.rstrip(".")
