"""The verdict on a declared resource that is started once for each key: due, known to have run, or not known."""

from __future__ import annotations

from reconciler.kind import A, S, StartedKind, U
from reconciler.model import Entry, Finding, Reason, Resource
from reconciler.planner.inputs import LedgerLoss, PlanInputs, Verdict
from reconciler.planner.verdict_parts import Overview, blocked, decided


def judge(
    resource: Resource[S],
    entry: Entry[U] | None,
    inputs: PlanInputs,
    overview: Overview,
    kind: StartedKind[S, U, A],
    warnings: list[Finding],
) -> Verdict:
    """The table's verdict on one resource."""
    decision = kind.decide(resource, entry, again=resource.address in inputs.resend)
    if decision is None:
        return None
    warnings.extend(Finding(code, str(resource.address), text) for code, text in decision.warnings)
    if decision.blocked is not None:
        return blocked(resource, decision.blocked, decision.message)
    if decision.reason is None:
        return None
    # An entry in a new ledger is a person's word about this trigger (`resolve`): what was lost is known again.
    if entry is None and not inputs.accepts_new_ledger and overview.loss is not LedgerLoss.NONE:
        message = _LOST_LEDGER if overview.loss is LedgerLoss.CERTAIN else _NEW_OR_LOST
        return blocked(resource, Reason.LOST_LEDGER, message.format(address=resource.address))
    if problem := inputs.product_problems.get(kind.product):
        return blocked(resource, Reason.UNREADABLE, problem)
    return decided(resource, decision, (decision.reason, decision.message), entry)


_LOST_LEDGER = (
    "the ledger is empty although schedules of this project are live: nobody knows whether this task was started. "
    "Restore the ledger; or say of this one `reconciler resolve {address} --ran` or `--not-ran`; or accept that all "
    "due tasks start: `reconciler apply --accept-new-ledger`"
)
_NEW_OR_LOST = (
    "the ledger is empty, and not every agent could be read: nobody knows whether it is new or was lost, and whether "
    "this task was started. Apply again when all agents can be read; or say of this one "
    "`reconciler resolve {address} --ran` or `--not-ran`; or accept that all due tasks start: "
    "`reconciler apply --accept-new-ledger`"
)
