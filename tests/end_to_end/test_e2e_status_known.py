"""What `status` says of triggers and of what is attested: what is known, how, and nothing beyond."""

from __future__ import annotations

from typing import Any

import pytest
from stage import NIGHTLY, Stage, agent, task_trigger

SHORT = "  wait: {timeout: 1s, interval: 1s}\n"
WAIT = "  wait: {timeout: 5s, interval: 1s}\n"
LEAVES = "  wait: false\n"


def standing(stage: Stage, code: int) -> Any:
    """The trigger's row, from a status that ends with this code."""
    ended = stage.run("status", "--format", "json")
    assert ended.code == code, ended.out
    return next(one for one in ended.document["resources"] if one["address"] == "trigger/publish")


def end_runs(stage: Stage, outcome: str = "success") -> None:
    assert stage.estate.tenant is not None
    for run in stage.estate.tenant.runs.values():
        run.end, run.outcome = stage.clock(), outcome


@pytest.mark.parametrize(("wait", "code"), [(SHORT, 8), (LEAVES, 0)])
def test_a_run_whose_end_nobody_saw_is_asked_for(stage: Stage, wait: str, code: int) -> None:
    stage.write(task_trigger(task="Slow", extra=wait))
    assert stage.apply().code == code
    found = standing(stage, 0)
    assert found["health"] == "running"
    assert " is queued; " in found["notes"][0] or " is running; " in found["notes"][0]
    end_runs(stage)
    found = standing(stage, 0)
    assert (found["health"], "ended: success" in found["notes"][0]) == ("healthy", True)
    end_runs(stage, "failed")
    found = standing(stage, 2)
    assert (found["health"], "ended: failed" in found["notes"][0]) == ("failing", True)
    assert stage.starts() == 1


def test_a_run_that_automate_mft_does_not_know_any_more(stage: Stage) -> None:
    assert stage.estate.tenant is not None
    stage.write(task_trigger(task="Slow", extra=LEAVES))
    assert stage.apply().code == 0
    stage.estate.tenant.runs.clear()
    found = standing(stage, 0)
    assert found["health"] == "unknown", "started, and no more is known; nobody asked to know"
    stage.write(task_trigger(task="Slow", revision="2", extra=SHORT))
    assert stage.apply().code == 8
    stage.estate.tenant.runs.clear()
    found = standing(stage, 2)
    assert found["health"] == "unknown"
    assert "`reconciler resolve trigger/publish --ran`" in found["notes"][0]


def test_a_run_that_cannot_be_read_makes_the_answer_incomplete(stage: Stage) -> None:
    stage.write(task_trigger(task="Slow", extra=SHORT))
    assert stage.apply().code == 8
    stage.emulator.inject("GET task-runs #* 500")
    found = standing(stage, 1)
    assert (found["health"], "cannot be read" in found["notes"][0]) == ("unknown", True)


def test_words_of_a_person_are_told_as_such(stage: Stage) -> None:
    stage.write(task_trigger(extra=WAIT))
    stage.emulator.inject("POST tasks #1 drop-after")
    assert stage.apply().code == 5
    assert standing(stage, 2)["health"] == "unknown"
    assert stage.run("resolve", "trigger/publish", "--ran").code == 0
    assert standing(stage, 0)["notes"] == ["it ran, by a person's word (`reconciler resolve`)"]


def test_after_a_loss_nothing_is_said_to_have_never_run(stage: Stage) -> None:
    stage.write(agent(NIGHTLY) + "---\n" + task_trigger(extra=WAIT))
    assert standing(stage, 0)["health"] == "never ran"
    assert stage.apply().code == 0
    for path in stage.ledger.parent.iterdir():
        path.unlink()
    found = standing(stage, 2)
    assert (found["health"], found["notes"]) == ("unknown", ["the ledger is new: whether it ran is not known"])


def test_what_is_attested_is_counted_at_the_end(stage: Stage) -> None:
    (stage.root / "manifests" / "urls.csv").write_bytes(b"url\n")
    stage.write(agent(extra="  approval: {state: approved}\n  inputFiles:\n    - file: urls.csv\n"))
    assert stage.apply().code == 0
    assert "1 set of input files and 1 approval are attested: accepted by the product" in stage.run("status").said
    assert stage.run("acc", "input", "delete", "sequentum/Retail/prices", "--yes").code == 0
    said = stage.run("status").said
    assert "1 approval is attested" in said
    assert "input files" not in said
