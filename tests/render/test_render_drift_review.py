"""An audit in groups: nothing is counted twice or left out, and one cause is said once."""

from __future__ import annotations

import pytest
from hypothesis import given
from render_estates import SIZES, estate_drift
from render_models import drifts

from reconciler.causes import Cause, because
from reconciler.model.address import Address
from reconciler.model.condition import Drift, DriftFinding, DriftStatus
from reconciler.model.live import Evidence
from reconciler.model.plan import FieldChange
from reconciler.render.drift_review import drift_outline


def drifted(number: int, *fields: FieldChange, unset: tuple[FieldChange, ...] = ()) -> DriftFinding:
    address = Address("schedule", f"shop-{number:03}", "poll")
    return DriftFinding(address, DriftStatus.DRIFTED, Evidence.VERIFIED, fields, unset=unset)


@pytest.mark.generated
@given(drifts)
def test_every_finding_stands_in_one_group(drift: Drift) -> None:
    found = drift_outline(drift)
    assert sorted(id(one) for group in found.groups for one in group.findings) == sorted(map(id, drift.findings))
    assert sorted(id(one) for group in found.unset for one in group.findings) == sorted(
        id(one) for one in drift.findings if one.unset
    )
    assert all(one.status is group.status for group in found.groups for one in group.findings)


@pytest.mark.parametrize("size", SIZES)
def test_an_audit_of_any_size_has_few_groups(size: int) -> None:
    assert len(drift_outline(estate_drift(size)).groups) <= 20


def test_what_differs_alike_is_said_once() -> None:
    drift = Drift("p", "e", tuple(drifted(number, FieldChange("every", "45m", "15m")) for number in range(117)))
    (group,) = drift_outline(drift).groups
    assert group.headline() == "117 schedules: every is 45m, declared 15m"
    assert not group.varying


def test_one_cause_of_what_was_not_read_is_said_once_for_all_kinds() -> None:
    why = because(Cause.AGENT_UNREAD, said="401")
    drift = Drift(
        "p",
        "e",
        tuple(
            DriftFinding(address, DriftStatus.UNREADABLE, Evidence.UNKNOWN, why=why)
            for number in range(600)
            for address in (Address("schedule", f"a-{number}", "poll"), Address("approval", f"a-{number}"))
        ),
    )
    (group,) = drift_outline(drift).groups
    assert (group.headline(), group.said) == ("1,200 resources", "401")


def test_what_changed_in_fields_that_no_manifest_sets_stands_beside() -> None:
    unset = (FieldChange("logLevel", 3, 1),)
    found = drift_outline(Drift("p", "e", tuple(drifted(number, unset=unset) for number in range(5))))
    assert [group.headline() for group in found.unset] == ["5 schedules: logLevel is 3, was 1"]
    assert [group.headline() for group in found.groups] == ["5 schedules"]


def test_a_secret_is_in_no_headline_of_an_audit() -> None:
    field = FieldChange("inputParameters.key", "hunter1", "hunter2", secret=True)
    (group,) = drift_outline(Drift("p", "e", (drifted(1, field), drifted(2, field)))).groups
    assert group.headline() == "2 schedules: inputParameters.key differs"
