"""An agent is who its id says, a schedule too: under new paths, handles and names nothing is lost or done twice."""

from __future__ import annotations

from pathlib import Path

import pytest
from stage import HAND_MADE, NIGHTLY, POLL, PRICES, STOCK, Stage, agent, opened, task_trigger

from reconciler.emulator import alias_agent, move_agent, remake_agent
from reconciler.identity import owned_id

APPROVED = "  approval: {state: approved}\n"
FILES = "  inputFiles: [{file: urls.csv}]\n"
SHOPS = "sequentum/Shops/prices"
PROTECTED = NIGHTLY + "      protect: true\n"
ADOPTED = f"""\
    - name: legacy
      id: {HAND_MADE}
      every: 1d
      startTime: 2019-05-30T15:36:00
      timeZone: AUS Eastern Standard Time
"""


def with_everything(stage: Stage, *schedules: str, **settings: str) -> str:
    """A document with files and approval, and a trigger that starts when any of it changes."""
    file = stage.root / "manifests" / "urls.csv"
    if not file.exists():
        file.write_text("a,b\n1,2\n", encoding="utf-8")
    handle = settings.get("name", "prices")
    changed = f'    changed: [input-files/{handle}, "schedule/{handle}/*"]\n'
    trigger = task_trigger().replace('when: {revision: "1"}\n', f'when:\n    revision: "1"\n{changed}')
    document = agent(*(schedules or (NIGHTLY, POLL)), extra=APPROVED + FILES, **settings)
    return f"{document}---\n{trigger}"


def renamed(stage: Stage) -> list[tuple[str, str, str]]:
    """What the plan wants, once it is sure that carrying it out sends nothing and leaves nothing to do."""
    changes = stage.changes()
    before = stage.writes()
    assert stage.apply().code == 0
    assert stage.writes() == before
    assert stage.changes() == []
    return changes


def test_a_path_in_another_case_is_the_same_agent(tmp_path: Path) -> None:
    for stage in opened(tmp_path, switches=["path_case=ignored"]):
        stage.write(with_everything(stage, PROTECTED, POLL))
        assert stage.apply().code == 0
        live = stage.owned()
        stage.write(with_everything(stage, PROTECTED, POLL, path=PRICES.lower()))
        assert renamed(stage) == []
        assert stage.owned() == live
        assert stage.starts() == 1


@pytest.mark.parametrize("extra", ["", f"  movedFrom: {PRICES}\n"])
def test_an_agent_that_moved_takes_everything_along(stage: Stage, extra: str) -> None:
    stage.write(with_everything(stage, PROTECTED, POLL, ADOPTED))
    assert stage.apply().code == 0
    live = stage.owned()
    move_agent(stage.estate, PRICES, SHOPS)
    document = with_everything(stage, PROTECTED, POLL, ADOPTED, path=SHOPS)
    stage.write(document.replace(f"  path: {SHOPS}\n", f"  path: {SHOPS}\n{extra}"))
    assert renamed(stage) == []
    assert stage.owned() == live
    stage.write(agent(POLL, path=SHOPS))  # what is protected stays so at the new place
    assert stage.plan()["blocked"][0]["reason"] == "protected"
    assert stage.apply().code == 3
    assert stage.owned() == live


def test_giving_up_the_old_path_of_an_agent_that_moved_deletes_nothing(stage: Stage) -> None:
    stage.write(with_everything(stage, PROTECTED, POLL))
    assert stage.apply().code == 0
    live = stage.owned()
    move_agent(stage.estate, PRICES, SHOPS)
    stage.write(with_everything(stage, PROTECTED, POLL, path=SHOPS))
    assert stage.apply("--forget-agent", PRICES).code == 0
    assert stage.changes() == []
    assert stage.owned() == live


