"""`accept` takes a hand-made change into the manifest, as an edit that a reviewer can read; then nothing is to do."""

from __future__ import annotations

import resource
import subprocess
from pathlib import Path

import pytest
from stage import NIGHTLY, POLL, STOCK, Stage, agent, task_trigger

from reconciler.errors import ReconcilerError
from reconciler.workflow.manifest_writing import EditedManifest, write_edited

ADDRESS = "schedule/prices/nightly"

WRITTEN = """\
# Prices of the region
apiVersion: reconciler/v1
kind: Agent
metadata: {name: prices}   # the handle
spec:
    path: sequentum/Retail/prices
    schedules:

      # first thing in the morning
      -   name: nightly
          cron: '0 0 2 * * MON-FRI'   # UTC!
          startTime: 2026-01-01T02:00:00
          timeZone: Australia/Sydney
          inputParameters: {region: au, "page": 5}   # two
          logLevel: low
          sessionId: 1-5/5

      - {name: poll, every: 15m, startTime: 2026-01-01T00:00:00, timeZone: UTC}   # often
# the end
"""


def manifest(stage: Stage, name: str = "retail.yaml") -> str:
    return (stage.root / "manifests" / name).read_bytes().decode()


def edited_lines(before: str, after: str) -> list[tuple[str, str]]:
    one, two = before.splitlines(), after.splitlines()
    assert len(one) == len(two)
    return [(a.strip(), b.strip()) for a, b in zip(one, two, strict=True) if a != b]


@pytest.fixture
def applied(stage: Stage) -> Stage:
    stage.write(WRITTEN)
    assert stage.apply().code == 0
    return stage


