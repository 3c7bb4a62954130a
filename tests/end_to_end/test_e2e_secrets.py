"""Secrets stay secret: whatever happened to the apply that sent one, and whoever looks afterwards."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterable

import pytest
from stage import HAND_MADE, NIGHTLY, PASSWORD, POLL, PRICES, Stage, agent, wait_for

Open = Callable[..., Stage]

pytestmark = pytest.mark.usefixtures("no_waiting")

SECRET = '      inputParameters: {password: "${env:PASSWORD}", region: au}\n'
WITHOUT = "      inputParameters: {region: au}\n"
LOOKS = (
    ("plan",),
    ("-v", "plan"),
    ("plan", "--format", "json"),
    ("plan", "--format", "markdown"),
    ("plan", "--format", "html"),
    ("drift",),
    ("-v", "drift"),
    ("drift", "--format", "json"),
    ("drift", "--format", "markdown"),
    ("drift", "--format", "html"),
    ("drift", "--format", "sarif"),
    ("drift", "--format", "junit"),
    ("status",),
    ("status", "--format", "json"),
    ("calendar",),
    ("calendar", "--format", "json"),
    ("-v", "history"),
    ("history", "--format", "json"),
    ("doctor",),
)


def test_what_a_server_made_of_a_secret_is_not_shown_either(open_stage: Open) -> None:
    """It comes back under another name: the whole field stays hidden, `Stage.run` looks for the value."""
    stage = open_stage(switches=["mangle_field=lower-parameters"])
    stage.write(agent(NIGHTLY + SECRET.replace("password", "Password").replace("region: au", "region: AU")))
    ended = stage.apply("--format", "json")
    assert ended.code == 8
    (outcome,) = ended.document["outcomes"]
    assert outcome["detail"] == "reading back shows something else: inputParameters"


def forgotten(stage: Stage, schedule: str = NIGHTLY + WITHOUT) -> None:
    """The parameter leaves the manifest, and its variable the environment: nobody knows the value any more."""
    stage.write(agent(schedule))
    del stage.environ["PASSWORD"]


def look_everywhere(stage: Stage) -> None:
    """Every command and format. `Stage.run` holds all that is printed against the value."""
    for words in LOOKS:
        stage.run(*words)
    file = stage.root / "plan.json"
    stage.run("plan", "--out", str(file))
    stage.run("show", str(file))
    assert PASSWORD not in file.read_text(encoding="utf-8")
    for path in stage.ledger.parent.iterdir():
        assert PASSWORD.encode() not in path.read_bytes()


def shown(stage: Stage) -> dict[str, tuple[object, object]]:
    (change,) = stage.plan()["changes"]
    return {field["path"]: (field["before"], field["after"]) for field in change["fields"]}


def test_a_parameter_that_was_secret_stays_hidden_when_it_left_the_manifest(stage: Stage) -> None:
    stage.write(agent(NIGHTLY + SECRET))
    assert stage.apply().code == 0
    forgotten(stage)
    assert shown(stage) == {"inputParameters.password": ("(secret)", None)}
    look_everywhere(stage)
    assert stage.apply().code == 0
    assert PASSWORD not in str(stage.live("nightly").input_parameters)


@pytest.mark.parametrize("with_memory", [False, True])
def test_a_lost_reply_does_not_lose_what_is_secret(stage: Stage, with_memory: bool) -> None:
    """The value was sent, and neither the reply nor the second look came back."""
    if with_memory:
        stage.write(agent(NIGHTLY + WITHOUT))
        assert stage.apply().code == 0
    stage.write(agent(NIGHTLY + SECRET))
    stage.emulator.inject("POST /schedule #* drop-after")
    stage.emulator.inject("GET /schedules #3+ 500")
    assert stage.apply().code == 4
    stage.emulator.clear_faults()
    assert PASSWORD in str(stage.live("nightly").input_parameters)
    forgotten(stage)
    assert shown(stage) == {"inputParameters.password": ("(secret)", None)}
    look_everywhere(stage)


def test_a_killed_apply_does_not_lose_what_is_secret(stage: Stage) -> None:
    stage.write(agent(NIGHTLY + SECRET))
    stage.emulator.inject("GET /schedules #3+ sleep=30")
    process = stage.start("apply", "--auto-approve")
    wait_for(stage.owned)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    stage.emulator.clear_faults()
    assert PASSWORD in str(stage.live("nightly").input_parameters)
    forgotten(stage)
    assert shown(stage) == {"inputParameters.password": ("(secret)", None)}
    look_everywhere(stage)


def test_a_parameter_that_nobody_declares_any_more_is_remembered_until_live_has_lost_it(stage: Stage) -> None:
    """First the manifest leaves the parameters to ACC, then it declares others, then the schedule goes."""
    stage.write(agent(NIGHTLY + SECRET))
    assert stage.apply().code == 0
    forgotten(stage, NIGHTLY)
    assert stage.apply().code == 0, "the ledger is refreshed, and live keeps its parameters"
    assert PASSWORD in str(stage.live("nightly").input_parameters)
    look_everywhere(stage)
    stage.write(agent())
    assert shown(stage)["inputParameters.password"] == ("(secret)", None)
    assert shown(stage)["inputParameters.region"] == ("au", None)
    look_everywhere(stage)
    stage.write(agent(NIGHTLY + "      inputParameters: {password: plain, region: au}\n"))
    assert "plain" not in stage.run("plan").out
    assert stage.apply().code == 0
    stage.write(agent(NIGHTLY + WITHOUT))
    assert stage.apply().code == 0
    stage.write(agent(NIGHTLY + "      inputParameters: {password: plain, region: au}\n"))
    assert shown(stage) == {"inputParameters.password": (None, "plain")}, "live was seen without it"


def test_a_lost_ledger_hides_what_it_cannot_know(stage: Stage) -> None:
    stage.write(agent(NIGHTLY + SECRET))
    assert stage.apply().code == 0
    for path in stage.ledger.parent.iterdir():
        path.unlink()
    forgotten(stage)
    assert shown(stage) == {"inputParameters.password": ("(secret)", None)}
    look_everywhere(stage)
    stage.write(agent(NIGHTLY))
    assert stage.apply().code == 0, "adopted, its parameters unread"
    stage.write(agent())
    assert {both for path, both in shown(stage).items() if path.startswith("inputParameters")} == {("(secret)", None)}
    look_everywhere(stage)


def test_a_deletion_shows_the_parameters_that_were_never_secret(stage: Stage) -> None:
    stage.write(agent(NIGHTLY + WITHOUT))
    assert stage.apply().code == 0
    stage.write(agent())
    assert shown(stage)["inputParameters.region"] == ("au", None)
    assert 'inputParameters.region: "au"' in stage.run("plan").out


def test_what_live_still_shows_of_an_old_secret_is_hidden_in_the_words_of_the_server_too(stage: Stage) -> None:
    stage.write(agent(NIGHTLY + SECRET))
    assert stage.apply().code == 0
    stage.live("nightly").error_message = f"cannot log\n in with {PASSWORD}"
    forgotten(stage, NIGHTLY)
    assert "cannot log in with (secret)" in stage.run("status").said


def test_a_secret_that_changed_is_seen_to_have_changed_in_every_format(stage: Stage) -> None:
    stage.write(agent(NIGHTLY + SECRET))
    assert stage.apply().code == 0
    stage.environ["PASSWORD"] = "another-that-nobody-may-see"
    assert shown(stage) == {"inputParameters.password": ("(secret)", "(secret, changed)")}
    file = stage.root / "plan.json"
    stage.run("plan", "--out", str(file))
    looks: list[tuple[str, ...]] = [("plan", "--format", form) for form in ("text", "json", "markdown", "html")]
    looks += [("show", str(file), "--format", form) for form in ("text", "json", "markdown", "html")]
    look_for_change(stage, looks)
    stage.environ["PASSWORD"] = PASSWORD
    stage.live("nightly").input_parameters = '{"password": "another-that-somebody-typed", "region": "au"}'
    forms = ("text", "json", "markdown", "html", "junit", "sarif")
    look_for_change(stage, [("drift", "--format", form) for form in forms])


def look_for_change(stage: Stage, looks: Iterable[tuple[str, ...]]) -> None:
    for words in looks:
        ended = stage.run(*words)
        assert "(secret, changed)" in ended.out, words
        assert "another-that" not in ended.out, words
        assert "hmac" not in ended.out, words


def test_by_hand_what_was_once_secret_stays_hidden(stage: Stage) -> None:
    """In the listing by its path, and in the words of schedule and run by its value, which only live still knows."""
    stage.write(agent(NIGHTLY + SECRET))
    assert stage.apply().code == 0
    live = stage.live("nightly")
    live.error_message = f"cannot log\n in with {PASSWORD}"
    forgotten(stage, NIGHTLY)
    for form in ("text", "json"):
        stage.run("acc", "schedule", "list", PRICES, "--format", form)
    (row,) = (
        one
        for one in stage.run("acc", "schedule", "list", PRICES, "--format", "json").document
        if one["scheduleId"] != HAND_MADE
    )
    assert json.loads(row["inputParameters"]) == {"password": "(secret)", "region": "au"}
    assert row["errorMessage"] == "cannot log\n in with (secret)"
    assert stage.run("acc", "schedule", "start", live.schedule_id).code == 0
    run = stage.estate.agents[PRICES].runs[-1]
    run.message = f"login {PASSWORD} refused"
    for words in (("run", "history", PRICES), ("run", "show", run.run_id), ("job", "runs", PRICES, "1")):
        for form in ("text", "json"):
            ended = stage.run("acc", *words, "--format", form)
            assert ended.code == 0
            assert "refused" in ended.out, words
    assert json.loads(stage.run("acc", "run", "show", run.run_id, "--format", "json").document["inputParameters"]) == {
        "password": "(secret)",
        "region": "au",
    }
    stage.write(agent(NIGHTLY + WITHOUT))
    assert stage.apply().code == 0
    assert "(secret)" in stage.run("acc", "run", "show", run.run_id).out, "live has lost it, and the run has not"
    stage.ledger.unlink()
    (row,) = (
        one
        for one in stage.run("acc", "schedule", "list", PRICES, "--format", "json").document
        if one["scheduleId"] != HAND_MADE
    )
    assert json.loads(row["inputParameters"]) == {"region": "(secret)"}, "nobody knows"


@pytest.mark.parametrize("is_lost", [False, True])
def test_import_writes_no_value_that_was_secret(stage: Stage, is_lost: bool) -> None:
    stage.write(agent(NIGHTLY + SECRET))
    assert stage.apply().code == 0
    (stage.root / "manifests" / "retail.yaml").unlink()
    del stage.environ["PASSWORD"]
    if is_lost:
        stage.ledger.unlink()
    ended = stage.run("import", "--agent", PRICES)
    assert ended.code == 0, ended.err
    assert "inputParameters: password" in ended.err or is_lost
    text = (stage.root / "manifests" / "prices.yaml").read_text(encoding="utf-8")
    assert PASSWORD not in text
    assert '#   "password": "${env:PASSWORD}"' in text
    assert ('#   "region": "au"' in text) is not is_lost
    assert {one["action"] for one in stage.plan()["changes"]} == {"adopt"}
    assert stage.apply().code == 0
    assert PASSWORD in str(stage.live("nightly").input_parameters), "import changes nothing"
    look_everywhere(stage)


def test_a_destruction_shows_no_secret(stage: Stage) -> None:
    stage.write(agent(NIGHTLY + SECRET))
    assert stage.apply().code == 0
    forgotten(stage)
    stage.emulator.inject("DELETE schedule #* 400")
    assert "inputParameters.password: (secret)" in stage.run("destroy", "--auto-approve").out
    stage.emulator.clear_faults()
    look_everywhere(stage)
    ended = stage.run("destroy", "--auto-approve")
    assert ended.code == 0
    assert 'inputParameters.region: "au"' in ended.said


@pytest.mark.parametrize("is_lost", [False, True])
def test_a_deletion_whose_reply_was_lost_forgets_no_secret(stage: Stage, is_lost: bool) -> None:
    stage.write(agent(NIGHTLY + SECRET))
    assert stage.apply().code == 0
    if is_lost:
        stage.ledger.unlink()
    stage.write(agent())
    del stage.environ["PASSWORD"]
    stage.emulator.inject("DELETE schedule #* 502")
    stage.emulator.inject("GET /schedules #3+ 500")
    assert stage.apply("--max-deletes", "9").code == 4
    stage.emulator.clear_faults()
    assert stage.owned()
    assert shown(stage)["inputParameters.password"] == ("(secret)", None)
    look_everywhere(stage)


def test_an_adopted_schedule_keeps_its_secret_whatever_it_is_called(stage: Stage) -> None:
    """By its id: declared with a secret, then under another name and handle, then not at all, then plainly."""
    block = NIGHTLY.replace("- name: nightly", f"- name: nightly\n      id: {HAND_MADE}")
    held = stage.estate.schedule(HAND_MADE)
    held.cron, held.start_time, held.time_zone_id = (
        "0 0 2 * * MON-FRI",
        "2026-01-01T02:00:00",
        "AUS Eastern Standard Time",
    )
    stage.write(agent(block))
    assert stage.apply().code == 0
    stage.write(agent(block + SECRET))
    assert stage.apply().code == 0
    assert PASSWORD in str(held.input_parameters)
    del stage.environ["PASSWORD"]
    other = block.replace("name: nightly", "name: daily")
    stage.write(agent(other + WITHOUT, name="offers", path=PRICES))
    fields = {one["path"]: one["before"] for change in stage.plan()["changes"] for one in change["fields"]}
    assert fields["inputParameters.password"] == "(secret)"
    look_everywhere(stage)
    stage.write(agent(other, name="offers", path=PRICES))
    assert stage.apply().code == 0
    look_everywhere(stage)
    stage.write(agent(name="offers", path=PRICES))
    assert shown(stage)["inputParameters.password"] == ("(secret)", None)
    look_everywhere(stage)


def test_a_short_secret_is_hidden_where_its_path_says_so(stage: Stage) -> None:
    """Two letters are in every word: they cannot be hidden by value, and are by their path."""
    stage.environ["PASSWORD"] = "zq"
    stage.write(agent(NIGHTLY + SECRET))
    assert shown(stage)["inputParameters.password"] == (None, "(secret)")
    assert stage.apply().code == 0
    assert '"zq"' in str(stage.live("nightly").input_parameters)
    stage.write(agent(NIGHTLY + WITHOUT))
    assert shown(stage) == {"inputParameters.password": ("(secret)", None)}
    listed = stage.run("acc", "schedule", "list", PRICES, "--format", "json").document
    assert any('"password":"(secret)"' in one["inputParameters"] for one in listed)
    (stage.root / "manifests" / "retail.yaml").unlink()
    assert stage.run("import", "--agent", PRICES).code == 0
    assert '"zq"' not in (stage.root / "manifests" / "prices.yaml").read_text(encoding="utf-8")


def wait_for_a_write(stage: Stage, process: subprocess.Popen[str]) -> None:
    """Until a process sends something, or ends without."""
    known = len(stage.writes())
    wait_for(lambda: process.poll() is not None or len(stage.writes()) > known)


@pytest.mark.parametrize("seed", range(int(os.environ.get("SECRET_KILLS", "4"))))
def test_killed_at_any_moment_no_secret_is_forgotten(
    stage: Stage, seed: int, record_count: Callable[[str, int], None]
) -> None:
    """One after the other: a secret is sent by a process that is killed, leaves the manifest, and is looked for."""
    draw = random.Random(seed)
    stage.emulator.latency = 0.01
    sent = 0
    for _ in range(3):
        stage.environ["PASSWORD"] = PASSWORD
        stage.write(agent(NIGHTLY + SECRET))
        process = stage.start("apply", "--auto-approve")
        if draw.random() < 0.7:
            wait_for_a_write(stage, process)
        time.sleep(draw.random() * 0.05)
        process.kill()
        process.communicate()
        record_count("kills with a secret under way", 1)
        stage.run("unlock", "--force")
        sent += any(PASSWORD in str(one.input_parameters) for one in stage.owned().values())
        forgotten(stage, draw.choice((NIGHTLY + WITHOUT, NIGHTLY, POLL)))
        look_everywhere(stage)
        assert stage.apply().code in (0, 3)
        look_everywhere(stage)
    assert sent, "the value was live in some of them"
