"""An audit for a pull request or an issue: what drifted by name, what differs alike together, each cause once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from reconciler.model.condition import Drift, DriftStatus
from reconciler.render import Stamp, wording
from reconciler.render.drift_review import FindingGroup, drift_outline
from reconciler.render.markdown.alike_parts import (
    Group,
    Ranks,
    Row,
    diff,
    differing,
    each_singly,
    few_fields,
    inherited,
    more_fields,
    open_group,
    place,
    places,
)
from reconciler.render.markdown.finding_parts import stops, warnings
from reconciler.render.markdown.markdown_escape import prose
from reconciler.render.markdown.note_frame import Rank, note
from reconciler.render.markdown.size_budget import Piece, Section
from reconciler.render.reasons import words

_SHOWN = (DriftStatus.DIVERGED, DriftStatus.DRIFTED, DriftStatus.MISSING, DriftStatus.UNREADABLE)
_FOLDED = (DriftStatus.PENDING, DriftStatus.UNVERIFIABLE)
_BY_NAME = Ranks(Rank.NAMES, Rank.NAMES, Rank.DETAILS)
_FOLDED_AWAY = Ranks(Rank.GROUP_NAMES, Rank.GROUP_NAMES, Rank.GROUP_DETAILS)


def drift(drift: Drift, stamp: Stamp, *, max_bytes: int = 65_000) -> str:
    """The audit in at most `max_bytes` bytes. What is in sync and what is unmanaged is only counted."""
    found = drift_outline(drift)
    counts = Counter(finding.status for finding in drift.findings)
    sections = [stops(found.warnings)]
    for status in _SHOWN:
        title = f"\n### {status.value.capitalize()} ({counts[status]:,}): {wording.DRIFT_MEANING[status]}\n"
        sections.append(Section([open_group(_group(group), _BY_NAME) for group in found.of(status)], title))
    for status in _FOLDED:
        title = f"{status.value.capitalize()} ({counts[status]:,}): {wording.DRIFT_MEANING[status]}"
        sections.append(_folded(title, found.of(status)))
    unset = sum(len(group.findings) for group in found.unset)
    sections.append(_folded(f"Changed ({unset:,}): {wording.UNSET_MEANING}", found.unset))
    sections.append(warnings(found.warnings))
    shown = [
        (f"**{status}**" if status.is_drift else status.value, counts[status])
        for status in DriftStatus
        if counts[status]
    ]
    return note(drift, wording.drift_summary(drift), shown, sections, stamp, max_bytes)


def _folded(title: str, groups: Sequence[FindingGroup]) -> Section:
    """Findings that are no drift, folded away under their title."""
    if not groups:
        return Section([])
    summary = Piece(f"<summary>{title}</summary>\n", Rank.GROUPS)
    return Section(
        [summary, *(open_group(_group(group), _FOLDED_AWAY) for group in groups)], "\n<details>\n", "\n</details>\n"
    )


def _group(group: FindingGroup) -> Group:
    """What is told of a group, and what of it has to wait for the rest."""
    is_single, finding = group.is_single, group.findings[0]
    subject = str(finding.address) if is_single else group.counted()
    is_told = group.is_told and (not is_single or group.about_unset)
    shown, others = few_fields(() if is_told else group.common)
    head = "--- live", "+++ last applied" if group.about_unset else "+++ declared"
    said = wording.finding_words(finding) if is_single and not group.about_unset else group.said
    about = group.headline().removeprefix(subject)
    said = about.removeprefix(": ") if is_told and is_single else said
    reason = f" ({group.evidence}){f': {prose(said)}' if said else ''}"
    more = list(more_fields(others, head=head))
    return Group(
        addresses=group.addresses,
        subject=subject,
        lead="",
        about=prose(about),
        reason=reason + (place(finding.origin) if is_single else ""),
        body=diff(shown, head=head) + differing(group.varying) + inherited(map(group.fields_of, group.findings)),
        noun="changed and not set" if group.about_unset else group.status.value,
        more=more if is_single else [*more, *_singly(group)],
    )


def _singly(group: FindingGroup) -> Iterator[Piece | Section]:
    """A row for each where not all are alike, else only where they are declared. What was not read has one cause."""
    are_various = (
        group.status is not DriftStatus.UNREADABLE and len({words(finding.why) for finding in group.findings}) > 1
    )
    if not group.varying and not are_various:
        yield from places(group.origins)
        return
    rows = [
        Row(
            finding.address,
            prose(words(finding.why)) if are_various else "",
            group.fields_of(finding),
            finding.origin,
        )
        for finding in group.findings
    ]
    yield each_singly(rows, group.varying, f"Each of the {group.counted()}")
