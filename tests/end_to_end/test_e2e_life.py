"""The life of a project, as it is typed: validate, plan, apply, edit, drift, remove; and what stays as it is."""

from __future__ import annotations

import json

from stage import HAND_MADE, NIGHTLY, POLL, PRICES, STOCK, Stage, agent


def test_the_whole_life(stage: Stage) -> None:
    before = stage.hand_made()
    stage.write(agent(NIGHTLY, POLL) + "---\n" + agent(NIGHTLY, name="stock"))
    assert stage.run("validate").code == 0

    planned = stage.run("plan")
    assert planned.code == 0
    assert "schedule/prices/nightly" in planned.out
    assert stage.writes() == []
    assert stage.run("plan", "--detailed-exitcode").code == 2

    assert stage.apply().code == 0
    assert len(stage.owned()) == 3
    nightly = stage.live("nightly")
    assert (nightly.cron, nightly.time_zone_id) == ("0 0 2 * * MON-FRI", "AUS Eastern Standard Time")
    assert (nightly.is_enabled, nightly.is_windowless, nightly.log_level) == (True, True, 1)
    assert stage.live("poll").cron == "0 15 0 0"

    assert stage.run("plan", "--detailed-exitcode").code == 0
    stage.emulator.clear_requests()
    assert stage.apply().code == 0
    assert stage.writes() == []

    stage.write(agent(NIGHTLY.replace("0 0 2", "0 0 3"), POLL) + "---\n" + agent(NIGHTLY, name="stock"))
    assert stage.changes() == [("schedule/prices/nightly", "update", "edited")]
    assert stage.apply().code == 0
    assert stage.live("nightly").cron == "0 0 3 * * MON-FRI"

    assert stage.run("drift").code == 0
    stage.live("poll").cron = "0 30 0 0"
    stage.live("nightly", STOCK).log_level = 3
    assert stage.run("drift").code == 2
    assert stage.changes() == [("schedule/prices/poll", "update", "drifted")], "logLevel is not declared, so not ours"
    assert stage.apply().code == 0
    assert stage.live("poll").cron == "0 15 0 0"
    assert stage.live("nightly", STOCK).log_level == 3

    stage.write(agent(NIGHTLY.replace("0 0 2", "0 0 3")) + "---\n" + agent(NIGHTLY, name="stock"))
    assert stage.changes() == [("schedule/prices/poll", "delete", "removed")]
    assert stage.apply().code == 0
    assert len(stage.owned()) == 2
    assert stage.run("plan", "--detailed-exitcode").code == 0
    assert stage.hand_made() == before
    assert stage.plan()["unmanaged"] == [{"agent": "prices", "id": HAND_MADE}]


def test_an_agent_whose_document_is_gone_is_still_looked_at(stage: Stage) -> None:
    stage.write(agent(NIGHTLY, POLL) + "---\n" + agent(NIGHTLY, name="stock"))
    assert stage.apply().code == 0
    stage.write(agent(NIGHTLY, POLL))
    assert stage.changes() == [("schedule/stock/nightly", "delete", "removed")]
    assert stage.apply().code == 0
    assert [one.schedule_id for one in stage.schedules(STOCK)] == []
    stage.emulator.clear_requests()
    assert stage.plan()["changes"] == []
    assert not any("stock" in one.query for one in stage.emulator.requests), "nothing of ours is left there"


def test_undeclared_fields_survive(stage: Stage) -> None:
    stage.write(agent(NIGHTLY))
    assert stage.apply().code == 0
    nightly = stage.live("nightly")
    nightly.log_level, nightly.session_id, nightly.input_parameters = 3, "1-5/5", '{"z": "1", "a": "ü"}'
    nightly.is_windowless = False
    assert stage.plan()["changes"] == []
    stage.write(agent(NIGHTLY.replace("0 0 2", "0 0 4")))
    assert stage.apply().code == 0
    nightly = stage.live("nightly")
    assert (nightly.cron, nightly.log_level, nightly.session_id) == ("0 0 4 * * MON-FRI", 3, "1-5/5")
    assert not nightly.is_windowless
    assert nightly.input_parameters is not None
    assert json.loads(nightly.input_parameters) == {"a": "ü", "z": "1"}


