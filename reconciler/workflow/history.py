"""What the ledger tells people: who applied what and when, whether its chain is whole, who holds the lock."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from operator import attrgetter
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.errors import LedgerError
from reconciler.model.copies import replace
from reconciler.model.outcome import Done, RunRecord
from reconciler.model.plan import Finding
from reconciler.model.project import Project
from reconciler.workflow.context import CommandContext
from reconciler.workflow.memory import open_ledger, this_owner
from reconciler.workflow.reading import read_project

if TYPE_CHECKING:
    from reconciler.ledger import Event, Holder, Ledger

_EVENTS_READ = 10_000
_EVENTS_DRAWN = 100_000


class History(Struct, frozen=True):
    """What was applied, newest first; `changes` by run id, for as far back as the latest events reach.

    `unended` are the changes that were begun and whose end is not recorded. `findings` is what is wrong with the chain
    of events, None where nobody looked.
    """

    project: Project
    runs: tuple[RunRecord, ...]
    changes: Mapping[str, Sequence[Done]]
    unended: Mapping[str, Sequence[Done]]
    findings: tuple[Finding, ...] | None = None


def history(context: CommandContext, limit: int) -> History:
    """The last runs, and what each of them did."""
    with opened(context) as (project, ledger):
        return history_from(ledger, project, limit)


def verified_history(context: CommandContext, limit: int) -> History:
    """The same for a page, with whether the chain of all events is whole."""
    with opened(context) as (project, ledger):
        return verified_history_from(ledger, project, limit)


def history_from(ledger: Ledger, project: Project, limit: int) -> History:
    """The last runs of a ledger that is open."""
    return _read(ledger, project, limit, _EVENTS_READ)


def verified_history_from(ledger: Ledger, project: Project, limit: int) -> History:
    """The last runs with as many events as a page can draw, and whether the chain of all events is whole."""
    return replace(_read(ledger, project, limit, _EVENTS_DRAWN), findings=ledger.verify())


def _read(ledger: Ledger, project: Project, limit: int, most_events: int) -> History:
    runs = ledger.runs(limit)
    shown = {run.id for run in runs}
    changes: dict[str, list[Done]] = {}
    begun: dict[tuple[str, str], Event] = {}
    for event in ledger.events(most_events):
        if event.run not in shown:
            continue
        if event.kind == "began":
            begun[event.run, event.address] = event
        elif event.kind == "outcome":
            began = begun.pop((event.run, event.address), None)
            changes.setdefault(event.run, []).append(_done(event, began.at if began is not None else "", event.at))
    unended: dict[str, list[Done]] = {}
    for event in begun.values():
        unended.setdefault(event.run, []).append(_done(event, event.at, ""))
    for found in (*changes.values(), *unended.values()):
        found.sort(key=attrgetter("address"))
    return History(project, runs, changes, unended)


def _done(event: Event, began: str, ended: str) -> Done:
    body = json.loads(event.body)
    return Done(
        event.address,
        body["action"],
        body.get("status", ""),
        body.get("detail", ""),
        began,
        ended,
        body.get("seconds", 0.0),
        body.get("run_id", ""),
    )


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
