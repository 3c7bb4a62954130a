"""The words for actions, statuses, frequencies and next steps: one wording for every format."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from reconciler.causes import Cause
from reconciler.model.condition import Drift, DriftFinding, DriftStatus
from reconciler.model.outcome import Outcome, Status
from reconciler.model.plan import Action, BlockedResource, FieldChange, Plan, Reason
from reconciler.model.state import SECRET_CHANGED
from reconciler.quantities import counted
from reconciler.render.characters import field_texts
from reconciler.render.reasons import words

DONE = {
    Action.CREATE: "created",
    Action.UPDATE: "updated",
    Action.ENABLE: "enabled",
    Action.DISABLE: "disabled",
    Action.DELETE: "deleted",
    Action.UPLOAD: "uploaded",
    Action.APPROVE: "approved",
    Action.DISAPPROVE: "disapproved",
    Action.START: "started",
    Action.ADOPT: "adopted",
    Action.FORGET: "removed from the ledger",
}

DRIFT_MEANING = {
    DriftStatus.IN_SYNC: "live is as it was last applied",
    DriftStatus.DRIFTED: "live was changed, and not by an apply",
    DriftStatus.PENDING: "only the manifest changed; this is not drift",
    DriftStatus.DIVERGED: "the manifest and live both changed",
    DriftStatus.MISSING: "it was applied, and is gone",
    DriftStatus.UNMANAGED: "live schedules that are not ours; never touched",
    DriftStatus.UNVERIFIABLE: "accepted by the product, which has no way to read it back",
    DriftStatus.UNREADABLE: "it could not be read, so nothing is known",
}

UNSET_MEANING = "in fields that the manifest does not set, since the last apply; this is not drift"

DRIFT_ORDER = (
    DriftStatus.DIVERGED,
    DriftStatus.DRIFTED,
    DriftStatus.MISSING,
    DriftStatus.UNREADABLE,
    DriftStatus.PENDING,
    DriftStatus.UNVERIFIABLE,
    DriftStatus.UNMANAGED,
    DriftStatus.IN_SYNC,
)

STATUS_MEANING = {
    Status.FAILED: "request failed",
    Status.SKIPPED: "held back, nothing was sent",
    Status.STALE: "live moved after the plan was made, nothing was sent",
    Status.UNVERIFIED: "sent and accepted, but reading back does not show that it is done",
    Status.UNKNOWN: "sent, and the answer was lost: perhaps it happened",
}
STATUS_ORDER = (Status.UNKNOWN, Status.UNVERIFIED, Status.FAILED, Status.STALE, Status.SKIPPED)

_BLOCKED_STEP = {
    Reason.PROTECTED: "Declare it with `protect: false`, apply, and then remove it.",
    Reason.UNOWNED: "Write its `id` into the manifest to adopt it, or choose another name.",
    Reason.UNREADABLE: (
        "Run `reconciler doctor`, then plan again. Where an agent was moved in ACC, write its new path into its "
        "document; where it is gone for good, remove the document: the plan then names the command that gives it up."
    ),
    Reason.UNKNOWN_START: "Find out what happened, then `reconciler resolve {address} --ran | --not-ran`.",
    Reason.LOST_LEDGER: "If the ledger is truly new, run `apply --accept-new-ledger`.",
    Reason.STRANDED: "Settle what it needs first; then it is applied with it.",
}
_SAYS_ITS_STEP = frozenset(
    {
        Cause.AGENT_UNREAD_UNDECLARED,
        Cause.ID_ELSEWHERE,
        Cause.ID_OF_ENVIRONMENT,
        Cause.LAST_START_UNKNOWN,
        Cause.LEDGER_LOST,
        Cause.LEDGER_NEW_OR_LOST,
        Cause.PROTECTED,
        Cause.PROTECTED_PERHAPS_LIVE,
        Cause.SERVER_ASSIGNED_ID,
        Cause.START_UNKNOWN,
    }
)

_BLOCKED_WORDS = {
    Reason.LOST_LEDGER: "lost ledger",
    Reason.STRANDED: "blocked by a dependency",
    Reason.UNKNOWN_START: "unknown start",
}

_STATUS_STEP = {
    Status.UNKNOWN: "Run `reconciler plan`: it looks again.",
    Status.FAILED: "Fix the cause, then run `reconciler apply` again.",
    Status.SKIPPED: "Settle what failed before it, then run `reconciler apply` again.",
    Status.UNVERIFIED: "Run `reconciler plan`: it shows what reading back gave.",
    Status.STALE: "Somebody changed it after the plan was made. Run `reconciler plan` and look again.",
}

_STOPS = frozenset({"max-deletes", "prune-to-nothing", "licence", "unreadable", "deletions-withheld"})


def plan_counts(plan: Plan) -> list[tuple[str, int]]:
    """The plan's summary in the contract's order: every action, then unchanged, blocked and unmanaged."""
    by_action = Counter(change.action for change in plan.changes)
    return [
        *((action.value, by_action[action]) for action in Action),
        ("unchanged", plan.unchanged),
        ("blocked", len(plan.blocked)),
        ("unmanaged", len(plan.unmanaged)),
    ]


def drift_summary(drift: Drift) -> str:
    """`Drift: 1 drifted, 2 missing; 4 in-sync.` or that there is none, as far as could be read."""
    counts = Counter(finding.status for finding in drift.findings)
    told = {status: f"{counts[status]:,} {status}" for status in DRIFT_ORDER if counts[status]}
    bad = [said for status, said in told.items() if status.is_drift]
    rest = [said for status, said in told.items() if not status.is_drift]
    if bad:
        head = f"Drift: {', '.join(bad)}"
    elif counts[DriftStatus.UNREADABLE] or counts[DriftStatus.UNVERIFIABLE]:
        head = "No drift in what could be read"
    else:
        head = "No drift"
    unset = sum(bool(finding.unset) for finding in drift.findings)
    more = f" Not set in the manifest, and changed since the last apply: {counted(unset, 'resource')}." if unset else ""
    return f"{head}; {', '.join(rest)}.{more}" if rest else f"{head}.{more}"


def sentences(*parts: str) -> str:
    """The parts one after the other, each ended by a full stop where it has no end of its own."""
    given = [part.strip() for part in parts if part.strip()]
    return " ".join(part if part[-1] in ".!?" or part is given[-1] else f"{part}." for part in given)


def blocked_words(blocked: BlockedResource) -> str:
    """Why a resource is blocked, for people: JSON has the reason's own value."""
    return _BLOCKED_WORDS.get(blocked.reason, blocked.reason.value)


