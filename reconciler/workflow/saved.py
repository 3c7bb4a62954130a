"""Saved plans: made with the ledger's key, applied once, and only while they hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from reconciler import __version__, manifests, planfile
from reconciler.diff import Sealer
from reconciler.errors import PlanRefused
from reconciler.model import Began, Outcome, Project
from reconciler.products import Products
from reconciler.selection import Selection
from reconciler.workflow.applying import Applied, apply, plan_digest
from reconciler.workflow.git import commit_of
from reconciler.workflow.memory import open_ledger, read_from, read_seal
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
    """Apply a saved plan: exactly what it shows, or nothing. Raises PlanRefused, naming what no longer holds.

    Its seal, its age and whether it was used are looked at before any product is asked anything.
    """
    file = planfile.read(path)
    project, _ = manifests.load_project(setting.root, setting.environment, setting.environ, as_of=setting.clock())
    saved = file.require(project.name, project.environment, now=setting.clock(), seal=_seal(setting, project, file))
    asked = saved.intention
    selection = Selection(tuple(asked["only"]), tuple(asked["exclude"]), tuple(asked["labels"]))
    intention = Intention(
        selection, asked["max_deletes"], accepts_new_ledger=asked["accepts_new_ledger"], destroy=asked["destroy"]
    )
    use = _Use(setting, file, [])
    done = apply(setting, intention, confirm=lambda _: True, tell=tell, saved=use, lock_timeout=lock_timeout)
    return replace(done, notes=tuple(use.notes))


@dataclass(frozen=True, slots=True)
class _Use:
    """The one use of a plan file, as `apply` knows it."""

    setting: Setting
    file: planfile.PlanFile
    notes: list[str]

    @property
    def digest(self) -> str:
        return self.file.seal

    def require(self, survey: Survey) -> None:
        """Now that the lock is ours: it is still in time, this ledger's, and what a plan made now would do."""
        project, seal = survey.desired.project, survey.scene.seal
        saved = self.file.require(project.name, project.environment, now=self.setting.clock(), seal=seal)
        planfile.compare(saved, survey.plan, _inputs(survey), seal)

    def use_up(self, survey: Survey) -> None:
        """Mark the file. Where that cannot be done the ledger alone knows that it was used, which is worth a word."""
        try:
            self.file.mark_used(self.setting.clock(), survey.scene.seal)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            self.notes.append(
                f"{self.file.path} could not be marked as used ({reason}): that it was is known to the ledger alone"
            )


def _seal(setting: Setting, project: Project, file: planfile.PlanFile) -> Sealer:
    """The seal that a plan file must carry here. Raises PlanRefused when nobody can tell, or when it was used."""
    if (seal := read_seal(setting, project, used=file.seal)) is None:
        raise PlanRefused(
            f"there is no ledger at {project.ledger}, and RECONCILER_KEY is not set. {planfile.MADE_ELSEWHERE}",
            hint="apply it where the ledger is, or give both sides the same RECONCILER_KEY",
        )
    return seal


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
