"""What became of a plan as a page: counts as filters, and what needs a person first."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.model.live import Evidence
from reconciler.model.outcome import Outcome, Status
from reconciler.model.plan import Change, Plan
from reconciler.render import Stamp, wording
from reconciler.render.html.cards import Card, fields_table
from reconciler.render.html.cards_page import Section, cards_page
from reconciler.render.html.links import ALONE, Links
from reconciler.render.reasons import words
from reconciler.render.signs import ACTION_STYLE, STATUS_STYLE


def outcomes(outcomes: Sequence[Outcome], plan: Plan, stamp: Stamp, links: Links = ALONE) -> str:
    """The run as a page of its own. What was planned and never begun is listed, too."""
    cards: dict[Status, list[Card]] = {status: [] for status in (Status.APPLIED, *wording.STATUS_ORDER)}
    for outcome in outcomes:
        cards[outcome.status].append(_outcome(outcome))
    shown = [(status.value, STATUS_STYLE[status][0], len(listed)) for status, listed in cards.items()]
    applied = Section("Applied", "", cards.pop(Status.APPLIED), starts_open=False)
    ended = {(outcome.change.address, outcome.change.action) for outcome in outcomes}
    waiting = [
        Card("waiting", "○", str(one.address), (_action(one),), tables=(fields_table(one.fields),), origin=one.origin)
        for one in plan.changes
        if (one.address, one.action) not in ended
    ]
    sections = [
        *(Section(one.capitalize(), _sentence(wording.STATUS_MEANING[one]), listed) for one, listed in cards.items()),
        Section("Not begun", "The run ended before these.", waiting),
        applied,
    ]
    shown.append(("waiting", "○", len(waiting)))
    lead = wording.outcomes_summary(outcomes, plan)
    return cards_page("Apply", stamp, lead=lead, counts=shown, sections=sections, noun="changes", links=links)


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


def _sentence(meaning: str) -> str:
    return f"{meaning.capitalize()}."
