"""An audit for a terminal: findings by status, fields as live → declared, and what each statement rests on."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.model import Drift, DriftFinding, DriftStatus
from reconciler.render.signs import DRIFT_STYLE, UNSET_STYLE
from reconciler.render.text.plan import place
from reconciler.render.text.sheet import Sheet
from reconciler.render.wording import DRIFT_MEANING, DRIFT_ORDER, UNSET_MEANING, drift_summary

_COUNTED_ONLY = frozenset({DriftStatus.UNMANAGED, DriftStatus.UNVERIFIABLE, DriftStatus.IN_SYNC})


def drift(drift: Drift, *, width: int, color: bool, verbose: bool = False, encoding: str = "utf-8") -> str:
    """The audit as text. `verbose` also lists what is in sync, unverifiable and unmanaged, which else is counted."""
    sheet = Sheet(width=width, color=color, encoding=encoding)
    sheet.paragraph(f"Drift of {drift.project}, environment {drift.environment}")
    for status in DRIFT_ORDER:
        group = [finding for finding in drift.findings if finding.status is status]
        if group and (verbose or status not in _COUNTED_ONLY):
            sheet.title(f"{status.value.capitalize()} ({len(group)}): {DRIFT_MEANING[status]}")
            _group(sheet, group, verbose=verbose)
    if unset := [finding for finding in drift.findings if finding.unset]:
        sheet.title(f"Changed ({len(unset)}): {UNSET_MEANING}")
        for finding in unset:
            sheet.heading(sheet.sign(UNSET_STYLE) + " ", [str(finding.address), place(finding.origin)])
            sheet.paragraph(f"live {sheet.arrow} last applied", indent=4, style="dim")
            sheet.fields(finding.unset, indent=4, verbose=verbose)
    sheet.blank()
    sheet.paragraph(drift_summary(drift), style="bold")
    return sheet.text()


def _group(sheet: Sheet, group: Sequence[DriftFinding], *, verbose: bool) -> None:
    for finding in group:
        parts = [str(finding.address), finding.evidence.value, place(finding.origin)]
        sheet.heading(sheet.sign(DRIFT_STYLE[finding.status]) + " ", parts)
        if finding.message:
            sheet.paragraph(finding.message, indent=4)
        if finding.fields:
            sheet.paragraph(f"live {sheet.arrow} declared", indent=4, style="dim")
            sheet.fields(finding.fields, indent=4, verbose=verbose)
