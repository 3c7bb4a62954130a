"""The decision table for triggers: a start happens once for each key, and never on a guess."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from planner_stage import (
    completed,
    declared,
    input_set,
    inputs,
    only_block,
    only_change,
    planned,
    remembered,
    seen,
    starts,
    views,
)

from reconciler import planner
from reconciler.kind import Product, Progress, StartState, Wait
from reconciler.kinds import trigger
from reconciler.kinds.registry import KINDS
from reconciler.kinds.trigger import TriggerMemo, TriggerState
from reconciler.model.condition import DriftStatus
from reconciler.model.copies import replace
from reconciler.model.entry import Entry
from reconciler.model.live import Evidence
from reconciler.model.plan import Action, Change, Reason
from reconciler.model.resource import Resource
from reconciler.render.reasons import words


def started(
    resource: Resource[TriggerState], *others: Resource, state: str = "success", settled: bool = True, attempts: int = 1
) -> Entry[TriggerMemo]:
    """The entry that a start of this trigger left."""
    desired = replace(completed(resource, *others), attempt=attempts)
    return Entry(
        address=resource.address,
        identity="",
        agent_path="",
        declared=desired.key,
        applied={"key": desired.key},
        settled=settled,
        memo=trigger.KIND.remember(Progress(desired, StartState(state), "run-1")),
    )


def test_a_task_that_never_started_is_due() -> None:
    change = only_change(planned([starts(parameters={"folder": "/out"})]))
    assert (change.action, change.reason) == (Action.START, Reason.DUE)
    assert [(field.path, field.after) for field in change.fields] == [
        ("task", "Publish prices"),
        ("revision", "1"),
        ("parameters.folder", "/out"),
    ]


@pytest.mark.parametrize("state", ["success", "started"])
def test_a_key_that_was_started_is_not_started_again(state: str) -> None:
    resource = starts()
    plan = planned([resource], entries=[started(resource, state=state)])
    assert (plan.changes, plan.blocked, plan.unchanged) == ((), (), 1)


@pytest.mark.parametrize(
    ("edited", "cause"),
    [
        ({"revision": "2"}, "the revision changed"),
        ({"task": "Publish all"}, "the task changed"),
        ({"parameters": {"folder": "/new"}}, "the parameters changed"),
    ],
)
def test_another_key_is_due_and_says_what_moved(edited: dict[str, Any], cause: str) -> None:
    change = only_change(planned([starts(**edited)], entries=[started(starts())]))
    assert (change.action, change.reason, words(change.why)) == (Action.START, Reason.DUE, cause)


def test_what_does_not_start_a_task_again() -> None:
    patient = starts(wait=Wait(timeout=60.0, interval=1.0), retries=3)
    assert planned([patient], entries=[started(starts())]).changes == ()


def test_a_changed_need_is_due(tmp_path: Path) -> None:
    files = input_set(tmp_path, files={"urls.csv": b"a\n"})
    resource = starts(needs=["input-files/prices"])
    entry = started(resource, files)
    later = input_set(tmp_path, files={"urls.csv": b"b\n"})
    due = [change for change in planned([resource, later], entries=[entry]).changes if change.action is Action.START]
    assert [words(change.why) for change in due] == ["input-files/prices changed"]


def test_a_changed_schedule_is_due_by_what_the_manifest_wants_and_not_by_drift() -> None:
    nightly = declared()
    resource = starts(needs=["schedule/prices/nightly"])
    entries = [started(resource, nightly), remembered(nightly)]
    drifted = planned([resource, nightly], views(seen(of=nightly, cron="0 0 9 * * *")), entries)
    assert [change.action for change in drifted.changes] == [Action.UPDATE]
    edited = planned([resource, declared(spec={"cron": "0 0 4 * * *"})], views(seen(of=nightly)), entries)
    assert [change.action for change in edited.changes] == [Action.UPDATE, Action.START]


def test_another_spelling_of_a_schedule_starts_nothing() -> None:
    resource = starts(needs=["schedule/prices/nightly"])
    entries = [started(resource, declared()), remembered(declared())]
    spelled = declared(spec={"cron": "0  0 2 * * 1-5", "timeZone": "AUS Eastern Standard Time"})
    assert planned([resource, spelled], views(seen(of=declared())), entries).changes == ()


def test_a_chain_of_triggers_moves_together() -> None:
    first, second = starts("first"), starts("second", needs=["trigger/first"])
    entries = [started(first), started(second, first)]
    assert planned([first, second], entries=entries).changes == ()
    moved = planned([starts("first", revision="2"), second], entries=entries)
    assert [str(change.address) for change in moved.changes] == ["trigger/first", "trigger/second"]


@pytest.mark.parametrize("state", ["sending", "unknown"])
def test_a_start_whose_end_is_not_known_blocks(state: str) -> None:
    resource = starts()
    blocked = only_block(planned([resource], entries=[started(resource, state=state, settled=False)]))
    assert blocked.reason is Reason.UNKNOWN_START
    assert "reconciler resolve trigger/publish" in words(blocked.why)


def test_a_new_revision_does_not_get_around_an_unknown_start() -> None:
    entry = started(starts(), state="unknown", settled=False)
    assert only_block(planned([starts(revision="2")], entries=[entry])).reason is Reason.UNKNOWN_START


def test_an_unknown_start_holds_back_what_needs_it_and_nothing_else() -> None:
    first, second, other = starts("first"), starts("second", needs=["trigger/first"]), starts("other")
    plan = planned([first, second, other], entries=[started(first, state="unknown", settled=False)])
    assert [(str(one.address), one.reason) for one in plan.blocked] == [
        ("trigger/first", Reason.UNKNOWN_START),
        ("trigger/second", Reason.STRANDED),
    ]
    assert [str(change.address) for change in plan.changes] == ["trigger/other"]


def test_a_run_that_goes_on_is_followed_and_not_started_again() -> None:
    resource = starts()
    change = only_change(planned([resource], entries=[started(resource, state="running", settled=False)]))
    assert (change.action, change.reason, change.action.is_remote) == (Action.ADOPT, Reason.INTERRUPTED, False)
    assert "run-1" in words(change.why)


def test_a_start_that_is_known_not_to_have_run_is_due() -> None:
    resource = starts()
    change = only_change(planned([resource], entries=[started(resource, state="not-ran")]))
    assert (change.action, change.reason) == (Action.START, Reason.DUE)


@pytest.mark.parametrize(("attempts", "retries", "again"), [(1, 0, False), (1, 1, True), (2, 1, False), (2, 2, True)])
def test_a_failed_run_is_retried_as_often_as_allowed(attempts: int, retries: int, again: bool) -> None:
    resource = starts(retries=retries)
    plan = planned([resource], entries=[started(resource, state="failed", attempts=attempts)])
    assert [change.reason for change in plan.changes] == ([Reason.RETRY] if again else [])
    assert [warning.code for warning in plan.warnings] == ([] if again else ["trigger-failed"])


def test_a_lost_ledger_blocks_every_start() -> None:
    nightly = declared()
    plan = planned([nightly, starts()], views(seen(of=nightly)), known=False)
    assert [(str(one.address), one.reason) for one in plan.blocked] == [("trigger/publish", Reason.LOST_LEDGER)]
    assert "--accept-new-ledger" in words(plan.blocked[0].why)


def test_a_lost_ledger_stays_lost_when_the_schedules_were_learnt_again() -> None:
    nightly = declared()
    plan = planned([nightly, starts()], views(seen(of=nightly)), [remembered(nightly)], known=False, lost=True)
    assert only_block(plan).reason is Reason.LOST_LEDGER


def test_an_accepted_ledger_starts_what_is_due() -> None:
    nightly = declared()
    live = views(seen(of=nightly))
    plan = planned([nightly, starts()], live, known=False, lost=True, accepts_new_ledger=True)
    assert [change.action for change in plan.changes] == [Action.ADOPT, Action.START]


def test_a_new_ledger_that_was_never_finished_is_none_that_was_lost() -> None:
    """An agent could not be read at the first apply; what lives elsewhere was made by that apply and is remembered."""
    nightly = declared()
    plan = planned([nightly, starts()], views(seen(of=nightly)), [remembered(nightly)], known=False)
    assert [change.action for change in plan.changes] == [Action.START]


def test_while_an_agent_is_unreadable_nobody_can_tell_a_new_ledger_from_a_lost_one() -> None:
    plan = planned([declared(), starts()], views(problem="down"), known=False)
    assert {str(one.address): one.reason for one in plan.blocked} == {
        "schedule/prices/nightly": Reason.UNREADABLE,
        "trigger/publish": Reason.LOST_LEDGER,
    }


def test_an_unreachable_product_blocks_starts() -> None:
    assert (
        only_block(planned([starts()], product_problems={Product.MFT: "GET … answered 503"})).reason
        is Reason.UNREADABLE
    )


def test_a_filtered_start_waits_for_changes_that_were_left_out() -> None:
    nightly = declared()
    resource = starts(needs=["schedule/prices/nightly"])
    selected = frozenset({resource.address})
    blocked = only_block(planned([nightly, resource], selected=selected))
    assert (blocked.reason, "not selected" in words(blocked.why)) == (Reason.STRANDED, True)
    done = planned([nightly, resource], views(seen(of=nightly)), [remembered(nightly)], selected=selected)
    assert only_change(done).action is Action.START


def test_a_trigger_whose_document_is_gone_is_forgotten_unless_its_start_is_open() -> None:
    entry = started(starts())
    assert only_change(planned([], {}, [entry])).action is Action.FORGET
    open_start = replace(entry, settled=False, memo=replace(entry.memo, state=StartState.UNKNOWN))
    assert only_block(planned([], {}, [open_start])).reason is Reason.UNKNOWN_START


def test_secret_parameters_are_marked() -> None:
    resource = replace(starts(parameters={"key": "hunter2", "folder": "/x"}), secrets=("parameters.key",))
    change: Change = only_change(planned([resource], secret_values=frozenset({"hunter2"})))
    assert {field.path for field in change.fields if field.secret} == {"parameters.key"}


def test_drift_of_triggers() -> None:
    resource = starts()
    for entries, status, evidence in (
        ([started(resource)], DriftStatus.UNVERIFIABLE, Evidence.ATTESTED),
        ([started(resource, state="unknown", settled=False)], DriftStatus.UNVERIFIABLE, Evidence.UNKNOWN),
        ([], DriftStatus.PENDING, Evidence.UNKNOWN),
    ):
        (found,) = planner.audit(inputs([resource], {}, entries), KINDS).findings
        assert (found.status, found.evidence) == (status, evidence)
