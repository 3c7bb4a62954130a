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

from collections.abc import Iterable, Iterator, Mapping

from reconciler.model import (
    Action,
    Address,
    BlockedResource,
    Change,
    Finding,
    Plan,
    Reason,
    Resource,
    Unmanaged,
)
from reconciler.planner.declared import judge
from reconciler.planner.scene import Kinds, Scene, Verdict
from reconciler.planner.undeclared import judge_forgotten, judge_strays, owned_in_sight, strays_of

__all__ = ["Kinds", "Scene", "plan"]


def plan(scene: Scene, kinds: Kinds) -> Plan:
    """Decide every resource by the table above. Equal scenes give equal plans."""
    warnings: list[Finding] = []
    verdicts: dict[Address, Verdict] = {}
    declared = () if scene.destroy else scene.desired.resources
    for resource in declared:
        verdicts[resource.address] = judge(resource, scene, kinds, warnings)
    strays = tuple(strays_of(scene))
    if scene.selected is None:
        verdicts.update(judge_strays(scene, strays, kinds, warnings))
        verdicts.update(judge_forgotten(scene, strays, verdicts))
    verdicts = _strand(verdicts, {resource.address: resource for resource in declared})
    chosen = {at: said for at, said in verdicts.items() if scene.selected is None or at in scene.selected}
    changes = tuple(sorted((v for v in chosen.values() if isinstance(v, Change)), key=_change_order))
    blocked = tuple(sorted((v for v in chosen.values() if isinstance(v, BlockedResource)), key=lambda b: b.address))
    warnings.extend(_unread_agents(scene, blocked))
    warnings.extend(_withheld_deletions(changes, blocked, warnings))
    return Plan(
        project=scene.desired.project.name,
        environment=scene.desired.project.environment,
        changes=changes,
        blocked=blocked,
        unmanaged=tuple(sorted(Unmanaged(stray.agent, stray.identity) for stray in strays if not stray.ours)),
        unchanged=sum(said is None for said in chosen.values()),
        warnings=tuple(sorted(set(warnings))),
        owned_in_sight=owned_in_sight(scene, strays),
        filtered=scene.selected is not None,
    )


def _change_order(change: Change) -> tuple[bool, Address]:
    return (change.action is Action.DELETE, change.address)


def _strand(verdicts: dict[Address, Verdict], declared: Mapping[Address, Resource]) -> dict[Address, Verdict]:
    """Hold back every change that needs something blocked, however far down."""
    result = dict(verdicts)
    moved = True
    while moved:
        moved = False
        for address, verdict in result.items():
            if not isinstance(verdict, Change) or not verdict.action.is_remote:
                continue
            stuck = [need for need in verdict.needs if isinstance(result.get(need), BlockedResource)]
            if stuck:
                message = f"it needs {', '.join(map(str, stuck))}, which is blocked"
                result[address] = BlockedResource(address, Reason.STRANDED, message, declared[address].origin)
                moved = True
    return result


def _unread_agents(scene: Scene, blocked: Iterable[BlockedResource]) -> Iterator[Finding]:
    """Agents that could not be read although nothing declared stands blocked for it: an orphan may hide there."""
    told = {one.message for one in blocked if one.reason is Reason.UNREADABLE}
    for path, view in sorted(scene.live.agents.items()):
        if view.problem and view.problem not in told:
            yield Finding("unreadable", path, view.problem)
    yield from scene.live.problems


def _withheld_deletions(
    changes: Iterable[Change], blocked: Iterable[BlockedResource], warnings: Iterable[Finding]
) -> Iterator[Finding]:
    unread = [str(one.address) for one in blocked if one.reason is Reason.UNREADABLE]
    unread += [finding.address for finding in warnings if finding.code == "unreadable"]
    deletions = sum(change.action is Action.DELETE for change in changes)
    if unread and deletions:
        message = f"{deletions} deletion(s) will be withheld, since {min(unread)} could not be read"
        yield Finding("deletions-withheld", "", message)
