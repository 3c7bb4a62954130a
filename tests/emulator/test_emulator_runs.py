"""Agents, runs, jobs, approval and tokens of the emulated ACC."""

from __future__ import annotations

import io
import threading
import zipfile
from typing import Any

import pytest
import requests
from emulated import AGENT_ID, OTHER_AGENT_ID, PATH, SCHEDULE_ID, Client, Clock, Start, small_estate

from reconciler.emulator import Token
from reconciler.emulator.acc_state import RunStatus

UNKNOWN = "00000000-0000-4000-8000-000000000000"


def names_in(content: bytes) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        return archive.namelist()


def start_run(acc: Client, **body: Any) -> str:
    reply = acc.post(f"/api/agent/{AGENT_ID}/cluster/start", json=body)
    assert reply.status_code == 200, reply.text
    (run_id,) = reply.json()["agentRunHistoryIds"]
    return str(run_id)


def test_an_agent_is_found_by_its_path(acc: Client) -> None:
    agent = acc.get("/api/agent", params={"agentPath": "sequentum/Test1/Test-Agent"}).json()
    assert agent["agentId"] == OTHER_AGENT_ID
    assert agent["name"] == "Test-Agent"
    assert acc.get("/api/agent", params={"agentPath": "sequentum/nobody"}).status_code == 404
    assert acc.get("/api/agent").status_code == 400


def test_a_path_with_odd_letters_is_found(start: Start) -> None:
    estate = small_estate()
    odd = estate.add_agent("sequentum/Für & mit/ein+zwei 100%")
    assert start(estate).get("/api/agent", params={"agentPath": odd.path}).json()["agentId"] == odd.agent_id


def test_without_a_known_token_nothing_is_answered(acc: Client) -> None:
    for headers in ({"Authorization": ""}, {"Authorization": "Bearer nonsense"}, {"Authorization": "Basic writes"}):
        assert acc.get(f"/api/job/{AGENT_ID}/schedules", headers=headers).status_code == 401


def test_a_read_only_token_reads_and_may_not_write(acc: Client) -> None:
    headers = {"Authorization": "Bearer reads"}
    assert acc.get(f"/api/job/{AGENT_ID}/schedules", headers=headers).status_code == 200
    assert acc.delete(f"/api/job/{AGENT_ID}/schedules", headers=headers).status_code == 403
    assert len(acc.schedules()) == 1


def test_a_token_ends(start: Start, clock: Clock) -> None:
    estate = small_estate()
    estate.tokens.clear()
    estate.add_token(Token("brief", expires=clock.now.replace(hour=13)))
    acc = start(estate)
    assert acc.get(f"/api/job/{AGENT_ID}/schedules").status_code == 200
    clock.advance(3600)
    assert acc.get(f"/api/job/{AGENT_ID}/schedules").status_code == 401


def test_a_run_goes_through_its_states(acc: Client, clock: Clock) -> None:
    run_id = start_run(acc, inputParameters='{"input1":"my input 1"}', logLevel=2, isProductionRun=False)
    states = []
    for _ in range(4):
        states.append(acc.get(f"/api/run/{run_id}").json()["status"])
        clock.advance(4.6)
    assert states == [1, 2, 3, 4]
    run = acc.get(f"/api/run/{run_id}").json()
    assert run["endTime"] == "2026-05-04T22:00:10.0000000+10:00"
    assert run["runTime"] == "00:00:10.0000000"
    assert run["logPath"] == "quick-2026_05_04-10_00_00.log"
    assert (run["inputParameters"], run["logLevel"], run["isProductionRun"]) == ('{"input1":"my input 1"}', 2, False)
    assert (run["runId"], run["sessionId"], run["statusMessage"], run["isWindowLess"]) == (0, None, "Completed", True)


def test_a_run_is_started_by_path(acc: Client) -> None:
    reply = acc.post("/api/agent/cluster/start", params={"agentPath": PATH}, json={})
    assert len(reply.json()["agentRunHistoryIds"]) == 1
    assert acc.post("/api/agent/cluster/start", params={"agentPath": "no"}, json={}).status_code == 404


def test_outcomes_come_one_after_the_other(acc: Client, clock: Clock) -> None:
    acc.emulator.estate.agents[PATH].outcomes = (RunStatus.FAILED, RunStatus.STOPPED, RunStatus.SUCCEEDED)
    for _ in range(4):
        start_run(acc)
        clock.advance(11)
    assert [run["status"] for run in acc.get(f"/api/agent/{AGENT_ID}/history").json()] == [4, 4, 6, 5]
    assert len(acc.get(f"/api/agent/{AGENT_ID}/history?count=2").json()) == 2


def test_one_agent_runs_once_at_a_time_unless_sessions_are_used(acc: Client) -> None:
    start_run(acc)
    again = f"/api/agent/{AGENT_ID}/cluster/start"
    assert acc.post(again, json={}).status_code == 409
    assert acc.post(again, json={"useMultipleSessions": True}).status_code == 200
    assert acc.post(again, json={"useMultipleSessions": True, "sessionId": "x"}).status_code == 400
    assert acc.post(again, json={"sessionId": "other"}).status_code == 200