def blocked_step(blocked: BlockedResource) -> str:
    """The next step for a blocked resource; empty where its cause says it already."""
    step = "" if blocked.why.cause in _SAYS_ITS_STEP else _BLOCKED_STEP.get(blocked.reason, "")
    return step.replace("{address}", str(blocked.address))


def blocked_step_of_many(reason: Reason) -> str:
    """The same for several that are blocked for one reason, each with its own address in the place of ADDRESS."""
    return _BLOCKED_STEP.get(reason, "").replace("{address}", "ADDRESS")


def outcome_step(outcome: Outcome) -> str:
    """What to do about a change that did not end as applied; empty for one that did."""
    return _own_step(outcome, str(outcome.change.address)) or status_step(outcome.status)


def outcome_step_of_many(outcome: Outcome) -> str:
    """The same for several like this one, each with its own address in the place of ADDRESS."""
    return _own_step(outcome, "ADDRESS") or status_step(outcome.status)


def has_step_of_its_own(outcome: Outcome) -> bool:
    """Whether there is more to do about it than about everything of its status."""
    return bool(_own_step(outcome, ""))


def status_step(status: Status) -> str:
    """What to do about changes that ended so; empty for what was applied."""
    return _STATUS_STEP.get(status, "")


def _own_step(outcome: Outcome, address: str) -> str:
    if outcome.status is Status.UNKNOWN and outcome.change.action is Action.START:
        return f"Find out whether it ran, then `reconciler resolve {address} --ran | --not-ran`."
    if outcome.run_id and outcome.status in (Status.UNVERIFIED, Status.SKIPPED):
        over = f"if that run is surely over, `reconciler resolve {address} --ran`"
        return f"Run `reconciler apply` again later; {over}."
    if outcome.run_id and outcome.status is Status.FAILED:
        # Another apply alone starts nothing: this key was started.
        again = f"`reconciler apply --resend {address}` starts the task once more"
        return f"Fix the cause; then {again}, and so does another `when.revision`."
    return ""


