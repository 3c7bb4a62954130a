"""`resolve` with a ledger that is new, empty or not there: a person's word about one trigger stands in for memory."""

from __future__ import annotations

import pytest
from stage import NIGHTLY, Stage, agent, task_trigger

WAIT = "  wait: {timeout: 5s, interval: 1s}\n"
BOTH = agent(NIGHTLY) + "---\n" + task_trigger(extra=WAIT) + "---\n" + task_trigger("other", extra=WAIT)


def lose_ledger(stage: Stage) -> None:
    for path in stage.ledger.parent.iterdir():
        path.unlink()


def blocked(stage: Stage) -> dict[str, str]:
    return {one["address"]: one["reason"] for one in stage.plan()["blocked"]}


@pytest.mark.parametrize("learnt", [False, True], ids=["no ledger at all", "an empty one"])
def test_each_trigger_is_settled_by_itself(stage: Stage, learnt: bool) -> None:
    stage.write(BOTH)
    assert stage.apply().code == 0
    lose_ledger(stage)
    if learnt:
        assert stage.apply().code == 3
    assert blocked(stage) == {"trigger/publish": "lost-ledger", "trigger/other": "lost-ledger"}
    assert "`reconciler resolve trigger/other --ran` or `--not-ran`" in stage.run("plan").said
    shown = stage.run("resolve", "trigger/publish")
    assert shown.code == 64
    assert "the ledger is new, and knows no start of it" in shown.err
    assert "licence, task executions: not known before" in shown.err
    assert stage.run("resolve", "trigger/publish", "--ran").code == 0
    assert blocked(stage) == {"trigger/other": "lost-ledger"}, "a word about one is no word about the other"
    assert stage.run("resolve", "trigger/other", "--not-ran").code == 0
    assert stage.apply().code == 0
    assert stage.starts() == 3, "the one that is said not to have run"
    assert stage.run("plan", "--detailed-exitcode").code == 0
    assert stage.run("history", "--verify").code == 0


def test_a_word_is_about_the_key_as_it_is_declared_now(stage: Stage) -> None:
    stage.write(BOTH)
    assert stage.apply().code == 0
    lose_ledger(stage)
    for name in ("publish", "other"):
        assert stage.run("resolve", f"trigger/{name}", "--ran").code == 0
    assert stage.apply().code == 0
    stage.write(BOTH.replace('revision: "1"', 'revision: "2"'))
    assert stage.apply().code == 0
    assert stage.starts() == 4
    third = BOTH.replace('revision: "1"', 'revision: "2"') + "---\n" + task_trigger("third", extra=WAIT)
    stage.write(third)
    assert blocked(stage) == {"trigger/third": "lost-ledger"}, "of this one nobody said anything"
    assert stage.apply("--accept-new-ledger").code == 0
    assert stage.starts() == 5


def test_a_run_that_somebody_found_is_followed(stage: Stage) -> None:
    stage.write(agent(NIGHTLY) + "---\n" + task_trigger(task="Slow", extra="  wait: {timeout: 1s, interval: 1s}\n"))
    assert stage.apply().code == 8
    lose_ledger(stage)
    assert stage.estate.tenant is not None
    (run_id,) = stage.estate.tenant.runs
    assert stage.run("resolve", "trigger/publish", "--ran", "--run-id", run_id).code == 0
    assert ("trigger/publish", "adopt", "interrupted") in stage.changes()
    stage.estate.tenant.runs[run_id].end = stage.clock()
    assert stage.apply().code == 0
    assert stage.starts() == 1


def test_only_what_is_declared_can_be_settled_so(stage: Stage) -> None:
    stage.write(BOTH)
    assert stage.apply().code == 0
    lose_ledger(stage)
    unknown = stage.run("resolve", "trigger/nobody", "--ran")
    assert unknown.code == 64
    assert "no manifest declares trigger/nobody" in unknown.err
    assert not stage.ledger.exists(), "wrong usage makes no ledger"
    assert stage.run("resolve", "trigger/publish", "--ran").code == 0
    settled = stage.run("resolve", "trigger/publish", "--not-ran")
    assert settled.code == 64
    assert "`reconciler apply --resend trigger/publish` starts it once more" in settled.said


def test_a_word_is_about_all_that_the_trigger_rests_on(stage: Stage) -> None:
    (stage.root / "manifests" / "urls.csv").write_bytes(b"url\n")
    changed = 'when: {revision: "1", changed: ["schedule/prices/*", "input-files/prices", "approval/*"]}'
    files = "  approval: {state: approved}\n  inputFiles:\n    - file: urls.csv\n"
    stage.write(
        agent(NIGHTLY, extra=files) + "---\n" + task_trigger(extra=WAIT).replace('when: {revision: "1"}', changed)
    )
    assert stage.apply().code == 0
    lose_ledger(stage)
    assert stage.run("resolve", "trigger/publish", "--ran").code == 0
    assert stage.apply().code == 0
    assert stage.starts() == 1, "its key is that of the manifests as they are"
    (stage.root / "manifests" / "urls.csv").write_bytes(b"url\nmore\n")
    assert stage.apply().code == 0
    assert stage.starts() == 2
