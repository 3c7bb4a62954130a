"""What a block does not say it has from its template, from those that this one uses, and then from the defaults."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest
from bounded import ends_within
from manifests_projects import PROJECT, check, desired, places, state_of, write

from reconciler.kinds.approval import ApprovalState
from reconciler.kinds.input_files import InputFilesState
from reconciler.kinds.schedule_state import ScheduleState
from reconciler.kinds.trigger import TriggerState
from reconciler.model.address import Address
from reconciler.model.resource import Resource

DEFAULTS = (
    PROJECT
    + """\
  defaults:
    agent: {approval: {state: approved, message: all}}
    schedule: {timeZone: Australia/Sydney, logLevel: low, inputParameters: {region: au, key: "${env:TENANT}"}}
    taskTrigger: {wait: {timeout: 30m}, task: {name: all}, parameters: {folder: /out}}
    jobTrigger: {}
  environments:
    prod: {defaults: {schedule: {timeZone: Australia/Perth, inputParameters: {stage: prod}}}}
"""
)
TEMPLATES = """\
apiVersion: reconciler/v1
kind: ScheduleTemplate
metadata: {name: nightly}
spec: {cron: "0 0 2 * * MON-FRI", use: base, inputParameters: {depth: 2}, expect: {within: 26h}}
---
apiVersion: reconciler/v1
kind: ScheduleTemplate
metadata: {name: base}
spec: {startTime: 2026-01-01T02:00:00, logLevel: high, inputParameters: {depth: 1, base: yes}}
"""
AGENT = """\
apiVersion: reconciler/v1
kind: Agent
metadata: {name: prices}
spec:
  path: a/prices
  schedules:
    - {name: one, use: nightly}
    - {name: two, use: nightly, every: 15m, timeZone: UTC, logLevel: none, inputParameters: {region: nz, key: plain}}
    - {name: three, every: 1h, startTime: 2026-01-01T00:00:00}
"""
TRIGGER = """\
apiVersion: reconciler/v1
kind: TaskTrigger
metadata: {name: publish}
spec: {task: {id: 02115928-16fe-4493-949b-d77d302a88ee}, wait: false}
"""


def schedule(root: Path, name: str, environment: str | None = None) -> Resource[ScheduleState]:
    found = desired(root, environment=environment)
    one = next(one for one in found.resources if one.address == Address("schedule", "prices", name))
    return cast("Resource[ScheduleState]", one)


@pytest.fixture(params=["a.yaml", "z.yaml"])
def root(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A project whose templates are read before the agent that uses them, and after it."""
    return write(tmp_path, {"m.yaml": AGENT, "t.yaml": TRIGGER, request.param: TEMPLATES}, DEFAULTS)


def test_the_block_wins_then_its_template_then_that_ones_template_then_the_defaults(root: Path) -> None:
    one = schedule(root, "one").state
    assert one.written is not None
    assert (one.written.rhythm, one.written.start_time) == ("0 0 2 * * MON-FRI", "2026-01-01T02:00:00")
    assert (one.written.time_zone, one.log_level) == ("Australia/Sydney", 3)
    assert one.parameters == {"region": "au", "key": "tenant", "depth": "2", "base": "yes"}
    two = schedule(root, "two").state
    assert two.written is not None
    assert (two.written.rhythm, two.written.time_zone, two.log_level) == ("15m", "UTC", 0)
    assert two.parameters == {"region": "nz", "key": "plain", "depth": "2", "base": "yes"}
    assert schedule(root, "three").state.log_level == 1


def test_an_environment_overrides_defaults(root: Path) -> None:
    one = schedule(root, "one", "prod").state
    assert one.written is not None
    assert one.written.time_zone == "Australia/Perth"
    assert one.parameters == {"region": "au", "key": "tenant", "depth": "2", "base": "yes", "stage": "prod"}


def test_a_secret_stays_one_wherever_it_is_inherited_and_a_block_may_replace_it(root: Path) -> None:
    assert schedule(root, "one").secrets == ("inputParameters.key",)
    assert schedule(root, "two").secrets == ()
    assert "tenant" in desired(root).secret_values


def test_agents_and_triggers_have_defaults_too(root: Path) -> None:
    found = {str(one.address): one for one in desired(root).resources}
    approval = state_of(found["approval/prices"], ApprovalState)
    assert (approval.state, approval.message) == ("approved", "all")
    trigger = state_of(found["trigger/publish"], TriggerState)
    assert trigger.task.plain == {"id": "02115928-16fe-4493-949b-d77d302a88ee"}
    assert (trigger.wait, trigger.parameters) == (None, {"folder": "/out"})


