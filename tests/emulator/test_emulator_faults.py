"""Each fault, as a client meets it, and whether the request took effect."""

from __future__ import annotations

import json
import time
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from emulated import AGENT_ID, SCHEDULE_ID, Client, Start, schedule_body

from reconciler.emulator import Fault, Switches, parse_fault
from reconciler.emulator.injected_faults import fault_from, read_faults
from reconciler.errors import UsageError

CALL = f"/api/job/{AGENT_ID}/schedule"


def put(acc: Client) -> requests.Response:
    return acc.post(CALL, json=schedule_body())


def count(acc: Client) -> int:
    acc.emulator.clear_faults()
    return len(acc.schedules())


@pytest.mark.parametrize(
    ("fault", "took_effect"),
    [("drop-before", False), ("drop-after", True), ("drop-after before", False), ("cut", True)],
)
def test_a_dropped_connection(start: Start, fault: str, took_effect: bool) -> None:
    acc = start(faults=[f"POST /schedule$ {fault}"], switches=Switches(post_reply="object"))
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        put(acc)
    assert count(acc) == 1 + took_effect
    record = acc.emulator.requests[0]
    assert (record.status, record.effect) == (0, "schedule-created" if took_effect else "")


@pytest.mark.parametrize(
    ("fault", "took_effect"), [("503", False), ("504 after", True), ("409", False), ("429", False)]
)
def test_an_error_status(start: Start, fault: str, took_effect: bool) -> None:
    acc = start(faults=[f"POST /schedule$ {fault}"])
    reply = put(acc)
    assert reply.status_code == int(fault[:3])
    assert "Retry-After" not in reply.headers
    assert count(acc) == 1 + took_effect


def test_an_error_with_a_body_and_a_time_to_wait(start: Start) -> None:
    acc = start(faults=['POST /schedule$ 429 retry-after=7 body={"why": "too fast"}'])
    reply = put(acc)
    assert reply.headers["Retry-After"] == "7"
    assert reply.json() == {"why": "too fast"}


def test_a_time_to_wait_may_be_a_date(start: Start) -> None:
    acc = start(faults=["* * 503 retry-after=date"])
    assert (parsedate_to_datetime(put(acc).headers["Retry-After"]) - acc.emulator.clock()).total_seconds() == 1


@pytest.mark.parametrize("style", ["seconds", "date"])
def test_a_switch_gives_every_429_a_time_to_wait(start: Start, style: str) -> None:
    acc = start(faults=["* * 429"], switches=Switches(retry_after=style))
    assert put(acc).headers["Retry-After"].isdigit() is (style == "seconds")


@pytest.mark.parametrize(
    ("fault", "took_effect", "status", "kind"),
    [
        ("html", False, 200, "text/html"),
        ("html after", True, 200, "text/html"),
        ("redirect", False, 302, "text/html"),
        ("empty", True, 200, "application/json"),
        ("garbage", True, 200, "application/json"),
        ("truncate", True, 200, "application/json"),
    ],
)
def test_a_spoiled_reply(start: Start, fault: str, took_effect: bool, status: int, kind: str) -> None:
    acc = start(faults=[f"POST /schedule$ {fault}"], switches=Switches(post_reply="object"))
    reply = put(acc)
    assert reply.status_code == status
    assert reply.headers["Content-Type"].startswith(kind)
    with pytest.raises(requests.JSONDecodeError):
        reply.json()
    assert count(acc) == 1 + took_effect


def test_a_redirect_leads_to_the_sign_in_page(start: Start) -> None:
    acc = start(faults=["* /schedules redirect"])
    assert acc.get(f"/api/job/{AGENT_ID}/schedules").headers["Location"] == "/login"
    followed = acc.get(f"/api/job/{AGENT_ID}/schedules", allow_redirects=True)
    assert (followed.status_code, "Sign in" in followed.text) == (200, True)


def test_a_listing_is_cut_in_half(start: Start) -> None:
    acc = start(faults=["GET /schedules$ truncate"])
    whole = len(json.dumps(acc.emulator.estate.schedule(SCHEDULE_ID).cron))
    text = acc.get(f"/api/job/{AGENT_ID}/schedules").text
    assert text.startswith("[{")
    assert whole < len(text)
    assert not text.endswith("]")


