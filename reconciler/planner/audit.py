"""The same verdicts as a plan, read as an audit: how live stands to what was last applied."""

from __future__ import annotations

from reconciler.causes import Cause, because
from reconciler.kind import AnyKind, KindRegistry
from reconciler.model.address import Address, Origin
from reconciler.model.condition import Drift, DriftFinding, DriftStatus
from reconciler.model.copies import replace
from reconciler.model.entry import Entry
from reconciler.model.live import Evidence
from reconciler.model.plan import Action, BlockedResource, Finding, Reason, Visibility
from reconciler.planner.attribution import unset_changes
from reconciler.planner.inputs import PlanInputs, Verdict
from reconciler.planner.undeclared import agents_told, undeclared_of, unmanaged_of
from reconciler.planner.verdicts import judge_all, secrecy, unchanged_kinds


def audit(inputs: PlanInputs, kinds: KindRegistry) -> Drift:
    """How every resource in sight stands to what was last applied."""
    ignored: list[Finding] = []
    undeclared = tuple(undeclared_of(inputs))
    hidden = secrecy(inputs)
    judged = judge_all(inputs, kinds, undeclared, ignored, hidden)
    verdicts = {at: said for at, said in judged.items() if inputs.selected is None or at in inputs.selected}
    origins = {resource.address: resource.origin for resource in inputs.desired.resources}
    unset = dict(unset_changes(inputs, kinds, hidden))
    findings = [
        replace(found, unset=unset.get(address, ()))
        for address, verdict in verdicts.items()
        if (
            found := _as_drift(
                kinds[address.kind], address, verdict, origins.get(address), inputs.memory.entries.get(address)
            )
        )
        is not None
    ]
    told = agents_told(finding.why for finding in findings)
    in_sight = inputs.paths_in_sight()
    for path, view in inputs.live.agents.items():
        if view.problem and path not in told and path in in_sight:
            address = Address(_anything(kinds), path, "*")
            why = because(Cause.AGENT_UNREAD, agent=path, said=view.problem)
            findings.append(DriftFinding(address, DriftStatus.UNREADABLE, Evidence.UNKNOWN, why=why))
    findings += [
        DriftFinding(Address(one.address.kind, one.agent, one.identity), DriftStatus.UNMANAGED, Evidence.VERIFIED)
        for one in unmanaged_of(inputs, undeclared)
    ]
    project = inputs.desired.project
    listed = tuple(sorted(findings, key=lambda found: found.address))
    return Drift(
        project.name,
        project.environment,
        listed,
        unchanged_kinds(inputs, kinds, verdicts),
        tuple(sorted(set(inputs.identities.warnings))),
    )


def _anything(kinds: KindRegistry) -> str:
    """The kind of what an agent that cannot be read would show."""
    return next(name for name, kind in kinds.items() if kind.visibility is Visibility.OBSERVED)


_DRIFT_OF_REASON = {
    Reason.VANISHED: DriftStatus.MISSING,
    Reason.DRIFTED: DriftStatus.DRIFTED,
    Reason.DIFFERS: DriftStatus.DRIFTED,
    Reason.DIVERGED: DriftStatus.DIVERGED,
}


def _as_drift(
    kind: AnyKind, address: Address, verdict: Verdict, origin: Origin | None, entry: Entry | None
) -> DriftFinding | None:
    is_seen = kind.visibility is Visibility.OBSERVED
    if verdict is None:
        if is_seen:
            return DriftFinding(address, DriftStatus.IN_SYNC, Evidence.VERIFIED, origin=origin)
        if entry is None:
            why = because(Cause.NOTHING_TO_SEND)
            return DriftFinding(address, DriftStatus.UNVERIFIABLE, Evidence.UNKNOWN, origin=origin, why=why)
        is_start = kind.visibility is Visibility.STARTED_ONCE
        why = because(Cause.STARTED_AT if is_start else Cause.ACCEPTED_AT, at=entry.at)
        return DriftFinding(address, DriftStatus.UNVERIFIABLE, Evidence.ATTESTED, origin=origin, why=why)
    if isinstance(verdict, BlockedResource):
        match verdict.reason:
            case Reason.UNREADABLE:
                status, evidence = DriftStatus.UNREADABLE, Evidence.UNKNOWN
            case Reason.PROTECTED:
                return None
            case Reason.UNKNOWN_START | Reason.LOST_LEDGER:
                status, evidence = DriftStatus.UNVERIFIABLE, Evidence.UNKNOWN
            case _:
                status, evidence = DriftStatus.PENDING, Evidence.VERIFIED if is_seen else Evidence.UNKNOWN
        return DriftFinding(address, status, evidence, origin=verdict.origin, why=verdict.why)
    evidence = Evidence.VERIFIED if is_seen else Evidence.ATTESTED
    if verdict.action is Action.FORGET and verdict.after is None:
        return None
    if verdict.action is Action.ADOPT:
        status = DriftStatus.IN_SYNC if is_seen else DriftStatus.UNVERIFIABLE
        return DriftFinding(address, status, evidence, origin=verdict.origin, why=verdict.why)
    # What no product shows can be known to have moved where a call by hand was recorded, and is gone with its agent.
    is_known = verdict.reason in (Reason.DRIFTED, Reason.DIVERGED, Reason.VANISHED)
    # Where an entry of an earlier version does not hold what moved, nobody is accused.
    is_open = verdict.reason is Reason.DIFFERS and entry is not None and entry.identity == verdict.identity
    is_told = is_known or (is_seen and not is_open)
    status = _DRIFT_OF_REASON.get(verdict.reason, DriftStatus.PENDING) if is_told else DriftStatus.PENDING
    if not is_seen and verdict.reason in (Reason.NEW, Reason.DIFFERS, Reason.INTERRUPTED, Reason.DUE):
        evidence = Evidence.UNKNOWN
    return DriftFinding(address, status, evidence, verdict.fields, verdict.origin, verdict.why)
