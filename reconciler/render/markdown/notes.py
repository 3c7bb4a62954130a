"""Plan and audit for a pull request: a summary, what is risky or drifted in full, and the rest folded away."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from reconciler.model.address import Origin
from reconciler.model.condition import Drift, DriftFinding, DriftStatus
from reconciler.model.plan import Action, BlockedResource, Change, FieldChange, Finding, Plan
from reconciler.quantities import counted
from reconciler.render import Stamp, wording
from reconciler.render.characters import field_texts, shorten_pair
from reconciler.render.frequency import frequency_factor, frequency_text, run_texts
from reconciler.render.markdown.markdown_escape import code, marker, prose, table
from reconciler.render.markdown.size_budget import Entry, Section, fit
from reconciler.render.plan_summary import plan_summary
from reconciler.render.reasons import words

_VALUE = 160
_SHOWN = (DriftStatus.DIVERGED, DriftStatus.DRIFTED, DriftStatus.MISSING, DriftStatus.UNREADABLE)
_FOLDED = (DriftStatus.PENDING, DriftStatus.UNVERIFIABLE)


def plan(plan: Plan, stamp: Stamp, *, max_bytes: int = 65_000) -> str:
    """The plan in at most `max_bytes` bytes. Its first line marks the note, so that a bot can replace it."""
    risky = wording.by_gravity(filter(wording.is_risky, plan.changes))
    rest = [change for change in plan.changes if not wording.is_risky(change)]
    sections = [
        Section(f"\n### Look closely: {counted(len(risky), 'risky change')}\n", [_risky(change) for change in risky]),
        Section(
            f"\n### Blocked: {counted(len(plan.blocked), 'resource')}\n\n",
            [_blocked(blocked) for blocked in plan.blocked],
            noun="resource",
        ),
        _warnings(plan.warnings),
        _folded(
            counted(len(rest), "other change" if risky else "change"),
            ("Action", "Resource", "Why", "Fields"),
            [_row(change) for change in rest],
        ),
    ]
    counts = [(word, number) for word, number in wording.plan_counts(plan) if number]
    return _note(plan, plan_summary(plan), counts, sections, stamp, max_bytes)


def drift(drift: Drift, stamp: Stamp, *, max_bytes: int = 65_000) -> str:
    """The audit in at most `max_bytes` bytes. What is in sync and what is unmanaged is only counted."""
    counts = Counter(finding.status for finding in drift.findings)
    sections = [
        Section(
            f"\n### {status.value.capitalize()} ({counts[status]}): {wording.DRIFT_MEANING[status]}\n",
            [_finding(finding) for finding in drift.findings if finding.status is status],
            noun="resource",
        )
        for status in _SHOWN
    ]
    sections += [
        _folded(
            f"{status.value.capitalize()} ({counts[status]}): {wording.DRIFT_MEANING[status]}",
            ("Resource", "Known by", "Note"),
            [_finding_row(finding) for finding in drift.findings if finding.status is status],
            noun="resource",
        )
        for status in _FOLDED
    ]
    unset = [finding for finding in drift.findings if finding.unset]
    sections.append(_warnings(drift.warnings))
    sections.append(
        _folded(
            f"Changed ({len(unset)}): {wording.UNSET_MEANING}",
            ("Resource", "Live", "Where"),
            [_unset_row(finding) for finding in unset],
            noun="resource",
        )
    )
    shown = [
        (f"**{status}**" if status in wording.IS_DRIFT else status.value, counts[status])
        for status in DriftStatus
        if counts[status]
    ]
    return _note(drift, wording.drift_summary(drift), shown, sections, stamp, max_bytes)


def _warnings(warnings: Sequence[Finding]) -> Section:
    title = f"\n### {counted(len(warnings), 'warning').capitalize()}\n\n"
    return Section(title, [_warning(warning) for warning in warnings], noun="warning")


def _note(
    subject: Plan | Drift,
    summary: str,
    counts: Sequence[tuple[str, int]],
    sections: Sequence[Section],
    stamp: Stamp,
    max_bytes: int,
) -> str:
    """The whole note: `## Plan: retail-data / prod`, its summary, its counts where there are any, and who wrote it."""
    title = "Plan" if isinstance(subject, Plan) else "Drift"
    head = f"{marker(title.lower(), subject.project, subject.environment)}\n"
    head += f"## {title}: {prose(subject.project)} / {prose(subject.environment)}\n\n**{prose(summary)}**\n"
    if counts:
        head += "\n" + table([word for word, _ in counts], [[str(number) for _, number in counts]])
    foot = f"\n<sub>reconciler {prose(stamp.reconciler_version)} · {code(stamp.created_at)}</sub>\n"
    hint = f"`reconciler {title.lower()}` shows all of it in a terminal, `--format html` on one page."
    return fit(head, sections, foot, max_bytes, hint)


def _folded(summary: str, head: Sequence[str], entries: Sequence[Entry], *, noun: str = "change") -> Section:
    """A table that is folded away; each entry is one row."""
    opening = f"\n<details>\n<summary>{summary}</summary>\n\n{table(head, [])}"
    return Section(opening, entries, closing="\n</details>\n", noun=noun, is_folded=True)


def _field_table(fields: Sequence[FieldChange], before: str, after: str) -> str:
    """Fields with their values side by side; long values shortened around what differs."""
    rows = [
        [code(field.path) + _where(field.origin), *(side or "" for side in _sides(field, _VALUE))] for field in fields
    ]
    return "\n" + table(("Field", before, after), rows) if rows else ""


def _where(origin: Origin | None) -> str:
    """The place in the manifest, led by a dot, or nothing."""
    return f" · {code(origin.shown)}" if origin else ""


def _risky(change: Change) -> Entry:
    name = f"**{change.action}** {code(str(change.address))}"
    told = _reason(change)
    body = f"\n{name} — {told}{_where(change.origin)}\n"
    fields = change.fields
    if change.action is Action.DELETE and change.agent_path:
        body += f"\nRemoves it from agent {code(change.agent_path)}.\n"
    body += _field_table(fields, "Before", "After")
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
    name = f"- {code(str(blocked.address))} **{wording.blocked_words(blocked)}**"
    step = wording.blocked_step(blocked)
    told = prose(wording.sentences(words(blocked.why), step))
    return Entry(full=f"{name}: {told}{_where(blocked.origin)}\n", short=f"{name}\n")


def _warning(warning: Finding) -> Entry:
    about = f"{code(warning.address)} " if warning.address else ""
    return Entry(
        full=f"- {about}**{prose(warning.code)}**: {prose(words(warning.why))}\n",
        short=f"- {about}**{prose(warning.code)}**\n",
    )


def _row(change: Change) -> Entry:
    resource = code(str(change.address))
    cells = [change.action.value, resource, _reason(change) + _where(change.origin), _fields(change)]
    return _table_row(cells, [change.action.value, resource, change.reason.value, ""])


def _table_row(cells: Sequence[str], bare: Sequence[str]) -> Entry:
    full, short = (f"| {' | '.join(row)} |\n" for row in (cells, bare))
    return Entry(full=full, short=short)


def _reason(change: Change) -> str:
    said = words(change.why)
    return f"{change.reason}: {prose(said)}" if said else change.reason.value


def _fields(change: Change) -> str:
    told = []
    for field in change.fields:
        sides = [side for side in _sides(field, _VALUE // 2) if side is not None]
        told.append(f"{code(field.path)}: {' → '.join(sides) if sides else '(none)'}{_where(field.origin)}")
    return "<br>".join(told)


def _sides(field: FieldChange, width: int) -> list[str | None]:
    """Both values of a field as literals, each in at most `width` columns; None for a side that has none."""
    texts, values = shorten_pair(*field_texts(field), width), (field.before, field.after)
    return [code(text) if value is not None else None for text, value in zip(texts, values, strict=True)]


def _finding(finding: DriftFinding) -> Entry:
    name = f"\n{code(str(finding.address))} ({finding.evidence})"
    said = wording.finding_words(finding)
    told = f": {prose(said)}" if said else ""
    return Entry(
        full=f"{name}{told}{_where(finding.origin)}\n{_field_table(finding.fields, 'Live', 'Declared')}",
        short=f"{name}\n",
    )


def _unset_row(finding: DriftFinding) -> Entry:
    resource = code(str(finding.address))
    changed = prose("; ".join(wording.unset_sentences(finding.unset)))
    return _table_row([resource, changed, _where(finding.origin).removeprefix(" · ")], [resource, "", ""])


def _finding_row(finding: DriftFinding) -> Entry:
    cells = [code(str(finding.address)), finding.evidence.value]
    note = prose(wording.finding_words(finding)) + _where(finding.origin)
    return _table_row([*cells, note.removeprefix(" · ")], [*cells, ""])