@pytest.mark.parametrize(
    ("schedule", "field", "value", "line"),
    [
        ("nightly", "cron", "0 30 3 * * MON-FRI", "cron: '0 30 3 * * MON-FRI'   # UTC!"),
        ("nightly", "cron", "0 0 0 1", "cron: '0 0 0 1'   # UTC!"),
        ("nightly", "start_time", "2090-03-01T04:05:06", "startTime: 2090-03-01T04:05:06"),
        ("nightly", "time_zone_id", "New Zealand Standard Time", "timeZone: Pacific/Auckland"),
        ("nightly", "log_level", 3, "logLevel: high"),
        ("nightly", "session_id", "2-5/5", "sessionId: 2-5/5"),
        ("nightly", "session_id", None, 'sessionId: ""'),
        (
            "nightly",
            "input_parameters",
            '{"region":"nz","page":"6"}',
            'inputParameters: {region: nz, "page": 6}   # two',
        ),
        ("nightly", "input_parameters", '{"page":"x"}', 'inputParameters: {"page": x}   # two'),
        (
            "nightly",
            "input_parameters",
            '{"region":"au","page":"5","a b":"${env:HOME}"}',
            'inputParameters: {region: au, "page": 5, "a b": "$${env:HOME}"}   # two',
        ),
        (
            "poll",
            "cron",
            "0 45 0 0",
            "- {name: poll, every: 45m, startTime: 2026-01-01T00:00:00, timeZone: UTC}   # often",
        ),
        (
            "poll",
            "is_enabled",
            False,
            "- {name: poll, every: 15m, startTime: 2026-01-01T00:00:00, timeZone: UTC, enabled: false}   # often",
        ),
        (
            "poll",
            "cron",
            "0 0 4 * * *",
            '- {name: poll, startTime: 2026-01-01T00:00:00, timeZone: UTC, cron: "0 0 4 * * *"}   # often',
        ),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_change_made_by_hand_is_one_line_of_the_manifest(
    stage: Stage, schedule: str, field: str, value: object, line: str, end: str
) -> None:
    (stage.root / "manifests" / "retail.yaml").write_bytes(("\ufeff" + WRITTEN).replace("\n", end).encode())
    assert stage.apply().code == 0
    live = stage.live(schedule)
    setattr(live, field, value)
    before = manifest(stage)
    stage.emulator.clear_requests()
    ended = stage.run("accept", f"schedule/prices/{schedule}")
    ((_, now),) = edited_lines(before, manifest(stage))
    assert (ended.code, now) == (0, line)
    assert (manifest(stage).count("\r\n"), manifest(stage)[0]) == (before.count("\r\n"), "\ufeff")
    assert ended.out.startswith("diff --git a/manifests/retail.yaml b/manifests/retail.yaml\n")
    assert stage.writes() == []
    assert getattr(live, field) == value
    assert stage.changes() == []
    assert stage.run("drift").code == 0


def test_the_diff_is_one_that_git_takes_and_a_dry_run_writes_nothing(applied: Stage) -> None:
    stage = applied
    subprocess.run(["git", "init", "-q", str(stage.root)], check=True)
    stage.live("nightly").cron = "0 30 3 * * *"
    stage.live("nightly").is_enabled = False
    shown = stage.run("accept", ADDRESS, "--dry-run")
    assert (shown.code, manifest(stage)) == (0, WRITTEN)
    assert "nothing was written" in shown.err
    patch = shown.out.encode()
    subprocess.run(["git", "-C", str(stage.root), "apply"], input=patch, check=True)
    by_git = manifest(stage)
    stage.write(WRITTEN)
    assert stage.run("accept", "schedule/*").out == shown.out
    assert manifest(stage) == by_git != WRITTEN
    assert stage.changes() == []
    again = stage.run("accept", ADDRESS)
    assert (again.code, again.out, manifest(stage)) == (0, "", by_git)
    assert "nothing to accept" in again.err


def test_only_what_live_moved_is_taken_and_a_pending_edit_stays(applied: Stage) -> None:
    stage = applied
    stage.live("nightly").cron = "0 30 3 * * *"
    edited = WRITTEN.replace("logLevel: low", "logLevel: high")
    stage.write(edited)
    assert stage.changes() == [(ADDRESS, "update", "diverged")]
    assert stage.run("accept", ADDRESS).code == 0
    assert manifest(stage) == edited.replace("'0 0 2 * * MON-FRI'", "'0 30 3 * * *'")
    (change,) = stage.plan()["changes"]
    assert [one["path"] for one in change["fields"]] == ["logLevel"]
    stage.live("nightly").log_level = 0
    assert stage.run("accept", ADDRESS).code == 0, "both moved one field: whoever accepts wants what is live"
    assert "logLevel: none" in manifest(stage)


def test_a_start_that_only_differs_under_the_new_interval_comes_along(applied: Stage) -> None:
    stage = applied
    stage.live("poll").cron, stage.live("poll").start_time = "0 0 1 0", "2026-01-01T00:15:00"
    (change,) = stage.plan()["changes"]
    assert [one["path"] for one in change["fields"]] == ["every"]
    assert stage.run("accept", "schedule/prices/poll").code == 0
    assert "{name: poll, every: 1h, startTime: 2026-01-01T00:15:00, timeZone: UTC}" in manifest(stage)
    assert stage.changes() == []


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("schedule/prices/nighty", "did you mean"),
        ("approval/prices", "is no schedule"),
        ("*", ""),
        ("nonsense", "matches no declared address"),
    ],
)
def test_what_cannot_be_meant_is_wrong_usage(applied: Stage, pattern: str, words: str) -> None:
    stage = applied
    stage.write(WRITTEN.replace("    schedules:", "    approval: {state: approved}\n    schedules:"))
    ended = stage.run("accept", pattern)
    assert ended.code == (64 if words else 0)
    assert words in ended.err
    assert stage.run("accept").code == 64


def test_what_is_gone_or_only_edited_or_never_applied_is_named_and_left(applied: Stage) -> None:
    stage = applied
    stage.estate.remove_schedule(stage.live("poll").schedule_id)
    ended = stage.run("accept", "schedule/prices/poll")
    assert ended.code == 3
    assert "gone from ACC" in ended.err and "remove its block at manifests/retail.yaml:18:9" in ended.err
    stage.live("nightly").log_level = 3
    ended = stage.run("accept", "schedule/*")
    assert ended.code == 4, "one was accepted, one could not be"
    text = WRITTEN.replace("logLevel: low", "logLevel: high")
    assert manifest(stage) == text
    stage.write(text.replace("0 0 2", "0 0 4") + agent(NIGHTLY, name="stock").replace("apiVersion", "---\napiVersion"))
    ended = stage.run("accept", ADDRESS, "schedule/stock/nightly")
    assert (ended.code, ended.out) == (0, "")
    assert ended.err.count("nothing to accept") == 2


