"""The decision table for input files and approval, which no product shows: memory stands in for live."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from planner_stage import (
    FOREIGN,
    PATH,
    SEAL,
    approved,
    at,
    completed,
    declared,
    input_set,
    inputs,
    only_block,
    only_change,
    planned,
    seen,
    state_after,
    views,
)

from reconciler import planner
from reconciler.kinds import approval, input_files
from reconciler.kinds.approval import ApprovalMemo, ApprovalState
from reconciler.kinds.input_files import InputFilesMemo, InputFilesState
from reconciler.kinds.registry import KINDS
from reconciler.model.condition import DriftStatus
from reconciler.model.copies import replace
from reconciler.model.entry import Entry
from reconciler.model.live import Evidence
from reconciler.model.plan import Action, Change, Reason
from reconciler.model.resource import Resource
from reconciler.model.state import State
from reconciler.render.reasons import words

URLS = {"urls.csv": b"url\nhttps://shop.example/1\n"}
FILES = at("input-files/prices")
APPROVAL = at("approval/prices")


def sent(resource: Resource[InputFilesState], **settings: Any) -> Entry[InputFilesMemo]:
    """The entry that an upload of this set left."""
    upload = Change(resource.address, Action.UPLOAD, Reason.NEW, after=completed(resource))
    applied, memo = input_files.KIND.remember(upload, None)
    return Entry(
        address=resource.address,
        identity="",
        agent_path=resource.agent_path,
        declared="hmac-sha256:words",
        applied=settings.pop("applied", applied),
        settled=settings.pop("settled", True),
        memo=settings.pop("memo", memo),
        **settings,
    )


def attested(state: str = "approved", *, settled: bool = True) -> Entry[ApprovalMemo]:
    applied = {"state": approval.KIND.sealed(ApprovalState(state), SEAL).digest}
    return Entry(APPROVAL, "", PATH, "hmac-sha256:words", applied, settled, ApprovalMemo())


# --- input files -----------------------------------------------------------------------------------------------------


def test_new_files_are_sent(tmp_path: Path) -> None:
    change = only_change(planned([input_set(tmp_path, files=URLS)]))
    assert (change.action, change.reason) == (Action.UPLOAD, Reason.NEW)
    after = state_after(change, InputFilesState)
    assert (after.send, after.replace) == (("urls.csv",), False)
    assert [(field.path, field.before, field.after) for field in change.fields] == [
        ("files.urls.csv", None, "2 lines, 27 bytes")
    ]


def test_files_that_were_sent_are_unchanged(tmp_path: Path) -> None:
    resource = input_set(tmp_path, files=URLS)
    plan = planned([resource], entries=[sent(resource)])
    assert (plan.changes, plan.unchanged) == ((), 1)


def test_only_what_changed_is_sent(tmp_path: Path) -> None:
    before = sent(input_set(tmp_path, files={**URLS, "zones.txt": b"a\n"}))
    change = only_change(planned([input_set(tmp_path, files={**URLS, "zones.txt": b"a\nb\n"})], entries=[before]))
    assert (change.action, change.reason) == (Action.UPLOAD, Reason.EDITED)
    after = state_after(change, InputFilesState)
    assert after.send == ("zones.txt",)
    assert [(field.before, field.after) for field in change.fields] == [("1 line, 2 bytes", "2 lines, 4 bytes")]


def test_an_archive_has_a_size_and_no_lines(tmp_path: Path) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("urls.csv", "a\nb\n")
    change = only_change(planned([input_set(tmp_path, files={"urls.ZIP": content.getvalue()})]))
    assert [field.after for field in change.fields] == [f"{len(content.getvalue())} bytes"]


def test_a_removed_file_is_forgotten_with_a_warning(tmp_path: Path) -> None:
    before = sent(input_set(tmp_path, files={**URLS, "zones.txt": b"a\n"}))
    plan = planned([input_set(tmp_path, files=URLS)], entries=[before])
    change = only_change(plan)
    assert (change.action, change.reason) == (Action.FORGET, Reason.REMOVED)
    assert [warning.code for warning in plan.warnings] == ["stays-on-server"]
    assert "zones.txt" in words(plan.warnings[0].why)


def test_a_removed_file_beside_a_changed_one(tmp_path: Path) -> None:
    before = sent(input_set(tmp_path, files={"urls.csv": b"old\n", "zones.txt": b"a\n"}))
    plan = planned([input_set(tmp_path, files=URLS)], entries=[before])
    assert only_change(plan).action is Action.UPLOAD
    assert [warning.code for warning in plan.warnings] == ["stays-on-server"]


def test_a_removed_file_of_an_exclusive_set_replaces_the_set(tmp_path: Path) -> None:
    before = sent(input_set(tmp_path, files={**URLS, "zones.txt": b"a\n"}, exclusive=True))
    plan = planned([input_set(tmp_path, files=URLS, exclusive=True)], entries=[before])
    change = only_change(plan)
    assert change.action is Action.UPLOAD
    after = state_after(change, InputFilesState)
    assert (after.send, after.replace) == (("urls.csv",), True)
    assert "deleted" in words(change.why)
    assert plan.warnings == ()


def test_a_changed_file_of_an_exclusive_set_is_sent_alone(tmp_path: Path) -> None:
    before = sent(input_set(tmp_path, files={"urls.csv": b"old\n"}, exclusive=True))
    change = only_change(planned([input_set(tmp_path, files=URLS, exclusive=True)], entries=[before]))
    after = state_after(change, InputFilesState)
    assert (after.send, after.replace) == (("urls.csv",), False)


def test_turning_exclusive_on_replaces_the_set_once(tmp_path: Path) -> None:
    before = sent(input_set(tmp_path, files=URLS))
    resource = input_set(tmp_path, files=URLS, exclusive=True)
    change = only_change(planned([resource], entries=[before]))
    after = state_after(change, InputFilesState)
    assert after.replace
    assert planned([resource], entries=[sent(resource)]).changes == ()


def test_turning_exclusive_off_sends_nothing(tmp_path: Path) -> None:
    before = sent(input_set(tmp_path, files=URLS, exclusive=True))
    assert planned([input_set(tmp_path, files=URLS)], entries=[before]).changes == ()


def test_a_set_is_not_replaced_under_a_running_agent(tmp_path: Path) -> None:
    resource = input_set(tmp_path, files=URLS, exclusive=True)
    blocked = only_block(planned([resource], busy=frozenset({PATH})))
    assert blocked.reason is Reason.POLICY
    plain = input_set(tmp_path, files=URLS)
    assert only_change(planned([plain], busy=frozenset({PATH}))).action is Action.UPLOAD


def test_disabling(tmp_path: Path) -> None:
    before = sent(input_set(tmp_path, files=URLS))
    resource = input_set(tmp_path, files=URLS, enabled=False)
    change = only_change(planned([resource], entries=[before]))
    assert (change.action, change.reason) == (Action.DISABLE, Reason.EDITED)
    off = replace(before, memo=replace(before.memo, enabled=False))
    assert planned([resource], entries=[off]).changes == ()
    changed = input_set(tmp_path, files={"urls.csv": b"new\n"}, enabled=False)
    assert planned([changed], entries=[off]).changes == (), "what is disabled is not sent either"


def test_enabling_again_sends_everything(tmp_path: Path) -> None:
    before = sent(input_set(tmp_path, files={**URLS, "zones.txt": b"a\n"}))
    off = replace(before, memo=replace(before.memo, enabled=False))
    resource = input_set(tmp_path, files={**URLS, "zones.txt": b"a\n"}, enabled=True)
    change = only_change(planned([resource], entries=[off]))
    after = state_after(change, InputFilesState)
    assert after.send == ("urls.csv", "zones.txt")
    assert [field.path for field in change.fields] == ["enabled"]


def test_disabled_before_anything_was_sent_and_then_left_open(tmp_path: Path) -> None:
    """Nothing was sent yet, so taking the switch out of the manifest sends the files for the first time."""
    off = sent(input_set(tmp_path, files=URLS, enabled=False), applied={}, memo=InputFilesMemo(enabled=False))
    change = only_change(planned([input_set(tmp_path, files=URLS)], entries=[off]))
    after = state_after(change, InputFilesState)
    assert after.send == ("urls.csv",)


@pytest.mark.parametrize("exclusive", [True, False])
def test_after_an_interruption_everything_is_sent_again(tmp_path: Path, exclusive: bool) -> None:
    resource = input_set(tmp_path, files={**URLS, "zones.txt": b"a\n"}, exclusive=exclusive)
    change = only_change(planned([resource], entries=[sent(resource, settled=False)]))
    assert (change.action, change.reason) == (Action.UPLOAD, Reason.INTERRUPTED)
    after = state_after(change, InputFilesState)
    assert (after.send, after.replace) == (("urls.csv", "zones.txt"), exclusive)


def test_an_interrupted_disabling_is_sent_again(tmp_path: Path) -> None:
    resource = input_set(tmp_path, files=URLS, enabled=False)
    entry = sent(resource, settled=False, memo=InputFilesMemo(enabled=False))
    change = only_change(planned([resource], entries=[entry]))
    assert (change.action, change.reason) == (Action.DISABLE, Reason.INTERRUPTED)


def test_a_set_whose_block_is_gone_is_forgotten_and_not_undone(tmp_path: Path) -> None:
    change = only_change(planned([], {}, [sent(input_set(tmp_path, files=URLS))]))
    assert (change.action, change.reason, change.after) == (Action.FORGET, Reason.REMOVED, None)
    assert "removed from the ledger; the product is left as it is" in words(change.why)


def test_no_content_and_no_path_of_this_machine_reaches_the_plan(tmp_path: Path) -> None:
    plan = planned([input_set(tmp_path, files=URLS)])
    assert "shop.example" not in repr(plan)
    assert str(tmp_path) not in repr(plan)


# --- approval --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("state", "action"), [("approved", Action.APPROVE), ("disapproved", Action.DISAPPROVE)])
def test_an_approval_is_sent_once(state: str, action: Action) -> None:
    resource = approved(state=state)
    change = only_change(planned([resource]))
    assert (change.action, change.reason) == (action, Reason.NEW)
    assert planned([resource], entries=[attested(state)]).changes == ()


def test_an_approval_is_taken_back() -> None:
    change = only_change(planned([approved(state="disapproved")], entries=[attested()]))
    assert (change.action, change.reason) == (Action.DISAPPROVE, Reason.EDITED)
    assert [(field.before, field.after) for field in change.fields] == [("approved", "disapproved")]


def test_new_words_alone_earn_no_log_entry() -> None:
    resource = approved()
    reworded = replace(resource, state=ApprovalState("approved", "Reviewed again"))
    assert planned([reworded], entries=[attested()]).changes == ()


def test_an_interrupted_approval_is_sent_again() -> None:
    change = only_change(planned([approved()], entries=[attested(settled=False)]))
    assert (change.action, change.reason) == (Action.APPROVE, Reason.INTERRUPTED)


def test_an_approval_whose_block_is_gone_is_forgotten() -> None:
    change = only_change(planned([], {}, [attested()]))
    assert (change.action, change.after) == (Action.FORGET, None)


# --- both ------------------------------------------------------------------------------------------------------------


def both(folder: Path) -> tuple[Resource[InputFilesState], Resource[ApprovalState]]:
    return input_set(folder, files=URLS), approved()


def test_an_unreadable_agent_blocks_both(tmp_path: Path) -> None:
    plan = planned(both(tmp_path), views(problem="down"))
    assert {one.address: one.reason for one in plan.blocked} == dict.fromkeys((FILES, APPROVAL), Reason.UNREADABLE)
    assert plan.changes == ()


def test_after_a_lost_ledger_both_are_sent_again_and_the_plan_says_so(tmp_path: Path) -> None:
    owned = declared()
    plan = planned([owned, *both(tmp_path)], views(seen(of=owned)), known=False)
    told = {str(change.address): (change.action, change.reason) for change in plan.changes}
    assert told == {
        "schedule/prices/nightly": (Action.ADOPT, Reason.NEW),
        "input-files/prices": (Action.UPLOAD, Reason.DIFFERS),
        "approval/prices": (Action.APPROVE, Reason.DIFFERS),
    }
    assert all("sent again" in words(change.why) for change in plan.changes if change.action is not Action.ADOPT)


def test_a_filtered_plan_needs_no_contents_of_what_it_leaves_out(tmp_path: Path) -> None:
    owned = declared()
    chosen = frozenset({owned.address})
    empty = [Resource(one.address, State(), one.origin, agent_path=one.agent_path) for one in both(tmp_path)]
    plan = planned([owned, *empty], selected=chosen, complete=chosen)
    assert [change.address for change in plan.changes] == [owned.address]


def test_destroy_forgets_both(tmp_path: Path) -> None:
    resources = both(tmp_path)
    plan = planned(resources, entries=[sent(resources[0]), attested()], destroy=True)
    assert [(change.action, change.after) for change in plan.changes] == [(Action.FORGET, None)] * 2


def test_drift_says_how_little_is_known(tmp_path: Path) -> None:
    resources = both(tmp_path)
    found = planner.audit(inputs(resources, entries=[sent(resources[0]), attested()]), KINDS)
    assert {(one.status, one.evidence) for one in found.findings} == {(DriftStatus.UNVERIFIABLE, Evidence.ATTESTED)}
    found = planner.audit(inputs(resources), KINDS)
    assert {(one.status, one.evidence) for one in found.findings} == {(DriftStatus.PENDING, Evidence.UNKNOWN)}


def test_an_agent_without_schedules_of_ours_is_no_sign_of_a_lost_ledger(tmp_path: Path) -> None:
    plan = planned(both(tmp_path), views(seen(FOREIGN)), known=False)
    assert {change.reason for change in plan.changes} == {Reason.NEW}