def test_giving_up_an_agent_that_is_declared_no_more_forgets_nothing_while_it_lives_on(stage: Stage) -> None:
    """It moved, and whoever gives up its old path takes it for gone: what is protected there stays so."""
    stage.write(agent(PROTECTED, POLL), "prices.yaml")
    stage.write(agent(NIGHTLY, name="stock"))
    assert stage.apply().code == 0
    live = stage.owned()
    move_agent(stage.estate, PRICES, SHOPS)
    (stage.root / "manifests" / "prices.yaml").unlink()
    assert stage.apply().code == 4
    given_up = stage.apply("--forget-agent", PRICES)
    assert given_up.code == 0
    assert "lives on elsewhere" in given_up.said
    assert [one["code"] for one in stage.plan()["warnings"]] == ["agent-moved"]
    stage.write(agent(POLL, path=SHOPS), "prices.yaml")
    assert [(one["address"], one["reason"]) for one in stage.plan()["blocked"]] == [
        ("schedule/prices/nightly", "protected")
    ]
    assert stage.apply().code == 3
    assert stage.owned() == live


def test_a_moved_agent_is_found_without_a_ledger_by_what_the_manifest_says(stage: Stage) -> None:
    stage.write(agent(NIGHTLY, POLL))
    assert stage.apply().code == 0
    live = set(stage.owned())
    move_agent(stage.estate, PRICES, SHOPS)
    stage.ledger.unlink()
    later = NIGHTLY.replace("0 0 2", "0 0 3")
    stage.write(agent(later, POLL, path=SHOPS).replace("spec:\n", f"spec:\n  movedFrom: {PRICES}\n", 1))
    assert {(at, action) for at, action, _ in stage.changes()} == {
        ("schedule/prices/nightly", "update"),
        ("schedule/prices/poll", "adopt"),
    }
    assert stage.apply().code == 0
    assert set(stage.owned()) == live
    assert stage.changes() == []


@pytest.mark.parametrize("chosen", [(), ("--only", "schedule/prices/at-night")])
def test_what_may_be_protected_is_not_made_twice_and_then_deleted(stage: Stage, chosen: tuple[str, ...]) -> None:
    """Without a ledger, one that is protected and has a new name and other hours may be any that nobody declares."""
    stage.write(agent(PROTECTED, POLL))
    assert stage.apply().code == 0
    live = set(stage.owned())
    stage.ledger.unlink()
    moved = PROTECTED.replace("nightly", "at-night").replace("0 0 2", "0 0 3")
    stage.write(agent(moved, POLL))
    for _ in range(3):
        assert stage.apply(*chosen).code == 3
        assert set(stage.owned()) == live
    plan = stage.plan()
    assert {one["reason"] for one in plan["blocked"]} == {"protected", "lost-ledger"}
    former = owned_id("retail", "default", PRICES, "nightly")
    assert f"id: {former}" in stage.run("plan").said
    stage.write(agent(f"{moved}      id: {former}\n", POLL))
    assert stage.apply().code == 0
    assert set(stage.owned()) == live
    assert stage.live("nightly").cron == "0 0 3 * * MON-FRI"
    assert stage.changes() == []


def test_a_new_handle_takes_everything_along(stage: Stage) -> None:
    stage.write(with_everything(stage, PROTECTED, POLL, ADOPTED))
    assert stage.apply().code == 0
    live = stage.owned()
    stage.write(with_everything(stage, PROTECTED, POLL, ADOPTED, name="shop-prices", path=PRICES))
    assert renamed(stage) == [
        ("approval/shop-prices", "adopt", "renamed"),
        ("input-files/shop-prices", "adopt", "renamed"),
        ("schedule/shop-prices/legacy", "adopt", "renamed"),
        ("schedule/shop-prices/nightly", "adopt", "renamed"),
        ("schedule/shop-prices/poll", "adopt", "renamed"),
    ]
    assert stage.owned() == live
    assert stage.starts() == 1


