"""What a person says and asks of the ledger: `resolve`, `history`, `unlock`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from reconciler import manifests, planner
from reconciler.errors import LedgerError, ReconcilerError, UsageError
from reconciler.kinds import schedule, trigger
from reconciler.model import Address, Desired, Entry, Finding, KindName, Live, Memory, Project, Resource, at_text
from reconciler.products import Products
from reconciler.workflow.contents import desired_contents, with_needs
from reconciler.workflow.context import CommandContext
from reconciler.workflow.git import commit_of
from reconciler.workflow.memory import open_ledger, this_owner, writing
from reconciler.workflow.reading import load

if TYPE_CHECKING:
    from reconciler.ledger import Holder, Ledger, RunRecord


_EVENTS_READ = 10_000


@dataclass(frozen=True, slots=True)
class Doubt:
    """A start whose end is not known, with the weak evidence there is: the licence's counter then and now.

    `entry` is None where the ledger is new and nobody knows whether it took the place of one that was lost.
    """

    address: Address
    entry: Entry | None
    licence_now: Mapping[str, Any] | None


def _project(context: CommandContext) -> tuple[Project, frozenset[str]]:
    return manifests.load_project(context.root, context.environment, context.environ, as_of=context.clock())


def doubt(context: CommandContext, address_text: str) -> Doubt:
    """The doubtful start at an address. Raises UsageError when there is none."""
    from reconciler.ledger import Ledger

    address = _trigger_address(address_text)
    project, secrets = _project(context)
    entry = None
    if Ledger.exists(project.ledger, project.root):
        with open_ledger(context, project, create=False) as ledger:
            entry = _in_doubt(ledger.memory(), address)
    if entry is None:
        _declared(context, address)
    return Doubt(address, entry, _licence_now(context, project, secrets))


def _licence_now(context: CommandContext, project: Project, secrets: frozenset[str]) -> Mapping[str, Any] | None:
    """The licence's counter as it is now; None where it cannot be had: it is weak evidence, and no condition."""
    try:
        with Products(project, secrets, context.stop, context.clock) as products:
            found = products.mft.license()
    except ReconcilerError:
        return None
    return {"used": found.executions, "limit": found.executions_limit}


def resolve(context: CommandContext, address_text: str, *, ran: bool, run_id: str = "") -> Entry:
    """Settle a doubtful start by a person's word, and return what the ledger now holds.

    With `run_id` the next apply follows that run to its end. A start that did not run is due again. Who said so stands
    in the history. While the ledger is new, what a person says of a declared trigger is said of its key as it is now.
    Raises UsageError when nothing is in doubt (any more), Locked when somebody is applying.
    """
    address = _trigger_address(address_text)
    project, _ = _project(context)
    with writing(context, project, 0.0) as (ledger, lease):
        entry = _in_doubt(ledger.memory(), address) or _never_heard_of(context, ledger, address)
        state = "running" if run_id else "success" if ran else "not-ran"
        settled = replace(
            entry,
            settled=not run_id,
            applied={"key": entry.declared},
            facts={**entry.facts, "state": state, "runId": run_id if ran else "", "resolved": True},
            at=at_text(context.clock()),
        )
        run = ledger.begin_run(lease, commit=commit_of(context.root), command="resolve", plan_digest="")
        ledger.put(lease, settled)
        ledger.end_run(lease, run, result=f"{address}: {_SAID[state]}", summary={})
        return settled


_SAID = {"running": "ran, to be followed", "success": "ran", "not-ran": "did not run"}


def _in_doubt(memory: Memory, address: Address) -> Entry | None:
    """The entry whose end is not known; None where a new ledger holds none. Raises UsageError when nothing is open."""
    entry = memory.entries.get(address)
    if entry is None:
        if memory.known:
            raise UsageError(
                f"the ledger knows no start of {address}, so none is in doubt",
                hint="a declared trigger that never started is started by the next `reconciler apply`",
            )
        return None
    if entry.settled:
        raise UsageError(
            f"nothing is in doubt about {address}",
            hint=f"its last start is known: {entry.facts.get('state', 'settled')}. "
            f"`reconciler apply --resend {address}` starts it once more",
        )
    return entry


