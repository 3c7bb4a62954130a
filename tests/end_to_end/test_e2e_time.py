"""What a user reads of a repeated hour, and of a zone that ACC knows only nearly."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from clocks import SkippingClock
from jsonschema import Draft202012Validator
from stage import NIGHTLY, POLL, Open, Stage, agent

SCHEMA = Path(__file__).parents[2] / "schemas" / "output" / "calendar.schema.json"
OFTEN = POLL.replace("every: 15m", 'cron: "0 */5 * * * *"').replace("UTC", "Australia/Sydney")
AT_TWO = NIGHTLY.replace("nightly", "at-two").replace("0 0 2 * * MON-FRI", "0 30 2 * * *")
VOSTOK = POLL.replace("poll", "vostok").replace("every: 15m", 'cron: "0 0 9 * * *"').replace("UTC", "Antarctica/Vostok")


def problems(stage: Stage) -> dict[str, str]:
    document = stage.run("validate", "--format", "json").document
    return {one["address"] + " " + one["code"]: one["message"] for one in document["problems"]}


def test_validate_warns_of_a_repeated_hour(stage: Stage) -> None:
    stage.write(agent(OFTEN, AT_TWO))
    found = problems(stage)
    wildcard, fixed = found["schedule/prices/poll dst-wildcard"], found["schedule/prices/at-two dst-repeated"]
    assert "02:00 to 03:00 comes twice in AUS Eastern Standard Time" in wildcard
    assert "12 runs" in wildcard and "24" in wildcard
    assert "predicted is one run, the first time; some schedulers make it two" in fixed


def test_the_calendar_shows_where_schedulers_differ(stage: Stage) -> None:
    stage.write(agent(OFTEN, AT_TWO))
    options = ("calendar", "--source", "desired", "--from", "2027-04-04", "--days", "1")
    document = stage.run(*options, "--format", "json").document
    Draft202012Validator(json.loads(SCHEMA.read_text())).validate(document)
    (change,) = document["clock_changes"]
    assert {one["address"]: one["starts"] for one in change["affected"]} == {
        "schedule/prices/at-two": {"once": 1, "twice": 2, "wildcards_twice": 1},
        "schedule/prices/poll": {"once": 12, "twice": 24, "wildcards_twice": 24},
    }
    told = (
        "13 starts, or 25 if ACC runs wildcards in both hours and fixed times once, or 26 if it runs everything in both"
    )
    assert told in stage.run(*options).said
    assert told in stage.run(*options, "--format", "html").said


def test_a_plan_s_preview_says_it_of_the_runs_it_shows(open_stage: Open) -> None:
    stage = open_stage(clock=SkippingClock(datetime.fromisoformat("2027-04-04T01:50:00+11:00")))
    stage.write(agent(OFTEN, AT_TWO))
    said = stage.run("plan", "-v").said
    assert "predicted to run once, twice if ACC runs wildcards in both hours" in said
    assert "predicted to run once, twice if ACC runs fixed times in both hours" in said


def test_a_zone_that_acc_knows_only_nearly_is_said_everywhere(stage: Stage) -> None:
    told = "ACC knows Antarctica/Vostok only as Central Asia Standard Time, whose clock differs from it"
    stage.write(agent(VOSTOK, NIGHTLY))
    assert told in problems(stage)["schedule/prices/vostok zone-differs"]
    warnings: list[Any] = stage.plan()["warnings"]
    assert [(one["address"], one["code"]) for one in warnings] == [("schedule/prices/vostok", "zone-differs")]
    assert told in stage.run("plan").said
    for source in ("desired", "plan"):
        document = stage.run("calendar", "--source", source, "--format", "json").document
        assert [note for note in document["notes"] if told in note], source
    assert stage.apply().code == 0
    assert [one["code"] for one in stage.plan()["warnings"]] == ["zone-differs"]
    assert told in stage.run("calendar").said
