"""An estate of one template, defaults and one list of items: applied, changed, drifted; each time with its place."""

from __future__ import annotations

import json
import re

import pytest
from stage import PASSWORD, PRICES, STOCK, Stage

AGENTS = """\
apiVersion: reconciler/v1
kind: Agent
forEach: {file: agents.csv}
metadata: {name: "${each.name}"}
spec:
  path: sequentum/Retail/${each.name}
  schedules:
    - {name: nightly, use: nightly, inputParameters: {agent: "${each.name}"}}
    - {name: poll, every: 15m, startTime: 2026-01-01T00:00:00, timeZone: "${each.zone}"}
"""
TEMPLATE = """\
apiVersion: reconciler/v1
kind: ScheduleTemplate
metadata: {name: nightly}
spec:
  cron: "0 0 2 * * MON-FRI"
  startTime: 2026-01-01T02:00:00
  inputParameters: {password: "${env:PASSWORD}"}
  expect: {within: 26h}
"""
TABLE = "name,zone\nprices,UTC\nstock,Europe/Vienna\n"
DEFAULTS = (
    '  defaults:\n    agent: {approval: {state: approved}}\n    schedule: {timeZone: "${var:zone}", logLevel: high}\n'
)
OF_PRICES = "item 1 (name: prices) of manifests/agents.csv:2"


@pytest.fixture
def reused(stage: Stage) -> Stage:
    stage.project(DEFAULTS)
    stage.write(AGENTS)
    stage.write(TEMPLATE, "templates.yaml")
    stage.write(TABLE, "agents.csv")
    return stage


def test_what_is_made_and_inherited_is_applied_and_then_nothing_is_left_to_do(reused: Stage) -> None:
    assert reused.apply().code == 0
    for path, zone in ((PRICES, "UTC"), (STOCK, "W. Europe Standard Time")):
        nightly, poll = reused.live("nightly", path), reused.live("poll", path)
        assert nightly.cron == "0 0 2 * * MON-FRI"
        assert (nightly.log_level, poll.log_level) == (3, 3)
        assert json.loads(nightly.input_parameters or "") == {"agent": path.rpartition("/")[2], "password": PASSWORD}
        assert (nightly.time_zone_id, poll.time_zone_id) == ("AUS Eastern Standard Time", zone)
    assert reused.changes() == []
    assert reused.run("drift").code == 0
    assert reused.run("status", "--format", "json").code == 0


def test_a_change_names_the_place_to_edit_and_the_item_in_every_form(reused: Stage) -> None:
    reused.apply()
    reused.write(TEMPLATE.replace(" 2 ", " 3 ").replace('PASSWORD}"', 'PASSWORD}", extra: new'), "templates.yaml")
    saved = str(reused.root / "p.plan")
    changes = reused.plan("--out", saved)["changes"]
    assert len(changes) == 2
    one = next(one for one in changes if one["address"] == "schedule/prices/nightly")
    assert one["origin"] == {"path": "manifests/retail.yaml", "line": 8, "item": OF_PRICES}
    assert {field["path"]: field.get("origin") for field in one["fields"]} == {
        "cron": {"path": "manifests/templates.yaml", "line": 5},
        "inputParameters.extra": {"path": "manifests/templates.yaml", "line": 7},
    }
    for form in ("text", "markdown", "html"):
        for words in (["plan"], ["show", saved]):
            page = reused.run(*words, "--format", form).out
            shown = " ".join(re.sub(r"<[^>]+>|\\|`", " ", page).split())
            assert "manifests/templates.yaml:5" in shown
            assert "manifests/retail.yaml:8" in shown
            assert "item 1 (name: prices) of manifests/agents.csv:2" in shown
    assert reused.run("apply", saved).code == 0
    assert reused.changes() == []


def test_what_stands_in_the_block_itself_names_no_other_place(reused: Stage) -> None:
    reused.apply()
    reused.write(AGENTS.replace("15m", "30m"))
    assert ["origin" in field for change in reused.plan()["changes"] for field in change["fields"]] == [False, False]


def test_drift_names_them_too_and_no_secret(reused: Stage) -> None:
    reused.apply()
    live = reused.live("nightly")
    live.cron = "0 0 9 * * *"
    live.input_parameters = json.dumps({"agent": "prices", "password": "something else"})
    found = reused.run("drift", "--format", "json")
    assert found.code == 2
    (finding,) = (one for one in found.document["findings"] if one["status"] == "drifted")
    assert finding["origin"]["item"] == OF_PRICES
    fields = {field["path"]: field for field in finding["fields"]}
    assert fields["cron"]["origin"] == {"path": "manifests/templates.yaml", "line": 5}
    assert fields["inputParameters.password"]["secret"] is True
    assert fields["inputParameters.password"]["origin"]["line"] == 7
    for form in ("text", "markdown", "html", "sarif", "junit", "github"):
        page = reused.run("drift", "--format", form).out
        if form == "github":
            continue
        assert "something else" not in page
        assert "manifests/templates.yaml:5" in page.replace("\\", "")
        assert "item 1 (name: prices)" in page.replace("\\", "").replace("&#40;", "(").replace("&#41;", ")")
    assert reused.apply().code == 0
    assert reused.run("drift").code == 0