def test_an_agent_that_cannot_be_read_is_no_answer(applied: Stage) -> None:
    stage = applied
    stage.write(WRITTEN + agent(NIGHTLY, name="gone").replace("apiVersion", "---\napiVersion"))
    ended = stage.run("accept", "schedule/gone/nightly")
    assert (ended.code, ended.out) == (1, "")
    stage.live("nightly").log_level = 3
    assert stage.run("accept", "schedule/*").code == 4
    assert "logLevel: high" in manifest(stage)


def test_an_apply_records_it_so_that_a_later_edit_is_the_manifests_move(applied: Stage) -> None:
    stage = applied
    stage.live("nightly").log_level = 3
    assert stage.run("accept", ADDRESS).code == 0
    stage.emulator.clear_requests()
    assert (stage.apply().code, stage.writes()) == (0, [])
    stage.write(manifest(stage).replace("logLevel: high", "logLevel: none"))
    assert stage.changes() == [(ADDRESS, "update", "edited")]


def test_what_starts_by_an_accepted_schedule_is_named(stage: Stage) -> None:
    trigger = task_trigger().replace('revision: "1"', 'revision: "1", changed: ["schedule/prices/*"]')
    stage.write(agent(POLL) + "---\n" + trigger)
    assert stage.apply().code == 0
    stage.live("poll").cron = "0 20 0 0"
    ended = stage.run("accept", "*")
    assert ended.code == 0
    assert "trigger/publish names an accepted schedule" in ended.err
    assert stage.changes() == [("trigger/publish", "start", "due")]


@pytest.mark.parametrize("parameters", ['{"a":"\\ud800"}', '{"\\ud800":"a"}', '{"region":"' + "x" * 11_000_000 + '"}'])
def test_a_hostile_value_is_named_and_nothing_else_suffers(applied: Stage, parameters: str) -> None:
    stage = applied
    stage.write(agent(POLL, name="stock"), "stock.yaml")
    assert stage.apply().code == 0
    stage.live("nightly").input_parameters = parameters
    stage.live("poll", STOCK).cron = "0 20 0 0"
    ended = stage.run("accept", "schedule/*")
    assert ended.code == 4
    assert f"not accepted: {ADDRESS}" in ended.err and "no manifest can say what ACC holds" in ended.err
    assert "every: 20m" in manifest(stage, "stock.yaml")
    assert stage.run("validate").code == 0


# --- secrets and what others share ---------------------------------------------------------------------------------


def test_a_secret_is_never_written_and_the_other_fields_are_taken(stage: Stage) -> None:
    secret = NIGHTLY + '      inputParameters: {password: "${env:PASSWORD}", region: au}\n'
    stage.write(agent(secret))
    assert stage.apply().code == 0
    live = stage.live("nightly")
    live.input_parameters = '{"password":"another-swordfish","region":"nz"}'
    live.log_level = 3
    live.cron = "0 0 5 * * *"
    ended = stage.run("accept", ADDRESS)
    assert ended.code == 4
    assert "not accepted: schedule/prices/nightly: inputParameters.password: it is secret" in ended.err
    assert "another-swordfish" not in manifest(stage) + ended.out + ended.err
    after = agent(secret).replace("region: au", "region: nz").replace("0 0 2 * * MON-FRI", "0 0 5 * * *")
    assert manifest(stage) == after
    stage.write(after.replace('password: "${env:PASSWORD}", ', ""))
    ended = stage.run("accept", ADDRESS)
    assert "another-swordfish" not in manifest(stage) + ended.out + ended.err, "it was secret once"


def test_a_secret_of_the_project_that_somebody_pasted_into_a_parameter_is_not_written(applied: Stage) -> None:
    stage = applied
    stage.live("nightly").input_parameters = '{"region":"acc-token-that-nobody-may-see","page":"5"}'
    ended = stage.run("accept", ADDRESS)
    assert ended.code == 3
    assert manifest(stage) == WRITTEN