def test_what_is_inherited_says_where_it_stands(root: Path) -> None:
    found = {name: (at.path.rpartition("/")[2], at.line) for name, at in schedule(root, "two").inherited.items()}
    templates = next(one.name for one in (root / "manifests").iterdir() if one.name in ("a.yaml", "z.yaml"))
    assert found == {
        "inputParameters.depth": (templates, 4),
        "inputParameters.base": (templates, 9),
        "startTime": (templates, 9),
        "expect": (templates, 4),
        "expect.within": (templates, 4),
    }
    assert schedule(root, "one").inherited["timeZone"].path == "reconciler.yaml"
    assert schedule(root, "one", environment="prod").inherited["timeZone"].line == 14


# --- mistakes --------------------------------------------------------------------------------------------------------

TEMPLATE = "apiVersion: reconciler/v1\nkind: ScheduleTemplate\nmetadata: {name: nightly}\nspec: "
SOUND = '{cron: "0 0 2 * * *", startTime: 2026-01-01T02:00:00, timeZone: UTC}'
MANY = AGENT[: AGENT.index("    - ")] + "".join(f"    - {{name: s{n}, use: nightly}}\n" for n in range(300))

# The spec of a template that 300 schedules use, and the one problem that follows: where it points, its code, a word.
TEMPLATE_MISTAKES = [
    (SOUND.replace(" 2 ", " 25 "), '"0 0 25', "bad-cron", "25"),
    (SOUND.replace("UTC", "Sidney"), "Sidney", "bad-zone", "Sydney"),
    (SOUND.replace("2026-01", "2026-13"), "2026-13", "bad-time", "2026-13"),
    (SOUND.replace("}", ", logLevel: hihg}"), "hihg", "wrong-value", "high"),
    (SOUND.replace("}", ", every: 15m}"), "every", "exactly-one", "only one"),
    (SOUND.replace("cron", "crno"), "crno", "unknown-key", "cron"),
    (SOUND.replace("}", ", name: x}"), "name", "unknown-key", "name"),
    (SOUND.replace("}", ", use: nigthly}"), "nigthly", "unknown-template", "did you mean nightly?"),
    (SOUND.replace("}", ", use: nightly}"), "nightly", "template-cycle", "nightly -> nightly"),
    (SOUND.replace("UTC", '"${var:zone}"'), '"${var', "undefined-var", "zone"),
    (SOUND.replace("}", ", inputParameters: {a: [1]}}"), "[1]", "wrong-type", "plain text"),
    (SOUND.replace("}", ", expect: {dataCount: many}}"), "many", "wrong-value", ">0"),
]


def pointed_at(text: str, part: str) -> tuple[int, int]:
    """Line and column of the first place where a part of a text stands."""
    before = text[: text.index(part)]
    return before.count("\n") + 1, len(before) - before.rfind("\n")


@pytest.mark.parametrize(("spec", "at", "code", "word"), TEMPLATE_MISTAKES)
@pytest.mark.parametrize("uses", [MANY, ""], ids=["used", "unused"])
def test_a_mistake_in_a_template_is_said_once_where_it_is(
    tmp_path: Path, spec: str, at: str, code: str, word: str, uses: str
) -> None:
    files = {"t.yaml": TEMPLATE + spec + "\n", **({"m.yaml": uses} if uses else {})}
    found, problems = check(write(tmp_path, files))
    assert found is None
    line, column = pointed_at(spec, at)
    shift = len("spec: ") if line == 1 else 0
    assert places(problems) == [("manifests/t.yaml", line + 3, column + shift, code)]
    assert word in problems[0].message
    assert "more" not in problems[0].message


def test_what_a_template_alone_cannot_know_is_said_once_with_a_count(tmp_path: Path) -> None:
    spec = SOUND.replace(", timeZone: UTC", "")
    found, problems = check(write(tmp_path, {"m.yaml": MANY, "t.yaml": TEMPLATE + spec + "\n"}))
    assert found is None
    assert {problem.code for problem in problems} == {"missing-key"}
    assert len(problems) == 300  # each block may say its own
    in_new_york = MANY.replace("nightly}", "nightly, timeZone: America/New_York}")
    found, problems = check(write(tmp_path / "b", {"m.yaml": in_new_york, "t.yaml": TEMPLATE + spec + "\n"}))
    assert found is not None
    assert places(problems) == [("manifests/t.yaml", 4, 14, problems[0].code)]
    assert problems[0].message.endswith("[schedule/prices/s0, and for 299 more]")


