"""What the ledger tells people: who applied what and when, whether its chain is whole, who holds the lock."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from operator import attrgetter
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.errors import LedgerError
from reconciler.model.outcome import Done, RunRecord
from reconciler.model.plan import Finding
from reconciler.model.project import Project
from reconciler.workflow.context import CommandContext
from reconciler.workflow.memory import open_ledger, this_owner
from reconciler.workflow.reading import read_project

if TYPE_CHECKING:
    from reconciler.ledger import Holder, Ledger

_EVENTS_READ = 10_000


class History(Struct, frozen=True):
    """What was applied, newest first; `changes` by run id, for as far back as the latest events reach."""

    project: Project
    runs: tuple[RunRecord, ...]
    changes: Mapping[str, Sequence[Done]]


def history(context: CommandContext, limit: int) -> History:
    """The last runs, and what each of them did."""
    with opened(context) as (project, ledger):
        return history_from(ledger, project, limit)


def history_from(ledger: Ledger, project: Project, limit: int) -> History:
    """The same of a ledger that is open."""
    runs, events = ledger.runs(limit), ledger.events(_EVENTS_READ)
    changes: dict[str, list[Done]] = {}
    for event in sorted(events, key=attrgetter("address")):
        if event.kind == "outcome":
            body = json.loads(event.body)
            done = Done(event.address, body["action"], body["status"], body.get("detail", ""))
            changes.setdefault(event.run, []).append(done)
    return History(project, runs, changes)


def verify(context: CommandContext) -> tuple[Finding, ...]:
    """Whether the chain of events is whole; what is wrong with it where it is not."""
    with opened(context) as (_, ledger):
        return ledger.verify()


def holder(context: CommandContext) -> Holder | None:
    """Who holds the lock; None when nobody does."""
    with opened(context) as (_, ledger):
        return ledger.holder()


def unlock(context: CommandContext) -> Holder | None:
    """Break the lock: whoever held it can write nothing more. Returns who it was."""
    with opened(context, for_writing=True) as (_, ledger):
        return ledger.break_lock(str(this_owner(context)))


@contextmanager
def opened(context: CommandContext, *, for_writing: bool = False) -> Iterator[tuple[Project, Ledger]]:
    """The project and its ledger. Raises LedgerError where there is none yet."""
    from reconciler.ledger import Ledger

    project, _ = read_project(context)
    if not Ledger.exists(project.ledger, project.root):
        raise LedgerError("there is no ledger yet, so nothing is recorded", hint="`reconciler apply` makes one")
    with open_ledger(context, project, create=for_writing) as ledger:
        yield project, ledger
