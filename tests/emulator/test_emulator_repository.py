"""Agents that move, are made anew, have two paths, or go: by hand over HTTP, in process, and in a state file."""

from __future__ import annotations

from typing import Any

import pytest
from emulated import AGENT_ID, OTHER_AGENT_ID, PATH, SCHEDULE_ID, Client, Start
from test_emulator_state import by_hand

from reconciler.emulator import Switches, alias_agent, move_agent, remake_agent, remove_agent
from reconciler.emulator.acc_state import InputFile
from reconciler.emulator.state_file import from_document, to_document

NEW = "sequentum/Moved/quick"
OTHER = "sequentum/Test1/Test-Agent"


def found(acc: Client, path: str) -> Any:
    reply = acc.get("/api/agent", params={"agentPath": path})
    return reply.json() if reply.status_code == 200 else reply.status_code


def on_agent(acc: Client, what: str, path: str, body: object) -> Any:
    return by_hand(acc, "POST", f"agents/{what}", params={"path": path}, json=body)


def test_a_moved_agent_keeps_its_id_and_its_schedules(acc: Client) -> None:
    assert found(acc, PATH)["name"] == "quick"
    assert on_agent(acc, "move", PATH, {"to": "sequentum/Moved/other"}).json() == {
        "path": "sequentum/Moved/other",
        "paths": ["sequentum/Moved/other"],
        "agentId": AGENT_ID,
    }
    assert (found(acc, PATH), found(acc, "sequentum/Moved/other")["agentId"]) == (404, AGENT_ID)
    assert found(acc, "sequentum/Moved/other")["name"] == "other"
    assert [entry["scheduleId"] for entry in acc.schedules()] == [SCHEDULE_ID]


def test_an_agent_made_anew_has_another_id_and_nothing_else(acc: Client) -> None:
    held = acc.emulator.estate.agents[PATH]
    held.input_files["a.csv"] = InputFile("a.csv", b"x")
    made = on_agent(acc, "remake", PATH, {}).json()
    agent = acc.emulator.estate.agents[PATH]
    assert made["agentId"] == found(acc, PATH)["agentId"] == agent.agent_id != AGENT_ID
    assert (acc.schedules(agent.agent_id), agent.input_files, agent.approved) == ([], {}, False)
    assert acc.get(f"/api/job/{AGENT_ID}/schedules").status_code == 404
    assert acc.delete(f"/api/job/schedule/{SCHEDULE_ID}").status_code == 404


def test_two_paths_lead_to_one_agent_and_go_with_it(acc: Client) -> None:
    assert on_agent(acc, "alias", PATH, {"alias": NEW}).json()["paths"] == [PATH, NEW]
    assert found(acc, PATH) == found(acc, NEW)
    remade = on_agent(acc, "remake", NEW, {"agentId": "11111111-7c88-4e05-a30a-004aa980ee6c"}).json()
    assert found(acc, PATH)["agentId"] == found(acc, NEW)["agentId"] == remade["agentId"]
    read = from_document(to_document(acc.emulator.estate))
    assert read.agents[NEW] is read.agents[PATH]
    assert len(to_document(read)["agents"]) == 2
    assert by_hand(acc, "DELETE", "agents", params={"path": NEW}).status_code == 200
    assert (found(acc, PATH), found(acc, NEW)) == (404, 404)


@pytest.mark.parametrize(
    ("what", "path", "body", "status"),
    [
        ("move", "nobody", {"to": NEW}, 404),
        ("move", PATH, {"to": OTHER}, 400),
        ("move", PATH, {}, 400),
        ("move", PATH, {"to": 5}, 400),
        ("move", PATH, [], 400),
        ("alias", PATH, {"alias": PATH}, 400),
        ("alias", PATH, {"alias": ""}, 400),
        ("remake", PATH, {"agentId": OTHER_AGENT_ID}, 400),
        ("remake", PATH, {"agentId": 5}, 400),
        ("remake", "nobody", {}, 404),
    ],
)
def test_what_cannot_be_done_in_the_repository_changes_nothing(
    acc: Client, what: str, path: str, body: object, status: int
) -> None:
    before = to_document(acc.emulator.estate)
    assert on_agent(acc, what, path, body).status_code == status
    assert to_document(acc.emulator.estate) == before


def test_the_same_in_process(acc: Client) -> None:
    estate = acc.emulator.estate
    assert move_agent(estate, PATH, NEW).agent_id == AGENT_ID
    alias_agent(estate, NEW, PATH)
    move_agent(estate, PATH, "sequentum/Third/quick")
    assert found(acc, NEW) == found(acc, "sequentum/Third/quick")
    assert remake_agent(estate, NEW).agent_id != AGENT_ID
    remove_agent(estate, OTHER)
    assert found(acc, OTHER) == 404


@pytest.mark.parametrize(("value", "status"), [("matters", 404), ("ignored", 200)])
def test_path_case(start: Start, value: str, status: int) -> None:
    acc = start(switches=Switches(path_case=value))
    assert acc.get("/api/agent", params={"agentPath": PATH.upper()}).status_code == status
    assert acc.post("/api/agent/cluster/start", params={"agentPath": PATH.upper()}, json={}).status_code == status
