"""What the planner says of live schedules and of memories that no manifest declares."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from reconciler.diff import changes
from reconciler.identity import is_owned, server_assigned_ids
from reconciler.model import (
    Action,
    Address,
    AgentView,
    BlockedResource,
    Change,
    Entry,
    Finding,
    KindName,
    Reason,
)
from reconciler.planner.inputs import Kinds, Loss, PlanInputs, Verdict, loss_of


@dataclass(frozen=True, slots=True)
class Stray:
    """A live schedule that no manifest declares."""

    address: Address
    agent: str
    identity: str
    ours: bool
    entry: Entry | None
    view: AgentView


def strays_of(inputs: PlanInputs) -> Iterator[Stray]:
    """Live schedules outside the manifests, and whose they are: by the mark in the id, or by our memory of adopting."""
    project = inputs.desired.project
    declared = () if inputs.destroy else inputs.desired.resources
    kept = {resource.identity for resource in declared if resource.identity}
    handles = {agent.path: agent.handle for agent in inputs.desired.agents}
    remembered = {
        entry.identity: entry for entry in inputs.memory.entries.values() if entry.address.kind is KindName.SCHEDULE
    }
    named_by_id = {one.identity: one.address for one in inputs.desired.resources if one.identity}
    for path, view in sorted(inputs.live.agents.items()):
        agent = handles.get(path) or inputs.agent_paths.get(path, path)
        for identity in sorted(view.schedules):
            if identity in kept:
                continue
            entry = remembered.get(identity)
            marked = is_owned(identity, project.name, project.environment)
            fallback = named_by_id.get(identity) or Address(KindName.SCHEDULE, agent, identity)
            address = entry.address if entry is not None else fallback
            yield Stray(address, agent, identity, marked or entry is not None, entry, view)


def unmanaged_of(inputs: PlanInputs, strays: Iterable[Stray]) -> tuple[Stray, ...]:
    """Those that are not ours, on the agents of what the selectors leave."""
    in_sight = inputs.paths_in_sight()
    return tuple(stray for stray in strays if not stray.ours and stray.view.path in in_sight)


def judge_strays(
    inputs: PlanInputs, strays: Iterable[Stray], kinds: Kinds, warnings: list[Finding]
) -> Iterator[tuple[Address, Verdict]]:
    protected = {resource.identity for resource in inputs.desired.resources if resource.protect}
    missed = _missed_protected(inputs)
    for stray in strays:
        if not stray.ours:
            continue
        if stray.entry is None and stray.view.path in missed:
            message = f"it may be {missed[stray.view.path]}, which is protected and not live: the ledger does not know"
            yield stray.address, BlockedResource(stray.address, Reason.PROTECTED, message)
        elif (stray.entry is not None and stray.entry.protect) or stray.identity in protected:
            message = "protected: declare it again with `protect: false`, apply, and then remove it"
            yield stray.address, BlockedResource(stray.address, Reason.PROTECTED, message)
        elif inputs.desired.project.policy.prune == "never" and not inputs.destroy:
            message = "no manifest declares it, and `policy.prune: never` keeps it"
            warnings.append(Finding("orphan-kept", str(stray.address), message))
        else:
            live = kinds.schedule.live_state(stray.view.schedules[stray.identity])
            yield (
                stray.address,
                Change(
                    address=stray.address,
                    action=Action.DELETE,
                    reason=Reason.REMOVED,
                    message="all that is owned is to be deleted"
                    if inputs.destroy
                    else "no manifest declares it any more",
                    fields=tuple(
                        field
                        for path, value in live.items()
                        if value not in ("", {}, None)
                        for field in changes(value, None, path)
                    ),
                    before=live,
                    identity=stray.identity,
                    agent_path=stray.view.path,
                    agent_id=stray.view.agent_id,
                    basis=kinds.schedule.fingerprint(live),
                    preview=kinds.schedule.preview(live, None, as_of=inputs.as_of),
                ),
            )


def unremembered(inputs: PlanInputs, strays: Iterable[Stray]) -> Mapping[str, str]:
    """After a loss of the ledger, by agent path: one of ours that no manifest declares and nothing remembers."""
    if inputs.accepts_new_ledger or loss_of(inputs) is Loss.NONE:
        return {}
    return {one.view.path: one.identity for one in strays if one.ours and one.entry is None}


def _missed_protected(inputs: PlanInputs) -> Mapping[str, Address]:
    """After a loss of the ledger, by agent path: a declared schedule that is protected, and not live under its id.

    A schedule of ours there that no manifest declares may be that one, from before its agent moved or it was renamed.
    """
    if inputs.accepts_new_ledger or loss_of(inputs) is Loss.NONE:
        return {}
    return {
        resource.agent_path: resource.address
        for resource in inputs.desired.resources
        if resource.protect
        and (view := inputs.live.agents.get(resource.agent_path)) is not None
        and resource.identity not in view.schedules
    }


def judge_forgotten(
    inputs: PlanInputs, strays: Iterable[Stray], judged: Mapping[Address, Verdict]
) -> Iterator[tuple[Address, Verdict]]:
    """Entries whose block is gone: forgotten, unless the thing is still there or nobody knows how it ended."""
    seen = {stray.address for stray in strays if stray.ours}
    declared = {agent.path for agent in inputs.desired.agents}
    for address, entry in sorted(inputs.memory.entries.items()):
        if address in judged or address in seen:
            continue
        if address.kind is KindName.TRIGGER and not entry.settled and entry.facts.get("state") != "running":
            message = f"how its last start ended is not known: say `reconciler resolve {address} --ran` or `--not-ran`"
            yield address, BlockedResource(address, Reason.UNKNOWN_START, message)
            continue
        if entry.agent_id in inputs.live.elsewhere and address.kind is KindName.SCHEDULE:
            if inputs.destroy:
                yield address, BlockedResource(address, Reason.POLICY, _ELSEWHERE)
            continue  # it may run on there: the plan says where the agent was
        view = inputs.live.agents.get(entry.agent_path)
        if view is not None and not view.schedules.keys().isdisjoint(server_assigned_ids(entry.facts)):
            continue  # while that lives, ACC is known not to keep the ids that we send
        if entry.agent_path in inputs.gone_agents:
            words = "`--forget-agent` was given: its agent is gone from ACC for good"
            yield address, Change(address, Action.FORGET, Reason.REMOVED, words, agent_path=entry.agent_path)
            continue
        if address.kind is KindName.SCHEDULE and (view is None or view.problem):
            problem = with_way_out(entry.agent_path, declared, view.problem) if view else "its agent was not looked at"
            yield address, BlockedResource(address, Reason.UNREADABLE, problem)
            continue
        if address.kind is not KindName.SCHEDULE:
            gone = "no manifest declares it any more: removed from the ledger; the product is left as it is"
            words = gone + _left_open(entry)
        elif view is not None and entry.identity in view.schedules:
            words = "another address declares this schedule now"
        else:
            words = "no manifest declares it, and it is no longer in ACC"
        yield address, Change(address, Action.FORGET, Reason.REMOVED, words, agent_path=entry.agent_path)


_ELSEWHERE = (
    "it may live on: its agent is elsewhere now. Declare the agent under its new path and destroy again, or delete the "
    "agent in ACC"
)


def _left_open(entry: Entry) -> str:
    """What is not known of an entry that is forgotten before it was settled."""
    if entry.settled:
        return ""
    if entry.address.kind is KindName.TRIGGER:
        return f"; nobody follows its run {entry.facts.get('runId')} any more"
    return "; whether what was sent last has arrived is not known"


def owned_in_sight(inputs: PlanInputs, strays: Iterable[Stray]) -> int:
    """How many live schedules are ours, declared or not: what a limit on deletions is measured against."""
    declared = () if inputs.destroy else inputs.desired.resources
    alive = sum(
        resource.identity in view.schedules
        for resource in declared
        if resource.identity and (view := inputs.live.agents.get(resource.agent_path)) is not None
    )
    return alive + sum(stray.ours for stray in strays)


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
