"""Saved plans: what was reviewed is what is applied, once, and until it expires."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler import planfile
from reconciler.causes import Cause, because, said
from reconciler.diff import sealer
from reconciler.errors import PlanRefused, UsageError
from reconciler.kinds.input_files import DeclaredFile, InputFilesState, Place
from reconciler.kinds.schedule_state import ScheduleState
from reconciler.kinds.trigger import Task, TriggerState
from reconciler.model.address import Address, Origin
from reconciler.model.copies import replace
from reconciler.model.plan import (
    Action,
    BlockedResource,
    Change,
    FieldChange,
    Finding,
    Plan,
    Preview,
    Reason,
    Unmanaged,
)
from reconciler.model.resource import Resource
from reconciler.render.reasons import words

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SEAL = sealer(b"the ledger's key")
SECRET = "correct-horse-battery"
UPDATE = Change(
    address=Address.parse("schedule/prices/nightly"),
    action=Action.UPDATE,
    reason=Reason.EDITED,
    why=because(Cause.MANIFEST_CHANGED),
    fields=(
        FieldChange("cron", "0 0 2 * * *", "0 0 3 * * *"),
        FieldChange("inputParameters.password", SECRET, f"{SECRET}-2", secret=True),
        FieldChange("inputParameters.added", None, SECRET, secret=True),
    ),
    before=ScheduleState(cron="0 0 2 * * *", input_parameters={"password": SECRET}),
    after=ScheduleState(cron="0 0 3 * * *", input_parameters={"password": f"{SECRET}-2"}),
    identity="d460a49c-cf23-86c4-86f3-af69faa59c41",
    agent_path="sequentum/Retail/prices",
    agent_id="a2f22850-7c88-4e05-a30a-004aa980ee6c",
    basis="sha256:seen",
    needs=(Address.parse("approval/prices"),),
    origin=Origin("manifests/retail.yaml", 24, 5),
    preview=Preview(("2026-11-23T02:00:00+11:00",), ("2026-11-23T03:00:00+11:00",), 1.0, 1.0, ("a note",)),
)
WANTED = TriggerState(Task("Publish prices"), {"token": SECRET}, key="hmac-sha256:1")
START = Change(
    address=Address.parse("trigger/publish"),
    action=Action.START,
    reason=Reason.DUE,
    why=because(Cause.DUE_FOR, because(Cause.REVISION_CHANGED)),
    after=WANTED,
    basis="absent",
)
PLAN = Plan(
    project="retail",
    environment="default",
    changes=(UPDATE, START),
    blocked=(BlockedResource(Address.parse("schedule/stock/x"), Reason.UNREADABLE, said("down"), Origin("m.yaml", 3)),),
    unmanaged=(Unmanaged("prices", "d9c944df-93a7-ea77-f7b7-fa0b9c579917"),),
    unchanged=4,
    warnings=(Finding("unreadable", "sequentum/Retail/gone", said("500")),),
    owned_in_sight=7,
    filtered=True,
)


def saved(path: Path, plan: Plan = PLAN, **settings: Any) -> planfile.SavedPlan:
    words: dict[str, Any] = {
        "digest": "sha256:plan",
        "commit": "5d0c6a1f",
        "now": NOW,
        "expires": timedelta(hours=24),
        "inputs": SEAL("inputs"),
        "options": {"only": ["schedule/*"], "max_deletes": None},
        "version": "0.1.0",
        "seal": SEAL,
    }
    return planfile.save(path, plan, **(words | settings))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tonight.plan"


def test_everything_a_reader_needs_comes_back(path: Path) -> None:
    made = saved(path)
    loaded = planfile.read(path).open()
    assert loaded == replace(made, plan=loaded.plan)
    assert (loaded.created_at, loaded.expires_at) == ("2026-11-22T12:00:00Z", "2026-11-23T12:00:00Z")
    shown = replace(loaded.plan, changes=())
    assert shown == replace(PLAN, changes=())
    update, start = loaded.plan.changes
    assert replace(update, fields=()) == replace(UPDATE, fields=(), before=None, after=None, basis="")
    assert start == replace(START, after=None, basis="")
    assert update.fields == (
        FieldChange("cron", "0 0 2 * * *", "0 0 3 * * *"),
        FieldChange("inputParameters.password", "(secret)", "(secret, changed)", secret=True),
        FieldChange("inputParameters.added", None, "(secret)", secret=True),
    )


def test_no_secret_is_in_the_bytes(path: Path) -> None:
    saved(path)
    assert SECRET.encode() not in path.read_bytes()


def test_a_plan_that_still_holds_is_let_through(path: Path) -> None:
    saved(path)
    loaded = planfile.read(path).open()
    planfile.read(path).require("retail", "default", now=NOW + timedelta(hours=24), seal=SEAL)
    planfile.compare(loaded, PLAN, SEAL("inputs"), SEAL, words)


def test_expired(path: Path) -> None:
    saved(path)
    with pytest.raises(PlanRefused, match="expired at 2026-11-23T12:00:00Z") as told:
        planfile.read(path).require("retail", "default", now=NOW + timedelta(hours=24, seconds=1), seal=SEAL)
    assert told.value.exit_code == 7


@pytest.mark.parametrize(("project", "environment"), [("retail", "prod"), ("wholesale", "default")])
def test_foreign(path: Path, project: str, environment: str) -> None:
    saved(path)
    with pytest.raises(PlanRefused, match="the plan is for retail/default") as refused:
        planfile.read(path).require(project, environment, now=NOW, seal=SEAL)
    assert "--env" in refused.value.hint


def test_another_ledger(path: Path) -> None:
    saved(path)
    with pytest.raises(PlanRefused, match="another ledger's key"):
        planfile.read(path).require("retail", "default", now=NOW, seal=sealer(b"another"))


def edit(document: Any, where: str, value: object) -> None:
    *steps, last = where.split(".")
    for step in steps:
        document = document[int(step) if step.isdigit() else step]
    document[last] = value


@pytest.mark.parametrize(
    ("where", "value"),
    [
        ("expires_at", "2027-01-01T00:00:00Z"),
        ("created_at", "2026-11-22T11:00:00Z"),
        ("commit", "another"),
        ("inputs", "hmac-sha256:0"),
        ("digest", "sha256:0"),
        ("intention.max_deletes", 100),
        ("bases.trigger/publish", "hmac-sha256:0"),
        ("plan.changes.0.action", "delete"),
        ("plan.changes.0.fields.0.after", "0 0 4 * * *"),
        ("plan.changes.0.why.cause", "edited"),
        ("plan.changes.1.reason", "retry"),
        ("plan.owned_in_sight", 1000),
        ("plan.blocked", []),
        ("plan.filtered", False),
        ("seal", "hmac-sha256:0"),
        ("seal", "no digest, and not even ASCII: é"),
    ],
)
def test_edited_by_hand(path: Path, where: str, value: object) -> None:
    saved(path)
    document = json.loads(path.read_text(encoding="utf-8"))
    edit(document, where, value)
    path.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(PlanRefused, match="edited by hand"):
        planfile.read(path).require("retail", "default", now=NOW, seal=SEAL)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "null",
        "not json",
        '{"format_version": "1.1"}',
        '{"format_version": "1.1", "kind": "Plan", "plan": 3}',
        "[" * 100_000,
        '{"format_version": "2.0", "kind": "Plan"}',
    ],
)
def test_no_plan_file_at_all(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PlanRefused) as told:
        planfile.read(path).open()
    assert str(path) in told.value.message


@pytest.mark.parametrize("change", ["NaN", "Infinity"])
def test_a_number_that_is_none(path: Path, change: str) -> None:
    saved(path)
    text = path.read_text(encoding="utf-8").replace('"before_per_day": 1.0', f'"before_per_day": {change}')
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PlanRefused):
        planfile.read(path).open()


def test_every_cut_is_noticed(path: Path) -> None:
    saved(path)
    whole = path.read_bytes()
    for size in range(0, len(whole) - 2, 97):
        path.write_bytes(whole[:size])
        with pytest.raises(PlanRefused):
            planfile.read(path).open()


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(UsageError, match="cannot be read") as caught:
            planfile.read(path).open()
        assert caught.value.exit_code == 64


LATE = replace(START, address=Address.parse("trigger/late"))
NIGHTLY_MOVED = "schedule/prices/nightly changed since"
START_MOVED = "trigger/publish changed since"


@pytest.mark.parametrize(
    ("now", "message"),
    [
        (replace(PLAN, changes=(UPDATE,)), "trigger/publish no longer needs start"),
        (
            replace(PLAN, changes=(*PLAN.changes, LATE)),
            "trigger/late now needs start",
        ),
        (
            replace(PLAN, changes=(replace(UPDATE, basis="sha256:moved"), START)),
            "schedule/prices/nightly changed since",
        ),
        (
            replace(PLAN, changes=(replace(UPDATE, action=Action.ENABLE), START)),
            "schedule/prices/nightly changed since",
        ),
        (
            replace(PLAN, changes=(UPDATE, replace(START, after=replace(WANTED, key="hmac-sha256:2")))),
            "trigger/publish changed since",
        ),
        (replace(PLAN, changes=(replace(UPDATE, identity="another"), START)), NIGHTLY_MOVED),
    ],
)
def test_stale_names_the_resource(path: Path, now: Plan, message: str) -> None:
    saved(path)
    with pytest.raises(PlanRefused) as told:
        planfile.compare(planfile.read(path).open(), now, SEAL("inputs"), SEAL, words)
    assert message in told.value.message
    assert told.value.exit_code == 7
    assert SECRET not in told.value.message


def test_stale_says_which_field_of_which_change_differs(path: Path) -> None:
    saved(path)
    moved = replace(
        UPDATE,
        action=Action.ENABLE,
        fields=(FieldChange("cron", "0 0 2 * * *", "0 0 4 * * *"), *UPDATE.fields[1:], FieldChange("logLevel", 1, 2)),
    )
    with pytest.raises(PlanRefused) as told:
        planfile.compare(planfile.read(path).open(), replace(PLAN, changes=(moved, START)), SEAL("inputs"), SEAL, words)
    assert told.value.message == (
        "the plan is stale: schedule/prices/nightly changed since (the manifest changed): "
        'action: "update" in the plan, "enable" now; '
        'cron.after: "0 0 3 * * *" in the plan, "0 0 4 * * *" now; '
        'logLevel: nothing in the plan, {"before": 1, "after": 2} now'
    )


def test_what_a_file_does_not_show_is_said_to_be_that(path: Path) -> None:
    saved(path)
    moved = replace(UPDATE, basis="sha256:moved")
    with pytest.raises(PlanRefused, match=r"\(the manifest changed\): what is live there, or a secret, is not what it"):
        planfile.compare(planfile.read(path).open(), replace(PLAN, changes=(moved, START)), SEAL("inputs"), SEAL, words)


def test_a_secret_that_moved_makes_it_stale(path: Path) -> None:
    """It cannot be seen in the file; its keyed digest tells."""
    saved(path)
    after = ScheduleState(cron="0 0 3 * * *", input_parameters={"password": "another"})
    field = FieldChange("inputParameters.password", SECRET, "another", secret=True)
    moved = replace(UPDATE, after=after, fields=(field,))
    with pytest.raises(PlanRefused, match="schedule/prices/nightly"):
        planfile.compare(planfile.read(path).open(), replace(PLAN, changes=(moved, START)), SEAL("inputs"), SEAL, words)


def test_other_inputs_make_it_stale_though_the_changes_are_the_same(path: Path) -> None:
    saved(path)
    with pytest.raises(PlanRefused, match="the manifests or the files they name changed since commit 5d0c6a1f"):
        planfile.compare(planfile.read(path).open(), PLAN, SEAL("others"), SEAL, words)


def test_the_clock_alone_makes_nothing_stale(path: Path) -> None:
    saved(path)
    later = replace(PLAN, changes=(replace(UPDATE, preview=Preview(("2026-11-24T02:00:00+11:00",))), START))
    planfile.compare(planfile.read(path).open(), later, SEAL("inputs"), SEAL, words)


def test_another_checkout_makes_no_other_inputs() -> None:
    def declared(folder: str, digest: str) -> tuple[Resource, ...]:
        state = InputFilesState({"urls.csv": DeclaredFile(Place(Path(folder) / "urls.csv"), digest)})
        return (Resource(Address.parse("input-files/prices"), state, Origin("m.yaml", 1)),)

    here = planfile.inputs_of(declared("/home/a", "1"), SEAL)
    assert planfile.inputs_of(declared("/builds/b", "1"), SEAL) == here
    assert planfile.inputs_of(declared("/home/a", "2"), SEAL) != here
