"""Calls by hand that change what the ledger attests: it learns of them, and the next plan knows."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from stage import NIGHTLY, PRICES, STOCK, Ended, Stage, agent, wait_for

from reconciler.emulator import alias_agent

FILES = "  inputFiles:\n    - file: urls.csv\n    - file: zones.txt\n"
APPROVED = "  approval: {state: approved}\n"
ALL_FILES = ("input-files/prices", "upload", "drifted")
Open = Callable[..., Stage]


def applied(stage: Stage, *, extra: str = APPROVED + FILES) -> None:
    for name in ("urls.csv", "zones.txt"):
        (stage.root / "manifests" / name).write_bytes(b"one\n")
    stage.write(agent(NIGHTLY, extra=extra))
    assert stage.apply().code == 0
    assert stage.changes() == []


def held(stage: Stage) -> dict[str, bytes]:
    return {name: file.content for name, file in stage.estate.agents[PRICES].input_files.items() if file.enabled}


def by_hand(stage: Stage, *words: str, code: int = 0) -> Ended:
    ended = stage.run("acc", *words)
    assert ended.code == code, ended.err
    return ended


def at_rest(stage: Stage) -> None:
    assert stage.apply().code == 0
    assert sorted(held(stage)) == ["urls.csv", "zones.txt"]
    assert stage.estate.agents[PRICES].approved
    assert stage.run("plan", "--detailed-exitcode").code == 0
    assert stage.run("drift").code == 0


def agents(stage: Stage) -> list[str]:
    """Both ways to name the agent."""
    return [PRICES, stage.estate.agents[PRICES].agent_id]


@pytest.mark.parametrize("number", [0, 1], ids=["by path", "by id"])
@pytest.mark.parametrize("call", ["delete", "disable"])
def test_files_that_are_gone_are_due_again(stage: Stage, call: str, number: int) -> None:
    applied(stage)
    by_hand(stage, "input", call, agents(stage)[number], "--yes")
    assert held(stage) == {}
    assert stage.changes() == [ALL_FILES]
    drift = stage.run("drift", "--format", "json")
    assert drift.code == 2, "what this program did by hand is known, though no product shows it"
    (found,) = [one for one in drift.document["findings"] if one["address"] == "input-files/prices"]
    assert (found["status"], found["evidence"]) == ("drifted", "attested")
    assert f"changed by hand, with `reconciler acc input {call}` by " in stage.run("plan").said
    at_rest(stage)


@pytest.mark.parametrize("number", [0, 1], ids=["by path", "by id"])
def test_an_approval_that_was_taken_away_is_given_again(stage: Stage, number: int) -> None:
    applied(stage)
    by_hand(stage, "agent", "disapprove", agents(stage)[number], "-m", "in a hurry", "--yes")
    assert not stage.estate.agents[PRICES].approved
    assert stage.changes() == [("approval/prices", "approve", "drifted")]
    assert "the manifest changed" not in stage.run("plan").said
    at_rest(stage)
    by_hand(stage, "agent", "approve", agents(stage)[number], "-m", "again")
    assert stage.changes() == [], "as declared: nothing is to be said twice"


@pytest.mark.parametrize("case", ["upper", "lower"])
@pytest.mark.parametrize("number", [0, 1, 2], ids=["by path", "by id", "by id in capitals"])
def test_an_id_is_known_in_any_case(open_stage: Open, case: str, number: int) -> None:
    stage = open_stage(switches=[f"guid_case={case}"])
    applied(stage)
    named = [*agents(stage), stage.estate.agents[PRICES].agent_id.upper()][number]
    by_hand(stage, "input", "delete", named, "--yes")
    assert stage.changes() == [ALL_FILES]
    by_hand(stage, "agent", "disapprove", named, "-m", "x", "--yes")
    assert ("approval/prices", "approve", "drifted") in stage.changes()
    at_rest(stage)


def test_another_path_of_the_same_agent_is_known(stage: Stage) -> None:
    applied(stage)
    alias_agent(stage.estate, PRICES, "sequentum/Other/prices")
    by_hand(stage, "agent", "start", "sequentum/Other/prices", "--input-file", "urls.csv", "--delete-input-files")
    assert stage.changes() == [ALL_FILES]
    at_rest(stage)
    by_hand(stage, "agent", "disapprove", "sequentum/Other/prices", "-m", "x", "--yes")
    assert stage.changes() == [("approval/prices", "approve", "drifted")]
    at_rest(stage)


def test_calls_by_hand_that_come_back_to_what_was_applied_are_no_move(stage: Stage) -> None:
    applied(stage)
    by_hand(stage, "agent", "disapprove", PRICES, "-m", "x", "--yes")
    by_hand(stage, "agent", "approve", PRICES, "-m", "x")
    by_hand(stage, "input", "upload", PRICES, str(stage.root / "manifests" / "urls.csv"))
    stage.write(agent(NIGHTLY, extra=APPROVED.replace("approved", "disapproved") + FILES))
    assert stage.changes() == [("approval/prices", "disapprove", "edited")]
    (stage.root / "manifests" / "urls.csv").write_bytes(b"two\n")
    assert ("input-files/prices", "upload", "edited") in stage.changes()


def test_an_approval_before_the_first_apply_of_it_is_not_said_twice(stage: Stage) -> None:
    applied(stage, extra="")
    stage.write(agent(NIGHTLY, extra=APPROVED))
    by_hand(stage, "agent", "approve", PRICES, "-m", "looked at it")
    assert stage.changes() == []
    assert "1 approval is attested" in stage.run("plan").said
    assert len(stage.estate.file_log) == 1


def test_a_manifest_that_moved_too_is_told_apart(stage: Stage) -> None:
    applied(stage, extra=FILES)
    by_hand(stage, "input", "delete", PRICES, "--yes")
    (stage.root / "manifests" / "urls.csv").write_bytes(b"two\n")
    assert stage.changes() == [("input-files/prices", "upload", "diverged")]
    assert stage.apply().code == 0
    assert held(stage)["urls.csv"] == b"two\n"


def test_an_upload_of_other_content_is_undone_and_of_the_same_is_none(stage: Stage, tmp_path: Path) -> None:
    applied(stage)
    other = tmp_path / "elsewhere" / "urls.csv"
    other.parent.mkdir()
    other.write_bytes(b"two\n")
    by_hand(stage, "input", "upload", PRICES, str(other))
    assert held(stage)["urls.csv"] == b"two\n"
    assert stage.changes() == [ALL_FILES]
    stage.emulator.clear_requests()
    assert stage.apply().code == 0
    assert len(stage.writes()) == 1, "the other file is as it was"
    at_rest(stage)
    by_hand(stage, "input", "upload", PRICES, str(stage.root / "manifests" / "urls.csv"))
    assert stage.changes() == []


def test_an_upload_of_a_file_that_is_not_declared(stage: Stage, tmp_path: Path) -> None:
    extra = tmp_path / "extra.csv"
    extra.write_bytes(b"x\n")
    applied(stage, extra=FILES)
    by_hand(stage, "input", "upload", PRICES, str(extra))
    assert stage.changes() == [], "what is not declared is left alone"
    stage.write(agent(NIGHTLY, extra=FILES + "  inputFilesExclusive: true\n"))
    assert stage.apply().code == 0
    by_hand(stage, "input", "upload", PRICES, str(extra))
    assert stage.changes() == [ALL_FILES]
    assert stage.apply().code == 0
    assert sorted(held(stage)) == ["urls.csv", "zones.txt"]


def test_an_upload_while_all_are_declared_to_be_off(stage: Stage) -> None:
    applied(stage, extra=FILES)
    stage.write(agent(NIGHTLY, extra=FILES + "  inputFilesEnabled: false\n"))
    assert stage.apply().code == 0
    assert held(stage) == {}
    by_hand(stage, "input", "upload", PRICES, str(stage.root / "manifests" / "urls.csv"))
    assert stage.changes() == [("input-files/prices", "disable", "drifted")]
    assert stage.apply().code == 0
    assert held(stage) == {}
    stage.write(agent(NIGHTLY, extra=FILES + "  inputFilesEnabled: true\n"))
    assert stage.apply().code == 0
    assert sorted(held(stage)) == ["urls.csv", "zones.txt"]
    assert stage.changes() == []


@pytest.mark.parametrize("words", [("job", "start"), ("agent", "start")])
@pytest.mark.parametrize("number", [0, 1], ids=["by path", "by id"])
def test_a_start_that_deletes_its_files_makes_them_due_when_it_is_over(
    stage: Stage, words: tuple[str, str], number: int
) -> None:
    applied(stage)
    stage.estate.agents[PRICES].duration = 3600.0
    by_hand(stage, *words, agents(stage)[number], "--input-file", "urls.csv", "--delete-input-files")
    plan = stage.run("plan", "--format", "json")
    assert [(one["address"], one["reason"]) for one in plan.document["blocked"]] == [("input-files/prices", "policy")]
    assert stage.apply().code == 3, "what is sent now would be deleted when the run ends"
    for run in stage.estate.agents[PRICES].runs:
        run.end = stage.clock()
    at_rest(stage)


def test_a_start_that_deletes_nothing_is_not_recorded(stage: Stage) -> None:
    applied(stage)
    by_hand(stage, "job", "start", PRICES, "--input-file", "urls.csv")
    assert stage.changes() == []


# --- what is unclear, refused, or not ours ---------------------------------------------------------------------------


@pytest.mark.parametrize("effect", ["drop-after", "drop-before", "500 after"])
def test_a_lost_reply_leaves_it_open_and_the_next_apply_says_it_again(stage: Stage, effect: str) -> None:
    applied(stage)
    stage.emulator.inject(f"POST toggleAgentApproval #* {effect}")
    ended = stage.run("acc", "agent", "disapprove", PRICES, "-m", "in a hurry", "--yes")
    assert ended.code == 1
    stage.emulator.clear_faults()
    assert stage.changes() == [("approval/prices", "approve", "interrupted")]
    assert "whether `reconciler acc agent disapprove`, by hand by " in stage.run("plan").said
    at_rest(stage)


def test_a_call_that_is_refused_changes_nothing(stage: Stage) -> None:
    applied(stage)
    stage.emulator.inject("DELETE input #1 400")
    stage.run("acc", "input", "delete", PRICES, "--yes")
    assert sorted(held(stage)) == ["urls.csv", "zones.txt"]
    assert stage.changes() == []
    said = json.loads(stage.run("history", "--format", "json").out)["runs"][0]
    assert (said["command"], said["result"]) == ("acc input delete", "failed")


def test_files_that_were_sent_in_part_are_sent_again(stage: Stage, tmp_path: Path) -> None:
    applied(stage)
    other = tmp_path / "urls.csv"
    other.write_bytes(b"two\n")
    stage.emulator.inject("POST files #* 400")
    zones = stage.root / "manifests" / "zones.txt"
    assert stage.run("acc", "input", "upload", PRICES, str(other), str(zones)).code == 1
    assert held(stage)["urls.csv"] == b"two\n"
    stage.emulator.clear_faults()
    assert stage.changes() == [("input-files/prices", "upload", "interrupted")]
    at_rest(stage)
    assert held(stage)["urls.csv"] == b"one\n"


def test_somebody_who_applies_keeps_it_out_before_anything_is_sent(stage: Stage) -> None:
    applied(stage)
    from reconciler.kinds.registry import memo_of
    from reconciler.ledger import Ledger, Owner

    place = "sqlite:///.reconciler/ledger.db"
    with (
        Ledger.open(
            place, "retail", "default", root=stage.root, create=True, clock=stage.clock, memo_of=memo_of
        ) as ledger,
        ledger.acquire(Owner("ada", "elsewhere", 1)),
    ):
        stage.emulator.clear_requests()
        ended = by_hand(stage, "input", "delete", PRICES, "--yes", code=6)
        assert "ada on elsewhere" in ended.err
        by_hand(stage, "agent", "disapprove", PRICES, "-m", "x", "--yes", code=6)
        assert stage.writes() == []
        by_hand(stage, "input", "delete", STOCK, "--yes")
    assert stage.changes() == []


def test_a_lock_that_is_broken_meanwhile_ends_the_call(stage: Stage) -> None:
    """Somebody breaks the lock while the call waits to be tried again: it is not sent under the next owner's feet."""
    applied(stage)
    fault = stage.emulator.inject("DELETE input #1 429 retry-after=1")
    process = stage.start("acc", "input", "delete", PRICES, "--yes")
    wait_for(lambda: fault.fired)
    os.kill(process.pid, signal.SIGSTOP)
    try:
        assert stage.run("unlock", "--force").code == 0
    finally:
        os.kill(process.pid, signal.SIGCONT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 6, err
    assert sorted(held(stage)) == ["urls.csv", "zones.txt"]
    assert stage.changes() == [("input-files/prices", "upload", "interrupted")]
    at_rest(stage)


def test_history_tells_who_did_what_by_hand(stage: Stage) -> None:
    applied(stage)
    by_hand(stage, "input", "delete", PRICES, "--yes")
    newest = json.loads(stage.run("history", "--format", "json").out)["runs"][0]
    assert (newest["command"], newest["result"]) == ("acc input delete", "applied")
    (change,) = newest["changes"]
    assert (change["address"], change["action"], change["status"]) == ("input-files/prices", "delete", "applied")
    assert stage.run("history", "--verify").code == 0


@pytest.mark.parametrize("verbose", [True, False])
def test_without_a_ledger_or_of_an_agent_that_nobody_declares_nothing_is_recorded(stage: Stage, verbose: bool) -> None:
    words = ["-v"] if verbose else []
    stage.write(agent(NIGHTLY, extra=APPROVED))
    ended = stage.run(*words, "acc", "agent", "approve", PRICES, "-m", "x")
    assert (ended.code, "not recorded: there is no ledger yet" in ended.err) == (0, verbose)
    assert not stage.ledger.exists()
    assert stage.apply().code == 0
    ended = stage.run(*words, "acc", "input", "delete", STOCK, "--yes")
    assert (ended.code, "not recorded: neither the ledger nor a manifest" in ended.err) == (0, verbose)
    assert stage.changes() == []


def test_manifests_with_errors_do_not_keep_a_call_from_being_recorded(stage: Stage) -> None:
    applied(stage)
    stage.write(agent(NIGHTLY.replace("cron", "crom"), extra=APPROVED + FILES))
    by_hand(stage, "input", "delete", PRICES, "--yes")
    stage.write(agent(NIGHTLY, extra=APPROVED + FILES))
    assert stage.changes() == [ALL_FILES]


def test_a_document_that_is_gone_since_is_forgotten_as_ever(stage: Stage) -> None:
    applied(stage)
    stage.write(agent(NIGHTLY))
    by_hand(stage, "agent", "disapprove", PRICES, "-m", "x", "--yes")
    assert ("approval/prices", "forget", "removed") in stage.changes()
    assert stage.apply().code == 0
    assert not stage.estate.agents[PRICES].approved
    assert stage.changes() == []


def test_a_delivery_that_cannot_be_written_starts_nothing_and_records_nothing(stage: Stage, tmp_path: Path) -> None:
    applied(stage)
    there = tmp_path / "data.zip"
    there.write_bytes(b"kept")
    words = ["--deliver", "zip", "-o", str(there), "--delete-input-files"]
    assert stage.run("acc", "agent", "start", PRICES, *words).code == 64
    assert stage.changes() == []
    assert stage.run("acc", "agent", "start", PRICES, *words, "--force").code == 0
    assert stage.changes() == [ALL_FILES]
    at_rest(stage)
