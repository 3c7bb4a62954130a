"""Saved plans: made with the ledger's key, applied once, and only while they hold."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from reconciler import __version__, planfile
from reconciler.model import Began, Outcome
from reconciler.products import Products
from reconciler.selection import Selection
from reconciler.workflow.applying import Applied, apply, plan_digest
from reconciler.workflow.git import commit_of
from reconciler.workflow.memory import open_ledger, read_from
from reconciler.workflow.reading import load
from reconciler.workflow.setting import Intention, Setting
from reconciler.workflow.survey import Survey, make_survey


def plan_to_file(setting: Setting, intention: Intention, path: Path, expires: timedelta) -> Survey:
    """Plan, and seal the plan into a file with the ledger's key; a ledger is made where there is none."""
    desired = load(setting)
    with (
        open_ledger(setting, desired.project, create=True) as ledger,
        Products(desired.project, desired.secret_values, setting.stop, setting.clock) as products,
    ):
        survey = make_survey(setting, intention, desired, read_from(ledger), products)
    seal = survey.scene.seal
    planfile.save(
        path,
        survey.plan,
        digest=plan_digest(survey.plan),
        commit=commit_of(setting.root),
        now=setting.clock(),
        expires=expires,
        inputs=_inputs(survey),
        intention=_intention_to(intention),
        version=__version__,
        seal=seal,
    )
    return survey


def apply_file(
    setting: Setting, path: Path, *, tell: Callable[[Began | Outcome], None], lock_timeout: float = 0.0
) -> Applied:
    """Apply a saved plan: exactly what it shows, or nothing. Raises PlanRefused, naming what no longer holds."""
    saved = planfile.load(path)
    asked = saved.intention
    selection = Selection(tuple(asked["only"]), tuple(asked["exclude"]), tuple(asked["labels"]))
    intention = Intention(
        selection, asked["max_deletes"], accepts_new_ledger=asked["accepts_new_ledger"], destroy=asked["destroy"]
    )

    def check(survey: Survey) -> None:
        project = survey.desired.project
        seal = survey.scene.seal
        planfile.refuse(saved, project.name, project.environment, now=setting.clock(), seal=seal)
        planfile.compare(saved, survey.plan, _inputs(survey), seal)

    return apply(
        setting,
        intention,
        confirm=lambda _: True,
        tell=tell,
        check=check,
        plan_file_digest=saved.seal,
        lock_timeout=lock_timeout,
    )


def _inputs(survey: Survey) -> str:
    scene = survey.scene
    return planfile.inputs_of(scene.desired.resources, scene.contents, scene.seal)


def _intention_to(intention: Intention) -> dict[str, object]:
    selection = intention.selection
    return {
        "only": list(selection.only),
        "exclude": list(selection.exclude),
        "labels": list(selection.labels),
        "max_deletes": intention.max_deletes,
        "accepts_new_ledger": intention.accepts_new_ledger,
        "destroy": intention.destroy,
    }
