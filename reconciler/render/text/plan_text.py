"""A plan for a terminal: a legend, one block a resource, what is blocked, warnings, and one sentence at the end."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from reconciler.model import Action, BlockedResource, Change, Finding, Origin, Plan, Preview, Unmanaged
from reconciler.quantities import counted
from reconciler.render import Screen
from reconciler.render.characters import columns
from reconciler.render.frequency import frequency_factor, frequency_text, multiplies, run_texts
from reconciler.render.plan_summary import plan_summary
from reconciler.render.reasons import words
from reconciler.render.signs import ACTION_STYLE, BLOCKED_STYLE
from reconciler.render.text.text_page import TextPage
from reconciler.render.wording import blocked_step, blocked_words


def plan(plan: Plan, screen: Screen, *, verbose: bool = False) -> str:
    """The plan as text. `verbose` shows long values in full, what a change waits for, and each unmanaged schedule."""
    page = TextPage(screen)
    page.paragraph(f"Plan for {plan.project}, environment {plan.environment}")
    if plan.changes or plan.blocked:
        page.blank()
        _legend(page, plan)
    for change in plan.changes:
        page.blank()
        _change(page, change, verbose=verbose)
    if plan.blocked:
        page.title("Blocked")
        for blocked in plan.blocked:
            _blocked(page, blocked)
    if plan.warnings:
        page.title("Warnings")
        _warnings(page, plan.warnings)
    if verbose and plan.unmanaged:
        page.title("Unmanaged, never touched")
        _unmanaged(page, plan.unmanaged)
    page.blank()
    page.paragraph(plan_summary(plan), style="bold")
    return page.text()


def place(origin: Origin | None) -> str:
    """`manifests/retail.yaml:24`, or nothing."""
    return f"{origin.path}:{origin.line}" if origin else ""


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


def _change(page: TextPage, change: Change, *, verbose: bool) -> None:
    style = ACTION_STYLE[change.action]
    said = words(change.why)
    reason = f"{change.reason}: {said}" if said else change.reason.value
    page.heading(page.sign(style) + " ", [str(change.address), reason, place(change.origin)])
    fields = change.fields
    one_sided = None if any(field.before is not None for field in fields) else ""
    if change.action is Action.CREATE:
        one_sided = page.paint("+", "green") + " "
    elif change.action is Action.DELETE:
        one_sided = page.paint("-", "red") + " "
        page.paragraph(_target(change), indent=4)
    page.fields(fields, indent=4, verbose=verbose, sign=one_sided)
    if change.preview:
        _preview(page, change, change.preview)
    if verbose and change.needs:
        page.paragraph(", ".join(sorted(map(str, change.needs))), indent=4, lead="waits for: ")


def _target(change: Change) -> str:
    known_as = "" if change.identity in str(change.address) else f" (id {change.identity})"
    return f"removes it{known_as} from agent {change.agent_path}" if change.agent_path else f"removes it{known_as}"


def _preview(page: TextPage, change: Change, preview: Preview) -> None:
    if change.action is Action.DELETE:
        _runs(page, "would have run: ", preview.before_runs)
    elif preview.before_runs == preview.after_runs or not preview.before_runs:
        _runs(page, "next runs: ", preview.after_runs)
    else:
        _runs(page, "next runs, before: ", preview.before_runs)
        _runs(page, "next runs, after:  ", preview.after_runs or ("none",))
    frequency = frequency_text(preview, arrow=page.arrow, times=page.times)
    is_told = change.action in (Action.CREATE, Action.DELETE) or frequency_factor(preview) is not None
    if frequency and (is_told or preview.before_per_day != preview.after_per_day):
        page.paragraph(frequency, indent=4, style="alarm" if multiplies(change) else "")
    for note in preview.notes:
        page.paragraph(note, indent=4, lead="note: ")


def _runs(page: TextPage, lead: str, runs: Sequence[str]) -> None:
    if not runs:
        return
    texts, offset = run_texts(runs)
    tail = f" ({offset})" if offset else ""
    room = page.width - 4 - len(lead) - len(tail)
    shown = ""
    for text in map(page.say, texts):
        longer = f"{shown}, {text}" if shown else text
        if shown and columns(longer) > room:
            break
        shown = longer
    page.paragraph(shown + tail, indent=4, lead=lead)


def _blocked(page: TextPage, blocked: BlockedResource) -> None:
    page.heading(page.sign(BLOCKED_STYLE) + " ", [str(blocked.address), blocked_words(blocked), place(blocked.origin)])
    page.paragraph(words(blocked.why), indent=4)
    step = blocked_step(blocked)
    if step:
        page.paragraph(step, indent=4, lead="next: ")


def _warnings(page: TextPage, warnings: Sequence[Finding]) -> None:
    for warning in warnings:
        page.heading(page.paint("!", "yellow") + " ", [warning.address or "project", warning.code], style="")
        page.paragraph(words(warning.why), indent=4)


def _unmanaged(page: TextPage, unmanaged: Sequence[Unmanaged]) -> None:
    for agent, group in groupby(unmanaged, key=lambda item: item.agent):
        ids = [item.id for item in group]
        page.paragraph(f"{agent}: {counted(len(ids), 'schedule')}", indent=2)
        for schedule_id in ids:
            page.paragraph(schedule_id, indent=4)