def test_a_place_that_many_share_is_not_edited_for_one(reused: Stage) -> None:
    together = AGENTS.replace("15m", "1d").replace('timeZone: "${each.zone}"', "timeZone: UTC")
    reused.write(together.replace("forEach: {file: agents.csv}\n", "forEach: [{name: prices}, {name: stock}]\n"))
    reused.write(TEMPLATE.replace("MON-FRI", "*"), "templates.yaml")
    patch = reused.run("calendar", "--spread", "--simultaneous", "2")
    assert patch.out.strip() == "", patch.out
    assert "written for several at once" in patch.err


def test_one_line_adds_an_agent_and_one_line_takes_it_away(reused: Stage) -> None:
    reused.write("name,zone\nprices,UTC\n", "agents.csv")
    reused.apply()
    reused.write(TABLE, "agents.csv")
    assert {address for address, action, _ in reused.changes() if action == "create"} == {
        "schedule/stock/nightly",
        "schedule/stock/poll",
    }
    assert reused.apply().code == 0
    reused.write("name,zone\nprices,UTC\n", "agents.csv")
    gone = {address for address, action, _ in reused.changes() if action == "delete"}
    assert len(gone) == 2


def test_a_moved_item_keeps_its_schedules(reused: Stage) -> None:
    reused.apply()
    before = set(reused.owned())
    reused.write("was,name,zone\nprices,retail-prices,UTC\nstock,stock-2,UTC\n", "agents.csv")
    moved = AGENTS.replace('name: "${each.name}"', 'name: "${each.name}", movedFrom: "${each.was}"')
    reused.write(moved.replace("Retail/${each.name}", "Retail/${each.was}").replace("${each.zone}", "UTC"))
    assert {action for _, action, _ in reused.changes()} <= {"update", "adopt"}
    assert reused.apply().code == 0
    assert set(reused.owned()) == before


def test_the_example_of_the_documentation_validates(stage: Stage) -> None:
    stage.write(
        "apiVersion: reconciler/v1\nkind: ScheduleTemplate\nmetadata: {name: nightly}\n"
        'spec: {cron: "0 0 2 * * MON-FRI", startTime: 2026-01-01T02:00:00, expect: {within: 26h}}\n---\n'
        "apiVersion: reconciler/v1\nkind: Agent\n"
        "forEach: [{region: au, zone: Australia/Sydney}, {region: nz, zone: Pacific/Auckland}]\n"
        'metadata: {name: "prices-${each.region}"}\nspec:\n  path: sequentum/Retail/prices-${each.region}\n'
        '  schedules:\n    - {name: nightly, use: nightly, timeZone: "${each.zone}"}\n'
    )
    ended = stage.run("validate", "--format", "json")
    assert ended.code == 0
    told = [one for one in ended.document["problems"] if one["code"] == "expect-not-judged"]
    assert len(told) == 1
    assert "expect" not in json.dumps(stage.plan()["changes"])


def test_what_is_rendered_makes_the_same_plan_with_the_same_ids(reused: Stage) -> None:
    def planned() -> list[object]:
        changes = reused.plan()["changes"]
        fields = [[{**field, "origin": None} for field in change["fields"]] for change in changes]
        return [[{**change, "origin": None, "fields": one} for change, one in zip(changes, fields, strict=True)]]

    fresh, rendered = planned(), reused.run("render")
    assert (rendered.code, rendered.err) == (0, "")
    assert "${env:PASSWORD}" in rendered.out
    assert not [one for one in ("forEach", "use:", "ScheduleTemplate") if one in rendered.out]
    for name in ("templates.yaml", "agents.csv"):
        (reused.root / "manifests" / name).rename(reused.root / name)
    reused.write(rendered.out)
    assert planned() == fresh
    again = [line for line in reused.run("render").out.splitlines() if not line.startswith("#")]
    assert again == [line for line in rendered.out.splitlines() if not line.startswith("#")]
    assert reused.apply().code == 0
    for name in ("templates.yaml", "agents.csv"):
        (reused.root / name).rename(reused.root / "manifests" / name)
    reused.write(AGENTS)
    assert reused.changes() == []


