"""Input files, approval and triggers, end to end: what no product shows is remembered, and nothing happens twice."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from stage import NIGHTLY, PASSWORD, PRICES, Stage, agent, task_trigger

from reconciler.emulator.acc_state import InputFile

Open = Callable[..., Stage]
FILES = "  inputFiles:\n    - file: urls.csv\n    - file: zones.txt\n"
WAIT = "  wait: {timeout: 5s, interval: 1s}\n"


def put(stage: Stage, name: str, content: bytes) -> None:
    (stage.root / "manifests" / name).write_bytes(content)


def held(stage: Stage) -> dict[str, bytes]:
    return {name: file.content for name, file in stage.estate.agents[PRICES].input_files.items()}


# --- input files -----------------------------------------------------------------------------------------------------


def test_files_arrive_byte_for_byte_and_only_what_changed_is_sent(stage: Stage) -> None:
    odd = "url,näme\r\nhttps://shop.example/1,\N{SNOWMAN}\n".encode() + b"\xff\xfe last line without an end"
    put(stage, "urls.csv", odd)
    put(stage, "zones.txt", b"a\r\n\r\nb")
    stage.write(agent(extra=FILES))
    assert stage.apply().code == 0
    assert held(stage) == {"urls.csv": odd, "zones.txt": b"a\r\n\r\nb"}
    assert stage.plan()["changes"] == []
    put(stage, "zones.txt", b"c")
    stage.emulator.clear_requests()
    assert stage.changes() == [("input-files/prices", "upload", "edited")]
    assert stage.apply().code == 0
    assert held(stage)["zones.txt"] == b"c"
    assert [call.rpartition("/")[2] for call in stage.writes()] == ["files"]


def test_a_removed_file_stays_unless_the_set_is_exclusive(stage: Stage) -> None:
    put(stage, "urls.csv", b"a\n")
    put(stage, "zones.txt", b"b\n")
    stage.estate.agents[PRICES].input_files["by-hand.csv"] = InputFile("by-hand.csv", b"x")
    stage.write(agent(extra=FILES))
    assert stage.apply().code == 0
    stage.write(agent(extra="  inputFiles:\n    - file: urls.csv\n"))
    plan = stage.plan()
    assert [(one["address"], one["action"]) for one in plan["changes"]] == [("input-files/prices", "forget")]
    assert "stays-on-server" in {one["code"] for one in plan["warnings"]}
    assert stage.apply().code == 0
    assert sorted(held(stage)) == ["by-hand.csv", "urls.csv", "zones.txt"]
    assert stage.plan()["changes"] == []
    stage.write(agent(extra="  inputFilesExclusive: true\n  inputFiles:\n    - file: urls.csv\n"))
    assert stage.changes() == [("input-files/prices", "upload", "edited")]
    assert stage.apply().code == 0
    assert sorted(held(stage)) == ["urls.csv"]
    assert stage.plan()["changes"] == []


def test_an_exclusive_set_is_not_replaced_while_the_agent_runs(stage: Stage) -> None:
    put(stage, "urls.csv", b"a\n")
    stage.write(agent(extra="  inputFilesExclusive: true\n  inputFiles:\n    - file: urls.csv\n"))
    prices = stage.estate.agents[PRICES]
    prices.duration = 3600.0
    from reconciler.emulator.execution import StartRequest

    run = stage.emulator.acc.execution.start_run(prices, StartRequest(), stage.clock())
    refused = stage.run("plan")
    assert refused.code == 3
    assert "Apply again when it has ended" in refused.said
    assert "spec.policy" not in refused.said, "no policy can allow it"
    assert stage.apply().code == 3
    assert held(stage) == {}
    run.end = stage.clock()
    assert stage.apply().code == 0
    assert held(stage) == {"urls.csv": b"a\n"}


def test_disable_and_enable_again(stage: Stage) -> None:
    put(stage, "urls.csv", b"a\n")
    put(stage, "zones.txt", b"b\n")
    stage.write(agent(extra=FILES))
    assert stage.apply().code == 0
    stage.write(agent(extra=FILES + "  inputFilesEnabled: false\n"))
    assert stage.changes() == [("input-files/prices", "disable", "edited")]
    assert stage.apply().code == 0
    assert not any(file.enabled for file in stage.estate.agents[PRICES].input_files.values())
    assert stage.plan()["changes"] == []
    put(stage, "urls.csv", b"changed\n")
    assert stage.plan()["changes"] == []
    assert stage.apply().code == 0
    stage.write(agent(extra=FILES + "  inputFilesEnabled: true\n"))
    assert stage.apply().code == 0
    assert held(stage) == {"urls.csv": b"changed\n", "zones.txt": b"b\n"}
    assert all(file.enabled for file in stage.estate.agents[PRICES].input_files.values())
    assert stage.plan()["changes"] == []


def test_disabled_from_the_start_and_then_enabled_replaces_an_exclusive_set(stage: Stage) -> None:
    put(stage, "urls.csv", b"a\n")
    put(stage, "zones.txt", b"b\n")
    stage.estate.agents[PRICES].input_files["by-hand.csv"] = InputFile("by-hand.csv", b"x")
    extra = FILES + "  inputFilesExclusive: true\n"
    stage.write(agent(extra=extra + "  inputFilesEnabled: false\n"))
    assert stage.apply().code == 0
    assert stage.apply().code == 0
    assert sorted(held(stage)) == ["by-hand.csv"]
    stage.write(agent(extra=extra + "  inputFilesEnabled: true\n"))
    assert stage.apply().code == 0
    assert sorted(held(stage)) == ["urls.csv", "zones.txt"]


# --- approval --------------------------------------------------------------------------------------------------------


def test_an_approval_is_said_once_and_leads_back_to_commit_and_plan(stage: Stage) -> None:
    stage.estate.agents[PRICES].approved = False
    stage.write(agent(extra="  approval: {state: approved, message: Reviewed in change 412}\n"))
    assert stage.changes() == [("approval/prices", "approve", "new")]
    assert stage.apply().code == 0
    assert stage.estate.agents[PRICES].approved
    (entry,) = stage.estate.file_log
    assert entry.message.startswith("Reviewed in change 412 (reconciler retail/default, commit ")
    assert "plan sha256:" in entry.message
    stage.write(agent(extra="  approval: {state: approved, message: Other words}\n"))
    assert stage.apply().code == 0
    assert len(stage.estate.file_log) == 1
    stage.write(agent(extra="  approval: {state: disapproved}\n"))
    assert stage.apply().code == 0
    assert not stage.estate.agents[PRICES].approved
    stage.write(agent())
    assert stage.changes() == [("approval/prices", "forget", "removed")]
    assert stage.apply().code == 0
    assert not stage.estate.agents[PRICES].approved
    assert len(stage.estate.file_log) == 2


# --- triggers --------------------------------------------------------------------------------------------------------


def test_a_task_is_started_once_for_each_key(stage: Stage) -> None:
    stage.write(agent(NIGHTLY) + "---\n" + task_trigger(extra=WAIT))
    ended = stage.apply("--format", "json")
    assert ended.code == 0
    (start,) = [one for one in ended.document["outcomes"] if one["action"] == "start"]
    assert (start["status"], start["evidence"], bool(start["run_id"])) == ("applied", "verified", True)
    assert stage.apply().code == 0
    assert stage.starts() == 1
    stage.write(agent(NIGHTLY) + "---\n" + task_trigger(revision="2", extra=WAIT))
    assert stage.changes() == [("trigger/publish", "start", "due")]
    assert stage.apply().code == 0
    assert stage.starts() == 2


def test_a_start_waits_for_what_it_names_and_is_held_back_by_it(stage: Stage) -> None:
    changed = '  when:\n    revision: "1"\n    changed: ["schedule/prices/*"]\n'
    trigger = task_trigger(extra=WAIT).replace('  when: {revision: "1"}\n', changed)
    stage.write(agent(NIGHTLY) + "---\n" + trigger)
    stage.emulator.inject("POST schedule #1 400")
    assert stage.apply().code == 4
    assert stage.starts() == 0
    assert stage.apply().code == 0
    assert stage.starts() == 1
    stage.write(agent(NIGHTLY.replace("0 0 2", "0 0 3")) + "---\n" + trigger)
    assert stage.apply().code == 0
    assert stage.starts() == 2
    calls = stage.writes()
    assert calls.index("POST /v1/tasks/start") > calls.index(next(call for call in calls if "schedule" in call))


def test_a_failed_run_and_its_retries(stage: Stage) -> None:
    stage.write(task_trigger(task="Fails", extra=WAIT + "  retries: 2\n"))
    assert stage.apply().code == 4
    assert stage.starts() == 3
    again = stage.run("plan", "--format", "json")
    assert again.document["changes"] == []
    assert [one["code"] for one in again.document["warnings"]] == ["trigger-failed"]
    assert stage.apply().code == 0
    assert stage.starts() == 3
    stage.write(task_trigger(task="Fails once", extra=WAIT + "  retries: 1\n"))
    assert stage.apply().code == 0
    assert stage.starts() == 5


def test_a_start_that_is_refused_after_a_failed_run_leaves_that_run_remembered(stage: Stage) -> None:
    stage.write(task_trigger(task="Fails", extra=WAIT + "  retries: 1\n"))
    stage.emulator.inject("POST tasks #2 400")
    assert stage.apply().code == 4
    assert stage.changes() == [("trigger/publish", "start", "retry")]
    assert stage.apply().code == 4
    assert stage.starts() == 2
    assert stage.apply().code == 0
    assert stage.starts() == 2, "one start and one retry, whatever happened between"


@pytest.mark.parametrize(("effect", "took_place"), [("drop-after", True), ("drop-before", False), ("500 after", True)])
@pytest.mark.parametrize("truth", [True, False], ids=["told right", "told wrong"])
def test_a_lost_reply_is_settled_by_a_person(stage: Stage, effect: str, took_place: bool, truth: bool) -> None:
    stage.write(agent(NIGHTLY) + "---\n" + task_trigger(extra=WAIT))
    stage.emulator.inject(f"POST tasks #1 {effect}")
    lost = stage.apply()
    assert lost.code == 5
    assert ".." not in lost.said
    assert "reconciler resolve" in lost.said
    assert stage.live("nightly"), "nothing else is held back"
    for _ in range(2):
        assert stage.apply().code == 3
    assert stage.run("drift").code == 0
    stage.write(agent(NIGHTLY) + "---\n" + task_trigger(revision="2", extra=WAIT))
    assert stage.apply().code == 3, "a new revision does not get around it"
    stage.write(agent(NIGHTLY) + "---\n" + task_trigger(extra=WAIT))
    before = stage.starts()
    assert before == int(took_place)
    shown = stage.run("resolve", "trigger/publish")
    assert shown.code == 64
    assert "licence" in shown.err
    ran = took_place if truth else not took_place
    assert stage.run("resolve", "trigger/publish", "--ran" if ran else "--not-ran").code == 0
    assert stage.apply().code == 0
    assert stage.starts() == before + (0 if ran else 1)
    assert stage.run("resolve", "trigger/publish", "--ran").code == 64, "nothing is in doubt any more"


def test_resolving_with_the_run_s_id_follows_it(stage: Stage) -> None:
    stage.write(task_trigger(extra=WAIT))
    stage.emulator.inject("POST tasks #1 drop-after")
    assert stage.apply().code == 5
    assert stage.estate.tenant is not None
    (run_id,) = stage.estate.tenant.runs
    assert stage.run("resolve", "trigger/publish", "--ran", "--run-id", run_id).code == 0
    assert stage.changes() == [("trigger/publish", "adopt", "interrupted")]
    assert stage.apply().code == 0
    assert stage.plan()["changes"] == []
    assert stage.starts() == 1


def test_a_run_that_the_product_forgot_is_settled_by_a_person(stage: Stage) -> None:
    stage.write(task_trigger(task="Slow", extra="  wait: {timeout: 1s, interval: 1s}\n"))
    assert stage.apply().code == 8
    assert stage.estate.tenant is not None
    stage.estate.tenant.runs.clear()
    lost = stage.apply()
    assert lost.code == 8
    assert "`reconciler resolve trigger/publish --ran`" in lost.said
    assert stage.run("resolve", "trigger/publish", "--ran").code == 0
    assert stage.plan()["changes"] == []


def test_a_run_that_goes_on_is_followed_by_the_next_apply(stage: Stage) -> None:
    stage.write(task_trigger(task="Slow", extra="  wait: {timeout: 1s, interval: 1s}\n"))
    ended = stage.apply("--format", "json")
    assert ended.code == 8, "it was started, and its end was not seen: neither applied nor failed"
    (outcome,) = ended.document["outcomes"]
    assert (outcome["status"], outcome["evidence"]) == ("unverified", "attested")
    assert "still going (" in outcome["detail"], "what Automate MFT calls it is shown"
    assert stage.changes() == [("trigger/publish", "adopt", "interrupted")]
    again = stage.apply()
    assert again.code == 8
    assert "Run `reconciler apply` again later" in again.said
    assert "Fix the cause" not in again.said
    assert "failed" not in again.said
    assert stage.starts() == 1
    assert stage.estate.tenant is not None
    (run,) = stage.estate.tenant.runs.values()
    run.end = stage.clock()
    assert stage.apply().code == 0
    assert stage.plan()["changes"] == []
    assert stage.starts() == 1


def test_a_new_key_while_an_earlier_run_is_open_starts_exactly_once(stage: Stage) -> None:
    """The open run belongs to the key that it was started for: its end must not be taken for the new start's."""
    slow = "  wait: {timeout: 1s, interval: 1s}\n"
    stage.write(task_trigger(task="Slow", extra=slow))
    assert stage.apply().code == 8
    stage.write(task_trigger(task="Slow", revision="2", extra=slow))
    held = stage.apply("--format", "json")
    assert held.code == 4
    assert [one["status"] for one in held.document["outcomes"]] == ["skipped"], "nothing was sent for the new revision"
    assert stage.starts() == 1
    assert stage.changes() == [("trigger/publish", "start", "due")]
    assert stage.estate.tenant is not None
    for run in stage.estate.tenant.runs.values():
        run.end = stage.clock()
    stage.estate.tenant.tasks["dddddddd-64a4-4c57-8d6b-6c8f3f0a7d21"].duration = 0.0
    assert stage.apply().code == 0
    assert stage.starts() == 2
    assert stage.plan()["changes"] == []


