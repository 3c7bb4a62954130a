"""Every exit code of the contract, one by one; the documents programs read; saved plans, locks and interruptions."""

from __future__ import annotations

import json
import os
import pty
import signal
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from stage import CLOCKED, HAND_MADE, NIGHTLY, POLL, PRICES, STOCK, Stage, agent, task_trigger, wait_for

Open = Callable[..., Stage]


def many(count: int) -> str:
    return agent(*(POLL.replace("poll", f"s{number:02}") for number in range(count)))


# --- 0, 1, 2 ---------------------------------------------------------------------------------------------------------


def test_nothing_to_do(stage: Stage) -> None:
    stage.write(agent())
    assert stage.run("plan").code == 0
    assert stage.apply().code == 0
    assert stage.run("drift").code == 0


def test_errors_in_manifests_are_one(stage: Stage) -> None:
    stage.write(agent(NIGHTLY.replace("cron", "crom")))
    for command in ("validate", "plan", "drift"):
        ended = stage.run(command)
        assert ended.code == 1
        assert "cron" in ended.said
    assert stage.apply().code == 1
    problems = stage.run("validate", "--format", "json").document["problems"]
    assert problems[0]["path"] == "manifests/retail.yaml"
    assert problems[0]["line"] > 1


def test_what_could_not_be_read_makes_plan_and_drift_one(stage: Stage) -> None:
    stage.write(agent(NIGHTLY) + "---\n" + agent(NIGHTLY, name="stock"))
    stage.apply()
    stage.emulator.inject("GET agentPath=.*stock #* 403")
    assert stage.run("plan", "--detailed-exitcode").code == 1
    drift = stage.run("drift", "--format", "json")
    assert drift.code == 1
    assert drift.document["summary"]["unreadable"] == 1
    assert drift.document["summary"]["in-sync"] == 1


def test_global_options_are_understood_after_the_command_too(stage: Stage) -> None:
    stage.write(agent(NIGHTLY))
    stage.apply()
    after = stage.run("plan", "--env", "nowhere")
    assert after.code == 64
    assert "there is no environment 'nowhere'" in after.said
    assert after.said == stage.run("--env", "nowhere", "plan").said
    assert stage.run("--env", "nowhere", "plan", "--env", "default", "--no-color").code == 0
    assert stage.run("plan", "-C", str(stage.root / "nowhere")).code == 64


def test_pending_is_no_drift(stage: Stage) -> None:
    stage.write(agent(NIGHTLY))
    stage.apply()
    stage.write(agent(NIGHTLY.replace("0 0 2", "0 0 3"), POLL))
    assert stage.run("drift").code == 0
    assert stage.run("plan", "--detailed-exitcode").code == 2
    stage.live("nightly").cron = "0 0 9 * * *"
    assert stage.run("drift").code == 2


# --- 3 ---------------------------------------------------------------------------------------------------------------


def test_guards_do_nothing_at_all(stage: Stage) -> None:
    stage.write(many(12))
    assert stage.apply().code == 0
    stage.write(many(8) + "---\n" + agent(NIGHTLY, name="stock"))
    stage.emulator.clear_requests()
    refused = stage.apply()
    assert refused.code == 3
    assert "--max-deletes 4" in refused.err
    assert "4 of 12" in refused.err
    assert "Nothing was done" in refused.err
    assert stage.writes() == []
    assert stage.run("plan").code == 3
    assert stage.apply("--max-deletes", "3").code == 3
    assert stage.apply("--max-deletes", "4").code == 0
    assert len(stage.owned()) == 9


def test_prune_to_nothing(stage: Stage) -> None:
    stage.write(agent(NIGHTLY, POLL))
    stage.apply()
    stage.write(agent())
    assert stage.apply().code == 3
    assert len(stage.owned()) == 2
    assert stage.apply("--max-deletes", "2").code == 0


def test_policy_in_the_project_file(stage: Stage) -> None:
    stage.project("  policy: {prune: never}\n")
    stage.write(agent(NIGHTLY, POLL))
    stage.apply()
    stage.write(agent(NIGHTLY))
    plan = stage.run("plan", "--format", "json")
    assert plan.code == 0
    assert [one["code"] for one in plan.document["warnings"]] == ["orphan-kept"]
    assert stage.apply().code == 0
    assert len(stage.owned()) == 2


# --- 6: the lock -----------------------------------------------------------------------------------------------------


