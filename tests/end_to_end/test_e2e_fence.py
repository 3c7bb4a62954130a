"""A lock that was broken is felt: whoever held it sends nothing more, overwrites nothing, and claims nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from stage import NIGHTLY, POLL, PRICES, Ended, Stage, agent, task_trigger, wait_for

pytest_plugins = ["postgres"]

Open = Callable[..., Stage]
Count = Callable[[str, int], None]

FILES = "  inputFiles:\n    - file: urls.csv\n    - file: zones.csv\n"
START = task_trigger(extra="  wait: false\n")
WAIT = "retry-after=1"


def write_files(stage: Stage, content: str = "1") -> None:
    for name in ("urls.csv", "zones.csv"):
        (stage.root / "manifests" / name).write_text(f"url\n{content}\n", encoding="utf-8")


@dataclass(frozen=True)
class Case:
    """A change that meets `fault`, which makes its owner wait before it is sent again, or read, or followed."""

    fault: str
    desired: str
    before: str = ""
    forbidden: str = "POST"
    address: str = ""
    extra: tuple[str, ...] = field(default=())


SCHEDULE = "schedule/prices/nightly"
CASES = {
    "create": Case(f"POST /schedule$ #1 429 {WAIT}", agent(NIGHTLY), address=SCHEDULE),
    "update": Case(
        f"POST /schedule$ #1 503 {WAIT}", agent(NIGHTLY.replace("0 0 2", "0 0 3")), agent(NIGHTLY), address=SCHEDULE
    ),
    "switch": Case(
        f"POST /off$ #1 429 {WAIT}",
        agent(NIGHTLY + "      enabled: false\n"),
        agent(NIGHTLY + "      enabled: true\n"),
        address=SCHEDULE,
    ),
    "delete": Case(
        f"DELETE /schedule/ #1 503 {WAIT}",
        agent(POLL),
        agent(POLL, NIGHTLY),
        "DELETE",
        SCHEDULE,
        ("--max-deletes", "5"),
    ),
    "approval": Case(
        f"POST /toggleAgentApproval #1 429 {WAIT}",
        agent(extra="  approval: {state: approved}\n"),
        address="approval/prices",
    ),
    "upload": Case(f"POST /csv #1 429 {WAIT}", agent(extra=FILES), address="input-files/prices"),
    "second file": Case(f"POST /csv #2 429 {WAIT}", agent(extra=FILES), address="input-files/prices"),
    "after delete-all": Case(
        f"POST /csv #1 429 {WAIT}",
        agent(extra="  inputFilesExclusive: true\n" + FILES),
        address="input-files/prices",
    ),
    "start": Case(f"POST /start #1 429 {WAIT}", START, address="trigger/publish"),
    "read back": Case(f"GET /schedules$ #3 503 {WAIT}", agent(NIGHTLY), address=SCHEDULE),
    "next of several": Case(f"POST /schedule$ #1 429 {WAIT}", agent(NIGHTLY, POLL), address=SCHEDULE),
    "wait for a run": Case(
        "GET /task-runs/ #1 sleep=1",
        task_trigger(task="Slow", extra="  wait: {timeout: 10m, interval: 1s}\n"),
        address="trigger/publish",
    ),
    "retry of a run": Case(
        "GET /task-runs/ #1 sleep=1",
        task_trigger(task="Fails", extra="  wait: {timeout: 10m, interval: 1s}\n  retries: 3\n"),
        address="trigger/publish",
    ),
}


@contextmanager
def frozen(stage: Stage, case: Case) -> Iterator[subprocess.Popen[str]]:
    """An apply that is stopped while it waits, and wakes up at the end of the block."""
    if case.before:
        stage.write(case.before)
        assert stage.apply().code == 0
    stage.write(case.desired)
    fault = stage.emulator.inject(case.fault)
    process = stage.start("apply", "--auto-approve", "--format", "json", *case.extra)
    try:
        wait_for(lambda: fault.fired or process.poll() is not None)
        os.kill(process.pid, signal.SIGSTOP)
        stage.emulator.clear_faults()
        assert process.poll() is None, process.communicate()
        yield process
    finally:
        os.kill(process.pid, signal.SIGCONT)


def ended(process: subprocess.Popen[str]) -> Ended:
    out, err = process.communicate(timeout=60)
    assert "Traceback" not in err
    assert "unexpected" not in err
    return Ended(process.returncode, out, err)


def check_fenced(found: Ended, address: str) -> None:
    """Exit 6, its own message, and nothing claimed of what was under way."""
    assert found.code == 6, (found.code, found.out, found.err)
    assert "the lock was taken away" in found.err
    assert "reconciler plan" in found.err
    (outcome,) = [one for one in json.loads(found.out)["outcomes"] if one["address"] == address]
    assert outcome["status"] in ("skipped", "unknown"), outcome
    assert outcome["evidence"] == "unknown", outcome
    assert "verified" not in found.err


@pytest.mark.parametrize("name", CASES)
def test_an_owner_whose_lock_was_broken_sends_nothing_more(stage: Stage, name: str, record_count: Count) -> None:
    case = CASES[name]
    write_files(stage)
    record_count("owners frozen and fenced", 1)
    with frozen(stage, case) as process:
        assert stage.run("unlock", "--force").code == 0
        sent = stage.writes()
    check_fenced(ended(process), case.address)
    assert stage.writes() == sent
    run = stage.run("history", "--format", "json").document["runs"][0]
    assert not run.get("finished") and not run.get("result"), "no end is claimed"


@pytest.mark.parametrize("name", ["create", "update", "delete", "after delete-all"])
def test_what_the_next_owner_wrote_stays(stage: Stage, name: str, record_count: Count) -> None:
    """Meanwhile another one applies; what the former owner was about to send does not come on top of it."""
    case = CASES[name]
    write_files(stage)
    record_count("owners frozen and fenced", 1)
    with frozen(stage, case) as process:
        assert stage.run("unlock", "--force").code == 0
        write_files(stage, "2")
        files = "  inputFiles:\n    - file: urls.csv\n"
        stage.write(agent(NIGHTLY.replace("0 0 2", "0 0 4"), extra=files))
        assert stage.apply("--max-deletes", "5").code == 0
        held = {key: dict(vars(one)) for key, one in stage.owned().items()}
        files_held = {key: one.content for key, one in stage.estate.agents[PRICES].input_files.items()}
    check_fenced(ended(process), case.address)
    assert {key: dict(vars(one)) for key, one in stage.owned().items()} == held
    assert {key: one.content for key, one in stage.estate.agents[PRICES].input_files.items()} == files_held
    assert stage.run("plan", "--detailed-exitcode").code == 0


def test_a_start_that_somebody_settled_is_not_sent_by_the_process_that_wakes(stage: Stage) -> None:
    case = CASES["start"]
    with frozen(stage, case) as process:
        assert stage.run("resolve", case.address, "--not-ran").code == 6, "its owner may still send it"
        assert stage.run("unlock", "--force").code == 0
        assert stage.run("resolve", case.address, "--not-ran").code == 0
        assert stage.apply().code == 0
        assert stage.starts() == 1
    check_fenced(ended(process), case.address)
    assert stage.starts() == 1


def test_what_was_broken_off_is_said_and_the_next_apply_finishes_it(stage: Stage) -> None:
    case = CASES["start"]
    with frozen(stage, case) as process:
        assert stage.run("unlock", "--force").code == 0
    found = ended(process)
    check_fenced(found, case.address)
    assert "nothing was sent" in found.out
    assert f"reconciler resolve {case.address} --not-ran" in found.out
    assert stage.run("resolve", case.address, "--not-ran").code == 0
    assert stage.apply().code == 0
    assert stage.starts() == 1


def test_a_change_that_may_have_happened_before_the_fence_says_so(stage: Stage) -> None:
    case = CASES["update"]
    with frozen(stage, case) as process:
        assert stage.run("unlock", "--force").code == 0
    found = ended(process)
    check_fenced(found, case.address)
    (outcome,) = json.loads(found.out)["outcomes"]
    assert outcome["status"] == "unknown"
    assert "503" in outcome["detail"]
    assert stage.apply().code == 0
    assert stage.live("nightly").cron.startswith("0 0 3")


def test_the_lock_of_a_ledger_in_postgresql_is_felt_too(open_stage: Open, postgres_url: str) -> None:
    stage = open_stage()
    stage.project(f"  ledger: {postgres_url}\n")
    case = CASES["update"]
    with frozen(stage, case) as process:
        assert stage.run("unlock", "--force").code == 0
        sent = stage.writes()
    check_fenced(ended(process), case.address)
    assert stage.writes() == sent
