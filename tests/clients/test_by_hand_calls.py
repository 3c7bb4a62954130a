"""Every call that the vendors' pages print is reachable by hand, and what comes back is shown."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from archive_samples import packed
from clocks import SkippingClock
from test_by_hand import AGENT, PATH, SCHEDULE, SECRET, Desk, Typed, estate

from reconciler.clients.replies import usage_now
from reconciler.emulator import Emulator, Switches
from reconciler.emulator.acc_state import InputFile, ServerRecord

PRINTED = [
    line
    for line in (Path(__file__).parent / "vendor" / "calls.txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
]
BODY: dict[str, object] = {
    "scheduleId": SCHEDULE,
    "cron": "0 0 0 1",
    "sessionId": None,
    "startTime": "2026-01-01T00:00:00",
    "timeZoneId": "UTC",
    "inputParameters": {},
    "logLevel": 1,
    "isWindowless": True,
    "isEnabled": True,
}


@dataclass
class Ready:
    """A desk, with a run, a job run and files to name."""

    desk: Desk
    run: str
    job: str
    folder: Path

    def type(self, *words: str, stdin: str = "") -> Typed:
        return self.desk.type(*words, stdin=stdin)


def at_desk(root: Path, **switches: str) -> Iterator[Ready]:
    (root / "reconciler.yaml").write_text("apiVersion: reconciler/v1\nkind: Project\nmetadata: {name: x}\nspec: {}\n")
    clock = SkippingClock()
    with Emulator(estate(), clock=clock, switches=Switches.of(switches)) as emulator:
        desk = Desk(emulator, clock, root)
        (root / "urls.csv").write_text("url\nhttps://x\n")
        (root / "all.zip").write_bytes(packed({"b.csv": b"url\nhttps://x\n"}))
        run = desk.type("acc", "agent", "start", PATH, "--format", "json").json["agentRunHistoryIds"][0]
        job = desk.type("acc", "job", "start", AGENT, "--format", "json").json["agentJobHistoryId"]
        emulator.clear_requests()
        yield Ready(desk, run, job, root)


@pytest.fixture
def ready(tmp_path: Path) -> Iterator[Ready]:
    yield from at_desk(tmp_path)


Words = Callable[[Ready], tuple[str, ...]]

BY_HAND: dict[str, Words] = {
    "GET api/agent?agentPath={agentPath}": lambda at: ("agent", "show", PATH),
    "POST api/agent/{agentId}/cluster/start": lambda at: ("agent", "start", AGENT),
    "POST api/agent/cluster/start?agentPath=agentPath": lambda at: ("agent", "start", PATH),
    "POST api/run/{agentRunHistoryId}/restart": lambda at: ("run", "restart", at.run),
    "POST api/run/{agentRunHistoryId}/retry?RunMethod=ContinueAndRetryErrors": lambda at: ("run", "retry", at.run),
    "GET api/run/{agentRunHistoryId}": lambda at: ("run", "show", at.run),
    "GET api/agent/{agentId}/history?count={count}": lambda at: ("run", "history", AGENT, "--count", "3"),
    "POST api/job/{agentId}/start": lambda at: ("job", "start", AGENT),
    "GET api/job/run/{agentJobHistoryId}": lambda at: ("job", "show", at.job),
    "GET api/job/{agentId}/history?count=1": lambda at: ("job", "history", AGENT, "--count", "1"),
    "GET api/agent/{agentId}/run/{runId}/history": lambda at: ("job", "runs", AGENT, "1"),
    "GET api/job/{agentId}/schedules": lambda at: ("schedule", "list", AGENT),
    "POST /api/job/{agentId}/schedule": lambda at: ("schedule", "put", AGENT, "-", "--yes"),
    "DELETE /api/job/schedule/{scheduleId}": lambda at: ("schedule", "delete", SCHEDULE, "--yes"),
    "DELETE /api/job/{agentId}/schedules": lambda at: ("schedule", "delete-all", AGENT, "--yes"),
    "POST api/job/schedule/{scheduleId}/start": lambda at: ("schedule", "start", SCHEDULE),
    "POST /api/job/schedule/{scheduleId}/off": lambda at: ("schedule", "disable", SCHEDULE),
    "POST /api/job/{agentId}/schedules/off": lambda at: ("schedule", "disable-all", AGENT, "--yes"),
    "POST /api/job/schedule/{scheduleId}/on": lambda at: ("schedule", "enable", SCHEDULE),
    "POST /api/job/{agentId}schedules/on": lambda at: ("schedule", "enable-all", AGENT, "--yes"),
    "POST api/job/{agentId}/status": lambda at: ("job", "status", AGENT, "failed", "--yes"),
    "GET api/run/{agentRunHistoryId}/log": lambda at: ("run", "log", at.run, "-o", str(at.folder / "1.zip")),
    "GET api/job/run/{jobRunHistoryId}/logs": lambda at: ("job", "logs", at.job, "-o", str(at.folder / "2.zip")),
    "GET api/job/run/{jobRunHistoryId}/backup": lambda at: ("job", "data", at.job, "-o", str(at.folder / "3.zip")),
    "GET api/run/{agentRunHistoryId}/backup": lambda at: ("run", "data", at.run, "-o", str(at.folder / "4.zip")),
    "POST api/input/agent/{agentId}/csv?name={filename}": lambda at: (
        *("input", "upload", AGENT, str(at.folder / "urls.csv")),
    ),
    "POST api/input/agent/{agentId}/files": lambda at: ("input", "upload", AGENT, str(at.folder / "all.zip")),
    "DELETE api/input/agent/{agentId}": lambda at: ("input", "delete", AGENT, "--yes"),
    "POST api/input/agent/{agentId}/disable": lambda at: ("input", "disable", AGENT, "--yes"),
    "POST api/server/check": lambda at: ("server", "check", "127.0.0.1", "--key-file", "-"),
    "POST api/agent/{agentId}/toggleAgentApproval/True": lambda at: (
        *("agent", "disapprove", AGENT, "-m", "Broken", "--yes"),
    ),
    "POST api/agent/{agentId}/toggleAgentApproval/False": lambda at: ("agent", "approve", AGENT, "-m", "Reviewed"),
    "GET /v1/licenses/current": lambda at: ("license",),
    "POST /v1/tasks/{TaskID}/start": lambda at: ("task", "start", "02115928-16fe-4493-949b-d77d302a88ee"),
    "POST /v1/tasks/start?name={TaskName}": lambda at: ("task", "start", "Publish prices"),
    "GET /v1/task-runs/{TaskRunID}": lambda at: ("run", "show", task_run(at)),
    "POST /v1/oauth/token": lambda at: ("token",),
}


def task_run(at: Ready) -> str:
    return str(at.type("mft", "task", "start", "Publish prices", "--format", "json").json["id"])


def asked(printed: str) -> tuple[str, re.Pattern[str], set[str]]:
    """Method, path and names of the query of a call as it is printed. One printed path lacks a slash."""
    method, _, target = printed.partition(" ")
    path, _, query = target.partition("?")
    whole = "/" + path.replace("}schedules", "}/schedules").lstrip("/")
    parts = [r"[^/]+" if part.startswith("{") else re.escape(part) for part in whole.split("/")]
    return method, re.compile("/".join(parts)), {pair.partition("=")[0] for pair in query.split("&") if pair}


def test_the_table_is_what_the_vendors_print() -> None:
    assert sorted(BY_HAND) == sorted(PRINTED)
    assert len(PRINTED) == 37


@pytest.mark.parametrize("printed", PRINTED)
def test_a_documented_call_by_hand(ready: Ready, printed: str) -> None:
    method, path, names = asked(printed)
    product = "mft" if "/v1/" in printed else "acc"
    stdin = ServerRecord().key if "server/check" in printed else json.dumps(BODY)
    shown = ready.type(product, *BY_HAND[printed](ready), stdin=stdin)
    assert shown.code == 0, shown.err
    assert shown.out or shown.err
    found = [one for one in ready.desk.emulator.requests if one.method == method and path.fullmatch(one.path)]
    assert found, [one.target for one in ready.desk.emulator.requests]
    assert found[-1].status == 200
    assert names <= {pair.partition("=")[0] for pair in found[-1].query.split("&")}


# --- replies that are documented nowhere -----------------------------------------------------------------------------


def test_what_a_restart_and_a_retry_answer_is_shown_whole(ready: Ready) -> None:
    for words in (("restart", ready.run), ("retry", ready.run), ("retry", ready.run, "--method", "New")):
        text, raw = ready.type("acc", "run", *words), ready.type("acc", "run", *words, "--format", "json")
        assert raw.json.keys() == {"agentRunHistoryIds"}
        assert re.search(r"agentRunHistoryIds +\[\"[0-9a-f-]{36}\"\]", text.out), text.out


@pytest.mark.parametrize("style", ["empty", "id", "object"])
def test_what_a_schedule_start_answers_is_shown_whole(tmp_path: Path, style: str) -> None:
    for at in at_desk(tmp_path, post_reply=style):
        raw = at.type("acc", "schedule", "start", SCHEDULE, "--format", "json").json
        job = at.desk.emulator.estate.agents[PATH].jobs[-1]
        text = at.type("acc", "schedule", "start", SCHEDULE).out
        latest = at.desk.emulator.estate.agents[PATH].jobs[-1]
        match style:
            case "empty":
                assert (raw, text) == ({"done": True, "scheduleId": SCHEDULE}, f"started {SCHEDULE}\n")
            case "id":
                assert (raw, text) == (job.job_id, f"started {SCHEDULE}\n{latest.job_id}\n")
            case _:
                assert raw == {"agentJobHistoryId": job.job_id, "jobRunId": job.number}
                assert f"jobRunId           {latest.number}\n" in text


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ("OK, it runs", "OK, it runs"),
        ('"done"', "done"),
        ("[1, 2]", "[1, 2]"),
        ("null", "-"),
        ('{"scheduleId": 5}', "scheduleId  5"),
        ('{"scheduleId": null, "agentJobScheduleId": {}}', "scheduleId          -"),
        ('[{"id": 5}]', '[{"id": 5}]'),
        (f"said {SECRET} \x1b[31m", "said (secret) [31m"),
    ],
)
def test_any_answer_is_shown_and_shows_no_secret(ready: Ready, body: str, shown: str) -> None:
    answered(ready, body)
    assert ready.type("acc", "run", "restart", ready.run).out.splitlines()[1] == shown
    assert SECRET not in ready.type("acc", "run", "restart", ready.run, "--format", "json").out


def answered(at: Ready, body: str) -> None:
    """Let a restart answer this."""
    from reconciler.emulator.reply import Reply

    routes = at.desk.emulator.acc._routes
    for index, (method, pattern, _) in enumerate(routes):
        if "restart" in pattern.pattern:
            routes[index] = (method, pattern, lambda call: Reply(body.encode()))


# --- wrong usage -----------------------------------------------------------------------------------------------------

WRONG = {
    "an empty message": ("agent", "approve", PATH, "-m", ""),
    "a blank message": ("agent", "approve", PATH, "-m", " \t"),
    "an empty disapproval": ("agent", "disapprove", PATH, "-m", "", "--yes"),
    "a session and sessions": ("agent", "start", PATH, "--session-id", "1", "--multiple-sessions"),
    "a timeout for nobody": ("agent", "start", PATH, "--timeout", "5"),
    "an input file that no run takes": ("agent", "start", PATH, "--input-file", "all.zip"),
    "a job's input file that no run takes": ("job", "start", PATH, "--input-file", "urls.xlsx"),
    "sessions of a job": ("job", "start", PATH, "--multiple-sessions"),
    "deliver nowhere": ("agent", "start", PATH, "--deliver", "zip"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_usage_sends_nothing(ready: Ready, name: str) -> None:
    shown = ready.type("acc", *WRONG[name])
    assert (shown.code, ready.desk.emulator.requests) == (64, [])
    assert shown.err


@pytest.mark.parametrize("more", [("--synchronous",), ("--deliver", "zip")])
def test_a_timeout_for_a_run_that_is_waited_for(ready: Ready, more: tuple[str, ...]) -> None:
    words = (*more, *(("-o", str(ready.folder / "data.zip")) if "--deliver" in more else ()))
    assert ready.type("acc", "agent", "start", PATH, "--timeout", "5", *words).code == 0


# --- files -----------------------------------------------------------------------------------------------------------


def test_a_csv_through_multipart_on_request(ready: Ready) -> None:
    files = [str(ready.folder / name) for name in ("urls.csv", "all.zip")]
    assert ready.type("acc", "input", "upload", PATH, *files, "--multipart").code == 0
    assert [call.rpartition("/")[2] for call in ready.desk.sent()] == ["files"]
    held: dict[str, InputFile] = ready.desk.emulator.estate.agents[PATH].input_files
    assert {name: file.content for name, file in held.items()} == dict.fromkeys(
        ("urls.csv", "b.csv"), b"url\nhttps://x\n"
    )


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("URLS.CSV", b"x\n", "small letters: write `--name URLS.csv`"),
        ("a.exe", b"x", "ends with none of"),
        ("a.csv", b"", "is empty"),
        ("a.zip", b"PK nothing", "no zip archive"),
        ("a.zip", packed({"b.pdf": b"x"}), "ends with none of .csv and .txt"),
    ],
)
def test_a_file_that_acc_would_not_take(ready: Ready, name: str, content: bytes, words: str) -> None:
    path = ready.folder / name
    path.write_bytes(content)
    shown = ready.type("acc", "input", "upload", PATH, str(path))
    assert (shown.code, ready.desk.sent()) == (64, [])
    assert words in shown.err


def test_a_file_in_capitals_under_another_name(ready: Ready) -> None:
    path = ready.folder / "URLS.CSV"
    path.write_bytes(b"x\n")
    assert ready.type("acc", "input", "upload", PATH, str(path), "--name", "URLS.csv").code == 0


# --- servers ---------------------------------------------------------------------------------------------------------

USAGES = {
    "6%, a:13%, p: 23 % ": 6.0,
    "0%, a:2%, p:20%": 0.0,
    "100%": 100.0,
    "  7 % ": 7.0,
    "a:13%, 6%": 6.0,
    "6.5%": 6.5,
    "6,5 %, a:1%": 6.5,
    "now: 8%, p:9%": 8.0,
    "42": 42.0,
    "6%,a:13%,p:23%": 6.0,
    "a:13%, p:23%": None,
    "C:47%": 47.0,
    "-5%": None,
    "n/a": None,
    "%": None,
    "": None,
    "9" * 400: None,
}


@pytest.mark.parametrize(("text", "now"), USAGES.items())
def test_a_usage_is_read_from_its_text(text: str, now: float | None) -> None:
    assert usage_now(text) == now


@pytest.mark.parametrize(
    ("record", "code", "words"),
    [
        ({}, 0, ""),
        ({"cpu_usages": "91%, a:2%, p:95%", "cpu_threshold": 90}, 2, "CPU: 91 % is used, the threshold is 90 %"),
        ({"cpu_usages": "90%, a:99%, p:99%", "cpu_threshold": 90}, 0, ""),
        ({"memory_usages": "90,5 %"}, 2, "memory: 90.5 % is used, the threshold is 90 %"),
        ({"memory_usages": "n/a"}, 1, "memory: no usage can be read from 'n/a'"),
        ({"memory_usages": "n/a", "memory_threshold": 0}, 0, ""),
        ({"memory_usages": "n/a", "memory_threshold": None}, 0, ""),
        ({"memory_usages": 95, "memory_threshold": "90 %"}, 2, "memory: 95 %"),
        ({"memory_usages": None}, 1, "memory: no usage"),
        ({"memory_usages": "n/a", "cpu_usages": "99%", "cpu_threshold": 5}, 2, "CPU: 99 %"),
    ],
)
@pytest.mark.parametrize("form", ["text", "json"])
def test_a_server_is_judged_by_its_thresholds(
    ready: Ready, record: dict[str, object], code: int, words: str, form: str
) -> None:
    (server,) = ready.desk.emulator.estate.servers
    for name, value in record.items():
        setattr(server, name, value)
    shown = ready.type("acc", "server", "check", "127.0.0.1", "--key-file", "-", "--format", form, stdin=server.key)
    assert shown.code == code
    assert words in shown.err
    assert bool(shown.err) == bool(words)


# --- tokens ----------------------------------------------------------------------------------------------------------


def test_a_token_is_described_and_hidden(tmp_path: Path) -> None:
    for at in at_desk(tmp_path, access_tokens="jwt"):
        shown = at.type("mft", "token", "--format", "json")
        text = at.type("mft", "token")
        assert at.desk.emulator.estate.tenant is not None
        known = set(at.desk.emulator.estate.tenant.access_tokens)
        assert not any(token in shown.out + text.out + shown.err + text.err for token in known)
        assert shown.json["claims"]["sub"] == "tenant-1"
        assert shown.json["access_token"] == "(secret)"
        assert shown.json["expires"].startswith("20")
        assert (shown.json["token_type"], shown.json["expires_in"]) == ("Bearer", 3600)
        assert re.search(r"^expires +20\d\d-", text.out, re.MULTILINE)


@pytest.mark.parametrize(("switches", "expires"), [({}, True), ({"expires_in": "absent"}, False)])
def test_an_opaque_token_has_no_claims(tmp_path: Path, switches: dict[str, str], *, expires: bool) -> None:
    for at in at_desk(tmp_path, **switches):
        shown = at.type("mft", "token", "--format", "json").json
        assert (shown["claims"], shown["expires"] is not None) == (None, expires)


def test_a_token_is_revealed_on_request_and_works(ready: Ready) -> None:
    assert ready.desk.emulator.estate.tenant is not None
    for words in ((), ("--format", "json")):
        out = ready.type("mft", "token", "--reveal", *words).out
        token = json.loads(out)["access_token"] if words else out.strip()
        assert token in ready.desk.emulator.estate.tenant.access_tokens


def test_a_token_that_is_not_to_be_had(ready: Ready) -> None:
    ready.desk.emulator.inject("POST /v1/oauth/token 401")
    shown = ready.type("mft", "token")
    assert (shown.code, shown.out) == (1, "")
    assert "No access token" in shown.err
