"""As strict as a real server may be: each row is a request that a lax server would take, and what becomes of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from archive_samples import damaged, packed, twice, with_flag
from emulated import AGENT_ID, PATH, SCHEDULE_ID, Client, Clock, Start, schedule_body

from reconciler.emulator import Switches
from reconciler.emulator.acc_state import InputFile, RunStatus

SHEET = b"url\nhttps://shop.example/1\n"
CLUSTER = f"/api/agent/{AGENT_ID}/cluster/start"
JOB = f"/api/job/{AGENT_ID}/start"
FILES = f"/api/input/agent/{AGENT_ID}/files"
CSV = f"/api/input/agent/{AGENT_ID}/csv"
APPROVE = f"/api/agent/{AGENT_ID}/toggleAgentApproval/False"
DISAPPROVE = f"/api/agent/{AGENT_ID}/toggleAgentApproval/True"
ONE_OF_A_KIND = packed({"a.csv": SHEET})


@dataclass(frozen=True)
class Row:
    """`agent` is how the agent is set up; `ask` the options of the POST; the state of the agent's files afterwards."""

    path: str
    status: int
    ask: Mapping[str, Any] = field(default_factory=dict)
    agent: Mapping[str, Any] = field(default_factory=dict)
    switches: Mapping[str, str] = field(default_factory=dict)
    files: tuple[str, ...] = ()


def upload(name: str, content: bytes) -> dict[str, Any]:
    return {"files": {"filename": (name, content)}}


def said(text: str) -> dict[str, Any]:
    return {"data": json.dumps(text), "headers": {"Content-Type": "application/json"}}


