"""An audit for a terminal: findings by status, fields as live → declared, and what each statement rests on."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.model import Drift, DriftFinding, DriftStatus
from reconciler.render import Screen
from reconciler.render.signs import DRIFT_STYLE, UNSET_STYLE
from reconciler.render.text.plan_text import place
from reconciler.render.text.text_page import TextPage
from reconciler.render.wording import DRIFT_MEANING, DRIFT_ORDER, UNSET_MEANING, drift_summary, finding_words

_COUNTED_ONLY = frozenset({DriftStatus.UNMANAGED, DriftStatus.UNVERIFIABLE, DriftStatus.IN_SYNC})


def drift(drift: Drift, screen: Screen, *, verbose: bool = False) -> str:
    """The audit as text. `verbose` also lists what is in sync, unverifiable and unmanaged, which else is counted."""
    page = TextPage(screen)
    page.paragraph(f"Drift of {drift.project}, environment {drift.environment}")
    for status in DRIFT_ORDER:
        group = [finding for finding in drift.findings if finding.status is status]
        if group and (verbose or status not in _COUNTED_ONLY):
            page.title(f"{status.value.capitalize()} ({len(group)}): {DRIFT_MEANING[status]}")
            _group(page, group, verbose=verbose)
    if unset := [finding for finding in drift.findings if finding.unset]:
        page.title(f"Changed ({len(unset)}): {UNSET_MEANING}")
        for finding in unset:
            page.heading(page.sign(UNSET_STYLE) + " ", [str(finding.address), place(finding.origin)])
            page.paragraph(f"live {page.arrow} last applied", indent=4, style="dim")
            page.fields(finding.unset, indent=4, verbose=verbose)
    page.blank()
    page.paragraph(drift_summary(drift), style="bold")
    return page.text()


def _group(page: TextPage, group: Sequence[DriftFinding], *, verbose: bool) -> None:
    for finding in group:
        parts = [str(finding.address), finding.evidence.value, place(finding.origin)]
        page.heading(page.sign(DRIFT_STYLE[finding.status]) + " ", parts)
        if said := finding_words(finding):
            page.paragraph(said, indent=4)
        if finding.fields:
            page.paragraph(f"live {page.arrow} declared", indent=4, style="dim")
            page.fields(finding.fields, indent=4, verbose=verbose)
