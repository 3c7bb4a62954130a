"""What became of a plan as a page: what needs a person first, then what was applied."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from reconciler.model import Change, Evidence, Outcome, Plan, Status
from reconciler.render import Stamp
from reconciler.render.html.card import Card, Group, fields_table, groups, tiles, toolbar
from reconciler.render.html.page import document, prose, text
from reconciler.render.html.plan import place
from reconciler.render.signs import ACTION_STYLE, STATUS_STYLE
from reconciler.render.wording import STATUS_MEANING, STATUS_ORDER, outcome_step, outcomes_summary


def outcomes(outcomes: Sequence[Outcome], plan: Plan, stamp: Stamp) -> str:
    """The run as a page of its own. What was planned and never begun is listed, too."""
    counts = Counter(outcome.status for outcome in outcomes)
    sections = [
        Group(
            status.value.capitalize(),
            f"{text(STATUS_MEANING[status]).capitalize()}.",
            [_card(outcome) for outcome in outcomes if outcome.status is status],
        )
        for status in STATUS_ORDER
    ]
    ended = {(outcome.change.address, outcome.change.action) for outcome in outcomes}
    waiting = [_waiting(change) for change in plan.changes if (change.address, change.action) not in ended]
    sections.append(Group("Not begun", "The run ended before these.", waiting))
    applied = [_card(outcome) for outcome in outcomes if outcome.status is Status.APPLIED]
    sections.append(Group("Applied", "", applied, is_open=False))
    shown = [(status.value, STATUS_STYLE[status][0], counts[status]) for status in (Status.APPLIED, *STATUS_ORDER)]
    shown.append(("waiting", "○", len(waiting)))
    total = sum(len(section.cards) for section in sections)
    tools = toolbar(total, "changes") if total else ""
    lead = f'<p class="lead">{text(outcomes_summary(outcomes, plan))}</p>\n'
    return document("Apply", stamp, lead + tiles(shown) + tools + groups(sections))


def _card(outcome: Outcome) -> Card:
    change = outcome.change
    told = f"<p>{prose(outcome.detail)}</p>" if outcome.detail else ""
    told += f"<p>Run <code>{text(outcome.run_id)}</code></p>" if outcome.run_id else ""
    step = outcome_step(outcome)
    told += f'<p class="next"><strong>Next:</strong> {prose(step)}</p>' if step else ""
    known = f"<span>{outcome.evidence}</span>" if outcome.evidence is not Evidence.UNKNOWN else ""
    took = f"<span>{outcome.seconds:.1f}s</span>" if outcome.seconds else ""
    return Card(
        word=outcome.status.value,
        sign=STATUS_STYLE[outcome.status][0],
        address=str(change.address),
        aside=f"<span>{ACTION_STYLE[change.action][0]} {change.action}</span>{known}{took}",
        body=told + fields_table(change.fields) + place(change.origin),
    )


def _waiting(change: Change) -> Card:
    aside = f"<span>{ACTION_STYLE[change.action][0]} {change.action}</span>"
    return Card("waiting", "○", str(change.address), aside, fields_table(change.fields) + place(change.origin))
