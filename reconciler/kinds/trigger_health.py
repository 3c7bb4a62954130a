"""How a trigger's last start went, from what the ledger holds and what Automate MFT shows of its run. Pure."""

from __future__ import annotations

from reconciler.causes import Cause, because
from reconciler.kind import HealthReport, Run, StartMemo, StartState, Unanswered
from reconciler.model.condition import Health
from reconciler.model.entry import Entry


def of_trigger(entry: Entry[StartMemo] | None, run: Run | Unanswered | None, *, is_lost: bool) -> HealthReport:
    """Judge a trigger by its last start. `run` is the open one, None where none was asked for.

    `is_lost`: the ledger is new where another one was, so that no entry does not mean no start.
    """
    if entry is None:
        if is_lost:
            return HealthReport(Health.UNKNOWN, notes=(because(Cause.LEDGER_NEW),), in_doubt=True)
        return HealthReport(Health.NEVER_RAN)
    memo, name = entry.memo, entry.memo.run_id
    if memo.state.is_open:
        return _of_open(entry, name, run)
    match memo.state:
        case StartState.SUCCESS if memo.resolved:
            return HealthReport(Health.HEALTHY, entry.at, notes=(because(Cause.RAN_BY_WORD),))
        case StartState.SUCCESS:
            return HealthReport(Health.HEALTHY, entry.at)
        case StartState.FAILED:
            return HealthReport(Health.FAILING, entry.at, notes=(because(Cause.LAST_RUN_FAILED, run=name),))
        case StartState.NOT_RAN:
            return HealthReport(Health.NEVER_RAN, notes=(because(Cause.NOT_RAN),))
    note = because(Cause.LAST_START_IN_DOUBT, address=entry.address)
    return HealthReport(Health.UNKNOWN, entry.at, notes=(note,), in_doubt=True)


def _of_open(entry: Entry[StartMemo], name: str, run: Run | Unanswered | None) -> HealthReport:
    """A start that was accepted. Its end is known when the run was read, and not before."""
    waits = entry.memo.state is StartState.RUNNING
    after = because(Cause.FOLLOWED_NEXT if waits else Cause.NOBODY_WAITS)
    if run is None:
        return HealthReport(Health.UNKNOWN, entry.at, notes=(because(Cause.RUN_WAS_STARTED, after, run=name),))
    if isinstance(run, Unanswered):
        if_over = (because(Cause.IF_SURELY_OVER, address=entry.address),) if waits else ()
        note = because(Cause.RUN_STARTED_UNREAD, *if_over, run=name, said=run.why)
        return HealthReport(Health.UNKNOWN, entry.at, notes=(note,), in_doubt=waits and run.is_missing)
    if not run.is_final:
        note = because(Cause.RUN_IN_STATE, after, run=name, status=run.status)
        return HealthReport(Health.RUNNING, entry.at, notes=(note,))
    recorded = (because(Cause.RECORDED_NEXT),) if waits else ()
    note = because(Cause.RUN_HAS_ENDED, *recorded, run=name, status=run.status)
    return HealthReport(Health.HEALTHY if run.has_succeeded else Health.FAILING, entry.at, notes=(note,))
