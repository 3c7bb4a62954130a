"""An audit for a terminal: what differs alike in one block, with what it rests on; one sentence that counts at the end.

Fields are shown as live → declared.
"""

from __future__ import annotations

from reconciler.model.condition import Drift, DriftFinding, DriftStatus
from reconciler.render import Screen, wording
from reconciler.render.drift_review import FindingGroup, drift_outline
from reconciler.render.signs import DRIFT_STYLE, UNSET_STYLE
from reconciler.render.text.group_blocks import Detail, addresses_lines, fields_lines, places_lines, with_counts
from reconciler.render.text.text_page import TextPage
from reconciler.render.text.warnings_text import warnings_list

_COUNTED_ONLY = frozenset({DriftStatus.UNMANAGED, DriftStatus.UNVERIFIABLE, DriftStatus.IN_SYNC})


def drift(drift: Drift, screen: Screen, *, verbose: bool = False) -> str:
    """The audit as text. `verbose` writes each finding by itself, and also what else is only counted."""
    page = TextPage(screen)
    found = drift_outline(drift)
    detail = Detail(is_whole=verbose)
    page.paragraph(f"Drift of {drift.project}, environment {drift.environment}")
    for status in wording.DRIFT_ORDER:
        groups = found.of(status)
        if groups and (verbose or status not in _COUNTED_ONLY):
            number = sum(len(group.findings) for group in groups)
            page.title(f"{status.value.capitalize()} ({number:,}): {wording.DRIFT_MEANING[status]}")
            for group in groups:
                _group(page, group, detail)
    if found.unset:
        number = sum(len(group.findings) for group in found.unset)
        page.title(f"Changed ({number:,}): {wording.UNSET_MEANING}")
        for group in found.unset:
            _group(page, group, detail)
    warnings_list(page, drift.warnings, detail)
    page.blank()
    page.paragraph(wording.drift_summary(drift), style="bold")
    return page.text()


def _group(page: TextPage, group: FindingGroup, detail: Detail) -> None:
    if group.is_single or detail.is_whole:
        for finding in group.findings:
            _single(page, group, finding, detail)
        return
    known = () if group.about_unset else (group.evidence.value,)
    page.head(UNSET_STYLE if group.about_unset else DRIFT_STYLE[group.status], group.headline(), *known)
    addresses_lines(page, group.addresses, detail.risky)
    if not group.about_unset:
        if group.said:
            page.paragraph(group.said, indent=4)
        else:
            with_counts(page, group.sentences, detail.ways)
    if not group.is_told:
        page.paragraph(_sides(page, group), indent=4, style="dim")
    fields_lines(page, group, [group.fields_of(finding) for finding in group.findings], detail)
    places_lines(page, group.origins, detail)


def _single(page: TextPage, group: FindingGroup, finding: DriftFinding, detail: Detail) -> None:
    if group.about_unset:
        page.head(UNSET_STYLE, str(finding.address), origin=finding.origin)
    else:
        page.head(DRIFT_STYLE[finding.status], str(finding.address), finding.evidence.value, origin=finding.origin)
        if said := wording.finding_words(finding):
            page.paragraph(said, indent=4)
    if fields := group.fields_of(finding):
        page.paragraph(_sides(page, group), indent=4, style="dim")
        page.fields(fields, indent=4, verbose=detail.is_whole)


def _sides(page: TextPage, group: FindingGroup) -> str:
    return f"live {page.arrow} {'last applied' if group.about_unset else 'declared'}"
