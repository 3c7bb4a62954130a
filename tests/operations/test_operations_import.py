"""`import`: what runs already becomes manifests, and taking it over changes nothing."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from operations_desk import PATH, SCHEDULE, ZONE, Desk, desk, estate, populated

from reconciler.emulator import Switches
from reconciler.identity import owned_id

DAILY = "d9c944df-93a7-ea77-f7b7-fa0b9c579917"


def document(at: Desk, *words: str) -> Any:
    typed = at.type(*words, "--format", "json")
    assert typed.code == 0, typed.err
    return typed.json


def takes_over(at: Desk, path: str = PATH) -> None:
    """The promise of import: validate is clean, plan adopts and no more, and after apply there is nothing to plan."""
    before = at.type("acc", "schedule", "list", path, "--format", "json").out
    typed = at.type("import", "--agent", path)
    assert typed.code == 0, typed.err
    checked = at.type("validate")
    assert checked.code == 0, checked.out
    planned = document(at, "plan")
    assert {change["action"] for change in planned["changes"]} <= {"adopt"}, planned["changes"]
    assert not planned["blocked"]
    assert at.type("apply", "--auto-approve").code == 0
    again = document(at, "plan")
    assert (again["changes"], again["blocked"]) == ([], [])
    assert at.type("acc", "schedule", "list", path, "--format", "json").out == before


def test_a_schedule_is_written_with_its_id_and_in_the_words_of_a_manifest(tmp_path: Path) -> None:
    with desk(tmp_path) as at:
        at.emulator.estate.add_schedule(
            PATH,
            DAILY.upper(),
            cron="0 0 2 * * MON-FRI",
            start_time="2026-01-01T02:00:00",
            time_zone_id=ZONE,
            session_id="1-5/5",
            input_parameters='{"region":"au","limit":5}',
            log_level=2,
        )
        typed = at.type("import", "--agent", PATH)
        assert (typed.code, typed.out) == (0, f"wrote {tmp_path}/manifests/prices.yaml: 1 schedule\n")
        text = (tmp_path / "manifests/prices.yaml").read_text()
        spec = yaml.safe_load(text)["spec"]
        assert spec["schedules"] == [
            {
                "name": "weekdays-0200",
                "id": DAILY,
                "cron": "0 0 2 * * MON-FRI",
                "startTime": spec["schedules"][0]["startTime"],
                "timeZone": ZONE,
                "inputParameters": {"region": "au", "limit": "5"},
                "logLevel": "medium",
                "sessionId": "1-5/5",
                "windowless": True,
                "enabled": True,
            }
        ]
        assert "startTime: 2026-01-01T02:00:00\n" in text
        assert "# ACC says: Runs" in text
        assert "# approval: {state: approved}" in text
        assert {change["action"] for change in document(at, "plan")["changes"]} == {"adopt"}


def test_the_same_estate_gives_the_same_bytes_whatever_the_order(tmp_path: Path) -> None:
    ids = [f"{number:08x}-93a7-4a77-b7b7-fa0b9c579917" for number in (7, 1, 5)]
    texts = []
    for which, order in enumerate((ids, ids[::-1])):
        with desk(tmp_path / str(which)) as at:
            for identity in order:
                at.emulator.estate.add_schedule(PATH, identity)
            assert at.type("import", "--agent", PATH).code == 0
            texts.append((at.root / "manifests/prices.yaml").read_text())
    assert texts[0] == texts[1]
    assert [line.split()[-1] for line in texts[0].splitlines() if "- name:" in line] == [
        "daily-0000",
        "daily-0000-2",
        "daily-0000-3",
    ]


def test_agents_of_one_name_get_a_file_each(tmp_path: Path) -> None:
    with desk(tmp_path) as at:
        at.emulator.estate.add_agent("sequentum/Travel/prices")
        at.emulator.estate.add_agent("sequentum/Travel/42")
        paths = (PATH, "sequentum/Travel/prices", "sequentum/Travel/42", PATH)
        typed = at.type("import", *[word for path in paths for word in ("--agent", path)])
        assert typed.code == 0
        found = {path.name: yaml.safe_load(path.read_text()) for path in (tmp_path / "manifests").iterdir()}
        assert sorted(found) == ["42.yaml", "prices-2.yaml", "prices.yaml"]
        assert found["42.yaml"]["metadata"]["name"] == "42"
        assert found["prices-2.yaml"]["spec"] == {"path": "sequentum/Travel/prices", "schedules": []}
        assert at.type("validate").code == 0


def test_what_looks_like_interpolation_is_text(tmp_path: Path) -> None:
    with desk(tmp_path) as at:
        odd = {"${env:HOME}": "${env:HOME} $${ $$${x} ${", "<<": "*x", "no": "yes", "1": "0x1f"}
        at.emulator.estate.add_schedule(PATH, DAILY, input_parameters=json.dumps(odd), session_id="${var:zone}")
        takes_over(at)
        desired = document(at, "plan")
        assert desired["summary"]["unchanged"] == 1


def test_what_looks_like_a_secret_is_pointed_out(tmp_path: Path) -> None:
    with desk(tmp_path) as at:
        at.emulator.estate.add_schedule(PATH, DAILY, input_parameters='{"password":"hunter2","region":"au"}')
        typed = at.type("import", "--agent", PATH)
        assert "note: sequentum/Retail/prices: daily-0000: inputParameters.password looks like a secret" in typed.err
        assert "hunter2" not in typed.err + typed.out
        assert "# Looks like a secret" in (tmp_path / "manifests/prices.yaml").read_text()


@pytest.mark.parametrize(
    ("odd", "word"),
    [
        ({"cron": "every full moon"}, "cron"),
        ({"cron": ""}, "cron"),
        ({"cron": 'a "quoted"\ncron'}, "cron"),
        ({"start_time": ""}, "start"),
        ({"start_time": "soon\n- name: injected"}, "start"),
        ({"time_zone_id": "Middle Earth"}, "time zone"),
        ({"time_zone_id": ""}, "time zone"),
    ],
)
def test_a_schedule_that_nobody_can_read_is_left_alone_with_a_comment(
    tmp_path: Path, odd: dict[str, Any], word: str
) -> None:
    with desk(tmp_path) as at:
        at.emulator.estate.add_schedule(PATH, DAILY, **odd)
        at.emulator.estate.add_schedule(PATH, "00000001-93a7-4a77-b7b7-fa0b9c579917")
        takes_over(at)
        text = (tmp_path / "manifests/prices.yaml").read_text()
        assert f"# The schedule {DAILY} is left as it is, unmanaged:\n    # its {word}" in text
        assert len(yaml.safe_load(text)["spec"]["schedules"]) == 1
        assert document(at, "plan")["unmanaged"] == [{"agent": "prices", "id": DAILY}]


@pytest.mark.parametrize(
    "odd",
    [
        {"cron": "30 5 0 0"},
        {"cron": "0 0 0 1", "start_time": "2019-05-30T15:36:00.1234567"},
        {"cron": "0 30 0 0", "start_time": "2019-05-30T15:36:00+10:00", "time_zone_id": ZONE},
        {"input_parameters": "not json"},
        {"input_parameters": '["a"]'},
        {"input_parameters": '{"":"x"}'},
        {"input_parameters": '{"half":"\\ud83d"}'},
        {"input_parameters": json.dumps({"k" * 2000: "v" * 5000})},
        {"log_level": 7},
        {"time_zone_id": "Mars Standard Time"},
        {"is_enabled": False, "is_windowless": False},
        {"session_id": 'a"b\\c\n\t\x00\x7f\x85\u2028\ufeff🕑'},
    ],
)
def test_odd_schedules_are_taken_over_as_they_are(tmp_path: Path, odd: dict[str, Any]) -> None:
    with desk(tmp_path) as at:
        at.emulator.estate.add_schedule(PATH, DAILY, **odd)
        takes_over(at)


def test_a_schedule_that_this_project_made_is_told_from_others(tmp_path: Path) -> None:
    with desk(tmp_path) as at:
        ours = owned_id("retail-data", "default", PATH, "nightly")
        theirs = owned_id("other", "default", PATH, "nightly")
        at.emulator.estate.add_schedule(PATH, ours)
        at.emulator.estate.add_schedule(PATH, theirs)
        takes_over(at)
        text = (tmp_path / "manifests/prices.yaml").read_text()
        assert f"# Made by this project, from a manifest that is gone.\n      id: {ours}" in text
        assert "# Perhaps made by another project or environment" in text.split(theirs, maxsplit=1)[0]


@pytest.mark.parametrize(
    "setting",
    [
        f"{switch.name}={choice}"
        for switch in fields(Switches)
        for choice in switch.metadata["choices"][1:]
        if switch.name
        in (
            "guid_case",
            "key_case",
            "fractions",
            "start_time_style",
            "booleans",
            "enumerations",
            "reserialise_parameters",
            "empty_parameters",
            "cron_style",
            "zone_case",
            "next_run_time",
            "empty_list",
            "roll_start_time",
        )
    ],
)
def test_a_server_that_spells_differently_is_taken_over_all_the_same(tmp_path: Path, setting: str) -> None:
    made = estate()
    made.add_agent("sequentum/Retail/empty")
    for number, cron in enumerate(("0 0 2 * * MON-FRI", "0 30 0 0", "0 0 0 1", "0 0 1 ? * 5L")):
        made.add_schedule(
            PATH,
            f"abcdef0{number}-93a7-4a77-b7b7-fa0b9c579917",
            cron=cron,
            start_time="2025-03-01T04:15:00",
            time_zone_id=ZONE,
            input_parameters='{"b":"2","a":"1"}' if number else None,
            is_enabled=number != 2,
        )
    with desk(tmp_path, made, switches=Switches.parse([setting])) as at:
        takes_over(at)
        # An answer that is no list is never taken for an empty one.
        expected = 1 if setting in ("empty_list=null", "empty_list=nothing") else 0
        assert at.type("import", "--agent", "sequentum/Retail/empty").code == expected


@given(schedules=st.lists(SCHEDULE, max_size=4))
@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_people_typed_into_acc_can_be_taken_over(
    tmp_path_factory: pytest.TempPathFactory, schedules: list[dict[str, Any]]
) -> None:
    with desk(tmp_path_factory.mktemp("law"), populated(schedules)) as at:
        takes_over(at)


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    with desk(tmp_path) as at:
        at.emulator.estate.add_agent("sequentum/Retail/a-new-one")
        at.write("imported/prices.yaml", "mine\n")
        typed = at.type(
            "import", "--agent", "sequentum/Retail/a-new-one", "--agent", PATH, "--out", str(tmp_path / "imported")
        )
        assert typed.code == 64
        assert "imported/prices.yaml is there already" in typed.err
        assert [path.name for path in (tmp_path / "imported").iterdir()] == ["prices.yaml"]
        assert (tmp_path / "imported/prices.yaml").read_text() == "mine\n"


def test_a_folder_that_is_a_file_leaves_nothing_behind(tmp_path: Path) -> None:
    with desk(tmp_path) as at:
        at.write("taken", "a file")
        typed = at.type("import", "--agent", PATH, "--out", str(tmp_path / "taken" / "in"))
        assert typed.code == 64
        assert "cannot be written" in typed.err


def test_an_agent_that_cannot_be_read_is_named_and_the_others_are_written(tmp_path: Path) -> None:
    with desk(tmp_path) as at:
        typed = at.type("import", "--agent", PATH, "--agent", "sequentum/Retail/gone")
        assert typed.code == 1
        assert "1 of 2 agents could not be read; the others were written\n  sequentum/Retail/gone: " in typed.err
        assert "next: correct the path, or leave that agent out" in typed.err
        assert typed.out == f"wrote {tmp_path}/manifests/prices.yaml: 0 schedules\n"
        assert at.type("validate").code == 0
        again = at.type("import", "--agent", "sequentum/Retail/gone")
        assert (again.code, again.out) == (1, "")
        assert "1 of 1 agent could not be read; nothing was written" in again.err


@pytest.mark.parametrize("path", ["/a/b", "a/b/", "a\\b", "", " a"])
def test_a_path_that_cannot_be_one_is_refused(tmp_path: Path, path: str) -> None:
    with desk(tmp_path) as at:
        typed = at.type("import", "--agent", path)
        assert (typed.code, "is no path of an agent" in typed.err) == (64, True)
        assert not at.emulator.requests


def test_an_agent_that_is_declared_already_is_refused_with_its_place(tmp_path: Path) -> None:
    with desk(tmp_path) as at:
        assert at.type("import", "--agent", PATH).code == 0
        typed = at.type("import", "--agent", PATH.upper())
        assert typed.code == 64
        assert "is declared already, at manifests/prices.yaml:1" in typed.err


def test_a_new_file_takes_no_handle_that_is_in_use(tmp_path: Path) -> None:
    with desk(tmp_path) as at:
        at.write(
            "manifests/a.yaml",
            "apiVersion: reconciler/v1\nkind: Agent\nmetadata: {name: prices}\nspec: {path: sequentum/Other/thing}\n",
        )
        assert at.type("import", "--agent", PATH).code == 0
        assert (tmp_path / "manifests/prices-2.yaml").exists()
        assert at.type("validate").code == 0


def test_broken_manifests_come_first(tmp_path: Path) -> None:
    with desk(tmp_path) as at:
        at.write("manifests/a.yaml", "kind: Agnet\n")
        typed = at.type("import", "--agent", PATH)
        assert typed.code == 1
        assert "Agnet" in typed.err
        assert not (tmp_path / "manifests/prices.yaml").exists()


def test_files_outside_every_pattern_are_pointed_out(tmp_path: Path) -> None:
    with desk(tmp_path) as at:
        at.emulator.estate.add_agent("sequentum/Retail/stock")
        assert at.type("import", "--agent", PATH).code == 0
        typed = at.type("import", "--agent", "sequentum/Retail/stock", "--out", str(tmp_path / "elsewhere"))
        assert typed.code == 0
        assert "elsewhere/stock.yaml matches no pattern of spec.manifests" in typed.err


def test_an_empty_project_may_import_into_another_folder(tmp_path: Path) -> None:
    with desk(tmp_path) as at:
        typed = at.type("import", "--agent", PATH, "--out", str(tmp_path / "elsewhere"))
        assert typed.code == 0, typed.err
        assert "elsewhere/prices.yaml matches no pattern of spec.manifests" in typed.err


def test_without_a_connection_it_says_which_one_is_missing(tmp_path: Path) -> None:
    with desk(tmp_path) as at:
        at.write("reconciler.yaml", "apiVersion: reconciler/v1\nkind: Project\nmetadata: {name: x}\nspec: {}\n")
        typed = at.type("import", "--agent", PATH)
        assert typed.code == 64
        assert "connections.acc" in typed.err


def test_without_its_token_it_says_which_variable_is_missing(tmp_path: Path) -> None:
    with desk(tmp_path) as at:
        typed = at.type("import", "--agent", PATH, ACC_TOKEN=None)
        assert typed.code == 1
        assert "ACC_TOKEN" in typed.err
        assert "reconciler.yaml" in typed.err
