"""State files, built-in estates, the emulator's own calls, the request log, and the command."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests
from click.testing import CliRunner
from emulated import AGENT_ID, PATH, SCHEDULE_ID, Client, Clock, schedule_body, small_estate

from reconciler.cli.emulator_command import emulator as command
from reconciler.emulator import DEFAULT_TOKEN, Emulator, Estate, Switches, Tenant, demo, estate, load, regions, save
from reconciler.emulator.acc_state import InputFile
from reconciler.emulator.state_file import from_document, to_document
from reconciler.errors import UsageError

ROOT = Path(__file__).parents[2]
MINUTE = timedelta(minutes=1)


def test_an_estate_survives_its_file(tmp_path: Path) -> None:
    before = demo(datetime(2026, 5, 4, tzinfo=UTC))
    before.agents["sequentum/Retail/prices"].input_files["odd.csv"] = InputFile("odd.csv", bytes(range(256)), False)
    save(before, tmp_path / "state.json")
    assert Emulator(tmp_path / "state.json").token in before.tokens
    after = load(tmp_path / "state.json")
    assert to_document(after) == to_document(before)
    assert after.agents["sequentum/Retail/prices"].input_files["odd.csv"].content == bytes(range(256))


def test_yaml_is_read_too(tmp_path: Path) -> None:
    file = tmp_path / "state.yaml"
    file.write_text(
        "tokens: [{value: secret, readOnly: true}]\n"
        "agents:\n"
        "- path: a/b\n"
        "  outcomes: [failed, succeeded]\n"
        "  schedules:\n"
        "  - {cron: 0 0 6 0, startTime: '2026-01-01T00:00:00', timeZoneId: UTC, inputParameters: {a: b}}\n"
        "tenant: {tenantId: t, tasks: [{id: x, name: Publish, outcome: failed}]}\n"
    )
    read = load(file)
    (schedule,) = read.agents["a/b"].schedules.values()
    assert json.loads(schedule.input_parameters or "") == {"a": "b"}
    assert read.tokens["secret"].read_only
    assert read.tenant is not None
    assert read.tenant.tasks["x"].outcomes == ("failed",)


@pytest.mark.parametrize(
    "document",
    [
        [],
        {"agent": []},
        {"agents": [{"agentId": AGENT_ID}]},
        {"agents": [{"path": "a", "speed": 1}]},
        {"agents": [{"path": "a", "schedules": [{"crom": "0 0 0 1"}]}]},
        {"agents": [{"path": "a", "outcomes": ["sideways"]}]},
        {"tokens": [{"readOnly": True}]},
        {"tokens": [{"value": "a", "expires": "2026-01-01T00:00:00"}]},
        {"tenant": {"tenantId": "t", "tasks": [{"id": "x", "name": "y", "outcome": "perhaps"}]}},
        {"tenant": {"tasks": []}},
    ],
)
def test_a_file_that_holds_no_estate_is_refused(document: Any, tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    file.write_text(json.dumps(document))
    with pytest.raises(UsageError):
        load(file)


@pytest.mark.parametrize(("name", "text"), [("a.json", "{"), ("a.yaml", "a: ["), ("missing.json", None)])
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, name: str, text: str | None) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(UsageError):
        load(tmp_path / name)


def test_a_generated_estate_is_the_same_for_the_same_seed() -> None:
    first, second = (to_document(estate(agents=20, schedules=3, seed=4)) for _ in range(2))
    assert first == second
    assert first != to_document(estate(agents=20, schedules=3, seed=5))
    assert len(first["agents"]) == 20
    assert all(len(agent["schedules"]) == 3 for agent in first["agents"])


def test_the_regions_are_fifty_agents_with_six_schedules_each() -> None:
    now = datetime(2026, 5, 4, tzinfo=UTC)
    made = regions(now)
    counts = [len(agent.schedules) for agent in made.agents.values()]
    assert (counts.count(6), counts.count(0), len(counts)) == (50, 5, 55)
    assert to_document(made) == to_document(regions(now))


def test_a_generated_estate_is_acceptable_to_the_product_itself() -> None:
    made = estate(agents=5, schedules=6)
    with Emulator(made) as running, requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {DEFAULT_TOKEN}"
        for agent in list(made.agents.values()):
            for shown in session.get(f"{running.url}/api/job/{agent.agent_id}/schedules", timeout=20).json():
                body = {name: shown[name] for name in schedule_body()}
                call = f"{running.url}/api/job/{agent.agent_id}/schedule"
                assert session.post(call, json=body, timeout=20).status_code == 200
                assert shown["nextRunTime"]


def test_the_demo_is_believable() -> None:
    now = datetime(2026, 5, 4, tzinfo=UTC)
    made = demo(now)
    assert len(made.agents) == 12
    assert {schedule.schedule_id[14] for schedule in made.schedules.values()} == {"4"}
    assert len(made.runs) == 6 * len(made.schedules)
    assert all(run.start < now for run in made.runs.values())
    assert made.tenant is not None
    assert made.tenant.task_named("Publish prices") is not None
    claims = [jwt.decode(value, options={"verify_signature": False}) for value in made.tokens]
    assert all(claim["exp"] > now.timestamp() for claim in claims)
    assert sorted(token.read_only for token in made.tokens.values()) == [False, True]


def by_hand(acc: Client, method: str, path: str, **options: Any) -> requests.Response:
    return requests.request(method, f"{acc.emulator.url}/_emulator/{path}", timeout=20, **options)


def test_a_schedule_is_changed_by_hand(acc: Client) -> None:
    acc.schedules()
    changed = by_hand(acc, "PATCH", f"schedules/{SCHEDULE_ID.upper()}", json={"cron": "0 0 6 0", "isEnabled": False})
    assert changed.status_code == 200
    schedule = acc.schedules()[0]
    assert (schedule["cron"], schedule["isEnabled"]) == ("0 0 6 0", False)
    assert by_hand(acc, "PATCH", f"schedules/{SCHEDULE_ID}", json={"crom": "x"}).status_code == 400
    assert by_hand(acc, "PATCH", f"schedules/{AGENT_ID}", json={}).status_code == 404


@pytest.mark.parametrize("body", [b"", b"null", b"1", b'{"cron": 5}', b'{"isEnabled": "no"}', b'{"logLevel": true}'])
def test_what_cannot_be_done_by_hand_changes_nothing(acc: Client, body: bytes) -> None:
    before = acc.schedules()
    for method, path in (("PATCH", f"schedules/{SCHEDULE_ID}"), ("POST", f"agents?path={PATH}")):
        assert by_hand(acc, method, path, data=body).status_code == 400
    assert by_hand(acc, "POST", "faults", data=b"null").status_code == 400
    assert acc.schedules() == before


def test_parameters_that_somebody_mistyped_are_shown_as_they_are(clock: Clock) -> None:
    switches = Switches(reserialise_parameters="sorted")
    with Emulator(small_estate(), clock=clock, switches=switches) as running, requests.Session() as session:
        acc = Client(running, session)
        by_hand(acc, "PATCH", f"schedules/{SCHEDULE_ID}", json={"inputParameters": "region=au"})
        assert acc.schedules()[0]["inputParameters"] == "region=au"


def test_a_schedule_is_made_and_deleted_by_hand(acc: Client) -> None:
    made = by_hand(acc, "POST", "agents", params={"path": PATH}, json={"cron": "0 0 6 0"}).json()
    assert made["scheduleId"] in {entry["scheduleId"] for entry in acc.schedules()}
    assert by_hand(acc, "DELETE", f"schedules/{SCHEDULE_ID}").status_code == 200
    assert [entry["scheduleId"] for entry in acc.schedules()] == [made["scheduleId"]]
    assert by_hand(acc, "DELETE", f"schedules/{SCHEDULE_ID}").status_code == 404


def test_an_agent_is_changed_by_hand(acc: Client) -> None:
    acc.get("/api/agent", params={"agentPath": PATH})
    change = {"description": "Now with one", "approved": False}
    assert by_hand(acc, "PATCH", "agents", params={"path": PATH}, json=change).status_code == 200
    assert acc.get("/api/agent", params={"agentPath": PATH}).json()["description"] == "Now with one"
    assert by_hand(acc, "PATCH", "agents", params={"path": PATH}, json={"agentId": "x"}).status_code == 400
    assert by_hand(acc, "PATCH", "agents", params={"path": "nobody"}, json={}).status_code == 404


def test_state_shows_everything_but_tokens(acc: Client) -> None:
    reply = by_hand(acc, "GET", "state")
    assert reply.json()["agents"][0]["schedules"][0]["scheduleId"] == SCHEDULE_ID
    assert "writes" not in reply.text


def test_requests_and_faults_over_http(acc: Client) -> None:
    assert by_hand(acc, "POST", "faults", json=["GET /schedules$ #1 500"]).json() == ["GET /schedules$ #1 500"]
    assert acc.get(f"/api/job/{AGENT_ID}/schedules").status_code == 500
    assert by_hand(acc, "GET", "faults").json()[0]["fired"] == 1
    assert by_hand(acc, "POST", "faults", json="nonsense").status_code == 400
    assert by_hand(acc, "DELETE", "faults").status_code == 200
    assert by_hand(acc, "GET", "faults").json() == []
    (request,) = by_hand(acc, "GET", "requests").json()
    assert (request["method"], request["status"], request["fault"]) == ("GET", 500, "GET /schedules$ #1 500")
    by_hand(acc, "DELETE", "requests")
    assert by_hand(acc, "GET", "requests").json() == []
    assert by_hand(acc, "GET", "nothing").status_code == 404


def test_a_reset_brings_back_what_was_there_at_the_start(acc: Client) -> None:
    acc.post(f"/api/job/{AGENT_ID}/schedule", json=schedule_body())
    acc.emulator.inject("GET nothing 500")
    assert by_hand(acc, "POST", "reset").status_code == 200
    assert [entry["scheduleId"] for entry in acc.schedules()] == [SCHEDULE_ID]
    assert acc.emulator.faults == []
    assert len(acc.emulator.requests) == 1


def test_the_log_holds_requests_and_no_token(tmp_path: Path, clock: Clock) -> None:
    log = tmp_path / "requests.jsonl"
    with (
        Emulator(small_estate(), log=log, clock=clock, faults=["DELETE * 503"]) as running,
        requests.Session() as session,
    ):
        acc = Client(running, session)
        acc.post(f"/api/job/{AGENT_ID}/schedule", json=schedule_body())
        acc.get("/api/agent?agentPath=nobody")
        acc.delete(f"/api/job/schedule/{SCHEDULE_ID}")
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    seen = [(line["number"], line["method"], line["status"], line["effect"], line["fault"]) for line in lines]
    assert seen == [
        (1, "POST", 200, "schedule-created", ""),
        (2, "GET", 404, "", ""),
        (3, "DELETE", 503, "", "DELETE * #* 503"),
    ]
    assert lines[0]["body_size"] > 100
    assert lines[0]["body_digest"].startswith("sha256:")
    assert lines[1]["query"] == "agentPath=nobody"
    assert lines[0]["time"] == "2026-05-04T12:00:00+00:00"
    assert "writes" not in log.read_text()


def test_a_taken_port_is_an_error() -> None:
    with Emulator() as first, pytest.raises(OSError, match="in use"):
        Emulator(port=first.port).start()


def test_it_can_be_stopped_twice_and_started_without_a_state() -> None:
    running = Emulator()
    running.start()
    assert running.token == DEFAULT_TOKEN
    address = running.url
    running.stop()
    running.stop()
    running.start()
    assert running.url == address
    running.stop()
    with pytest.raises(requests.ConnectionError):
        requests.get(running.url, timeout=5)


def test_documents_that_are_empty_are_an_empty_estate() -> None:
    assert from_document({}).agents == {}


def run_command(*arguments: str) -> subprocess.Popen[str]:
    code = "from reconciler.cli.emulator_command import emulator; emulator()"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_serves_until_it_is_told_to_stop(tmp_path: Path, number: signal.Signals) -> None:
    key, port, saved, log = (tmp_path / name for name in ("key.pem", "port", "saved.json", "log.jsonl"))
    files = ["--key-file", str(key), "--port-file", str(port), "--save", str(saved), "--log", str(log)]
    process = run_command(
        "--estate", "demo", "--format", "json", *files, "--switch", "post_reply=id", "--fault", "GET x 500"
    )
    try:
        assert process.stdout is not None
        hello = json.loads(process.stdout.readline())
        assert int(port.read_text()) == hello["port"]
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
        assert hello["keyIds"] == ["demo-key"]
        token = next(token["value"] for token in hello["tokens"] if not token["readOnly"])
        headers = {"Authorization": f"Bearer {token}"}
        path = "/api/agent?agentPath=sequentum/Retail/prices"
        agent_id = requests.get(hello["url"] + path, headers=headers, timeout=20).json()["agentId"]
        call = f"{hello['url']}/api/job/{agent_id}/schedule"
        reply = requests.post(call, json=schedule_body(), headers=headers, timeout=20)
        assert reply.json() == schedule_body()["scheduleId"]
    finally:
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (0, "", "")
    assert schedule_body()["scheduleId"] in load(saved).schedules
    assert len(log.read_text().splitlines()) == 2


def test_it_ends_while_others_knock() -> None:
    """A connection that is being accepted as it ends is closed with the others; one left open is an error here."""

    def knock(emulator: Emulator, knocked: threading.Event) -> None:
        with contextlib.suppress(OSError):
            for _ in range(100):
                with socket.create_connection(("127.0.0.1", emulator.port), 0.2) as client:
                    client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                    knocked.set()

    for _ in range(40):
        knocked = threading.Event()
        with Emulator(small_estate()) as running:
            others = [threading.Thread(target=knock, args=(running, knocked)) for _ in range(3)]
            for each in others:
                each.start()
            knocked.wait(20)
        for each in others:
            each.join()


def test_the_command_says_in_words_where_it_listens() -> None:
    process = run_command("--agents", "3", "--schedules", "2")
    try:
        assert process.stdout is not None
        first, second = process.stdout.readline(), process.stdout.readline()
        assert first.startswith("emulator listening on http://127.0.0.1:")
        assert DEFAULT_TOKEN in second
    finally:
        process.terminate()
        process.communicate(timeout=20)
    assert process.returncode == 0


def test_the_command_believes_in_the_time_that_it_is_given() -> None:
    process = run_command("--estate", "demo", "--now", "2031-05-04T17:44:58+10:00", "--format", "json")
    try:
        assert process.stdout is not None
        hello = json.loads(process.stdout.readline())
        reply = requests.get(hello["url"] + "/api/agent?agentPath=nobody", timeout=20)
        assert parsedate_to_datetime(reply.headers["Date"]) - datetime(2031, 5, 4, 7, 44, 58, tzinfo=UTC) < MINUTE
        tokens = [jwt.decode(token["value"], options={"verify_signature": False}) for token in hello["tokens"]]
        assert {datetime.fromtimestamp(token["exp"], UTC).year for token in tokens} == {2032}
    finally:
        process.terminate()
        process.communicate(timeout=20)


def test_a_licence_without_dates_is_good_whatever_the_year() -> None:
    tenant = Tenant("tenant-1")
    with Emulator(Estate(tenant=tenant), clock=lambda: datetime(2041, 7, 1, tzinfo=UTC)):
        licence = tenant.licence
    assert (licence.start_date, licence.end_date) == ("2041-01-01", "2042-12-31")


def test_the_help_lists_each_switch_and_the_grammar() -> None:
    result = CliRunner().invoke(command, ["--help"])
    assert result.exit_code == 0
    for words in ("guid_case=keep|lower|upper|mixed|braces", "roll_start_time=no|yes", "drop-after", "#3+"):
        assert words in result.output


def test_a_file_that_cannot_be_written_is_a_usage_error(tmp_path: Path) -> None:
    for option in ("--log", "--key-file", "--port-file"):
        result = CliRunner().invoke(command, [option, str(tmp_path / "nowhere" / "file")])
        assert isinstance(result.exception, UsageError), option


@pytest.mark.parametrize(
    "arguments",
    [["--switch", "nothing=1"], ["--fault", "GET"], ["--estate", "demo", "--agents", "3"], ["--now", "soon"]],
)
def test_what_makes_no_sense_is_a_usage_error(arguments: list[str]) -> None:
    result = CliRunner().invoke(command, arguments)
    assert isinstance(result.exception, UsageError)
