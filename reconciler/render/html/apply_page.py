"""What became of a plan as a page: what needs a person first, then what was applied."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from reconciler.model import Change, Evidence, Outcome, Plan, Status
from reconciler.render import Stamp
from reconciler.render.html.cards import Card, Group, cards_page, fields_table
from reconciler.render.reasons import words
from reconciler.render.signs import ACTION_STYLE, STATUS_STYLE
from reconciler.render.wording import STATUS_MEANING, STATUS_ORDER, outcome_step, outcomes_summary


def outcomes(outcomes: Sequence[Outcome], plan: Plan, stamp: Stamp) -> str:
    """The run as a page of its own. What was planned and never begun is listed, too."""
    counts = Counter(outcome.status for outcome in outcomes)
    groups = [
        Group(
            status.value.capitalize(),
            f"{STATUS_MEANING[status].capitalize()}.",
            [_card(outcome) for outcome in outcomes if outcome.status is status],
        )
        for status in STATUS_ORDER
    ]
    ended = {(outcome.change.address, outcome.change.action) for outcome in outcomes}
    waiting = [_waiting(change) for change in plan.changes if (change.address, change.action) not in ended]
    applied = [_card(outcome) for outcome in outcomes if outcome.status is Status.APPLIED]
    groups += [
        Group("Not begun", "The run ended before these.", waiting),
        Group("Applied", "", applied, starts_open=False),
    ]
    shown = [(status.value, STATUS_STYLE[status][0], counts[status]) for status in (Status.APPLIED, *STATUS_ORDER)]
    shown.append(("waiting", "○", len(waiting)))
    lead = outcomes_summary(outcomes, plan)
    return cards_page("Apply", stamp, lead=lead, counts=shown, groups=groups, noun="changes")


def _card(outcome: Outcome) -> Card:
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
        step=outcome_step(outcome),
        tables=(fields_table(change.fields),),
        origin=change.origin,
    )


def _waiting(change: Change) -> Card:
    tables = (fields_table(change.fields),)
    return Card("waiting", "○", str(change.address), (_action(change),), tables=tables, origin=change.origin)


def _action(change: Change) -> str:
    return f"{ACTION_STYLE[change.action][0]} {change.action}"
