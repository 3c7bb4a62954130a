"""The vendors' own samples work on the emulator, unchanged but for host and ids."""

from __future__ import annotations

import ast
import io
import json
import sys
import zipfile
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from emulated import AGENT_ID, PATH, SCHEDULE_ID, Clock, Start, schedule_body

from reconciler.emulator import new_key

VENDOR = Path(__file__).parent / "vendor"
SAMPLES = {
    title.strip(): code
    for title, _, code in (
        part.partition("\n") for part in (VENDOR / "acc-samples.txt").read_text(encoding="utf-8").split("\n== ")[1:]
    )
}
SAMPLE_IDS = (
    "a2f22850-7c88-4e05-a30a-004aa980ee6c",
    "a2f22850-7c88-4e05-a30a-004aa/",
    "0041d691-49d1-4c48-8c21-654b8e248c11",
    "0041d691-49d1-4c48-8c21-654b8e248c12",
    "324046fc-375e-444d-87b7-ea2354c10932",
)


class Stage:
    """One emulator with a finished run and job, on which each sample is run by itself."""

    def __init__(self, start: Start, clock: Clock, folder: Path) -> None:
        self.acc = start()
        self.folder = folder
        self.run_id = self.acc.post(f"/api/agent/{AGENT_ID}/cluster/start").json()["agentRunHistoryIds"][0]
        self.job_id = self.acc.post(f"/api/job/{AGENT_ID}/start").json()["agentJobHistoryId"]
        clock.advance(60)
        self.agent = self.acc.emulator.estate.agents[PATH]
        self.acc.emulator.clear_requests()

    def play(self, title: str) -> str:
        """Run a sample and return the text that it prints."""
        code = SAMPLES[title].replace("https://acc.sequentum.com", self.acc.emulator.url)
        code = code.replace("ACCESS-TOKEN", self.acc.emulator.token)
        for sample_id in SAMPLE_IDS:
            if f"job/run/{sample_id}" not in code and f"/run/{sample_id}" not in code:
                code = code.replace(sample_id, AGENT_ID + ("/" if sample_id.endswith("/") else ""))
        for sample_id in ("6ef84ec7-d5e6-4a98-bbfa-0b67355a648f", "a2f22850-7c88-4e05-a30a-004aa980ee6c"):
            code = code.replace(f"job/run/{sample_id}", f"job/run/{self.job_id}")
        for sample_id in ("9040f86d-bbc1-4038-9868-501145cc2370", "e93d698f-2bca-c6b4-0ac9-39f5e9f71653"):
            code = code.replace(f"api/run/{sample_id}", f"api/run/{self.run_id}")
            code = code.replace(f"input/agent/{sample_id}", f"input/agent/{AGENT_ID}")
        code = code.replace("3a8cc967-1158-e0ca-b1aa-d0f0eecd8d63", SCHEDULE_ID)
        code = code.replace('b4cdc56a-2c16-4b1b-a135-b4e687f8bc95" \npayload', f'{SCHEDULE_ID}" \npayload')
        code = code.replace("run/5/history", "run/1/history").replace("95.217.35.126", "127.0.0.1")
        code = code.replace("/C:/test/input2.csv", str(self.folder / "input2.csv"))
        printed = io.StringIO()
        with redirect_stdout(printed):
            exec(compile(code, title, "exec"), {"__name__": "__main__"})
        return ast.literal_eval(printed.getvalue()).decode() if printed.getvalue() else ""

    def play_json(self, title: str) -> Any:
        return json.loads(self.play(title))


@pytest.fixture
def stage(start: Start, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "input2.csv").write_bytes(b"URL\r\nhttp://example.com\n")
    return Stage(start, clock, tmp_path)


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # the samples leave files and sessions to the collector
@pytest.mark.parametrize("title", SAMPLES)
def test_each_sample_is_answered_with_success(stage: Stage, title: str) -> None:
    stage.play(title)
    (request,) = stage.acc.emulator.requests
    assert request.status == 200


def test_the_agent_sample_shows_the_documented_output(stage: Stage) -> None:
    assert stage.play_json("Get agent details from repository") == {
        "agentId": AGENT_ID,
        "name": "quick",
        "directoryId": "45e52cf1-b2a1-4f37-b670-4582c08a8df8",
        "description": None,
    }


def test_the_schedule_samples_do_what_their_titles_say(stage: Stage) -> None:
    stage.play("Add or update job schedule")
    first, second = stage.play_json("Get job schedules")
    assert {key: second[key] for key in schedule_body()} == schedule_body()
    assert first["scheduleId"] == SCHEDULE_ID
    stage.play("Disable job schedule")
    assert [entry["isEnabled"] for entry in stage.play_json("Get job schedules")] == [False, True]
    stage.play("Enable job schedule")
    stage.play("Disable all job schedules")
    assert [entry["isEnabled"] for entry in stage.play_json("Get job schedules")] == [False, False]
    stage.play("Enable all job schedules")
    assert [entry["isEnabled"] for entry in stage.play_json("Get job schedules")] == [True, True]
    stage.play("Start job schedule")
    assert stage.play_json("Get job schedules")[0]["scheduleStatus"] == 1
    stage.play("Delete job schedule")
    assert [entry["scheduleId"] for entry in stage.play_json("Get job schedules")] != [SCHEDULE_ID]
    stage.play("Delete all job schedules")
    assert stage.play_json("Get job schedules") == []


