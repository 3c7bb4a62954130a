"""Saved plans: made with the ledger's key, applied once, and only while they hold."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from msgspec import Struct

from reconciler import __version__, planfile
from reconciler.diff import Sealer, sealer
from reconciler.errors import PlanRefused
from reconciler.model.copies import replace
from reconciler.model.outcome import ApplyEvent
from reconciler.model.project import Project
from reconciler.products import Products
from reconciler.render.reasons import words
from reconciler.selection import Selection
from reconciler.workflow.applying import Applied, apply, plan_digest, require_unused
from reconciler.workflow.context import CommandContext, PlanOptions
from reconciler.workflow.git import commit_of
from reconciler.workflow.memory import open_ledger, read_from
from reconciler.workflow.planning import Planned, decide
from reconciler.workflow.reading import Sources, load, read_project


def plan_to_file(context: CommandContext, options: PlanOptions, path: Path, expires: timedelta) -> Planned:
    """Plan, and seal the plan into a file with the ledger's key; a ledger is made where there is none.

    Why it is refused stands there among the warnings, so that whoever is shown the file knows.
    """
    desired = load(context)
    with (
        open_ledger(context, desired.project, create=True) as ledger,
        Products(desired.project, desired.secret_values, context.stop, context.clock) as products,
    ):
        planned = decide(context, options, Sources(desired, read_from(ledger), products))
    seal = planned.inputs.seal
    warnings = tuple(sorted({*planned.plan.warnings, *planned.refusals}))
    planfile.save(
        path,
        replace(planned.plan, warnings=warnings),
        digest=plan_digest(planned.plan),
        commit=commit_of(context.root),
        now=context.clock(),
        expires=expires,
        inputs=_inputs(planned),
        options={
            "only": list(options.selection.only),
            "exclude": list(options.selection.exclude),
            "labels": list(options.selection.labels),
            "max_deletes": options.max_deletes,
            "accepts_new_ledger": options.accepts_new_ledger,
            "destroy": options.destroy,
        },
        version=__version__,
        seal=seal,
    )
    return planned


def apply_file(
    context: CommandContext, path: Path, *, tell: Callable[[ApplyEvent], None], lock_timeout: float = 0.0
) -> Applied:
    """Apply a saved plan: exactly what it shows, or nothing. Raises PlanRefused, naming what no longer holds.

    Its seal, its age and whether it was used are looked at before any product is asked anything.
    """
    file = planfile.read(path)
    project, _ = read_project(context)
    saved = file.require(project.name, project.environment, now=context.clock(), seal=_seal(context, project, file))
    asked = saved.options
    selection = Selection(tuple(asked["only"]), tuple(asked["exclude"]), tuple(asked["labels"]))
    options = PlanOptions(
        selection, asked["max_deletes"], accepts_new_ledger=asked["accepts_new_ledger"], destroy=asked["destroy"]
    )
    use = SavedUse(context, file, [])
    done = apply(context, options, confirm=lambda _: True, tell=tell, saved=use, lock_timeout=lock_timeout)
    return replace(done, notes=tuple(use.notes))


class SavedUse(Struct, frozen=True):
    """The one use of a plan file, as `apply` knows it."""

    context: CommandContext
    file: planfile.PlanFile
    notes: list[str]

    @property
    def digest(self) -> str:
        return self.file.seal

    def require(self, planned: Planned) -> None:
        """Now that the lock is ours: it is still in time, this ledger's, and what a plan made now would do."""
        project, seal = planned.desired.project, planned.inputs.seal
        saved = self.file.require(project.name, project.environment, now=self.context.clock(), seal=seal)
        planfile.compare(saved, planned.plan, _inputs(planned), seal, words)

    def use_up(self, planned: Planned) -> None:
        """Mark the file. Where that cannot be done the ledger alone knows that it was used, which is worth a word."""
        try:
            self.file.mark_used(self.context.clock(), planned.inputs.seal)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            self.notes.append(
                f"{self.file.path} could not be marked as used ({reason}): that it was is known to the ledger alone"
            )


def _seal(context: CommandContext, project: Project, file: planfile.PlanFile) -> Sealer:
    """The seal that a plan file must carry here: this ledger's, or without one RECONCILER_KEY's.

    Raises PlanRefused where there is neither, and when the ledger knows that the plan was used.
    """
    from reconciler.ledger import Ledger

    if Ledger.exists(project.ledger, project.root):
        with open_ledger(context, project, create=False) as ledger:
            require_unused(ledger, file.seal)
            return ledger.seal
    if key := context.environ.get("RECONCILER_KEY", ""):
        return sealer(os.fsencode(key))
    raise PlanRefused(
        f"there is no ledger at {project.ledger}, and RECONCILER_KEY is not set. {planfile.MADE_ELSEWHERE}",
        hint="apply it where the ledger is, or give both sides the same RECONCILER_KEY",
    )


def _inputs(planned: Planned) -> str:
    inputs = planned.inputs
    return planfile.inputs_of(inputs.desired.resources, inputs.seal)
