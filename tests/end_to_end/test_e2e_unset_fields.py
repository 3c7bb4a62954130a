"""What somebody changed in fields that no manifest sets is listed by drift, in every format, and is not drift."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from stage import NIGHTLY, PASSWORD, POLL, Ended, Stage, agent

from reconciler.emulator.acc_state import Schedule

ADDRESS = "schedule/prices/nightly"
SCHEMA = Path(__file__).parents[2] / "schemas" / "output" / "drift.schema.json"


def applied(stage: Stage, more: str = "") -> Schedule:
    stage.write(agent(NIGHTLY + more, POLL))
    assert stage.apply().code == 0
    return stage.live("nightly")


def finding(stage: Stage) -> tuple[int, Any]:
    ended = stage.run("drift", "--format", "json")
    Draft202012Validator(json.loads(SCHEMA.read_text())).validate(ended.document)
    (found,) = [one for one in ended.document["findings"] if one["address"] == ADDRESS]
    return ended.code, found


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"log_level": 3}, [("logLevel", 3, 1)]),
        ({"session_id": "1-5/5"}, [("sessionId", "1-5/5", "")]),
        ({"is_windowless": False}, [("windowless", False, True)]),
        ({"input_parameters": '{"region":"nz"}'}, [("inputParameters.region", "nz", None)]),
        ({"log_level": 0, "is_windowless": False}, [("logLevel", 0, 1), ("windowless", False, True)]),
    ],
)
def test_each_field_is_listed_with_what_it_was(
    stage: Stage, change: dict[str, Any], fields: list[tuple[str, Any, Any]]
) -> None:
    live = applied(stage)
    assert finding(stage)[1]["fields"] == []
    for name, value in change.items():
        setattr(live, name, value)
    code, found = finding(stage)
    assert (code, found["status"]) == (0, "in-sync")
    assert [(one["path"], one["before"], one["after"], one["set"]) for one in found["fields"]] == [
        (*field, False) for field in fields
    ]
    assert "not set in the manifest" in found["message"]
    assert stage.changes() == []


def test_a_value_of_which_only_a_digest_is_held_is_called_another_one(stage: Stage) -> None:
    live = applied(stage)
    live.session_id = "1-5/5"
    assert stage.apply().code == 0
    live.session_id = "2-5/5"
    assert [(one["before"], one["after"]) for one in finding(stage)[1]["fields"]] == [("2-5/5", "(another value)")]


def test_an_apply_takes_note_and_the_list_is_empty_again(stage: Stage) -> None:
    live = applied(stage)
    live.log_level = 3
    assert finding(stage)[1]["fields"] != []
    stage.emulator.clear_requests()
    assert stage.apply().code == 0
    assert (live.log_level, stage.writes()) == (3, [])
    assert finding(stage)[1]["fields"] == []


def test_an_apply_that_left_it_out_takes_no_note(stage: Stage) -> None:
    applied(stage).log_level = 3
    assert stage.apply("--only", "schedule/prices/poll").code == 0
    assert [one["path"] for one in finding(stage)[1]["fields"]] == ["logLevel"]


def test_the_switch_that_keep_leaves_alone_is_listed(stage: Stage) -> None:
    applied(stage, "      enabled: keep\n").is_enabled = False
    code, found = finding(stage)
    assert (code, found["status"]) == (0, "in-sync")
    assert [(one["path"], one["before"], one["after"]) for one in found["fields"]] == [("enabled", False, True)]


def test_beside_drift_it_is_told_apart(stage: Stage) -> None:
    live = applied(stage)
    live.log_level, live.cron = 3, "0 0 9 * * *"
    code, found = finding(stage)
    assert (code, found["status"]) == (2, "drifted")
    assert [(one["path"], one.get("set")) for one in found["fields"]] == [("cron", None), ("logLevel", False)]
    assert [one["path"] for one in stage.plan()["changes"][0]["fields"]] == ["cron"]


def test_what_was_secret_is_not_shown(stage: Stage) -> None:
    secret = '      inputParameters: {password: "${env:PASSWORD}"}\n'
    live = applied(stage, secret)
    stage.write(agent(NIGHTLY, POLL))
    live.input_parameters = json.dumps({"password": "another secret", "region": PASSWORD})
    ended = stage.run("drift", "--format", "json")
    assert ended.code == 0
    (found,) = [one for one in ended.document["findings"] if one["address"] == ADDRESS]
    assert found["fields"] and all(one["secret"] for one in found["fields"])
    for form in ("text", "json", "markdown", "html", "sarif", "junit"):
        shown = stage.run("-v", "drift", "--format", form)
        assert "another secret" not in shown.out + shown.err


@pytest.fixture
def told(stage: Stage) -> Any:
    applied(stage).log_level = 3

    def tell(form: str, *flags: str) -> Ended:
        ended = stage.run(*flags, "drift", "--format", form)
        assert ended.code == 0
        return ended

    return tell


def test_text(told: Any) -> None:
    for ended in (told("text"), told("text", "-v")):
        assert "Changed (1): in fields that the manifest does not set, since the last apply; this is not drift" in (
            ended.said
        )
        assert "logLevel: 3 → 1" in ended.said
        assert "No drift; " in ended.said


def test_markdown_and_html(told: Any) -> None:
    assert "Changed (1): in fields that the manifest does not set" in told("markdown").said
    assert "logLevel is 3, was 1" in told("markdown").said
    page = told("html").said
    assert page.count(f"<small>schedule/</small>{ADDRESS.removeprefix('schedule/')}") == 1
    assert "Last applied" in page


def test_sarif_has_a_note(told: Any) -> None:
    (run,) = told("sarif").document["runs"]
    (note,) = run["results"]
    assert (note["ruleId"], note["level"]) == ("changed-unset", "note")
    assert "logLevel is 3, was 1" in note["message"]["text"]


def test_junit_passes_and_says_it(told: Any) -> None:
    root = ET.fromstring(told("junit").out)
    assert root.findall(".//failure") == root.findall(".//error") == root.findall(".//skipped") == []
    (case,) = [one for one in root.iter("testcase") if one.get("name") == ADDRESS]
    assert "logLevel is 3, was 1" in (case.findtext("system-out") or "")
