"""A filtered plan prunes nothing, and keeps every guard of a whole one: by each selector, live and from a file."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from stage import HAND_MADE, NIGHTLY, POLL, PRICES, STOCK, Stage, agent, task_trigger

from reconciler.emulator.acc_state import Run, RunStatus

WAIT = "  wait: {timeout: 10s, interval: 100ms}\n"
FILES = "  inputFiles:\n    - file: urls.csv\n  inputFilesExclusive: true\n"
ADOPTED = (
    f"    - name: legacy\n      id: {HAND_MADE}\n      every: 2d\n"
    "      startTime: 2019-05-30T15:36:00\n      timeZone: AUS Eastern Standard Time\n"
)
BLACKOUT = """\
  blackouts:
    - {name: always, from: "2026-01-01T00:00:00", to: "2126-01-01T00:00:00", timeZone: UTC, policy: block}
"""


def labelled(document: str) -> str:
    """The document as one of the team whose label the filters ask for."""
    return document.replace("metadata: {name: ", "metadata: {labels: {team: pricing}, name: ", 1)


Filter = Callable[[str], tuple[str, ...]]
"""Selectors that leave what matches a pattern; in every test that is also what bears the label."""


def only(pattern: str) -> tuple[str, ...]:
    return ("--only", pattern)


def exclude(pattern: str) -> tuple[str, ...]:
    return ("--exclude", "*/stock*") if "stock" not in pattern else ("--exclude", "*/prices*")


def label(pattern: str) -> tuple[str, ...]:
    return ("--label", "team=pricing")


filters = pytest.mark.parametrize("chosen", [only, exclude, label])
OTHER = agent(NIGHTLY, name="stock")


def guarded(stage: Stage, selectors: tuple[str, ...], words: str, code: int = 3) -> None:
    """Neither a plan, nor an apply, nor a saved plan gets past the guard, and nothing is sent."""
    planned = stage.run("plan", *selectors)
    assert planned.code == code, planned.said
    assert words in planned.said
    stage.emulator.clear_requests()
    assert stage.apply(*selectors).code == 3
    saved = str(stage.root / "saved.plan")
    assert stage.run("plan", "--out", saved, *selectors).code == code
    assert stage.run("apply", saved).code == 3
    assert stage.writes() == []


@filters
def test_a_blackout(stage: Stage, chosen: Filter) -> None:
    stage.project(BLACKOUT)
    stage.write(labelled(agent(NIGHTLY)) + "---\n" + OTHER)
    guarded(stage, chosen("schedule/prices/*"), "blackout 'always'")


@filters
def test_the_licence(stage: Stage, chosen: Filter) -> None:
    assert stage.estate.tenant is not None
    stage.estate.tenant.licence.used = stage.estate.tenant.licence.limit = 100
    stage.write(labelled(task_trigger(extra=WAIT)) + "---\n" + OTHER)
    guarded(stage, chosen("trigger/*"), "executions left")
    assert stage.starts() == 0


def lose_the_ledger(stage: Stage) -> None:
    for path in stage.ledger.parent.iterdir():
        path.unlink()


@filters
def test_a_lost_ledger_that_only_an_agent_beside_can_tell_of(stage: Stage, chosen: Filter) -> None:
    stage.write(labelled(task_trigger(extra=WAIT)) + "---\n" + OTHER)
    assert stage.apply().code == 0
    lose_the_ledger(stage)
    guarded(stage, chosen("trigger/*"), "the ledger is empty although schedules of this project are live")
    assert stage.starts() == 1


@filters
def test_a_new_ledger_while_an_agent_beside_cannot_be_read(stage: Stage, chosen: Filter) -> None:
    stage.write(labelled(task_trigger(extra=WAIT)) + "---\n" + OTHER)
    stage.emulator.inject("GET agentPath=.*stock #* 403")
    guarded(stage, chosen("trigger/*"), "not every agent could be read")
    assert stage.starts() == 0


@filters
def test_a_run_that_is_active(stage: Stage, chosen: Filter) -> None:
    (stage.root / "manifests" / "urls.csv").write_text("url\na\n")
    stage.write(labelled(agent(extra=FILES)) + "---\n" + OTHER)
    held = stage.estate.agents[PRICES]
    began = stage.clock() - timedelta(minutes=5)
    run = Run("00000000-0000-4000-8000-000000000001", held, began, began + timedelta(hours=9), RunStatus.SUCCEEDED)
    held.runs.append(run)
    guarded(stage, chosen("input-files/*"), "a run of this agent is active")
    assert held.input_files == {}


@filters
def test_a_schedule_whose_files_must_wait_for_a_run(stage: Stage, chosen: Filter) -> None:
    """What holds back the files holds back the schedule that needs them, though nobody selected the files."""
    (stage.root / "manifests" / "urls.csv").write_text("url\na\n")
    stage.write(labelled(agent(NIGHTLY, extra=FILES)) + "---\n" + OTHER)
    held = stage.estate.agents[PRICES]
    began = stage.clock() - timedelta(minutes=5)
    run = Run("00000000-0000-4000-8000-000000000001", held, began, began + timedelta(hours=9), RunStatus.SUCCEEDED)
    held.runs.append(run)
    guarded(stage, chosen("schedule/prices/*"), "it needs input-files/prices, which is blocked")
    held.runs.clear()
    assert stage.apply("--only", "schedule/prices/*").code == 0
    assert held.input_files == {}, "not selected"


@filters
def test_a_schedule_that_is_somebody_elses(stage: Stage, chosen: Filter) -> None:
    before = stage.hand_made()
    stage.write(labelled(agent(ADOPTED)) + "---\n" + OTHER)
    guarded(stage, chosen("schedule/prices/*"), "was not made by this project and differs")
    assert stage.hand_made() == before


@filters
def test_a_start_that_nobody_knows_about(stage: Stage, chosen: Filter) -> None:
    stage.write(labelled(task_trigger(extra=WAIT)) + "---\n" + OTHER)
    stage.emulator.inject("POST tasks #1 drop-after")
    assert stage.apply().code == 5
    started = stage.starts()
    guarded(stage, chosen("trigger/*"), "reconciler resolve trigger/publish")
    assert stage.starts() == started


@filters
def test_a_start_whose_needs_are_left_out(stage: Stage, chosen: Filter) -> None:
    trigger = task_trigger(extra=WAIT).replace("{revision", '{changed: ["schedule/stock/*"], revision')
    stage.write(labelled(trigger) + "---\n" + OTHER)
    guarded(stage, chosen("trigger/*"), "schedule/stock/nightly, which has changes and is not selected")
    assert stage.starts() == 0


@filters
def test_an_agent_that_cannot_be_read(stage: Stage, chosen: Filter) -> None:
    stage.write(labelled(agent(NIGHTLY)) + "---\n" + OTHER)
    assert stage.apply().code == 0
    stage.emulator.inject("GET agentPath=.*prices #* 403")
    selectors = chosen("schedule/prices/*")
    for command in ("plan", "drift", "status"):
        assert stage.run(command, *selectors).code == 1
        assert stage.run(command, "--only", "schedule/stock/*").code == 0, "the other one is fine"
    assert stage.apply(*selectors).code == 4
    stage.emulator.clear_faults()
    stage.emulator.inject("GET history #* 500")
    assert stage.run("status", *selectors).code == 1


@filters
def test_starts_at_the_same_instant_as_what_is_not_selected(stage: Stage, chosen: Filter) -> None:
    at_night = NIGHTLY.replace("name: nightly", "name: backup")
    for schedule in (NIGHTLY, at_night):
        stage.write(labelled(agent(schedule)) + "---\n" + OTHER)
        if schedule is NIGHTLY:
            assert stage.apply().code == 0
    stage.write(labelled(agent(NIGHTLY, at_night)) + "---\n" + OTHER)
    warnings = stage.plan(*chosen("schedule/prices/backup"))["warnings"]
    assert ("collision", "schedule/prices/backup") in {(one["code"], one["address"]) for one in warnings}


@filters
def test_nothing_is_pruned(stage: Stage, chosen: Filter) -> None:
    stage.write(labelled(agent(NIGHTLY, POLL)) + "---\n" + OTHER)
    assert stage.apply().code == 0
    before = set(stage.owned())
    stage.write(labelled(agent(NIGHTLY.replace("nightly", "weekly").replace("MON-FRI", "SUN"))) + "---\n" + OTHER)
    assert stage.run("plan").code == 0
    document = stage.plan(*chosen("schedule/prices/weekly"))
    assert document["summary"]["delete"] == document["summary"]["forget"] == 0
    assert stage.apply(*chosen("schedule/prices/weekly")).code == 0
    assert before < set(stage.owned())


@filters
def test_destroy_of_a_selection_keeps_what_is_protected_and_what_is_beside(stage: Stage, chosen: Filter) -> None:
    protected = NIGHTLY + "      protect: true\n"
    stage.write(labelled(agent(protected, POLL)) + "---\n" + OTHER)
    assert stage.apply().code == 0
    hand_made = stage.hand_made()
    ended = stage.run("destroy", "--auto-approve", *chosen("schedule/prices/*"))
    assert ended.code == 3, ended.said
    assert "protected" in ended.said
    assert [one.agent.path for one in stage.owned().values()] == [PRICES, STOCK]
    assert stage.live("nightly")
    assert stage.hand_made() == hand_made


@filters
@pytest.mark.parametrize("command", ["drift", "status"])
def test_drift_and_status_speak_of_what_is_selected(stage: Stage, chosen: Filter, command: str) -> None:
    stage.write(labelled(agent(NIGHTLY)) + "---\n" + OTHER)
    assert stage.apply().code == 0
    found = "findings" if command == "drift" else "resources"

    def addresses(*selectors: str) -> tuple[int, set[str]]:
        ended = stage.run(command, "--format", "json", *selectors)
        return ended.code, {str(one["address"]) for one in ended.document[found]}

    unmanaged = {f"schedule/prices/{HAND_MADE}"} if command == "drift" else set()
    prices, stock = {"schedule/prices/nightly"} | unmanaged, {"schedule/stock/nightly"}
    assert addresses(*chosen("schedule/prices/*")) == (0, prices)
    stage.live("nightly", STOCK).is_enabled = False
    assert addresses(*chosen("schedule/prices/*")) == (0, prices)
    assert addresses("--exclude", "schedule/prices/*") == (2, stock), (
        "nor what is unmanaged on an agent that is left out"
    )
    stage.live("nightly").is_enabled = False
    assert addresses(*chosen("schedule/prices/*")) == (2, prices)


@filters
def test_what_is_unmanaged_is_counted_on_the_agents_of_the_selection(stage: Stage, chosen: Filter) -> None:
    stage.write(labelled(agent(NIGHTLY)) + "---\n" + OTHER)
    assert [one["id"] for one in stage.plan(*chosen("schedule/prices/*"))["unmanaged"]] == [HAND_MADE]
    assert stage.plan("--only", "schedule/stock/*")["unmanaged"] == []


@filters
def test_giving_up_an_agent_is_about_everything(stage: Stage, chosen: Filter) -> None:
    stage.write(labelled(agent(NIGHTLY)) + "---\n" + OTHER)
    assert stage.apply().code == 0
    stage.write(labelled(agent(NIGHTLY)) + "---\n" + agent(NIGHTLY, name="stock-2", path=PRICES + "-2"))
    del stage.estate.agents[STOCK]
    ended = stage.apply("--forget-agent", STOCK, *chosen("schedule/prices/*"))
    assert ended.code == 64
    assert "--forget-agent without --only" in ended.said


@filters
def test_a_renamed_schedule_is_found_again_and_not_made_twice(stage: Stage, chosen: Filter) -> None:
    stage.write(labelled(agent(NIGHTLY)) + "---\n" + OTHER)
    assert stage.apply().code == 0
    stage.write(labelled(agent(NIGHTLY.replace("nightly", "each-night"))) + "---\n" + OTHER)
    assert stage.changes(*chosen("schedule/prices/each-night")) == [("schedule/prices/each-night", "adopt", "renamed")]
    before = set(stage.owned())
    stage.emulator.clear_requests()
    assert stage.apply(*chosen("schedule/prices/each-night")).code == 0
    assert (set(stage.owned()), stage.writes()) == (before, [])


def stale_after(stage: Stage, act: Callable[[Any], None]) -> None:
    saved = str(stage.root / "saved.plan")
    assert stage.run("plan", "--out", saved, "--only", "schedule/prices/*").code == 0
    act(stage.live("nightly"))
    stage.emulator.clear_requests()
    assert stage.run("apply", saved).code == 7
    assert stage.writes() == []


def test_a_saved_filtered_plan_is_stale_like_a_whole_one(stage: Stage) -> None:
    stage.write(agent(NIGHTLY) + "---\n" + OTHER)
    assert stage.apply().code == 0
    stage.write(agent(NIGHTLY.replace("0 0 2", "0 0 3")) + "---\n" + OTHER)
    stale_after(stage, lambda live: setattr(live, "cron", "0 0 9 * * *"))
    stale_after(stage, lambda live: setattr(live, "log_level", 3))