def test_with_a_lost_ledger_no_parameter_is_taken(applied: Stage) -> None:
    stage = applied
    stage.ledger.unlink()
    stage.live("nightly").input_parameters = '{"region":"nz","page":"5"}'
    stage.live("nightly").log_level = 3
    ended = stage.run("accept", ADDRESS)
    assert ended.code == 4
    assert manifest(stage) == WRITTEN.replace("logLevel: low", "logLevel: high")


def test_what_a_variable_says_is_left_to_a_person(stage: Stage) -> None:
    stage.write(agent(NIGHTLY))
    assert stage.apply().code == 0
    stage.live("nightly").time_zone_id = "UTC"
    ended = stage.run("accept", ADDRESS)
    assert (ended.code, manifest(stage)) == (3, agent(NIGHTLY))
    assert "timeZone: it says ${var:zone}" in ended.err and "manifests/retail.yaml:10:17" in ended.err


TEMPLATE = """\
apiVersion: reconciler/v1
kind: ScheduleTemplate
metadata: {name: nightly}
spec: {cron: "0 0 2 * * *", startTime: 2026-01-01T02:00:00, inputParameters: {page: "1"}}
---
"""
DEFAULTS = "  defaults: {schedule: {timeZone: Australia/Sydney, logLevel: low, inputParameters: {region: au}}}\n"


def test_what_is_inherited_is_written_into_the_block_itself(stage: Stage) -> None:
    stage.project(DEFAULTS)
    block, other = "    - {name: nightly, use: nightly}   # as usual\n", "    - {name: other, use: nightly}\n"
    stage.write(TEMPLATE + agent(block, other))
    assert stage.apply().code == 0
    live = stage.live("nightly")
    live.cron, live.time_zone_id, live.log_level = "0 0 0 1", "UTC", 2
    live.input_parameters = '{"page":"2","region":"au","new":"x"}'
    ended = stage.run("accept", "schedule/*")
    assert ended.code == 0
    accepted = (
        "    - {name: nightly, use: nightly, cron: 0 0 0 1, timeZone: Etc/UTC, "
        'inputParameters: {new: x, page: "2"}, logLevel: medium}   # as usual\n'
    )
    assert manifest(stage).replace('"0 0 0 1"', "0 0 0 1") == TEMPLATE + agent(accepted, other)
    assert stage.changes() == []
    live.input_parameters = '{"page":"2","new":"x"}'
    ended = stage.run("accept", "schedule/*")
    assert ended.code == 3
    assert "inputParameters.region: it is gone from ACC, and stands at reconciler.yaml:" in ended.err


def test_an_interval_in_a_block_takes_the_place_of_a_templates_cron(stage: Stage) -> None:
    stage.project(DEFAULTS)
    stage.write(TEMPLATE.replace('cron: "0 0 2 * * *"', "every: 1h") + agent("    - {name: nightly, use: nightly}\n"))
    assert stage.apply().code == 0
    stage.live("nightly").cron = "0 0 2 * * *"
    assert stage.run("accept", ADDRESS).code == 0
    assert 'use: nightly, cron: "0 0 2 * * *"}' in manifest(stage)
    assert stage.changes() == []


ANCHORED = """\
x-common: &common {startTime: 2026-01-01T02:00:00, timeZone: UTC, inputParameters: &params {region: au, page: "1"}}
apiVersion: reconciler/v1
kind: Agent
metadata: {name: prices}
spec:
  path: sequentum/Retail/prices
  schedules:
    - &first
      name: nightly
      cron: &night "0 0 2 * * *"
      <<: *common
    - <<: *first
      name: other
    - {name: third, every: 1h, startTime: 2026-01-01T00:00:00, timeZone: UTC, inputParameters: *params}
    - {name: fourth, cron: *night, <<: *common}
"""


