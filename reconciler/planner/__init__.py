"""desired x live x memory -> Plan. Pure: no clock, no network, no files; what it needs of a kind comes as an argument.

declared | live       | memory            | verdict
---------+------------+-------------------+------------------------------------------------------------
any      | unreadable | any               | blocked; never a create, never a delete
yes      | absent     | none / entry      | create: new / vanished
yes      | equal      | none              | adopt, ledger only
yes      | differs    | not ours          | blocked: unowned
yes      | equal      | settled           | unchanged
yes      | differs    | settled           | update: edited, drifted or diverged
yes      | any        | unsettled         | look, then adopt or update: interrupted; a start is never repeated
no       | present    | ours              | delete, or blocked when protected
no       | absent     | entry             | forget
no       | any        | not ours          | unmanaged: counted, not touched
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from reconciler.causes import Cause, Why, because, said
from reconciler.kind import KindRegistry
from reconciler.model.address import Address
from reconciler.model.plan import Action, BlockedResource, Change, Finding, Plan, Reason, Unmanaged
from reconciler.planner.audit import audit
from reconciler.planner.identities import identify
from reconciler.planner.inputs import Identities, LedgerLoss, PlanInputs, Verdict, loss_of
from reconciler.planner.live_moves import LiveMove, live_moves
from reconciler.planner.rekeying import Identified
from reconciler.planner.server_ids import may_have_made_its_own
from reconciler.planner.undeclared import agents_told, owned_in_sight, undeclared_of, unmanaged_of, unread
from reconciler.planner.verdicts import judge_all, secrecy, unchanged_kinds

__all__ = [
    "Identified",
    "Identities",
    "LedgerLoss",
    "LiveMove",
    "PlanInputs",
    "audit",
    "identify",
    "live_moves",
    "loss_of",
    "may_have_made_its_own",
    "plan",
    "secrecy",
]


def plan(inputs: PlanInputs, kinds: KindRegistry) -> Plan:
    """Decide every resource by the table above. Equal inputs give equal plans."""
    warnings = list(inputs.identities.warnings)
    undeclared = tuple(undeclared_of(inputs))
    verdicts = judge_all(inputs, kinds, undeclared, warnings, secrecy(inputs))
    verdicts = _strand(verdicts, inputs)
    chosen = {at: said for at, said in verdicts.items() if inputs.selected is None or at in inputs.selected}
    changes = tuple(sorted((v for v in chosen.values() if isinstance(v, Change)), key=_change_order))
    blocked = tuple(sorted((v for v in chosen.values() if isinstance(v, BlockedResource)), key=lambda b: b.address))
    warnings.extend(_of_the_manifests(inputs))
    if (at := inputs.memory.restored) and not inputs.accepts_new_ledger:
        warnings.append(Finding("restored-ledger", "", because(Cause.RESTORED_FROM_BACKUP, at=at)))
    warnings.extend(_unread_agents(inputs, blocked))
    warnings.extend(_withheld_deletions(changes, blocked, warnings))
    return Plan(
        project=inputs.desired.project.name,
        environment=inputs.desired.project.environment,
        changes=changes,
        blocked=blocked,
        unmanaged=tuple(sorted(Unmanaged(one.agent, one.identity) for one in unmanaged_of(inputs, undeclared))),
        unchanged=sum(said is None for said in chosen.values()),
        unchanged_kinds=unchanged_kinds(inputs, kinds, chosen),
        warnings=tuple(sorted(set(_in_sight(warnings, inputs)))),
        owned_in_sight=owned_in_sight(inputs, undeclared),
        filtered=inputs.selected is not None,
    )


def _of_the_manifests(inputs: PlanInputs) -> Iterator[Finding]:
    """What reading the manifests warned of, for the things that stay."""
    for problem in () if inputs.destroy else inputs.desired.problems:
        yield Finding(
            problem.code,
            problem.address,
            said(problem.message if problem.address else f"{problem.path}:{problem.line}: {problem.message}"),
        )


def _in_sight(warnings: Iterable[Finding], inputs: PlanInputs) -> Iterator[Finding]:
    """The warnings about what the selectors leave, and those that belong to no single resource."""
    names = None if inputs.selected is None else {str(address) for address in inputs.selected}
    for warning in warnings:
        if names is None or not warning.address or warning.address in names:
            yield warning


def _change_order(change: Change) -> tuple[bool, Address]:
    return (change.action is Action.DELETE, change.address)


def _strand(verdicts: dict[Address, Verdict], inputs: PlanInputs) -> dict[Address, Verdict]:
    """Hold back every change that needs something blocked, however far down; and a start whose needs were left out."""
    remote = [one for one in verdicts.values() if isinstance(one, Change) and one.action.is_remote]
    waiting: dict[Address, list[Change]] = {}
    for change in remote:
        for need in change.needs:
            waiting.setdefault(need, []).append(change)
    held = {address for address, verdict in verdicts.items() if isinstance(verdict, BlockedResource)}
    held |= {change.address for change in remote if _left_out(change, verdicts, inputs)}
    open_ends = list(held)
    while open_ends:
        for change in waiting.get(open_ends.pop(), ()):
            if change.address not in held:
                held.add(change.address)
                open_ends.append(change.address)
    origins = {resource.address: resource.origin for resource in inputs.desired.resources}
    return {
        address: BlockedResource(
            address, Reason.STRANDED, _stuck(verdict, held, verdicts, inputs), origins.get(address)
        )
        if address in held and isinstance(verdict, Change)
        else verdict
        for address, verdict in verdicts.items()
    }


def _stuck(change: Change, held: Collection[Address], verdicts: Mapping[Address, Verdict], inputs: PlanInputs) -> Why:
    if blocked := [need for need in change.needs if need in held]:
        return because(Cause.NEEDS_BLOCKED, names=tuple(map(str, blocked)))
    return because(Cause.NEEDS_UNSELECTED, names=tuple(map(str, _left_out(change, verdicts, inputs))))


def _left_out(change: Change, verdicts: Mapping[Address, Verdict], inputs: PlanInputs) -> list[Address]:
    """What a start needs, has changes, and is not selected."""
    if inputs.selected is None or change.action is not Action.START:
        return []
    return [need for need in change.needs if need not in inputs.selected and verdicts.get(need) is not None]


def _unread_agents(inputs: PlanInputs, blocked: Iterable[BlockedResource]) -> Iterator[Finding]:
    """Agents that could not be read although nothing declared stands blocked for it: an orphan may hide there."""
    told = agents_told(one.why for one in blocked)
    declared = {agent.path for agent in inputs.desired.agents}
    for path, view in sorted(inputs.live.agents.items()):
        if view.problem and path not in told:
            yield Finding("unreadable", path, unread(path, declared, view.problem))


def _withheld_deletions(
    changes: Iterable[Change], blocked: Iterable[BlockedResource], warnings: Iterable[Finding]
) -> Iterator[Finding]:
    failed = [str(one.address) for one in blocked if one.reason is Reason.UNREADABLE]
    failed += [finding.address for finding in warnings if finding.code == "unreadable"]
    deletions = sum(change.action is Action.DELETE for change in changes)
    if failed and deletions:
        why = because(Cause.DELETIONS_WITHHELD, count=deletions, unread=min(failed))
        yield Finding("deletions-withheld", "", why)
