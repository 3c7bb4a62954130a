"""`reconciler acc` and `reconciler mft` against the emulated products: what a person types, sees, and finds changed."""

from __future__ import annotations

import io
import json
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from clients_stand_ins import Time
from clocks import SkippingClock

from reconciler.cli.acc_commands import acc
from reconciler.cli.mft_commands import follow, mft
from reconciler.cli.product_calls import confirm
from reconciler.emulator import DEFAULT_TOKEN, Emulator, Estate, Tenant, new_key
from reconciler.emulator.acc_state import ServerRecord
from reconciler.emulator.mft_state import Task
from reconciler.errors import ProductError, ReconcilerError, UsageError
from reconciler.model.project import Connection
from reconciler.secrecy import Secrecy
from reconciler.workflow.context import CommandContext

PATH = "sequentum/Retail/prices"
AGENT = "a2f22850-7c88-4e05-a30a-004aa980ee6c"
SCHEDULE = "d9c944df-93a7-ea77-f7b7-fa0b9c579917"
SECRET = "a-secret-of-the-manifests"
PRIVATE, PUBLIC = new_key()


@dataclass
class Typed:
    """What a command ended with."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class Desk:
    """Somebody at a keyboard without a terminal, in a project whose connections lead to one emulator."""

    emulator: Emulator
    clock: SkippingClock
    root: Path
    verbose: bool = False

    def context(self) -> CommandContext:
        return CommandContext(self.root, None, {}, clock=self.clock)

    def say(self, text: str) -> None:
        click.echo(text, err=True)

    def load_connection(self, name: str) -> tuple[Connection, Secrecy]:
        settings = {"token": DEFAULT_TOKEN, "tenantId": "tenant-1", "keyId": "key-1", "privateKey": PRIVATE}
        return Connection(name, self.emulator.url, settings), Secrecy(values=(SECRET, DEFAULT_TOKEN))

    def type(self, *words: str, stdin: str = "") -> Typed:
        group = {"acc": acc, "mft": mft}[words[0]]
        done = CliRunner().invoke(group, words[1:], obj=self, input=stdin, standalone_mode=False)
        code = done.return_value if isinstance(done.return_value, int) else done.exit_code
        error = ""
        if isinstance(done.exception, ReconcilerError):
            code, error = done.exception.exit_code, f"{done.exception.message} {done.exception.hint}"
        elif isinstance(done.exception, click.UsageError):
            code, error = 64, done.exception.format_message()
        elif done.exception is not None:
            raise done.exception
        return Typed(code, done.stdout, done.stderr + error)

    def sent(self) -> list[str]:
        """The writing calls that arrived."""
        return [f"{each.method} {each.path}" for each in self.emulator.requests if each.method != "GET"]


def estate() -> Estate:
    held = Estate(tenant=Tenant("tenant-1", {"key-1": PUBLIC}))
    agent = held.add_agent(PATH, AGENT, description=f"echoes {SECRET}\x1b[31m", duration=0.0)
    held.add_schedule(agent, SCHEDULE, cron="0 0 0 1", start_time="2026-01-01T00:00:00", time_zone_id="UTC")
    held.servers.append(ServerRecord())
    assert held.tenant is not None
    held.tenant.add_task(Task("02115928-16fe-4493-949b-d77d302a88ee", "Publish prices", 0.0))
    held.tenant.add_task(Task("5b6f9d0e-64a4-4c57-8d6b-6c8f3f0a7d21", "Fails", 0.0, ("failed",)))
    return held


@pytest.fixture
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    root = tmp_path_factory.mktemp("project")
    project = "apiVersion: reconciler/v1\nkind: Project\nmetadata: {name: by-hand}\nspec: {}\n"
    (root / "reconciler.yaml").write_text(project, encoding="utf-8")
    clock = SkippingClock()
    with Emulator(estate(), clock=clock) as emulator:
        yield Desk(emulator, clock, root)


def leaves(group: click.Group, words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from leaves(command, (*words, name))
        else:
            yield (*words, name), command


COMMANDS = dict([*leaves(acc, ("acc",)), *leaves(mft, ("mft",))])


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_says_what_it_does(words: tuple[str, ...], desk: Desk) -> None:
    shown = desk.type(*words, "--help")
    assert shown.code == 0
    assert COMMANDS[words].help
    options = {name for param in COMMANDS[words].params for name in param.opts}
    assert "--format" in options or "-o" in options


def test_an_agent_as_text_and_as_the_products_own_object(desk: Desk) -> None:
    text = desk.type("acc", "agent", "show", PATH)
    assert AGENT in text.out
    assert "echoes (secret)[31m" in text.out, "neither secrets nor control characters reach the terminal"
    found = desk.type("acc", "agent", "show", PATH, "--format", "json").json
    assert found["agentId"] == AGENT
    assert SECRET not in json.dumps(found)


def test_an_agent_that_is_not_there(desk: Desk) -> None:
    shown = desk.type("acc", "agent", "show", "no/such")
    assert shown.code == 1
    assert "may not see" in shown.err


@pytest.mark.parametrize("agent", [PATH, AGENT, AGENT.upper(), "{" + AGENT + "}"])
def test_schedules_by_path_or_id(agent: str, desk: Desk) -> None:
    table = desk.type("acc", "schedule", "list", agent)
    assert SCHEDULE in table.out
    assert "Waiting" in table.out
    assert desk.type("acc", "schedule", "list", agent, "--format", "json").json[0]["cron"] == "0 0 0 1"


DESTRUCTIVE = {
    "agent disapprove": (PATH, "-m", "odd"),
    "job status": (PATH, "failed"),
    "schedule delete": (SCHEDULE,),
    "schedule enable-all": (PATH,),
    "schedule disable-all": (PATH,),
    "schedule delete-all": (PATH,),
    "input disable": (PATH,),
    "input delete": (PATH,),
}


@pytest.mark.parametrize("command", DESTRUCTIVE)
def test_what_destroys_asks_and_without_a_terminal_refuses(command: str, desk: Desk) -> None:
    desk.type("acc", "job", "start", PATH)
    before = desk.sent()
    words = ("acc", *command.split(), *DESTRUCTIVE[command])
    refused = desk.type(*words)
    assert refused.code == 64
    assert "--yes" in refused.err
    assert desk.sent() == before
    assert desk.type(*words, "--yes").code == 0
    assert len(desk.sent()) == len(before) + 1


@pytest.mark.parametrize(("typed", "goes_on"), [("y\n", True), ("n\n", False), ("\n", False)])
def test_on_a_terminal_no_is_the_default(typed: str, goes_on: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdin", Terminal(typed))
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert confirm("Delete it?", yes=False) is goes_on


def test_switching_and_deleting_a_schedule(desk: Desk) -> None:
    def enabled() -> list[bool]:
        rows = desk.type("acc", "schedule", "list", PATH, "--format", "json").json
        return [row["isEnabled"] for row in rows]

    assert desk.type("acc", "schedule", "disable", SCHEDULE).out == f"disabled {SCHEDULE}\n"
    assert enabled() == [False]
    assert desk.type("acc", "schedule", "enable", SCHEDULE, "--format", "json").json["done"] is True
    assert enabled() == [True]
    assert desk.type("acc", "schedule", "delete", SCHEDULE, "--yes").code == 0
    assert enabled() == []


def test_writing_a_schedule(desk: Desk) -> None:
    body = {
        "scheduleId": "b4cdc56a-2c16-4b1b-a135-b4e687f8bc95",
        "cron": "0 0 2 * * *",
        "sessionId": None,
        "startTime": "2026-01-01T02:00:00",
        "timeZoneId": "UTC",
        "inputParameters": {"region": "au"},
        "logLevel": 1,
        "isWindowless": True,
        "isEnabled": True,
    }
    assert desk.type("acc", "schedule", "put", PATH, "-", "--yes", stdin=json.dumps(body)).code == 0
    rows = desk.type("acc", "schedule", "list", PATH, "--format", "json").json
    assert body["scheduleId"] in [row["scheduleId"] for row in rows]
    del body["cron"]
    assert "cron" in desk.type("acc", "schedule", "put", PATH, "-", "--yes", stdin=json.dumps(body)).err
    assert desk.type("acc", "schedule", "put", PATH, "-", "--yes", stdin="{").code == 64


def test_runs_and_jobs_from_start_to_data(desk: Desk, tmp_path: Path) -> None:
    started = desk.type(
        "acc", "agent", "start", PATH, "--param", "region=au", "--log-level", "high", "--format", "json"
    )
    run_id = started.json["agentRunHistoryIds"][0]
    assert desk.type("acc", "run", "show", run_id, "--format", "json").json["agentRunHistoryId"] == run_id
    assert run_id in desk.type("acc", "run", "history", PATH, "--count", "5").out
    job = desk.type("acc", "job", "start", AGENT, "--format", "json").json
    job_id = job["agentJobHistoryId"]
    assert job_id in desk.type("acc", "job", "history", PATH).out
    assert desk.type("acc", "job", "show", job_id).code == 0
    assert desk.type("acc", "job", "runs", PATH, str(job["jobRunId"])).code == 0
    for words in (("run", "log", run_id), ("run", "data", run_id), ("job", "logs", job_id), ("job", "data", job_id)):
        target = tmp_path / "-".join(words)
        assert desk.type("acc", *words, "-o", str(target)).code == 0
        assert zipfile.ZipFile(target).testzip() is None
    assert desk.type("acc", "run", "restart", run_id).code == 0
    assert desk.type("acc", "run", "retry", run_id, "--method", "Continue").code == 0
    assert not list(tmp_path.glob("*.part"))


def test_a_download_overwrites_nothing_by_itself(desk: Desk, tmp_path: Path) -> None:
    target = tmp_path / "log.zip"
    target.write_text("mine")
    job_id = desk.type("acc", "job", "start", AGENT, "--format", "json").json["agentJobHistoryId"]
    refused = desk.type("acc", "job", "logs", job_id, "-o", str(target))
    assert (refused.code, target.read_text()) == (64, "mine")
    assert desk.type("acc", "job", "logs", job_id, "-o", str(target), "--force").code == 0
    assert zipfile.is_zipfile(target)
    missing = tmp_path / "none.zip"
    assert desk.type("acc", "run", "log", SCHEDULE, "-o", str(missing)).code == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log.zip"]


def test_input_files(desk: Desk, tmp_path: Path) -> None:
    sheet, note, other = tmp_path / "urls.csv", tmp_path / "note.txt", tmp_path / "x.exe"
    for path in (sheet, note, other):
        path.write_text("URL\nhttps://x\n")
    assert desk.type("acc", "input", "upload", PATH, str(sheet), str(note)).code == 0
    assert [call.rsplit("/", 1)[1] for call in desk.sent()] == ["csv", "files"]
    assert desk.type("acc", "input", "upload", PATH, str(other)).code == 64
    assert desk.type("acc", "input", "upload", PATH, str(sheet), str(note), "--name", "a.csv").code == 64
    assert len(desk.sent()) == 2


def test_a_server_and_its_key(desk: Desk) -> None:
    record = ServerRecord()
    words = ("acc", "server", "check", record.ip_address, "--port", str(record.port), "--key-file", "-")
    shown = desk.type(*words, stdin=record.key + "\n")
    assert "successful" in shown.out
    assert shown.code == 0
    wrong = desk.type(*words, stdin="no-such-key\n")
    assert wrong.code == 1
    assert "no-such-key" not in wrong.out + wrong.err


def test_approval(desk: Desk) -> None:
    assert desk.type("acc", "agent", "approve", PATH, "-m", "Reviewed").code == 0
    assert desk.sent() == [f"POST /api/agent/{AGENT}/toggleAgentApproval/False"]


# --- Automate MFT ----------------------------------------------------------------------------------------------------


def test_the_licence(desk: Desk) -> None:
    shown = desk.type("mft", "license", "--format", "json")
    assert shown.code == 0
    assert isinstance(shown.json, dict)


@pytest.mark.parametrize(
    ("task", "code"), [("Publish prices", 0), ("02115928-16fe-4493-949b-d77d302a88ee", 0), ("Fails", 1)]
)
def test_a_task_started_and_followed(task: str, code: int, desk: Desk) -> None:
    shown = desk.type(
        "mft", "task", "start", task, "--param", "folder=/out", "--wait", "--interval", "1s", "--format", "json"
    )
    assert shown.code == code
    assert shown.json["status"]["taskRunStatus"] == ("failed" if code else "success")
    run_id = shown.err.removeprefix("started run ").strip()
    assert desk.type("mft", "run", "show", run_id).code == 0


def test_a_start_in_doubt_has_an_exit_code_of_its_own(tmp_path: Path) -> None:
    clock = SkippingClock()
    with Emulator(estate(), faults=["POST /tasks/.*/start drop-after"], clock=clock) as emulator:
        shown = Desk(emulator, clock, tmp_path).type("mft", "task", "start", "02115928-16fe-4493-949b-d77d302a88ee")
    assert shown.code == 5
    assert "before you start it again" in shown.err


@pytest.mark.parametrize("word", ["folder", "=x", "a=1 a=2"])
def test_parameters_that_are_none(word: str, desk: Desk) -> None:
    words = [part for pair in word.split() for part in ("--param", pair)]
    assert desk.type("mft", "task", "start", "Publish prices", *words).code == 64
    assert desk.sent() == []


def test_following_ends_at_its_timeout(desk: Desk) -> None:
    class Run:
        is_final = False
        status = "queued"

    class Client:
        def task_run(self, run_id: str) -> Run:
            return Run()

    time = Time()
    client: Any = Client()
    with pytest.raises(ProductError, match="still queued after 12 s"):
        follow(client, "r", timeout=12, interval=5, clock=time)
    assert time.slept == [5, 5]


def test_nobody_to_ask_is_wrong_usage() -> None:
    with pytest.raises(UsageError):
        confirm("Sure?", yes=False)
