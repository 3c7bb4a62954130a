"""What somebody changed in a product since it was last applied: the fields to take back by an apply, or to accept."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from reconciler.kind import KindRegistry, ObservedKind
from reconciler.model.address import Address
from reconciler.model.plan import Change, Reason
from reconciler.planner.attribution import moved_on_each_side
from reconciler.planner.inputs import PlanInputs, Verdict
from reconciler.planner.undeclared import undeclared_of
from reconciler.planner.verdicts import judge_all, secrecy


class LiveMove(Struct, frozen=True):
    """A declared thing that live moved. `fields` are those that did: of one that the manifest alone moved, none."""

    change: Change
    fields: frozenset[str]


def live_moves(inputs: PlanInputs, kinds: KindRegistry) -> Mapping[Address, LiveMove | Verdict]:
    """How every thing stands that is selected and read back: what live moved, and of the others their verdict."""
    verdicts = judge_all(inputs, kinds, tuple(undeclared_of(inputs)), [], secrecy(inputs))
    resources = {one.address: one for one in inputs.desired.resources}
    found: dict[Address, LiveMove | Verdict] = {}
    for address, verdict in sorted(verdicts.items()):
        kind, resource = kinds[address.kind], resources.get(address)
        if resource is None or not isinstance(kind, ObservedKind) or address not in (inputs.selected or verdicts):
            continue
        found[address] = verdict
        if not isinstance(verdict, Change) or verdict.before is None or not verdict.action.is_remote:
            continue
        if verdict.reason not in (Reason.DRIFTED, Reason.DIVERGED, Reason.DIFFERS):
            continue
        entry = inputs.memory.entries.get(address)
        entry = entry if entry is not None and entry.identity == resource.identity else None
        if verdict.reason is Reason.DIFFERS and entry is not None:
            continue  # the entry of an earlier version does not tell who moved it
        fields = kind.diff(verdict.before, resource.state, as_of=inputs.as_of)
        differing = frozenset(one.path.partition(".")[0] for one in fields)
        if entry is None:
            found[address] = LiveMove(verdict, differing)
        else:
            by_hand, edited = moved_on_each_side(differing, (verdict.before, resource.state), entry, inputs, kind)
            found[address] = LiveMove(verdict, differing - (edited - by_hand))
    return found