def test_two_applies_at_once(open_stage: Open) -> None:
    stage = open_stage(latency=0.05)
    stage.write(many(6))
    first = stage.start("apply", "--auto-approve")
    wait_for(stage.writes)
    second = stage.apply()
    assert second.code == 6
    assert "is being applied by" in second.err
    assert stage.run("unlock").code == 6
    assert stage.run("plan").code == 0, "reading takes no lock"
    _, err = first.communicate(timeout=60)
    assert first.returncode == 0, err
    assert len(stage.owned()) == 6
    assert stage.run("unlock").code == 0
    assert stage.apply().code == 0


def test_a_broken_lock_ends_the_run_that_held_it(open_stage: Open) -> None:
    stage = open_stage(latency=0.05)
    stage.write(many(20))
    first = stage.start("apply", "--auto-approve")
    wait_for(lambda: len(stage.owned()) >= 2)
    assert stage.run("unlock", "--force").code == 0
    _, err = first.communicate(timeout=60)
    assert first.returncode == 6, err
    assert 2 <= len(stage.owned()) < 20
    assert stage.apply().code == 0
    assert len(stage.owned()) == 20


def test_a_frozen_owner_that_wakes_up_writes_nothing_more(open_stage: Open) -> None:
    stage = open_stage(latency=0.05)
    stage.write(many(20))
    first = stage.start("apply", "--auto-approve")
    wait_for(lambda: len(stage.owned()) >= 2)
    first.send_signal(signal.SIGSTOP)
    assert stage.apply().code == 6
    assert stage.run("unlock", "--force").code == 0
    stage.emulator.latency = 0.0
    assert stage.apply().code == 0
    assert len(stage.owned()) == 20
    stage.emulator.clear_requests()
    first.send_signal(signal.SIGCONT)
    _, err = first.communicate(timeout=60)
    assert first.returncode in (4, 6), err  # 6 when it had something left to do, 4 when all of it was done meanwhile
    assert len(stage.writes()) <= 1, "what was under way when it froze, at most"
    assert stage.run("plan", "--detailed-exitcode").code == 0


def test_a_ledger_that_was_cut_short_ends_everything_before_it_begins(stage: Stage) -> None:
    stage.write(agent(NIGHTLY) + "---\n" + task_trigger())
    assert stage.apply("--only", "schedule/*").code == 0
    whole = stage.ledger.read_bytes()
    for size in (0, 100, len(whole) // 2, len(whole) - 1):
        stage.ledger.write_bytes(whole[:size])
        stage.emulator.clear_requests()
        ended = stage.apply()
        assert ended.code in (1, 3), (size, ended.said)
        assert "ledger" in ended.said
        assert stage.starts() == 0
        assert not any("schedule" in call for call in stage.writes())


# --- 7: saved plans --------------------------------------------------------------------------------------------------


def saved(stage: Stage, *arguments: str) -> Path:
    path = stage.root / "tonight.plan"
    assert stage.run("plan", "--out", str(path), *arguments).code == 0
    return path


def test_a_saved_plan_is_applied_once(stage: Stage) -> None:
    stage.write(agent(NIGHTLY, POLL))
    path = saved(stage)
    assert stage.writes() == []
    assert "schedule/prices/nightly" in stage.run("show", str(path)).out
    assert stage.run("show", str(path), "--format", "json").document["changes"] == stage.plan()["changes"]
    assert stage.run("apply", str(path)).code == 0
    assert len(stage.owned()) == 2
    again = stage.run("apply", str(path))
    assert again.code == 7
    assert "used already" in again.err
    for identity in list(stage.owned()):
        stage.estate.remove_schedule(identity)
    assert stage.run("apply", str(path)).code == 7, "also when it would fit once more"
    assert stage.owned() == {}
    assert stage.run("show", str(path)).code == 0


@pytest.mark.parametrize("moved", ["manifest", "live", "gone"])
def test_a_stale_plan_names_the_resource(stage: Stage, moved: str) -> None:
    stage.write(agent(NIGHTLY, POLL))
    stage.apply()
    stage.write(agent(NIGHTLY.replace("0 0 2", "0 0 3"), POLL))
    path = saved(stage)
    match moved:
        case "manifest":
            stage.write(agent(NIGHTLY.replace("0 0 2", "0 0 4"), POLL))
        case "live":
            stage.live("nightly").log_level = 3
        case _:
            stage.estate.remove_schedule(stage.live("nightly").schedule_id)
    stage.emulator.clear_requests()
    ended = stage.run("apply", str(path))
    assert ended.code == 7
    assert "schedule/prices/nightly" in ended.said
    assert stage.writes() == []


def test_a_plan_of_another_environment_expired_or_edited(stage: Stage) -> None:
    stage.project("  environments: {prod: {variables: {zone: Australia/Perth}}}\n")
    stage.write(agent(NIGHTLY))
    path = saved(stage, "--expires", "1s")
    assert stage.run("--env", "prod", "apply", str(path)).code == 7
    document = json.loads(path.read_text(encoding="utf-8"))
    soon = datetime.fromisoformat(document["expires_at"])
    assert timedelta(0) < soon - datetime.fromisoformat(document["created_at"]) <= timedelta(seconds=1)
    document["expires_at"] = "2099-01-01T00:00:00Z"
    path.write_text(json.dumps(document), encoding="utf-8")
    ended = stage.run("apply", str(path))
    assert (ended.code, "edited by hand" in ended.said) == (7, True)
    stage.clock.skip(timedelta(seconds=3))
    document["expires_at"] = soon.strftime("%Y-%m-%dT%H:%M:%SZ")
    path.write_text(json.dumps(document), encoding="utf-8")
    ended = stage.run("apply", str(path))
    assert (ended.code, "expired" in ended.said) == (7, True)
    assert stage.owned() == {}


def test_a_saved_plan_keeps_its_selectors_and_limits(stage: Stage) -> None:
    stage.write(agent(NIGHTLY, POLL))
    path = saved(stage, "--only", "schedule/*/poll")
    assert stage.run("apply", str(path), "--only", "schedule/*/nightly").code == 64
    assert stage.run("apply", str(path)).code == 0
    assert [one.cron for one in stage.owned().values()] == ["0 15 0 0"]


def test_input_files_that_changed_make_a_plan_stale(stage: Stage) -> None:
    file = stage.root / "manifests" / "urls.csv"
    file.write_bytes(b"a\n")
    stage.write(agent(extra="  inputFiles:\n    - file: urls.csv\n"))
    path = saved(stage)
    file.write_bytes(b"b\n")
    ended = stage.run("apply", str(path))
    assert (ended.code, "input-files/prices" in ended.said) == (7, True)
    assert stage.estate.agents[PRICES].input_files == {}


# --- 64 and 130 ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        "plam",
        "plan --formt json",
        "plan --format yaml",
        "apply --max-deletes -1",
        "resolve nonsense --ran",
        "apply x y",
    ],
)
def test_wrong_usage(stage: Stage, line: str) -> None:
    stage.write(agent())
    assert stage.run(*line.split()).code == 64


