"""A server that makes ids of its own is written to once, whatever is selected and goes wrong; and ids are adopted."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stage import HAND_MADE, NIGHTLY, POLL, PRICES, STOCK, Ended, Stage, agent, estate, wait_for

from reconciler.kinds.registry import memo_of
from reconciler.kinds.schedule_state import ScheduleMemo
from reconciler.ledger import Ledger, Owner
from reconciler.model.copies import replace

Open = Callable[..., Stage]

BOTH = agent(NIGHTLY, POLL) + "---\n" + agent(NIGHTLY, POLL, name="stock")
PRICES_ONLY = ("--only", "schedule/prices/*")
STOCK_ONLY = ("--only", "schedule/stock/*")


@pytest.fixture
def ignoring(open_stage: Open) -> Stage:
    """A project against a server that replaces the ids that it is sent."""
    stage = open_stage(switches=["ignore_new_ids=yes"])
    stage.write(BOTH)
    return stage


def made(stage: Stage) -> list[str]:
    """The ids that the server made of its own."""
    return sorted(stage.estate.schedules.keys() - {HAND_MADE})


def creates(stage: Stage) -> int:
    return sum(write.startswith("POST") and write.endswith("/schedule") for write in stage.writes())


def blocked(stage: Stage, *arguments: str) -> dict[str, dict[str, Any]]:
    return {one["address"]: one for one in stage.plan(*arguments)["blocked"]}


@pytest.mark.parametrize("effect", ["drop-after", "503 after", "504 after", "cut", "html after", "500 after"])
def test_a_create_whose_reply_is_lost_is_not_repeated_where_ids_are_not_proven(ignoring: Stage, effect: str) -> None:
    ignoring.emulator.inject(f"POST /schedule$ #* {effect}")
    ended = ignoring.apply("--format", "json")
    assert ended.code == 4
    assert creates(ignoring) == 1
    (stray,) = made(ignoring)
    assert stray in ended.out
    ignoring.emulator.clear_faults()
    again = ignoring.apply()
    assert again.code == 3
    assert stray in again.said
    assert creates(ignoring) == 1


def test_a_create_that_never_happened_is_told_so_and_made_by_the_next_apply(open_stage: Open) -> None:
    stage = open_stage()
    stage.write(BOTH)
    stage.emulator.inject("POST /schedule$ #1 drop-before")
    ended = stage.apply("--format", "json")
    assert sorted(one["status"] for one in ended.document["outcomes"]) == ["applied"] * 3 + ["failed"]
    assert stage.apply().code == 0
    assert len(stage.owned()) == 4


def test_once_an_id_was_kept_creates_are_repeated_and_go_side_by_side(open_stage: Open) -> None:
    stage = open_stage()
    stage.write(agent(NIGHTLY))
    assert stage.apply().code == 0
    stage.write(BOTH)
    stage.emulator.inject("POST /schedule$ #1 503 retry-after=0")
    assert stage.apply().code == 0
    assert len(stage.owned()) == 4


def test_what_one_filtered_run_learned_stops_the_next_one_for_another_agent(ignoring: Stage) -> None:
    assert ignoring.apply(*PRICES_ONLY).code == 4
    (stray,) = made(ignoring)
    ended = ignoring.apply(*STOCK_ONLY)
    assert ended.code == 3
    assert made(ignoring) == [stray]
    assert {one["reason"] for one in blocked(ignoring, *STOCK_ONLY).values()} == {"policy"}
    assert all(stray in one["message"] for one in blocked(ignoring, *STOCK_ONLY).values())
    ignoring.estate.remove_schedule(stray)
    assert blocked(ignoring, *STOCK_ONLY) == {}


def test_an_agent_that_cannot_be_read_may_still_hold_one(ignoring: Stage) -> None:
    assert ignoring.apply(*PRICES_ONLY).code == 4
    ignoring.emulator.inject("GET agentPath=sequentum/Retail/prices 500")
    found = blocked(ignoring, *STOCK_ONLY)
    assert {one["reason"] for one in found.values()} == {"policy"}
    assert all("is not known" in one["message"] and PRICES in one["message"] for one in found.values())


def test_an_agent_that_was_given_up_holds_nobody_back(ignoring: Stage) -> None:
    assert ignoring.apply(*PRICES_ONLY).code == 4
    ignoring.write(agent(NIGHTLY, name="stock"))
    ignoring.emulator.inject("GET agentPath=sequentum/Retail/prices 404")
    assert ignoring.apply().code == 4
    assert len(made(ignoring)) == 1
    assert ignoring.apply("--forget-agent", PRICES).code == 8
    assert len(made(ignoring)) == 2


@pytest.mark.parametrize("reads", ["#4", "#4+"])
def test_a_create_that_nobody_saw_the_end_of_is_found_by_the_next_run(ignoring: Stage, reads: str) -> None:
    """Reading back failed: no other one is tried, and that the server made an id of its own shows in the next plan."""
    ignoring.emulator.inject(f"GET /schedules$ {reads} 500")
    ended = ignoring.apply()
    assert ended.code == 4, ended.err
    ignoring.emulator.clear_faults()
    (stray,) = made(ignoring)
    for selection in ((), PRICES_ONLY, STOCK_ONLY):
        found = blocked(ignoring, *selection)
        assert found
        assert all(stray in one["message"] for one in found.values())
    assert ignoring.apply().code == 3
    assert made(ignoring) == [stray]


def test_a_process_that_was_killed_after_its_create_is_found_out_too(ignoring: Stage) -> None:
    read_back = ignoring.emulator.inject("GET /schedules$ #4 sleep=20")
    process = ignoring.start("apply", "--auto-approve", *PRICES_ONLY)
    wait_for(lambda: read_back.fired)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    ignoring.emulator.clear_faults()
    (stray,) = made(ignoring)
    ended = ignoring.apply()
    assert ended.code == 3, ended.err
    assert stray in ended.said
    assert made(ignoring) == [stray]


def test_one_that_was_taken_over_leaves_the_others_named(ignoring: Stage) -> None:
    """A ledger knows of two: declaring one of them leaves the other in the way, until it is deleted."""
    assert ignoring.apply("--only", "schedule/prices/nightly").code == 8
    (first,) = made(ignoring)
    taken = ignoring.estate.schedules[first]
    fields = {"cron": taken.cron, "start_time": taken.start_time, "time_zone_id": taken.time_zone_id}
    ignoring.estate.add_schedule(ignoring.estate.agents[PRICES], FOREIGN, **fields)
    with (
        Ledger.open(
            "sqlite:///.reconciler/ledger.db",
            "retail",
            "default",
            root=ignoring.root,
            create=True,
            clock=ignoring.clock,
            memo_of=memo_of,
        ) as ledger,
        ledger.acquire(Owner("ann", "here", 1)) as lease,
    ):
        (entry,) = ledger.memory().entries.values()
        assert isinstance(entry.memo, ScheduleMemo)
        ledger.put(lease, replace(entry, memo=replace(entry.memo, server_assigned_ids=(first, FOREIGN))))
    found = blocked(ignoring)
    assert all(first in one["message"] and FOREIGN in one["message"] for one in found.values())
    ignoring.write(BOTH.replace("    - name: nightly\n", f"    - name: nightly\n      id: {first}\n", 1))
    assert ignoring.apply("--only", "schedule/prices/nightly").code == 0
    for _ in range(2):
        found = blocked(ignoring)
        assert len(found) == 3
        assert all(FOREIGN in one["message"] and first not in one["message"] for one in found.values())
        assert ignoring.apply().code == 3
    ignoring.estate.remove_schedule(FOREIGN)
    assert blocked(ignoring) == {}


def test_an_adopted_id_proves_nothing_of_ids_that_are_sent(ignoring: Stage) -> None:
    """What was taken over has an id that the server made: the next creates go one by one all the same."""
    assert ignoring.apply(*PRICES_ONLY).code == 4
    (stray,) = made(ignoring)
    name = next(one["address"] for one in blocked(ignoring).values() if one["reason"] == "unowned").rpartition("/")[2]
    block = NIGHTLY if name == "nightly" else POLL
    other = POLL if name == "nightly" else NIGHTLY
    adopted = block.replace(f"- name: {name}\n", f"- name: {name}\n      id: {stray}\n")
    ignoring.write(agent(adopted, other) + "---\n" + agent(NIGHTLY, POLL, name="stock"))
    ended = ignoring.apply()
    assert ended.code == 4, ended.err
    assert len(made(ignoring)) == 2, "one more was tried, alone"


STEPS = st.sampled_from(
    [
        "apply",
        "apply prices",
        "apply stock",
        "apply, replies lost",
        "apply stock, replies lost",
        "apply prices, 4th read fails",
        "apply prices, 3rd read fails",
        "apply stock, 4th and later reads fail",
        "apply, 4th read fails",
        "delete",
    ]
)


@settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(STEPS, min_size=2, max_size=6))
def test_never_more_than_one_lives_and_it_is_always_named(
    open_stage: Open, record_count: Callable[[str, int], None], steps: list[str]
) -> None:
    record_count("histories against a server that makes its own ids", 1)
    stage = open_stage(held=estate(), switches=["ignore_new_ids=yes"])
    stage.write(BOTH)
    for step in steps:
        run_step(stage, step)
        stage.emulator.clear_faults()
        assert len(made(stage)) <= 1
        for stray in made(stage):
            for selection in ((), PRICES_ONLY, STOCK_ONLY):
                found = stage.plan(*selection)
                assert not [one for one in found["changes"] if one["action"] == "create"]
                assert all(stray in one["message"] for one in found["blocked"])


def run_step(stage: Stage, step: str) -> Ended | None:
    if step == "delete":
        for stray in made(stage):
            stage.estate.remove_schedule(stray)
        return None
    selection = PRICES_ONLY if "prices" in step else STOCK_ONLY if "stock" in step else ()
    if "replies lost" in step:
        stage.emulator.inject("POST /schedule$ #* drop-after")
    if "fail" in step:
        stage.emulator.inject(f"GET /schedules$ #{3 if '3rd' in step else 4}{'+' if 'later' in step else ''} 500")
    ended = stage.apply(*selection)
    assert ended.code in (0, 1, 3, 4, 8), ended.err
    return ended


# --- adoption by id --------------------------------------------------------------------------------------------------

FOREIGN = "0e6c1b52-5f0e-4d0b-9a4e-5b1f2f8f4a11"
TAKES = NIGHTLY.replace("- name: nightly\n", f"- name: nightly\n      id: {FOREIGN}\n")
TAKEN = {"cron": "0 0 5 * * *", "start_time": "2026-01-01T05:00:00", "time_zone_id": "UTC"}


@pytest.mark.parametrize("switch", ["foreign_id=409", "foreign_id=400", "foreign_id=move"])
@pytest.mark.parametrize("selection", [(), PRICES_ONLY, ("--only", "schedule/prices/nightly")])
def test_an_id_of_another_agent_is_not_adopted_whatever_is_selected(
    open_stage: Open, switch: str, selection: tuple[str, ...]
) -> None:
    stage = open_stage(switches=[switch])
    stage.write(agent(POLL) + "---\n" + agent(POLL, name="stock"))
    assert stage.apply().code == 0
    stage.estate.add_schedule(stage.estate.agents[STOCK], FOREIGN, **TAKEN)
    before = dict(vars(stage.estate.schedule(FOREIGN)))
    stage.write(agent(POLL, TAKES) + "---\n" + agent(POLL, name="stock"))
    writes = stage.writes()
    ended = stage.apply(*selection)
    assert ended.code == 3, ended.err
    assert STOCK in ended.said
    assert FOREIGN in ended.said
    assert dict(vars(stage.estate.schedule(FOREIGN))) == before
    assert stage.writes() == writes


def test_an_agent_whose_document_is_gone_is_asked_too(stage: Stage) -> None:
    """The ledger knows its path: `prune: never` keeps it remembered."""
    stage.project("  policy: {prune: never}\n")
    stage.write(agent(POLL) + "---\n" + agent(POLL, name="stock"))
    assert stage.apply().code == 0
    stage.estate.add_schedule(stage.estate.agents[STOCK], FOREIGN, **TAKEN)
    stage.write(agent(POLL, TAKES))
    assert blocked(stage, *PRICES_ONLY)["schedule/prices/nightly"]["reason"] == "unowned"


def test_an_agent_that_cannot_be_read_may_have_the_id(stage: Stage) -> None:
    stage.write(agent(POLL) + "---\n" + agent(POLL, name="stock"))
    assert stage.apply().code == 0
    stage.write(agent(POLL, TAKES) + "---\n" + agent(POLL, name="stock"))
    stage.emulator.inject("GET agentPath=sequentum/Retail/stock 500")
    for selection in ((), PRICES_ONLY):
        said = blocked(stage, *selection)["schedule/prices/nightly"]
        assert said["reason"] == "unreadable"
        assert STOCK in said["message"]
    stage.emulator.clear_faults()
    assert stage.apply(*PRICES_ONLY).code == 0


def test_an_ordinary_filtered_plan_reads_no_more_than_it_did(stage: Stage) -> None:
    stage.write(BOTH)
    assert stage.apply().code == 0
    stage.write(BOTH.replace("15m", "30m"))
    stage.emulator.clear_requests()
    assert stage.apply(*PRICES_ONLY).code == 0
    assert not any("stock" in str(one.path) + str(getattr(one, "query", "")) for one in stage.emulator.requests)
