"""What a person reads who wrote a selector, an address or a time zone in another way than it is written."""

from __future__ import annotations

import pytest
from stage import NIGHTLY, POLL, PRICES, Stage, agent, task_trigger

BOTH = "did you mean '*/stock-13/*' (schedule/stock-13/nightly) or '*/stock-13' (approval/stock-13)?"
APPROVED = "  approval: {state: approved}\n"


@pytest.fixture
def retail(stage: Stage) -> Stage:
    labelled = agent(NIGHTLY, POLL, extra=APPROVED).replace("{name: prices}", "{name: prices, labels: {team: pricing}}")
    stage.write(f"{labelled}---\n{agent(NIGHTLY, name='stock-13', path='sequentum/Retail/stock', extra=APPROVED)}")
    stage.write(task_trigger(), "trigger.yaml")
    return stage


SELECTORS = [
    (("--only", "stock-13"), BOTH),
    (("--only", "prices"), "did you mean '*/prices/*' (2 addresses) or '*/prices' (approval/prices)?"),
    (("--exclude", "stok-13/*"), "did you mean '*/stock-13/*' (schedule/stock-13/nightly)"),
    (("--only", PRICES), "'*/prices/*'"),
    (("--only", "pricing"), "did you mean --label team=pricing?"),
    (("--label", "team=prices"), "did you mean team=pricing?"),
]


@pytest.mark.parametrize("command", ["plan", "apply", "drift", "status", "calendar", "destroy"])
@pytest.mark.parametrize(("given", "hint"), SELECTORS)
def test_a_selector_that_matches_nothing_says_what_would(
    retail: Stage, command: str, given: tuple[str, ...], hint: str
) -> None:
    ended = retail.run(command, *given)
    assert ended.code == 64
    assert hint in ended.said
    assert retail.writes() == []


def test_what_is_suggested_can_be_typed(retail: Stage) -> None:
    assert retail.run("plan", "--only", "*/prices/*", "--format", "json").document["summary"]["create"] == 2


def test_an_address_of_another_command_has_a_hint_too(retail: Stage) -> None:
    retail.apply()
    for command, hint in (
        (("resolve", "publish", "--ran"), "did you mean trigger/publish?"),
        (("resolve", "trigger/publsh", "--ran"), "did you mean 'trigger/publish'?"),
        (("apply", "--resend", "stock-13"), "did you mean '*/stock-13' (approval/stock-13)?"),
        (("apply", "--resend", "approval/price"), "did you mean 'approval/prices'?"),
        (("apply", "--forget-agent", "sequentum/Retail/price"), "did you mean sequentum/Retail/prices?"),
        (("ledger", "forget", "stock-13"), BOTH),
        (("accept", "stock-13"), BOTH),
    ):
        ended = retail.run(*command)
        assert (ended.code, hint in ended.said) == (64, True), ended.said


def test_a_trigger_that_names_an_agent_alone_is_told_the_pattern(retail: Stage) -> None:
    retail.write(task_trigger().replace('{revision: "1"}', "{changed: [stock-13]}"), "trigger.yaml")
    assert BOTH in retail.run("validate").said


@pytest.mark.parametrize(
    ("zone", "hint"),
    [
        ("UTC+10", "UTC+10 all year round is Etc/GMT-10, whose sign is the other way round"),
        ("GMT+2", "Etc/GMT-2"),
        ("'+10:00'", "Australia/Sydney"),
        ("AEST", "AEST stands for several zones"),
        ("Sydney", "did you mean Australia/Sydney?"),
        ("CET+1", "Europe/Berlin"),
        ("EST", "EST never changes its clock, winter and summer: write America/New_York"),
    ],
)
def test_a_zone_that_is_none_is_told_the_right_one(stage: Stage, zone: str, hint: str) -> None:
    stage.write(agent(NIGHTLY.replace("${var:zone}", zone)))
    ended = stage.run("validate")
    assert hint in ended.said
    assert ended.code == (zone != "EST")
    stage.write(agent(NIGHTLY))
    stage.project(f"  blackouts: [{{name: eve, from: '2026-12-24', to: '2026-12-27', timeZone: {zone}}}]\n")
    ended = stage.run("validate")
    assert ended.code == (zone != "EST")
    assert zone == "EST" or hint in ended.said


def test_a_blackout_that_concerns_nothing_is_told_the_pattern(stage: Stage) -> None:
    stage.write(agent(NIGHTLY, name="stock-13"))
    stage.project("  blackouts: [{name: eve, from: 2026-12-24, to: 2026-12-27, timeZone: UTC, only: [stock-13]}]\n")
    ended = stage.run("validate")
    assert ended.code == 0
    assert "reconciler.yaml:9:83: warning[no-match]" in ended.said
    assert "did you mean '*/stock-13/*' (schedule/stock-13/nightly)?" in ended.said
    file = stage.root / "reconciler.yaml"
    file.write_text(file.read_text().replace("[stock-13]", "['*/stock-13/*']"))
    assert "no-match" not in stage.run("validate").said
    stage.write(agent(NIGHTLY, name="'${env:NAME}'"))
    assert "no-match" not in stage.run("validate").said