def test_no_project_here(tmp_path: Path, stage: Stage) -> None:
    (stage.root / "reconciler.yaml").unlink()
    ended = stage.run("plan")
    assert ended.code == 64
    assert "reconciler.yaml" in ended.err


def test_nobody_to_ask(stage: Stage) -> None:
    stage.write(agent(NIGHTLY))
    for command in ("apply", "destroy"):
        if command == "destroy":
            stage.apply()
        ended = stage.run(command)
        assert ended.code == 64
        assert "--auto-approve" in ended.err
        assert "no terminal" in ended.err
    assert len(stage.owned()) == 1


@pytest.mark.parametrize(("answer", "code", "there"), [("yes", 0, 1), ("y", 1, 0), ("", 1, 0), ("no", 1, 0)])
def test_only_yes_is_yes(stage: Stage, answer: str, code: int, there: int) -> None:
    import subprocess
    import sys

    from reconciler import cli

    stage.write(agent(NIGHTLY))
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, str(CLOCKED), stage.clock().isoformat(), "-C", str(stage.root), "apply"],
        env={**stage.environ, "PYTHONPATH": str(Path(cli.__file__).parents[2])},
        stdin=slave,
        stdout=subprocess.PIPE,
        stderr=slave,
        text=True,
    )
    os.close(slave)
    os.write(master, f"{answer}\n".encode())
    out, _ = process.communicate(timeout=60)
    os.close(master)
    assert process.returncode == code, out
    assert "schedule/prices/nightly" in out
    assert len(stage.owned()) == there


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_finishes_what_is_in_flight_and_starts_nothing_new(open_stage: Open, number: int) -> None:
    stage = open_stage(latency=0.05)
    before = stage.hand_made()
    stage.write(many(30))
    process = stage.start("apply", "--auto-approve", "--format", "json")
    wait_for(lambda: len(stage.owned()) >= 2)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "interrupted" in err
    told = [one["status"] for one in json.loads(out)["outcomes"]]
    assert told.count("applied") == len(stage.owned())
    assert set(told) == {"applied", "skipped"}
    assert 2 <= len(stage.owned()) < 30
    assert stage.hand_made() == before
    assert stage.apply().code == 0
    assert len(stage.owned()) == 30