def test_the_download_samples_write_zip_files(stage: Stage) -> None:
    files = {
        "log.zip": "Get log for a specific agent run",
        "logs.zip": "Get all logs for a specific job run",
        "jobdata.zip": "Get all data for a specific job run",
        "rundata.zip": "Get data for a specific agent run",
    }
    for name, title in files.items():
        stage.play(title)
        with zipfile.ZipFile(stage.folder / name) as archive:
            assert archive.testzip() is None
            assert len(archive.namelist()) == 1


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # the sample leaves its file to the collector
def test_the_input_samples_send_their_bytes(stage: Stage) -> None:
    stage.play("Add or update agent input data")
    stage.play("Upload agent input files")
    held = stage.agent.input_files
    assert held["input2.csv"].content == b"URL\r\nhttp://example.com\n"
    assert held["input.csv"].content.startswith(b"URL\r\nhttp://www.sequentum.com\r\n")
    assert held["input.csv"].content.endswith(b"/account ")
    stage.play("Disable All Agent Input Files")
    assert [entry.enabled for entry in held.values()] == [False, False]
    stage.play("Delete all agent input files")
    assert not held


def test_the_status_and_server_samples(stage: Stage) -> None:
    stage.play("Set status for latest job run")
    assert stage.play_json("Get job run details")["status"] == 5
    assert stage.play_json("Get SE Server Status") == {
        "isError": False,
        "message": "Connection to server 127.0.0.1:8004 is successful.",
        "cpuUsages": "0%, a:2%, p:20%",
        "memoryUsages": "6%, a:13%, p: 23 % ",
        "discUsages": "C:47%",
        "cpuThreshold": 100,
        "memoryThreshold": 90,
    }


class MftScript:
    """The full sample script of Automate MFT, with its base URL changed and a clock that it moves itself."""

    def __init__(self, start: Start, clock: Clock, folder: Path, **settings: Any) -> None:
        self.client = start(**settings)
        self.clock = clock
        private, public = new_key()
        tenant = self.client.emulator.estate.tenant
        assert tenant is not None
        self.tenant = tenant
        tenant.keys["key-1"] = public
        (folder / "key.pem").write_text(private)
        self.key = str(folder / "key.pem")
        self.slept: list[float] = []

    def play(self, *task: str) -> tuple[int, str, str]:
        """Exit code, stdout and stderr."""
        code = (VENDOR / "mft-sample.txt").read_text(encoding="utf-8")
        code = code.replace('f"https://api.{env_lower}.mft.progress.com"', repr(self.client.emulator.url))
        out, err = io.StringIO(), io.StringIO()
        before = sys.argv
        sys.argv = ["automate-mft-api-calls.py", "us", "tenant-1", self.key, "key-1", *task]
        names: dict[str, Any] = {"__name__": "sample"}
        exec(compile(code, "mft-sample", "exec"), names)
        names["time"] = self
        try:
            with redirect_stdout(out), redirect_stderr(err):
                names["call_apis"](*sys.argv[1:])
        except SystemExit as stop:
            return int(str(stop.code)), out.getvalue(), err.getvalue()
        finally:
            sys.argv = before
        return 0, out.getvalue(), err.getvalue()

    def time(self) -> float:
        return self.clock.now.timestamp()

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.clock.advance(seconds)


TASK = "02115928-16fe-4493-949b-d77d302a88ee"


def test_the_mft_script_shows_the_licence(start: Start, clock: Clock, tmp_path: Path) -> None:
    code, out, err = MftScript(start, clock, tmp_path).play()
    assert (code, err) == (0, "")
    assert json.loads(out.partition("Licenses data:")[2])["counters"]["taskExecutions"]["used"] == 0


def test_the_mft_script_follows_a_task_to_its_end(start: Start, clock: Clock, tmp_path: Path) -> None:
    script = MftScript(start, clock, tmp_path)
    code, out, err = script.play(TASK)
    assert (code, err) == (0, "")
    states = [line.rpartition(" ")[2] for line in out.splitlines() if line.startswith("Task Run Status")]
    assert states == ["queued", "running", "running", "running", "success"]
    assert json.loads(out.partition("Task Completed:")[2])["fileStats"]["filesTransferred"] == 3
    assert script.tenant.licence.used == 1


def test_the_mft_script_renews_its_token_when_it_is_refused(start: Start, clock: Clock, tmp_path: Path) -> None:
    script = MftScript(start, clock, tmp_path)
    script.tenant.token_uses = 3
    code, out, _ = script.play(TASK)
    assert code == 0
    assert "Received 403, refreshing access token..." in out
    assert out.count("Task Run Status: success") == 1


def test_the_mft_script_waits_out_too_many_requests(start: Start, clock: Clock, tmp_path: Path) -> None:
    script = MftScript(start, clock, tmp_path, faults=["GET licenses #1 429"])
    code, out, _ = script.play()
    assert code == 0
    assert "Received 429, retrying in 5 seconds... (attempt 1/3)" in out
    assert script.slept == [5]