def test_wait_false_starts_and_leaves(stage: Stage) -> None:
    stage.write(task_trigger(task="Slow", extra="  wait: false\n"))
    assert stage.apply().code == 0
    assert stage.plan()["changes"] == []
    assert stage.starts() == 1


def test_a_plan_that_would_exceed_the_licence_is_refused(stage: Stage) -> None:
    assert stage.estate.tenant is not None
    licence = stage.estate.tenant.licence
    licence.used, licence.limit = 99, 100
    stage.write(agent(NIGHTLY) + "---\n" + task_trigger(extra=WAIT) + "---\n" + task_trigger("other", extra=WAIT))
    refused = stage.apply()
    assert refused.code == 3
    assert "licence" in refused.err
    assert stage.writes() == []
    assert stage.apply("--only", "trigger/publish", "--only", "schedule/*").code == 0
    assert stage.starts() == 1


def test_secrets_of_a_task_are_seen_nowhere(stage: Stage) -> None:
    stage.write(
        agent(NIGHTLY + '      inputParameters: {password: "${env:PASSWORD}", plain: visible}\n')
        + "---\n"
        + task_trigger(extra=WAIT + '  parameters: {key: "${env:PASSWORD}"}\n')
    )
    for form in ("text", "json", "markdown", "html"):
        assert "visible" in stage.run("plan", "--format", form).out
    assert stage.run("plan", "--out", str(stage.root / "p.plan")).code == 0
    assert stage.apply("--format", "json").code == 0
    assert stage.live("nightly").input_parameters is not None
    assert PASSWORD in str(stage.live("nightly").input_parameters)
    stage.write(agent(NIGHTLY + '      inputParameters: {moved: "${env:PASSWORD}"}\n') + "---\n" + task_trigger())
    for line in ("plan", "-v plan", "plan --format json", "drift --format json", "history"):
        stage.run(*line.split())
    stage.write(agent(NIGHTLY + "      inputParameters: {}\n"))
    for form in ("text", "json", "markdown", "html"):
        stage.run("plan", "--format", form)
    stage.write(agent())
    stage.run("plan", "--format", "json")
    for path in [stage.root / "p.plan", *stage.ledger.parent.iterdir()]:
        assert PASSWORD.encode() not in path.read_bytes()
        assert b"shop.example" not in path.read_bytes()


