"""The calendar against an ACC that answers over HTTP; blackouts and collisions where plans are made."""

from __future__ import annotations

import json
import re
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from stage import HAND_MADE, NIGHTLY, POLL, PRICES, Open, Stage, agent

from reconciler.emulator.acc_state import Run

SCHEMA = Path(__file__).parents[2] / "schemas" / "output" / "calendar.schema.json"
FROM = ("--from", "2027-03-01")


def calendar(stage: Stage, *arguments: str, code: int = 0) -> Any:
    ended = stage.run("calendar", "--format", "json", *arguments)
    assert ended.code == code, ended.err
    document = ended.document
    Draft202012Validator(json.loads(SCHEMA.read_text())).validate(document)
    return document


def starts(document: Any) -> dict[str, int]:
    return {one["address"]: one["starts"] for one in document["schedules"]}


def ran(stage: Stage, seconds: int, *, times: int = 3, schedule_id: str | None = HAND_MADE) -> None:
    """Let the hand-made schedule have run a few times."""
    held = stage.estate.agents[PRICES]
    for number in range(times):
        begin = stage.clock() - timedelta(days=number + 1)
        job = stage.estate.add_job(held, begin, schedule_id)
        run = Run(f"run-{number}", held, begin, begin + timedelta(seconds=seconds), job=job, schedule_id=schedule_id)
        stage.estate.add_run(run, settled=True)


def test_desired_needs_no_network(stage: Stage) -> None:
    stage.write(agent(NIGHTLY, POLL))
    found = calendar(stage, "--source", "desired", *FROM)
    assert starts(found) == {"schedule/prices/nightly": 5, "schedule/prices/poll": 672}
    assert not stage.emulator.requests


def test_live_shows_what_somebody_made_by_hand(stage: Stage) -> None:
    stage.write(agent(NIGHTLY))
    found = calendar(stage, *FROM)
    assert found["source"] == "live"
    assert starts(found) == {f"schedule/prices/{HAND_MADE}": 7}
    assert [one["managed"] for one in found["schedules"]] == [False]
    assert not stage.writes()


def test_a_plan_is_shown_beside_what_is_there(stage: Stage) -> None:
    stage.write(agent(NIGHTLY.replace("0 0 2 * * MON-FRI", "0 36 15 * * *")))
    found = calendar(stage, "--source", "plan", *FROM)
    assert starts(found) == {"schedule/prices/nightly": 7, f"schedule/prices/{HAND_MADE}": 7}
    difference = found["difference"]
    assert difference["before"]["starts"] == 7
    (new,) = difference["new_collisions"]
    assert new["addresses"] == [f"schedule/prices/{HAND_MADE}", "schedule/prices/nightly"]
    assert new["times"] == 7
    assert not stage.writes()


def test_the_page_and_the_text_of_a_plan_show_both_sides_and_what_changes(stage: Stage) -> None:
    stage.write(agent(NIGHTLY))
    assert stage.run("apply", "--auto-approve").code == 0
    stage.write(agent(NIGHTLY.replace("0 0 2 * * MON-FRI", "0 0 3 * * MON-FRI")))
    page = stage.run("calendar", "--source", "plan", "--format", "html", *FROM).out
    assert re.findall(r'data-side="(\w+)"', page) == ["before", "shown", "change"]
    assert re.findall(r'class="(?:more|less)32">(.)1<', page) == ["\u2212", "+"] * 5
    text = stage.run("calendar", "--source", "plan", *FROM).out
    assert "What the plan changes: more (+) and fewer starts by hour" in text
    rows = {line[:5]: line[5:].split() for line in text[text.index("What the plan") :].splitlines()[2:26]}
    assert rows["02:00"] == ["\u22121"] * 5 + ["·"] * 2
    assert rows["03:00"] == ["+1"] * 5 + ["·"] * 2


