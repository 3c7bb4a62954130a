"""Nonsense is answered with 4xx, by the products and by the calls of one's own; nothing is printed, nothing breaks."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests
from emulated import AGENT_ID, PATH, SCHEDULE_ID, Client, Clock, schedule_body, small_estate
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.emulator import Emulator, Switches

ROOT = Path(__file__).parents[2]
GOOD = "Authorization: Bearer writes"


def spoken(port: int, data: bytes, *, waits: bool = True) -> bytes:
    """What comes back for bytes on a bare connection: the first answer; without `waits` only what is there at once."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        answer = b""
        try:
            connection.sendall(data)
            if not waits:
                connection.shutdown(socket.SHUT_WR)
            while b"\r\n\r\n" not in answer and (part := connection.recv(65536)):
                answer += part
        except ConnectionError:
            return answer
        return answer


def statuses(answer: bytes) -> list[int]:
    return [int(match) for match in re.findall(rb"HTTP/1\.[01] (\d{3})", answer)]


@pytest.fixture(scope="module")
def running() -> Iterator[Emulator]:
    with Emulator(small_estate(), clock=Clock()) as emulator:
        yield emulator


# --- on the wire -----------------------------------------------------------------------------------------------------

LINES: dict[str, tuple[bytes, int | None]] = {
    "no request": (b"hello\r\n\r\n", 400),
    "binary": (bytes(range(256)), 400),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200), 400),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "HTTP/9.9": (b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n", 400),
    "no version": (b"GET /\r\n\r\n", None),
    "nothing": (b"", None),
    "half a request": (b"GET /api/agent HTTP/1.1\r\nHost: loc", None),
    "bad header": (b"GET / HTTP/1.1\r\nHost: localhost\r\nno colon\r\n\r\n", 400),
    "NUL in a header": (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: a\x00b\r\n\r\n", 400),
    "header without end": (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 100_000 + b"\r\n\r\n", 400),
    "target without end": (b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    "length in words": (b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: many\r\n\r\n", 400),
    "negative length": (b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n", 400),
    "two lengths": (b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400),
    "bad chunks": (b"POST /api/agent HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
    "bad gzip": (
        b"POST /api/agent HTTP/1.1\r\nHost: localhost\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd",
        400,
    ),
    "bare UTF-8": ("GET /api/agent?agentPath=für HTTP/1.1\r\nHost: localhost\r\n\r\n".encode(), 400),
    "bad UTF-8": (b"GET /api/\xff\xfe HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    "bad UTF-8, escaped": (b"GET /api/%ff%fe HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    "bad UTF-8, in the query": (b"GET /api/agent?agentPath=%ff HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    "bad escape": (b"GET /api/agent?agentPath=%zz HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    "half an escape": (b"GET /api/agent?agentPath=a% HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    "NUL": (b"GET /api/%00 HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    "no host": (b"GET /api/agent HTTP/1.1\r\n\r\n", 400),
    "no host, HTTP/1.0": (b"GET /api/agent HTTP/1.0\r\n\r\n", 400),
    "two hosts": (b"GET /api/agent HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", 400),
    "a host with a user": (b"GET /api/agent HTTP/1.1\r\nHost: me@localhost\r\n\r\n", 400),
    "a host with a path": (b"GET /api/agent HTTP/1.1\r\nHost: localhost/x\r\n\r\n", 400),
    "a host that is rebound": (b"GET /api/agent HTTP/1.1\r\nHost: evil.example:80\r\n\r\n", 421),
    "a host called like ours": (b"GET /api/agent HTTP/1.1\r\nHost: localhost.evil.example\r\n\r\n", 421),
    "the whole URL": (f"GET http://evil.example/api/agent HTTP/1.1\r\nHost: localhost\r\n{GOOD}\r\n\r\n".encode(), 400),
    "no path": (f"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n{GOOD}\r\n\r\n".encode(), 404),
    "an odd method": (f"BREW /api/agent HTTP/1.1\r\nHost: localhost\r\n{GOOD}\r\n\r\n".encode(), 400),
    "a small method": (f"get /api/agent HTTP/1.1\r\nHost: localhost\r\n{GOOD}\r\n\r\n".encode(), None),
    "TRACE": (f"TRACE /api/agent HTTP/1.1\r\nHost: localhost\r\n{GOOD}\r\n\r\n".encode(), 405),
    "CONNECT": (f"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n{GOOD}\r\n\r\n".encode(), None),
}


@pytest.mark.parametrize("name", LINES)
def test_bytes_that_are_no_call(running: Emulator, name: str, capfd: pytest.CaptureFixture[str]) -> None:
    data, status = LINES[name]
    found = statuses(spoken(running.port, data, waits=status is not None))
    assert all(400 <= each < 500 for each in found)
    if status is not None:
        assert found[:1] == [status]
    assert running.failures == []
    assert capfd.readouterr() == ("", "")


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(st.binary(max_size=300), st.binary(max_size=60).map(lambda tail: b"GET /api/agent" + tail + b"\r\n\r\n"))
)
def test_any_bytes(running: Emulator, record_count: Callable[..., None], data: bytes) -> None:
    record_count("bytes on a bare connection", 1)
    assert all(400 <= each < 500 for each in statuses(spoken(running.port, data, waits=False)))
    assert running.failures == []


ORIGINS = {
    "https://evil.example": 403,
    "http://localhost.evil.example": 403,
    "null": 403,
    "": 403,
    "http://[": 403,
    "http://127.0.0.1:3000": 404,
    "http://localhost": 404,
}


@pytest.mark.parametrize(("origin", "status"), ORIGINS.items())
@pytest.mark.parametrize("path", ["/api/agent?agentPath=nobody", "/_emulator/nothing"])
def test_pages_of_other_origins(running: Emulator, path: str, origin: str, status: int) -> None:
    headers = {"Authorization": "Bearer writes", "Origin": origin}
    assert requests.get(running.url + path, headers=headers, timeout=5).status_code == status


@pytest.mark.parametrize("path", ["/_emulator/state", "/_emulator/reset", "/api/agent?agentPath=a"])
@pytest.mark.parametrize("host", ["evil.example", "10.0.0.1:80", "[2001:db8::1]"])
def test_a_name_that_was_made_to_lead_here(running: Emulator, path: str, host: str) -> None:
    for method in ("GET", "POST"):
        reply = requests.request(method, running.url + path, headers={"Host": host}, timeout=5)
        assert (reply.status_code, "tokens" in reply.text) == (421, False)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9:1", "localhost:80", "LOCALHOST", "[::1]:8080"])
def test_names_of_this_machine(running: Emulator, host: str) -> None:
    assert requests.get(f"{running.url}/_emulator/state", headers={"Host": host}, timeout=5).status_code == 200


# --- bodies ----------------------------------------------------------------------------------------------------------

CALLS = (
    ("POST", f"/api/agent/{AGENT_ID}/cluster/start"),
    ("POST", f"/api/agent/cluster/start?agentPath={PATH}"),
    ("POST", f"/api/job/{AGENT_ID}/start"),
    ("POST", f"/api/job/{AGENT_ID}/schedule"),
    ("POST", f"/api/job/{AGENT_ID}/status"),
    ("POST", f"/api/agent/{AGENT_ID}/toggleAgentApproval/True"),
    ("POST", "/api/server/check"),
    ("POST", f"/api/input/agent/{AGENT_ID}/files"),
    ("POST", "/v1/oauth/token"),
    ("PATCH", f"/_emulator/schedules/{SCHEDULE_ID}"),
    ("POST", f"/_emulator/agents?path={PATH}"),
    ("PATCH", f"/_emulator/agents?path={PATH}"),
    ("POST", f"/_emulator/agents/move?path={PATH}"),
    ("POST", f"/_emulator/agents/alias?path={PATH}"),
    ("POST", "/_emulator/faults"),
)
BODIES = {
    "no JSON": b"{",
    "a list": b"[[]]",
    "a number": b"1",
    "null": b"null",
    "NaN": b'{"logLevel": NaN, "port": Infinity, "scheduleId": -Infinity}',
    "deep": b"[" * 100_000,
    "deep, closed": b'{"a":' * 5000 + b"1" + b"}" * 5000,
    "huge number": b'{"logLevel": ' + b"9" * 5000 + b"}",
    "bad UTF-8": b'{"cron": "\xff"}',
    "UTF-16": '{"cron": "x"}'.encode("utf-16"),
    "half a surrogate": b'{"cron": "\\ud800", "message": "\\ud800"}',
    "keys that nobody knows": b'{"nobody": "knows"}',
    "binary": bytes(range(256)),
}


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize(("method", "path"), CALLS)
def test_bodies_that_are_none(running: Emulator, method: str, path: str, body: str) -> None:
    headers = {"Authorization": "Bearer writes", "Content-Type": "application/json"}
    reply = requests.request(method, running.url + path, data=BODIES[body], headers=headers, timeout=10)
    assert 400 <= reply.status_code < 500, reply.text
    assert running.failures == []


ANYTHING = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.sampled_from([10**400, -(10**400), 2**63, -1, 0]),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(max_size=20),
        st.sampled_from(["9" * 5000, "0 0 0 1", "0001-01-01T00:00:00", "9999-12-31T23:59:59", "{", "[" * 5000, "1/0"]),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=6,
)
NAMES = (
    *schedule_body(),
    *("inputFiles", "isDeleteInputFilesOnCompleted", "isProductionRun", "useMultipleSessions", "isSynchronous"),
    *("synchronousTimeout", "synchronousDataDelivery", "status", "key", "ipAddress", "port", "useSsl", "grant_type"),
    *("client_assertion_type", "client_assertion", "to", "alias", "agentId", "match", "nth", "do", "duration"),
)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(CALLS),
    st.one_of(ANYTHING, st.dictionaries(st.sampled_from(NAMES), ANYTHING, max_size=4)),
    st.booleans(),
)
def test_any_json(record_count: Callable[..., None], call: tuple[str, str], value: Any, is_whole: bool) -> None:
    """Whatever is sent, it is taken or refused; and what was taken can be shown."""
    record_count("JSON bodies", 1)
    if is_whole and isinstance(value, dict):
        value = schedule_body(**value)
    method, path = call
    headers = {"Authorization": "Bearer writes", "Content-Type": "application/json"}
    estate = small_estate()
    estate.agents[PATH].duration = 0.0
    with Emulator(estate, clock=Clock()) as emulator, requests.Session() as session:
        body = json.dumps(value).encode()
        reply = session.request(method, emulator.url + path, data=body, headers=headers, timeout=10)
        assert reply.status_code < 500, reply.text
        for shown in (f"/api/job/{AGENT_ID}/schedules", f"/api/agent/{AGENT_ID}/history", "/_emulator/state"):
            assert session.get(emulator.url + shown, headers=headers, timeout=10).status_code in (200, 404)
        assert emulator.failures == []


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["GET", "POST", "DELETE", "PUT", "PATCH", "HEAD", "OPTIONS", "BREW"]),
    st.lists(
        st.one_of(
            st.sampled_from(["api", "v1", "agent", "job", "run", "schedule", "schedules", "input", "history", "log"]),
            st.sampled_from(["on", "start", "_emulator", "files", AGENT_ID, SCHEDULE_ID, "..", "", "9" * 5000]),
            st.text(max_size=10),
        ),
        max_size=6,
    ),
    st.dictionaries(
        st.sampled_from(["agentPath", "count", "name", "RunMethod", "path"]), st.text(max_size=12), max_size=2
    ),
)
def test_any_path(
    running: Emulator, record_count: Callable[..., None], method: str, parts: list[str], query: dict[str, str]
) -> None:
    record_count("paths", 1)
    url = running.url + "/" + "/".join(quote(part, safe="") for part in parts)
    headers = {"Authorization": "Bearer writes"}
    reply = requests.request(method, url, params=query, headers=headers, timeout=10, allow_redirects=False)
    assert reply.status_code < 500, reply.text
    assert running.failures == []


@pytest.mark.parametrize("count", ["9" * 5000, "-1", "1.5", "\u0661", "", " ", "1e3"])
def test_counts_that_are_none(running: Emulator, count: str) -> None:
    client = Client(running, requests.Session())
    assert client.get(f"/api/agent/{AGENT_ID}/history", params={"count": count}).status_code == 400


# --- too large, too often --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "status"), [(10_000, 200), (10_001, 413), (5_000_000, 413)])
@pytest.mark.parametrize("chunked", [False, True])
def test_body_limit(size: int, status: int, *, chunked: bool) -> None:
    with Emulator(small_estate(), switches=Switches(body_limit="10000")) as emulator:
        body = b"x" * size
        head = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {size}"
        sent = f"{size:x}\r\n".encode() + body + b"\r\n0\r\n\r\n" if chunked else body
        path = f"/api/input/agent/{AGENT_ID}/csv?name=a.csv"
        request = f"POST {path} HTTP/1.1\r\nHost: localhost\r\n{GOOD}\r\n{head}\r\nConnection: close\r\n\r\n"
        answered = statuses(spoken(emulator.port, request.encode() + sent))
        assert answered == [status] or (size > 1_000_000 and answered == [])  # cut off while it was sending
        assert len(emulator.estate.agents[PATH].input_files) == (status == 200)
        assert emulator.requests[-1].status == status


def test_rate_limit() -> None:
    clock = Clock()
    with Emulator(small_estate(), clock=clock, switches=Switches(rate_limit="10/s")) as emulator:
        acc = Client(emulator, requests.Session())

        def ask() -> requests.Response:
            return acc.get("/api/agent", params={"agentPath": PATH})

        assert [ask().status_code for _ in range(11)] == [200] * 10 + [429]
        assert ask().headers["Retry-After"] == "1"
        assert requests.get(f"{emulator.url}/_emulator/state", timeout=5).status_code == 200
        clock.advance(1)
        assert ask().status_code == 200


def test_rate_limit_by_date() -> None:
    clock = Clock()
    switches = Switches(rate_limit="1/s", retry_after="date")
    with Emulator(small_estate(), clock=clock, switches=switches) as emulator:
        acc = Client(emulator, requests.Session())
        acc.get("/api/agent")
        assert acc.get("/v1/licenses/current").status_code == 401, "each product has a limit of its own"
        reply = acc.get("/api/agent")
        assert (reply.status_code, reply.headers["Retry-After"]) == (429, "Mon, 04 May 2026 12:00:01 GMT")


def test_the_command_prints_no_traceback(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "reconciler", "emulator", "--format", "json", "--estate", "demo"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stderr is not None
        port = json.loads(process.stdout.readline())["port"]
        for data, status in LINES.values():
            assert all(each < 500 for each in statuses(spoken(port, data, waits=status is not None)))
        process.terminate()
        assert (process.wait(20), process.stdout.read(), process.stderr.read()) == (0, "", "")
