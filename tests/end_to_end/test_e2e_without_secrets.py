"""`validate` where no secret is: in a pre-commit hook, and on the pull request of a fork."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
import yaml
from stage import NIGHTLY, POLL, PRICES, Ended, Stage, agent, task_trigger

SECRETIVE = """\
      inputParameters: {user: me, password: "${env:PASSWORD}"}
"""


def forget(stage: Stage, *names: str) -> None:
    for name in names or ("ACC_TOKEN", "MFT_KEY", "PASSWORD"):
        stage.environ.pop(name)


def problems(ended: Ended) -> list[tuple[str, str, str]]:
    return [(one["path"], one["code"], one["severity"]) for one in ended.document["problems"]]


def test_what_is_not_set_is_one_warning_for_each_variable(stage: Stage) -> None:
    stage.write(agent(NIGHTLY + SECRETIVE, POLL + SECRETIVE))
    assert stage.run("validate").code == 0
    assert stage.run("validate").out == "No problems found. 2 resources are declared.\n"
    forget(stage)
    ended = stage.run("validate", "--format", "json")
    assert ended.code == 0
    first, second = ended.document["problems"]
    assert (first["path"], first["line"], first["column"]) == ("manifests/retail.yaml", 11, 45)
    assert first["address"] == "schedule/prices/nightly"
    assert "PASSWORD is not set" in first["message"]
    assert "2 uses" in first["message"]
    assert second["path"] == "reconciler.yaml"
    assert "ACC_TOKEN is not set" in second["message"]
    assert "1 use;" in second["message"]
    # Nobody uses the other connection, so nobody needs its key.
    assert "MFT_KEY" not in ended.out
    stage.write(task_trigger(), "trigger.yaml")
    assert "MFT_KEY is not set" in stage.run("validate").said


@pytest.mark.parametrize("form", ["text", "json", "sarif", "junit", "github"])
def test_every_format_tells_and_passes_and_strict_does_not(stage: Stage, form: str) -> None:
    stage.write(agent(NIGHTLY + SECRETIVE))
    forget(stage)
    ended = stage.run("validate", "--format", form)
    assert ended.code == 0
    assert "PASSWORD" in ended.out
    strict = stage.run("validate", "--strict", "--format", form)
    assert strict.code == 1
    assert "PASSWORD is not set" in strict.out
    word, count = {
        "text": ("error[undefined-env]", 2),
        "json": ('"severity": "error"', 2),
        "sarif": ('"level": "error"', 2),
        "junit": ("<failure", 2),
        "github": ("::error", 2),
    }[form]
    assert (ended.out.count(word), strict.out.count(word)) == (0, count)


def test_a_file_that_is_not_there_is_a_warning_and_an_input_file_is_an_error(stage: Stage) -> None:
    secret = SECRETIVE.replace("env:PASSWORD", "file:~/password")
    stage.write(agent(NIGHTLY + secret, POLL + secret, extra="  inputFiles: [{file: gone.csv}]\n"))
    ended = stage.run("validate", "--format", "json")
    assert ended.code == 1
    assert problems(ended) == [
        ("manifests/retail.yaml", "missing-file", "error"),
        ("manifests/retail.yaml", "undefined-file", "warning"),
    ]
    assert "2 uses" in ended.out
    (stage.root / "manifests" / "gone.csv").write_text("url\n")
    assert stage.run("validate").code == 0
    assert stage.run("validate", "--strict").code == 1
    (stage.root / "password").mkdir()
    assert stage.run("validate").code == 1, "a folder is no secret that is not there: it is a mistake"


@pytest.mark.parametrize(
    "command",
    [
        ("plan",),
        ("apply", "--auto-approve"),
        ("drift",),
        ("status",),
        ("destroy", "--auto-approve"),
        ("calendar",),
        ("render",),
        ("import", "--agent", "sequentum/Retail/stock"),
        ("acc", "schedule", "list", "sequentum/Retail/stock"),
    ],
)
def test_everywhere_else_it_is_an_error_at_every_place(stage: Stage, command: tuple[str, ...]) -> None:
    stage.write(agent(NIGHTLY + SECRETIVE, POLL + SECRETIVE))
    assert stage.apply().code == 0
    writes = stage.writes()
    forget(stage, "PASSWORD") if command[0] not in ("import", "acc") else forget(stage, "ACC_TOKEN")
    ended = stage.run(*command)
    assert ended.code == 1
    assert "is not set" in ended.said
    assert "not checked" not in ended.said
    assert ended.said.count("error[undefined-env]") == (1 if command[0] in ("import", "acc") else 2)
    assert stage.writes() == writes


def test_an_empty_secret_is_one_that_a_fork_has_not(stage: Stage) -> None:
    """GitHub sets a secret that a fork's pull request may not see to nothing at all."""
    stage.write(agent(NIGHTLY + SECRETIVE), "a.yaml")
    stage.write(task_trigger(), "t.yaml")
    stage.environ.update(ACC_TOKEN="", MFT_KEY="", PASSWORD="")
    ended = stage.run("validate", "--format", "json")
    assert ended.code == 0
    assert [code for _, code, _ in problems(ended)] == ["undefined-env"] * 3
    assert "the environment variable ACC_TOKEN is empty" in ended.out
    (stage.root / "key.pem").write_text("\n")
    file = stage.root / "reconciler.yaml"
    file.write_text(file.read_text().replace("${env:MFT_KEY}", "${file:key.pem}"))
    assert "the file 'key.pem' is empty" in stage.run("validate").said
    assert stage.run("validate").code == 0
    # Where secrets are meant to be, an empty token is what it is everywhere else: no token.
    assert "`token` may not be empty" in stage.run("validate", "--strict").said


