"""Carries a Plan out: agents side by side, triggers when what they need is done, deletions last and one by one."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from queue import SimpleQueue

from reconciler.applier import remembered, schedules, triggers
from reconciler.applier.run import ORDER, Hands, Recorder, Run, Tools
from reconciler.errors import LedgerError, internal_error_text
from reconciler.model import Action, Address, Change, Evidence, KindName, Outcome, Plan, Reason, Status

__all__ = ["Hands", "Recorder", "Result", "Tools", "apply"]


@dataclass(frozen=True, slots=True)
class Result:
    """How a run ended: an outcome for every change, sorted by address, and the ledger's error if that ended it."""

    outcomes: tuple[Outcome, ...]
    broken: LedgerError | None = None


@dataclass(frozen=True, slots=True)
class _Unit:
    """Changes that one worker carries out in order: all of one agent, or one trigger."""

    changes: tuple[Change, ...]
    needs: frozenset[Address]

    @property
    def is_trigger(self) -> bool:
        return self.changes[0].address.kind is KindName.TRIGGER


def apply(plan: Plan, tools: Tools, *, as_of: datetime) -> Result:
    """Carry out every change of the plan, or say why it was not tried.

    A failure holds back what depends on it and all deletions, never its neighbours. When `tools.stop` is set, what is
    in flight is finished and nothing new starts. Product errors become outcomes; nothing is raised for them.
    """
    run = Run(tools, as_of)
    forgets = [change for change in plan.changes if change.action is Action.FORGET and change.after is None]
    deletions = [change for change in plan.changes if change.action is Action.DELETE]
    late = {change.address for change in (*forgets, *deletions)}
    _carry_units(run, _units(change for change in plan.changes if change.address not in late))
    _delete(run, deletions, _unread(plan))
    for change in forgets:
        _carry(run, change, None)
    outcomes = tuple(run.outcomes[address] for address in sorted(run.outcomes))
    return Result(outcomes, run.broken)


def _units(changes: Iterable[Change]) -> list[_Unit]:
    agents: dict[str, list[Change]] = {}
    for change in changes:
        is_trigger = change.address.kind is KindName.TRIGGER
        agents.setdefault(str(change.address) if is_trigger else f"agent/{change.agent_path}", []).append(change)
    units = []
    for _, together in sorted(agents.items()):
        ordered = tuple(sorted(together, key=lambda change: (ORDER[change.address.kind], change.address)))
        own = {change.address for change in ordered}
        units.append(_Unit(ordered, frozenset(need for change in ordered for need in change.needs) - own))
    return units


def _carry_units(run: Run, units: list[_Unit]) -> None:
    """Carry out all units, each as soon as what it needs is done, within the concurrency of its product."""
    owner = {change.address: number for number, unit in enumerate(units) for change in unit.changes}
    waits = [{owner[need] for need in unit.needs if need in owner} for unit in units]
    dependants: list[list[int]] = [[] for _ in units]
    for number, needed in enumerate(waits):
        for one in needed:
            dependants[one].append(number)
    done: SimpleQueue[int] = SimpleQueue()
    with (
        ThreadPoolExecutor(run.tools.acc_concurrency, "agent") as agents,
        ThreadPoolExecutor(run.tools.mft_concurrency, "trigger") as tasks,
    ):

        def start(number: int) -> None:
            unit = units[number]
            pool = tasks if unit.is_trigger else agents
            pool.submit(_carry_unit, run, unit).add_done_callback(lambda _: done.put(number))

        for number in [number for number, needed in enumerate(waits) if not needed]:
            start(number)
        for _ in units:
            ended = done.get()
            for number in dependants[ended]:
                waits[number].discard(ended)
                if not waits[number]:
                    start(number)


def _carry_unit(run: Run, unit: _Unit) -> None:
    seen: schedules.Seen | None = None
    for change in unit.changes:
        seen = _carry(run, change, seen)


def _carry(run: Run, change: Change, seen: schedules.Seen | None) -> schedules.Seen | None:
    """Carry out one change, whose surprises must not take its neighbours down, nor what is to be told of them."""
    try:
        match change.address.kind:
            case _ if change.action is Action.FORGET and change.after is None:
                _forget(run, change)
            case KindName.SCHEDULE:
                return schedules.carry(run, change, seen)
            case KindName.TRIGGER:
                triggers.carry(run, change)
            case _:
                remembered.carry(run, change)
    except Exception as error:
        what = run.tools.redact(internal_error_text(error))
        detail = f"unexpected {what}: what became of it is not known. Please report this"
        run.tools.tell(run.finish(change, Status.UNKNOWN, detail))
    return None


def _unread(plan: Plan) -> str:
    """What could not be read when the plan was made; then nothing is deleted anywhere."""
    unread = [str(one.address) for one in plan.blocked if one.reason is Reason.UNREADABLE]
    unread += [finding.address for finding in plan.warnings if finding.code == "unreadable"]
    return min(unread, default="")


def _delete(run: Run, deletions: list[Change], unread: str) -> None:
    """One deletion after the other, so that none follows a failure, be it of another deletion."""
    seen: schedules.Seen | None = None
    path = trouble = ""
    for change in sorted(deletions, key=lambda change: (change.agent_path, change.address)):
        trouble = trouble or run.failed_so_far()
        if unread or trouble:
            why = f"{unread} could not be read" if unread else f"{trouble} was not applied"
            run.skip(change, f"withheld: {why}, and nothing is deleted after a failure")
            continue
        seen = _carry(run, change, seen if change.agent_path == path else None)
        path = change.agent_path


def _forget(run: Run, change: Change) -> None:
    why = run.held_back(replace(change, needs=()))
    if why:
        run.skip(change, why)
        return
    outcome = run.finish(change, Status.APPLIED, evidence=Evidence.VERIFIED)
    run.record(outcome, None)
