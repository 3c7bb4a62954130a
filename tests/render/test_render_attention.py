"""Overview and status of one site say the same of what needs attention, however things stand."""

from __future__ import annotations

from itertools import product

import pytest

from reconciler.causes import Cause, Why, because
from reconciler.model.address import Address
from reconciler.model.condition import DriftStatus, Health, ResourceStatus
from reconciler.model.estate import ResourceReport
from reconciler.render.html.attention import attention
from reconciler.render.status_review import attention_groups

ADDRESS = Address("schedule", "prices", "nightly")
NOTES: tuple[tuple[Why, ...], ...] = (
    (),
    (because(Cause.ABSENT_FROM_ACC),),
    (because(Cause.NEXT_RUN_DISAGREES, served="2026-11-23T02:00:00Z", predicted="2026-11-24T02:00:00Z"),),
    (because(Cause.RUNS_UNREAD),),
)


@pytest.mark.parametrize("in_doubt", [False, True])
@pytest.mark.parametrize("notes", NOTES, ids=["quiet", "absent", "disagrees", "unread"])
def test_overview_and_status_agree_on_what_needs_attention(notes: tuple[Why, ...], in_doubt: bool) -> None:
    for sync, health in product(DriftStatus, Health):
        row = ResourceStatus(ADDRESS, sync, health, notes=notes, in_doubt=in_doubt)
        report = ResourceReport(ADDRESS, sync, status=row)
        assert report.needs_attention == bool(attention_groups([row])), (sync, health)
        if report.needs_attention:
            (group,) = attention([report])
            assert group.trouble.word not in ("in-sync", "pending", "healthy"), (sync, health)


def test_what_the_next_apply_creates_is_nothing_to_look_at() -> None:
    row = ResourceStatus(ADDRESS, DriftStatus.PENDING, Health.UNKNOWN, notes=(because(Cause.ABSENT_FROM_ACC),))
    assert not row.needs_attention
    assert ResourceStatus(ADDRESS, DriftStatus.PENDING, Health.UNKNOWN).needs_attention
