"""The verdict on a declared resource of a kind that no product shows: the ledger's entry stands in for live."""

from __future__ import annotations

from reconciler.kind import A, AttestedKind, Decision, S, T
from reconciler.model import Action, Change, Entry, Finding, Reason, Resource
from reconciler.planner.inputs import LedgerLoss, PlanInputs, Verdict
from reconciler.planner.verdict_parts import RENAMED, Overview, blocked, decided, unreadable


def judge(
    resource: Resource[S],
    entry: Entry[T] | None,
    inputs: PlanInputs,
    overview: Overview,
    kind: AttestedKind[S, T, A],
    warnings: list[Finding],
) -> Verdict:
    """The table's verdict on one resource."""
    observed = inputs.live.observation(resource)
    if observed.problem:
        return unreadable(resource, observed)
    agent_id = inputs.live.agents[resource.agent_path].agent_id
    fields = kind.diff(entry, resource.state)
    again = resource.address in inputs.resend
    if not fields and (entry is None or entry.settled) and not again:
        return _renamed(resource, entry, inputs, agent_id)
    decision = kind.decide(entry, resource.state, fields, again=again)
    if not fields and again and not decision.action.is_remote:
        return None
    warnings.extend(Finding(code, str(resource.address), text) for code, text in decision.warnings)
    if decision.needs_idle_agent and resource.agent_path in inputs.busy:
        return blocked(resource, Reason.POLICY, _RUN_ACTIVE)
    reason = _reason(resource, entry, inputs, overview, kind, decision, is_again=again and not fields)
    return decided(resource, decision, reason, entry, agent_id=agent_id)


def _reason(
    resource: Resource[S],
    entry: Entry[T] | None,
    inputs: PlanInputs,
    overview: Overview,
    kind: AttestedKind[S, T, A],
    decision: Decision[S],
    *,
    is_again: bool,
) -> tuple[Reason, str]:
    """Why it is to be done, in the order in which the causes count."""
    if entry is None and resource.address in inputs.identities.made_anew:
        return Reason.VANISHED, f"the agent was made anew, and has none of it; {decision.message}"
    if entry is None and overview.loss is LedgerLoss.CERTAIN:
        return Reason.DIFFERS, _NOT_IN_LEDGER
    if entry is None:
        return Reason.NEW, decision.message
    by_hand = entry.memo.by_hand
    if not entry.settled:
        call = _OPEN if by_hand is None else _OPEN_BY_HAND.format(call=by_hand.call, by=by_hand.by, at=by_hand.at)
        return Reason.INTERRUPTED, f"{call}; {decision.message}"
    if is_again:
        return Reason.RETRY, f"--resend asks for it once more; {decision.message}"
    if by_hand is not None:
        moved = entry.declared != kind.declared(resource.state, inputs.seal)
        said = _BY_HAND.format(call=by_hand.call, by=by_hand.by, at=by_hand.at)
        return Reason.DIVERGED if moved else Reason.DRIFTED, f"{said}; {decision.message}"
    return decision.reason or Reason.EDITED, decision.message


def _renamed(resource: Resource[S], entry: Entry | None, inputs: PlanInputs, agent_id: str) -> Change | None:
    """What was attested under another handle of the same agent is so under the new one; nothing is sent."""
    before = inputs.identities.renamed.get(resource.address)
    if before is None:
        return None
    reason = Reason.RENAMED, RENAMED.format(before=before)
    return decided(resource, Decision(Action.ADOPT, after=resource.state), reason, entry, agent_id=agent_id)


_OPEN = "an earlier apply did not finish here"
_OPEN_BY_HAND = "whether `reconciler {call}`, by hand by {by} at {at}, was done is not known"
_BY_HAND = "changed by hand, with `reconciler {call}` by {by} at {at}"


_NOT_IN_LEDGER = "not in the ledger: it will be sent again"
_RUN_ACTIVE = (
    "a run of this agent is active, and its input files are not replaced meanwhile. Apply again when it has ended"
)