def test_all_else_is_checked(stage: Stage) -> None:
    """A wrong cron beside an unknown zone, a twin of an unknown name, a pattern that an unknown name might match."""
    stage.project("  blackouts: [{name: eve, from: '2026-12-24', to: '2026-12-01', timeZone: '${env:ZONE}'}]\n")
    nightly = NIGHTLY.replace("0 0 2", "0 0 25").replace("${var:zone}", "${env:ZONE}")
    stage.write(
        agent(nightly, POLL, path=PRICES, name="'${env:NAME}'"),
        "a.yaml",
    )
    stage.write(agent(POLL, name="'${env:NAME}'", path="sequentum/Retail/other"), "b.yaml")
    revision, changed = '{revision: "1"}', '{changed: ["schedule/prices/poll"]}'
    stage.write(task_trigger().replace(revision, changed), "t.yaml")
    stage.write(task_trigger("two").replace(revision, changed.replace("schedule", "shedule")), "u.yaml")
    ended = stage.run("validate", "--format", "json")
    assert ended.code == 1
    assert problems(ended) == [
        ("manifests/a.yaml", "undefined-env", "warning"),
        ("manifests/a.yaml", "bad-cron", "error"),
        ("manifests/b.yaml", "duplicate", "error"),
        ("manifests/u.yaml", "no-match", "error"),
        ("reconciler.yaml", "wrong-value", "error"),
        ("reconciler.yaml", "undefined-env", "warning"),
    ]
    assert json.loads(ended.out)["problems"][5]["message"].count("ZONE") == 2
    assert "2 uses" in ended.document["problems"][5]["message"]


def test_a_credential_in_a_public_place_is_found_without_it(stage: Stage) -> None:
    """As in the pull request of somebody who would like to read the token in a comment."""
    stage.write(agent(NIGHTLY, path="sequentum/${env:ACC_TOKEN}"))
    known = stage.run("validate", "--format", "json")
    forget(stage)
    unknown = stage.run("validate", "--format", "json")
    assert (known.code, unknown.code) == (1, 1)
    assert [one for one in problems(unknown) if one[2] == "error"] == problems(known)
    assert problems(known)[0][1] == "secret-in-public"


def test_files_whose_pattern_is_not_known_are_not_missed(stage: Stage) -> None:
    stage.project("  manifests: [manifests/*.yaml, '${env:MORE}/*.yaml']\n")
    stage.write(task_trigger().replace('{revision: "1"}', "{changed: [schedule/more/*]}"))
    assert stage.run("validate").code == 0
    stage.environ["MORE"] = "more"
    ended = stage.run("validate", "--format", "json")
    assert [code for _, code, _ in problems(ended)] == ["no-match", "no-files"]


def test_the_printed_hook_and_workflow_pass_without_secrets_and_fail_for_a_mistake(stage: Stage) -> None:
    page = (Path(__file__).parents[2] / "docs" / "validate.md").read_text(encoding="utf-8")
    hooks, workflow = (yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL))
    (hook,) = hooks["repos"][0]["hooks"]
    *_, last = workflow["jobs"]["manifests"]["steps"]
    commands = [shlex.split(line) for line in (hook["entry"], last["run"])]
    forget(stage)
    for mistake, code in (("", 0), ("nonsense: 1\n", 1)):
        stage.write(agent(NIGHTLY + SECRETIVE) + mistake)
        assert re.search(hook["files"], "manifests/retail.yaml")
        assert [stage.run(*line[1:]).code for line in commands if line[0] == "reconciler"] == [code, code]
