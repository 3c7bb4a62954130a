"""`apply --resend`: what nobody can read back is sent once more because somebody asks, and only then."""

from __future__ import annotations

import pytest
from stage import NIGHTLY, PRICES, Ended, Stage, agent, task_trigger

WAIT = "  wait: {timeout: 5s, interval: 1s}\n"
SHORT = "  wait: {timeout: 1s, interval: 1s}\n"
FILES = "  inputFiles:\n    - file: urls.csv\n    - file: zones.txt\n"
APPROVED = "  approval: {state: approved}\n"


def written(stage: Stage, *, extra: str = APPROVED + FILES, trigger: str = WAIT, task: str = "Publish prices") -> None:
    for name in ("urls.csv", "zones.txt"):
        (stage.root / "manifests" / name).write_bytes(b"one\n")
    stage.write(agent(NIGHTLY, extra=extra) + "---\n" + task_trigger(task=task, extra=trigger))


def applied(stage: Stage, *patterns: str, code: int = 0) -> list[tuple[str, str, str]]:
    """What an apply with these patterns did, by address."""
    words = [word for pattern in patterns for word in ("--resend", pattern)]
    ended = stage.apply("--format", "json", *words)
    assert ended.code == code, ended.err
    return [(one["address"], one["action"], one["status"]) for one in ended.document["outcomes"]]


def test_each_kind_is_sent_once_more_and_then_at_rest(stage: Stage) -> None:
    written(stage)
    assert stage.apply().code == 0
    assert applied(stage) == []
    stage.estate.agents[PRICES].input_files.clear()
    stage.estate.agents[PRICES].approved = False
    assert applied(stage, "input-files/*") == [("input-files/prices", "upload", "applied")]
    assert sorted(stage.estate.agents[PRICES].input_files) == ["urls.csv", "zones.txt"]
    assert not stage.estate.agents[PRICES].approved, "only what was asked for"
    assert applied(stage, "approval/prices") == [("approval/prices", "approve", "applied")]
    assert stage.estate.agents[PRICES].approved
    assert stage.starts() == 1
    assert applied(stage, "trigger/publish") == [("trigger/publish", "start", "applied")]
    assert stage.starts() == 2
    assert applied(stage) == []
    assert len(applied(stage, "*/prices*", "trigger/*")) == 3, "several patterns; schedules are compared, not sent"
    assert stage.starts() == 3
    assert applied(stage) == []


def test_the_plan_that_is_asked_about_says_why(stage: Stage) -> None:
    written(stage)
    assert stage.apply().code == 0
    said = stage.apply("--resend", "*/prices", "--resend", "trigger/publish").said
    assert "retry: --resend asks for it once more; 2 files to send" in said
    assert "retry: --resend asks for it once more; declared approved" in said
    assert "retry: --resend asks for one more start; it ran before" in said
    assert "the manifest changed" not in said


@pytest.mark.parametrize("extra", ["  inputFilesExclusive: true\n", "  inputFilesEnabled: false\n"])
def test_switches_of_a_set_are_sent_with_it(stage: Stage, extra: str) -> None:
    written(stage, extra=FILES + extra)
    assert stage.apply().code == 0
    held = stage.estate.agents[PRICES].input_files
    by_hand = type(next(iter(held.values())))("by-hand.csv", b"x") if held else None
    if by_hand is not None:
        held["by-hand.csv"] = by_hand
    stage.emulator.clear_requests()
    (done,) = applied(stage, "input-files/prices")
    if "Exclusive" in extra:
        assert done[1] == "upload"
        assert sorted(held) == ["urls.csv", "zones.txt"]
    else:
        assert done[1] == "disable"
        assert len(stage.writes()) == 1
    assert applied(stage) == []


def test_with_a_filter_only_what_is_left_can_be_meant(stage: Stage) -> None:
    written(stage)
    assert stage.apply().code == 0
    assert stage.apply("--only", "approval/*", "--resend", "*/prices").code == 0
    assert len(stage.estate.file_log) == 2
    refused = stage.apply("--only", "approval/*", "--resend", "trigger/publish")
    assert refused.code == 64
    assert stage.starts() == 1


def refused(stage: Stage, *words: str) -> Ended:
    stage.emulator.clear_requests()
    ended = stage.apply(*words)
    assert ended.code == 64
    assert stage.writes() == []
    return ended


def test_what_it_cannot_mean_is_wrong_usage(stage: Stage) -> None:
    written(stage)
    assert stage.apply().code == 0
    assert "did you mean 'trigger/publish'?" in refused(stage, "--resend", "trigger/publsh").said
    assert "matches schedules only" in refused(stage, "--resend", "schedule/*").said
    assert stage.run("plan", "--out", str(stage.root / "p.plan")).code == 0
    said = refused(stage, str(stage.root / "p.plan"), "--resend", "trigger/publish").said
    assert "a saved plan sends what it shows" in said
    assert stage.run("plan", "--resend", "trigger/publish").code == 64


def test_a_failed_run_is_started_again_as_the_advice_says(stage: Stage) -> None:
    written(stage, task="Fails once")
    failed = stage.apply()
    assert failed.code == 4
    assert "`reconciler apply --resend trigger/publish`" in failed.said
    assert stage.apply().code == 0, "another apply alone starts nothing"
    assert stage.starts() == 1
    assert "`reconciler apply --resend trigger/publish`" in stage.run("plan").said
    assert applied(stage, "trigger/publish") == [("trigger/publish", "start", "applied")]
    assert stage.starts() == 2
    assert "trigger-failed" not in stage.run("plan").said


def test_a_resent_start_has_its_retries_anew(stage: Stage) -> None:
    written(stage, task="Fails", trigger=WAIT + "  retries: 1\n")
    assert stage.apply().code == 4
    assert stage.starts() == 2
    assert applied(stage, "trigger/publish", code=4) == [("trigger/publish", "start", "failed")]
    assert stage.starts() == 4
    assert stage.apply().code == 0
    assert stage.starts() == 4


def test_no_second_start_while_the_first_is_unknown_or_running(stage: Stage) -> None:
    written(stage, task="Slow", trigger=SHORT)
    assert stage.apply().code == 8
    waits = stage.apply("--resend", "trigger/publish")
    assert waits.code == 8
    assert "not started again while its run" in waits.said
    assert stage.starts() == 1
    assert stage.estate.tenant is not None
    for run in stage.estate.tenant.runs.values():
        run.end = stage.clock()
    assert stage.apply("--resend", "trigger/publish").code == 0, "followed to its end: the pattern asked too early"
    assert stage.starts() == 1
    stage.estate.tenant.tasks["dddddddd-64a4-4c57-8d6b-6c8f3f0a7d21"].duration = 0.0
    stage.emulator.inject("POST tasks #1 drop-after")
    assert stage.apply("--resend", "trigger/publish").code == 5
    assert stage.starts() == 2
    assert stage.apply("--resend", "trigger/publish").code == 3, "in doubt: nothing starts it but a person's word"
    assert stage.starts() == 2
    assert stage.run("resolve", "trigger/publish", "--ran").code == 0
    assert stage.apply("--resend", "trigger/publish").code == 0
    assert stage.starts() == 3


def test_a_start_that_nobody_waits_for_is_started_once_more(stage: Stage) -> None:
    written(stage, trigger="  wait: false\n")
    assert stage.apply().code == 0
    assert applied(stage, "trigger/*") == [("trigger/publish", "start", "applied")]
    assert stage.starts() == 2
