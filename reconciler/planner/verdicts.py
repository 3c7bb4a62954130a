"""The table's verdicts on everything at once: what a plan and an audit are both read from."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.kind import AttestedKind, KindRegistry, ObservedKind, StartedKind
from reconciler.model.address import Address
from reconciler.model.plan import Change, Finding, Unchanged, Visibility
from reconciler.model.resource import Resource
from reconciler.planner import attested_verdicts, observed_verdicts, started_verdicts
from reconciler.planner.inputs import LedgerLoss, PlanInputs, Verdict, loss_of
from reconciler.planner.server_ids import holders_of, server_assigned
from reconciler.planner.undeclared import Undeclared, judge_forgotten, judge_undeclared, unremembered
from reconciler.planner.verdict_parts import Overview
from reconciler.secrecy import Secrecy, secrecy_of


def judge_all(
    inputs: PlanInputs,
    kinds: KindRegistry,
    undeclared: tuple[Undeclared, ...],
    warnings: list[Finding],
    hidden: Secrecy,
) -> dict[Address, Verdict]:
    """The table's verdict on everything declared, live or remembered, before one thing holds back another."""
    everything = () if inputs.destroy else inputs.desired.resources
    overview = Overview(
        loss_of(inputs), server_assigned(inputs, kinds), holders_of(inputs), unremembered(inputs, undeclared)
    )
    verdicts = {
        resource.address: _judge(resource, inputs, overview, kinds, warnings)
        for resource in everything
        if _is_in_question(resource.address, inputs, kinds)
    }
    if inputs.selected is None or inputs.destroy:
        verdicts.update(judge_undeclared(inputs, undeclared, kinds, warnings))
        verdicts.update(judge_forgotten(inputs, undeclared, verdicts, kinds))
    return {address: hidden.hide(said) if isinstance(said, Change) else said for address, said in verdicts.items()}


def _judge(
    resource: Resource, inputs: PlanInputs, overview: Overview, kinds: KindRegistry, warnings: list[Finding]
) -> Verdict:
    """The verdict on one declared resource, by the way in which its kind can be seen."""
    kind, entry = kinds[resource.address.kind], inputs.memory.entries.get(resource.address)
    if isinstance(kind, ObservedKind):
        return observed_verdicts.judge(resource, entry, inputs, overview, kind)
    if isinstance(kind, AttestedKind):
        return attested_verdicts.judge(resource, entry, inputs, overview, kind, warnings)
    assert isinstance(kind, StartedKind)
    return started_verdicts.judge(resource, entry, inputs, overview, kind, warnings)


def secrecy(inputs: PlanInputs) -> Secrecy:
    """What is secret in these inputs, for one and all verdicts."""
    desired, entries = inputs.desired, inputs.memory.entries.values()
    return secrecy_of(desired.resources, entries, desired.secret_values, is_lost=loss_of(inputs) is not LedgerLoss.NONE)


def _is_in_question(address: Address, inputs: PlanInputs, kinds: KindRegistry) -> bool:
    """Whether the selectors leave it, or something that they leave needs it: only that was read and measured."""
    if inputs.selected is None or address in inputs.selected:
        return True
    return kinds[address.kind].visibility is Visibility.OBSERVED or address in inputs.complete


def unchanged_kinds(
    inputs: PlanInputs, kinds: KindRegistry, verdicts: Mapping[Address, Verdict]
) -> tuple[Unchanged, ...]:
    """How what needs no change is known, kind by kind. Nothing is attested of what was never sent."""
    by_kind: dict[str, list[str]] = {}
    for address in sorted(address for address, said in verdicts.items() if said is None):
        entry = inputs.memory.entries.get(address)
        if kinds[address.kind].visibility is Visibility.OBSERVED:
            by_kind.setdefault(address.kind, []).append("")
        elif entry is not None:
            by_kind.setdefault(address.kind, []).append(entry.at)
    found = sorted(by_kind.items(), key=lambda one: (kinds[one[0]].rank, one[0]))
    return tuple(
        Unchanged(name, len(times), min(times), max(times), kinds[name].visibility, kinds[name].noun)
        for name, times in found
    )
