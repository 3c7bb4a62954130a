"""The ACC client on the wire: each call against the documented request, each reply against the documented answer."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import responses
from clients_sockets import server
from clients_stand_ins import TOKEN, session

from reconciler.clients.acc import AccClient
from reconciler.clients.acc_options import Delivery, JobStatus, RunMethod, StartOptions
from reconciler.clients.calls import InputFile
from reconciler.clients.replies import moment, read_job_run, read_parameters, read_run, read_schedule
from reconciler.errors import Missing, ProductError, Refused, Uncertain

HOST = "https://acc.sequentum.com"
AGENT = "a2f22850-7c88-4e05-a30a-004aa980ee6c"
RUN = "9040f86d-bbc1-4038-9868-501145cc2370"
JOB_RUN = "6ef84ec7-d5e6-4a98-bbfa-0b67355a648f"
SCHEDULE = "b4cdc56a-2c16-4b1b-a135-b4e687f8bc95"

AGENT_REPLY = {
    "agentId": AGENT,
    "name": "quick",
    "directoryId": "45e52cf1-b2a1-4f37-b670-4582c08a8df8",
    "description": None,
}
SCHEDULE_REPLY = {
    "scheduleId": "d9c944df-93a7-ea77-f7b7-fa0b9c579917",
    "agentId": AGENT,
    "cron": "0 0 0 1",
    "cronDescription": "Runs every day at 3:36:00 PM (AET).",
    "sessionId": None,
    "startTime": "2019-05-30T15:36:00",
    "timeZoneId": "AUS Eastern Standard Time",
    "nextRunTime": "2019-05-30T15:36:00+10:00",
    "inputParameters": "{}",
    "logLevel": 2,
    "isWindowless": True,
    "errorMessage": None,
    "scheduleStatus": 2,
    "lastRunTime": "2019-05-21T15:26:42.967476+10:00",
    "completedTime": "2019-05-21T15:26:52.6831583+10:00",
    "isEnabled": True,
}
RUN_REPLY = {
    "agentRunHistoryId": RUN,
    "agentId": AGENT,
    "sessionId": None,
    "runId": 0,
    "agentJobScheduleId": None,
    "serverIp": "127.0.0.1",
    "startTime": "2019-05-21T13:52:14.3020127+10:00",
    "endTime": "2019-05-21T13:52:23.6568249+10:00",
    "status": 4,
    "errors": 0,
    "dataCount": 1,
    "statusMessage": "Completed",
    "isWindowLess": True,
}
JOB_REPLY = {
    "agentJobHistoryId": JOB_RUN,
    "agentId": AGENT,
    "startTime": "2019-05-19T15:55:47.4225218+10:00",
    "endTime": "2019-05-19T15:55:58.9723817+10:00",
    "totalErrors": 0,
    "totalDataCount": 1,
    "runId": 3,
    "status": 3,
    "agentJobSetting": None,
}
BODY = {
    "isEnabled": True,
    "scheduleId": SCHEDULE,
    "cron": "0 0 0 1",
    "sessionId": None,
    "startTime": "2019-07-16T11:21:20",
    "timeZoneId": "AUS Eastern Standard Time",
    "inputParameters": {"par1": "2000", "par2": "5000"},
    "logLevel": 1,
    "isWindowless": True,
}


@pytest.fixture
def wire() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def acc() -> AccClient:
    return AccClient(session(HOST))


def answer(wire: responses.RequestsMock, value: Any, status: int = 200) -> None:
    for method in ("GET", "POST", "DELETE"):
        wire.add(method, url=re.compile(".*"), json=value, status=status)


Call = Callable[[AccClient], object]
EMPTY: list[Any] = []
STARTED = {"agentRunHistoryIds": [RUN]}
JOB_STARTED = {"agentJobHistoryId": JOB_RUN, "jobRunId": 2}
OPTIONS = StartOptions(
    log_level=1, is_production_run=True, input_parameters={"input1": "my input 1", "input2": "my input 2"}
)
OPTIONS_BODY = (
    r'{"logLevel":1,"isProductionRun":true,'
    r'"inputParameters":"{\"input1\":\"my input 1\",\"input2\":\"my input 2\"}"}'
)
SCHEDULE_TEXT = (
    r'{"scheduleId":"b4cdc56a-2c16-4b1b-a135-b4e687f8bc95","cron":"0 0 0 1","sessionId":null,'
    r'"startTime":"2019-07-16T11:21:20","timeZoneId":"AUS Eastern Standard Time",'
    r'"inputParameters":"{\"par1\":\"2000\",\"par2\":\"5000\"}","logLevel":1,"isWindowless":true,"isEnabled":true}'
)
SERVER_TEXT = '{"key":"3f8f","ipAddress":"127.0.0.1","port":8004,"useSsl":false,"serverRefresh":true}'

CALLS: dict[str, tuple[Call, Any, str, str, str]] = {
    "Get agent details from repository": (
        lambda acc: acc.get_agent("sequentum/Test2/quick"),
        AGENT_REPLY,
        "GET",
        "/api/agent?agentPath=sequentum/Test2/quick",
        "",
    ),
    "Start agent on cluster": (
        lambda acc: acc.start_agent(AGENT, OPTIONS),
        STARTED,
        "POST",
        f"/api/agent/{AGENT}/cluster/start",
        OPTIONS_BODY,
    ),
    "Start agent on cluster, by path": (
        lambda acc: acc.start_agent_at("sequentum/Test1/Test-Agent"),
        STARTED,
        "POST",
        "/api/agent/cluster/start?agentPath=sequentum/Test1/Test-Agent",
        "{}",
    ),
    "Start agent on cluster, for its data": (
        lambda acc: acc.run_agent_for_data(AGENT, Delivery.ZIP, StartOptions(synchronous_timeout=5), io.BytesIO()),
        STARTED,
        "POST",
        f"/api/agent/{AGENT}/cluster/start",
        '{"isSynchronous":true,"synchronousTimeout":5,"synchronousDataDelivery":"Zip"}',
    ),
    "Restart run": (lambda acc: acc.restart_run(RUN), None, "POST", f"/api/run/{RUN}/restart", ""),
    "Retry run": (
        lambda acc: acc.retry_run(RUN),
        None,
        "POST",
        f"/api/run/{RUN}/retry?RunMethod=ContinueAndRetryErrorsRefreshAgent",
        "",
    ),
    "Get agent run details": (lambda acc: acc.get_run(RUN), RUN_REPLY, "GET", f"/api/run/{RUN}", ""),
    "Get agent run history": (
        lambda acc: acc.run_history(AGENT, count=1),
        [RUN_REPLY],
        "GET",
        f"/api/agent/{AGENT}/history?count=1",
        "",
    ),
    "Get agent run history, as many as there are": (
        lambda acc: acc.run_history(AGENT),
        EMPTY,
        "GET",
        f"/api/agent/{AGENT}/history",
        "",
    ),
    "Start Job": (
        lambda acc: acc.start_job(AGENT, OPTIONS),
        JOB_STARTED,
        "POST",
        f"/api/job/{AGENT}/start",
        OPTIONS_BODY,
    ),
    "Get job run details": (lambda acc: acc.get_job_run(JOB_RUN), JOB_REPLY, "GET", f"/api/job/run/{JOB_RUN}", ""),
    "Get job run history": (
        lambda acc: acc.job_history(AGENT, count=2),
        [JOB_REPLY],
        "GET",
        f"/api/job/{AGENT}/history?count=2",
        "",
    ),
    "Get agent run history for a job run": (
        lambda acc: acc.runs_of_job_run(AGENT, 5, count=1),
        [RUN_REPLY],
        "GET",
        f"/api/agent/{AGENT}/run/5/history?count=1",
        "",
    ),
    "Get job schedules": (
        lambda acc: acc.job_schedules(AGENT),
        [SCHEDULE_REPLY],
        "GET",
        f"/api/job/{AGENT}/schedules",
        "",
    ),
    "Add or update job schedule": (
        lambda acc: acc.put_schedule(AGENT, BODY),
        None,
        "POST",
        f"/api/job/{AGENT}/schedule",
        SCHEDULE_TEXT,
    ),
    "Delete job schedule": (
        lambda acc: acc.delete_schedule(SCHEDULE),
        None,
        "DELETE",
        f"/api/job/schedule/{SCHEDULE}",
        "",
    ),
    "Delete all job schedules": (
        lambda acc: acc.delete_all_schedules(AGENT),
        None,
        "DELETE",
        f"/api/job/{AGENT}/schedules",
        "",
    ),
    "Start job schedule": (
        lambda acc: acc.start_schedule(SCHEDULE),
        None,
        "POST",
        f"/api/job/schedule/{SCHEDULE}/start",
        "",
    ),
    "Disable job schedule": (
        lambda acc: acc.disable_schedule(SCHEDULE),
        None,
        "POST",
        f"/api/job/schedule/{SCHEDULE}/off",
        "",
    ),
    "Disable all job schedules": (
        lambda acc: acc.disable_all_schedules(AGENT),
        None,
        "POST",
        f"/api/job/{AGENT}/schedules/off",
        "",
    ),
    "Enable job schedule": (
        lambda acc: acc.enable_schedule(SCHEDULE),
        None,
        "POST",
        f"/api/job/schedule/{SCHEDULE}/on",
        "",
    ),
    "Enable all job schedules": (
        lambda acc: acc.enable_all_schedules(AGENT),
        None,
        "POST",
        f"/api/job/{AGENT}/schedules/on",
        "",
    ),
    "Set status for latest job run": (
        lambda acc: acc.set_job_status(AGENT, JobStatus.FAILED),
        None,
        "POST",
        f"/api/job/{AGENT}/status",
        '{"status":5}',
    ),
    "Get log for a specific agent run": (
        lambda acc: acc.download_run_log(RUN, io.BytesIO()),
        None,
        "GET",
        f"/api/run/{RUN}/log",
        "",
    ),
    "Get all logs for a specific job run": (
        lambda acc: acc.download_job_logs(JOB_RUN, io.BytesIO()),
        None,
        "GET",
        f"/api/job/run/{JOB_RUN}/logs",
        "",
    ),
    "Get all data for a specific job run": (
        lambda acc: acc.download_job_data(JOB_RUN, io.BytesIO()),
        None,
        "GET",
        f"/api/job/run/{JOB_RUN}/backup",
        "",
    ),
    "Get data for a specific agent run": (
        lambda acc: acc.download_run_data(RUN, io.BytesIO()),
        None,
        "GET",
        f"/api/run/{RUN}/backup",
        "",
    ),
    "Delete all agent input files": (
        lambda acc: acc.delete_input_files(AGENT),
        None,
        "DELETE",
        f"/api/input/agent/{AGENT}",
        "",
    ),
    "Disable All Agent Input Files": (
        lambda acc: acc.disable_input_files(AGENT),
        None,
        "POST",
        f"/api/input/agent/{AGENT}/disable",
        "",
    ),
    "Get SE Server Status": (
        lambda acc: acc.check_server(key="3f8f", ip_address="127.0.0.1", port=8004),
        {"isError": False, "message": "Connection to server 127.0.0.1:8004 is successful."},
        "POST",
        "/api/server/check",
        SERVER_TEXT,
    ),
    "Disapprove an agent": (
        lambda acc: acc.disapprove(AGENT, 'was "odd"'),
        None,
        "POST",
        f"/api/agent/{AGENT}/toggleAgentApproval/True",
        r'"was \"odd\""',
    ),
    "Approve an agent": (
        lambda acc: acc.approve(AGENT, "Reviewed"),
        None,
        "POST",
        f"/api/agent/{AGENT}/toggleAgentApproval/False",
        '"Reviewed"',
    ),
}


@pytest.mark.parametrize("title", CALLS)
def test_a_call_goes_out_as_documented(title: str, wire: responses.RequestsMock, acc: AccClient) -> None:
    call, reply, method, target, body = CALLS[title]
    answer(wire, reply)
    call(acc)
    sent = wire.calls[0].request
    assert (sent.method, sent.url) == (method, HOST + target)
    assert (sent.body or b"") == body.encode()
    assert sent.headers["Authorization"] == f"Bearer {TOKEN}"
    assert sent.headers.get("Content-Type") == ("application/json" if body else None)
    assert len(wire.calls) == 1


def test_the_approval_flag_is_the_wrong_way_round_in_the_document() -> None:
    """The document: "POST api/agent/{agentId}/toggleAgentApproval/True — This disapproves an approved agent"."""
    paths = {title: target for title, (_, _, _, target, _) in CALLS.items() if "pprove" in title}
    assert paths["Disapprove an agent"].endswith("/True")
    assert paths["Approve an agent"].endswith("/False")


@pytest.mark.parametrize("method", RunMethod)
def test_every_way_to_retry(method: RunMethod, wire: responses.RequestsMock, acc: AccClient) -> None:
    answer(wire, None)
    acc.retry_run(RUN, method)
    assert str(wire.calls[0].request.url).endswith(f"?RunMethod={method.value}")


def test_a_path_with_everything_in_it(wire: responses.RequestsMock, acc: AccClient) -> None:
    answer(wire, AGENT_REPLY)
    acc.get_agent("séq/a b+c&d=e#f?g%20h")
    url = wire.calls[0].request.url
    assert url == HOST + "/api/agent?agentPath=s%C3%A9q/a%20b%2Bc%26d%3De%23f%3Fg%2520h"


def test_parameters_survive_the_string_in_the_string(wire: responses.RequestsMock, acc: AccClient) -> None:
    answer(wire, None)
    nasty = {"q": 'a "quoted" \\ thing', "ü": "é\n\t☃", "lone": "\ud800"}
    acc.put_schedule(AGENT, {**BODY, "inputParameters": nasty})
    body = json.loads(wire.calls[0].request.body or b"")
    assert json.loads(body["inputParameters"]) == nasty
    assert list(body) == [
        "scheduleId", "cron", "sessionId", "startTime", "timeZoneId", "inputParameters", "logLevel", "isWindowless",
        "isEnabled",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "sent"), [(None, "{}"), ({}, "{}"), ("not json", "not json"), ({"n": 1}, '{"n":"1"}')]
)
def test_parameters_of_every_sort(given: Any, sent: str, wire: responses.RequestsMock, acc: AccClient) -> None:
    answer(wire, None)
    acc.put_schedule(AGENT, {**BODY, "inputParameters": given})
    assert json.loads(wire.calls[0].request.body or b"")["inputParameters"] == sent


def test_half_a_schedule_is_not_sent(wire: responses.RequestsMock, acc: AccClient) -> None:
    for body in ({key: value for key, value in BODY.items() if key != "cron"}, {**BODY, "name": "x"}):
        with pytest.raises(Refused, match="sent whole"):
            acc.put_schedule(AGENT, body)
    assert len(wire.calls) == 0


def test_an_empty_id_never_becomes_another_call(wire: responses.RequestsMock, acc: AccClient) -> None:
    for call in (acc.delete_schedule, acc.delete_all_schedules, acc.delete_input_files, acc.job_schedules):
        for bad in ("", "  ", ".."):
            with pytest.raises(Refused):
                call(bad)
    assert len(wire.calls) == 0


# --- replies ---------------------------------------------------------------------------------------------------------


def test_documented_replies_are_understood(wire: responses.RequestsMock, acc: AccClient) -> None:
    answer(wire, AGENT_REPLY)
    agent = acc.get_agent("x")
    assert (agent.agent_id, agent.name, agent.description, agent.raw) == (AGENT, "quick", None, AGENT_REPLY)
    run = read_run(RUN_REPLY)
    assert (run.status, run.is_active, run.job_run_number, run.errors) == ("Succeeded", False, 0, 0)
    job = read_job_run({**JOB_REPLY, "status": 1})
    assert (job.status, job.is_active, job.job_run_number) == ("In Progress", True, 3)
    found = read_schedule(SCHEDULE_REPLY)
    assert (found.cron, found.log_level, found.is_enabled, found.schedule_status) == ("0 0 0 1", 2, True, "Succeeded")
    assert found.input_parameters == {}
    assert found.raw == SCHEDULE_REPLY


def test_starts_hand_back_their_ids(wire: responses.RequestsMock, acc: AccClient) -> None:
    wire.post(f"{HOST}/api/agent/{AGENT}/cluster/start", json=STARTED)
    wire.post(f"{HOST}/api/job/{AGENT}/start", json=JOB_STARTED)
    assert acc.start_agent(AGENT).run_ids == (RUN,)
    job = acc.start_job(AGENT)
    assert (job.job_run_id, job.job_run_number) == (JOB_RUN, 2)


@pytest.mark.parametrize(
    "body",
    ["{}", "[]", "null", "", "started!", '"text"', '{"agentRunHistoryIds": []}', '{"agentRunHistoryIds": [null]}'],
)
def test_a_start_without_ids_probably_started(body: str, wire: responses.RequestsMock, acc: AccClient) -> None:
    wire.post(f"{HOST}/api/agent/{AGENT}/cluster/start", body=body)
    wire.post(f"{HOST}/api/job/{AGENT}/start", body=body)
    for call in (acc.start_agent, acc.start_job):
        with pytest.raises(Uncertain, match="probably started"):
            call(AGENT)


def test_another_spelling_is_the_same_schedule() -> None:
    found = read_schedule(
        {
            "SCHEDULEID": "{D9C944DF-93A7-EA77-F7B7-FA0B9C579917}",
            "Cron": "0 0 0 1",
            "ISWINDOWLESS": "True",
            "isEnabled": 0,
            "LogLevel": "2",
            "scheduleStatus": 9,
            "InputParameters": '{"n": 5, "b": true, "x": null, "t": "text"}',
        }
    )
    assert found.schedule_id == "d9c944df-93a7-ea77-f7b7-fa0b9c579917"
    assert (found.is_windowless, found.is_enabled, found.log_level) == (True, False, 2)
    assert found.schedule_status == "unknown (9)"
    assert found.input_parameters == {"n": "5", "b": "true", "x": "", "t": "text"}
    assert found.start_time is None
    assert found.agent_id is None


@pytest.mark.parametrize(
    ("text", "parameters"),
    [(None, {}), ("", {}), (" ", {}), ("{}", {}), ("null", {}), ("[1]", None), ("{x", None), ({"a": "b"}, {"a": "b"})],
)
def test_parameters_as_they_come(text: Any, parameters: dict[str, str] | None) -> None:
    assert read_parameters(text) == parameters


def test_times_with_seven_digits() -> None:
    found = moment("2019-05-21T15:26:52.6831583+10:00")
    assert found is not None
    assert found.isoformat() == "2019-05-21T15:26:52.683158+10:00"
    assert moment("soon") is None
    assert moment(None) is None


@pytest.mark.parametrize("reply", [{}, "x", 5, [None], [[]], [{"cron": "0 0 0 1"}], [{"scheduleId": ""}], {"a": []}])
def test_another_shape_is_never_an_empty_answer(reply: Any, wire: responses.RequestsMock, acc: AccClient) -> None:
    answer(wire, reply)
    with pytest.raises(ProductError, match=rf"^GET /api/job/{AGENT}/schedules: .*answered") as caught:
        acc.job_schedules(AGENT)
    assert not isinstance(caught.value, Refused | Uncertain)


@pytest.mark.parametrize(("body", "status"), [("", 200), ("null", 200), ('{"message": "?"}', 404), ("", 204)])
def test_an_agent_that_is_not_shown_is_missing(
    body: str, status: int, wire: responses.RequestsMock, acc: AccClient
) -> None:
    wire.get(f"{HOST}/api/agent", body=body, status=status)
    with pytest.raises(Missing) as caught:
        acc.get_agent("a/b")
    assert "may not see" in caught.value.hint


@pytest.mark.parametrize("body", ["[]", '{"name": "x"}', '"text"', "all well"])
def test_an_odd_agent_is_an_error_and_not_missing(body: str, wire: responses.RequestsMock, acc: AccClient) -> None:
    wire.get(f"{HOST}/api/agent", body=body)
    with pytest.raises(ProductError) as caught:
        acc.get_agent("a/b")
    assert not isinstance(caught.value, Missing)


def test_null_is_not_an_empty_list(wire: responses.RequestsMock, acc: AccClient) -> None:
    wire.get(f"{HOST}/api/job/{AGENT}/schedules", body="null")
    with pytest.raises(ProductError, match="Null was answered where a list of schedules is due"):
        acc.job_schedules(AGENT)


# --- files -----------------------------------------------------------------------------------------------------------


def test_a_csv_arrives_byte_for_byte(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(b"\xef\xbb\xbfURL\r\nhttp://x/\xe4\n\x00")
    with server(ok) as heard:
        AccClient(session(heard.url)).put_input_csv(AGENT, InputFile("prices & more.csv", path))
    head, _, body = heard.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(f"POST /api/input/agent/{AGENT}/csv?name=prices%20%26%20more.csv HTTP/1.1".encode())
    assert b"Content-Type: application/json" in head
    assert body == path.read_bytes()


def test_files_arrive_as_multipart(tmp_path: Path) -> None:
    from email.parser import BytesParser
    from email.policy import HTTP

    contents = {"a.txt": b"text\r\n", "b.zip": bytes(range(256)) * 1000, 'q"uo\r\nte.csv': b""}
    files = []
    for number, (name, content) in enumerate(contents.items()):
        path = tmp_path / str(number)
        path.write_bytes(content)
        files.append(InputFile(name, path))
    with server(ok) as heard:
        AccClient(session(heard.url)).upload_input_files(AGENT, files)
    head, _, body = heard.requests[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    kind = next(line for line in lines if line.startswith("Content-Type:"))
    assert f"Content-Length: {len(body)}" in lines
    message = BytesParser(policy=HTTP).parsebytes(f"{kind}\r\n\r\n".encode() + body)
    parts = list(message.iter_parts())
    assert [part.get_param("name", header="content-disposition") for part in parts] == ["filename"] * 3
    assert [part.get_filename() for part in parts] == ["a.txt", "b.zip", "q%22uo%0D%0Ate.csv"]
    assert [part.get_content_type() for part in parts] == ["text/plain", "application/zip", "text/csv"]
    assert body.count(contents["b.zip"]) == 1


def test_a_missing_file_is_found_before_anything_is_sent(tmp_path: Path, acc: AccClient) -> None:
    file = InputFile("x.csv", tmp_path / "none.csv")
    with pytest.raises(Refused, match="cannot be read"):
        acc.put_input_csv(AGENT, file)
    with pytest.raises(Refused, match="cannot be read"):
        acc.upload_input_files(AGENT, [file])
    with pytest.raises(Refused, match="no file"):
        acc.upload_input_files(AGENT, [])


def ok(peer: Any) -> bool:
    peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    return True