def test_handles_that_change_places_do_not_change_agents(stage: Stage) -> None:
    one, other = agent(NIGHTLY, extra=APPROVED), agent(POLL, name="stock", extra=APPROVED)
    stage.write(f"{one}---\n{other}")
    assert stage.apply().code == 0
    live = stage.owned()
    one, other = agent(NIGHTLY, name="stock", path=PRICES, extra=APPROVED), agent(POLL, path=STOCK, extra=APPROVED)
    stage.write(f"{one}---\n{other}")
    assert {reason for _, _, reason in renamed(stage)} == {"renamed"}
    assert stage.owned() == live


def test_a_trigger_that_was_told_of_a_rename_still_sees_changes(stage: Stage) -> None:
    stage.write(with_everything(stage))
    assert stage.apply().code == 0
    stage.write(with_everything(stage, name="shop-prices", path=PRICES))
    renamed(stage)
    assert stage.starts() == 1
    (stage.root / "manifests" / "urls.csv").write_text("a,b\n1,3\n", encoding="utf-8")
    (start,) = (one for one in stage.plan()["changes"] if one["action"] == "start")
    assert start["message"] == "input-files/shop-prices changed"
    # The old handle, given to another agent, is not taken for the one that had it.
    stage.write(with_everything(stage, name="shop-prices", path=PRICES) + f"---\n{agent(NIGHTLY, path=STOCK)}")
    assert stage.apply().code == 0
    assert stage.starts() == 2
    assert stage.changes() == []


def test_a_new_name_changes_nothing_in_acc(stage: Stage) -> None:
    stage.write(agent(NIGHTLY, POLL))
    assert stage.apply().code == 0
    live = stage.owned()
    stage.write(agent(NIGHTLY.replace("nightly", "at-night"), POLL))
    assert renamed(stage) == [("schedule/prices/at-night", "adopt", "renamed")]
    assert stage.owned() == live
    stage.ledger.unlink()  # without memory too: nothing else on the agent means the same
    assert {reason for _, _, reason in renamed(stage)} <= {"renamed", "new"}
    assert stage.owned() == live


def test_a_new_name_and_a_change_at_once_are_told_apart_by_what_the_manifest_says(stage: Stage) -> None:
    stage.write(agent(NIGHTLY, POLL))
    assert stage.apply().code == 0
    live = set(stage.owned())
    later = NIGHTLY.replace("nightly", "at-night").replace("0 0 2", "0 0 3")
    stage.write(agent(later, POLL))
    assert sorted(action for _, action, _ in stage.changes()) == ["create", "delete"]
    stage.write(agent(f"{later}      movedFrom: nightly\n", POLL))
    assert stage.changes() == [("schedule/prices/at-night", "update", "edited")]
    assert stage.apply().code == 0
    assert set(stage.owned()) == live
    assert stage.changes() == []


def test_an_old_name_may_be_given_to_something_new(stage: Stage) -> None:
    stage.write(agent(NIGHTLY))
    assert stage.apply().code == 0
    moved = f"{NIGHTLY.replace('nightly', 'at-night')}      movedFrom: nightly\n"
    stage.write(agent(moved))
    renamed(stage)
    again = NIGHTLY.replace("0 0 2", "0 30 4")
    stage.write(agent(moved, again))
    assert stage.changes() == [("schedule/prices/nightly", "create", "new")]
    assert stage.apply().code == 0
    assert stage.changes() == []
    assert sorted(one.cron for one in stage.owned().values()) == ["0 0 2 * * MON-FRI", "0 30 4 * * MON-FRI"]
    assert stage.live("nightly").cron == "0 0 2 * * MON-FRI"  # its id stays what it was
    stage.ledger.unlink()
    assert stage.apply().code == 0
    assert stage.changes() == []
    assert len(stage.owned()) == 2


