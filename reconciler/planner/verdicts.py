"""The table's verdicts on everything at once: what a plan and an audit are both read from."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.model import Address, Change, Finding, KindName, Unchanged
from reconciler.planner.declared import Standing, judge
from reconciler.planner.scene import Kinds, Loss, Scene, Verdict, loss_of
from reconciler.planner.server_ids import holders_of, server_assigned
from reconciler.planner.undeclared import Stray, judge_forgotten, judge_strays, unremembered
from reconciler.secrecy import Secrecy, secrecy_of


def judge_all(scene: Scene, kinds: Kinds, strays: tuple[Stray, ...], warnings: list[Finding]) -> dict[Address, Verdict]:
    """The table's verdict on everything declared, live or remembered, before one thing holds back another."""
    declared = () if scene.destroy else (one for one in scene.desired.resources if _is_in_question(one.address, scene))
    standing = Standing(
        loss_of(scene), server_assigned(scene, kinds.schedule), holders_of(scene), unremembered(scene, strays)
    )
    verdicts = {resource.address: judge(resource, scene, standing, kinds, warnings) for resource in declared}
    if scene.selected is None or scene.destroy:
        verdicts.update(judge_strays(scene, strays, kinds, warnings))
        verdicts.update(judge_forgotten(scene, strays, verdicts))
    hidden = secrecy(scene)
    return {address: hidden.hide(said) if isinstance(said, Change) else said for address, said in verdicts.items()}


def secrecy(scene: Scene) -> Secrecy:
    """What is secret in this scene, for one and all verdicts."""
    desired, entries = scene.desired, scene.memory.entries.values()
    return secrecy_of(desired.resources, entries, desired.secret_values, is_lost=loss_of(scene) is not Loss.NONE)


def _is_in_question(address: Address, scene: Scene) -> bool:
    """Whether the selectors leave it, or something that they leave needs it: only that was read and measured."""
    if scene.selected is None or address in scene.selected:
        return True
    return address.kind is KindName.SCHEDULE or address in scene.contents


def unchanged_kinds(scene: Scene, verdicts: Mapping[Address, Verdict]) -> tuple[Unchanged, ...]:
    """How what needs no change is known, kind by kind. Nothing is attested of what was never sent."""
    by_kind: dict[KindName, list[str]] = {}
    for address in sorted(address for address, said in verdicts.items() if said is None):
        entry = scene.memory.entries.get(address)
        if address.kind is KindName.SCHEDULE:
            by_kind.setdefault(address.kind, []).append("")
        elif entry is not None:
            by_kind.setdefault(address.kind, []).append(entry.at)
    return tuple(Unchanged(kind, len(times), min(times), max(times)) for kind, times in sorted(by_kind.items()))
