"""One change for a terminal, in full: what will happen, why and where, its fields, and what follows from it."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.model.plan import Action, Change, FieldChange, Preview
from reconciler.render import wording
from reconciler.render.characters import columns
from reconciler.render.frequency import first_runs_text, frequency_factor, frequency_text, run_texts, switch_text
from reconciler.render.reasons import words
from reconciler.render.review import Risk, risk_of
from reconciler.render.signs import ACTION_STYLE
from reconciler.render.text.text_page import TextPage

_ALARMING = (Risk.FREQUENCY, Risk.OFTEN, Risk.NO_FURTHER_RUN)
SWITCHES = (Action.ENABLE, Action.DISABLE)


def change_block(page: TextPage, change: Change, *, verbose: bool) -> None:
    """`~ schedule/prices/poll will be updated   edited: the manifest changed`, and all about it below."""
    said = words(change.why)
    reason = f"{change.reason}: {said}" if said else change.reason.value
    told = f"{change.address} will be {wording.DONE[change.action]}"
    if change.action in SWITCHES and change.preview is not None:
        told = f"{told}: {switch_text(change.preview, change.action)}"
    page.head(ACTION_STYLE[change.action], told, reason, origin=change.origin)
    if change.action is Action.DELETE:
        known_as = "" if change.identity in str(change.address) else f" (id {change.identity})"
        where = f" from agent {change.agent_path}" if change.agent_path else ""
        page.paragraph(f"removes it{known_as}{where}", indent=4)
    page.fields(change.fields, indent=4, verbose=verbose, sign=field_sign(page, change.action, change.fields))
    if change.preview:
        runs_lines(page, change.action, change.preview)
        _consequences(page, change, change.preview)
    if verbose and change.needs:
        page.paragraph(", ".join(sorted(map(str, change.needs))), indent=4, lead="waits for: ")


def field_sign(page: TextPage, action: Action, fields: Sequence[FieldChange]) -> str | None:
    """What stands before a field that has one side: a sign for what comes or goes, or nothing. None: it has two."""
    if action is Action.CREATE:
        return page.paint("+", "green") + " "
    if action is Action.DELETE:
        return page.paint("-", "red") + " "
    return None if any(field.before is not None for field in fields) else ""


def runs_lines(page: TextPage, action: Action, preview: Preview) -> None:
    """When it runs next, before and after; or when it would have run."""
    if action is Action.DELETE:
        _runs(page, "would have run: ", preview.before_runs)
    elif preview.before_runs == preview.after_runs or not preview.before_runs:
        _runs(page, "next runs: ", preview.after_runs)
    else:
        _runs(page, "next runs, before: ", preview.before_runs)
        _runs(page, "next runs, after:  ", preview.after_runs or ("none",))


def _consequences(page: TextPage, change: Change, preview: Preview) -> None:
    risk = risk_of(change)
    if risk is Risk.FIRST_RUN:
        page.paragraph(first_runs_text([preview]), indent=4, style="alarm")
    is_off = change.action in (Action.UPDATE, Action.DISABLE) and preview.after_per_day is None
    frequency = "" if is_off else frequency_text(preview, arrow=page.arrow, times=page.times)
    is_told = change.action in (Action.CREATE, Action.DELETE) or frequency_factor(preview) is not None
    if frequency and (is_told or preview.before_per_day != preview.after_per_day):
        page.paragraph(frequency, indent=4, style="alarm" if risk in _ALARMING else "")
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
