"""The connection that a call by hand goes through, with all that must not be shown of its replies."""

from __future__ import annotations

from collections.abc import Callable

from reconciler.causes import Cause, Why, because
from reconciler.errors import LedgerError
from reconciler.model.project import Connection
from reconciler.products import Products
from reconciler.secrecy import Secrecy, secrecy_of
from reconciler.workflow.context import CommandContext
from reconciler.workflow.memory import read
from reconciler.workflow.reading import check_manifests, read_project


def connection_for_call(context: CommandContext, name: str, tell: Callable[[Why], None]) -> tuple[Connection, Secrecy]:
    """A connection of the project and what is secret. Raises ManifestError or UsageError.

    A call by hand is made also while the manifests have errors or the ledger cannot be read: `tell` is told what that
    means for what is shown.
    """
    project, secrets = read_project(context)
    connection = Products(project, secrets, context.stop, context.clock).connection(name)
    desired, problems = check_manifests(context, connections=False)
    if desired is not None:
        secrets |= desired.secret_values
    elif any(problem.code != "no-files" for problem in problems):
        tell(because(Cause.MANIFEST_SECRETS_UNKNOWN))
    try:
        entries = tuple(read(context, project).memory.entries.values()) if name == "acc" else ()
    except LedgerError as error:
        tell(because(Cause.PARAMETERS_HIDDEN, said=error.message))
        entries = ()
    return connection, secrecy_of(desired.resources if desired is not None else (), entries, secrets)