def test_durations_come_from_run_histories(stage: Stage) -> None:
    stage.write(agent(NIGHTLY))
    ran(stage, 1800)
    (one,) = calendar(stage, *FROM)["schedules"]
    assert one["duration_seconds"] == 1800
    (one,) = calendar(stage, "--no-durations", *FROM)["schedules"]
    assert one["duration_seconds"] is None


def test_a_history_that_cannot_be_read_is_said_and_costs_nothing_else(open_stage: Open) -> None:
    stage = open_stage(faults=["GET /api/agent/.*/history 403"])
    stage.write(agent(NIGHTLY))
    found = calendar(stage, *FROM)
    assert starts(found) == {f"schedule/prices/{HAND_MADE}": 7}
    assert "could not be read" in " ".join(found["notes"])


def test_what_cannot_be_read_is_named_and_exits_1(stage: Stage) -> None:
    stage.write(agent(NIGHTLY) + "---\n" + agent(name="gone", path="sequentum/nowhere"))
    found = calendar(stage, *FROM, code=1)
    assert [one["place"] for one in found["unreadable"]] == ["sequentum/nowhere"]
    ended = stage.run("calendar", *FROM)
    assert ended.code == 1 and "sequentum/nowhere: could not be read" in ended.out


@pytest.mark.parametrize(
    ("form", "beginning"), [("text", "Calendar 2027"), ("html", "<!doctype"), ("ics", "BEGIN:VCAL")]
)
def test_every_form_prints(stage: Stage, form: str, beginning: str) -> None:
    stage.write(agent(NIGHTLY, POLL))
    ended = stage.run("calendar", "--source", "desired", "--format", form, *FROM)
    assert ended.code == 0 and ended.out.startswith(beginning)


def test_selectors_hold(stage: Stage) -> None:
    stage.write(agent(NIGHTLY, POLL))
    assert starts(calendar(stage, "--source", "desired", "--only", "*/poll", *FROM)) == {"schedule/prices/poll": 672}
    assert starts(calendar(stage, "--only", "*/poll", *FROM)) == {}
    assert stage.run("calendar", "--only", "schedule/nobody/*").code == 64


@pytest.mark.parametrize(
    "wrong",
    [
        ("--zone", "Australia/Sidney"),
        ("--days", "0"),
        ("--from", "soon"),
        ("--from", "0001-01-01"),
        ("--from", "9999-12-30"),
        ("--spread", "--spread-window", "2h"),
    ],
)
def test_wrong_usage_exits_64_and_says_what_is_right(stage: Stage, wrong: tuple[str, ...]) -> None:
    stage.write(agent(NIGHTLY))
    ended = stage.run("calendar", "--source", "desired", *wrong)
    assert ended.code == 64 and ended.err and not ended.out


def test_the_zone_decides_what_a_day_is(stage: Stage) -> None:
    stage.write(agent(NIGHTLY))
    found = calendar(stage, "--source", "desired", "--zone", "UTC", "--days", "1", *FROM)
    assert found["window"]["from"] == "2027-03-01T00:00:00Z"
    assert found["days"][0]["hours"][15]["starts"] == 1


@pytest.mark.parametrize("option", ["--simultaneous", "--herd"])
def test_spread_prints_a_patch_and_writes_nothing(stage: Stage, option: str) -> None:
    several = "---\n".join(agent(NIGHTLY, name=f"a{number}") for number in range(3))
    stage.write(several)
    before = (stage.root / "manifests" / "retail.yaml").read_bytes()
    ended = stage.run("calendar", "--spread", option, "3", *FROM)
    assert ended.code == 0 and ended.out.startswith("diff --git a/manifests/retail.yaml")
    assert "from 3 to 1" in ended.err
    assert (stage.root / "manifests" / "retail.yaml").read_bytes() == before
    assert not stage.emulator.requests


def test_ics_without_its_package_says_how_to_get_it_before_anything_is_read(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "icalendar", None)
    monkeypatch.delitem(sys.modules, "reconciler.calendar.ics_form", raising=False)
    stage.write(agent(NIGHTLY))
    ended = stage.run("calendar", "--format", "ics", *FROM)
    assert ended.code == 64 and "pip install 'acc-mft-reconciler[calendar]'" in ended.err
    assert not stage.emulator.requests


