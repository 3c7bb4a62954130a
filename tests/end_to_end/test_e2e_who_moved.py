"""Who moved a start: the manifest, somebody in ACC, or both; and what was decided before it moved no longer holds."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing

import pytest
from stage import NIGHTLY, POLL, Open, Stage, agent

from reconciler.emulator.acc_state import Schedule

ADDRESS = "schedule/prices/nightly"
AHEAD = "2090-03-01T00:00:00"
FARTHER = "2090-04-01T00:00:00"


def nightly(start: str = "2026-01-01T02:00:00") -> str:
    return NIGHTLY.replace("2026-01-01T02:00:00", start)


def applied(stage: Stage, start: str = "2026-01-01T02:00:00") -> Schedule:
    stage.write(agent(nightly(start)))
    assert stage.apply().code == 0
    return stage.live("nightly")


def drift(stage: Stage) -> tuple[int, str]:
    ended = stage.run("drift", "--format", "json", "--only", ADDRESS)
    (found,) = [one for one in ended.document["findings"] if one["address"] == ADDRESS]
    return ended.code, found["status"]


def test_an_edited_start_is_the_manifests_move(stage: Stage) -> None:
    live = applied(stage)
    stage.write(agent(nightly(AHEAD)))
    assert stage.changes() == [(ADDRESS, "update", "edited")]
    assert drift(stage) == (0, "pending")
    assert stage.apply().code == 0
    assert live.start_time.startswith(AHEAD)
    assert drift(stage) == (0, "in-sync")


def test_a_start_that_was_moved_by_hand_is_drift(stage: Stage) -> None:
    live = applied(stage)
    live.start_time = AHEAD
    assert stage.changes() == [(ADDRESS, "update", "drifted")]
    assert drift(stage) == (2, "drifted")
    stage.write(agent(nightly(FARTHER)))
    assert stage.changes() == [(ADDRESS, "update", "diverged")]
    assert drift(stage) == (2, "diverged")
    live.start_time = FARTHER
    assert drift(stage) == (0, "in-sync"), "both moved to the same place"


def test_starts_that_have_passed_on_both_sides_make_no_difference(stage: Stage) -> None:
    live = applied(stage)
    live.start_time = "2019-05-30T15:36:00"
    stage.write(agent(nightly("2025-01-01T00:00:00")))
    assert stage.changes() == []
    assert drift(stage) == (0, "in-sync")
    assert stage.apply().code == 0
    live.start_time = AHEAD
    assert stage.changes() == [(ADDRESS, "update", "drifted")]


@pytest.mark.parametrize("style", ["plain", "fraction", "offset"])
def test_a_start_is_the_time_on_its_own_clock_however_it_comes_back(open_stage: Open, style: str) -> None:
    """Another zone is the manifest's one move, though the product shows the start with the offset of the former one."""
    stage = open_stage(switches=[f"start_time_style={style}"])
    daily = POLL.replace("15m", "1d").replace("2026-01-01T00:00:00", "2026-01-01T02:00:00")
    stage.write(agent(daily.replace("UTC", "Australia/Sydney")))
    assert stage.apply().code == 0
    stage.write(agent(daily))
    (change,) = stage.plan()["changes"]
    assert (change["reason"], [one["path"] for one in change["fields"]]) == ("edited", ["timeZone"])
    assert stage.apply().code == 0
    assert stage.changes() == []
    stage.live("poll").start_time = "2026-01-01T03:00:00"
    (change,) = stage.plan()["changes"]
    assert (change["reason"], [one["path"] for one in change["fields"]]) == ("drifted", ["startTime"])


def meddle(stage: Stage, act: Callable[[], None]) -> None:
    """Do something in ACC right before the second listing of schedules: after the plan, and before the write."""
    listings = 0
    answer = stage.emulator.acc.answer

    def meddling(call: object) -> object:
        nonlocal listings
        if str(getattr(call, "path", "")).endswith("/schedules"):
            listings += 1
            if listings == 2:
                act()
        return answer(call)  # type: ignore[arg-type]

    stage.emulator.acc.answer = meddling  # type: ignore[assignment, method-assign]


@pytest.mark.parametrize("what", ["update", "enable", "delete"])
def test_a_start_that_moves_between_plan_and_write_is_not_overwritten(stage: Stage, what: str) -> None:
    live = applied(stage)
    match what:
        case "update":
            stage.write(agent(NIGHTLY.replace("0 0 2", "0 0 3")))
        case "enable":
            live.is_enabled = False
        case _:
            stage.write(agent(POLL))
            assert stage.apply("--only", "schedule/prices/poll").code == 0
    meddle(stage, lambda: setattr(live, "start_time", AHEAD))
    stage.emulator.clear_requests()
    ended = stage.apply("--format", "json")
    assert ended.code == 4
    assert [one["status"] for one in ended.document["outcomes"] if one["address"] == ADDRESS] == ["stale"]
    assert stage.writes() == []
    assert (live.start_time, live.cron) == (AHEAD, "0 0 2 * * MON-FRI")


@pytest.mark.parametrize("what", ["update", "delete"])
def test_a_saved_plan_is_stale_once_the_start_was_moved(stage: Stage, what: str) -> None:
    live = applied(stage)
    stage.write(agent(NIGHTLY.replace("0 0 2", "0 0 3"), POLL) if what == "update" else agent(POLL))
    assert stage.apply("--only", "schedule/prices/poll").code == 0
    saved = str(stage.root / "saved.plan")
    assert stage.run("plan", "--out", saved).code == 0
    live.start_time = AHEAD
    stage.emulator.clear_requests()
    ended = stage.run("apply", saved)
    assert (ended.code, ADDRESS in ended.said, stage.writes()) == (7, True, [])


def test_a_saved_plan_holds_where_the_start_moved_without_making_a_difference(stage: Stage) -> None:
    live = applied(stage)
    stage.write(agent(NIGHTLY.replace("0 0 2", "0 0 3")))
    saved = str(stage.root / "saved.plan")
    assert stage.run("plan", "--out", saved).code == 0
    live.start_time = "2020-01-01T00:00:00"
    assert stage.run("apply", saved).code == 0
    assert live.cron == "0 0 3 * * MON-FRI"


def test_a_ledger_of_an_earlier_version_reads_as_in_sync_and_learns(stage: Stage) -> None:
    """Its entries hold neither the start nor what the manifest set, and their digest of its words is another one."""
    stage.write(agent(NIGHTLY, POLL))
    assert stage.apply().code == 0
    with closing(sqlite3.connect(stage.ledger)) as ledger, ledger:
        table = next(
            name
            for (name,) in ledger.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            if name.endswith("entries")
        )
        changed = ledger.execute(f"UPDATE {table} SET facts = '{{}}', declared = 'hmac-sha256:of-other-words'")
        assert changed.rowcount == 2
    assert stage.changes() == []
    assert drift(stage) == (0, "in-sync")
    assert stage.apply().code == 0
    with closing(sqlite3.connect(stage.ledger)) as ledger:
        facts = [json.loads(text) for (text,) in ledger.execute(f"SELECT facts FROM {table} ORDER BY address")]
    assert [one["start"] for one in facts] == ["2026-01-01T02:00:00", "2026-01-01T00:00:00"]
    stage.write(agent(nightly(AHEAD), POLL))
    assert stage.changes() == [(ADDRESS, "update", "edited")]
