"""A plan for a terminal: what is risky first, then what is alike together, one sentence that counts at the end.

It is as detailed as fits on two screens, and lists all and everything when asked to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby, zip_longest

from reconciler.model.copies import replace
from reconciler.model.plan import Action, Plan
from reconciler.quantities import counted
from reconciler.render import Screen, wording
from reconciler.render.characters import columns
from reconciler.render.likeness import grouped
from reconciler.render.plan_summary import plan_summary
from reconciler.render.reasons import words
from reconciler.render.review import BlockedGroup, ChangeGroup, Outline, outline
from reconciler.render.signs import ACTION_STYLE, BLOCKED_STYLE
from reconciler.render.text.group_blocks import (
    Detail,
    addresses_lines,
    group_block,
    ledger_only_block,
    places_lines,
)
from reconciler.render.text.text_page import TextPage
from reconciler.render.text.warnings_text import warnings_list

_TWO_SCREENS = 100
_STOPS = "Refused, or incomplete"
_ALWAYS_IN_FULL = 12
_COPIED = 3
_WHOLE = Detail(is_whole=True)
_DETAILS = (
    Detail(),
    Detail(gravest=6, risky=3, routine=2, fields=4, ways=2, members=8, is_full=False),
    Detail(gravest=4, risky=2, routine=1, fields=2, ways=1, beside=2, members=0, is_full=False, is_airy=False),
    Detail(
        gravest=3, risky=1, routine=1, fields=1, ways=1, beside=0, places=0, members=0, is_full=False, is_airy=False
    ),
)
"""From what reads best to what is shortest."""


def plan(plan: Plan, screen: Screen, *, verbose: bool = False) -> str:
    """The plan as text. `verbose` writes each change in full, what it waits for, and each unmanaged schedule."""
    found = outline(plan)
    if verbose:
        return _page(plan, found, screen, _WHOLE).text()
    page = _page(plan, found, screen, _DETAILS[0])
    if len(plan.changes) + len(plan.blocked) <= _ALWAYS_IN_FULL:
        return page.text()
    for detail in _DETAILS[1:]:
        if len(page.lines) > _TWO_SCREENS:
            page = _page(plan, found, screen, detail)
    if len(page.lines) > _TWO_SCREENS:
        page = _page(plan, _with_fewer_groups(found), screen, _DETAILS[-1])
    return page.text()


def _with_fewer_groups(found: Outline) -> Outline:
    """The same with those together that differ in which fields they change, however many sorts there are."""
    return replace(
        found,
        risky=_together(found.risky),
        routine=_together(found.routine),
        ledger_only=_together(found.ledger_only),
    )


def _together(groups: Sequence[ChangeGroup]) -> tuple[ChangeGroup, ...]:
    found = grouped(groups, lambda group: (group.risk, group.action, group.kind, group.reason))
    return tuple(
        ChangeGroup(
            tuple(sorted((change for one in alike for change in one.changes), key=lambda one: one.address)), risk
        )
        for (risk, *_), alike in found.items()
    )


def _page(plan: Plan, found: Outline, screen: Screen, detail: Detail) -> TextPage:
    page = TextPage(screen)
    page.paragraph(f"Plan for {plan.project}, environment {plan.environment}")
    if plan.changes or plan.blocked:
        page.blank()
        _legend(page, plan)
    warnings_list(page, [one for one in plan.warnings if wording.is_stop(one.code)], detail, title=_STOPS)
    _section(page, "Risky", found.risky, detail, group_block)
    _blocked(page, found.blocked, detail)
    is_headed = bool(found.risky or found.blocked)
    _section(page, "Other" if is_headed else "", found.routine, detail, group_block)
    _section(page, "Ledger only" if is_headed or found.routine else "", found.ledger_only, detail, ledger_only_block)
    warnings_list(page, [one for one in plan.warnings if not wording.is_stop(one.code)], detail)
    if detail.is_whole and plan.unmanaged:
        page.title("Unmanaged, never touched")
        for agent, group in groupby(plan.unmanaged, key=lambda item: item.agent):
            ids = [item.id for item in group]
            page.paragraph(f"{agent}: {counted(len(ids), 'schedule')}", indent=2)
            for schedule_id in ids:
                page.paragraph(schedule_id, indent=4)
    page.blank()
    if detail is not _WHOLE and detail is not _DETAILS[0]:
        page.paragraph("Written in short, to fit on two screens: -v writes all of it out, --only narrows it.")
    page.paragraph(plan_summary(plan), style="bold")
    return page


def _legend(page: TextPage, plan: Plan) -> None:
    occurring = {change.action for change in plan.changes}
    entries = [(ACTION_STYLE[action], action.value) for action in Action if action in occurring]
    if plan.blocked:
        entries.append((BLOCKED_STYLE, "blocked"))
    line, used = " ", 1
    for style, word in entries:
        sign = style[0] if page.signs else style[1]
        size = columns(sign) + len(word) + 3
        if used + size > page.width:
            page.lines.append(line.rstrip())
            line, used = " ", 1
        line += f" {page.sign(style)} {word} "
        used += size
    page.lines.append(line.rstrip())


def _section(
    page: TextPage,
    title: str,
    groups: Sequence[ChangeGroup],
    detail: Detail,
    block: Callable[[TextPage, ChangeGroup, Detail], None],
) -> None:
    if groups and title:
        page.title(f"{title}: {counted(sum(len(group.changes) for group in groups), 'change')}")
    for number, group in enumerate(groups):
        if (number and detail.is_airy) or not (number or title):
            page.blank()
        block(page, group, detail)


def _blocked(page: TextPage, groups: Iterable[BlockedGroup], detail: Detail) -> None:
    """What may not be touched: one cause once, with what it is about and one next step."""
    found = [
        each
        for group in groups
        for each in (_by_themselves(group) if detail.is_whole or _is_typed(group) else (group,))
    ]
    if found:
        page.title(f"Blocked: {counted(sum(len(group.blocked) for group in found), 'resource')}")
    for group, after in zip_longest(found, found[1:]):
        page.head(BLOCKED_STYLE, group.headline(), origin=group.blocked[0].origin if group.is_single else None)
        page.paragraph(group.said, indent=4)
        if not group.is_single:
            addresses_lines(page, group.addresses, detail.risky)
            places_lines(page, [one.origin for one in group.blocked if one.origin is not None], detail)
        if group.step and (after is None or after.step != group.step):
            page.paragraph(group.step, indent=4, lead="next: ")


def _is_typed(group: BlockedGroup) -> bool:
    """Whether a few are each told a command of their own, which a person copies."""
    return len(group.blocked) <= _COPIED and any(str(one.address) in words(one.why) for one in group.blocked)


def _by_themselves(group: BlockedGroup) -> Iterator[BlockedGroup]:
    for one in group.blocked:
        yield BlockedGroup((one,), words(one.why), wording.blocked_step(one))
