"""The same verdicts as a plan, read as an audit: how live stands to what was last applied."""

from __future__ import annotations

from dataclasses import replace

from reconciler.kind import AnyKind, Kinds
from reconciler.model import (
    Action,
    Address,
    BlockedResource,
    Drift,
    DriftFinding,
    DriftStatus,
    Entry,
    Evidence,
    FieldChange,
    Finding,
    Origin,
    Reason,
    Visibility,
)
from reconciler.planner.attribution import unset_changes
from reconciler.planner.inputs import PlanInputs, Verdict
from reconciler.planner.undeclared import bare, problems_told, undeclared_of, unmanaged_of
from reconciler.planner.verdicts import judge_all, secrecy, unchanged_kinds


def audit(inputs: PlanInputs, kinds: Kinds) -> Drift:
    """How every resource in sight stands to what was last applied."""
    ignored: list[Finding] = []
    undeclared = tuple(undeclared_of(inputs))
    judged = judge_all(inputs, kinds, undeclared, ignored)
    verdicts = {at: said for at, said in judged.items() if inputs.selected is None or at in inputs.selected}
    origins = {resource.address: resource.origin for resource in inputs.desired.resources}
    unset = dict(unset_changes(inputs, kinds, secrecy(inputs)))
    findings = [
        _with_unset(found, unset.get(address, ()))
        for address, verdict in verdicts.items()
        if (
            found := _as_drift(
                kinds[address.kind], address, verdict, origins.get(address), inputs.memory.entries.get(address)
            )
        )
        is not None
    ]
    told = problems_told(finding.message for finding in findings if finding.status is DriftStatus.UNREADABLE)
    in_sight = inputs.paths_in_sight()
    for path, view in inputs.live.agents.items():
        if view.problem and bare(view.problem) not in told and path in in_sight:
            address = Address(_anything(kinds), path, "*")
            findings.append(DriftFinding(address, DriftStatus.UNREADABLE, Evidence.UNKNOWN, message=view.problem))
    findings += [
        DriftFinding(Address(one.address.kind, one.agent, one.identity), DriftStatus.UNMANAGED, Evidence.VERIFIED)
        for one in unmanaged_of(inputs, undeclared)
    ]
    project = inputs.desired.project
    listed = tuple(sorted(findings, key=lambda found: found.address))
    return Drift(project.name, project.environment, listed, unchanged_kinds(inputs, kinds, verdicts))


def _anything(kinds: Kinds) -> str:
    """The kind of what an agent that cannot be read would show."""
    return next(name for name, kind in kinds.items() if kind.visibility is Visibility.OBSERVED)


def _with_unset(finding: DriftFinding, unset: tuple[FieldChange, ...]) -> DriftFinding:
    """The finding with what changed in fields that the manifest does not set, told and never counted."""
    if not unset:
        return finding
    names = ", ".join(field.path for field in unset)
    told = f"not set in the manifest, and changed since the last apply: {names}"
    return replace(finding, unset=unset, message=f"{finding.message}; {told}" if finding.message else told)


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
            message = "nothing is declared that would be sent"
            return DriftFinding(address, DriftStatus.UNVERIFIABLE, Evidence.UNKNOWN, origin=origin, message=message)
        message = (
            f"{'started, as recorded' if kind.visibility is Visibility.STARTED_ONCE else 'accepted'} at {entry.at}"
        )
        return DriftFinding(address, DriftStatus.UNVERIFIABLE, Evidence.ATTESTED, origin=origin, message=message)
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
        return DriftFinding(address, status, evidence, origin=verdict.origin, message=verdict.message)
    evidence = Evidence.VERIFIED if is_seen else Evidence.ATTESTED
    if verdict.action is Action.FORGET and verdict.after is None:
        return None
    if verdict.action is Action.ADOPT:
        status = DriftStatus.IN_SYNC if is_seen else DriftStatus.UNVERIFIABLE
        return DriftFinding(address, status, evidence, origin=verdict.origin, message=verdict.message)
    # What no product shows can be known to have moved where a call by hand was recorded, and is gone with its agent.
    is_known = verdict.reason in (Reason.DRIFTED, Reason.DIVERGED, Reason.VANISHED)
    # Where an entry of an earlier version does not hold what moved, nobody is accused.
    is_open = verdict.reason is Reason.DIFFERS and entry is not None and entry.identity == verdict.identity
    is_told = is_known or (is_seen and not is_open)
    status = _DRIFT_OF_REASON.get(verdict.reason, DriftStatus.PENDING) if is_told else DriftStatus.PENDING
    if not is_seen and verdict.reason in (Reason.NEW, Reason.DIFFERS, Reason.INTERRUPTED, Reason.DUE):
        evidence = Evidence.UNKNOWN
    return DriftFinding(address, status, evidence, verdict.fields, verdict.origin, verdict.message)