def test_a_protected_schedule_is_taken_over_only_by_a_block_that_protects_it(stage: Stage) -> None:
    stage.write(agent(PROTECTED, POLL))
    assert stage.apply().code == 0
    live = stage.owned()
    stage.write(agent(NIGHTLY.replace("nightly", "at-night"), POLL))
    plan = stage.plan()
    assert [(one["address"], one["reason"]) for one in plan["blocked"]] == [("schedule/prices/nightly", "protected")]
    stage.write(agent(PROTECTED.replace("nightly", "at-night"), POLL))
    assert renamed(stage) == [("schedule/prices/at-night", "adopt", "renamed")]
    assert stage.owned() == live


def test_of_two_that_mean_the_same_none_is_guessed(stage: Stage) -> None:
    stage.write(agent(NIGHTLY, NIGHTLY.replace("nightly", "twin"), POLL))
    assert stage.apply().code == 0
    stage.write(agent(NIGHTLY.replace("nightly", "at-night"), POLL))
    assert sorted(action for _, action, _ in stage.changes()) == ["create", "delete", "delete"]


def test_an_agent_made_anew_gets_everything_again(stage: Stage) -> None:
    stage.write(with_everything(stage))
    assert stage.apply().code == 0
    old = stage.estate.agents[PRICES].agent_id
    remake_agent(stage.estate, PRICES)
    plan = stage.plan()
    assert {one["address"]: (one["action"], one["reason"]) for one in plan["changes"]} == {
        "approval/prices": ("approve", "vanished"),
        "input-files/prices": ("upload", "vanished"),
        "schedule/prices/nightly": ("create", "vanished"),
        "schedule/prices/poll": ("create", "vanished"),
    }
    assert all("the agent was made anew" in one["message"] for one in plan["changes"])
    assert "agent-made-anew" in {one["code"] for one in plan["warnings"]}
    drift = stage.run("drift", "--format", "json")
    assert drift.code == 2
    assert {one["address"]: one["status"] for one in drift.document["findings"]} == {
        **{one["address"]: "missing" for one in plan["changes"]},
        "trigger/publish": "unverifiable",
    }
    assert stage.apply().code == 0
    assert stage.estate.agents[PRICES].agent_id != old
    assert stage.estate.agents[PRICES].approved
    assert stage.changes() == []
    assert stage.starts() == 1  # what it rests on is what it was


def test_a_saved_plan_does_not_outlive_the_agent_it_was_made_for(stage: Stage) -> None:
    stage.write(agent(NIGHTLY))
    assert stage.run("plan", "--out", str(stage.root / "saved.plan")).code == 0
    remake_agent(stage.estate, PRICES)
    assert stage.run("apply", str(stage.root / "saved.plan")).code == 7
    assert stage.owned() == {}


def test_an_agent_that_moved_and_was_replaced_is_not_touched_through_its_old_path(stage: Stage) -> None:
    stage.write(agent(PROTECTED, POLL))
    assert stage.apply().code == 0
    live = stage.owned()
    move_agent(stage.estate, PRICES, SHOPS)
    stage.estate.add_agent(PRICES)
    for _ in range(2):
        warnings = {one["code"]: one["message"] for one in stage.plan()["warnings"]}
        assert PRICES in warnings["agent-moved"]
        assert stage.apply().code == 0
        assert {key: one for key, one in stage.owned().items() if key in live} == live
    assert len(stage.owned()) == 4
    assert stage.changes() == []
    stage.write(agent(PROTECTED, POLL, name="shops", path=SHOPS) + f"---\n{agent(PROTECTED, POLL)}")
    assert stage.apply().code == 0
    assert stage.changes() == []
    assert len(stage.owned()) == 4


