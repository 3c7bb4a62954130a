"""Every kind of mistake: what is said of it, where, and that one run says all of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from manifests_projects import AGENT, ENVIRON, NOW, PROJECT, TRIGGER, check, places, write

from reconciler import manifests
from reconciler.errors import ManifestError
from reconciler.model.resource import Severity

# An edit of AGENT (before, after), the place and code of the problem that follows, its address, a word of its message.
AGENT_MISTAKES = [
    ("      cron:", "      crom:", (9, 7, "unknown-key"), "schedule/prices/nightly", "did you mean `cron`?"),
    ("      cron:", "      corn:", (8, 7, "exactly-one"), "schedule/prices/nightly", "`cron` or `every`"),
    ("metadata:", "metdata:", (3, 1, "unknown-key"), "", "did you mean `metadata`?"),
    ("kind: Agent", "kind: Agnet", (2, 7, "unknown-kind"), "", "did you mean Agent?"),
    ("kind: Agent", "kind: Project", (2, 7, "unknown-kind"), "", "reconciler.yaml"),
    ("kind: Agent\n", "", (1, 1, "missing-key"), "", "`kind`"),
    ("reconciler/v1", "reconciler/v2", (1, 13, "wrong-value"), "", "reconciler/v1"),
    ("name: prices", "name: Prices", (4, 9, "wrong-value"), "", "lower-case"),
    ("name: prices", "name: -prices", (4, 9, "wrong-value"), "", "lower-case"),
    ("name: prices", "name: 7", (4, 9, "wrong-type"), "", "quotes"),
    ("name: prices", "name:", (4, 8, "wrong-type"), "", "empty"),
    ("  path: sequentum/Retail/prices\n", "", (6, 3, "missing-key"), "", "`path`"),
    ("path: sequentum/Retail/prices", "path: /sequentum/prices", (6, 9, "wrong-value"), "", "path"),
    ("path: sequentum/Retail/prices", "path: sequentum/prices/", (6, 9, "wrong-value"), "", "path"),
    ("path: sequentum/Retail/prices", "path: sequentum//prices", (6, 9, "wrong-value"), "", "path"),
    ("path: sequentum/Retail/prices", 'path: "a/b\\nc"', (6, 9, "wrong-value"), "", "path"),
    ("name: nightly", "name: night ly", (8, 13, "wrong-value"), "schedule/prices/night ly", "lower-case"),
    ('"0 0 2 * * *"', '"0 2 * * *"', (9, 13, "bad-cron"), "schedule/prices/nightly", "0 0 2 * * *"),
    ('"0 0 2 * * *"', '"0 0 25 * * *"', (9, 13, "bad-cron"), "schedule/prices/nightly", "25"),
    ('cron: "0 0 2 * * *"', "every: 15 minutes", (9, 14, "bad-every"), "schedule/prices/nightly", "15m"),
    ('cron: "0 0 2 * * *"', "every: 5", (9, 14, "wrong-type"), "schedule/prices/nightly", "quotes"),
    ('cron: "0 0 2 * * *"', "every: ''", (9, 14, "bad-every"), "schedule/prices/nightly", "15m"),
    ("      timeZone: UTC\n", "", (8, 7, "missing-key"), "schedule/prices/nightly", "`timeZone`"),
    ("      startTime: 2026-01-01T02:00:00\n", "", (8, 7, "missing-key"), "schedule/prices/nightly", "`startTime`"),
    (
        "timeZone: UTC",
        "timeZone: Australia/Sidney",
        (11, 17, "bad-zone"),
        "schedule/prices/nightly",
        "Australia/Sydney",
    ),
    ("2026-01-01T02:00:00", "2026-13-01T02:00:00", (10, 18, "bad-time"), "schedule/prices/nightly", "2026-13-01"),
    ("2026-01-01T02:00:00", "2026-01-01T02:00:00Z", (10, 18, "bad-time"), "schedule/prices/nightly", "timeZone"),
    ("timeZone: UTC", "timeZone: UTC\n      every: 1d", (12, 7, "exactly-one"), "schedule/prices/nightly", "only one"),
    (
        "timeZone: UTC",
        "timeZone: UTC\n      logLevel: hihg",
        (12, 17, "wrong-value"),
        "schedule/prices/nightly",
        "high",
    ),
    ("timeZone: UTC", "timeZone: UTC\n      logLevel: 4", (12, 17, "wrong-value"), "schedule/prices/nightly", "none"),
    (
        "timeZone: UTC",
        "timeZone: UTC\n      enabled: yes",
        (12, 16, "wrong-value"),
        "schedule/prices/nightly",
        "write true",
    ),
    (
        "timeZone: UTC",
        "timeZone: UTC\n      enabled: True",
        (12, 16, "wrong-value"),
        "schedule/prices/nightly",
        "lower case",
    ),
    (
        "timeZone: UTC",
        "timeZone: UTC\n      protect: 1",
        (12, 16, "wrong-type"),
        "schedule/prices/nightly",
        "true or false",
    ),
    ("timeZone: UTC", "timeZone: UTC\n      id: 12-34", (12, 11, "wrong-value"), "schedule/prices/nightly", "GUID"),
    (
        "timeZone: UTC",
        "timeZone: UTC\n      inputParameters: {a: {b: c}}",
        (12, 28, "wrong-type"),
        "schedule/prices/nightly",
        "plain text",
    ),
    (
        "timeZone: UTC",
        "timeZone: UTC\n      inputParameters: {a: }",
        (12, 28, "wrong-type"),
        "schedule/prices/nightly",
        '""',
    ),
    ("timeZone: UTC", "timeZone: UTC\n      timeZone: UTC", (12, 7, "duplicate-key"), "", "line 11, column 7"),
    ("timeZone: UTC", "timeZone: ${env:ZONE}", (11, 17, "undefined-env"), "schedule/prices/nightly", "ZONE"),
    ("timeZone: UTC", "timeZone: ${var:zone}", (11, 17, "undefined-var"), "schedule/prices/nightly", "spec.variables"),
    ("timeZone: UTC", "timeZone: ${file:zone}", (11, 17, "undefined-file"), "schedule/prices/nightly", "zone"),
    ("timeZone: UTC", "timeZone: ${evn:ZONE}", (11, 17, "interpolation-scheme"), "schedule/prices/nightly", "env"),
    ("timeZone: UTC", "timeZone: ${ZONE}", (11, 17, "interpolation-scheme"), "schedule/prices/nightly", "${env:ZONE}"),
    ("timeZone: UTC", "timeZone: ${env:ZONE", (11, 17, "interpolation-open"), "schedule/prices/nightly", "}"),
    ("timeZone: UTC", "timeZone: ${env:1 2}", (11, 17, "interpolation-name"), "schedule/prices/nightly", "name"),
    (
        "  schedules:",
        "  approval: {state: aproved}\n  schedules:",
        (7, 21, "wrong-value"),
        "approval/prices",
        "approved",
    ),
    ("  schedules:", "  approval: {}\n  schedules:", (7, 13, "missing-key"), "approval/prices", "`state`"),
    (
        "  schedules:",
        "  inputFilesEnabled: on\n  schedules:",
        (7, 22, "wrong-type"),
        "input-files/prices",
        "write true",
    ),
    (
        "  schedules:",
        "  inputFiles: [{file: no.csv}]\n  schedules:",
        (7, 23, "missing-file"),
        "input-files/prices",
        "no.csv",
    ),
    (
        "  schedules:",
        "  inputFiles: [{file: ../manifests}]\n  schedules:",
        (7, 23, "not-a-file"),
        "input-files/prices",
        "no file",
    ),
]


@pytest.mark.parametrize(("before", "after", "place", "address", "words"), AGENT_MISTAKES)
def test_a_mistake_is_reported_at_its_place(
    tmp_path: Path, before: str, after: str, place: tuple[int, int, str], address: str, words: str
) -> None:
    assert before in AGENT
    found, problems = check(write(tmp_path, {"a.yaml": AGENT.replace(before, after, 1)}))
    matching = [problem for problem in problems if (problem.line, problem.column, problem.code) == place]
    assert found is None
    assert matching, problems
    assert matching[0].path == "manifests/a.yaml"
    assert matching[0].address == address
    assert words in matching[0].message
    assert matching[0].severity is Severity.ERROR


TRIGGER_MISTAKES = [
    ("task: {name: Publish prices}", "task: {}", (5, 9, "exactly-one"), "`name` or `id`"),
    ("task: {name: Publish prices}", "task: {nam: x}", (5, 10, "unknown-key"), "did you mean `name`?"),
    ("task: {name: Publish prices}", "task: {name: x, id: y}", (5, 23, "wrong-value"), "GUID"),
    ("prices}\n", "prices}\n  retries: 010\n", (6, 12, "wrong-type"), "without zeros"),
    ("prices}\n", "prices}\n  retries: 99\n", (6, 12, "wrong-value"), "0 to 10"),
    ("prices}\n", "prices}\n  wait: true\n", (6, 9, "wrong-value"), "cannot be true"),
    ("prices}\n", "prices}\n  wait: {timeout: 30 minutes}\n", (6, 19, "wrong-value"), "30m"),
    ("prices}\n", "prices}\n  wait: {timeuot: 30m}\n", (6, 10, "unknown-key"), "did you mean `timeout`?"),
    ("prices}\n", "prices}\n  wait: {timeout: 0s}\n", (6, 19, "wrong-value"), "duration"),
    ("prices}\n", "prices}\n  when: {changed: [schedule/price/*]}\n", (6, 20, "no-match"), "matches nothing"),
    (
        "prices}\n",
        "prices}\n  when: {changed: [trigger/publish]}\n",
        (6, 20, "cycle"),
        "trigger/publish -> trigger/publish",
    ),
    (
        "prices}\n",
        "prices}\n  parameters: {" + ", ".join(f"p{number}: x" for number in range(11)) + "}\n",
        (6, 15, "too-many"),
        "at most 10",
    ),
]


@pytest.mark.parametrize(("before", "after", "place", "words"), TRIGGER_MISTAKES)
def test_a_mistake_in_a_trigger_is_reported_at_its_place(
    tmp_path: Path, before: str, after: str, place: tuple[int, int, str], words: str
) -> None:
    found, problems = check(write(tmp_path, {"t.yaml": TRIGGER.replace(before, after, 1)}))
    matching = [problem for problem in problems if (problem.line, problem.column, problem.code) == place]
    assert found is None
    assert matching, problems
    assert matching[0].address == "trigger/publish"
    assert words in matching[0].message


PROJECT_MISTAKES = [
    ("metadata: {name: retail}", "metadata: {name: Retail}", (3, 18, "wrong-value"), "lower-case"),
    ("spec:\n", "spec:\n  manifest: [x]\n", (5, 3, "unknown-key"), "did you mean `manifests`?"),
    ("spec:\n", "spec:\n  manifests: [none/*.yaml]\n", (5, 15, "no-files"), "none/*.yaml"),
    ("spec:\n", "spec:\n  manifests: [../*.yaml]\n", (5, 15, "outside-project"), "leaves"),
    ("spec:\n", "spec:\n  ledger: mysql://x\n", (5, 11, "wrong-value"), "sqlite"),
    ("spec:\n", "spec:\n  policy: {maxDeletes: 130%}\n", (5, 24, "wrong-value"), "30%"),
    ("spec:\n", "spec:\n  policy: {prune: all}\n", (5, 19, "wrong-value"), "owned, never"),
    ("spec:\n", "spec:\n  variables: {a: '${var:b}', b: '${var:a}'}\n", (5, 18, "variable-cycle"), "b -> a -> b"),
    ("spec:\n", "spec:\n  environments: {prod: {polcy: {}}}\n", (5, 25, "unknown-key"), "did you mean `policy`?"),
    ("spec:\n", "spec:\n  environments: {prod: {connections: {acc: {tokn: x}}}}\n", (5, 45, "unknown-key"), "`token`"),
    ("https://acc", "http://acc", (6, 16, "insecure-url"), "allowInsecure"),
    ("https://acc", "ftp://acc", (6, 16, "bad-url"), "https"),
    ("https://acc", "https://me:pw@acc", (6, 16, "bad-url"), "password"),
    ("token: ", "concurrency: 0, token: ", (6, 54, "wrong-value"), "1 to 64"),
    ("token: ", "rate: 20, token: ", (6, 47, "wrong-type"), "quotes"),
    ("token: ", "rate: 20/d, token: ", (6, 47, "wrong-value"), "20/s"),
    ("token: ", "caBundle: no.pem, token: ", (6, 51, "missing-file"), "no.pem"),
    ("ACC_TOKEN", "ACC_TOKN", (6, 48, "undefined-env"), "did you mean ACC_TOKEN?"),
    ("region: us, ", "", (7, 10, "exactly-one"), "`region` or `url`"),
    ("region: us", "region: uss", (7, 19, "wrong-value"), "did you mean us?"),
    (
        "spec:\n",
        "spec:\n  blackouts: [{name: x, timeZone: UTC, from: 2026-12-27, to: 2026-12-24}]\n",
        (5, 62, "wrong-value"),
        "later",
    ),
    ("spec:\n", "spec:\n  blackouts: [{name: x, timeZone: UTC, from: 2026-12-27}]\n", (5, 15, "exactly-one"), "`cron`"),
    (
        "spec:\n",
        "spec:\n  blackouts: [{name: x, timeZone: UTC, cron: 0 0 22 * *, duration: 8h}]\n",
        (5, 46, "bad-cron"),
        "five",
    ),
    (
        "spec:\n",
        "spec:\n  blackouts: [{name: x, timeZone: Mars, cron: 0 0 22 * * *, duration: 8h}]\n",
        (5, 35, "bad-zone"),
        "Mars",
    ),
]


@pytest.mark.parametrize(("before", "after", "place", "words"), PROJECT_MISTAKES)
def test_a_mistake_in_the_project_file_is_reported_at_its_place(
    tmp_path: Path, before: str, after: str, place: tuple[int, int, str], words: str
) -> None:
    assert before in PROJECT
    files = {"a.yaml": AGENT, "t.yaml": TRIGGER}
    found, problems = check(write(tmp_path, files, PROJECT.replace(before, after, 1)))
    matching = [problem for problem in problems if (problem.line, problem.column, problem.code) == place]
    assert found is None
    assert matching, problems
    assert matching[0].path == "reconciler.yaml"
    assert words in matching[0].message


def test_all_mistakes_are_found_in_one_run_and_come_in_file_order(tmp_path: Path) -> None:
    broken = (
        AGENT.replace("nightly\n", "nightly\n      windowles: true\n")
        + "    - name: poll\n      every: soon\n      startTime: today\n      timeZone: UTC\n"
        + '    - name: other\n      cron: "0 0"\n      startTime: 2026-01-01T00:00:00\n      timeZone: Nowhere/Land\n'
    )
    files = {"b.yaml": broken, "a.yaml": "a: [", "c.yaml": TRIGGER.replace("name: P", "nme: P")}
    found, problems = check(write(tmp_path, files, PROJECT.replace("spec:\n", "spec:\n  polcy: {}\n")))
    assert found is None
    assert places(problems) == [
        ("manifests/a.yaml", 2, 1, "syntax"),
        ("manifests/b.yaml", 9, 7, "unknown-key"),
        ("manifests/b.yaml", 14, 14, "bad-every"),
        ("manifests/b.yaml", 15, 18, "bad-time"),
        ("manifests/b.yaml", 18, 13, "bad-cron"),
        ("manifests/b.yaml", 20, 17, "bad-zone"),
        ("manifests/c.yaml", 5, 9, "exactly-one"),
        ("manifests/c.yaml", 5, 10, "unknown-key"),
        ("reconciler.yaml", 5, 3, "unknown-key"),
    ]


def test_load_raises_with_every_problem(tmp_path: Path) -> None:
    root = write(tmp_path, {"a.yaml": AGENT.replace("cron:", "crom:"), "b.yaml": "["})
    with pytest.raises(ManifestError) as raised:
        manifests.load(root, None, ENVIRON, as_of=NOW)
    assert {problem.path for problem in raised.value.problems} == {"manifests/a.yaml", "manifests/b.yaml"}


def test_a_name_that_is_taken_is_an_error_that_names_both_places(tmp_path: Path) -> None:
    again = AGENT.replace("name: prices", "name: other").replace("Retail/prices", "retail/PRICES")
    block = AGENT[AGENT.index("    - name") :]
    adopted = block.replace("nightly\n", "{}\n      id: {}\n")
    guid = "D9C944DF-93a7-ea77-f7b7-fa0b9c579917"
    files = {
        "a.yaml": AGENT + block + adopted.format("x", guid),
        "b.yaml": AGENT,
        "c.yaml": again + adopted.format("y", guid.lower()),
        "d.yaml": TRIGGER + "---\n" + TRIGGER,
    }
    _, problems = check(write(tmp_path, files))
    assert [(*place, problem.message) for place, problem in zip(places(problems), problems, strict=True)] == [
        ("manifests/a.yaml", 12, 7, "duplicate", _twice("the schedule 'nightly' of prices", "a.yaml:8:7")),
        ("manifests/b.yaml", 1, 1, "duplicate", _twice("the agent 'prices'", "a.yaml:1:1")),
        ("manifests/c.yaml", 6, 9, "duplicate", _twice("the path 'sequentum/retail/PRICES'", "a.yaml:1:1")),
        ("manifests/c.yaml", 12, 7, "duplicate", _twice(f"the schedule id {guid.lower()}", "a.yaml:16:7")),
        ("manifests/d.yaml", 7, 1, "duplicate", _twice("the trigger 'publish'", "d.yaml:1:1")),
    ]


def _twice(what: str, where: str) -> str:
    return f"{what} is declared twice; the first is at manifests/{where}"


def test_no_message_shows_what_came_from_outside(tmp_path: Path) -> None:
    secret = "hunter2-in-the-clear"
    agent = (
        AGENT
        + "      inputParameters: {password: '${env:PW}', ok: {nested: '${env:PW}'}}\n      sessionId: ['${env:PW}']\n"
    )
    project = PROJECT.replace('token: "${env:ACC_TOKEN}"', 'token: "${env:PW} x"').replace('"${env:MFT_KEY}"', "5")
    files = {"a.yaml": agent, "t.yaml": TRIGGER}
    found, problems = check(write(tmp_path, files, project), {**ENVIRON, "PW": secret})
    assert found is None
    assert len(problems) >= 4
    assert not any(secret in problem.message for problem in problems)


def test_triggers_that_wait_for_each_other_are_named(tmp_path: Path) -> None:
    def trigger(name: str, needs: str) -> str:
        return TRIGGER.replace("publish", name) + f"  when: {{changed: [trigger/{needs}]}}\n"

    files = {"t.yaml": "---\n".join((trigger("a", "b"), trigger("b", "c"), trigger("c", "a"), trigger("d", "a")))}
    _, problems = check(write(tmp_path, files))
    assert [(problem.code, problem.address) for problem in problems] == [("cycle", "trigger/a")]
    assert "trigger/a -> trigger/b -> trigger/c -> trigger/a" in problems[0].message
