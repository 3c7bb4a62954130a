"""`status`: sync, health, last run and next run, as ACC and the ledger really show them."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from operations_desk import NASTY, PATH, SCHEDULE, ZONE, Desk, accepts, desk, estate, give_run, populated

from reconciler.emulator import Switches
from reconciler.emulator.acc_state import RunStatus, Schedule, ScheduleStatus
from reconciler.render.characters import columns

DAILY = "d9c944df-93a7-4a77-b7b7-fa0b9c579917"
MANIFEST = f"""\
apiVersion: reconciler/v1
kind: Agent
metadata: {{name: prices}}
spec:
  path: {PATH}
  schedules:
    - name: hourly
      id: {DAILY}
      every: 1h
      startTime: 2026-01-01T00:00:00
      timeZone: {ZONE}
      enabled: true
"""
TRIGGER = """\
---
apiVersion: reconciler/v1
kind: TaskTrigger
metadata: {name: publish}
spec: {task: {name: Publish prices}, when: {revision: "1"}}
"""
MINUTES = timedelta(minutes=1)


def declared(at: Desk, manifest: str = MANIFEST, **fields: Any) -> Schedule:
    """Declare one hourly schedule that is live already, and return it as the emulator holds it."""
    at.write("manifests/prices.yaml", manifest)
    values = {"cron": "0 0 1 0", "start_time": "2026-01-01T00:00:00", "time_zone_id": ZONE, **fields}
    return at.emulator.estate.add_schedule(PATH, DAILY, **values)


def row(at: Desk, code: int, address: str = "schedule/prices/hourly") -> Any:
    """One row of the JSON document, which keeps to its schema; the text has the same health and the same exit."""
    typed = at.type("status", "--format", "json")
    assert typed.code == code, typed.out + typed.err
    accepts("status", typed.json)
    found = next(one for one in typed.json["resources"] if one["address"] == address)
    text = at.type("status")
    assert text.code == code
    assert re.search(rf"{re.escape(address)} .* {found['health']}(?: |$)", text.out, re.M), text.out
    for note in found["notes"]:
        assert " ".join(note.split()) in " ".join(text.out.split())
    assert typed.json["summary"][found["health"]] >= 1
    return found


def test_a_schedule_that_runs_on_time_is_healthy(tmp_path: Path) -> None:
    with desk(tmp_path) as at:
        run = give_run(declared(at), ago=10 * MINUTES)
        found = row(at, 0)
        assert (found["health"], found["sync"], found["notes"]) == ("healthy", "in-sync", [])
        assert datetime.fromisoformat(found["last_run"]) == run.start.replace(microsecond=0)
        assert found["next_run"] == found["predicted"]
        assert found["next_run"][19:] in ("+10:00", "+11:00"), "times are on the schedule's own clock"


def test_one_that_failed_says_how_often_and_why(tmp_path: Path) -> None:
    with desk(tmp_path) as at:
        schedule = declared(at)
        give_run(schedule, ago=200 * MINUTES)
        give_run(schedule, ago=130 * MINUTES, outcome=RunStatus.FAILED)
        give_run(schedule, ago=70 * MINUTES, outcome=RunStatus.FAILED)
        give_run(schedule, ago=10 * MINUTES, outcome=RunStatus.FAILURE)
        found = row(at, 2)
        assert found["health"] == "failing"
        assert re.match(r"its last 3 runs failed, since 20..-..-..T..:..:..\+1[01]:00: ", found["notes"][0])


def test_what_the_server_says_is_shown_harmlessly(tmp_path: Path) -> None:
    with desk(tmp_path) as at:
        schedule = declared(at, error_message="No server\n\x1b[31mis free")
        give_run(schedule, ago=10 * MINUTES)
        found = row_of_text(at)
        assert "server: No server \\x1b[31mis free" in found
        assert at.type("status", "--format", "json").json["resources"][0]["health"] == "failing"


def test_what_a_manifest_makes_secret_is_hidden_in_what_a_run_and_the_server_say(tmp_path: Path) -> None:
    with desk(tmp_path) as at:
        at.environ["SITE_PASSWORD"] = "the password of the site"
        manifest = MANIFEST.replace(f"      id: {DAILY}\n", "")
        at.write("manifests/prices.yaml", manifest + "      inputParameters: {password: '${env:SITE_PASSWORD}'}\n")
        assert at.type("apply", "--auto-approve").code == 0
        (schedule,) = at.emulator.estate.schedules.values()
        run = give_run(schedule, ago=10 * MINUTES, outcome=RunStatus.FAILED)
        run.message = "no login with the password\nof the site"
        schedule.error_message = "again: the password \n of the site"
        for words in (["status"], ["status", "--format", "json"]):
            typed = at.type(*words)
            assert "password" not in typed.out + typed.err
        notes = typed.json["resources"][0]["notes"]
        assert notes == ["its last run: no login with (secret)", "server: again: (secret)"]


def row_of_text(at: Desk) -> str:
    typed = at.type("status")
    assert typed.code == 2
    assert "\x1b" not in typed.out
    return typed.out


def test_one_that_never_ran(tmp_path: Path) -> None:
    with desk(tmp_path) as at:
        declared(at)
        found = row(at, 0)
        assert (found["health"], found["last_run"]) == ("never ran", None)


def test_one_that_is_late_by_its_last_run_although_the_server_looks_ahead(tmp_path: Path) -> None:
    with desk(tmp_path) as at:
        give_run(declared(at), ago=200 * MINUTES)
        found = row(at, 2)
        assert found["health"] == "late"
        assert found["notes"][0].startswith("it should have run at 20")


def test_one_that_was_written_a_moment_ago_is_not_late(tmp_path: Path) -> None:
    with desk(tmp_path) as at:
        give_run(declared(at), ago=200 * MINUTES)
        assert at.type("apply", "--auto-approve").code == 0
        assert row(at, 0)["health"] == "healthy"


def test_one_that_waits_for_its_agents_other_run_is_not_late(tmp_path: Path) -> None:
    with desk(tmp_path) as at:
        give_run(declared(at), ago=200 * MINUTES)
        other = at.emulator.estate.add_schedule(PATH, "00000001-93a7-4a77-b7b7-fa0b9c579917")
        give_run(other, ago=5 * MINUTES, took=60 * MINUTES)
        assert row(at, 0)["health"] == "healthy"


def test_one_that_is_running_and_one_that_runs_too_long(tmp_path: Path) -> None:
    with desk(tmp_path) as at:
        schedule = declared(at)
        give_run(schedule, ago=120 * MINUTES, took=MINUTES)
        run = give_run(schedule, ago=2 * MINUTES, took=120 * MINUTES)
        assert row(at, 0)["health"] == "running"
        run.start -= 50 * MINUTES
        found = row(at, 2)
        assert found["health"] == "running long"
        assert re.fullmatch(r"running for 52 min, usually 1 min", found["notes"][0])


def test_one_that_was_switched_off_by_hand_although_declared_on(tmp_path: Path) -> None:
    with desk(tmp_path) as at:
        declared(at, is_enabled=False)
        found = row(at, 2)
        assert (found["health"], found["notes"]) == ("disabled", ["disabled in ACC although declared enabled"])


def test_one_that_was_switched_off_by_hand_where_the_manifest_says_nothing(tmp_path: Path) -> None:
    with desk(tmp_path) as at:
        declared(at, MANIFEST.replace("      enabled: true\n", ""), is_enabled=False)
        found = row(at, 2)
        assert found["health"] == "disabled"
        assert found["notes"] == ["disabled in ACC; the manifest says nothing, which means enabled"]
        assert (found["next_run"], found["predicted"]) == (None, None)


@pytest.mark.parametrize(
    ("word", "note"),
    [("false", []), ("keep", ["disabled in ACC; `enabled: keep` leaves the switch to the people there"])],
)
def test_one_that_is_off_on_purpose_is_no_trouble(tmp_path: Path, word: str, note: list[str]) -> None:
    with desk(tmp_path) as at:
        declared(at, MANIFEST.replace("enabled: true", f"enabled: {word}"), is_enabled=False)
        found = row(at, 0)
        assert (found["health"], found["notes"]) == ("off", note)


def test_a_word_that_nobody_documents_is_not_taken_for_health(tmp_path: Path) -> None:
    with desk(tmp_path, switches=Switches.parse(["enumerations=unknown"])) as at:
        give_run(declared(at), ago=10 * MINUTES)
        found = row(at, 0)
        assert found["health"] == "unknown"
        assert "nobody documents" in found["notes"][0]


def test_a_next_run_that_we_predict_differently_is_shown(tmp_path: Path) -> None:
    with desk(tmp_path, switches=Switches.parse(["next_run_time=shifted"])) as at:
        give_run(declared(at), ago=10 * MINUTES)
        found = row(at, 0)
        apart = datetime.fromisoformat(found["next_run"]) - datetime.fromisoformat(found["predicted"])
        assert apart == timedelta(hours=1)
        assert found["notes"] == [f"ACC says {found['next_run']} next, this program predicts {found['predicted']}"]


def test_without_a_next_run_from_the_server_the_prediction_is_shown(tmp_path: Path) -> None:
    with desk(tmp_path, switches=Switches.parse(["next_run_time=null"])) as at:
        give_run(declared(at), ago=10 * MINUTES)
        found = row(at, 0)
        assert found["next_run"] is None
        day, minute = found["predicted"][:10], found["predicted"][11:16]
        assert f"{day} {minute}" in at.type("status").out


def test_one_that_vanished_is_unhealthy_and_one_not_made_yet_is_not(tmp_path: Path) -> None:
    with desk(tmp_path) as at:
        declared(at, MANIFEST.replace(f"      id: {DAILY}\n", ""))
        found = row(at, 0)
        assert (found["sync"], found["health"], found["notes"]) == ("pending", "unknown", ["not in ACC"])
        assert at.type("apply", "--auto-approve").code == 0
        ours = next(key for key in at.agent.schedules if key != DAILY)
        at.emulator.estate.remove_schedule(ours)
        found = row(at, 2)
        assert (found["sync"], found["notes"]) == ("missing", ["not in ACC"])


def test_an_agent_that_cannot_be_read_is_unknown_and_the_answer_incomplete(tmp_path: Path) -> None:
    with desk(tmp_path) as at:
        give_run(declared(at), ago=10 * MINUTES)
        at.emulator.inject("GET /schedules$ 400")
        typed = at.type("status", "--format", "json")
        assert typed.code == 1
        found = typed.json["resources"][0]
        assert (found["sync"], found["health"]) == ("unreadable", "unknown")
        assert "400" in found["notes"][0]


def test_runs_that_cannot_be_read_leave_a_note_and_an_incomplete_answer(tmp_path: Path) -> None:
    with desk(tmp_path) as at:
        give_run(declared(at), ago=10 * MINUTES)
        at.emulator.inject("GET history 403")
        found = row(at, 1)
        assert found["notes"] == ["the agent's runs could not be read"]


def test_triggers_stand_beside_schedules(tmp_path: Path) -> None:
    with desk(tmp_path) as at:
        declared(at, MANIFEST + TRIGGER)
        assert row(at, 0, "trigger/publish")["health"] == "never ran"
        assert at.type("apply", "--auto-approve").code == 0
        assert row(at, 0, "trigger/publish")["health"] == "healthy"
        at.write("manifests/prices.yaml", MANIFEST + TRIGGER.replace("Publish prices", "Fail"))
        assert at.type("apply", "--auto-approve").code == 4
        found = row(at, 2, "trigger/publish")
        assert found["health"] == "failing"
        assert re.fullmatch(r"run \S+ failed", found["notes"][0])


def test_a_start_that_nobody_knows_about_wants_a_look(tmp_path: Path) -> None:
    with desk(tmp_path) as at:
        declared(at, MANIFEST + TRIGGER)
        at.emulator.inject("POST /v1/tasks/ drop-after")
        assert at.type("apply", "--auto-approve").code == 5
        found = row(at, 2, "trigger/publish")
        assert found["health"] == "unknown"
        assert "reconciler resolve trigger/publish" in found["notes"][0]


def test_the_worst_comes_first_and_selectors_choose(tmp_path: Path) -> None:
    with desk(tmp_path) as at:
        bad = "00000001-93a7-4a77-b7b7-fa0b9c579917"
        block = MANIFEST[MANIFEST.index("    - name") :].replace("hourly", "zzz").replace(DAILY, bad)
        give_run(declared(at, MANIFEST + block + TRIGGER), ago=10 * MINUTES)
        values = {"cron": "0 0 1 0", "start_time": "2026-01-01T00:00:00", "time_zone_id": ZONE}
        at.emulator.estate.add_schedule(PATH, bad, is_enabled=False, **values)
        shown = re.findall(r"(?:schedule|trigger)/\S+", at.type("status").out)
        assert shown == ["schedule/prices/zzz", "trigger/publish", "schedule/prices/hourly"]
        only = at.type("status", "--only", "schedule/prices/h*")
        assert (only.code, "zzz" in only.out, "publish" in only.out) == (0, False, False)
        assert at.type("status", "--only", "schedule/none/*").code == 64


@pytest.mark.parametrize("width", [60, 80, 100, 140, 200])
@pytest.mark.parametrize("name", ["n", "a-schedule-with-a-rather-long-name-that-somebody-thought-of"])
def test_no_line_is_wider_than_the_screen_and_no_name_is_lost(tmp_path: Path, width: int, name: str) -> None:
    with desk(tmp_path) as at:
        schedule = declared(at, MANIFEST.replace("hourly", name), error_message="价格 " * 40)
        give_run(schedule, ago=10 * MINUTES)
        typed = at.type("status", columns=width)
        assert max(columns(line) for line in typed.lines) <= width
        assert f"schedule/prices/{name}" in "".join(line.strip() for line in typed.lines)
        assert "\x1b" not in typed.out


def test_nothing_is_written_and_nothing_is_created(tmp_path: Path) -> None:
    with desk(tmp_path) as at:
        declared(at)
        at.emulator.clear_requests()
        assert at.type("status").code == 0
        assert {request.method for request in at.emulator.requests} == {"GET"}
        assert not (tmp_path / ".reconciler").exists()


def test_an_estate_without_schedules_says_so(tmp_path: Path) -> None:
    with desk(tmp_path) as at:
        at.write("manifests/prices.yaml", MANIFEST[: MANIFEST.index("  schedules:")])
        typed = at.type("status")
        assert (typed.code, typed.out) == (0, "No schedule and no trigger is declared.\n")


def test_the_state_of_a_running_schedule_is_believed_without_its_runs(tmp_path: Path) -> None:
    with desk(tmp_path, estate()) as at:
        schedule = declared(at)
        schedule.status = ScheduleStatus.RUNNING
        schedule.last_run_time = at.clock() - MINUTES
        assert row(at, 0)["health"] == "running"


PAST = st.lists(
    st.tuples(st.integers(1, 5000), st.integers(0, 400), st.sampled_from(list(RunStatus)), NASTY), max_size=4
)


@given(schedules=st.lists(st.tuples(SCHEDULE, PAST), min_size=1, max_size=3))
@settings(deadline=None, max_examples=20)
def test_whatever_stands_in_acc_status_can_be_read(
    tmp_path_factory: pytest.TempPathFactory, schedules: list[tuple[dict[str, Any], Any]]
) -> None:
    made = populated([values for values, _ in schedules])
    for schedule, (_, past) in zip(made.schedules.values(), schedules, strict=True):
        for ago, took, outcome, message in past:
            give_run(schedule, ago=ago * MINUTES, took=took * MINUTES, outcome=outcome)
            schedule.error_message = message or None
    with desk(tmp_path_factory.mktemp("law"), made) as at:
        assert at.type("import", "--agent", PATH).code == 0
        typed = at.type("status", "--format", "json")
        accepts("status", typed.json)
        unhealthy = {"failing", "disabled", "late", "running long"}
        assert typed.code == (2 if any(one["health"] in unhealthy for one in typed.json["resources"]) else 0)
        text = at.type("status", columns=60)
        assert text.code == typed.code
        assert max(columns(line) for line in text.lines) <= 60
