"""Never more is said than is known: what was read, what is attested and since when, in every form that a plan has."""

from __future__ import annotations

import re

import pytest
from stage import NIGHTLY, POLL, Stage, agent, task_trigger

EXTRA = "  approval: {state: approved}\n  inputFiles:\n    - file: urls.csv\n"
MOMENT = r"20\d\d-\d\d-\d\d \d\d:\d\d UTC"


def estate(stage: Stage) -> None:
    (stage.root / "manifests" / "urls.csv").write_bytes(b"url\n")
    text = agent(NIGHTLY, extra=EXTRA) + "---\n" + task_trigger(extra="  wait: {timeout: 5s, interval: 1s}\n")
    stage.write(text)
    assert stage.apply().code == 0


def plain(page: str) -> str:
    """A page's words: without tags, escapes and line breaks."""
    return " ".join(re.sub(r"<[^>]+>|\\", "", page).split())


@pytest.mark.parametrize("form", ["text", "markdown", "html"])
def test_no_changes_is_said_of_what_was_read_and_the_rest_is_attested(stage: Stage, form: str) -> None:
    estate(stage)
    expected = (
        r"No changes\. 1 schedule was read and matches the manifests\. 1 set of input files and 1 approval are "
        rf"attested: accepted by the product, which has no way to read it back, "
        rf"(at {MOMENT}|between {MOMENT} and {MOMENT})\. "
        rf"1 trigger was started as declared, as recorded at {MOMENT}\. 4 unchanged, 1 unmanaged\."
    )
    saved = stage.root / "p.plan"
    assert stage.run("plan", "--out", str(saved)).code == 0
    for words in (["plan"], ["show", str(saved)]):
        page = plain(stage.run(*words, "--format", form).out)
        assert re.search(expected, page), page
        assert "ive matches" not in page
    if form == "text":
        assert re.search(expected, plain(stage.apply().out))


def test_a_filtered_plan_speaks_of_what_it_looked_at(stage: Stage) -> None:
    estate(stage)
    said = stage.run("plan", "--only", "approval/*").said
    assert "No changes in what was selected. 1 approval is attested" in said
    assert "schedule was read" not in said
    assert "No changes in what was selected. 1 schedule was read" in stage.run("plan", "--only", "schedule/*").said


def test_an_empty_project_has_nothing_to_compare(stage: Stage) -> None:
    stage.write(agent())
    assert "No changes: there is nothing to compare." in stage.run("plan").said
    assert "No changes: there is nothing to compare." in stage.run("destroy", "--auto-approve").said


def test_with_changes_the_counts_say_how_the_rest_is_known(stage: Stage) -> None:
    estate(stage)
    stage.write(agent(NIGHTLY.replace("0 0 2", "0 0 3"), extra=EXTRA) + "---\n" + task_trigger())
    assert "Plan: 1 to update, 3 unchanged (2 attested, 1 started), 1 unmanaged." in stage.run("plan").said


def test_what_could_not_be_read_is_said_of(stage: Stage) -> None:
    stage.write(agent(NIGHTLY) + "---\n" + agent(NIGHTLY, name="stock"))
    assert stage.apply().code == 0
    stage.write(agent(NIGHTLY))
    stage.emulator.inject("GET agentPath=.*stock #* 403")
    plan = stage.run("plan")
    assert plan.code == 1
    assert "No changes." not in plan.said


def test_drift_says_since_when_a_thing_is_attested(stage: Stage) -> None:
    estate(stage)
    drift = stage.run("drift", "--format", "json")
    assert drift.code == 0
    found = {one["address"]: one for one in drift.document["findings"]}
    for address, word in (
        ("approval/prices", "accepted"),
        ("input-files/prices", "accepted"),
        ("trigger/publish", "started, as recorded"),
    ):
        assert (found[address]["status"], found[address]["evidence"]) == ("unverifiable", "attested")
        assert re.fullmatch(rf"{word} at 20\d\d-\S+Z", found[address]["message"])
    assert found["schedule/prices/nightly"]["evidence"] == "verified"
    assert "No drift in what could be read; 3 unverifiable" in stage.run("drift").said


def test_validate_counts_what_is_declared(stage: Stage) -> None:
    stage.write(agent(NIGHTLY))
    assert stage.run("validate").out == "No problems found. 1 resource is declared.\n"
    stage.write(agent(NIGHTLY, POLL))
    assert stage.run("validate").out == "No problems found. 2 resources are declared.\n"
