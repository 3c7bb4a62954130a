"""`acc …` and `mft …` as typed in a project: its connections, its environments, its secrets."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from operations_desk import PATH, Desk, desk, estate

from reconciler.emulator import Emulator

DAILY = "d9c944df-93a7-4a77-b7b7-fa0b9c579917"
SECRET = "the-password-of-the-site"
MANIFEST = f"""\
apiVersion: reconciler/v1
kind: Agent
metadata: {{name: prices}}
spec:
  path: {PATH}
  schedules:
    - name: nightly
      every: 1d
      startTime: 2026-01-01T02:00:00
      timeZone: UTC
      inputParameters:
        password: ${{env:SITE_PASSWORD}}
"""


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Desk]:
    with desk(tmp_path) as one:
        yield one


def test_the_connections_come_from_the_project_file(at: Desk) -> None:
    at.emulator.estate.add_schedule(PATH, DAILY)
    assert DAILY in at.type("acc", "schedule", "list", PATH).out
    assert at.type("mft", "license").code == 0


def test_it_works_without_any_manifest_and_without_the_other_connection(at: Desk) -> None:
    typed = at.type("acc", "agent", "show", PATH, MFT_TENANT=None)
    assert (typed.code, typed.err) == (0, "")


def test_an_environment_leads_elsewhere(at: Desk) -> None:
    with Emulator(estate()) as other:
        other.estate.add_schedule(PATH, DAILY)
        path = at.root / "reconciler.yaml"
        path.write_text(path.read_text().replace("prod: {}", f"prod: {{connections: {{acc: {{url: '{other.url}'}}}}}}"))
        assert at.type("--env", "prod", "acc", "schedule", "list", PATH, "--format", "json").json
        assert at.type("acc", "schedule", "list", PATH, "--format", "json").json == []
    assert at.type("--env", "nowhere", "acc", "schedule", "list", PATH).code == 64


def test_a_secret_of_the_manifests_is_hidden_where_the_product_shows_it_back(at: Desk) -> None:
    at.write("manifests/prices.yaml", MANIFEST)
    at.environ["SITE_PASSWORD"] = SECRET
    assert at.type("apply", "--auto-approve").code == 0
    live = next(iter(at.agent.schedules.values()))
    assert SECRET in str(live.input_parameters)
    live.error_message = f"cannot log in with {SECRET}"
    for words in (
        ["acc", "schedule", "list", PATH, "--format", "json"],
        ["acc", "schedule", "list", PATH],
        ["status"],
        ["status", "--format", "json"],
        ["plan", "--format", "json"],
        ["history"],
        ["doctor"],
    ):
        typed = at.type(*words)
        assert SECRET not in typed.out + typed.err, words
    assert "cannot log in with (secret)" in at.type("status").out


def test_while_the_ledger_cannot_be_read_it_says_so_and_shows_no_parameter_that_was_applied(at: Desk) -> None:
    at.write("manifests/prices.yaml", MANIFEST)
    at.environ["SITE_PASSWORD"] = SECRET
    assert at.type("apply", "--auto-approve").code == 0
    at.write("manifests/prices.yaml", MANIFEST[: MANIFEST.index("      inputParameters:")])
    at.environ["SITE_PASSWORD"] = ""
    (ledger,) = at.root.rglob("ledger.db")
    ledger.write_bytes(b"no database" * 1000)
    typed = at.type("acc", "schedule", "list", PATH, "--format", "json")
    assert typed.code == 0
    assert re.search(r"^note: .*, so no parameter of a schedule that was applied is shown$", typed.err, re.M), typed.err
    assert SECRET not in typed.out + typed.err
    assert "(secret)" in typed.out


def test_with_broken_manifests_it_says_that_their_secrets_are_not_known(at: Desk) -> None:
    at.write("manifests/prices.yaml", MANIFEST.replace("every:", "evry:"))
    typed = at.type("acc", "agent", "show", PATH)
    assert typed.code == 0
    assert "the manifests have errors" in typed.err


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["acc"], 64),
        (["acc", "nonsense"], 64),
        (["acc", "schedule", "list"], 64),
        (["acc", "schedule", "list", "sequentum/Retail/gone"], 1),
        (["acc", "schedule", "delete", DAILY], 64),
        (["acc", "job", "status", PATH, "sleeping"], 64),
        (["acc", "run", "history", PATH, "--count", "0"], 64),
        (["mft", "task", "start", "No such task"], 1),
        (["mft", "run", "show", "no-such-run"], 1),
        (["mft", "task", "start", "Fail", "--wait", "--interval", "1s"], 1),
        (["mft", "task", "start", "Publish prices", "--wait", "--interval", "0s"], 64),
        (["statsu"], 64),
        (["status", "--format", "pdf"], 64),
        (["doctor", "extra"], 64),
    ],
)
def test_exit_codes(at: Desk, words: list[str], code: int) -> None:
    at.write("manifests/prices.yaml", MANIFEST)
    typed = at.type(*words, SITE_PASSWORD=SECRET)
    assert typed.code == code, typed.out + typed.err
    assert typed.err


@pytest.mark.parametrize(
    ("variable", "words"),
    [("ACC_TOKEN", ["acc", "agent", "show", PATH]), ("MFT_TENANT", ["mft", "license"])],
)
def test_a_variable_that_is_not_set_is_named_with_its_place(at: Desk, variable: str, words: list[str]) -> None:
    unset: dict[str, Any] = {variable: None}
    typed = at.type(*words, **unset)
    assert typed.code == 1
    assert "reconciler.yaml:" in typed.err
    assert variable in typed.err


@pytest.mark.parametrize("words", [["acc", "agent", "show", PATH], ["mft", "license"]])
def test_a_connection_that_is_not_there_is_named(at: Desk, words: list[str]) -> None:
    at.write("reconciler.yaml", "apiVersion: reconciler/v1\nkind: Project\nmetadata: {name: retail-data}\nspec: {}\n")
    typed = at.type(*words)
    assert typed.code == 64
    assert f"the project has no connection {words[0]!r}" in typed.err
    assert f"connections.{words[0]}" in typed.err


def test_a_refused_credential_is_not_shown(at: Desk) -> None:
    for typed in (
        at.type("acc", "agent", "show", PATH, ACC_TOKEN="another-credential"),
        at.type("-v", "mft", "license", MFT_TENANT="somebody-else"),
    ):
        assert typed.code == 1
        assert "another-credential" not in typed.err
        assert "next: " in typed.err


COMMANDS = [
    "init",
    "validate",
    "schema",
    "plan",
    "apply",
    "drift",
    "show",
    "destroy",
    "status",
    "doctor",
    "calendar",
    "import",
    "resolve",
    "history",
    "unlock",
    "acc",
    "mft",
    "emulator",
    "acc schedule",
    "acc schedule put",
    "acc input upload",
    "acc agent start",
    "acc run retry",
    "acc job status",
    "acc server check",
    "mft task start",
    "mft run show",
]
_HELP = """
import contextlib, io, sys
from reconciler.cli import main
heavy = {"requests", "urllib3", "aiohttp", "psycopg", "jwt", "cryptography", "yaml", "jsonschema", "jsonschema_rs"}
for line in sys.stdin.read().splitlines():
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        code = main([*line.split(), "--help"])
    text = out.getvalue()
    found = sorted(heavy & set(sys.modules))
    if code or found or "Usage: reconciler" not in text or len(text.splitlines()) < 5:
        print(line, code, found, text)
"""


def test_help_is_there_for_every_command_and_loads_nothing_heavy() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _HELP],
        input="\n".join(COMMANDS),
        capture_output=True,
        text=True,
        check=False,
        env={"COLUMNS": "80", "PATH": "", "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)


@pytest.mark.parametrize("content", ["[" * 100_000, '{"a": "' + "x" * 1_000_001 + '"}', "not json", "\0"])
def test_a_schedule_to_put_is_json_of_a_size_that_makes_sense(at: Desk, content: str, tmp_path: Path) -> None:
    path = tmp_path / "schedule.json"
    path.write_text(content)
    for name in (str(path), "/dev/zero"):
        typed = at.type("acc", "schedule", "put", PATH, name, "--yes")
        assert typed.code == 64
