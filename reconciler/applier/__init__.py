"""Applies a Plan: agents side by side, triggers when what they need is done, deletions last and one by one."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime
from queue import SimpleQueue

from msgspec import Struct

from reconciler.applier import attested_changes, observed_changes, started_changes
from reconciler.applier.run import ApplyContext, ApplyRun, Recorder
from reconciler.causes import Cause, because
from reconciler.errors import LedgerError, internal_error_text
from reconciler.kind import AttestedKind, KindRegistry, ObservedKind, Product, StartedKind
from reconciler.model.address import Address
from reconciler.model.copies import replace
from reconciler.model.live import Evidence
from reconciler.model.outcome import ApplyBegan, Outcome, Status
from reconciler.model.plan import Action, Change, Plan, Reason

__all__ = ["ApplyContext", "Recorder", "Result", "apply"]


class Result(Struct, frozen=True):
    """How a run ended: an outcome for every change, sorted by address, and the ledger's error if that ended it.

    `finished` are the changes that were under way when somebody interrupted, and were finished.
    """

    outcomes: tuple[Outcome, ...]
    broken: LedgerError | None = None
    finished: frozenset[Address] = frozenset()


class _Unit(Struct, frozen=True):
    """Changes that one worker applies in order: all of one agent, or one start. `product` is the one that it asks."""

    product: Product
    changes: tuple[Change, ...]
    needs: frozenset[Address]


def apply(plan: Plan, context: ApplyContext, *, as_of: datetime) -> Result:
    """Apply every change of the plan, or say why it was not tried.

    A failure holds back what depends on it and all deletions, never its neighbours. When `context.stop` is set, what is
    in flight is finished and nothing new starts. Product errors become outcomes; nothing is raised for them.
    """
    run = ApplyRun(context, as_of)
    context.tell(ApplyBegan(plan))
    forgets = [change for change in plan.changes if change.action is Action.FORGET and change.after is None]
    deletions = [change for change in plan.changes if change.action is Action.DELETE]
    late = {change.address for change in (*forgets, *deletions)}
    _apply_units(run, _units((change for change in plan.changes if change.address not in late), context.kinds))
    _delete(run, deletions, _unread(plan))
    for change in forgets:
        _apply_change(run, change, None)
    outcomes = tuple(run.outcomes[address] for address in sorted(run.outcomes))
    return Result(outcomes, run.broken, frozenset(run.finished))


def _units(changes: Iterable[Change], kinds: KindRegistry) -> list[_Unit]:
    agents: dict[tuple[str, Product], list[Change]] = {}
    for change in changes:
        place = f"agent/{change.agent_path}" if change.agent_path else str(change.address)
        agents.setdefault((place, kinds[change.address.kind].product), []).append(change)
    units = []
    for (_, product), together in sorted(agents.items()):
        ordered = tuple(sorted(together, key=lambda change: (kinds[change.address.kind].rank, change.address)))
        own = {change.address for change in ordered}
        units.append(_Unit(product, ordered, frozenset(need for change in ordered for need in change.needs) - own))
    return units


def _apply_units(run: ApplyRun, units: list[_Unit]) -> None:
    """Apply all units, each as soon as what it needs is done, within the concurrency of its product."""
    owner = {change.address: number for number, unit in enumerate(units) for change in unit.changes}
    waits = [{owner[need] for need in unit.needs if need in owner} for unit in units]
    dependants: list[list[int]] = [[] for _ in units]
    for number, needed in enumerate(waits):
        for one in needed:
            dependants[one].append(number)
    done: SimpleQueue[int] = SimpleQueue()
    with ExitStack() as open_pools:
        pools = {
            product: open_pools.enter_context(ThreadPoolExecutor(run.context.concurrency[product], product.value))
            for product in sorted({unit.product for unit in units})
        }

        def start(number: int) -> None:
            unit = units[number]
            pools[unit.product].submit(_apply_unit, run, unit).add_done_callback(lambda _: done.put(number))

        for number in [number for number, needed in enumerate(waits) if not needed]:
            start(number)
        for _ in units:
            ended = done.get()
            for number in dependants[ended]:
                waits[number].discard(ended)
                if not waits[number]:
                    start(number)


def _apply_unit(run: ApplyRun, unit: _Unit) -> None:
    seen: observed_changes.Seen | None = None
    for change in unit.changes:
        seen = _apply_change(run, change, seen)


def _apply_change(run: ApplyRun, change: Change, seen: observed_changes.Seen | None) -> observed_changes.Seen | None:
    """Apply one change, whose surprises must not take its neighbours down, nor what is to be told of them."""
    kind = run.context.kinds[change.address.kind]
    try:
        if change.action is Action.FORGET and change.after is None:
            _forget(run, change)
        elif isinstance(kind, ObservedKind):
            return observed_changes.apply_change(run, change, kind, seen)
        elif isinstance(kind, AttestedKind):
            attested_changes.apply_change(run, change, kind)
        elif isinstance(kind, StartedKind):
            started_changes.apply_change(run, change, kind)
    except Exception as error:
        what = run.context.redact(internal_error_text(error))
        run.context.tell(run.finish(change, Status.UNKNOWN, because(Cause.UNEXPECTED, error=what)))
    return None


def _unread(plan: Plan) -> str:
    """What could not be read when the plan was made; then nothing is deleted anywhere."""
    unread = [str(one.address) for one in plan.blocked if one.reason is Reason.UNREADABLE]
    unread += [finding.address for finding in plan.warnings if finding.code == "unreadable"]
    return min(unread, default="")


def _delete(run: ApplyRun, deletions: list[Change], unread: str) -> None:
    """One deletion after the other, so that none follows a failure, be it of another deletion."""
    seen: observed_changes.Seen | None = None
    path = ""
    failed: Address | None = None
    for change in sorted(deletions, key=lambda change: (change.agent_path, change.address)):
        failed = failed or run.failed_so_far()
        if unread or failed is not None:
            after_failure = because(Cause.WITHHELD_AFTER_FAILURE, failed=failed)
            run.skip(change, because(Cause.WITHHELD_FOR_UNREAD, unread=unread) if unread else after_failure)
            continue
        seen = _apply_change(run, change, seen if change.agent_path == path else None)
        path = change.agent_path


def _forget(run: ApplyRun, change: Change) -> None:
    if why := run.held_back(replace(change, needs=())):
        run.skip(change, why)
        return
    outcome = run.finish(change, Status.APPLIED, evidence=Evidence.VERIFIED)
    run.record(outcome, None)