# An edit of the agent's file, and the problem that follows.
USE_MISTAKES = [
    ("use: nightly}", "use: nigthly}", "nigthly", "unknown-template", "one", "did you mean nightly?"),
    ("use: nightly}", "use: 7}", "7}", "wrong-type", "one", "text"),
    ("use: nightly}", 'use: "${var:u}"}', '"${var', "undefined-var", "one", "declare it"),
    ("use: nightly}", "use: nightly, cron: x}", "x}", "bad-cron", "one", "six"),
    ("every: 1h,", "", "name: three", "exactly-one", "three", "`cron` or `every`"),
    ("every: 1h,", "every: 1h, forEach: [],", "forEach", "unknown-key", "three", "forEach"),
]


@pytest.mark.parametrize(("before", "after", "at", "code", "name", "word"), USE_MISTAKES)
def test_a_mistake_in_a_block_is_said_at_the_block(
    root: Path, before: str, after: str, at: str, code: str, name: str, word: str
) -> None:
    text = AGENT.replace(before, after, 1)
    (root / "manifests" / "m.yaml").write_text(text)
    found, problems = check(root)
    assert found is None
    errors = [one for one in problems if one.severity == "error"]
    line, column = pointed_at(text, at)
    place = ("manifests/m.yaml", line, column - 1 if code == "exactly-one" else column, code)
    assert places(tuple(errors))[0] == place
    assert errors[0].address == f"schedule/prices/{name}"
    assert word in errors[0].message


def test_a_mistake_in_defaults_is_said_once_where_it_is_also_in_an_environment(tmp_path: Path) -> None:
    wrong = DEFAULTS.replace("Australia/Sydney", "Australia/Sidney").replace("Australia/Perth", "Perth")
    files = {"m.yaml": MANY, "t.yaml": TEMPLATE + '{cron: "0 0 2 * * *", startTime: 2026-01-01T02:00:00}\n'}
    root = write(tmp_path, files, wrong)
    for environment, part in ((None, "Australia/Sidney"), ("prod", "Perth")):
        found, problems = check(root, environment=environment)
        assert found is None
        assert places(problems) == [("reconciler.yaml", *pointed_at(wrong, part), "bad-zone")]
    wrong = DEFAULTS.replace("timeZone:", "timezone:", 1)
    found, problems = check(write(tmp_path, files, wrong))
    assert found is None
    assert places(problems) == [("reconciler.yaml", *pointed_at(wrong, "timezone:"), "unknown-key")]


def test_a_circle_and_a_long_chain_of_templates_are_told_once(tmp_path: Path) -> None:
    head = "apiVersion: reconciler/v1\nkind: ScheduleTemplate\nmetadata: {name: %s}\nspec: {use: %s}\n---\n"
    circle = "".join(head % pair for pair in (("c", "a"), ("a", "b"), ("b", "c"), ("outside", "a")))
    found, problems = check(write(tmp_path / "a", {"m.yaml": MANY.replace("nightly", "outside"), "t.yaml": circle}))
    assert found is None
    assert places(problems) == [("manifests/t.yaml", 9, 13, "template-cycle")]
    assert problems[0].message.endswith("a -> b -> c -> a")
    chain = "".join(head % (f"t{number}", f"t{number + 1}") for number in range(3000)) + TEMPLATE + SOUND
    files = {
        "m.yaml": MANY.replace("nightly", "t0"),
        "t.yaml": chain.replace("{name: nightly}", "{name: t3000}") + "\n",
    }
    with ends_within(20):
        found, problems = check(write(tmp_path / "b", files))
    assert found is None
    assert [one.code for one in problems] == ["template-depth"]


def test_of_two_declarations_the_later_one_is_reported_though_it_did_not_wait(tmp_path: Path) -> None:
    plain = AGENT[: AGENT.index("    - ")] + f"    - {{name: one, {SOUND[1:]}\n"
    root = write(tmp_path, {"a.yaml": AGENT.replace("three", "four"), "b.yaml": plain, "z.yaml": TEMPLATES}, DEFAULTS)
    found, problems = check(root)
    assert found is None
    duplicate = next(one for one in problems if one.code == "duplicate")
    assert (duplicate.path, duplicate.line) == ("manifests/b.yaml", 1)
    assert "manifests/a.yaml:1:1" in duplicate.message


def test_a_relative_file_is_meant_from_the_file_that_names_it(tmp_path: Path) -> None:
    project = PROJECT + (
        "  defaults:\n    agent: {inputFiles: [{file: data/urls.csv}]}\n"
        '    schedule: {timeZone: UTC, inputParameters: {key: "${file:key.txt}"}}\n'
    )
    files = {"m.yaml": AGENT, "z.yaml": TEMPLATES, "./data/urls.csv": "a\n1\n", "./key.txt": "hidden\n"}
    found = desired(write(tmp_path, files, project))
    files_of = {str(one.address): one for one in found.resources}["input-files/prices"]
    assert state_of(files_of, InputFilesState).files["urls.csv"].place.path == tmp_path / "data" / "urls.csv"
    assert "hidden" in found.secret_values
