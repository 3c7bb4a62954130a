"""Looks at everything that has to be well before a plan can be trusted, and says what to do about the rest."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from reconciler import __version__, timetable
from reconciler.errors import LedgerError, ManifestError, ReconcilerError
from reconciler.model.condition import Check, Level
from reconciler.model.project import Project
from reconciler.model.resource import Desired, Severity
from reconciler.quantities import counted_or_no, first_few
from reconciler.render.reasons import words
from reconciler.timetable.windows_zones import CLDR_VERSION
from reconciler.workflow.connections import broken, graded
from reconciler.workflow.connections import checks as connection_checks
from reconciler.workflow.context import CommandContext
from reconciler.workflow.memory import open_ledger
from reconciler.workflow.reading import check_manifests, read_project


class Examination(Struct, frozen=True):
    """All checks, and whose project it is as far as that could be read."""

    project: str
    environment: str
    checks: tuple[Check, ...]


def examine(context: CommandContext) -> Examination:
    """Every check, each with what to do. Nothing is written, and a broken project is a finding like any other.

    Raises UsageError for an environment that the project file does not declare.
    """
    zones = f"zone rules {timetable.zones.rules_version()}, CLDR {CLDR_VERSION}"
    checks = [Check("program", Level.OK, f"reconciler {__version__}"), Check("zones", Level.OK, zones)]
    try:
        project, secrets = read_project(context)
    except ManifestError as error:
        checks.append(broken("project file", error.problems))
        return Examination("", context.environment or "default", tuple(checks))
    check, desired = _manifests(context)
    checks.append(check)
    checks.extend(connection_checks(context, project, secrets, desired, context.clock()))
    checks.extend(_ledger(context, project))
    return Examination(project.name, project.environment, tuple(checks))


def _manifests(context: CommandContext) -> tuple[Check, Desired | None]:
    """How the manifests are, and what they say where they have no error."""
    desired, problems = check_manifests(context, connections=False)
    errors = sum(problem.severity is Severity.ERROR for problem in problems)
    warnings = len(problems) - errors
    if not problems:
        return Check("manifests", Level.OK, "no errors and no warnings"), desired
    level = Level.FAILED if errors else Level.WARNING
    found = f"{counted_or_no(errors, 'error')} and {counted_or_no(warnings, 'warning')}"
    return Check("manifests", level, found, "`reconciler validate` shows each"), desired


def _ledger(context: CommandContext, project: Project) -> Iterator[Check]:
    from reconciler.ledger import Ledger

    try:
        barred = _barred(project)
        if barred is not None:
            step = "let whoever applies write there"
            yield Check("ledger", Level.FAILED, f"{barred} cannot be written by this user", step)
        if not Ledger.exists(project.ledger, project.root):
            if barred is None:
                yield Check("ledger", Level.OK, "there is none yet: the first apply makes it")
            return
        with open_ledger(context, project, create=False) as ledger:
            memory = ledger.memory()
            tampered = ledger.verify()
            held = ledger.holder()
    except ReconcilerError as error:
        step = error.hint if isinstance(error, LedgerError) and error.hint else "restore it from a backup"
        yield Check("ledger", Level.FAILED, error.message, step)
        return
    if memory.restored:
        found = f"it was restored from a backup of {memory.restored}: no task that is due is started"
        step = "`reconciler apply --accept-new-ledger`, once it is clear which tasks may start"
        yield Check("ledger", Level.WARNING, found, step)
    elif memory.known or not memory.entries:
        yield Check("ledger", Level.OK, counted_or_no(len(memory.entries), "resource") + " remembered")
    else:
        step = "`reconciler apply --accept-new-ledger`, once it is clear which tasks may start"
        yield Check("ledger", Level.WARNING, "it took the place of one that was lost: no task is started", step)
    if tampered:
        step = "find out who changed the ledger, and restore it from a backup"
        yield Check("ledger events", Level.FAILED, words(tampered[0].why), step)
    else:
        yield Check("ledger events", Level.OK, "hash chain verified")
    unsettled = sorted(str(address) for address, entry in memory.entries.items() if not entry.settled)
    if unsettled:
        step = "`reconciler plan` shows what each of them needs"
        yield Check("unsettled", Level.WARNING, first_few(unsettled, 5), step)
    if held is not None:
        step = "the next apply takes it over; `reconciler unlock` shows it"
        yield graded("lock", f"held by {held.owner} since {held.since}", step, is_doubtful=held.expired)


def _barred(project: Project) -> Path | None:
    """What keeps this user from writing a ledger that is a file: itself, or the nearest thing above; or None."""
    from reconciler.ledger.location import locate

    path = locate(project.ledger, project.root).path
    if path is None:
        return None
    nearest = next(one for one in (path, *path.parents) if one.exists())
    fits = nearest == path or nearest.is_dir()
    return None if fits and os.access(nearest, os.W_OK) else nearest