def test_a_plan_can_be_interrupted(open_stage: Open) -> None:
    stage = open_stage(latency=0.3)
    stage.write("---\n".join(agent(NIGHTLY, name=f"a{number}") for number in range(40)))
    process = stage.start("plan")
    wait_for(lambda: stage.emulator.requests)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130


# --- the documents ---------------------------------------------------------------------------------------------------


def test_the_plan_s_document(stage: Stage) -> None:
    text = agent(NIGHTLY, POLL, extra="  approval: {state: approved}\n") + "---\n" + task_trigger()
    stage.write(text)
    one, two = stage.plan(), stage.plan()
    moments = one.pop("created_at"), two.pop("created_at")
    assert all(datetime.fromisoformat(moment).tzinfo is UTC for moment in moments)
    assert json.dumps(one) == json.dumps(two), "equal input gives equal bytes"
    assert one["project"] == "retail"
    assert one["format_version"] == "1.0"
    assert one["environment"] == "default"
    assert one["digest"].startswith("sha256:")
    assert list(one["summary"]) == [
        "create", "update", "enable", "disable", "delete", "upload", "approve", "disapprove", "start", "adopt",
        "forget", "unchanged", "blocked", "unmanaged",
    ]  # fmt: skip
    assert one["summary"] | {"create": 2, "approve": 1, "start": 1, "unmanaged": 1} == one["summary"]
    nightly = next(change for change in one["changes"] if change["address"] == "schedule/prices/nightly")
    assert nightly["origin"] == {"path": "manifests/retail.yaml", "line": 8}
    assert nightly["needs"] == ["approval/prices"]
    assert {"address", "action", "reason", "message", "needs", "origin", "fields"} <= nightly.keys()
    assert {"path": "cron", "before": None, "after": "0 0 2 * * MON-FRI"} in nightly["fields"]
    assert one["unmanaged"] == [{"agent": "prices", "id": HAND_MADE}]


def test_the_apply_s_and_the_drift_s_documents(stage: Stage) -> None:
    stage.write(agent(NIGHTLY, POLL))
    applied = stage.apply("--format", "json").document
    assert applied["summary"] == {"applied": 2, "failed": 0, "skipped": 0, "unknown": 0, "unverified": 0}
    assert {one["status"] for one in applied["outcomes"]} == {"applied"}
    assert {one["evidence"] for one in applied["outcomes"]} == {"verified"}
    assert all(
        {"address", "action", "status", "detail", "seconds", "evidence"} <= one.keys() for one in applied["outcomes"]
    )
    stage.live("poll").cron = "0 30 0 0"
    drift = stage.run("drift", "--format", "json").document
    assert drift["summary"] == {
        "in-sync": 1, "drifted": 1, "pending": 0, "diverged": 0, "missing": 0, "unmanaged": 1, "unverifiable": 0,
        "unreadable": 0,
    }  # fmt: skip
    finding = next(one for one in drift["findings"] if one["status"] == "drifted")
    assert finding["address"] == "schedule/prices/poll"
    assert finding["evidence"] == "verified"
    assert finding["origin"]["path"] == "manifests/retail.yaml"
    assert [field["path"] for field in finding["fields"]] == ["every"]


def test_planning_writes_nothing(stage: Stage) -> None:
    stage.write(agent(NIGHTLY, POLL) + "---\n" + task_trigger())
    stage.run("plan")
    assert not stage.ledger.parent.exists(), "not even a ledger"
    stage.apply("--only", "schedule/*")
    before = {path.name: path.read_bytes() for path in stage.ledger.parent.iterdir()}
    stage.emulator.clear_requests()
    stage.live("poll").cron = "0 30 0 0"
    for line in ("plan", "drift", "plan --format json --only trigger/*", "plan --exclude trigger/*", "history"):
        stage.run(*line.split())
    assert stage.writes() == []
    assert {path.name: path.read_bytes() for path in stage.ledger.parent.iterdir()} == before


def test_history_tells_what_was_applied(stage: Stage) -> None:
    stage.write(agent(NIGHTLY) + "---\n" + agent(NIGHTLY, name="stock"))
    stage.apply()
    stage.run("destroy", "--auto-approve", "--only", "schedule/stock/*")
    history = stage.run("history")
    assert history.code == 0
    assert "destroy" in history.out
    assert "apply" in history.out
    assert stage.run("history", "--verify").code == 0
    assert [one.agent.path for one in stage.owned().values()] == [PRICES]
    assert stage.schedules(STOCK) == []
