"""An audit as a page: what differs from what was last applied, live beside declared."""

from __future__ import annotations

from collections import Counter

from reconciler.model import Drift, DriftFinding, DriftStatus
from reconciler.render import Stamp
from reconciler.render.html.cards import Card, Group, cards_page, fields_table
from reconciler.render.signs import DRIFT_STYLE
from reconciler.render.wording import DRIFT_MEANING, DRIFT_ORDER, IS_DRIFT, UNSET_MEANING, drift_summary, finding_words

_OPEN = IS_DRIFT | {DriftStatus.UNREADABLE}


def drift(drift: Drift, stamp: Stamp) -> str:
    """The audit as a page of its own, the gravest first."""
    counts = Counter(finding.status for finding in drift.findings)
    changed = [finding for finding in drift.findings if _is_quiet_change(finding)]
    groups = [
        Group(
            status.value.capitalize(),
            f"{DRIFT_MEANING[status].capitalize()}.",
            [_card(one) for one in drift.findings if one.status is status and not _is_quiet_change(one)],
            starts_open=status in _OPEN,
        )
        for status in DRIFT_ORDER
    ]
    note = f"{UNSET_MEANING.capitalize()}."
    groups.append(Group("Changed", note, [_card(one) for one in changed], starts_open=False))
    shown = [(status.value, DRIFT_STYLE[status][0], counts[status]) for status in DRIFT_ORDER]
    return cards_page("Drift", stamp, lead=drift_summary(drift), counts=shown, groups=groups, noun="resources")


def _is_quiet_change(finding: DriftFinding) -> bool:
    return bool(finding.unset) and finding.status is DriftStatus.IN_SYNC


def _card(finding: DriftFinding) -> Card:
    said = finding_words(finding)
    is_bare = not (said or finding.fields or finding.unset or finding.origin)
    return Card(
        finding.status.value,
        DRIFT_STYLE[finding.status][0],
        str(finding.address),
        (finding.evidence.value,),
        told=("Nothing to add.",) if is_bare else (said,) if said else (),
        tables=(
            fields_table(finding.fields, "Live", "Declared"),
            fields_table(finding.unset, "Live", "Last applied"),
        ),
        origin=finding.origin,
    )
