"""How a trigger's last start went, from what the ledger holds and what Automate MFT shows of its run. Pure."""

from __future__ import annotations

from reconciler.kind import HealthReport, Run, StartMemo, StartState, Unanswered
from reconciler.model.condition import Health
from reconciler.model.entry import Entry


def of_trigger(entry: Entry[StartMemo] | None, run: Run | Unanswered | None, *, is_lost: bool) -> HealthReport:
    """Judge a trigger by its last start. `run` is the open one, None where none was asked for.

    `is_lost`: the ledger is new where another one was, so that no entry does not mean no start.
    """
    if entry is None:
        if is_lost:
            return HealthReport(
                Health.UNKNOWN, notes=("the ledger is new: whether it ran is not known",), in_doubt=True
            )
        return HealthReport(Health.NEVER_RAN)
    memo, name = entry.memo, entry.memo.run_id
    if memo.state.is_open:
        return _of_open(entry, name, run)
    match memo.state:
        case StartState.SUCCESS if memo.resolved:
            return HealthReport(Health.HEALTHY, entry.at, notes=("it ran, by a person's word (`reconciler resolve`)",))
        case StartState.SUCCESS:
            return HealthReport(Health.HEALTHY, entry.at)
        case StartState.FAILED:
            return HealthReport(Health.FAILING, entry.at, notes=(f"run {name} failed",))
        case StartState.NOT_RAN:
            return HealthReport(Health.NEVER_RAN, notes=("the last start is known not to have run",))
    say = f"say `reconciler resolve {entry.address} --ran` or `--not-ran`"
    note = f"whether its last start ran is not known: {say}"
    return HealthReport(Health.UNKNOWN, entry.at, notes=(note,), in_doubt=True)


def _of_open(entry: Entry[StartMemo], name: str, run: Run | Unanswered | None) -> HealthReport:
    """A start that was accepted. Its end is known when the run was read, and not before."""
    waits = entry.memo.state is StartState.RUNNING
    after = "the next apply follows it to its end" if waits else "nobody waits for its end"
    if run is None:
        return HealthReport(Health.UNKNOWN, entry.at, notes=(f"run {name} was started; {after}",))
    if isinstance(run, Unanswered):
        over = f". If it is surely over: `reconciler resolve {entry.address} --ran`" if waits else ""
        note = f"run {name} was started, and cannot be read: {run.why.rstrip('.')}{over}"
        return HealthReport(Health.UNKNOWN, entry.at, notes=(note,), in_doubt=waits and run.is_missing)
    if not run.is_final:
        return HealthReport(Health.RUNNING, entry.at, notes=(f"run {name} is {run.status}; {after}",))
    recorded = "; the next apply records it" if waits else ""
    note = f"run {name} ended: {run.status}{recorded}"
    return HealthReport(Health.HEALTHY if run.has_succeeded else Health.FAILING, entry.at, notes=(note,))
