"""A plan, what became of it, and an audit as pages: counts as filters, what needs a person first, every field's sides.

An audit shows live beside what was declared.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby

from reconciler.model.condition import Drift, DriftFinding, DriftStatus
from reconciler.model.live import Evidence
from reconciler.model.outcome import Outcome, Status
from reconciler.model.plan import Action, BlockedResource, Change, Finding, Plan, Unmanaged
from reconciler.quantities import counted
from reconciler.render import Stamp, wording
from reconciler.render.frequency import frequency_text, multiplies
from reconciler.render.html.cards import Card, Group, cards_page, fields_table, runs_of
from reconciler.render.html.links import ALONE, Links
from reconciler.render.plan_summary import plan_summary
from reconciler.render.reasons import words
from reconciler.render.signs import ACTION_STYLE, BLOCKED_STYLE, DRIFT_STYLE, STATUS_STYLE

_NAMED = 4
_OPEN = wording.IS_DRIFT | {DriftStatus.UNREADABLE}


def plan(plan: Plan, stamp: Stamp, links: Links = ALONE) -> str:
    """The plan as a page of its own; it needs no network, and is read without its script, too."""
    risky = [_change(change) for change in wording.by_gravity(filter(wording.is_risky, plan.changes))]
    rest = [_change(change) for change in plan.changes if not wording.is_risky(change)]
    unmanaged, never = _unmanaged(plan.unmanaged), "Live schedules that are not ours. Never touched."
    groups = [
        Group("Look closely", "Deletions, starts, what is switched on, and big changes of how often.", risky),
        Group("Other changes" if risky else "Changes", "", rest),
        Group("Blocked", "The plan may not touch these.", [_blocked(blocked) for blocked in plan.blocked]),
        Group("Warnings", "", [_warning(warning) for warning in plan.warnings]),
        Group("Unmanaged", never, unmanaged, starts_open=False),
    ]
    counts = [(action.value, ACTION_STYLE[action][0], plan.count(action)) for action in Action]
    counts += [("blocked", BLOCKED_STYLE[0], len(plan.blocked)), ("warning", "!", len(plan.warnings))]
    quiet = [("unchanged", plan.unchanged), ("unmanaged", len(plan.unmanaged))]
    return cards_page(
        "Plan", stamp, lead=plan_summary(plan), counts=counts, quiet=quiet, groups=groups, noun="entries", links=links
    )


def outcomes(outcomes: Sequence[Outcome], plan: Plan, stamp: Stamp, links: Links = ALONE) -> str:
    """The run as a page of its own. What was planned and never begun is listed, too."""
    cards: dict[Status, list[Card]] = {status: [] for status in (Status.APPLIED, *wording.STATUS_ORDER)}
    for outcome in outcomes:
        cards[outcome.status].append(_outcome(outcome))
    shown = [(status.value, STATUS_STYLE[status][0], len(listed)) for status, listed in cards.items()]
    applied = Group("Applied", "", cards.pop(Status.APPLIED), starts_open=False)
    ended = {(outcome.change.address, outcome.change.action) for outcome in outcomes}
    waiting = [
        Card("waiting", "○", str(one.address), (_action(one),), tables=(fields_table(one.fields),), origin=one.origin)
        for one in plan.changes
        if (one.address, one.action) not in ended
    ]
    groups = [
        *(Group(one.capitalize(), _sentence(wording.STATUS_MEANING[one]), listed) for one, listed in cards.items()),
        Group("Not begun", "The run ended before these.", waiting),
        applied,
    ]
    shown.append(("waiting", "○", len(waiting)))
    lead = wording.outcomes_summary(outcomes, plan)
    return cards_page("Apply", stamp, lead=lead, counts=shown, groups=groups, noun="changes", links=links)


def drift(drift: Drift, stamp: Stamp, links: Links = ALONE) -> str:
    """The audit as a page of its own, the gravest first."""
    counts = Counter(finding.status for finding in drift.findings)
    changed: list[Card] = []
    cards: dict[DriftStatus, list[Card]] = {status: [] for status in wording.DRIFT_ORDER}
    for finding in drift.findings:
        is_quiet = bool(finding.unset) and finding.status is DriftStatus.IN_SYNC
        (changed if is_quiet else cards[finding.status]).append(_finding(finding))
    groups = [
        Group(status.capitalize(), _sentence(wording.DRIFT_MEANING[status]), listed, starts_open=status in _OPEN)
        for status, listed in cards.items()
    ]
    groups.append(Group("Warnings", "", [_warning(warning) for warning in drift.warnings]))
    groups.append(Group("Changed", _sentence(wording.UNSET_MEANING), changed, starts_open=False))
    shown = [(status.value, DRIFT_STYLE[status][0], counts[status]) for status in wording.DRIFT_ORDER]
    shown += [("warning", "!", len(drift.warnings))] if drift.warnings else []
    return cards_page(
        "Drift", stamp, lead=wording.drift_summary(drift), counts=shown, groups=groups, noun="resources", links=links
    )


def _change(change: Change) -> Card:
    fields = change.fields
    told = [said] if (said := words(change.why)) else []
    is_gone = change.action is Action.DELETE
    if is_gone and change.agent_path:
        told.append(f"Removes it from agent `{change.agent_path}`.")
    names = ", ".join(field.path for field in fields[:_NAMED]) + (", …" if len(fields) > _NAMED else "")
    return Card(
        change.action.value,
        ACTION_STYLE[change.action][0],
        str(change.address),
        (change.reason.value,),
        names=names if change.action is Action.UPDATE else "",
        alarm=frequency_text(change.preview) if change.preview and multiplies(change) else "",
        told=tuple(told),
        needs=tuple(sorted(map(str, change.needs))),
        tables=(fields_table(fields),),
        runs=runs_of(change.preview, gone=is_gone),
        origin=change.origin,
    )


def _blocked(blocked: BlockedResource) -> Card:
    return Card(
        "blocked",
        BLOCKED_STYLE[0],
        str(blocked.address),
        (wording.blocked_words(blocked),),
        told=tuple(filter(None, (words(blocked.why),))),
        step=wording.blocked_step(blocked),
        origin=blocked.origin,
    )


def _warning(warning: Finding) -> Card:
    return Card("warning", "!", warning.address or "project", (warning.code,), told=(words(warning.why),))


def _unmanaged(unmanaged: Iterable[Unmanaged]) -> list[Card]:
    cards = []
    for agent, group in groupby(unmanaged, key=lambda item: item.agent):
        ids = tuple(item.id for item in group)
        cards.append(Card("unmanaged", "·", agent, (counted(len(ids), "schedule"),), listed=ids))
    return cards


def _outcome(outcome: Outcome) -> Card:
    change = outcome.change
    tags = [_action(change)]
    if outcome.evidence is not Evidence.UNKNOWN:
        tags.append(outcome.evidence.value)
    if outcome.seconds:
        tags.append(f"{outcome.seconds:.1f}s")
    run = f"Run `{outcome.run_id}`" if outcome.run_id else ""
    return Card(
        outcome.status.value,
        STATUS_STYLE[outcome.status][0],
        str(change.address),
        tuple(tags),
        told=tuple(filter(None, (words(outcome.why), run))),
        step=wording.outcome_step(outcome),
        tables=(fields_table(change.fields),),
        origin=change.origin,
    )


def _action(change: Change) -> str:
    return f"{ACTION_STYLE[change.action][0]} {change.action}"


def _finding(finding: DriftFinding) -> Card:
    said = wording.finding_words(finding)
    is_bare = not (said or finding.fields or finding.unset or finding.origin)
    return Card(
        finding.status.value,
        DRIFT_STYLE[finding.status][0],
        str(finding.address),
        (finding.evidence.value,),
        told=("Nothing to add.",) if is_bare else (said,) if said else (),
        tables=(
            fields_table(finding.fields, "Live", "Declared"),
            fields_table(finding.unset, "Live", "Last applied"),
        ),
        origin=finding.origin,
    )


def _sentence(meaning: str) -> str:
    return f"{meaning.capitalize()}."