def outcome_sentence(outcome: Outcome) -> str:
    """What became of a change, without its address: `updated in 0.3s (verified)`."""
    action = outcome.change.action
    took = f"{outcome.seconds:.1f}s"
    detail = f": {words(outcome.why)}" if outcome.why is not None else ""
    match outcome.status:
        case Status.APPLIED:
            run = f", run {outcome.run_id}" if outcome.run_id else ""
            return f"{DONE[action]} in {took} ({outcome.evidence}{run}){detail}"
        case Status.FAILED if outcome.run_id:
            return f"started; the run failed, after {took} (run {outcome.run_id}){detail}"
        case Status.FAILED:
            return f"failed to {action} after {took}{detail}"
        case Status.SKIPPED:
            return f"skipped, nothing was sent{detail}"
        case Status.UNKNOWN:
            return f"unknown whether it was {DONE[action]}, after {took}{detail}"
        case Status.UNVERIFIED if outcome.run_id:
            return f"started; its end was not seen in {took} (run {outcome.run_id}){detail}"
        case Status.UNVERIFIED:
            return f"{DONE[action]} in {took}, but reading back shows something else{detail}"
        case Status.STALE:
            return f"stale, nothing was sent{detail}"


def is_stop(code: str) -> bool:
    """Whether a finding of this code makes a plan refused or incomplete, which a reader must know before all else."""
    return code in _STOPS


def short_commit(commit: str) -> str:
    """The first twelve digits of a commit, `-dirty` kept; `unknown` where there is none."""
    digits, dash, rest = commit.partition("-")
    return f"{digits[:12]}{dash}{rest}" or "unknown"


def finding_words(finding: DriftFinding) -> str:
    """Why a resource stands as it does, and what changed in fields that the manifest does not set."""
    names = ", ".join(field.path for field in finding.unset)
    unset = f"not set in the manifest, and changed since the last apply: {names}" if finding.unset else ""
    return "; ".join(filter(None, (words(finding.why), unset)))


def field_sentences(fields: Sequence[FieldChange]) -> list[str]:
    """`cron is "…", declared "…"` for each field of an audit."""
    return [_differs(field, "declared") for field in fields]


def unset_sentences(fields: Sequence[FieldChange]) -> list[str]:
    """`logLevel is 3, was 1 (not set in the manifest)` for each field of an audit that is not set in the manifest."""
    return [f"{_differs(field, 'was')} (not set in the manifest)" for field in fields]


def _differs(field: FieldChange, other: str) -> str:
    before, after = field_texts(field)
    told = f"{field.path} is {before}, {other} {after}" if after != SECRET_CHANGED else f"{field.path} differs {after}"
    return f"{told} at {field.origin.shown}" if field.origin is not None else told


def outcomes_summary(outcomes: Sequence[Outcome], plan: Plan) -> str:
    """`Applied 3 of 5 changes in 1.2s of calls: 1 failed, 1 skipped.` Nothing that was planned goes uncounted."""
    counts = Counter(outcome.status for outcome in outcomes)
    total = len(plan.changes)
    rest = [f"{counts[status]:,} {status}" for status in STATUS_ORDER if counts[status]]
    not_begun = total - len(outcomes)
    if not_begun > 0:
        rest.append(f"{not_begun:,} not begun")
    if plan.blocked:
        rest.append(f"{len(plan.blocked):,} blocked")
    applied = counts[Status.APPLIED]
    if not total:
        text = "Nothing to apply"
    elif applied == total:
        text = f"Applied {'all ' if total > 1 else ''}{counted(total, 'change')}"
    else:
        text = f"Applied {applied:,} of {counted(total, 'change')}"
    return f"{text}: {', '.join(rest)}." if rest else f"{text}."
