"""Agents that the ledger knows are looked at while the manifests are still being read: nobody can tell from outside."""

from __future__ import annotations

from stage import PASSWORD, PRICES, STOCK, Stage, agent, wait_for

NIGHTLY = """\
    - name: nightly
      cron: "0 0 2 * * MON-FRI"
      startTime: 2026-01-01T02:00:00
      timeZone: Australia/Sydney
"""
WITH_SECRET = NIGHTLY + '      inputParameters: {password: "${env:PASSWORD}"}\n'


def looked_at(stage: Stage, *arguments: str) -> list[str]:
    """The agents that a plan asks ACC for, in no order."""
    stage.emulator.clear_requests()
    stage.run("plan", *arguments)
    return sorted(one.query for one in stage.emulator.requests if one.path == "/api/agent")


def test_every_agent_is_looked_at_once_whether_the_ledger_knows_it_or_not(stage: Stage) -> None:
    stage.write(agent(NIGHTLY, name="prices"))
    stage.apply()
    assert looked_at(stage) == [f"agentPath={PRICES}"]
    stage.write(agent(NIGHTLY, name="stock"), "stock.yaml")
    assert looked_at(stage) == [f"agentPath={PRICES}", f"agentPath={STOCK}"]
    assert stage.changes() == [("schedule/stock/nightly", "create", "new")]


def test_a_selection_asks_only_for_what_it_names(stage: Stage) -> None:
    stage.write(agent(NIGHTLY, name="prices") + "---\n" + agent(NIGHTLY, name="stock"))
    stage.apply()
    assert looked_at(stage, "--only", "schedule/stock/*") == [f"agentPath={STOCK}"]


def test_an_agent_whose_document_is_gone_is_still_looked_at(stage: Stage) -> None:
    stage.write(agent(NIGHTLY, name="prices"))
    stage.write(agent(NIGHTLY, name="stock"), "stock.yaml")
    stage.apply()
    (stage.root / "manifests" / "stock.yaml").unlink()
    assert stage.changes() == [("schedule/stock/nightly", "delete", "removed")]


def test_manifests_that_are_wrong_are_said_and_nothing_else(stage: Stage) -> None:
    stage.write(agent(NIGHTLY, name="prices"))
    stage.apply()
    stage.write(agent(NIGHTLY.replace("cron:", "crom:"), name="prices"))
    ended = stage.run("plan")
    assert ended.code == 1
    assert ended.out == ""
    assert "crom" in ended.err


def test_an_error_that_was_worded_before_a_secret_was_known_does_not_show_it(stage: Stage) -> None:
    path = f"sequentum/Retail/{PASSWORD}"
    stage.estate.add_agent(path)
    stage.write(agent(WITH_SECRET, name="prices", path=path))
    stage.apply()
    stage.emulator.inject("GET /api/agent 403")
    ended = stage.run("plan")
    assert ended.code == 1
    assert "(secret)" in ended.out
    assert PASSWORD not in ended.out + ended.err


def test_an_apply_that_waited_for_another_plans_from_what_that_one_left(stage: Stage) -> None:
    stage.write(agent(NIGHTLY, name="prices"))
    stage.apply()
    stage.write(agent(NIGHTLY.replace("0 0 2", "0 0 3"), name="prices"))
    stage.emulator.inject("POST schedule$ #1 sleep=1.5")
    first = stage.start("apply", "--auto-approve")
    wait_for(lambda: stage.run("unlock").code == 6)
    # A process of its own: in this one a wait for the lock would be over at once.
    second = stage.start("apply", "--auto-approve", "--lock-timeout", "5m")
    for process in (first, second):
        _, said = process.communicate(timeout=120)
        assert process.returncode == 0, said
    assert stage.changes() == []