def test_on_and_off_use_the_product_s_own_calls(stage: Stage) -> None:
    stage.write(agent(NIGHTLY + "      enabled: true\n"))
    assert stage.apply().code == 0
    stage.write(agent(NIGHTLY + "      enabled: false\n"))
    stage.emulator.clear_requests()
    assert stage.changes() == [("schedule/prices/nightly", "disable", "edited")]
    assert stage.apply().code == 0
    identity = stage.live("nightly").schedule_id
    assert stage.writes() == [f"POST /api/job/schedule/{identity}/off"]
    stage.live("nightly").is_enabled = True
    assert stage.changes() == [("schedule/prices/nightly", "disable", "drifted")]


def test_bulk_calls_are_never_made(stage: Stage) -> None:
    stage.write(agent(NIGHTLY, POLL))
    stage.apply()
    stage.write(agent(NIGHTLY + "      enabled: false\n"))
    stage.apply()
    stage.run("destroy", "--auto-approve")
    assert stage.writes()
    assert not any(call.endswith(("/schedules", "/schedules/on", "/schedules/off")) for call in stage.writes())


def test_a_schedule_that_somebody_deleted_comes_back(stage: Stage) -> None:
    stage.write(agent(NIGHTLY, POLL))
    stage.apply()
    stage.estate.remove_schedule(stage.live("poll").schedule_id)
    assert stage.run("drift").code == 2
    assert stage.changes() == [("schedule/prices/poll", "create", "vanished")]
    assert stage.apply().code == 0
    assert stage.live("poll").cron == "0 15 0 0"


def test_adoption_by_id(stage: Stage) -> None:
    block = (
        f"    - name: legacy\n      id: {HAND_MADE.upper()}\n      every: 1d\n"
        "      startTime: 2019-05-30T15:36:00\n      timeZone: Australia/Melbourne\n"
    )
    before = stage.hand_made()
    stage.write(agent(block.replace("every: 1d", "every: 2d")))
    assert stage.run("apply", "--auto-approve").code == 3, "it was not made here, and differs"
    assert stage.hand_made() == before
    stage.write(agent(block))
    assert stage.changes() == [("schedule/prices/legacy", "adopt", "new")]
    stage.emulator.clear_requests()
    assert stage.apply().code == 0
    assert stage.writes() == []
    assert stage.plan()["changes"] == []
    stage.write(agent(block.replace("every: 1d", "every: 2d")))
    assert stage.apply().code == 0
    adopted = stage.estate.schedule(HAND_MADE)
    assert (adopted.cron, adopted.input_parameters) == ("0 0 0 2", '{"b":"2","a":"1"}')
    stage.write(agent(NIGHTLY))
    assert ("schedule/prices/legacy", "delete", "removed") in stage.changes()


def test_protection(stage: Stage) -> None:
    stage.write(agent(NIGHTLY, POLL + "      protect: true\n"))
    assert stage.apply().code == 0
    stage.write(agent(NIGHTLY))
    assert stage.run("plan").code == 3
    assert stage.apply().code == 3
    assert stage.run("destroy", "--auto-approve").code == 3
    assert [one.cron for one in stage.owned().values()] == ["0 15 0 0"]
    stage.write(agent(NIGHTLY, POLL + "      protect: false\n"))
    assert stage.apply().code == 0
    stage.write(agent(NIGHTLY))
    assert stage.apply().code == 0
    assert len(stage.owned()) == 1


