"""A plan as a page: the summary as filters, what is risky first, both sides of every field."""

from __future__ import annotations

from itertools import groupby

from reconciler.model import Action, BlockedResource, Change, Finding, Origin, Plan, Unmanaged
from reconciler.quantities import counted
from reconciler.render import Stamp
from reconciler.render.html.card import Card, Group, fields_table, groups, preview, tiles, toolbar
from reconciler.render.html.page import document, prose, text
from reconciler.render.plan_summary import plan_summary
from reconciler.render.signs import ACTION_STYLE, BLOCKED_STYLE
from reconciler.render.wording import (
    blocked_step,
    blocked_words,
    by_gravity,
    frequency_text,
    is_risky,
    multiplies,
    removed_fields,
)

_NAMED = 4


def plan(plan: Plan, stamp: Stamp) -> str:
    """The plan as a page of its own; it needs no network, and is read without its script, too."""
    risky = [_change(change) for change in by_gravity(filter(is_risky, plan.changes))]
    rest = [_change(change) for change in plan.changes if not is_risky(change)]
    sections = [
        Group("Look closely", "Deletions, starts, what is switched on, and big changes of how often.", risky),
        Group("Other changes" if risky else "Changes", "", rest),
        Group("Blocked", "The plan may not touch these.", [_blocked(blocked) for blocked in plan.blocked]),
        Group("Warnings", "", [_warning(warning) for warning in plan.warnings]),
        Group(
            "Unmanaged", "Live schedules that are not ours. Never touched.", _unmanaged(plan.unmanaged), is_open=False
        ),
    ]
    counts = [(action.value, ACTION_STYLE[action][0], plan.count(action)) for action in Action]
    counts += [("blocked", BLOCKED_STYLE[0], len(plan.blocked)), ("warning", "!", len(plan.warnings))]
    quiet = [("unchanged", plan.unchanged), ("unmanaged", len(plan.unmanaged))]
    total = sum(len(section.cards) for section in sections)
    tools = toolbar(total, "entries") if total else ""
    lead = f'<p class="lead">{text(plan_summary(plan))}</p>\n'
    return document("Plan", stamp, lead + tiles(counts, quiet) + tools + groups(sections))


def place(origin: Origin | None) -> str:
    """The place in the manifest, or nothing."""
    return f'<p class="place">{text(f"{origin.path}:{origin.line}")}</p>' if origin else ""


def _change(change: Change) -> Card:
    fields = change.fields
    told = f"<p>{prose(change.message)}</p>" if change.message else ""
    is_gone = change.action is Action.DELETE
    if is_gone:
        fields = fields or removed_fields(change)
        if change.agent_path:
            told += f"<p>Removes it from agent <code>{text(change.agent_path)}</code>.</p>"
    if change.needs:
        told += f'<p class="needs">After {", ".join(text(need) for need in sorted(map(str, change.needs)))}</p>'
    names = ", ".join(text(field.path) for field in fields[:_NAMED]) + (", …" if len(fields) > _NAMED else "")
    often = f"<small>{names}</small>" if change.action is Action.UPDATE and fields else ""
    if change.preview and multiplies(change):
        often += f"<mark>{text(frequency_text(change.preview))}</mark>"
    return Card(
        word=change.action.value,
        sign=ACTION_STYLE[change.action][0],
        address=str(change.address),
        aside=f"<span>{change.reason}</span>{often}",
        body=told + fields_table(fields) + preview(change.preview, gone=is_gone) + place(change.origin),
    )


def _blocked(blocked: BlockedResource) -> Card:
    step = blocked_step(blocked)
    told = f"<p>{prose(blocked.message)}</p>" if blocked.message else ""
    told += f'<p class="next"><strong>Next:</strong> {prose(step)}</p>' if step else ""
    return Card(
        "blocked",
        BLOCKED_STYLE[0],
        str(blocked.address),
        f"<span>{blocked_words(blocked)}</span>",
        told + place(blocked.origin),
    )


def _warning(warning: Finding) -> Card:
    told = f"<p>{prose(warning.message)}</p>"
    return Card("warning", "!", warning.address or "project", f"<span>{text(warning.code)}</span>", told)


def _unmanaged(unmanaged: tuple[Unmanaged, ...]) -> list[Card]:
    cards = []
    for agent, group in groupby(unmanaged, key=lambda item: item.agent):
        ids = [item.id for item in group]
        listed = "".join(f"<li>{text(schedule_id)}" for schedule_id in ids)
        cards.append(
            Card("unmanaged", "·", agent, f"<span>{counted(len(ids), 'schedule')}</span>", f"<ul>{listed}</ul>")
        )
    return cards