def test_origins_name_file_and_line_of_every_field(reused: Stage) -> None:
    lines = reused.run("render", "--origins").out.splitlines()
    fields = [line for line in lines if ": " in line and not line.startswith("#")]
    assert all("  # " in line for line in fields)
    shown = {line.split("  # ")[0].strip(): line.split("  # ")[1] for line in fields}
    assert shown['password: "${env:PASSWORD}"'] == "manifests/templates.yaml:7 (template nightly)"
    assert shown["logLevel: high"] == "reconciler.yaml:11 (defaults)"
    assert shown["every: 15m"] == "manifests/retail.yaml:9"
    assert shown["- name: poll"] == "manifests/retail.yaml:9"
    assert shown["agent: prices"] == f"manifests/retail.yaml:8 [{OF_PRICES}]"
    assert lines[0] == f"# manifests/retail.yaml [{OF_PRICES}]"


def test_nothing_is_rendered_of_what_is_wrong_and_no_product_is_needed(reused: Stage) -> None:
    del reused.environ["ACC_TOKEN"], reused.environ["MFT_KEY"]
    assert "${env:PASSWORD}" in reused.run("render").out
    password = reused.environ.pop("PASSWORD")
    undefined = reused.run("render")
    assert (undefined.code, undefined.out) == (1, "")
    assert "manifests/templates.yaml:7" in undefined.err
    reused.environ["PASSWORD"] = password
    reused.write(AGENTS.replace("use: nightly", "use: nigthly"))
    wrong = reused.run("render")
    assert (wrong.code, wrong.out) == (1, "")
    assert "did you mean nightly?" in wrong.err
    assert "${var:zone}" not in reused.run("render", "--env", "nowhere").out


def test_schedules_that_every_agent_has_by_default_are_planned_and_told_of(reused: Stage) -> None:
    shared = "    agent: {schedules: [{name: hourly, use: nightly, every: 1h, protect: true}]}\n"
    reused.project(DEFAULTS.replace("    agent: {approval: {state: approved}}\n", shared))
    reused.write(
        "".join(
            f"---\napiVersion: reconciler/v1\nkind: Agent\nmetadata: {{name: {name}}}\nspec: {{path: {path}}}\n"
            for name, path in (("prices", PRICES), ("stock", STOCK))
        )
    )
    changes = reused.plan()["changes"]
    assert [one["address"] for one in changes] == ["schedule/prices/hourly", "schedule/stock/hourly"]
    assert [one["origin"]["item"] for one in changes] == ["defaults", "defaults"]
    assert reused.apply().code == 0
    assert reused.changes() == []
    reused.live("hourly").log_level = 1
    assert reused.run("accept", "schedule/prices/hourly").code != 0
    assert "hourly" in (reused.root / "reconciler.yaml").read_text()
    reused.project(DEFAULTS.replace("    agent: {approval: {state: approved}}\n", shared.replace("1h", "1x")))
    told = reused.run("validate", "--format", "json").document["problems"]
    assert [(one["path"], one["line"], one["code"]) for one in told if one["severity"] == "error"] == [
        ("reconciler.yaml", 10, "bad-every")
    ]


def test_a_blackout_that_many_made_schedules_run_into_is_told_once_with_the_item(reused: Stage) -> None:
    blackout = "  blackouts:\n    - {name: freeze, timeZone: UTC, from: 2026-11-01T00:00:00, to: 2036-02-01T00:00:00}\n"
    reused.project(DEFAULTS + blackout)
    told = [one for one in reused.run("validate", "--format", "json").document["problems"] if one["code"] == "blackout"]
    assert [one["line"] for one in told] == sorted(one["line"] for one in told)
    assert told
    assert all("item 1 (name: prices)" in one["message"] or "item 2 (name: stock)" in one["message"] for one in told)


def test_what_has_no_id_in_the_table_has_none_when_it_is_rendered(reused: Stage) -> None:
    reused.write(AGENTS.replace("{name: nightly,", '{name: nightly, id: "${each.id:-}",'))
    reused.write("name,zone,id\nprices,UTC,d9c944df-93a7-ea77-f7b7-fa0b9c579917\nstock,UTC\n", "agents.csv")
    rendered = reused.run("render").out
    assert rendered.count(" id:") == 1
    (reused.root / "manifests" / "templates.yaml").unlink()
    reused.write(rendered)
    assert reused.run("validate").code == 0


def test_a_plan_says_which_file_has_lost_its_items(reused: Stage) -> None:
    assert reused.apply().code == 0
    reused.write("name,zone\n", "agents.csv")
    ended = reused.run("plan")
    assert ended.code == 3
    assert "manifests/retail.yaml:3: the file 'agents.csv' has no items" in ended.said
