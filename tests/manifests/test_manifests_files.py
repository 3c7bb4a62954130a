"""Finding files, looking at input files, the starter project, the schemas and the examples."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from archive_samples import packed
from manifests_projects import AGENT, NOW, PROJECT, check, desired, places, state_of, write

from reconciler import manifests
from reconciler.errors import UsageError
from reconciler.kinds.input_files import InputFilesState
from reconciler.manifests.discovery import find_files
from reconciler.model.resource import Severity

REPOSITORY = Path(__file__).parents[2]


def test_the_nearest_project_upward_is_found(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    with pytest.raises(UsageError) as raised:
        manifests.find_root(inner)
    assert "init" in raised.value.hint
    (tmp_path / "reconciler.yaml").write_text(PROJECT)
    assert manifests.find_root(inner) == tmp_path
    (tmp_path / "a" / "reconciler.yaml").write_text(PROJECT)
    assert manifests.find_root(inner) == tmp_path / "a"
    with pytest.raises(UsageError):
        manifests.find_root(tmp_path / "none")


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("**/*.yaml", ["a.yaml", "m/b.yaml", "m/n/c.yaml"]),
        ("*.yaml", ["a.yaml"]),
        ("m/*.yaml", ["m/b.yaml"]),
        ("./m/**/*.yaml", ["m/b.yaml", "m/n/c.yaml"]),
        ("m/?.y*ml", ["m/b.yaml", "m/d.yml"]),
        ("m/[!b].yml", ["m/d.yml"]),
        ("m/n/c.yaml", ["m/n/c.yaml"]),
        (".hidden/*.yaml", [".hidden/e.yaml"]),
        ("*/c.yaml", []),
    ],
)
def test_patterns_name_files(tmp_path: Path, pattern: str, found: list[str]) -> None:
    for name in ("reconciler.yaml", "a.yaml", "m/b.yaml", "m/d.yml", "m/n/c.yaml", "m/.x.yaml", ".hidden/e.yaml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert find_files(tmp_path, [pattern]).paths == found


def test_a_file_that_two_patterns_name_is_read_once_and_link_loops_are_harmless(tmp_path: Path) -> None:
    root = write(tmp_path, {"a.yaml": AGENT}, PROJECT + "  manifests: ['**/*.yaml', manifests/a.yaml]\n")
    (root / "manifests" / "loop").symlink_to(root)
    (root / "manifests" / "self").symlink_to(root / "manifests")
    assert len(desired(root).resources) == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_cannot_be_read_is_a_problem(tmp_path: Path) -> None:
    root = write(tmp_path, {"a.yaml": AGENT})
    (root / "manifests" / "a.yaml").chmod(0)
    _, problems = check(root)
    assert places(problems) == [("manifests/a.yaml", 1, 1, "unreadable")]


def test_a_manifest_that_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    root = write(tmp_path, {"b.yaml": AGENT})
    os.mkfifo(root / "manifests" / "a.yaml")
    (root / "manifests" / "c.yaml").symlink_to("nowhere")
    assert places(check(root)[1]) == [
        ("manifests/a.yaml", 1, 1, "unreadable"),
        ("manifests/c.yaml", 1, 1, "unreadable"),
    ]


def test_an_empty_project_file(tmp_path: Path) -> None:
    _, problems = check(write(tmp_path, {"a.yaml": AGENT}, "# nothing\n"))
    assert places(problems) == [("reconciler.yaml", 1, 1, "empty-project")]


# --- input files -----------------------------------------------------------------------------------------------------


def with_files(root: Path, *entries: str, **contents: bytes) -> Path:
    """A project whose agent declares these input files; the names of contents have `__` for the dot."""
    lines = "".join(f"    - {entry}\n" for entry in entries)
    files: dict[str, str | bytes] = {"a.yaml": AGENT.replace("  schedules:", f"  inputFiles:\n{lines}  schedules:")}
    files |= {f"manifests/{name.replace('__', '.')}": content for name, content in contents.items()}
    return write(root, files)


@pytest.mark.parametrize(
    ("entry", "content", "code"),
    [
        ("file: a.csv", b"", "empty-file"),
        ("file: a.xlsx", b"x", "wrong-ending"),
        ("file: A.CSV", b"x", "wrong-ending"),
        ("file: B.Txt", b"x", "wrong-ending"),
        ("file: c.ZIP", b"x", "wrong-ending"),
        ("{file: a.csv, name: a.CSV}", b"x", "wrong-ending"),
        ("{file: A.CSV, name: A.cSv}", b"x", "wrong-ending"),
        ("{file: a.csv, name: a.exe}", b"x", "wrong-ending"),
        ("{file: a.csv, name: a.txt}", b"x", "wrong-ending"),
        ("{file: a.csv, name: ../a.csv}", b"x", "bad-file-name"),
        ("{file: a.csv, name: 'b\\a.csv'}", b"x", "bad-file-name"),
        ('{file: a.csv, name: "a\\n.csv"}', b"x", "bad-file-name"),
        ("file: a.zip", b"PK\x03\x04 no zip", "bad-zip"),
        ("file: b.csv", b"x", "missing-file"),
    ],
)
def test_an_input_file_that_ACC_would_not_take(tmp_path: Path, entry: str, content: bytes, code: str) -> None:  # noqa: N802
    contents = dict.fromkeys(("a__csv", "a__xlsx", "a__zip", "A__CSV", "B__Txt"), content)
    root = with_files(tmp_path, entry, c__ZIP=packed({"a.csv": b"x"}), **contents)
    found, problems = check(root)
    assert found is None
    assert [(problem.code, problem.line, problem.address) for problem in problems] == [(code, 8, "input-files/prices")]


def test_a_file_with_a_large_ending_is_sent_under_a_small_one(tmp_path: Path) -> None:
    _, problems = check(with_files(tmp_path / "1", "file: URLS.CSV", URLS__CSV=b"x\n"))
    assert problems[0].message == "ACC documents .csv in small letters: write `name: URLS.csv`"
    found = desired(with_files(tmp_path / "2", "{file: URLS.CSV, name: URLS.csv}", URLS__CSV=b"x\n"))
    (resource,) = (each for each in found.resources if each.address.kind == "input-files")
    assert list(state_of(resource, InputFilesState).files) == ["URLS.csv"]


def test_two_input_files_of_one_name(tmp_path: Path) -> None:
    root = with_files(tmp_path, "file: a.csv", "{file: b.csv, name: A.csv}", a__csv=b"x\n", b__csv=b"x\n")
    _, problems = check(root)
    assert places(problems) == [("manifests/a.yaml", 9, 7, "duplicate")]
    assert "manifests/a.yaml:8:7" in problems[0].message


def test_a_fifo_is_not_waited_for(tmp_path: Path) -> None:
    root = with_files(tmp_path, "file: a.csv")
    os.mkfifo(root / "manifests" / "a.csv")
    assert [problem.code for problem in check(root)[1]] == ["not-a-file"]


def test_an_input_file_outside_the_project_is_warned_about(tmp_path: Path) -> None:
    (tmp_path / "out.csv").write_text("a\n1\n")
    root = with_files(tmp_path / "project", "file: ../../out.csv", "file: ./link.csv")
    (root / "manifests" / "link.csv").symlink_to(tmp_path / "out.csv")
    assert [(problem.line, problem.code) for problem in desired(root).problems] == [
        (8, "outside-project"),
        (9, "outside-project"),
    ]


def test_a_csv_is_read_with_the_eyes_of_an_agent(tmp_path: Path) -> None:
    content = b'\xef\xbb\xbfa,b,A\r\n1,2,3\r\n"x\r\ny",2,3\r\n1,2\r\n\r\na,b,A\r\n1,2,3,4\r\n'
    problems = desired(with_files(tmp_path, "file: a.csv", a__csv=content)).problems
    assert [(problem.path, problem.line, problem.code) for problem in problems] == [
        ("manifests/a.csv", 1, "csv-header"),
        ("manifests/a.csv", 5, "csv-uneven"),
        ("manifests/a.csv", 7, "csv-header"),
        ("manifests/a.csv", 8, "csv-uneven"),
    ]
    assert all(problem.severity is Severity.WARNING for problem in problems)


@pytest.mark.parametrize(
    "content", [b"a;b\n1,5;2\n3;4\n", b"a\tb\n1\t2\n", b"only\none\ncolumn\n", "é,b\n1,2\n".encode("latin-1")]
)
def test_a_csv_that_is_fine(tmp_path: Path, content: bytes) -> None:
    assert desired(with_files(tmp_path, "file: a.csv", a__csv=content)).problems == ()


@pytest.mark.parametrize(
    "content",
    [b"a,b\n" + b"x" * 3_000_000, b"a,b\n" + b"1\n" * 500_000, b"a,b\n\x00,1,2\n", b'a,b\n"' + b"x\n" * 200_000],
)
def test_the_work_on_a_csv_is_bounded(tmp_path: Path, content: bytes) -> None:
    problems = desired(with_files(tmp_path, "file: a.csv", a__csv=content)).problems
    assert 1 <= len(problems) <= 6


# --- init, schemas, examples -----------------------------------------------------------------------------------------


def test_a_fresh_project_is_valid_without_any_environment(tmp_path: Path) -> None:
    written = manifests.write_project(tmp_path / "My Retail_Data")
    found = desired(tmp_path / "My Retail_Data", {})
    assert {path.name for path in written} == {"reconciler.yaml", "example.yaml", ".gitignore"}
    assert found.project.name == "my-retail-data"
    assert (found.resources, found.problems) == ((), ())


def test_what_the_fresh_project_has_in_comments_is_valid_too(tmp_path: Path) -> None:
    for path in manifests.write_project(tmp_path):
        if path.suffix == ".yaml":
            lines = path.read_text().splitlines()
            start = next(number for number, line in enumerate(lines) if "piVersion" in line)
            path.write_text("\n".join(_uncommented(line) for line in lines[start:]))
    environ = dict.fromkeys(("ACC_TOKEN", "MFT_TENANT_ID", "MFT_KEY_ID"), "x")
    (tmp_path / ".keys").mkdir()
    (tmp_path / ".keys" / "mft.pem").write_text("x")
    environ["HOME"] = str(tmp_path)
    found = desired(tmp_path, environ)
    assert [str(resource.address) for resource in found.resources] == [
        "schedule/prices/nightly",
        "schedule/prices/poll",
    ]
    assert list(found.project.connections) == ["acc", "mft"]


def _uncommented(line: str) -> str:
    """The line without its `# `, where a key stands behind it and not a sentence."""
    return re.sub(r"^(\s*)# (\s*(?:- )?[A-Za-z]+:(?: .*)?)$", r"\1\2", line)


def test_init_never_overwrites(tmp_path: Path) -> None:
    (tmp_path / "reconciler.yaml").write_text("mine")
    with pytest.raises(UsageError, match=r"reconciler\.yaml"):
        manifests.write_project(tmp_path)
    assert (tmp_path / "reconciler.yaml").read_text() == "mine"
    assert not (tmp_path / "manifests").exists()


@pytest.mark.parametrize("kind", manifests.document_names())
def test_a_schema_is_sound_and_explains_itself(kind: str) -> None:
    schema = json.loads(manifests.schema_text(kind))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    assert schema["examples"]
    for example in schema["examples"]:
        validator.validate(example)
    assert list(_undescribed(schema)) == []


def _undescribed(part: Any, path: str = "") -> list[str]:
    """Properties that say nothing about themselves."""
    if not isinstance(part, dict):
        return []
    found = [
        f"{path}.{name}"
        for name, one in part.get("properties", {}).items()
        if "description" not in one and "$ref" not in one and name not in ("kind", "apiVersion")
    ]
    for name, one in part.items():
        if isinstance(one, dict) and name not in ("examples", "then", "else"):  # which only demand something
            found += _undescribed(one, f"{path}.{name}")
    return found


def test_a_schema_of_nothing() -> None:
    with pytest.raises(UsageError) as raised:
        manifests.schema_text("Schedule")
    assert "TaskTrigger" in raised.value.hint


@pytest.mark.parametrize("environment", [None, "prod"])
def test_the_examples_are_valid(environment: str | None) -> None:
    names = ("ACC_TOKEN", "MFT_TENANT_ID", "MFT_KEY_ID", "MFT_PRIVATE_KEY", "PRICES_API_KEY")
    found, problems = manifests.check(REPOSITORY / "examples", environment, dict.fromkeys(names, "x"), as_of=NOW)
    assert found is not None, problems
    assert {resource.address.kind for resource in found.resources} == {
        "schedule",
        "input-files",
        "approval",
        "trigger",
    }
    assert any(resource.secrets for resource in found.resources)
    assert problems == ()
