"""A plan as a page: what is risky first, what is alike as one card, every single change found by search and by link."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from reconciler.model.address import Address
from reconciler.model.plan import Action, Change, Plan, Unmanaged
from reconciler.quantities import counted
from reconciler.render import Stamp, wording
from reconciler.render.frequency import frequency_text, multiplies, run_texts, switch_text
from reconciler.render.html.card_groups import (
    CardGroup,
    Member,
    Part,
    members_part,
    names_of,
    own_fields,
    variations,
    warning_card,
)
from reconciler.render.html.cards import Card, Runs, fields_table, runs_of
from reconciler.render.html.cards_page import Section, cards_page
from reconciler.render.html.links import ALONE, Links
from reconciler.render.plan_summary import plan_summary
from reconciler.render.reasons import words
from reconciler.render.review import BlockedGroup, ChangeGroup, Risk, counted_kinds, kind_counted, outline, risk_of
from reconciler.render.signs import ACTION_STYLE, BLOCKED_STYLE

_NAMED = 4
_LOOK = "Deletions, starts, what is switched on or off, and big changes of how often."
_NEVER = "Live schedules that are not ours. Never touched."


def plan(plan: Plan, stamp: Stamp, links: Links = ALONE) -> str:
    """The plan as a page; it needs no network, and is read without its script, too."""
    found = outline(plan)
    sections = [
        Section("Risky", _LOOK, [_changes(group) for group in found.risky]),
        Section("Blocked", "The plan may not touch these.", [_blocked(group) for group in found.blocked]),
        Section("Other changes" if found.risky else "Changes", "", [_changes(group) for group in found.routine]),
        Section("Recorded in the ledger", "", list(_ledger_only(found.ledger_only)), starts_open=False),
        Section("Warnings", "", [warning_card(group) for group in found.warnings]),
        Section("Unmanaged", _NEVER, list(_unmanaged(plan.unmanaged)), starts_open=False),
    ]
    counts = [(action.value, ACTION_STYLE[action][0], plan.count(action)) for action in Action]
    counts += [("blocked", BLOCKED_STYLE[0], len(plan.blocked)), ("warning", "!", len(plan.warnings))]
    quiet = [("unchanged", plan.unchanged), ("unmanaged", len(plan.unmanaged))]
    return cards_page(
        "Plan",
        stamp,
        lead=plan_summary(plan),
        counts=counts,
        quiet=quiet,
        sections=sections,
        noun="entries",
        links=links,
    )


def _changes(group: ChangeGroup) -> Card | CardGroup:
    if group.is_single:
        return _change(group.changes[0])
    first = group.changes[0]
    share_runs, often = len({change.preview for change in group.changes}) == 1, group.frequency()
    runs = runs_of(first.preview, gone=group.action is Action.DELETE)
    if runs is not None and not share_runs:
        runs = Runs((), often, runs.bars, ()) if often else None
    facts = [_facts(change, share_runs=share_runs, share_frequency=bool(often)) for change in group.changes]
    shared = [fact for fact in facts[0] if all(fact in of_one for of_one in facts)]
    needs = first.needs if len({change.needs for change in group.changes}) == 1 else ()
    members = [
        Member(
            str(change.address),
            own_fields(change.fields, group.common),
            tuple(fact for fact in of_one if fact not in shared),
            () if needs else _texts(change.needs),
            origin=change.origin,
        )
        for change, of_one in zip(group.changes, facts, strict=True)
    ]
    various = group.sentences[:_NAMED] if len(group.sentences) > 1 else ()
    return CardGroup(
        group.action.value,
        ACTION_STYLE[group.action][0],
        group.headline(),
        [members_part(members, is_risky=group.risk is not None)],
        (group.reason.value,),
        alarm=_alarm(group.risk, group.action, often),
        told=(*((fact, 0) for fact in shared), *((said, count) for said, count in various if said)),
        needs=_texts(needs),
        table=fields_table(group.common),
        variations=variations(group.varying),
        runs=runs,
        names=names_of(group.addresses) if group.risk is not None else (),
    )


def _alarm(risk: Risk | None, action: Action, frequency: str) -> str:
    """Why to look closely, where neither the action nor the headline says it."""
    if risk is None or action is not Action.UPDATE or (risk is Risk.FREQUENCY and frequency):
        return ""
    return risk.value


def _facts(change: Change, *, share_runs: bool, share_frequency: bool) -> tuple[str, ...]:
    """What there is to say of one change beside its fields, and beside runs that its whole group shares."""
    facts = [words(change.why)]
    if change.action is Action.DELETE and change.agent_path:
        facts.append(f"Removes it from agent `{change.agent_path}`.")
    preview = change.preview
    if preview is not None and change.action in (Action.ENABLE, Action.DISABLE):
        facts.append(switch_text(preview, change.action))
    elif preview is not None and preview.after_runs and not share_runs:
        (first,), offset = run_texts(preview.after_runs[:1])
        facts.append(f"next run {first} ({offset})" if offset else f"next run {first}")
    if preview is not None and not share_runs:
        facts += [] if share_frequency else [frequency_text(preview)]
        facts += preview.notes
    return tuple(filter(None, facts))


def _change(change: Change) -> Card:
    fields, preview = change.fields, change.preview
    is_gone = change.action is Action.DELETE
    often = frequency_text(preview) if preview and multiplies(change) else ""
    names = ", ".join(field.path for field in fields[:_NAMED]) + (", …" if len(fields) > _NAMED else "")
    return Card(
        change.action.value,
        ACTION_STYLE[change.action][0],
        str(change.address),
        (change.reason.value,),
        names=names if change.action is Action.UPDATE else "",
        alarm=often or _alarm(risk_of(change), change.action, often),
        told=_facts(change, share_runs=True, share_frequency=True),  # they stand below, as runs
        needs=_texts(change.needs),
        tables=(fields_table(fields),),
        runs=runs_of(preview, gone=is_gone),
        origin=change.origin,
    )


def _ledger_only(groups: Sequence[ChangeGroup]) -> Iterator[CardGroup]:
    """All that no product is asked for, in one line."""
    if not groups:
        return
    parts = [
        Part(
            f"{group.counted()} will be {wording.DONE[group.action]}: {_because(group)}",
            [
                Member(str(one.address), own_fields(one.fields, ()), _own_words(one, group), origin=one.origin)
                for one in group.changes
            ],
            word=group.action.value,
        )
        for group in groups
    ]
    done = {action: [group for group in groups if group.action is action] for action in (Action.ADOPT, Action.FORGET)}
    counts = [
        f"{counted_kinds([one for group in of for one in group.addresses])} {wording.DONE[action]}"
        for action, of in done.items()
        if of
    ]
    word = Action.ADOPT if done[Action.ADOPT] else Action.FORGET
    yield CardGroup(word.value, ACTION_STYLE[word][0], f"{', '.join(counts)}; no product is asked for anything", parts)


def _because(group: ChangeGroup) -> str:
    return (group.sentences[0][0] if len(group.sentences) == 1 else "") or group.reason.value


def _own_words(change: Change, group: ChangeGroup) -> tuple[str, ...]:
    return tuple(filter(None, [words(change.why)])) if len(group.sentences) > 1 else ()


def _blocked(group: BlockedGroup) -> Card | CardGroup:
    first, said = group.blocked[0], tuple(filter(None, (group.said,)))
    if group.is_single:
        return Card(
            "blocked",
            BLOCKED_STYLE[0],
            str(first.address),
            (wording.blocked_words(first),),
            told=said,
            step=group.step,
            origin=first.origin,
        )
    members = [
        Member(str(one.address), told=(own,) if (own := words(one.why)) != group.said else (), origin=one.origin)
        for one in group.blocked
    ]
    return CardGroup(
        "blocked",
        BLOCKED_STYLE[0],
        group.headline(),
        [members_part(members)],
        told=tuple((sentence, 0) for sentence in said),
        step=group.step,
    )


def _unmanaged(unmanaged: Sequence[Unmanaged]) -> Iterator[CardGroup]:
    if unmanaged:
        members = [
            Member(agent, told=(kind_counted(len(ids), "schedule"),), listed=ids, is_resource=False)
            for agent, found in groupby(unmanaged, key=lambda item: item.agent)
            for ids in [tuple(item.id for item in found)]
        ]
        headline = kind_counted(len(unmanaged), "schedule")
        yield CardGroup("unmanaged", "·", headline, [Part(counted(len(members), "agent"), members)])


def _texts(addresses: Iterable[Address]) -> tuple[str, ...]:
    return tuple(sorted(map(str, addresses)))
