"""Everything that can go wrong with a request, at every request of a small run: nothing doubled, lost or foreign."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from stage import NIGHTLY, POLL, Ended, Stage, agent, as_bytes, task_trigger

Open = Callable[..., Stage]

pytestmark = pytest.mark.usefixtures("no_waiting")

EFFECTS = (
    "400",
    "401",
    "404",
    "500",
    "503 retry-after=0",
    "429 retry-after=0",
    "500 after",
    "drop-before",
    "drop-after",
    "cut",
    "html after",
    "redirect",
    "truncate",
    "garbage",
    "empty",
)


FILES = "  approval: {state: approved}\n  inputFiles:\n    - file: urls.csv\n"
ENABLED = "      enabled: true\n"
DISABLED = "      enabled: false\n"


def first_state(stage: Stage) -> None:
    """What is applied before anything goes wrong: a schedule to change, one to switch, one to delete."""
    (stage.root / "manifests" / "urls.csv").write_bytes(b"url\nhttps://shop.example/1\n")
    old = POLL.replace("poll", "old").replace("15m", "45m")
    stage.write(agent(NIGHTLY, POLL + ENABLED, old, extra=FILES))
    assert stage.apply().code == 0


def second_state(stage: Stage) -> None:
    """An update, a disable, two creates, a deletion, an approval, a changed file, and a start."""
    (stage.root / "manifests" / "urls.csv").write_bytes(b"url\nhttps://shop.example/2\n")
    extra = FILES.replace("approved", "disapproved")
    new = POLL.replace("poll", "new").replace("15m", "6h")
    stage.write(
        agent(NIGHTLY.replace("0 0 2", "0 0 3"), POLL + DISABLED, new, extra=extra)
        + "---\n"
        + agent(NIGHTLY, name="stock")
        + "---\n"
        + task_trigger(extra="  wait: {timeout: 5s, interval: 1s}\n")
    )


def is_reached(stage: Stage) -> bool:
    states = {(one.agent.name, one.cron, one.is_enabled) for one in stage.owned().values()}
    prices = stage.estate.agents["sequentum/Retail/prices"]
    return (
        states
        == {
            ("prices", "0 0 3 * * MON-FRI", True),
            ("prices", "0 15 0 0", False),
            ("prices", "0 0 6 0", True),
            ("stock", "0 0 2 * * MON-FRI", True),
        }
        and not prices.approved
        and prices.input_files["urls.csv"].content.endswith(b"/2\n")
    )


def check_nothing_is_wrong(stage: Stage, ended: Ended, before: object) -> None:
    assert ended.code in (0, 1, 3, 4, 5, 8), (ended.code, ended.err)
    assert stage.hand_made() == before
    assert stage.starts() <= 1
    per_agent = Counter((one.agent.name, one.cron) for one in stage.owned().values())
    assert max(per_agent.values()) == 1, "nothing twice"


def converge(stage: Stage, ended: Ended) -> None:
    """The next apply without faults reaches what is declared; a person is asked only about an unknown start."""
    stage.emulator.clear_faults()
    if ended.code == 5:
        assert stage.run("plan").code == 3
        assert stage.apply().code == 3
        word = "--ran" if stage.starts() else "--not-ran"
        assert stage.run("resolve", "trigger/publish", word).code == 0
    again = stage.apply()
    assert again.code == 0, again.err
    assert is_reached(stage)
    assert stage.starts() == 1
    assert stage.run("plan", "--detailed-exitcode").code == 0, stage.run("plan").out


def count_of_requests(open_stage: Open) -> int:
    stage = open_stage()
    first_state(stage)
    second_state(stage)
    stage.emulator.clear_requests()
    assert stage.apply().code == 0
    assert is_reached(stage)
    return len(stage.emulator.requests)


@pytest.mark.parametrize("effect", EFFECTS)
def test_a_fault_at_every_request(open_stage: Open, effect: str) -> None:
    """The n-th request fails, for every n, and then nothing else does."""
    last = count_of_requests(open_stage)
    struck = 0
    for number in range(1, last + 3):
        stage = open_stage()
        before = stage.hand_made()
        first_state(stage)
        second_state(stage)
        fault = stage.emulator.inject(f"* .* #{number} {effect}")
        ended = stage.apply()
        struck += fault.fired
        check_nothing_is_wrong(stage, ended, before)
        converge(stage, ended)
    assert struck >= last - 2


@pytest.mark.parametrize("effect", ["503", "drop-after", "html", "500 after", "400"])
def test_a_product_that_stays_down(open_stage: Open, effect: str) -> None:
    """From the n-th request on nothing works any more."""
    last = count_of_requests(open_stage)
    for number in range(1, last + 1, 2):
        stage = open_stage()
        before = stage.hand_made()
        first_state(stage)
        second_state(stage)
        stage.emulator.inject(f"* .* #{number}+ {effect}")
        ended = stage.apply()
        assert ended.code != 0
        check_nothing_is_wrong(stage, ended, before)
        converge(stage, ended)


def test_an_unreadable_agent_leaves_the_others_alone(stage: Stage) -> None:
    first_state(stage)
    second_state(stage)
    stage.emulator.inject("GET agentPath=.*stock #* 404")
    plan = stage.run("plan", "--format", "json")
    assert plan.code == 1
    assert {(one["address"], one["reason"]) for one in plan.document["blocked"]} == {
        ("schedule/stock/nightly", "unreadable")
    }
    ended = stage.apply()
    assert ended.code == 4
    assert stage.live("nightly").cron == "0 0 3 * * MON-FRI"
    assert any(one.cron == "0 45 0 0" for one in stage.owned().values()), "the deletion is withheld"
    assert "withheld" in ended.err + ended.out
    stage.emulator.clear_faults()
    assert stage.apply().code == 0
    assert is_reached(stage)


def test_a_failed_change_withholds_deletions_and_leaves_its_neighbours(stage: Stage) -> None:
    first_state(stage)
    second_state(stage)
    stage.emulator.inject("POST schedule/.*/off 400")
    ended = stage.apply("--format", "json")
    assert ended.code == 4
    told = {(one["address"], one["action"]): one["status"] for one in ended.document["outcomes"]}
    assert told["schedule/prices/poll", "disable"] == "failed"
    assert told["schedule/prices/nightly", "update"] == "applied"
    assert told["schedule/prices/new", "create"] == "applied"
    assert told["schedule/prices/old", "delete"] == "skipped"
    converge(stage, ended)


@pytest.mark.parametrize("change", ["edit", "delete", "create"])
def test_what_changed_after_the_plan_is_stale(stage: Stage, change: str) -> None:
    """Somebody is faster between the plan and the write: nothing is overwritten."""
    stage.write(agent(NIGHTLY))
    if change != "create":
        assert stage.apply().code == 0
        stage.write(agent(NIGHTLY.replace("0 0 2", "0 0 3")))
    from reconciler.emulator.acc_state import Schedule
    from reconciler.identity import owned_id

    identity = owned_id("retail", "default", "sequentum/Retail/prices", "nightly")
    listings = 0
    answer = stage.emulator.acc.answer

    def meddling(call: object) -> object:
        nonlocal listings
        if str(getattr(call, "path", "")).endswith("/schedules"):
            listings += 1
            if listings == 2:
                match change:
                    case "edit":
                        stage.live("nightly").log_level = 3
                    case "delete":
                        stage.estate.remove_schedule(identity)
                    case _:
                        stage.estate.add_schedule("sequentum/Retail/prices", identity, cron="0 0 9 * * *")
        return answer(call)  # type: ignore[arg-type]

    stage.emulator.acc.answer = meddling  # type: ignore[assignment, method-assign]
    ended = stage.apply("--format", "json")
    assert ended.code == 4
    assert [one["status"] for one in ended.document["outcomes"]] == ["stale"]
    assert "POST" not in " ".join(stage.writes()[1:] if change != "create" else stage.writes())
    stage.emulator.acc.answer = answer  # type: ignore[method-assign]
    assert stage.apply().code == 0
    assert isinstance(stage.live("nightly"), Schedule)


def test_a_server_that_ignores_our_ids_is_noticed_after_one_write(open_stage: Open) -> None:
    stage = open_stage(switches=["ignore_new_ids=yes"])
    before = stage.hand_made()
    stage.write(agent(NIGHTLY, POLL) + "---\n" + agent(NIGHTLY, POLL, name="stock"))
    ended = stage.apply("--format", "json")
    assert ended.code == 4, "something was skipped, which comes before what read back differently"
    assert sorted(one["status"] for one in ended.document["outcomes"]) == ["skipped"] * 3 + ["unverified"]
    assert len(stage.estate.schedules) == 2
    stray = next(key for key in stage.estate.schedules if as_bytes(stage.estate.schedules[key]) != before)
    assert stray in ended.out
    again = stage.apply("--format", "json")
    assert again.code == 3
    assert len(stage.estate.schedules) == 2, "nothing is sent again"
    plan = stage.plan()
    assert sorted(one["reason"] for one in plan["blocked"]) == ["policy"] * 3 + ["unowned"]
    assert all(stray in one["message"] for one in plan["blocked"])
    assert stage.hand_made() == before
    stage.estate.remove_schedule(stray)
    assert {action for _, action, _ in stage.changes()} == {"create"}


def test_silence_about_writes_that_change_nothing(open_stage: Open) -> None:
    stage = open_stage(switches=["silently_ignore_writes=yes"])
    stage.write(agent(NIGHTLY))
    assert stage.apply().code == 8
    assert "not there" in stage.apply().err