def test_a_slow_reply_is_late_and_good(start: Start) -> None:
    acc = start(faults=["POST /schedule$ sleep=0.05"])
    before = time.monotonic()
    assert put(acc).status_code == 200
    assert time.monotonic() - before >= 0.05
    assert count(acc) == 2


def test_a_reply_that_comes_too_late_took_effect(start: Start) -> None:
    acc = start(faults=["POST /schedule$ sleep=0.4"])
    with pytest.raises(requests.ReadTimeout):
        acc.session.post(acc.emulator.url + CALL, json=schedule_body(), headers=acc.headers, timeout=(20, 0.05))
    until = time.monotonic() + 30
    while not acc.emulator.requests and time.monotonic() < until:
        time.sleep(0.01)
    assert count(acc) == 2


def test_every_reply_waits_for_the_latency(start: Start) -> None:
    acc = start(latency=0.05)
    before = time.monotonic()
    acc.schedules()
    assert time.monotonic() - before >= 0.05


@pytest.mark.parametrize(
    ("when", "statuses"),
    [
        ("#2", [200, 500, 200, 200]),
        ("#2+", [200, 500, 500, 500]),
        ("#/2", [200, 500, 200, 500]),
        ("#*", [500, 500, 500, 500]),
        ("", [500, 500, 500, 500]),
    ],
)
def test_which_match_is_struck(start: Start, when: str, statuses: list[int]) -> None:
    acc = start(faults=[f"GET /schedules$ {when} 500"])
    assert acc.get("/api/agent?agentPath=sequentum/Test2/quick").status_code == 200
    assert [acc.get(f"/api/job/{AGENT_ID}/schedules").status_code for _ in statuses] == statuses


def test_a_query_can_be_matched(start: Start) -> None:
    acc = start(faults=["GET agentPath=.*quick 500"])
    assert acc.get("/api/agent?agentPath=sequentum/Test2/quick").status_code == 500
    assert acc.get("/api/agent?agentPath=sequentum/Test1/Test-Agent").status_code == 200


def test_faults_come_and_go_while_it_runs(acc: Client) -> None:
    fault = acc.emulator.inject("* * 500")
    assert put(acc).status_code == 500
    assert fault.fired == 1
    acc.emulator.clear_faults()
    assert put(acc).status_code == 200


def test_the_first_of_two_faults_strikes_and_both_count(start: Start) -> None:
    acc = start(faults=["POST * #1 500", "POST * #2 502"])
    assert [put(acc).status_code for _ in range(3)] == [500, 502, 200]


@pytest.mark.parametrize(
    "line",
    ["", "GET", "GET /x", "GET /x #3", "GET /x #x 500", "/x 200", "/x sleep=soon", "/x 500 soon", "( 500", "/x nap"],
)
def test_a_line_that_is_no_fault_is_refused(line: str) -> None:
    with pytest.raises(UsageError):
        parse_fault(line)


@pytest.mark.parametrize("line", ["POST /schedule$ #3 drop-after", "* * #2+ 503", "GET x #/4 html", "* y #* sleep=1.5"])
def test_a_fault_says_what_it_is(line: str) -> None:
    assert str(parse_fault(line)) == line


def test_a_fault_may_be_plain_data() -> None:
    document: dict[str, Any] = {
        "match": {"method": "POST", "path": "/schedule$"},
        "nth": 3,
        "do": 503,
        "retry-after": 2,
        "body": "no",
    }
    fault = fault_from(document)
    assert (str(fault), fault.retry_after, fault.body) == ("POST /schedule$ #3 503", "2", "no")
    assert str(fault_from({"do": "drop-before", "nth": "every"})) == "* * #* drop-before"
    with pytest.raises(UsageError):
        Fault("explode")


def test_faults_are_read_from_a_file(tmp_path: Path) -> None:
    lines = tmp_path / "faults.txt"
    lines.write_text("# the third write\nPOST /schedule$ #3 drop-after\n\n* * 500\n")
    assert [str(fault) for fault in read_faults(lines)] == ["POST /schedule$ #3 drop-after", "* * #* 500"]
    listed = tmp_path / "faults.yaml"
    listed.write_text("- GET x 500\n- {match: {path: y}, do: html}\n")
    assert [str(fault) for fault in read_faults(listed)] == ["GET x #* 500", "* y #* html"]
    (tmp_path / "bad.json").write_text("{}")
    for bad in ("bad.json", "missing.txt"):
        with pytest.raises(UsageError):
            read_faults(tmp_path / bad)
