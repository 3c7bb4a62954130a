"""What would let others see a secret: files that they may read, places that everybody reads, and our own messages."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from manifests_projects import AGENT, ENVIRON, PROJECT, check, desired, write

from reconciler.errors import LedgerError
from reconciler.ledger.location import locate
from reconciler.model.resource import Severity
from reconciler.render import Screen
from reconciler.render.text import problems_text

SECRET = "hunter2-in-the-clear"
PARAMETER = AGENT + "      inputParameters: {password: '${env:PW}'}\n"
WITH_FILES = PROJECT.replace("${env:ACC_TOKEN}", "${var:token}") + "  variables: {token: '${file:keys/the token}'}\n"


def codes(root: Path, environ: dict[str, str]) -> list[tuple[str, str, int]]:
    return [(one.code, one.severity.value, one.line) for one in check(root, environ)[1]]


@pytest.mark.parametrize(
    ("mode", "is_open"), [(0o600, False), (0o400, False), (0o640, True), (0o604, True), (0o644, True)]
)
def test_a_credential_from_a_file_that_others_may_read_is_warned_of(tmp_path: Path, mode: int, is_open: bool) -> None:
    root = write(tmp_path, {"a.yaml": AGENT, "keys/the token": "t0ken-of-mine\n"}, WITH_FILES)
    key = root / "keys" / "the token"
    key.chmod(mode)
    problems = check(root, ENVIRON)[1]
    if not is_open:
        assert problems == ()
        return
    (problem,) = problems
    assert (problem.code, problem.severity) == ("exposed-credential", Severity.WARNING)
    command = re.search(r"`(chmod .*)`", problem.message)
    assert command is not None
    assert os.system(command[1]) == 0, "the command that it names mends it"
    assert check(root, ENVIRON)[1] == ()


def test_a_file_that_is_no_credential_may_be_read_by_all(tmp_path: Path) -> None:
    text = AGENT + "      inputParameters: {note: '${file:note.txt}'}\n"
    assert codes(write(tmp_path, {"a.yaml": text, "manifests/note.txt": "x" * 9}), ENVIRON) == []


def test_a_wrong_value_that_is_secret_is_not_quoted(tmp_path: Path) -> None:
    long = "s" * 90 + "THE-END"
    body = (
        PARAMETER.replace("timeZone: UTC", "timeZone: '${env:PW}'")
        + "---\n"
        + PARAMETER.replace("cron:", "cron: '${env:LONG}' #")
        .replace("name: prices", "name: stock")
        .replace("Retail/prices", "Retail/stock")
        .replace("${env:PW}", "${env:LONG}")
    )
    found, problems = check(write(tmp_path, {"a.yaml": body}), {**ENVIRON, "PW": SECRET, "LONG": long})
    assert found is None
    assert len(problems) >= 2
    for problem in problems:
        assert SECRET not in problem.message
        assert "s" * 20 not in problem.message
    assert any("(secret)" in problem.message for problem in problems)


def test_a_secret_where_everybody_reads_it_is_pointed_out(tmp_path: Path) -> None:
    """The value of a parameter in a label and in a path: a warning. A token: an error."""
    body = PARAMETER.replace("Retail/prices", "Retail/${env:PW}")
    root = write(tmp_path, {"a.yaml": body})
    assert [found[:2] for found in codes(root, {**ENVIRON, "PW": SECRET})] == [("secret-in-public", "warning")]
    body = AGENT.replace("Retail/prices", "Retail/${env:ACC_TOKEN}")
    root = write(tmp_path / "2", {"a.yaml": body})
    assert [found[:2] for found in codes(root, ENVIRON)] == [("secret-in-public", "error")]
    root = write(tmp_path / "3", {"a.yaml": PARAMETER.replace("Retail/prices", "Retail/${env:PLACE}")})
    assert codes(root, {**ENVIRON, "PW": SECRET, "PLACE": "prices"}) == []


def test_a_default_that_the_manifest_spells_is_no_secret(tmp_path: Path) -> None:
    body = AGENT + "      inputParameters: {region: '${env:REGION:-australia}'}\n"
    root = write(tmp_path, {"a.yaml": body})
    (schedule,) = desired(root, ENVIRON).resources
    assert schedule.secrets == ()
    (schedule,) = desired(root, {**ENVIRON, "REGION": "australia"}).resources
    assert schedule.secrets == ("inputParameters.region",)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://scraper:hunter2@db/ledger",
        "postgresql://scraper:hunter2%40x@db:77/ledger",
        "postgresql://db/ledger?user=scraper&password=hunter2",
        "postgresql://scraper:hun@ter2@db/ledger",
    ],
)
def test_the_password_of_a_ledger_is_never_shown(tmp_path: Path, url: str) -> None:
    location = locate(url, tmp_path)
    assert "hun" not in repr(location) + location.shown
    found = desired(write(tmp_path, {"a.yaml": AGENT}, PROJECT + f"  ledger: {url}\n"), ENVIRON)
    assert any("hun" in value for value in found.secret_values)


@pytest.mark.parametrize("password", ["1/hunter2", "1?hunter2", "1#hunter2", "x/hunter2", "x#hunter2"])
def test_a_torn_url_of_a_ledger_shows_no_part_of_its_password(tmp_path: Path, password: str) -> None:
    with pytest.raises(LedgerError) as raised:
        locate(f"postgresql://scraper:{password}@db/ledger", tmp_path)
    assert "hunter2" not in raised.value.message + raised.value.hint
    assert "%2F" in raised.value.hint


def test_a_source_line_with_a_password_in_a_url_is_shown_without_it(tmp_path: Path) -> None:
    root = write(tmp_path, {"a.yaml": AGENT}, PROJECT + "  ledger: mysql://scraper:hunter2@db/ledger\n")
    problems = check(root, ENVIRON)[1]
    lines = (root / "reconciler.yaml").read_text().splitlines()
    shown = problems_text.problems(problems, Screen(200), line_of=lambda _, number: lines[number - 1])
    assert "mysql://scraper:(secret)@db/ledger" in shown
    assert "hunter2" not in shown


@pytest.mark.parametrize("key", ["name", "use", "timeZone", "cron", "startTime", "id"])
@pytest.mark.parametrize("each", ["", 'forEach: [{k: "${env:TENANT}"}]\n'])
def test_a_wrong_value_that_is_a_secret_parameter_of_the_same_block_is_not_quoted(
    tmp_path: Path, key: str, each: str
) -> None:
    value = "${each.k}" if each else "${env:TENANT}"
    fields = {"name": "nightly", "cron": "0 0 2 * * *", "startTime": "2026-01-01T02:00:00", "timeZone": "UTC"}
    block = "".join(f"      {name}: {text!r}\n" for name, text in {**fields, key: value}.items())
    text = f"apiVersion: reconciler/v1\nkind: Agent\n{each}metadata: {{name: a}}\nspec:\n  path: P\n"
    text += f'  schedules:\n    -\n{block}      inputParameters: {{k: "{value}"}}\n'
    found, problems = check(write(tmp_path, {"a.yaml": text}, PROJECT), {**ENVIRON, "TENANT": "Sw0rd+Fish"})
    assert found is None
    assert problems
    assert "Sw0rd" not in repr(problems)