def test_performance_sessions_start_several_runs(acc: Client) -> None:
    reply = acc.post(f"/api/agent/{AGENT_ID}/cluster/start", json={"sessionId": "2-4/5"})
    assert len(reply.json()["agentRunHistoryIds"]) == 3
    sessions = {run["sessionId"] for run in acc.get(f"/api/agent/{AGENT_ID}/history").json()}
    assert sessions == {"2/5", "3/5", "4/5"}


@pytest.mark.parametrize(
    "body",
    [
        {"logLevel": 4},
        {"isProductionRun": "yes"},
        {"inputParameters": {"a": "b"}},
        {"inputFiles": ["missing.csv"]},
        {"speed": 3},
        {"synchronousDataDelivery": "Tar"},
        {"sessionId": "5-1/5"},
    ],
)
def test_an_impossible_start_is_refused(acc: Client, body: dict[str, Any]) -> None:
    assert acc.post(f"/api/agent/{AGENT_ID}/cluster/start", json=body).status_code == 400
    assert acc.get(f"/api/agent/{AGENT_ID}/history").json() == []


def synchronous(acc: Client, clock: Clock, seconds: float, **body: Any) -> requests.Response:
    """Start synchronously and move the clock on once the run is under way."""
    replies: list[requests.Response] = []
    ask = {"isSynchronous": True, **body}
    caller = threading.Thread(
        target=lambda: replies.append(acc.post(f"/api/agent/{AGENT_ID}/cluster/start", json=ask)), daemon=True
    )
    caller.start()
    while not acc.emulator.estate.runs:
        threading.Event().wait(0.005)
    assert caller.is_alive()
    clock.advance(seconds)
    caller.join(20)
    return replies[0]


def test_a_synchronous_start_returns_when_the_run_has_ended(acc: Client, clock: Clock) -> None:
    reply = synchronous(acc, clock, 11)
    (run_id,) = reply.json()["agentRunHistoryIds"]
    assert acc.get(f"/api/run/{run_id}").json()["status"] == 4


def test_a_synchronous_start_delivers_data(acc: Client, clock: Clock) -> None:
    reply = synchronous(acc, clock, 11, synchronousDataDelivery="Plain")
    assert reply.text == "url,price\r\nhttps://shop.example/1,10.00\r\n"


def test_a_synchronous_start_delivers_a_zip(acc: Client, clock: Clock) -> None:
    assert names_in(synchronous(acc, clock, 11, synchronousDataDelivery="Zip").content) == ["quick.csv"]


def test_a_synchronous_start_stops_after_its_timeout(acc: Client, clock: Clock) -> None:
    (run_id,) = synchronous(acc, clock, 6, synchronousTimeout=5).json()["agentRunHistoryIds"]
    assert acc.get(f"/api/run/{run_id}").json()["status"] == 6


def test_restart_makes_another_run_and_continue_keeps_it(acc: Client, clock: Clock) -> None:
    run_id = start_run(acc)
    assert acc.post(f"/api/run/{run_id}/restart").status_code == 409
    clock.advance(11)
    (second,) = acc.post(f"/api/run/{run_id}/restart").json()["agentRunHistoryIds"]
    assert second != run_id
    clock.advance(11)
    for method in ("Continue", "ContinueRefreshAgent", "ContinueAndRetryErrors", "ContinueAndRetryErrorsRefreshAgent"):
        reply = acc.post(f"/api/run/{run_id}/retry", params={"RunMethod": method})
        assert reply.json()["agentRunHistoryIds"] == [run_id]
        assert acc.get(f"/api/run/{run_id}").json()["status"] < 4
        clock.advance(11)
    for method in ("Restart", "New"):
        (third,) = acc.post(f"/api/run/{run_id}/retry?RunMethod={method}").json()["agentRunHistoryIds"]
        assert third != run_id
        clock.advance(11)
    assert acc.post(f"/api/run/{run_id}/retry").json()["agentRunHistoryIds"] == [run_id]
    assert acc.post(f"/api/run/{run_id}/retry?RunMethod=Again").status_code == 400


def test_a_job_counts_its_runs(acc: Client, clock: Clock) -> None:
    first = acc.post(f"/api/job/{AGENT_ID}/start").json()
    assert first["jobRunId"] == 1
    assert acc.post(f"/api/job/{AGENT_ID}/start").status_code == 409
    assert acc.get(f"/api/job/run/{first['agentJobHistoryId']}").json()["status"] == 1
    clock.advance(11)
    second = acc.post(f"/api/job/{AGENT_ID}/start", json={"sessionId": "1-3/3"}).json()
    clock.advance(11)
    job = acc.get(f"/api/job/run/{second['agentJobHistoryId']}").json()
    assert (job["runId"], job["status"], job["totalRunCount"], job["completedRunCount"]) == (2, 3, 3, 3)
    assert (job["totalRequestCount"], job["totalVolume"]) == (99, 75)
    assert len(acc.get(f"/api/agent/{AGENT_ID}/run/2/history").json()) == 3
    assert [entry["runId"] for entry in acc.get(f"/api/job/{AGENT_ID}/history?count=5").json()] == [2, 1]
    assert [entry["runId"] for entry in acc.get(f"/api/job/{AGENT_ID}/history?count=1").json()] == [2]


