"""Checks all of a project that needs no network."""

from __future__ import annotations

from reconciler.model.resource import Desired, Problem, Severity
from reconciler.workflow.context import CommandContext
from reconciler.workflow.reading import check_manifests


def validate(context: CommandContext, unset_severity: Severity) -> tuple[Desired | None, tuple[Problem, ...]]:
    """All that can be checked without a network and without secrets, all problems at once.

    `unset_severity` is how much an environment variable or a file counts that is not there.
    """
    from reconciler.clients.auth import key_complaint

    desired, problems = check_manifests(context, key_complaint=key_complaint, unset_severity=unset_severity)
    if desired is None or not desired.project.blackouts:
        return desired, problems
    from reconciler.calendar import schedule_checks

    return desired, tuple(sorted((*problems, *schedule_checks.of_manifests(desired, as_of=context.clock()))))
