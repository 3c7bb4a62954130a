"""The table's verdicts on everything at once: what a plan and an audit are both read from."""

from __future__ import annotations

from reconciler.model import Address, Finding
from reconciler.planner.declared import judge
from reconciler.planner.scene import Kinds, Scene, Verdict
from reconciler.planner.undeclared import Stray, judge_forgotten, judge_strays


def judge_all(scene: Scene, kinds: Kinds, strays: tuple[Stray, ...], warnings: list[Finding]) -> dict[Address, Verdict]:
    """The table's verdict on everything declared, live or remembered, before one thing holds back another."""
    declared = () if scene.destroy else scene.desired.resources
    verdicts = {resource.address: judge(resource, scene, kinds, warnings) for resource in declared}
    if scene.selected is None:
        verdicts.update(judge_strays(scene, strays, kinds, warnings))
        verdicts.update(judge_forgotten(scene, strays, verdicts))
    return verdicts
