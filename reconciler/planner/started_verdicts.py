"""The verdict on a declared resource that is started once for each key: due, known to have run, or not known."""

from __future__ import annotations

from reconciler.causes import Cause, because
from reconciler.kind import A, S, StartedKind, U
from reconciler.model.entry import Entry
from reconciler.model.plan import Finding, Reason
from reconciler.model.resource import Resource
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
    warnings.extend(Finding(code, str(resource.address), why) for code, why in decision.warnings)
    if decision.blocked is not None:
        assert decision.why is not None
        return blocked(resource, decision.blocked, decision.why)
    if decision.reason is None:
        return None
    # An entry in a new ledger is a person's word about this trigger (`resolve`): what was lost is known again.
    if entry is None and not inputs.accepts_new_ledger and overview.loss is not LedgerLoss.NONE:
        cause = Cause.LEDGER_LOST if overview.loss is LedgerLoss.CERTAIN else Cause.LEDGER_NEW_OR_LOST
        return blocked(resource, Reason.LOST_LEDGER, because(cause, address=resource.address))
    # Also a run that is to be followed: its end would make the entry look like one from after the backup.
    if entry is not None and not inputs.accepts_new_ledger and inputs.memory.may_be_outdated(entry):
        why = because(Cause.LEDGER_RESTORED, address=resource.address, at=inputs.memory.restored)
        return blocked(resource, Reason.LOST_LEDGER, why)
    if problem := inputs.product_problems.get(kind.product):
        return blocked(resource, Reason.UNREADABLE, because(Cause.SAID, said=problem))
    return decided(resource, decision, (decision.reason, decision.why), entry)
