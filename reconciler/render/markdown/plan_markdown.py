"""A plan for a reviewer: a summary, what is risky in full, what is blocked, warnings, and the rest folded away."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.model import Action, BlockedResource, Change, FieldChange, Finding, Origin, Plan
from reconciler.quantities import counted
from reconciler.render import Stamp
from reconciler.render.characters import field_texts, shorten_pair
from reconciler.render.frequency import frequency_factor, frequency_text, run_texts
from reconciler.render.markdown.markdown_escape import code, marker, prose, table
from reconciler.render.markdown.size_budget import Entry, Section, fit
from reconciler.render.plan_summary import plan_summary
from reconciler.render.reasons import words
from reconciler.render.wording import (
    blocked_step,
    blocked_words,
    by_gravity,
    is_risky,
    plan_counts,
    sentences,
)

_VALUE = 160
_HINT = "`reconciler plan` shows all of it in a terminal, `--format html` on one page."


def plan(plan: Plan, stamp: Stamp, *, max_bytes: int = 65_000) -> str:
    """The plan in at most `max_bytes` bytes. Its first line marks the note, so that a bot can replace it."""
    risky = by_gravity(filter(is_risky, plan.changes))
    rest = [change for change in plan.changes if not is_risky(change)]
    sections = [
        Section(f"\n### Look closely: {counted(len(risky), 'risky change')}\n", [_risky(change) for change in risky]),
        Section(
            f"\n### Blocked: {counted(len(plan.blocked), 'resource')}\n\n",
            [_blocked(blocked) for blocked in plan.blocked],
            noun="resource",
        ),
        Section(
            f"\n### {counted(len(plan.warnings), 'warning').capitalize()}\n\n",
            [_warning(warning) for warning in plan.warnings],
            noun="warning",
        ),
        folded(
            counted(len(rest), "other change" if risky else "change"),
            ("Action", "Resource", "Why", "Fields"),
            [_row(change) for change in rest],
        ),
    ]
    head = f"{marker('plan', plan.project, plan.environment)}\n" + heading("Plan", plan.project, plan.environment)
    head += f"**{prose(plan_summary(plan))}**\n"
    counts = [(word, number) for word, number in plan_counts(plan) if number]
    if counts:
        head += "\n" + table([word for word, _ in counts], [[str(number) for _, number in counts]])
    return fit(head, sections, foot(stamp), max_bytes, _HINT)


def heading(document: str, project: str, environment: str) -> str:
    """`## Plan: retail-data / prod`."""
    return f"## {document}: {prose(project)} / {prose(environment)}\n\n"


def foot(stamp: Stamp) -> str:
    """Who wrote this, and when."""
    return f"\n<sub>reconciler {prose(stamp.reconciler_version)} · {code(stamp.created_at)}</sub>\n"


def folded(summary: str, head: Sequence[str], entries: Sequence[Entry], *, noun: str = "change") -> Section:
    """A table that is folded away; each entry is one row."""
    opening = f"\n<details>\n<summary>{summary}</summary>\n\n{table(head, [])}"
    return Section(opening, entries, closing="\n</details>\n", noun=noun, is_folded=True)


def field_table(fields: Sequence[FieldChange], before: str, after: str) -> str:
    """Fields with their values side by side; long values shortened around what differs."""
    rows = []
    for field in fields:
        old, new = shorten_pair(*field_texts(field), _VALUE)
        rows.append(
            [
                code(field.path),
                code(old) if field.before is not None else "",
                code(new) if field.after is not None else "",
            ]
        )
    return "\n" + table(("Field", before, after), rows) if rows else ""


def where(origin: Origin | None) -> str:
    """The place in the manifest, led by a dot, or nothing."""
    return f" · {code(f'{origin.path}:{origin.line}')}" if origin else ""


def _risky(change: Change) -> Entry:
    name = f"**{change.action}** {code(str(change.address))}"
    told = _reason(change)
    body = f"\n{name} — {told}{where(change.origin)}\n"
    fields = change.fields
    if change.action is Action.DELETE and change.agent_path:
        body += f"\nRemoves it from agent {code(change.agent_path)}.\n"
    body += field_table(fields, "Before", "After")
    told_runs = _runs(change)
    if told_runs:
        body += "\n" + "\n".join(f"- {line}" for line in told_runs) + "\n"
    return Entry(full=body, short=f"\n{name}\n")


def _runs(change: Change) -> list[str]:
    preview = change.preview
    if preview is None:
        return []
    lines = []
    before, after = ("Next runs, before", "Next runs, after") if preview.before_runs else ("", "Next runs")
    if change.action is Action.DELETE:
        before = "Would have run"
    for lead, runs in ((before, preview.before_runs), (after, preview.after_runs)):
        if runs:
            texts, offset = run_texts(runs)
            lines.append(f"{lead}: {prose(', '.join(texts[:3]))}{f' ({prose(offset)})' if offset else ''}")
    frequency = frequency_text(preview)
    if frequency and (frequency_factor(preview) is not None or change.action is not Action.UPDATE):
        lines.append(f"**{prose(frequency)}**")
    lines += [prose(note) for note in preview.notes]
    return lines


def _blocked(blocked: BlockedResource) -> Entry:
    name = f"- {code(str(blocked.address))} **{blocked_words(blocked)}**"
    step = blocked_step(blocked)
    told = prose(sentences(words(blocked.why), step))
    return Entry(full=f"{name}: {told}{where(blocked.origin)}\n", short=f"{name}\n")


def _warning(warning: Finding) -> Entry:
    about = f"{code(warning.address)} " if warning.address else ""
    return Entry(
        full=f"- {about}**{prose(warning.code)}**: {prose(words(warning.why))}\n",
        short=f"- {about}**{prose(warning.code)}**\n",
    )


def _row(change: Change) -> Entry:
    told = _reason(change)
    cells = [change.action.value, code(str(change.address)), told + where(change.origin), _fields(change)]
    bare = [change.action.value, code(str(change.address)), change.reason.value, ""]
    return Entry(full=f"| {' | '.join(cells)} |\n", short=f"| {' | '.join(bare)} |\n")


def _reason(change: Change) -> str:
    said = words(change.why)
    return f"{change.reason}: {prose(said)}" if said else change.reason.value


def _fields(change: Change) -> str:
    told = []
    for field in change.fields:
        old, new = shorten_pair(*field_texts(field), _VALUE // 2)
        sides = [code(text) for text, value in ((old, field.before), (new, field.after)) if value is not None]
        told.append(f"{code(field.path)}: {' → '.join(sides) if sides else '(none)'}")
    return "<br>".join(told)