def test_a_status_set_by_hand_ends_the_job(acc: Client) -> None:
    assert acc.post(f"/api/job/{AGENT_ID}/status", json={"status": 5}).status_code == 404
    job = acc.post(f"/api/job/{AGENT_ID}/start").json()["agentJobHistoryId"]
    assert acc.post(f"/api/job/{AGENT_ID}/status", json={"status": 6}).status_code == 400
    assert acc.post(f"/api/job/{AGENT_ID}/status", json={"status": 5}).status_code == 200
    assert acc.get(f"/api/job/run/{job}").json()["status"] == 5
    assert acc.get(f"/api/agent/{AGENT_ID}/history").json()[0]["status"] == 6
    assert acc.post(f"/api/job/{AGENT_ID}/start").status_code == 200


def test_logs_and_data_are_zip_files(acc: Client, clock: Clock) -> None:
    job = acc.post(f"/api/job/{AGENT_ID}/start", json={"sessionId": "1-2/2"}).json()["agentJobHistoryId"]
    run = acc.get(f"/api/agent/{AGENT_ID}/history").json()[0]["agentRunHistoryId"]
    assert acc.get(f"/api/run/{run}/backup").status_code == 404
    clock.advance(11)
    assert names_in(acc.get(f"/api/run/{run}/log").content) == ["quick-2026_05_04-10_00_00.log"]
    assert len(names_in(acc.get(f"/api/job/run/{job}/logs").content)) == 2
    assert names_in(acc.get(f"/api/run/{run}/backup").content) == ["quick.csv"]
    assert names_in(acc.get(f"/api/job/run/{job}/backup").content) == ["quick.csv", "quick-2.csv"]
    acc.emulator.estate.agents[PATH].keeps_backup = False
    assert acc.get(f"/api/run/{run}/backup").status_code == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"/api/run/{UNKNOWN}"),
        ("GET", f"/api/run/{UNKNOWN}/log"),
        ("GET", f"/api/run/{UNKNOWN}/backup"),
        ("POST", f"/api/run/{UNKNOWN}/restart"),
        ("GET", f"/api/job/run/{UNKNOWN}"),
        ("GET", f"/api/job/run/{UNKNOWN}/logs"),
        ("POST", f"/api/job/{UNKNOWN}/start"),
        ("GET", f"/api/agent/{UNKNOWN}/history"),
        ("DELETE", f"/api/input/agent/{UNKNOWN}"),
        ("POST", f"/api/agent/{UNKNOWN}/toggleAgentApproval/True"),
        ("GET", "/api/agents"),
    ],
)
def test_what_is_not_there_is_404(acc: Client, method: str, path: str) -> None:
    assert acc.ask(method, path).status_code == 404


def test_the_wrong_method_is_405(acc: Client) -> None:
    reply = acc.post(f"/api/run/{UNKNOWN}")
    assert reply.status_code == 405
    assert reply.headers["Allow"] == "GET"


def test_approval_is_toggled_and_its_message_logged(acc: Client) -> None:
    agents = acc.emulator.estate.agents
    assert acc.post(f"/api/agent/{AGENT_ID}/toggleAgentApproval/True", json="Broken since Monday").status_code == 200
    assert not agents[PATH].approved
    assert acc.post(f"/api/agent/{AGENT_ID}/toggleAgentApproval/False", json="Reviewed: ü").status_code == 200
    assert agents[PATH].approved
    log = [(entry.path, entry.event, entry.message) for entry in acc.emulator.estate.file_log]
    assert log == [(PATH, "disapproved", "Broken since Monday"), (PATH, "approved", "Reviewed: ü")]
    assert acc.post(f"/api/agent/{AGENT_ID}/toggleAgentApproval/False", json={"message": "x"}).status_code == 400


def test_a_server_that_is_not_known_is_an_error_in_the_reply(acc: Client) -> None:
    body = {"key": "wrong", "ipAddress": "127.0.0.1", "port": 8004, "serverRefresh": True}
    assert acc.post("/api/server/check", json=body).json()["isError"] is True
    assert acc.post("/api/server/check", json={"key": "only"}).status_code == 400


def test_a_schedule_passes_its_fields_on_to_its_run(acc: Client) -> None:
    schedule = acc.emulator.estate.schedule(SCHEDULE_ID)
    schedule.input_parameters, schedule.log_level, schedule.is_windowless = '{"a":"b"}', 3, False
    acc.post(f"/api/job/schedule/{SCHEDULE_ID}/start")
    (run,) = acc.get(f"/api/agent/{AGENT_ID}/history").json()
    assert (run["inputParameters"], run["logLevel"], run["isWindowLess"]) == ('{"a":"b"}', 3, False)
