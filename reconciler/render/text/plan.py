"""A plan for a terminal: a legend, one block a resource, what is blocked, warnings, and one sentence at the end."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from reconciler.model import Action, BlockedResource, Change, Finding, Origin, Plan, Preview, Unmanaged
from reconciler.quantities import counted
from reconciler.render.characters import columns
from reconciler.render.plan_summary import plan_summary
from reconciler.render.signs import ACTION_STYLE, BLOCKED_STYLE
from reconciler.render.text.sheet import Sheet
from reconciler.render.wording import (
    blocked_step,
    blocked_words,
    frequency_factor,
    frequency_text,
    multiplies,
    removed_fields,
    run_texts,
)


def plan(plan: Plan, *, width: int, color: bool, verbose: bool = False, encoding: str = "utf-8") -> str:
    """The plan as text. `verbose` shows long values in full, what a change waits for, and each unmanaged schedule."""
    sheet = Sheet(width=width, color=color, encoding=encoding)
    sheet.paragraph(f"Plan for {plan.project}, environment {plan.environment}")
    if plan.changes or plan.blocked:
        sheet.blank()
        _legend(sheet, plan)
    for change in plan.changes:
        sheet.blank()
        _change(sheet, change, verbose=verbose)
    if plan.blocked:
        sheet.title("Blocked")
        for blocked in plan.blocked:
            _blocked(sheet, blocked)
    if plan.warnings:
        sheet.title("Warnings")
        _warnings(sheet, plan.warnings)
    if verbose and plan.unmanaged:
        sheet.title("Unmanaged, never touched")
        _unmanaged(sheet, plan.unmanaged)
    sheet.blank()
    sheet.paragraph(plan_summary(plan), style="bold")
    return sheet.text()


def place(origin: Origin | None) -> str:
    """`manifests/retail.yaml:24`, or nothing."""
    return f"{origin.path}:{origin.line}" if origin else ""


def _legend(sheet: Sheet, plan: Plan) -> None:
    occurring = {change.action for change in plan.changes}
    entries = [(ACTION_STYLE[action], action.value) for action in Action if action in occurring]
    if plan.blocked:
        entries.append((BLOCKED_STYLE, "blocked"))
    line, used = " ", 1
    for style, word in entries:
        sign = style[0] if sheet.signs else style[1]
        size = columns(sign) + len(word) + 3
        if used + size > sheet.width:
            sheet.lines.append(line.rstrip())
            line, used = " ", 1
        line += f" {sheet.sign(style)} {word} "
        used += size
    sheet.lines.append(line.rstrip())


def _change(sheet: Sheet, change: Change, *, verbose: bool) -> None:
    style = ACTION_STYLE[change.action]
    reason = f"{change.reason}: {change.message}" if change.message else change.reason.value
    sheet.heading(sheet.sign(style) + " ", [str(change.address), reason, place(change.origin)])
    fields = change.fields
    one_sided = None if any(field.before is not None for field in fields) else ""
    if change.action is Action.CREATE:
        one_sided = sheet.paint("+", "green") + " "
    elif change.action is Action.DELETE:
        one_sided = sheet.paint("-", "red") + " "
        fields = fields or removed_fields(change)
        sheet.paragraph(_target(change), indent=4)
    sheet.fields(fields, indent=4, verbose=verbose, sign=one_sided)
    if change.preview:
        _preview(sheet, change, change.preview)
    if verbose and change.needs:
        sheet.paragraph(", ".join(sorted(map(str, change.needs))), indent=4, lead="waits for: ")


def _target(change: Change) -> str:
    known_as = "" if change.identity in str(change.address) else f" (id {change.identity})"
    return f"removes it{known_as} from agent {change.agent_path}" if change.agent_path else f"removes it{known_as}"


def _preview(sheet: Sheet, change: Change, preview: Preview) -> None:
    if change.action is Action.DELETE:
        _runs(sheet, "would have run: ", preview.before_runs)
    elif preview.before_runs == preview.after_runs or not preview.before_runs:
        _runs(sheet, "next runs: ", preview.after_runs)
    else:
        _runs(sheet, "next runs, before: ", preview.before_runs)
        _runs(sheet, "next runs, after:  ", preview.after_runs or ("none",))
    frequency = frequency_text(preview, arrow=sheet.arrow, times=sheet.times)
    is_told = change.action in (Action.CREATE, Action.DELETE) or frequency_factor(preview) is not None
    if frequency and (is_told or preview.before_per_day != preview.after_per_day):
        sheet.paragraph(frequency, indent=4, style="alarm" if multiplies(change) else "")
    for note in preview.notes:
        sheet.paragraph(note, indent=4, lead="note: ")


def _runs(sheet: Sheet, lead: str, runs: Sequence[str]) -> None:
    if not runs:
        return
    texts, offset = run_texts(runs)
    tail = f" ({offset})" if offset else ""
    room = sheet.width - 4 - len(lead) - len(tail)
    shown = ""
    for text in map(sheet.say, texts):
        longer = f"{shown}, {text}" if shown else text
        if shown and columns(longer) > room:
            break
        shown = longer
    sheet.paragraph(shown + tail, indent=4, lead=lead)


def _blocked(sheet: Sheet, blocked: BlockedResource) -> None:
    sheet.heading(
        sheet.sign(BLOCKED_STYLE) + " ", [str(blocked.address), blocked_words(blocked), place(blocked.origin)]
    )
    if blocked.message:
        sheet.paragraph(blocked.message, indent=4)
    step = blocked_step(blocked)
    if step:
        sheet.paragraph(step, indent=4, lead="next: ")


def _warnings(sheet: Sheet, warnings: Sequence[Finding]) -> None:
    for warning in warnings:
        sheet.heading(sheet.paint("!", "yellow") + " ", [warning.address or "project", warning.code], style="")
        sheet.paragraph(warning.message, indent=4)


def _unmanaged(sheet: Sheet, unmanaged: Sequence[Unmanaged]) -> None:
    for agent, group in groupby(unmanaged, key=lambda item: item.agent):
        ids = [item.id for item in group]
        sheet.paragraph(f"{agent}: {counted(len(ids), 'schedule')}", indent=2)
        for schedule_id in ids:
            sheet.paragraph(schedule_id, indent=4)
