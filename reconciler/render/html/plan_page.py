"""A plan as a page: the summary as filters, what is risky first, both sides of every field."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from reconciler.model import Action, BlockedResource, Change, Finding, Plan, Unmanaged
from reconciler.quantities import counted
from reconciler.render import Stamp
from reconciler.render.frequency import frequency_text, multiplies
from reconciler.render.html.cards import Card, Group, cards_page, fields_table, runs_of
from reconciler.render.plan_summary import plan_summary
from reconciler.render.reasons import words
from reconciler.render.signs import ACTION_STYLE, BLOCKED_STYLE
from reconciler.render.wording import blocked_step, blocked_words, by_gravity, is_risky

_NAMED = 4


def plan(plan: Plan, stamp: Stamp) -> str:
    """The plan as a page of its own; it needs no network, and is read without its script, too."""
    risky = [_change(change) for change in by_gravity(filter(is_risky, plan.changes))]
    rest = [_change(change) for change in plan.changes if not is_risky(change)]
    groups = [
        Group("Look closely", "Deletions, starts, what is switched on, and big changes of how often.", risky),
        Group("Other changes" if risky else "Changes", "", rest),
        Group("Blocked", "The plan may not touch these.", [_blocked(blocked) for blocked in plan.blocked]),
        Group("Warnings", "", [_warning(warning) for warning in plan.warnings]),
        Group(
            "Unmanaged",
            "Live schedules that are not ours. Never touched.",
            _unmanaged(plan.unmanaged),
            starts_open=False,
        ),
    ]
    counts = [(action.value, ACTION_STYLE[action][0], plan.count(action)) for action in Action]
    counts += [("blocked", BLOCKED_STYLE[0], len(plan.blocked)), ("warning", "!", len(plan.warnings))]
    quiet = [("unchanged", plan.unchanged), ("unmanaged", len(plan.unmanaged))]
    return cards_page("Plan", stamp, lead=plan_summary(plan), counts=counts, quiet=quiet, groups=groups, noun="entries")


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
        (blocked_words(blocked),),
        told=tuple(filter(None, (words(blocked.why),))),
        step=blocked_step(blocked),
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