ROWS = {
    "approve, empty": Row(APPROVE, 400, said("")),
    "approve, blank": Row(APPROVE, 400, said(" \t\n")),
    "approve, no body": Row(APPROVE, 400),
    "approve, not quoted": Row(APPROVE, 400, {"data": "hello", "headers": {"Content-Type": "application/json"}}),
    "approve, as text": Row(APPROVE, 415, {"data": '"hello"', "headers": {"Content-Type": "text/plain"}}),
    "approve, null": Row(APPROVE, 400, {"json": None, "data": "null", "headers": {"Content-Type": "application/json"}}),
    "approve": Row(APPROVE, 200, said("Reviewed")),
    "disapprove, empty": Row(DISAPPROVE, 400, said("")),
    "disapprove": Row(DISAPPROVE, 200, said("Broken")),
    "approve, empty, lax": Row(APPROVE, 200, said(""), switches={"empty_message": "accept"}),
    "csv, empty": Row(f"{CSV}?name=a.csv", 400),
    "csv, empty, lax": Row(f"{CSV}?name=a.csv", 200, switches={"empty_file": "accept"}, files=("a.csv",)),
    "csv in capitals": Row(f"{CSV}?name=A.CSV", 400, {"data": SHEET}),
    "csv in capitals, lax": Row(
        f"{CSV}?name=A.CSV", 200, {"data": SHEET}, switches={"csv_ending": "accept"}, files=("A.CSV",)
    ),
    "csv without a name": Row(CSV, 400, {"data": SHEET}),
    "csv that is a txt": Row(f"{CSV}?name=a.txt", 400, {"data": SHEET}),
    "csv": Row(f"{CSV}?name=a.csv", 200, {"data": SHEET}, files=("a.csv",)),
    "file, empty": Row(FILES, 400, upload("a.csv", b"")),
    "file in capitals": Row(FILES, 400, upload("A.TXT", SHEET)),
    "file": Row(FILES, 200, upload("a.txt", SHEET), files=("a.txt",)),
    "zip": Row(FILES, 200, upload("a.zip", packed({"b.csv": SHEET, "c.txt": b"x"})), files=("b.csv", "c.txt")),
    "zip, kept": Row(
        FILES, 200, upload("a.zip", packed({"b.csv": SHEET})), switches={"zip_files": "kept"}, files=("a.zip",)
    ),
    "zip, no zip": Row(FILES, 400, upload("a.zip", b"PK\x03\x04 nothing")),
    "zip, damaged": Row(FILES, 400, upload("a.zip", damaged())),
    "zip, cut": Row(FILES, 400, upload("a.zip", ONE_OF_A_KIND[:-20])),
    "zip, encrypted": Row(FILES, 400, upload("a.zip", with_flag(ONE_OF_A_KIND, 1))),
    "zip, other members": Row(FILES, 400, upload("a.zip", packed({"b.csv": SHEET, "c.pdf": b"x"}))),
    "zip in capitals inside": Row(FILES, 400, upload("a.zip", packed({"B.CSV": SHEET}))),
    "zip with a folder": Row(FILES, 400, upload("a.zip", packed({"in/b.csv": SHEET}))),
    "zip that climbs": Row(FILES, 400, upload("a.zip", packed({"../b.csv": SHEET}))),
    "zip, twice": Row(FILES, 400, upload("a.zip", twice("b.csv", "B.csv"))),
    "zip, empty member": Row(FILES, 400, upload("a.zip", packed({"b.csv": b""}))),
    "zip, a bomb": Row(FILES, 400, upload("a.zip", packed({"b.csv": bytes(101_000_000)}))),
    "zip, damaged, kept, lax": Row(
        FILES,
        200,
        upload("a.zip", damaged()),
        switches={"zip_files": "kept", "zip_content": "accept"},
        files=("a.zip",),
    ),
    "zip, damaged, lax": Row(FILES, 400, upload("a.zip", damaged()), switches={"zip_content": "accept"}),
    "zip, other members, lax": Row(
        FILES,
        200,
        upload("a.zip", packed({"in/b.csv": SHEET, "c.pdf": b"x"})),
        switches={"zip_content": "accept"},
        files=("b.csv",),
    ),
    "session, none": Row(CLUSTER, 400, {"json": {"sessionId": "1"}}, {"sessions": "none"}),
    "session, single": Row(CLUSTER, 200, {"json": {"sessionId": "1"}}, {"sessions": "single"}),
    "session, lax": Row(
        CLUSTER, 200, {"json": {"sessionId": "1"}}, {"sessions": "none"}, {"unsupported_session": "ignore"}
    ),
    "no session": Row(CLUSTER, 200, {"json": {}}, {"sessions": "none"}),
    "sessions, single": Row(CLUSTER, 400, {"json": {"useMultipleSessions": True}}, {"sessions": "single"}),
    "sessions": Row(CLUSTER, 200, {"json": {"useMultipleSessions": True}}),
    "sessions with an id": Row(CLUSTER, 400, {"json": {"useMultipleSessions": True, "sessionId": "1"}}),
    "job, session": Row(JOB, 400, {"json": {"sessionId": "1-5/5"}}, {"sessions": "none"}),
    "job, sessions": Row(JOB, 400, {"json": {"useMultipleSessions": True}}),
    "schedule, session": Row(
        f"/api/job/{AGENT_ID}/schedule", 400, {"json": schedule_body(sessionId="1")}, {"sessions": "none"}
    ),
    "schedule, 1,2W": Row(f"/api/job/{AGENT_ID}/schedule", 200, {"json": schedule_body(cron="0 0 2 1,2W * ?")}),
    "schedule, 1,2W, strict": Row(
        f"/api/job/{AGENT_ID}/schedule",
        400,
        {"json": schedule_body(cron="0 0 2 1,2W * ?")},
        switches={"undocumented_cron": "refuse"},
    ),
    "undeployed": Row(CLUSTER, 409, agent={"deployed": False}),
    "undeployed, 400": Row(CLUSTER, 400, agent={"deployed": False}, switches={"undeployed_start": "400"}),
    "undeployed, 404": Row(JOB, 404, agent={"deployed": False}, switches={"undeployed_start": "404"}),
    "undeployed, job": Row(JOB, 409, agent={"deployed": False}),
    "undeployed, schedule": Row(f"/api/job/schedule/{SCHEDULE_ID}/start", 409, agent={"deployed": False}),
    "disapproved": Row(CLUSTER, 409, agent={"approved": False}),
    "disapproved, 403": Row(JOB, 403, agent={"approved": False}, switches={"disapproved_start": "403"}),
    "disapproved, 400": Row(JOB, 400, agent={"approved": False}, switches={"disapproved_start": "400"}),
    "disapproved, schedule": Row(f"/api/job/schedule/{SCHEDULE_ID}/start", 409, agent={"approved": False}),
    "disapproved, lax": Row(CLUSTER, 200, agent={"approved": False}, switches={"disapproved_start": "starts"}),
    "start with a file that is not there": Row(CLUSTER, 400, {"json": {"inputFiles": ["a.csv"]}}),
    "start with too many digits": Row(CLUSTER, 400, {"json": {"sessionId": "0-" + "9" * 9 + "/" + "9" * 9}}),
}


@pytest.mark.parametrize("name", ROWS)
def test_strictness(start: Start, name: str) -> None:
    row = ROWS[name]
    acc = start(switches=Switches.of(row.switches))
    agent = acc.emulator.estate.agents[PATH]
    for attribute, value in row.agent.items():
        setattr(agent, attribute, value)
    reply = acc.post(row.path, **row.ask)
    assert reply.status_code == row.status, reply.text
    assert tuple(agent.input_files) == row.files
    if row.status >= 400:
        assert (agent.runs, agent.jobs, acc.emulator.estate.file_log) == ([], [], [])