@pytest.mark.parametrize("arguments", [(), ("--only", "schedule/other/*"), ("--only", "schedule/prices/*")])
def test_two_documents_of_one_agent_are_an_error_that_names_both(stage: Stage, arguments: tuple[str, ...]) -> None:
    alias_agent(stage.estate, PRICES, SHOPS)
    stage.write(agent(NIGHTLY), "one.yaml")
    stage.write(agent(POLL, name="other", path=SHOPS), "other.yaml")
    for command in (("plan",), ("apply", "--auto-approve"), ("drift",)):
        ended = stage.run(*command, *arguments)
        assert ended.code == 1
        assert "one.yaml" in ended.said and "other.yaml" in ended.said
    assert stage.owned() == {}
    (stage.root / "manifests" / "other.yaml").unlink()
    assert stage.apply().code == 0
    stage.write(agent(POLL, name="other", path=SHOPS), "other.yaml")
    assert stage.run("apply", "--auto-approve", *arguments).code == 1
    assert len(stage.owned()) == 1


def test_a_second_path_of_an_agent_is_no_second_agent(stage: Stage) -> None:
    """The document changes to another path of the same agent, and what is there is counted once."""
    alias_agent(stage.estate, PRICES, SHOPS)
    stage.write(agent(PROTECTED, POLL))
    assert stage.apply().code == 0
    live = stage.owned()
    stage.write(agent(PROTECTED, POLL, path=SHOPS))
    assert renamed(stage) == []
    assert stage.owned() == live
    assert stage.plan()["summary"]["unmanaged"] == 1


def test_a_handle_given_to_another_agent_leaves_nothing_unsent(stage: Stage) -> None:
    stage.write(with_everything(stage))
    assert stage.apply().code == 0
    stage.write(with_everything(stage, path=STOCK))
    changes = {at: action for at, action, _ in stage.changes()}
    assert (changes["approval/prices"], changes["input-files/prices"]) == ("approve", "upload")
    assert stage.apply("--max-deletes", "2").code == 0
    assert stage.estate.agents[STOCK].approved
    assert {one.agent.path for one in stage.owned().values()} == {STOCK}
    assert stage.changes() == []


def test_what_an_id_line_replaces_stays_protected(stage: Stage) -> None:
    """The block's own schedule is set aside by an `id`, and its protection is not forgotten with its name."""
    stage.write(agent(PROTECTED, POLL))
    assert stage.apply().code == 0
    stage.write(agent(ADOPTED.replace("legacy", "nightly"), POLL))
    for _ in range(2):
        stage.apply()
        assert owned_id("retail", "default", PRICES, "nightly") in stage.owned()
    assert [one["reason"] for one in stage.plan()["blocked"]] == ["protected"]


def test_schedules_of_another_environment_or_of_an_earlier_name_are_told(stage: Stage) -> None:
    stage.project("  environments:\n    prod: {}\n    test: {}\n")
    stage.write(agent(NIGHTLY, POLL))
    assert stage.run("--env", "prod", "apply", "--auto-approve").code == 0
    warnings = {one["code"]: one["message"] for one in stage.plan("--env", "test")["warnings"]}
    assert "2 schedules" in warnings["other-environment"] and "environment prod" in warnings["other-environment"]
    assert stage.run("--env", "prod", "plan", "--format", "json").document["warnings"] == []
    file = stage.root / "reconciler.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("name: retail", "name: shops"), encoding="utf-8")
    warnings = {one["code"]: one["message"] for one in stage.plan("--env", "prod")["warnings"]}
    assert "retail/prod" in warnings["earlier-name"] and "metadata.name: retail" in warnings["earlier-name"]
    assert stage.plan("--env", "prod", "--only", "schedule/prices/poll")["warnings"]


def test_a_document_says_once_where_it_comes_from(stage: Stage) -> None:
    stage.write(agent(f"{NIGHTLY}      movedFrom: daily\n", f"{POLL}      movedFrom: daily\n"))
    ended = stage.run("validate")
    assert ended.code == 1
    assert "declared twice" in ended.said
    stage.write(agent(f"{NIGHTLY}      movedFrom: nightly\n"))
    assert "what it was called before" in stage.run("validate").said


