"""The table's verdicts on everything at once: what a plan and an audit are both read from."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.model import Address, Change, Finding, KindName, Unchanged
from reconciler.planner.declared import Standing, judge
from reconciler.planner.inputs import Kinds, Loss, PlanInputs, Verdict, loss_of
from reconciler.planner.server_ids import holders_of, server_assigned
from reconciler.planner.undeclared import Stray, judge_forgotten, judge_strays, unremembered
from reconciler.secrecy import Secrecy, secrecy_of


def judge_all(
    inputs: PlanInputs, kinds: Kinds, strays: tuple[Stray, ...], warnings: list[Finding]
) -> dict[Address, Verdict]:
    """The table's verdict on everything declared, live or remembered, before one thing holds back another."""
    declared = (
        () if inputs.destroy else (one for one in inputs.desired.resources if _is_in_question(one.address, inputs))
    )
    standing = Standing(
        loss_of(inputs), server_assigned(inputs, kinds.schedule), holders_of(inputs), unremembered(inputs, strays)
    )
    verdicts = {resource.address: judge(resource, inputs, standing, kinds, warnings) for resource in declared}
    if inputs.selected is None or inputs.destroy:
        verdicts.update(judge_strays(inputs, strays, kinds, warnings))
        verdicts.update(judge_forgotten(inputs, strays, verdicts))
    hidden = secrecy(inputs)
    return {address: hidden.hide(said) if isinstance(said, Change) else said for address, said in verdicts.items()}


def secrecy(inputs: PlanInputs) -> Secrecy:
    """What is secret in these inputs, for one and all verdicts."""
    desired, entries = inputs.desired, inputs.memory.entries.values()
    return secrecy_of(desired.resources, entries, desired.secret_values, is_lost=loss_of(inputs) is not Loss.NONE)


def _is_in_question(address: Address, inputs: PlanInputs) -> bool:
    """Whether the selectors leave it, or something that they leave needs it: only that was read and measured."""
    if inputs.selected is None or address in inputs.selected:
        return True
    return address.kind is KindName.SCHEDULE or address in inputs.contents


def unchanged_kinds(inputs: PlanInputs, verdicts: Mapping[Address, Verdict]) -> tuple[Unchanged, ...]:
    """How what needs no change is known, kind by kind. Nothing is attested of what was never sent."""
    by_kind: dict[KindName, list[str]] = {}
    for address in sorted(address for address, said in verdicts.items() if said is None):
        entry = inputs.memory.entries.get(address)
        if address.kind is KindName.SCHEDULE:
            by_kind.setdefault(address.kind, []).append("")
        elif entry is not None:
            by_kind.setdefault(address.kind, []).append(entry.at)
    return tuple(Unchanged(kind, len(times), min(times), max(times)) for kind, times in sorted(by_kind.items()))