@pytest.mark.parametrize(
    ("agent", "switches"),
    [
        ({"deployed": False}, {"undeployed_start": "failed-run"}),
        ({"approved": False}, {"disapproved_start": "failed-run"}),
    ],
)
def test_a_start_that_is_taken_and_fails(start: Start, agent: dict[str, Any], switches: dict[str, str]) -> None:
    acc = start(switches=Switches.of(switches))
    for attribute, value in agent.items():
        setattr(acc.emulator.estate.agents[PATH], attribute, value)
    assert acc.post(CLUSTER).status_code == 200
    assert acc.emulator.estate.agents[PATH].runs[0].outcome is RunStatus.FAILED


def test_a_start_names_what_came_out_of_a_zip(acc: Client) -> None:
    assert acc.post(FILES, **upload("all.zip", packed({"b.csv": SHEET}))).status_code == 200
    assert acc.post(CLUSTER, json={"inputFiles": ["all.zip"]}).status_code == 400
    assert acc.post(CLUSTER, json={"inputFiles": ["b.csv"]}).status_code == 200


def test_a_run_takes_no_zip(start: Start) -> None:
    acc = start(switches=Switches(zip_files="kept"))
    acc.emulator.estate.agents[PATH].input_files["a.zip"] = InputFile("a.zip", b"x")
    assert acc.post(CLUSTER, json={"inputFiles": ["a.zip"]}).status_code == 400


@pytest.mark.parametrize("what", [{"deployed": False}, {"approved": False}, {"sessions": "none"}])
def test_a_schedule_that_cannot_start_shows_why(start: Start, clock: Clock, what: dict[str, Any]) -> None:
    acc = start(switches=Switches(schedules_fire=True))
    estate = acc.emulator.estate
    estate.schedule(SCHEDULE_ID).session_id = "1"
    acc.schedules()
    for name, value in what.items():
        setattr(estate.agents[PATH], name, value)
    clock.advance(86400)
    (shown,) = acc.schedules()
    assert shown["scheduleStatus"] == 3
    assert shown["errorMessage"].startswith(("The agent is not", "The agent does not"))
    assert estate.agents[PATH].jobs == []


@pytest.mark.parametrize("path", ["restart", "retry", "retry?RunMethod=New"])
def test_a_run_of_an_agent_that_is_no_longer_deployed_is_not_run_again(acc: Client, clock: Clock, path: str) -> None:
    (run_id,) = acc.post(CLUSTER).json()["agentRunHistoryIds"]
    clock.advance(60)
    acc.emulator.estate.agents[PATH].deployed = False
    assert acc.post(f"/api/run/{run_id}/{path}").status_code == 409


@pytest.mark.parametrize(("value", "status"), [("401", 401), ("403", 403)])
def test_a_token_that_automate_mft_does_not_know(start: Start, value: str, status: int) -> None:
    acc = start(switches=Switches(unknown_token=value))
    reply = acc.get("/v1/licenses/current", headers={"Authorization": "bearer nobody"})
    assert (reply.status_code, "WWW-Authenticate" in reply.headers) == (status, status == 401)


DESCRIPTIONS = {
    "0 0 0 1": "Runs every day at 3:36:00 PM (AET).",
    "0 0 0 7": "Runs every 7 days at 3:36:00 PM (AET).",
    "0 15 0 0": "Runs every 15 minutes.",
    "0 0 2 * * MON-FRI": "Runs at 2:00:00 AM on Monday to Friday (AET).",
    "0 30 12,0 * * *": "Runs at 12:30:00 AM and 12:30:00 PM every day (AET).",
    "0 0 0 LW * ?": "Runs at 12:00:00 AM on the last weekday of the month (AET).",
    "nonsense": None,
}


@pytest.mark.parametrize(("cron", "shown"), DESCRIPTIONS.items())
def test_cron_description(start: Start, cron: str, shown: str | None) -> None:
    acc = start()
    acc.emulator.estate.schedule(SCHEDULE_ID).cron = cron
    assert acc.schedules()[0]["cronDescription"] == shown


@pytest.mark.parametrize(("value", "shown"), [("plain", "Runs every day."), ("null", None)])
def test_cron_description_otherwise(start: Start, value: str, shown: str | None) -> None:
    assert start(switches=Switches(cron_description=value)).schedules()[0]["cronDescription"] == shown


@pytest.mark.parametrize(("zone", "shown"), [("UTC", "UTC"), ("Eastern Standard Time", "ET"), ("Tonga", "Tonga")])
def test_a_zone_is_shortened(start: Start, zone: str, shown: str) -> None:
    acc = start()
    acc.emulator.estate.schedule(SCHEDULE_ID).time_zone_id = zone
    assert acc.schedules()[0]["cronDescription"] == f"Runs every day at 3:36:00 PM ({shown})."
