"""The verdict on a declared resource of a kind that no product shows: the ledger's entry stands in for live."""

from __future__ import annotations

from reconciler.causes import Cause, Why, because
from reconciler.kind import A, AttestedKind, ByHand, Decision, S, T
from reconciler.model.entry import Entry
from reconciler.model.plan import Action, Change, Finding, Reason
from reconciler.model.resource import Resource
from reconciler.planner.inputs import LedgerLoss, PlanInputs, Verdict
from reconciler.planner.verdict_parts import Overview, blocked, decided, unreadable


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
    warnings.extend(Finding(code, str(resource.address), why) for code, why in decision.warnings)
    if decision.needs_idle_agent and resource.agent_path in inputs.busy:
        return blocked(resource, Reason.POLICY, because(Cause.RUN_ACTIVE))
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
) -> tuple[Reason, Why | None]:
    """Why it is to be done, in the order in which the causes count."""
    wanted = () if decision.why is None else (decision.why,)
    if entry is None and resource.address in inputs.identities.made_anew:
        return Reason.VANISHED, because(Cause.HAS_NONE_ANEW, *wanted)
    if entry is None and overview.loss is LedgerLoss.CERTAIN:
        return Reason.DIFFERS, because(Cause.NOT_IN_LEDGER)
    if entry is None:
        return Reason.NEW, decision.why
    by_hand = entry.memo.by_hand
    if not entry.settled and by_hand is None:
        return Reason.INTERRUPTED, because(Cause.INTERRUPTED, *wanted)
    if not entry.settled and by_hand is not None:
        return Reason.INTERRUPTED, _by_hand(Cause.INTERRUPTED_BY_HAND, by_hand, wanted)
    if is_again:
        return Reason.RETRY, because(Cause.RESENT, *wanted)
    if by_hand is not None:
        moved = entry.declared != kind.declared(resource.state, inputs.seal)
        return Reason.DIVERGED if moved else Reason.DRIFTED, _by_hand(Cause.CHANGED_BY_HAND, by_hand, wanted)
    return decision.reason or Reason.EDITED, decision.why


def _by_hand(cause: Cause, by_hand: ByHand, wanted: tuple[Why, ...]) -> Why:
    return because(cause, *wanted, call=by_hand.call, by=by_hand.by, at=by_hand.at)


def _renamed(resource: Resource[S], entry: Entry | None, inputs: PlanInputs, agent_id: str) -> Change | None:
    """What was attested under another handle of the same agent is so under the new one; nothing is sent."""
    before = inputs.identities.renamed.get(resource.address)
    if before is None:
        return None
    reason = Reason.RENAMED, because(Cause.RENAMED, before=before)
    return decided(resource, Decision(Action.ADOPT, after=resource.state), reason, entry, agent_id=agent_id)
