"""Who moved: every field, every combination of manifest and live, and a clock that goes on, against a small model."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from attribution_model import DAY_ONE, REQUIRED, VALUES, model
from hypothesis import given, settings
from hypothesis import strategies as st
from planner_stage import declared, inputs, remembered, seen, state_of, views

from reconciler import planner
from reconciler.kinds.registry import KINDS
from reconciler.kinds.schedule_state import KEEP, ScheduleMemo, ScheduleState
from reconciler.model.condition import DriftStatus
from reconciler.model.copies import replace
from reconciler.model.plan import Action, Reason
from reconciler.render.reasons import words

full_states = st.fixed_dictionaries({field: st.sampled_from(values) for field, values in VALUES.items()})
some_fields = st.fixed_dictionaries({}, optional={field: st.sampled_from(values) for field, values in VALUES.items()})
moments = st.integers(0, 26 * 24).map(lambda hours: DAY_ONE.replace(tzinfo=UTC) + timedelta(hours=hours))


def live_as(state: Mapping[str, Any]) -> Any:
    return seen(of=replace(declared(), state=state_of(state)))


def reason_of(
    base: Mapping[str, Any], set_then: set[str], live: Mapping[str, Any], manifest: Mapping[str, Any], now: datetime
) -> tuple[Reason | None, DriftStatus]:
    """What the planner and the audit say of it. An `enabled` that is not managed is written `keep`."""

    def said(fields: Mapping[str, Any]) -> ScheduleState:
        return state_of({"enabled": KEEP, **fields})

    before = replace(declared(), state=said({field: base[field] for field in set_then}))
    entry = remembered(before, live_as(base))
    stage = replace(inputs([replace(declared(), state=said(manifest))], views(live_as(live)), [entry]), as_of=now)
    changes = planner.plan(stage, KINDS).changes
    (finding,) = planner.audit(stage, KINDS).findings
    return (changes[0].reason if changes else None), finding.status


DRIFT = {
    None: DriftStatus.IN_SYNC,
    Reason.DRIFTED: DriftStatus.DRIFTED,
    Reason.EDITED: DriftStatus.PENDING,
    Reason.DIVERGED: DriftStatus.DIVERGED,
}


@settings(deadline=None, max_examples=600)
@given(
    full_states,
    st.sets(st.sampled_from(sorted(VALUES))),
    some_fields,
    some_fields,
    st.sets(st.sampled_from(sorted(VALUES))),
    moments,
)
def test_the_reason_is_right_whoever_moved(
    base: dict[str, Any],
    chosen: set[str],
    by_hand: dict[str, Any],
    edits: dict[str, Any],
    dropped: set[str],
    now: datetime,
) -> None:
    set_then = {*chosen, *REQUIRED}
    manifest = {field: base[field] for field in set_then - (dropped - set(REQUIRED))} | edits
    live = {**base, **by_hand}
    expected = model(base, set_then, live, manifest, now)
    assert reason_of(base, set_then, live, manifest, now) == (expected, DRIFT[expected])


@settings(deadline=None, max_examples=200)
@given(full_states, st.sets(st.sampled_from(sorted(VALUES))), some_fields, st.lists(moments, min_size=1, max_size=6))
def test_one_side_alone_is_never_taken_for_the_other_however_late_it_is(
    base: dict[str, Any], chosen: set[str], edits: dict[str, Any], clock: list[datetime]
) -> None:
    set_then = {*chosen, *REQUIRED}
    words = {field: base[field] for field in set_then}
    for now in sorted(clock):
        assert reason_of(base, set_then, base, words, now)[0] is None, "nothing moved but the clock"
        assert reason_of(base, set_then, base, words | edits, now)[0] in (None, Reason.EDITED)
        assert reason_of(base, set_then, {**base, **edits}, words, now)[0] in (None, Reason.DRIFTED)


@pytest.mark.parametrize("field", sorted(VALUES))
@pytest.mark.parametrize("by_hand", [False, True])
@pytest.mark.parametrize("edited", [False, True])
def test_each_field_alone(field: str, by_hand: bool, edited: bool) -> None:
    """The start lies ahead on all sides, so that it makes a difference."""
    base = {name: values[0] for name, values in VALUES.items()} | {"startTime": "2026-12-01T00:00:00"}
    first, second = {
        "startTime": ("2026-12-05T00:00:00", "2026-12-09T00:00:00"),
        "enabled": (False, False),
        "windowless": (False, False),
        "sessionId": ("1-5/5", "2-5/5"),
        "timeZone": ("Pacific/Tongatapu", "Asia/Tokyo"),
    }.get(field, tuple(VALUES[field][1:3]))
    live = {**base, field: first} if by_hand else base
    manifest = {**base, field: second} if edited else base
    if first == second and by_hand and edited:
        expected = None
    else:
        expected = {(False, False): None, (True, False): Reason.DRIFTED, (False, True): Reason.EDITED}.get(
            (by_hand, edited), Reason.DIVERGED
        )
    now = datetime(2026, 11, 20, tzinfo=UTC)
    assert reason_of(base, set(VALUES), live, manifest, now) == (expected, DRIFT[expected])


def test_an_entry_of_an_earlier_version_reads_as_in_sync_and_says_what_it_can() -> None:
    """It holds no start and not what the manifest set, and its digest of the manifest's words is another one."""
    resource = declared()
    old = replace(remembered(resource), declared="hmac-sha256:of other words", memo=ScheduleMemo())

    def status(resource: Any, **live: Any) -> DriftStatus:
        stage = inputs([resource], views(seen(of=declared(), **live)), [old])
        return planner.audit(stage, KINDS).findings[0].status

    assert status(resource) is DriftStatus.IN_SYNC
    assert status(declared(spec={"startTime": "2026-02-01T02:00:00"})) is DriftStatus.IN_SYNC
    assert status(declared(spec={"cron": "0 0 3 * * *"})) is DriftStatus.PENDING
    assert status(resource, cron="0 0 3 * * *") is DriftStatus.DRIFTED
    assert status(resource, isEnabled=False) is DriftStatus.DRIFTED
    assert status(declared(spec={"cron": "0 0 3 * * *"}), cron="0 0 9 * * *") is DriftStatus.DIVERGED


def test_a_start_that_an_earlier_version_did_not_remember_is_nobodys_move() -> None:
    old = replace(remembered(declared()), memo=ScheduleMemo())
    moved = declared(spec={"startTime": "2027-01-01T02:00:00"})
    stage = inputs([moved], views(seen(of=declared())), [old])
    (change,) = planner.plan(stage, KINDS).changes
    assert (change.reason, "startTime" in words(change.why)) == (Reason.DIFFERS, True)
    assert planner.audit(stage, KINDS).findings[0].status is DriftStatus.PENDING


def test_one_that_was_off_when_an_earlier_version_applied_it_says_why_it_is_switched_on() -> None:
    """Nobody moved: what it means to say nothing did. The plan must not claim that the manifest changed."""
    live = seen(of=declared(), isEnabled=False)
    old = replace(remembered(declared(), live), memo=ScheduleMemo())
    stage = inputs([declared()], views(live), [old])
    (change,) = planner.plan(stage, KINDS).changes
    assert (change.action, change.reason, "`enabled: keep`" in words(change.why)) == (
        Action.ENABLE,
        Reason.EDITED,
        True,
    )
    assert planner.audit(stage, KINDS).findings[0].status is DriftStatus.PENDING
    off = inputs([declared(spec={"enabled": False})], views(live), [old])
    assert planner.plan(off, KINDS).changes == ()