def test_an_agent_that_is_gone_for_good_is_forgotten_under_whatever_path_its_successor_has(stage: Stage) -> None:
    stage.write(agent(NIGHTLY, POLL))
    assert stage.apply().code == 0
    remake_agent(stage.estate, PRICES)
    alias_agent(stage.estate, PRICES, SHOPS)
    stage.write(agent(NIGHTLY, POLL, path=SHOPS))
    assert stage.apply().code == 0
    assert stage.changes() == []
    assert len(stage.owned()) == 2


def test_a_person_who_settles_a_start_after_a_rename_and_a_loss_settles_that_one(stage: Stage) -> None:
    stage.write(with_everything(stage))
    assert stage.apply().code == 0
    stage.ledger.unlink()
    assert stage.apply().code == 3  # what is live is learnt again; whether the task was started nobody knows
    stage.write(with_everything(stage, name="shop-prices", path=PRICES))
    assert stage.apply().code == 3
    assert stage.run("resolve", "trigger/publish", "--ran").code == 0
    assert stage.apply().code == 0
    assert stage.starts() == 1
    assert stage.changes() == []


def test_another_agent_of_the_same_content_starts_nothing(stage: Stage) -> None:
    """What counts for a trigger is what its patterns match holds, not who holds it; a chain of triggers too."""
    chained = (
        task_trigger("chained").replace('when: {revision: "1"}\n', "when: {changed: [trigger/publish]}\n") + "---\n"
    )
    stage.write(chained + with_everything(stage))
    assert stage.apply().code == 0
    assert stage.starts() == 2
    other = agent(NIGHTLY, name="former", path=PRICES, extra=APPROVED + FILES)
    stage.write(f"{chained}{with_everything(stage, path=STOCK)}---\n{other}")
    assert stage.apply("--max-deletes", "9").code == 0
    assert stage.starts() == 2
    stage.write(f"{chained}{with_everything(stage, NIGHTLY, path=STOCK)}---\n{other}")  # one schedule less
    assert stage.apply("--max-deletes", "9").code == 0
    assert stage.starts() == 4


def test_a_moved_from_that_was_followed_means_nothing_more(stage: Stage) -> None:
    """It may stay for ever: the old name belongs to whoever bears it next, and goes with that one."""
    stage.write(agent(PROTECTED))
    assert stage.apply().code == 0
    first = stage.live("nightly")
    moved = f"{PROTECTED.replace('nightly', 'at-night')}      movedFrom: nightly\n"
    stage.write(agent(moved))
    assert stage.apply().code == 0
    stage.write(agent(moved, POLL.replace("poll", "nightly")))
    assert stage.apply().code == 0
    (second,) = [one for one in stage.owned().values() if one is not first]
    stage.emulator.clear_requests()
    stage.write(agent(moved))
    assert stage.apply().code == 0
    assert stage.writes() == [f"DELETE /api/job/schedule/{second.schedule_id}"]
    assert list(stage.owned().values()) == [first]


def test_a_name_used_again_on_a_moved_agent_takes_nothing_from_who_had_it_before(stage: Stage) -> None:
    """The id that the old path and the old name make is the other one's since it was renamed."""
    stage.write(agent(NIGHTLY))
    assert stage.apply().code == 0
    first = stage.live("nightly")
    renamed = NIGHTLY.replace("nightly", "at-night")
    stage.write(agent(renamed))
    assert stage.apply().code == 0
    move_agent(stage.estate, PRICES, SHOPS)
    stage.write(
        agent(renamed, POLL.replace("poll", "nightly"), path=SHOPS).replace(
            "spec:\n", f"spec:\n  movedFrom: {PRICES}\n", 1
        )
    )
    assert stage.changes() == [("schedule/prices/nightly", "create", "new")]
    assert stage.apply().code == 0
    assert first in stage.owned().values()
    assert first.cron == "0 0 2 * * MON-FRI"
    assert stage.changes() == []


