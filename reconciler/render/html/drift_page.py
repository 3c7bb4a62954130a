"""An audit as a page: the gravest first, live beside what was declared, what differs alike as one card."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from reconciler.model.condition import Drift, DriftFinding, DriftStatus
from reconciler.model.copies import replace
from reconciler.render import Stamp, wording
from reconciler.render.drift_review import FindingGroup, drift_outline
from reconciler.render.html.card_groups import (
    CardGroup,
    Member,
    change_text,
    members_part,
    names_of,
    own_fields,
    variations,
    warning_card,
)
from reconciler.render.html.cards import Card, fields_table
from reconciler.render.html.cards_page import Section, cards_page
from reconciler.render.html.links import ALONE, Links
from reconciler.render.reasons import words
from reconciler.render.signs import DRIFT_STYLE

_DRIFT_HEADS, _UNSET_HEADS = ("Live", "Declared"), ("Live", "Last applied")


def drift(drift: Drift, stamp: Stamp, links: Links = ALONE) -> str:
    """The audit as a page; it needs no network, and is read without its script, too."""
    only_unset = [one for one in drift.findings if one.unset and one.status is DriftStatus.IN_SYNC]
    told_of = set(map(id, only_unset))
    found = drift_outline(replace(drift, findings=tuple(one for one in drift.findings if id(one) not in told_of)))
    unset = drift_outline(replace(drift, findings=tuple(only_unset), warnings=())).unset
    sections = [
        Section(
            status.capitalize(),
            _sentence(wording.DRIFT_MEANING[status]),
            _cards(found.of(status)),
            starts_open=status.needs_attention,
        )
        for status in wording.DRIFT_ORDER
    ]
    sections.append(Section("Warnings", "", [warning_card(group) for group in found.warnings]))
    sections.append(Section("Changed", _sentence(wording.UNSET_MEANING), _cards(unset), starts_open=False))
    counts = Counter(finding.status for finding in drift.findings)
    shown = [(status.value, DRIFT_STYLE[status][0], counts[status]) for status in wording.DRIFT_ORDER]
    shown.append(("warning", "!", len(drift.warnings)))
    return cards_page(
        "Drift",
        stamp,
        lead=wording.drift_summary(drift),
        counts=shown,
        sections=sections,
        noun="resources",
        links=links,
    )


def _cards(groups: Sequence[FindingGroup]) -> list[Card | CardGroup]:
    return [_finding(group.findings[0]) if group.is_single else _findings(group) for group in groups]


def _findings(group: FindingGroup) -> CardGroup:
    said = group.said
    sentences = [(said, 0)] if said else list(group.sentences)
    members = [
        Member(
            str(finding.address),
            own_fields(group.fields_of(finding), group.common),
            _own_words(finding, said, about_unset=group.about_unset),
            origin=finding.origin,
        )
        for finding in group.findings
    ]
    return CardGroup(
        group.status.value,
        DRIFT_STYLE[group.status][0],
        group.headline(),
        [members_part(members, is_risky=group.status.needs_attention)],
        (group.evidence.value,),
        told=tuple(sentences),
        table=fields_table(group.common, *(_UNSET_HEADS if group.about_unset else _DRIFT_HEADS)),
        variations=variations(group.varying),
        names=names_of(group.addresses) if group.status.needs_attention else (),
    )


def _own_words(finding: DriftFinding, said: str, *, about_unset: bool) -> tuple[str, ...]:
    """What of one finding its group does not say, which says `said`."""
    own = words(finding.why)
    told = [own] if own != said else []
    if not about_unset:
        told += [f"not set in the manifest: `{one.path}` {change_text(one)}" for one in finding.unset]
    return tuple(filter(None, told))


def _finding(finding: DriftFinding) -> Card:
    said = wording.finding_words(finding)
    is_bare = not (said or finding.fields or finding.unset or finding.origin)
    return Card(
        finding.status.value,
        DRIFT_STYLE[finding.status][0],
        str(finding.address),
        (finding.evidence.value,),
        told=("Nothing to add.",) if is_bare else (said,) if said else (),
        tables=(fields_table(finding.fields, *_DRIFT_HEADS), fields_table(finding.unset, *_UNSET_HEADS)),
        origin=finding.origin,
    )


def _sentence(meaning: str) -> str:
    return f"{meaning.capitalize()}."
