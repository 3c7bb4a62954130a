"""The ledger as a whole: copied into a file, or moved to another place. No product is asked, and nothing is started."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.errors import LedgerError, UsageError
from reconciler.manifests.interpolation import InterpolationError, Interpolator
from reconciler.model.project import Project
from reconciler.urls import LEDGER_FORMS, ledger_kind
from reconciler.workflow.context import CommandContext
from reconciler.workflow.memory import this_owner
from reconciler.workflow.reading import read_project

if TYPE_CHECKING:
    from reconciler.ledger.backup import BackupMade
    from reconciler.ledger.moving import LedgerMove


def back_up(context: CommandContext, path: Path) -> tuple[Project, BackupMade]:
    """Copy the ledger, with all projects and environments in it, into a new file that is a ledger itself.

    Raises UsageError where a file is there, LedgerError where there is no ledger or it cannot be copied.
    """
    from reconciler.ledger import Ledger, backup

    project, _ = read_project(context)
    if not Ledger.exists(project.ledger, project.root):
        raise LedgerError("there is no ledger yet, so there is nothing to copy", hint="`reconciler apply` makes one")
    made = backup.back_up(project.ledger, project.name, path, root=project.root, clock=context.clock)
    return project, made


def migrate(context: CommandContext, to: str) -> tuple[Project, LedgerMove]:
    """Move the ledger of this project, all its environments, to another URL; or end a move that was interrupted.

    `to` is written as `ledger:` is, `${env:…}` included.

    Raises Locked while somebody applies, UsageError, LedgerError.
    """
    from reconciler.ledger import moving

    project, _ = read_project(context)
    try:
        filled = str(Interpolator(context.environ, {}, project.root).fill(to, project.root).value)
    except InterpolationError as error:
        raise UsageError(f"--to: {error.message}") from None
    if not ledger_kind(filled):
        raise UsageError(f"--to must be {LEDGER_FORMS}")
    found = moving.move(
        project.ledger,
        filled,
        project.name,
        root=project.root,
        owner=this_owner(context),
        clock=context.clock,
        pause=partial(context.clock.wait, context.stop),
        told=lambda step: context.progress("moving the ledger", step, moving.STEPS),
    )
    return project, found
