"""An audit as a page: what differs from what was last applied, live beside declared."""

from __future__ import annotations

from collections import Counter

from reconciler.model import Drift, DriftFinding, DriftStatus
from reconciler.render import Stamp
from reconciler.render.html.card import Card, Group, fields_table, groups, tiles, toolbar
from reconciler.render.html.page import document, prose, text
from reconciler.render.html.plan import place
from reconciler.render.signs import DRIFT_STYLE
from reconciler.render.wording import DRIFT_MEANING, DRIFT_ORDER, IS_DRIFT, UNSET_MEANING, drift_summary

_OPEN = IS_DRIFT | {DriftStatus.UNREADABLE}


def drift(drift: Drift, stamp: Stamp) -> str:
    """The audit as a page of its own, the gravest first."""
    counts = Counter(finding.status for finding in drift.findings)
    changed = [finding for finding in drift.findings if _is_quiet_change(finding)]
    sections = [
        Group(
            status.value.capitalize(),
            f"{DRIFT_MEANING[status].capitalize()}.",
            [
                _card(finding)
                for finding in drift.findings
                if finding.status is status and not _is_quiet_change(finding)
            ],
            is_open=status in _OPEN,
        )
        for status in DRIFT_ORDER
    ]
    sections.append(Group("Changed", f"{UNSET_MEANING.capitalize()}.", [_card(one) for one in changed], is_open=False))
    shown = tiles((status.value, DRIFT_STYLE[status][0], counts[status]) for status in DRIFT_ORDER)
    tools = toolbar(len(drift.findings), "resources") if drift.findings else ""
    lead = f'<p class="lead">{text(drift_summary(drift))}</p>\n'
    return document("Drift", stamp, lead + shown + tools + groups(sections))


def _is_quiet_change(finding: DriftFinding) -> bool:
    return bool(finding.unset) and finding.status is DriftStatus.IN_SYNC


def _card(finding: DriftFinding) -> Card:
    told = f"<p>{prose(finding.message)}</p>" if finding.message else ""
    return Card(
        word=finding.status.value,
        sign=DRIFT_STYLE[finding.status][0],
        address=str(finding.address),
        aside=f"<span>{finding.evidence}</span>",
        body=(
            told
            + fields_table(finding.fields, "Live", "Declared")
            + fields_table(finding.unset, "Live", "Last applied")
            + place(finding.origin)
        )
        or "<p>Nothing to add.</p>",
    )
