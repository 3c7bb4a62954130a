"""The Automate MFT client: the documented requests, tolerant reading, and starts that are never sent twice."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import responses
from clients_sockets import answer, hang_up, server, stay_silent
from clients_stand_ins import Time, session
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from reconciler.clients.auth import PrivateKeyJwt
from reconciler.clients.calls import SessionOptions
from reconciler.clients.mft import RETRY_POLICY, MftClient, connect
from reconciler.clients.transport import Session
from reconciler.errors import Missing, ProductError, Refused, Unauthorised, Uncertain
from reconciler.model.project import Connection

HOST = "https://api.us.mft.progress.com"
TASK = "02115928-16fe-4493-949b-d77d302a88ee"
KEY = ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.fixture
def wire() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.post(f"{HOST}/v1/oauth/token", json={"access_token": "opaque-token-1"})
        mock.post(f"{HOST}/v1/oauth/token", json={"access_token": "opaque-token-2"})
        yield mock


@pytest.fixture
def mft() -> MftClient:
    return connect(
        Connection("mft", HOST, {"tenantId": "tenant-1", "keyId": "key-1", "privateKey": KEY}),
        SessionOptions(clock=Time()),
    )


def calls(wire: responses.RequestsMock) -> list[tuple[str | None, str | None, Any, str | None]]:
    """What was sent, without the token requests: method, target, body, who."""
    return [
        (
            call.request.method,
            str(call.request.url).removeprefix(HOST),
            call.request.body,
            call.request.headers.get("Authorization"),
        )
        for call in wire.calls
        if not str(call.request.url).endswith("/oauth/token")
    ]


def test_the_documented_calls(wire: responses.RequestsMock, mft: MftClient) -> None:
    wire.get(f"{HOST}/v1/licenses/current", json={"tier": "Pro"})
    wire.post(f"{HOST}/v1/tasks/{TASK}/start", json={"id": "run-1"})
    wire.get(f"{HOST}/v1/task-runs/run-1", json={"id": "run-1", "status": {"taskRunStatus": "Success"}})
    assert mft.license().tier == "Pro"
    assert mft.start_task(id=TASK, parameters={"folder": "/out", "Ü": "ä"}).run_id == "run-1"
    assert mft.task_run("run-1").has_succeeded
    who = "bearer opaque-token-1"
    assert calls(wire) == [
        ("GET", "/v1/licenses/current", None, who),
        ("POST", f"/v1/tasks/{TASK}/start", b'{"folder":"/out","\\u00dc":"\\u00e4"}', who),
        ("GET", "/v1/task-runs/run-1", None, who),
    ]
    token = wire.calls[0].request
    assert token.headers["Content-Type"] == "application/json"
    assert "Authorization" not in token.headers
    assert set(json.loads(token.body or b"")) == {"grant_type", "client_assertion_type", "client_assertion"}


@pytest.mark.parametrize(
    ("name", "query"),
    [("Publish prices", "Publish%20prices"), ("a&b=c+d#e?ü", "a%26b%3Dc%2Bd%23e%3F%C3%BC"), ("50%", "50%25")],
)
def test_a_task_by_its_name(name: str, query: str, wire: responses.RequestsMock, mft: MftClient) -> None:
    wire.post(f"{HOST}/v1/tasks/start", json={"id": "run-1"})
    mft.start_task(name=name)
    assert calls(wire)[0][:3] == ("POST", f"/v1/tasks/start?name={query}", b"{}")


@pytest.mark.parametrize("arguments", [{}, {"id": "a", "name": "b"}, {"name": " "}, {"id": ""}, {"id": ".."}])
def test_a_task_that_is_not_named_is_not_started(
    arguments: dict[str, Any], wire: responses.RequestsMock, mft: MftClient
) -> None:
    with pytest.raises(Refused):
        mft.start_task(**arguments)
    assert calls(wire) == []


@pytest.mark.parametrize("body", ["{}", "[]", "null", "", "ok", '{"id": null}', '{"id": ""}'])
def test_a_start_that_names_no_run_probably_started(body: str, wire: responses.RequestsMock, mft: MftClient) -> None:
    wire.post(f"{HOST}/v1/tasks/{TASK}/start", body=body)
    with pytest.raises(Uncertain, match="probably started"):
        mft.start_task(id=TASK)
    assert len(calls(wire)) == 1


@pytest.mark.parametrize("reply", [{"taskRunId": "r"}, {"TaskRunID": "r"}, {"ID": "r"}, {"run_id": "r"}])
def test_a_run_id_in_another_spelling(reply: Any, wire: responses.RequestsMock, mft: MftClient) -> None:
    wire.post(f"{HOST}/v1/tasks/{TASK}/start", json=reply)
    assert mft.start_task(id=TASK).run_id == "r"


LICENSE = f"{HOST}/v1/licenses/current"
START = f"{HOST}/v1/tasks/{TASK}/start"


@pytest.mark.parametrize("status", [401, 403])
def test_a_start_is_sent_once_more_where_a_read_with_the_same_token_is_refused_too(
    status: int, wire: responses.RequestsMock, mft: MftClient
) -> None:
    wire.post(START, status=status)
    wire.get(LICENSE, status=status)
    wire.post(START, json={"id": "run-1"})
    assert mft.start_task(id=TASK).run_id == "run-1"
    assert [(method, who) for method, _, _, who in calls(wire)] == [
        ("POST", "bearer opaque-token-1"),
        ("GET", "bearer opaque-token-1"),
        ("POST", "bearer opaque-token-2"),
    ]


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize(
    "read", [{"json": {"plan": "Pro"}}, {"status": 404}, {"status": 429}, {"status": 500}, {"body": ConnectionError()}]
)
def test_a_start_that_is_refused_is_reported_where_the_token_is_not_proven_to_be_the_cause(
    status: int, read: dict[str, Any], wire: responses.RequestsMock, mft: MftClient
) -> None:
    wire.post(START, status=status, json={"message": "not allowed"})
    wire.get(LICENSE, **read)
    with pytest.raises(Unauthorised, match="not allowed") as caught:
        mft.start_task(id=TASK)
    assert caught.value.status == status
    assert [method for method, *_ in calls(wire)] == ["POST", "GET"]


def test_a_start_that_is_refused_with_the_next_token_too_is_reported(
    wire: responses.RequestsMock, mft: MftClient
) -> None:
    wire.post(START, status=403)
    wire.get(LICENSE, status=403)
    with pytest.raises(Unauthorised):
        mft.start_task(id=TASK)
    assert [method for method, *_ in calls(wire)] == ["POST", "GET", "POST"]


def test_a_token_that_is_never_accepted_is_reported(wire: responses.RequestsMock, mft: MftClient) -> None:
    wire.get(f"{HOST}/v1/licenses/current", status=403, json={"message": "opaque-token-2 may not"})
    with pytest.raises(Unauthorised, match=r"403: .*\(secret\) may not") as caught:
        mft.license()
    assert len(calls(wire)) == 2
    assert "privateKey" in caught.value.hint


def test_a_start_without_a_token_has_not_left(wire: responses.RequestsMock, mft: MftClient) -> None:
    wire.remove(responses.POST, f"{HOST}/v1/oauth/token")
    wire.post(f"{HOST}/v1/oauth/token", status=500)
    with pytest.raises(Refused, match="No access token"):
        mft.start_task(id=TASK)
    assert calls(wire) == []


@pytest.mark.parametrize("fault", [hang_up, stay_silent, answer("500 Oops"), answer("504 Late"), answer("302 Found")])
def test_a_start_in_doubt_is_sent_once(fault: Any) -> None:
    with server(answer("200 OK", b'{"access_token": "token-1"}'), fault, answer("200 OK", b'{"id": "r"}')) as heard:
        settings = {"tenantId": "tenant-1", "keyId": "key-1", "privateKey": KEY}
        client = connect(Connection("mft", heard.url, settings, timeout=0.3), SessionOptions(clock=Time()))
        with pytest.raises(Uncertain):
            client.start_task(id=TASK)
        assert sum(b"/start" in request for request in heard.requests) == 1


def client_on(url: str, time: Time) -> MftClient:
    who = PrivateKeyJwt(
        tenant_id="t",
        key_id="k",
        private_key=KEY,
        token_url=url,
        ask=lambda body: {"access_token": "token-1"},
        clock=time,
    )
    api: Session = session(url, time=time, credential=who, retry_policy=RETRY_POLICY)
    return MftClient(api, who)


def test_429_as_in_the_sample() -> None:
    time = Time()
    with server(answer("429 Slow"), answer("429 Slow"), answer("200 OK", b'{"id": "r"}')) as heard:
        assert client_on(heard.url, time).start_task(id=TASK).run_id == "r"
    assert time.slept == [5.0, 5.0]


def test_429_three_times_is_enough() -> None:
    time = Time()
    with server(answer("429 Slow")) as heard:
        with pytest.raises(Refused, match="429"):
            client_on(heard.url, time).start_task(id=TASK)
        assert len(heard.requests) == 3


# --- reading ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "status", "final"),
    [
        ({"status": {"taskRunStatus": "queued"}}, "queued", False),
        ({"status": {"taskRunStatus": "RUNNING"}}, "running", False),
        ({"status": {"taskRunStatus": "success"}}, "success", True),
        ({"Status": {"TaskRunStatus": "Failed"}}, "failed", True),
        ({"status": "failed"}, "failed", True),
        ({"status": {"taskRunStatus": "paused"}}, "paused", False),
    ],
)
def test_the_states_of_a_run(
    reply: Any, status: str, final: bool, wire: responses.RequestsMock, mft: MftClient
) -> None:
    wire.get(re.compile(".*/v1/task-runs/.*"), json={**reply, "startedAt": "a", "status2": 1, "finishedAt": None})
    run = mft.task_run("run-1")
    assert (run.run_id, run.status, run.is_final, run.started, run.finished) == ("run-1", status, final, "a", None)


@pytest.mark.parametrize("body", ["{}", "[]", "null", '{"status": {}}', '{"status": 5}', ""])
def test_a_run_without_a_state_is_an_error(body: str, wire: responses.RequestsMock, mft: MftClient) -> None:
    wire.get(f"{HOST}/v1/task-runs/run-1", body=body)
    with pytest.raises(ProductError):
        mft.task_run("run-1")


def test_a_run_that_is_not_there(wire: responses.RequestsMock, mft: MftClient) -> None:
    wire.get(f"{HOST}/v1/task-runs/run-1", status=404)
    with pytest.raises(Missing):
        mft.task_run("run-1")


@pytest.mark.parametrize(
    ("reply", "used", "limit"),
    [
        ({"taskExecutions": 7}, 7, None),
        ({"taskExecutions": {"used": 7, "limit": 10}}, 7, 10),
        ({"usage": {"taskExecutions": 7}, "limits": {"taskExecutions": 10}}, 7, 10),
        ({"counters": [{"name": "Users", "value": 3}, {"name": "Task Executions", "current": 7, "max": 10}]}, 7, 10),
        ({"task_executions_used": 7, "task_executions_limit": 10}, 7, 10),
        ({"taskExecutionsRemaining": 3, "taskExecutionsLimit": 10}, 7, 10),
        ({"maxTaskExecutions": 10, "taskExecutionsCount": 7}, 7, 10),
        ({"users": 5, "enabled": True}, None, None),
    ],
)
def test_the_counter_wherever_it_is(
    reply: Any, used: int | None, limit: int | None, wire: responses.RequestsMock, mft: MftClient
) -> None:
    wire.get(f"{HOST}/v1/licenses/current", json={"plan": "Pro", "startDate": "a", "endDate": "b", **reply})
    found = mft.license()
    assert (found.executions, found.executions_limit) == (used, limit)
    assert (found.tier, found.start, found.end) == ("Pro", "a", "b")
    assert found.executions_left == (None if limit is None else 3)
