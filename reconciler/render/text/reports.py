"""A plan, what became of it, and an audit for a terminal: a block a resource, one sentence that counts at the end.

An audit shows fields as live → declared, and what each statement rests on.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from reconciler.model.address import Origin
from reconciler.model.condition import Drift, DriftStatus
from reconciler.model.plan import Action, Change, Finding, Plan, Preview
from reconciler.quantities import counted
from reconciler.render import Screen, wording
from reconciler.render.characters import columns
from reconciler.render.frequency import frequency_factor, frequency_text, multiplies, run_texts
from reconciler.render.plan_summary import plan_summary
from reconciler.render.reasons import words
from reconciler.render.signs import ACTION_STYLE, BLOCKED_STYLE, DRIFT_STYLE, UNSET_STYLE
from reconciler.render.text.text_page import TextPage

_COUNTED_ONLY = frozenset({DriftStatus.UNMANAGED, DriftStatus.UNVERIFIABLE, DriftStatus.IN_SYNC})


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
            _head(page, BLOCKED_STYLE, blocked.origin, str(blocked.address), wording.blocked_words(blocked))
            page.paragraph(words(blocked.why), indent=4)
            if step := wording.blocked_step(blocked):
                page.paragraph(step, indent=4, lead="next: ")
    warnings_list(page, plan.warnings)
    if verbose and plan.unmanaged:
        page.title("Unmanaged, never touched")
        for agent, group in groupby(plan.unmanaged, key=lambda item: item.agent):
            ids = [item.id for item in group]
            page.paragraph(f"{agent}: {counted(len(ids), 'schedule')}", indent=2)
            for schedule_id in ids:
                page.paragraph(schedule_id, indent=4)
    page.blank()
    page.paragraph(plan_summary(plan), style="bold")
    return page.text()


def warnings_list(page: TextPage, warnings: Sequence[Finding]) -> None:
    """What somebody should know beside all that, under a title of its own; nothing where there is nothing."""
    if warnings:
        page.title("Warnings")
    for warning in warnings:
        page.heading(page.paint("!", "yellow") + " ", [warning.address or "project", warning.code], style="")
        page.paragraph(words(warning.why), indent=4)


def drift(drift: Drift, screen: Screen, *, verbose: bool = False) -> str:
    """The audit as text. `verbose` also lists what is in sync, unverifiable and unmanaged, which else is counted."""
    page = TextPage(screen)
    page.paragraph(f"Drift of {drift.project}, environment {drift.environment}")
    for status in wording.DRIFT_ORDER:
        group = [finding for finding in drift.findings if finding.status is status]
        if group and (verbose or status not in _COUNTED_ONLY):
            page.title(f"{status.value.capitalize()} ({len(group)}): {wording.DRIFT_MEANING[status]}")
            for finding in group:
                _head(page, DRIFT_STYLE[status], finding.origin, str(finding.address), finding.evidence.value)
                if said := wording.finding_words(finding):
                    page.paragraph(said, indent=4)
                if finding.fields:
                    page.paragraph(f"live {page.arrow} declared", indent=4, style="dim")
                    page.fields(finding.fields, indent=4, verbose=verbose)
    if unset := [finding for finding in drift.findings if finding.unset]:
        page.title(f"Changed ({len(unset)}): {wording.UNSET_MEANING}")
        for finding in unset:
            _head(page, UNSET_STYLE, finding.origin, str(finding.address))
            page.paragraph(f"live {page.arrow} last applied", indent=4, style="dim")
            page.fields(finding.unset, indent=4, verbose=verbose)
    warnings_list(page, drift.warnings)
    page.blank()
    page.paragraph(wording.drift_summary(drift), style="bold")
    return page.text()


def _head(page: TextPage, style: tuple[str, str, str], origin: Origin | None, *parts: str) -> None:
    """The first line of a block: a sign, what it is about, and its place in the manifest, where it has one."""
    page.heading(page.sign(style) + " ", [*parts, origin.shown if origin else ""])


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
    said = words(change.why)
    reason = f"{change.reason}: {said}" if said else change.reason.value
    _head(page, ACTION_STYLE[change.action], change.origin, str(change.address), reason)
    fields = change.fields
    one_sided = None if any(field.before is not None for field in fields) else ""
    if change.action is Action.CREATE:
        one_sided = page.paint("+", "green") + " "
    elif change.action is Action.DELETE:
        one_sided = page.paint("-", "red") + " "
        known_as = "" if change.identity in str(change.address) else f" (id {change.identity})"
        where = f" from agent {change.agent_path}" if change.agent_path else ""
        page.paragraph(f"removes it{known_as}{where}", indent=4)
    page.fields(fields, indent=4, verbose=verbose, sign=one_sided)
    if change.preview:
        _preview(page, change, change.preview)
    if verbose and change.needs:
        page.paragraph(", ".join(sorted(map(str, change.needs))), indent=4, lead="waits for: ")


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
