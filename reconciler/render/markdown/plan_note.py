"""A plan for a pull request: who is concerned by what is risky, what is alike together, and the rest by its weight."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby

from reconciler.model.plan import Action, Change, Plan, Preview, Reason
from reconciler.quantities import counted
from reconciler.render import Stamp, wording
from reconciler.render.frequency import frequency_factor, frequency_text, run_texts, switch_text, switches_text
from reconciler.render.markdown.alike_parts import (
    Group,
    Ranks,
    Row,
    diff,
    differing,
    each_singly,
    few_fields,
    folded_group,
    inherited,
    more_fields,
    open_group,
    place,
    places,
)
from reconciler.render.markdown.finding_parts import stops, warnings
from reconciler.render.markdown.markdown_escape import code, prose, summary_name, summary_text
from reconciler.render.markdown.note_frame import NOTES, Rank, note
from reconciler.render.markdown.size_budget import Piece, Section
from reconciler.render.plan_summary import plan_summary
from reconciler.render.reasons import words
from reconciler.render.review import BlockedGroup, ChangeGroup, Outline, counted_kinds, outline

_OPEN_UP_TO = 10
"""Up to so many changes a note opens all of them; of more, it folds away what is routine."""

_USUAL = (Reason.NEW, Reason.EDITED)
_NOTES = 3
_RISKY = Ranks(Rank.NAMES, Rank.NAMES, Rank.DETAILS)
_ROUTINE = Ranks(Rank.GROUPS, Rank.GROUP_NAMES, Rank.GROUP_DETAILS)
_IN_FULL = 2_000


def plan(plan: Plan, stamp: Stamp, *, max_bytes: int = 65_000) -> str:
    """The plan in at most `max_bytes` bytes. Its first line marks the note, so that a bot can replace it."""
    found = outline(plan)
    is_alone = len(plan.changes) == 1 and not plan.blocked
    counts = [] if is_alone else [(word, number) for word, number in wording.plan_counts(plan) if number]
    sections = [stops(found.warnings), *_changes(plan, found, is_alone=is_alone), warnings(found.warnings)]
    return note(plan, plan_summary(plan), counts, sections, stamp, max_bytes)


def _changes(plan: Plan, found: Outline, *, is_alone: bool) -> Iterator[Section]:
    """The sections about changes and what is blocked; of a single change without headings."""
    risky = [open_group(_group(group), _RISKY) for group in found.risky]
    is_folded = len(plan.changes) > _OPEN_UP_TO
    routine = [_routine(group, is_folded=is_folded) for group in (*found.routine, *found.ledger_only)]
    yield Section(risky, "" if is_alone else f"\n### Risky: {_counted(found.risky)}\n")
    yield _blocked(found.blocked)
    others = _counted([*found.routine, *found.ledger_only])
    yield Section(routine, f"\n### Other: {others}\n" if not is_alone and (found.risky or found.blocked) else "")


def _counted(groups: Sequence[ChangeGroup]) -> str:
    return counted(sum(len(group.changes) for group in groups), "change")


def _routine(group: ChangeGroup, *, is_folded: bool) -> Section:
    told = _group(group)
    if not is_folded:
        return open_group(told, _ROUTINE)
    lead = f"{group.action} " if group.is_single and group.action is Action.UPDATE else ""
    about = group.headline().removeprefix(told.subject)
    notes = [] if group.reason in _USUAL else [group.reason.value]
    notes += [] if group.action.is_remote else ["ledger only"]
    about += f" ({', '.join(notes)})" if notes else ""
    return folded_group(told, _ROUTINE, f"{lead}{summary_name(told.subject)}{summary_text(about)}")


def _group(group: ChangeGroup) -> Group:
    """What is told of a group, and what of it has to wait for the rest."""
    is_single, change = group.is_single, group.changes[0]
    subject = str(change.address) if is_single else group.counted()
    shown, others = few_fields(() if group.is_told and not is_single else group.common)
    notes = _notes(group)
    lines = [*_lines(group), *notes[:_NOTES]]
    body = f"\nRemoves it from agent {code(change.agent_path)}.\n" if _is_removal(group) else ""
    body += diff(shown) + differing(group.varying) + inherited(one.fields for one in group.changes)
    body += "\n" + "".join(f"- {line}\n" for line in lines) if lines else ""
    more: list[Piece | Section] = list(more_fields(others))
    if notes[_NOTES:]:
        more.append(Section([Piece(f"- {one}\n", Rank.SINGLY, NOTES) for one in notes[_NOTES:]], "\n"))
    return Group(
        addresses=group.addresses,
        subject=subject,
        lead=f"**{group.action}** ",
        about=prose(group.headline().removeprefix(subject)),
        reason=f" — {prose(group.because)}{place(change.origin) if is_single else ''}",
        body=body,
        noun=f"to {group.action}",
        more=more if is_single else [*more, *_singly(group)],
    )


def _is_removal(group: ChangeGroup) -> bool:
    return group.is_single and group.action is Action.DELETE and bool(group.changes[0].agent_path)


def _singly(group: ChangeGroup) -> Iterator[Piece | Section]:
    """A row for each change in what not all have alike; where they are all alike, only where they are declared."""
    are_various = len(group.sentences) > 1
    runs = {_next_run(change) for change in group.changes}
    if not group.varying and not are_various and len(runs) == 1:
        yield from places(group.origins)
        return
    rows = [
        Row(
            change.address,
            prose(words(change.why)) if are_various else "",
            change.fields,
            change.origin,
            _next_run(change) if len(runs) > 1 else "",
        )
        for change in group.changes
    ]
    run = "Would have run" if group.action in (Action.DELETE, Action.DISABLE) else "Next run"
    yield each_singly(rows, group.varying, f"Each of the {group.counted()}", run=run)


def _next_run(change: Change) -> str:
    """The next run of one of many: after the change, or what it would have been; "" where it stays what it was."""
    if change.preview is None or _keeps_its_runs(change, change.preview):
        return ""
    is_over = change.action in (Action.DELETE, Action.DISABLE)
    runs = change.preview.before_runs if is_over else change.preview.after_runs
    texts, offset = run_texts(runs[:1])
    return " ".join([*texts, *([f"({offset})"] if offset else [])])


def _keeps_its_runs(change: Change, preview: Preview) -> bool:
    return change.action is Action.UPDATE and preview.before_runs == preview.after_runs


def _lines(group: ChangeGroup) -> list[str]:
    """Next runs where all have the same, how often it runs where the headline does not say it, and what to know."""
    previews = [change.preview for change in group.changes if change.preview is not None]
    lines: list[str] = []
    if not group.is_single and all(_keeps_its_runs(group.changes[0], one) for one in previews):
        pass
    elif len({(one.before_runs, one.after_runs) for one in previews}) == 1:
        lines += _runs(previews[0], group.action)
    elif previews and group.action in (Action.ENABLE, Action.DISABLE):
        lines.append(_capital(switches_text(previews, group.action)))
    if group.is_single and previews:
        frequency = frequency_text(previews[0])
        if frequency and (frequency_factor(previews[0]) is not None or group.action is not Action.UPDATE):
            lines.append(f"**{prose(frequency)}**")
    return lines


def _notes(group: ChangeGroup) -> list[str]:
    """What to know about when it runs, each note once, what is said of most first."""
    notes = Counter(note for change in group.changes if change.preview is not None for note in change.preview.notes)
    return [prose(note) + (f" ({number:,} of them)" if number > 1 else "") for note, number in notes.most_common()]


def _capital(text: str) -> str:
    return prose(text[:1].upper() + text[1:])


def _runs(preview: Preview, action: Action) -> Iterator[str]:
    if action in (Action.ENABLE, Action.DISABLE):
        yield _capital(switch_text(preview, action))
        return
    before, after = ("Next runs, before", "Next runs, after") if preview.before_runs else ("", "Next runs")
    if action is Action.DELETE:
        before = "Would have run"
    elif preview.before_runs == preview.after_runs:
        before, after = "", "Next runs"
    for lead, runs in ((before, preview.before_runs), (after, preview.after_runs)):
        if runs and lead:
            texts, offset = run_texts(runs)
            yield f"{lead}: {prose(', '.join(texts[:3]))}{f' ({prose(offset)})' if offset else ''}"


def _blocked(groups: Sequence[BlockedGroup]) -> Section:
    """What may not be touched: one cause once, with what it concerns, and one next step for each reason."""
    parts: list[Piece | Section] = []
    for _, of_reason in groupby(groups, key=lambda group: group.reason):
        together = list(of_reason)
        steps = {group.step for group in together}
        for group in together:
            step = group.step if len(steps) == 1 and len(together) == 1 else ""
            parts.append(_blocked_group(group, step))
        if len(together) > 1 and any(steps):
            step = steps.pop() if len(steps) == 1 else wording.blocked_step_of_many(together[0].reason)
            parts.append(Piece(f"\nNext: {prose(step)}\n" if step else "", Rank.DETAILS))
    number = sum(len(group.blocked) for group in groups)
    return Section(parts, f"\n### Blocked: {counted(number, 'resource')}\n")


def _blocked_group(group: BlockedGroup, step: str) -> Section:
    label = wording.blocked_words(group.blocked[0])
    told = prose(wording.sentences(group.said.removeprefix(f"{label}: "), step), _IN_FULL)
    subject = str(group.blocked[0].address) if group.is_single else counted_kinds(group.addresses)
    return open_group(
        Group(
            addresses=group.addresses,
            subject=subject,
            lead=f"**{label}** ",
            about=f" {label}",
            reason=f" — {told}{place(group.blocked[0].origin) if group.is_single else ''}",
            body="",
            noun="blocked",
            more=[] if group.is_single else list(_blocked_singly(group, subject)),
        ),
        _RISKY,
    )


def _blocked_singly(group: BlockedGroup, subject: str) -> Iterator[Piece | Section]:
    """What is said of each, where names in it differ that one may have to act on; else where they are declared."""
    if group.reason is not Reason.UNREADABLE and len({words(one.why) for one in group.blocked}) > 1:
        rows = [Row(one.address, prose(words(one.why)), (), one.origin) for one in group.blocked]
        yield each_singly(rows, (), f"Each of the {subject}")
    else:
        yield from places(one.origin for one in group.blocked if one.origin is not None)
