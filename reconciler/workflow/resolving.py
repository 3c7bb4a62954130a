"""What a person says of a start that nobody knows the end of: `resolve`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

from msgspec import Struct

from reconciler import planner
from reconciler.clock import at_text
from reconciler.errors import ReconcilerError, UsageError
from reconciler.kind import AnyStarted, LicenceCount, Progress, StartMemo, StartState
from reconciler.kinds.registry import KINDS
from reconciler.model.address import Address
from reconciler.model.copies import replace
from reconciler.model.entry import Entry, Memory
from reconciler.model.live import Live
from reconciler.model.plan import Visibility
from reconciler.model.project import Project
from reconciler.model.resource import Desired, Resource
from reconciler.products import Products
from reconciler.suggestion import PatternSuggestions
from reconciler.workflow.completion import complete, with_needs
from reconciler.workflow.context import CommandContext
from reconciler.workflow.git import commit_of
from reconciler.workflow.memory import open_ledger, writing
from reconciler.workflow.reading import load, read_project

if TYPE_CHECKING:
    from reconciler.ledger import Ledger


class UnknownStart(Struct, frozen=True):
    """A start whose end is not known, with the weak evidence there is: the licence's counter then and now.

    `entry` is None where the ledger is new, or `restored` from a backup of that time, and nobody knows what was started
    before, or since.
    """

    address: Address
    entry: Entry[StartMemo] | None
    licence_now: LicenceCount | None
    restored: str = ""


def unknown_start(context: CommandContext, address_text: str) -> UnknownStart:
    """The doubtful start at an address. Raises UsageError when there is none."""
    from reconciler.ledger import Ledger

    address = _trigger_address(address_text)
    project, secrets = read_project(context)
    entry, restored = None, ""
    if Ledger.exists(project.ledger, project.root):
        with open_ledger(context, project, create=False) as ledger:
            memory = ledger.memory()
            entry, restored = _in_doubt(context, memory, address), memory.restored
    if entry is None:
        _declared(context, address)
    return UnknownStart(address, entry, _licence_now(context, project, secrets), restored)


def _licence_now(context: CommandContext, project: Project, secrets: frozenset[str]) -> LicenceCount | None:
    """The licence's counter as it is now; None where it cannot be had: it is weak evidence, and no condition."""
    try:
        with Products(project, secrets, context.stop, context.clock) as products:
            found = products.mft.license()
    except ReconcilerError:
        return None
    return LicenceCount(found.executions, found.executions_limit)


def resolve(context: CommandContext, address_text: str, *, ran: bool, run_id: str = "") -> Entry[StartMemo]:
    """Settle a doubtful start by a person's word, and return what the ledger now holds.

    With `run_id` the next apply follows that run to its end. A start that did not run is due again. Who said so stands
    in the history. While the ledger is new, what a person says of a declared trigger is said of its key as it is now.
    Raises UsageError when nothing is in doubt (any more), Locked when somebody is applying.
    """
    address = _trigger_address(address_text)
    project, _ = read_project(context)
    with writing(context, project) as (ledger, lease):
        entry = _in_doubt(context, ledger.memory(), address) or _never_heard_of(context, ledger, address)
        state = StartState.RUNNING if run_id else StartState.SUCCESS if ran else StartState.NOT_RAN
        settled = replace(
            entry,
            settled=not run_id,
            applied={"key": entry.declared},
            memo=replace(entry.memo, state=state, run_id=run_id if ran else "", resolved=True),
            at=at_text(context.clock()),
        )
        run = ledger.begin_run(lease, commit=commit_of(context.root), command="resolve", plan_digest="")
        ledger.put(lease, settled)
        ledger.end_run(lease, run, result=f"{address}: {_SAID[state]}", summary={})
        return settled


_SAID = {
    StartState.RUNNING: "ran, to be followed",
    StartState.SUCCESS: "ran",
    StartState.NOT_RAN: "did not run",
}


def _in_doubt(context: CommandContext, memory: Memory, address: Address) -> Entry[StartMemo] | None:
    """The entry whose end is not known. Raises UsageError when nothing is open.

    None where a new ledger holds none, or a restored one an old one of a declared trigger: then it is asked of its key
    as it is now whether it was started.
    """
    entry = cast("Entry[StartMemo] | None", memory.entries.get(address))
    if entry is not None and memory.may_be_outdated(entry):
        declared = {one.address for one in load(context).resources}
        if address in declared:
            return None
    if entry is None:
        if memory.known:
            raise UsageError(
                f"no start of {address} is in the ledger, so none has an unknown outcome",
                hint=_nearest_trigger(str(address), memory.entries)
                or "a declared trigger that never started is started by the next `reconciler apply`",
            )
        return None
    if entry.settled:
        raise UsageError(
            f"no start of {address} has an unknown outcome",
            hint=f"its last start is known: {entry.memo.state}. "
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
        hint=_nearest_trigger(str(address), (one.address for one in desired.resources))
        or "`reconciler status` shows the triggers that there are",
    )


def _nearest_trigger(text: str, addresses: Iterable[Address]) -> str:
    """A hint for somebody who misspelt a trigger, "" where none comes near."""
    started = [one for one in addresses if KINDS[one.kind].visibility is Visibility.STARTED_ONCE]
    return PatternSuggestions(map(str, started)).hint(text)


def _never_heard_of(context: CommandContext, ledger: Ledger, address: Address) -> Entry[StartMemo]:
    """An open entry for a trigger that a new ledger knows nothing of, under the key that it has now."""
    desired, resource = _declared(context, address)
    # What the trigger rests on bears the names that the ledger knows it by, as in the next plan.
    found = planner.identify(desired, Live({}), ledger.memory(), KINDS, as_of=context.clock())
    wanted = with_needs(found.desired, frozenset({address}))
    completed = complete(found.desired, wanted, ledger.seal, found.memory.entries, KINDS)
    state = next(one.state for one in completed.resources if one.address == address)
    kind = cast("AnyStarted", KINDS[address.kind])
    return Entry(
        address=address,
        identity="",
        agent_path="",
        declared=kind.declared(state, ledger.seal),
        applied={},
        settled=False,
        memo=kind.remember(Progress(state, StartState.UNKNOWN)),
        needs=resource.needs,
    )


def _trigger_address(text: str) -> Address:
    try:
        address = Address.parse(text)
    except ValueError as error:
        hint = "a trigger's address is trigger/<name>"
        hint = f"{hint}: did you mean trigger/{text}?" if "/" not in text else hint
        raise UsageError(f"{text!r} is no address", hint=hint) from error
    if KINDS[address.kind].visibility is not Visibility.STARTED_ONCE:
        raise UsageError(f"{text} is no trigger, and only the outcome of a start can stay unknown", hint="apply again")
    return address