def test_a_name_used_again_takes_no_schedule_that_is_protected_under_another(stage: Stage) -> None:
    stage.write(agent(PROTECTED))
    assert stage.apply().code == 0
    kept = stage.live("nightly")
    stage.write(agent(PROTECTED.replace("nightly", "at-night")))
    assert stage.apply().code == 0
    stage.write(agent(POLL.replace("poll", "nightly")))
    assert stage.apply().code == 3  # at-night is protected, and declared no more
    assert len(stage.owned()) == 2
    assert kept.cron == "0 0 2 * * MON-FRI"
    stage.write(agent())
    assert stage.apply("--max-deletes", "9").code == 3
    assert list(stage.owned().values()) == [kept]


def test_a_slip_in_a_path_costs_no_memory_of_names(stage: Stage) -> None:
    """Nothing is known of an agent that cannot be read, so nothing is decided about what bears its handle."""
    stage.write(agent(NIGHTLY, POLL))
    assert stage.apply().code == 0
    nightly, poll = stage.live("nightly"), stage.live("poll")
    stage.write(agent(NIGHTLY, POLL, path=PRICES + "x"))
    assert stage.apply().code == 4
    stage.emulator.clear_requests()
    stage.write(agent(NIGHTLY.replace("0 0 2", "0 0 3"), POLL))
    assert stage.changes() == [("schedule/prices/nightly", "update", "edited")]
    assert stage.apply().code == 0
    assert list(stage.owned().values()) == [nightly, poll]


def test_the_handle_of_an_agent_that_was_given_up_can_be_used_again(stage: Stage) -> None:
    """It lives on at a place that nobody knows, so what is remembered of it has neither a handle nor a path."""
    stage.write(agent(NIGHTLY) + "---\n" + agent(POLL, name="stock"))
    assert stage.apply().code == 0
    move_agent(stage.estate, PRICES, SHOPS)
    stage.write(agent(POLL, name="stock"))
    assert stage.apply("--forget-agent", PRICES).code == 0
    stage.write(agent(POLL, NIGHTLY, name="prices", path=STOCK))
    assert stage.apply().code == 0
    assert stage.changes() == []
    assert stage.run("history", "--verify").code == 0


def test_a_block_that_takes_the_name_of_one_that_is_gone_keeps_its_own_schedule(stage: Stage) -> None:
    stage.write(agent(PROTECTED, POLL))
    assert stage.apply().code == 0
    nightly = stage.live("nightly")
    stage.write(agent(f"{PROTECTED.replace('nightly', 'poll')}      movedFrom: nightly\n"))
    assert [(at, action) for at, action, _ in stage.changes()] == [
        ("schedule/prices/poll", "adopt"),
        (f"schedule/{PRICES}/{owned_id('retail', 'default', PRICES, 'poll')}", "delete"),
    ]
    assert stage.apply().code == 0
    assert list(stage.owned().values()) == [nightly]
    assert stage.changes() == []


@pytest.mark.parametrize("block", [NIGHTLY, PROTECTED])
def test_what_bore_the_old_name_once_more_and_is_gone_again_is_another_one(stage: Stage, block: str) -> None:
    """`movedFrom` may stay for ever: it was followed once, and is not followed to what came later."""
    stage.write(agent(block))
    assert stage.apply().code == 0
    moved = f"{block.replace('nightly', 'at-night')}      movedFrom: nightly\n"
    stage.write(agent(moved))
    renamed(stage)
    live = stage.owned()
    stage.write(agent(moved, NIGHTLY.replace("0 0 2", "0 30 4")))
    assert stage.apply().code == 0
    assert len(stage.owned()) == 2
    stage.write(agent(moved))
    assert [action for _, action, _ in stage.changes()] == ["delete"]
    assert stage.apply().code == 0
    assert stage.owned() == live
    assert stage.changes() == []