# --- plans -----------------------------------------------------------------------------------------------------------

YEARS = """\
  blackouts:
    - name: always
      from: 2026-01-01T00:00:00
      to: 2126-01-01T00:00:00
      timeZone: UTC
      policy: {policy}
      only: ["schedule/prices/*"]
      exclude: ["schedule/prices/poll"]
"""


def warned(plan: Any, code: str) -> list[str]:
    return [one["address"] for one in plan["warnings"] if one["code"] == code]


@pytest.mark.parametrize(("policy", "code", "severity"), [("warn", 0, "warning"), ("block", 1, "error")])
def test_validate_names_what_runs_inside_a_blackout(stage: Stage, policy: str, code: int, severity: str) -> None:
    stage.write(agent(NIGHTLY, POLL))
    stage.project(YEARS.format(policy=policy).replace("2126", str(stage.clock().year + 1)))
    ended = stage.run("validate", "--format", "json")
    found = [one for one in ended.document["problems"] if one["code"] == "blackout"]
    assert ended.code == code
    assert [(one["address"], one["severity"], one["line"]) for one in found] == [
        ("schedule/prices/nightly", severity, 7)
    ]
    assert "'always'" in found[0]["message"]


def test_a_blackout_that_warns_does_not_stop_an_apply(stage: Stage) -> None:
    stage.write(agent(NIGHTLY, POLL))
    stage.project(YEARS.format(policy="warn"))
    assert warned(stage.plan(), "blackout") == ["schedule/prices/nightly"]
    assert stage.apply().code == 0


def test_a_blackout_that_blocks_refuses_what_would_newly_run_inside(stage: Stage) -> None:
    stage.write(agent(NIGHTLY, POLL))
    stage.project(YEARS.format(policy="block"))
    planned = stage.run("plan", "--format", "json")
    assert planned.code == 3 and warned(planned.document, "blackout") == ["schedule/prices/nightly"]
    refused = stage.apply()
    assert refused.code == 3 and "blocked [blackout]" in refused.err
    assert not stage.writes()


def test_a_blackout_that_blocks_leaves_alone_what_runs_already(stage: Stage) -> None:
    stage.write(agent(NIGHTLY))
    assert stage.apply().code == 0
    stage.project(YEARS.format(policy="block"))
    stage.write(agent(NIGHTLY + "      logLevel: high\n", POLL))
    assert warned(stage.plan(), "blackout") == ["schedule/prices/nightly"]
    assert stage.apply().code == 0
    assert stage.live("nightly").log_level == 3
    stage.write(agent(NIGHTLY.replace("0 0 2", "0 0 3"), POLL))
    assert stage.apply().code == 3
    stage.write(agent(NIGHTLY.replace("0 0 2", "0 0 3") + "      enabled: false\n", POLL))
    assert stage.apply().code == 0


def test_a_plan_says_when_it_creates_a_collision(stage: Stage) -> None:
    stage.write(agent(NIGHTLY))
    assert warned(stage.plan(), "collision") == []
    stage.write(agent(NIGHTLY.replace("0 0 2 * * MON-FRI", "0 36 15 * * *")))
    assert warned(stage.plan(), "collision") == ["schedule/prices/nightly"]
    assert stage.apply().code == 0
    assert warned(stage.plan(), "collision") == []


def test_a_plan_says_when_it_creates_a_peak(stage: Stage) -> None:
    for number in range(10):
        stage.estate.add_agent(f"sequentum/Retail/a{number}", duration=0.0)
    stage.write("---\n".join(agent(NIGHTLY, name=f"a{number}") for number in range(9)))
    assert warned(stage.plan(), "collision") == []
    stage.write("---\n".join(agent(NIGHTLY, name=f"a{number}") for number in range(10)))
    (told,) = [one for one in stage.plan()["warnings"] if one["code"] == "collision"]
    assert told["message"].startswith("a new peak: 10 schedules start in the same second")