def test_what_an_anchor_shares_stays_and_an_alias_gives_way_to_a_value(stage: Stage) -> None:
    stage.write(ANCHORED)
    assert stage.apply().code == 0
    for name in ("nightly", "other", "third", "fourth"):
        stage.live(name).input_parameters = '{"region":"nz","page":"1"}'
        if name != "third":
            stage.live(name).cron = "0 0 6 * * *"
    ended = stage.run("accept", "schedule/*")
    assert ended.code == 4
    assert "schedule/prices/nightly: cron: it is shared through an anchor" in ended.err
    assert manifest(stage) == ANCHORED.replace(
        "name: other\n", 'name: other\n      cron: "0 0 6 * * *"\n      inputParameters: {region: nz, page: "1"}\n'
    ).replace("inputParameters: *params}", 'inputParameters: {region: nz, page: "1"}}').replace(
        "{name: fourth, cron: *night, <<: *common}",
        '{name: fourth, cron: "0 0 6 * * *", <<: *common, inputParameters: {region: nz, page: "1"}}',
    )
    assert [one[0] for one in stage.changes()] == [ADDRESS]


def test_what_differs_by_environment_is_noted(stage: Stage) -> None:
    stage.project("  environments: {prod: {variables: {zone: Australia/Perth}}}\n")
    stage.write(agent(POLL))
    assert stage.run("--env", "prod", "apply", "--auto-approve").code == 0
    (live,) = (one for one in stage.schedules() if one.cron == "0 15 0 0")
    live.cron = "0 20 0 0"
    ended = stage.run("--env", "prod", "accept", "schedule/prices/poll")
    assert ended.code == 0
    assert "every environment reads these manifests" in ended.err
    assert stage.run("--env", "prod", "plan", "--detailed-exitcode").code == 0


# --- files -----------------------------------------------------------------------------------------------------------


def test_a_file_that_cannot_be_written_leaves_the_others_as_they_were(tmp_path: Path) -> None:
    small, large, text = tmp_path / "a.yaml", tmp_path / "b.yaml", "a: 1\n"
    for path in (small, large):
        path.write_text(text, encoding="utf-8")
    edits = [
        EditedManifest(path.name, path, text.encode(), more)
        for path, more in ((small, "a: 2\n"), (large, "#" * 99_999))
    ]
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (9_999, before[1]))
    try:
        with pytest.raises(ReconcilerError, match=r"b\.yaml cannot be written: .*; nothing was written"):
            write_edited(edits)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert [path.read_text(encoding="utf-8") for path in (small, large)] == [text, text]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.yaml", "b.yaml"]


def test_a_file_that_was_changed_meanwhile_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("a: 3\n", encoding="utf-8")
    with pytest.raises(ReconcilerError, match="changed meanwhile"):
        write_edited([EditedManifest("a.yaml", path, b"a: 1\n", "a: 2\n")])
    assert path.read_text(encoding="utf-8") == "a: 3\n"


def test_what_no_manifest_can_say_is_named_and_the_rest_is_taken(applied: Stage) -> None:
    stage = applied
    live = stage.live("nightly")
    live.cron, live.input_parameters, live.log_level, live.time_zone_id = "whenever", "[1]", 9, "Mars/Olympus"
    live.session_id = "new"
    ended = stage.run("accept", ADDRESS)
    assert ended.code == 4
    for name in ("cron", "inputParameters", "logLevel", "timeZone"):
        assert f"not accepted: {ADDRESS}: {name}: " in ended.err
    assert manifest(stage) == WRITTEN.replace("1-5/5", "new")


def test_three_hundred_schedules_in_fifty_files_are_read_once_each(stage: Stage) -> None:
    blocks = [
        f"    - {{name: n{number}, every: 15m, startTime: 2026-01-01T00:00:00, timeZone: UTC}}\n" for number in range(6)
    ]
    for number in range(50):
        stage.estate.add_agent(f"sequentum/Many/a{number}")
        stage.write(agent(*blocks, name=f"a{number}", path=f"sequentum/Many/a{number}"), f"a{number}.yaml")
    assert stage.apply().code == 0
    for live in stage.owned().values():
        live.cron = "0 20 0 0"
    ended = stage.run("accept", "schedule/*/n?")
    assert ended.code == 0
    assert "accepted 300 schedules in 50 files" in ended.err
    assert stage.changes() == []