# --- a lost ledger ---------------------------------------------------------------------------------------------------


def test_a_lost_ledger_starts_nothing_until_somebody_accepts_it(stage: Stage) -> None:
    text = agent(NIGHTLY, extra="  approval: {state: approved}\n") + "---\n" + task_trigger(extra=WAIT)
    stage.write(text)
    assert stage.apply().code == 0
    for path in stage.ledger.parent.iterdir():
        path.unlink()
    assert stage.run("plan").code == 3
    learnt, again = ("schedule/prices/nightly", "adopt", "new"), ("approval/prices", "approve", "differs")
    assert set(stage.changes()) == {learnt, again}
    for _ in range(3):
        assert stage.apply().code == 3, "also after the schedules were learnt again"
    assert stage.apply("--only", "trigger/publish").code == 3
    assert stage.starts() == 1
    assert len(stage.owned()) == 1
    assert stage.apply("--accept-new-ledger").code == 0
    assert stage.starts() == 2
    assert stage.apply().code == 0
    assert stage.starts() == 2


def test_a_filter_does_not_hide_that_the_ledger_was_lost(stage: Stage) -> None:
    stage.write(agent(NIGHTLY) + "---\n" + task_trigger(extra=WAIT))
    assert stage.apply().code == 0
    for path in stage.ledger.parent.iterdir():
        path.unlink()
    assert stage.apply("--only", "trigger/publish").code == 3
    assert stage.starts() == 1


def test_a_first_apply_with_an_unreadable_agent_is_no_lost_ledger(stage: Stage) -> None:
    stage.write(agent(NIGHTLY) + "---\n" + agent(NIGHTLY, name="stock") + "---\n" + task_trigger(extra=WAIT))
    stage.emulator.inject("GET agentPath=.*stock #* 404")
    assert stage.apply().code == 4
    assert stage.starts() == 0
    stage.emulator.clear_faults()
    assert stage.apply().code == 0
    assert stage.starts() == 1