@pytest.mark.parametrize("applied", [True, False])
def test_no_second_document_is_written_for_an_agent_with_two_paths(stage: Stage, applied: bool) -> None:
    stage.write(agent(NIGHTLY))
    if applied:
        assert stage.apply().code == 0
    alias_agent(stage.estate, PRICES, SHOPS)
    alias_agent(stage.estate, STOCK, "sequentum/Shops/stock")
    for paths in ([SHOPS], [STOCK, "sequentum/Shops/stock"]):
        ended = stage.run("import", *(word for path in paths for word in ("--agent", path)), "--out", "manifests")
        assert ended.code == 64
        assert "are one agent" in ended.said
        assert paths[0] in ended.said
    assert sorted(path.name for path in (stage.root / "manifests").iterdir()) == ["retail.yaml"]
    assert stage.run("import", "--agent", STOCK, "--out", str(stage.root / "manifests")).code == 0
    assert stage.run("plan").code == 0


def test_destroy_does_not_claim_to_be_done_while_something_lives_on_elsewhere(stage: Stage) -> None:
    stage.write(agent(NIGHTLY) + "---\n" + agent(NIGHTLY, name="stock"))
    assert stage.apply().code == 0
    move_agent(stage.estate, PRICES, SHOPS)
    stage.estate.add_agent(PRICES, duration=0.0)
    for _ in range(2):
        ended = stage.run("destroy", "--auto-approve")
        assert ended.code == 3, ended.said
        assert [one.agent.path for one in stage.owned().values()] == [SHOPS]
    stage.write(agent(NIGHTLY, path=SHOPS) + "---\n" + agent(NIGHTLY, name="stock"))
    assert stage.run("destroy", "--auto-approve").code == 0
    assert stage.owned() == {}


def test_what_may_be_protected_is_let_go_by_word(stage: Stage) -> None:
    stage.write(agent(PROTECTED, POLL))
    assert stage.apply().code == 0
    stage.ledger.unlink()
    stage.write(agent(PROTECTED.replace("nightly", "at-night").replace("0 0 2", "0 0 3"), POLL))
    assert stage.apply().code == 3
    assert stage.apply("--accept-new-ledger").code == 0
    assert sorted(one.cron for one in stage.owned().values()) == ["0 0 3 * * MON-FRI", "0 15 0 0"]
    assert stage.changes() == []


def test_an_agent_is_not_given_up_while_nobody_can_be_asked_for_it(stage: Stage) -> None:
    stage.write(agent(PROTECTED), "prices.yaml")
    stage.write(agent(NIGHTLY, name="stock"))
    assert stage.apply().code == 0
    moved = stage.estate.agents[PRICES].agent_id
    move_agent(stage.estate, PRICES, SHOPS)
    (stage.root / "manifests" / "prices.yaml").unlink()
    stage.emulator.inject(f"GET {moved}/schedules$ 503")
    given_up = stage.apply("--forget-agent", PRICES)
    assert given_up.code == 1
    assert "cannot be asked now" in given_up.said
    assert any(one["reason"] == "unreadable" for one in stage.plan()["blocked"]), "nothing was forgotten"


def test_a_wrong_path_and_a_handle_that_another_agent_has_cost_no_names(stage: Stage) -> None:
    """While nobody knows which agent a document means, its schedules are set aside with the names that they had."""
    stage.write(f"{agent(NIGHTLY, POLL)}---\n{agent(NIGHTLY, name='rooms', path=STOCK)}")
    assert stage.apply().code == 0
    live = set(stage.owned())
    move_agent(stage.estate, PRICES, SHOPS)
    later = NIGHTLY.replace("0 0 2", "0 0 3")
    other = agent(NIGHTLY, name="prices", path=STOCK)
    stage.write(f"{agent(later, POLL, name='news', path='sequentum/Slip')}---\n{other}")
    assert stage.apply().code in (1, 3, 4)
    stage.write(f"{agent(later, POLL, name='news', path=SHOPS)}---\n{other}")
    assert stage.apply().code == 0
    assert set(stage.owned()) == live
    assert stage.changes() == []
