"""An audit for a pull request or a nightly note: drift in full, what is only pending or unseen folded away."""

from __future__ import annotations

from collections import Counter

from reconciler.model import Drift, DriftFinding, DriftStatus
from reconciler.render import Stamp
from reconciler.render.markdown.markdown_escape import code, marker, prose, table
from reconciler.render.markdown.plan_markdown import field_table, folded, foot, heading, where
from reconciler.render.markdown.size_budget import Entry, Section, fit
from reconciler.render.wording import (
    DRIFT_MEANING,
    IS_DRIFT,
    UNSET_MEANING,
    drift_summary,
    finding_words,
    unset_sentences,
)

_SHOWN = (DriftStatus.DIVERGED, DriftStatus.DRIFTED, DriftStatus.MISSING, DriftStatus.UNREADABLE)
_FOLDED = (DriftStatus.PENDING, DriftStatus.UNVERIFIABLE)
_HINT = "`reconciler drift` shows all of it in a terminal, `--format html` on one page."


def drift(drift: Drift, stamp: Stamp, *, max_bytes: int = 65_000) -> str:
    """The audit in at most `max_bytes` bytes. What is in sync and what is unmanaged is only counted."""
    counts = Counter(finding.status for finding in drift.findings)
    sections = [
        Section(
            f"\n### {status.value.capitalize()} ({counts[status]}): {DRIFT_MEANING[status]}\n",
            [_entry(finding) for finding in drift.findings if finding.status is status],
            noun="resource",
        )
        for status in _SHOWN
    ]
    sections += [
        folded(
            f"{status.value.capitalize()} ({counts[status]}): {DRIFT_MEANING[status]}",
            ("Resource", "Known by", "Note"),
            [_row(finding) for finding in drift.findings if finding.status is status],
            noun="resource",
        )
        for status in _FOLDED
    ]
    unset = [finding for finding in drift.findings if finding.unset]
    sections.append(
        folded(
            f"Changed ({len(unset)}): {UNSET_MEANING}",
            ("Resource", "Live", "Where"),
            [_unset_row(finding) for finding in unset],
            noun="resource",
        )
    )
    head = f"{marker('drift', drift.project, drift.environment)}\n" + heading("Drift", drift.project, drift.environment)
    head += f"**{prose(drift_summary(drift))}**\n"
    told = [status for status in DriftStatus if counts[status]]
    if told:
        head += "\n" + table(
            [f"**{status}**" if status in IS_DRIFT else status.value for status in told],
            [[str(counts[status]) for status in told]],
        )
    return fit(head, sections, foot(stamp), max_bytes, _HINT)


def _entry(finding: DriftFinding) -> Entry:
    name = f"\n{code(str(finding.address))} ({finding.evidence})"
    said = finding_words(finding)
    told = f": {prose(said)}" if said else ""
    return Entry(
        full=f"{name}{told}{where(finding.origin)}\n{field_table(finding.fields, 'Live', 'Declared')}",
        short=f"{name}\n",
    )


def _unset_row(finding: DriftFinding) -> Entry:
    cells = [code(str(finding.address)), prose("; ".join(unset_sentences(finding.unset)))]
    place = where(finding.origin).removeprefix(" · ")
    return Entry(full=f"| {' | '.join(cells)} | {place} |\n", short=f"| {cells[0]} | | |\n")


def _row(finding: DriftFinding) -> Entry:
    cells = [code(str(finding.address)), finding.evidence.value]
    note = prose(finding_words(finding)) + where(finding.origin)
    return Entry(full=f"| {' | '.join(cells)} | {note.removeprefix(' · ')} |\n", short=f"| {' | '.join(cells)} | |\n")
