"""How a trigger's last start went, from what the ledger holds and what Automate MFT shows of its run. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from reconciler.kinds.health import Verdict
from reconciler.model import Entry, Health

OPEN = frozenset({"running", "started"})
"""The states of a start whose end nobody has seen; its run can be asked for."""


class TaskRun(Protocol):
    """A run as the MFT client reads it."""

    @property
    def status(self) -> str: ...
    @property
    def is_final(self) -> bool: ...
    @property
    def has_succeeded(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Unread:
    """A run that could not be read, and why; `is_missing`: Automate MFT says that there is none."""

    why: str
    is_missing: bool


def of_trigger(entry: Entry | None, run: TaskRun | Unread | None, *, is_lost: bool) -> Verdict:
    """Judge a trigger by its last start. `run` is the open one, None where none was asked for.

    `is_lost`: the ledger is new where another one was, so that no entry does not mean no start.
    """
    if entry is None:
        if is_lost:
            return Verdict(Health.UNKNOWN, notes=("the ledger is new: whether it ran is not known",), in_doubt=True)
        return Verdict(Health.NEVER_RAN)
    state, name = str(entry.facts.get("state")), str(entry.facts.get("runId") or "")
    if state in OPEN:
        return _of_open(entry, name, run)
    match state:
        case "success" if entry.facts.get("resolved"):
            return Verdict(Health.HEALTHY, entry.at, notes=("it ran, by a person's word (`reconciler resolve`)",))
        case "success":
            return Verdict(Health.HEALTHY, entry.at)
        case "failed":
            return Verdict(Health.FAILING, entry.at, notes=(f"run {name} failed",))
        case "not-ran":
            return Verdict(Health.NEVER_RAN, notes=("the last start is known not to have run",))
    say = f"say `reconciler resolve {entry.address} --ran` or `--not-ran`"
    note = f"whether its last start ran is not known: {say}"
    return Verdict(Health.UNKNOWN, entry.at, notes=(note,), in_doubt=True)


def _of_open(entry: Entry, name: str, run: TaskRun | Unread | None) -> Verdict:
    """A start that was accepted. Its end is known when the run was read, and not before."""
    waits = entry.facts.get("state") == "running"
    after = "the next apply follows it to its end" if waits else "nobody waits for its end"
    if run is None:
        return Verdict(Health.UNKNOWN, entry.at, notes=(f"run {name} was started; {after}",))
    if isinstance(run, Unread):
        over = f". If it is surely over: `reconciler resolve {entry.address} --ran`" if waits else ""
        note = f"run {name} was started, and cannot be read: {run.why.rstrip('.')}{over}"
        return Verdict(Health.UNKNOWN, entry.at, notes=(note,), in_doubt=waits and run.is_missing)
    if not run.is_final:
        return Verdict(Health.RUNNING, entry.at, notes=(f"run {name} is {run.status}; {after}",))
    recorded = "; the next apply records it" if waits else ""
    note = f"run {name} ended: {run.status}{recorded}"
    return Verdict(Health.HEALTHY if run.has_succeeded else Health.FAILING, entry.at, notes=(note,))
