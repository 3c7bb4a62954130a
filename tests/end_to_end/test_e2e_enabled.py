"""`enabled` is managed: true where nothing is written, and left to the people at the console by `keep`."""

from __future__ import annotations

import json

import pytest
from jsonschema import Draft202012Validator
from stage import HAND_MADE, NIGHTLY, PRICES, Stage, agent, task_trigger

from reconciler.emulator.acc_state import Schedule

ADDRESS = "schedule/prices/nightly"


def nightly(word: str = "") -> str:
    """The block, with what it says of `enabled`; "" where it says nothing."""
    return NIGHTLY + (f"      enabled: {word}\n" if word else "")


def adopted(word: str = "") -> str:
    """A block that takes over the schedule that somebody made by hand."""
    return (
        f"    - name: legacy\n      id: {HAND_MADE}\n      every: 1d\n"
        "      startTime: 2019-05-30T15:36:00\n      timeZone: AUS Eastern Standard Time\n"
        + (f"      enabled: {word}\n" if word else "")
    )


def applied(stage: Stage, word: str = "") -> Schedule:
    stage.write(agent(nightly(word)))
    assert stage.apply().code == 0
    return stage.live("nightly")


@pytest.mark.parametrize("word", ["", "true"])
def test_one_that_was_switched_off_by_hand_is_drift_wherever_it_is_looked_at(stage: Stage, word: str) -> None:
    live = applied(stage, word)
    live.is_enabled = False

    (change,) = stage.plan()["changes"]
    assert (change["address"], change["action"], change["reason"]) == (ADDRESS, "enable", "drifted")
    assert change["fields"] == [{"path": "enabled", "before": False, "after": True}]

    drift = stage.run("drift", "--format", "json")
    assert (drift.code, drift.document["summary"]["drifted"]) == (2, 1)
    assert stage.run("drift", "--only", ADDRESS).code == 2

    status = stage.run("status", "--format", "json")
    (row,) = status.document["resources"]
    assert (status.code, row["sync"], row["health"]) == (2, "drifted", "disabled")

    stage.emulator.clear_requests()
    assert stage.apply().code == 0
    assert live.is_enabled
    assert stage.writes() == [f"POST /api/job/schedule/{live.schedule_id}/on"]
    assert stage.run("drift").code == 0


def test_a_saved_plan_does_not_hold_once_somebody_switched_it_off(stage: Stage) -> None:
    live = applied(stage)
    stage.write(agent(nightly().replace("0 0 2", "0 0 3")))
    assert stage.run("plan", "--out", str(stage.root / "saved.plan")).code == 0
    live.is_enabled = False
    ended = stage.run("apply", str(stage.root / "saved.plan"))
    assert ended.code == 7, ended.said
    assert (live.cron, live.is_enabled) == ("0 0 2 * * MON-FRI", False)


def test_keep_leaves_the_switch_alone_whatever_else_changes(stage: Stage) -> None:
    live = applied(stage, "keep")
    assert live.is_enabled, "a new schedule is on"
    live.is_enabled = False
    assert stage.changes() == []
    assert stage.run("drift").code == 0
    assert stage.run("status").code == 0

    stage.write(agent(nightly("keep").replace("0 0 2", "0 0 3")))
    assert stage.changes() == [(ADDRESS, "update", "edited")]
    assert stage.apply().code == 0
    assert (live.cron, live.is_enabled) == ("0 0 3 * * MON-FRI", False)


@pytest.mark.parametrize(("before", "after"), [("false", ""), ("false", "true"), ("", "false"), ("true", "false")])
def test_nothing_but_the_switch_uses_the_products_own_call(stage: Stage, before: str, after: str) -> None:
    live = applied(stage, before)
    stage.write(agent(nightly(after)))
    on = after != "false"
    assert stage.changes() == [(ADDRESS, "enable" if on else "disable", "edited")]
    stage.emulator.clear_requests()
    assert stage.apply().code == 0
    assert live.is_enabled is on
    assert stage.writes() == [f"POST /api/job/schedule/{live.schedule_id}/{'on' if on else 'off'}"]


def test_from_keep_to_managed_switches_it_on_and_back_to_keep_changes_nothing(stage: Stage) -> None:
    live = applied(stage, "keep")
    live.is_enabled = False
    stage.write(agent(nightly()))
    assert [one[:2] for one in stage.changes()] == [(ADDRESS, "enable")]
    assert stage.apply().code == 0
    assert live.is_enabled
    stage.write(agent(nightly("keep")))
    assert stage.changes() == []


def test_taking_over_one_that_is_off_says_what_to_write(stage: Stage) -> None:
    live = stage.estate.schedule(HAND_MADE)
    live.is_enabled, live.input_parameters = False, ""
    stage.write(agent(adopted()))
    (blocked,) = stage.plan()["blocked"]
    assert blocked["reason"] == "unowned"
    assert "`enabled: false`" in blocked["message"] and "`enabled: keep`" in blocked["message"]
    assert stage.apply().code == 3
    assert not live.is_enabled

    for word in ("false", "keep"):
        stage.write(agent(adopted(word)))
        assert stage.changes() == [("schedule/prices/legacy", "adopt", "new")]
    assert stage.apply().code == 0
    assert not live.is_enabled
    assert stage.writes() == []


def test_import_writes_that_it_is_off_and_taking_it_over_changes_nothing(stage: Stage) -> None:
    live = stage.estate.schedule(HAND_MADE)
    live.is_enabled = False
    assert stage.run("import", "--agent", PRICES, "--out", str(stage.root / "manifests")).code == 0
    assert "enabled: false" in (stage.root / "manifests" / "prices.yaml").read_text(encoding="utf-8")
    assert [one[1] for one in stage.changes()] == ["adopt"]
    assert stage.apply().code == 0
    assert not live.is_enabled
    assert stage.changes() == []


@pytest.mark.parametrize(("word", "meant"), [("on", "write true"), ("keeep", "did you mean keep"), ("1", "one of")])
def test_a_word_that_is_none_of_the_three(stage: Stage, word: str, meant: str) -> None:
    stage.write(agent(nightly(word)))
    ended = stage.run("validate")
    assert ended.code == 1
    assert "`enabled` must be one of true, false, keep" in ended.said
    assert meant in ended.said


def test_a_start_is_not_due_again_since_the_switch_is_managed_now(stage: Stage) -> None:
    """What a trigger waits for is what the block says, so a default that nobody wrote is no news."""
    trigger = task_trigger().replace(
        'when: {revision: "1"}', 'when: {revision: "1", changed: ["schedule/prices/nightly"]}'
    )
    stage.write(agent(nightly("keep")) + "---\n" + trigger)
    assert stage.apply().code == 0
    assert stage.starts() == 1
    stage.write(agent(nightly()) + "---\n" + trigger)
    assert stage.changes() == []
    assert stage.apply().code == 0
    assert stage.starts() == 1


def test_the_schema_that_editors_read_knows_the_three_words(stage: Stage) -> None:
    schema = json.loads(stage.run("schema", "Agent").out)
    block = schema["properties"]["spec"]["properties"]["schedules"]["items"]["properties"]["enabled"]
    known = [one for one in (True, False, "keep", "${var:on}", "no", 1) if Draft202012Validator(block).is_valid(one)]
    assert (known, block["default"]) == ([True, False, "keep", "${var:on}"], True)