def test_import_then_plan_then_apply_changes_nothing(stage: Stage) -> None:
    prices = stage.estate.agents[PRICES]
    stage.estate.add_schedule(
        prices,
        cron="0 0 6 ? * 5#3",
        start_time="2031-01-01T06:00:00.1234567",
        time_zone_id="W. Europe Standard Time",
        input_parameters='{"tricky": "${env:HOME} and \\"quotes\\": #no comment", "n": 3}',
        log_level=3,
        session_id="1-5/5",
        is_windowless=False,
        is_enabled=False,
    )
    stage.estate.add_schedule(prices, cron="0 30 2 0", input_parameters=None)
    before = [dict(vars(one)) for one in stage.schedules()]
    imported = stage.run("import", "--agent", PRICES, "--agent", STOCK)
    assert imported.code == 0, imported.err
    assert stage.run("validate").code == 0
    assert {action for _, action, _ in stage.changes()} == {"adopt"}
    assert stage.apply().code == 0
    assert stage.plan()["changes"] == []
    assert stage.writes() == []
    assert [dict(vars(one)) for one in stage.schedules()] == before
    assert stage.run("import", "--agent", PRICES).code == 64


def test_destroy(stage: Stage) -> None:
    stage.write(agent(NIGHTLY, POLL) + "---\n" + agent(NIGHTLY, name="stock"))
    stage.apply()
    before = stage.hand_made()
    assert stage.run("destroy", "--auto-approve", "--only", "schedule/stock/*").code == 0
    assert len(stage.owned()) == 2
    assert stage.run("destroy", "--auto-approve").code == 0
    assert stage.owned() == {}
    assert stage.hand_made() == before
    assert stage.apply().code == 0
    assert len(stage.owned()) == 3


def test_selectors(stage: Stage) -> None:
    stage.write(agent(NIGHTLY, POLL) + "---\n" + agent(NIGHTLY, name="stock"))
    assert stage.apply("--only", "schedule/*/nightly", "--exclude", "*/prices/*").code == 0
    assert [one.agent.path for one in stage.owned().values()] == [STOCK]
    assert stage.run("plan", "--only", "schedule/*/nope").code == 64
    stage.apply()
    stage.write(agent(NIGHTLY))
    assert stage.plan("--only", "schedule/prices/*")["changes"] == [], "a filtered plan prunes nothing"


def test_events_are_written_as_they_happen(stage: Stage) -> None:
    stage.write(agent(NIGHTLY, POLL))
    log = stage.root / "events.jsonl"
    assert stage.apply("--events", str(log)).code == 0
    events = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    for address in ("schedule/prices/nightly", "schedule/prices/poll"):
        began, ended = [event for event in events if event["address"] == address]
        assert (began["event"], began["action"]) == ("began", "create")
        assert (ended["event"], ended["status"], ended["evidence"]) == ("outcome", "applied", "verified")


def test_an_agent_that_is_gone_from_acc_for_good_is_given_up_by_word_only(stage: Stage) -> None:
    stage.write(agent(NIGHTLY) + "---\n" + agent(NIGHTLY, name="stock"))
    assert stage.apply().code == 0
    gone = stage.estate.agents.pop(STOCK)
    stage.write(agent(NIGHTLY))
    unread = stage.run("plan")
    assert unread.code == 1
    assert f"--forget-agent {STOCK}" in unread.said.replace("\n    ", " ").replace("\n", " ")
    assert stage.run("apply", "--auto-approve", "--forget-agent", PRICES).code == 64, "it is declared"
    assert stage.run("apply", "--auto-approve", "--forget-agent", "nowhere").code == 64
    assert stage.apply("--forget-agent", STOCK).code == 0
    assert stage.run("plan", "--detailed-exitcode").code == 0
    assert gone.path == STOCK


def test_a_page_tells_how_an_apply_went(stage: Stage) -> None:
    stage.write(agent(NIGHTLY))
    page = stage.root / "apply.html"
    assert stage.apply("--html", str(page)).code == 0
    shown = page.read_text(encoding="utf-8")
    assert shown.startswith("<!doctype html>")
    assert "nightly" in shown