def _declared(context: CommandContext, address: Address) -> tuple[Desired, Resource]:
    """The trigger as the manifests declare it. Raises UsageError when none does: then nothing will start it."""
    desired = load(context)
    for resource in desired.resources:
        if resource.address == address:
            return desired, resource
    raise UsageError(
        f"no manifest declares {address}, and the ledger knows no start of it",
        hint="`reconciler status` shows the triggers that there are",
    )


def _never_heard_of(context: CommandContext, ledger: Ledger, address: Address) -> Entry:
    """An open entry for a trigger that a new ledger knows nothing of, under the key that it has now."""
    desired, resource = _declared(context, address)
    # What the trigger rests on bears the names that the ledger knows it by, as in the next plan.
    found = planner.identify(desired, Live({}), ledger.memory(), schedule, as_of=context.clock())
    wanted = with_needs(found.desired, frozenset({address}))
    contents = desired_contents(found.desired, wanted, ledger.seal, found.memory.entries)[address]
    return Entry(
        address=address,
        identity="",
        agent_path="",
        declared=contents["key"],
        applied={},
        settled=False,
        needs=resource.needs,
        facts=trigger.facts(contents, state="unknown", attempts=1),
    )


def _trigger_address(text: str) -> Address:
    try:
        address = Address.parse(text)
    except ValueError as error:
        raise UsageError(f"{text!r} is no address", hint="a trigger's address is trigger/<name>") from error
    if address.kind is not KindName.TRIGGER:
        raise UsageError(f"{text} is no trigger, and only a start can be in doubt for good", hint="apply again")
    return address


def _existing(context: CommandContext, project: Project) -> Ledger:
    _require_ledger(project)
    return open_ledger(context, project, create=False)


def _require_ledger(project: Project) -> None:
    from reconciler.ledger import Ledger

    if not Ledger.exists(project.ledger, project.root):
        raise LedgerError("there is no ledger yet, so nothing is remembered", hint="`reconciler apply` makes one")


@dataclass(frozen=True, slots=True)
class Done:
    """How one change of a run ended, as the ledger's events have it."""

    address: str
    action: str
    status: str
    detail: str


@dataclass(frozen=True, slots=True)
class History:
    """What was applied, newest first; `changes` by run id, for as far back as the latest events reach."""

    project: Project
    runs: tuple[RunRecord, ...]
    changes: Mapping[str, tuple[Done, ...]]


def history(context: CommandContext, limit: int) -> History:
    """The last runs, and what each of them did."""
    project, _ = _project(context)
    with _existing(context, project) as ledger:
        runs, events = ledger.runs(limit), ledger.events(_EVENTS_READ)
    changes: dict[str, list[Done]] = {}
    for event in events:
        if event.kind == "outcome":
            body = json.loads(event.body)
            done = Done(event.address, body["action"], body["status"], body.get("detail", ""))
            changes.setdefault(event.run, []).append(done)
    return History(project, runs, {run: tuple(sorted(done, key=_in_order)) for run, done in changes.items()})


def _in_order(done: Done) -> str:
    return done.address


def verify(context: CommandContext) -> tuple[Finding, ...]:
    """Whether the chain of events is whole; what is wrong with it where it is not."""
    project, _ = _project(context)
    with _existing(context, project) as ledger:
        return ledger.verify()


def holder(context: CommandContext) -> Holder | None:
    """Who holds the lock; None when nobody does."""
    project, _ = _project(context)
    with _existing(context, project) as ledger:
        return ledger.holder()


def unlock(context: CommandContext) -> Holder | None:
    """Break the lock: whoever held it can write nothing more. Returns who it was."""
    project, _ = _project(context)
    _require_ledger(project)
    with open_ledger(context, project, create=True) as ledger:
        return ledger.break_lock(str(this_owner(context)))
