"""A wait for a run that ends too early, whatever ended it: the next apply follows that run, and starts none."""

from __future__ import annotations

import signal

import pytest
from stage import NIGHTLY, Stage, agent, task_trigger, wait_for

LONG = "  wait: {timeout: 10m, interval: 1s}\n"
SHORT = "  wait: {timeout: 1s, interval: 1s}\n"


def end_runs(stage: Stage) -> None:
    assert stage.estate.tenant is not None
    for run in stage.estate.tenant.runs.values():
        run.end = stage.clock()


def looks(stage: Stage) -> int:
    return sum("/v1/task-runs/" in one.path for one in stage.emulator.requests)


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 130), (signal.SIGKILL, -signal.SIGKILL)]
)
def test_a_wait_that_is_interrupted_is_followed_by_the_next_apply(
    stage: Stage, number: signal.Signals, code: int
) -> None:
    stage.write(task_trigger(task="Slow", extra=LONG))
    process = stage.start("apply", "--auto-approve", "--format", "json")
    wait_for(lambda: looks(stage) >= 2)
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == code, err
    if code == 130:
        assert '"status": "unverified"' in out
        assert "failed" not in err
    assert stage.changes() == [("trigger/publish", "adopt", "interrupted")]
    stage.write(task_trigger(task="Slow", extra=SHORT))
    assert stage.apply().code == 8, "followed, and still going"
    end_runs(stage)
    assert stage.apply().code == 0
    assert stage.plan()["changes"] == []
    assert stage.starts() == 1


def test_what_waits_for_a_run_waits_on_when_its_end_was_not_seen(stage: Stage) -> None:
    """Neither applied nor failed: what needs its end is held back, and comes when the end was seen."""
    after = task_trigger("after").replace('when: {revision: "1"}', "when: {changed: [trigger/publish]}")
    stage.write(task_trigger(task="Slow", extra=SHORT) + "---\n" + after + "---\n" + agent(NIGHTLY))
    ended = stage.apply("--format", "json")
    assert ended.code == 4
    found = {one["address"]: one["status"] for one in ended.document["outcomes"]}
    assert found == {"schedule/prices/nightly": "applied", "trigger/after": "skipped", "trigger/publish": "unverified"}
    end_runs(stage)
    assert stage.apply().code == 0
    assert stage.starts() == 2
    assert stage.plan()["changes"] == []
