"""A value that is edited in its file is the only thing that changes there, and what cannot be edited is named."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from reconciler.manifests.git_patch import file_patch
from reconciler.manifests.yaml_edit import Edit, Obstacle, YamlText

BLOCK = """\
# comment
one:
  cron: 0 0 2 * * *   # at night
  name: first
"""


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (BLOCK, 3),
        ('one: {cron: "0 0 2 * * *", name: first}\n', 1),
        ("one: {name: first, cron: '0 0 2 * * *'}", 1),
        ("\ufeffcron: 0 0 2 * * *\n", 1),
        ("\ufeffone:\r\n  cron: 0 0 2 * * *\r\n", 2),
        ("- cron: 0 0 2 * * *\n- cron: 0 0 2 * * *\n", 2),
    ],
)
def test_only_the_value_changes(text: str, line: int) -> None:
    document = YamlText(text)
    edit = document.edit(line, "cron", "0 0 2 * * *", "0 7 2 * * *")
    assert isinstance(edit, Edit)
    after = document.edited([edit])
    (changed,) = ((one, two) for one, two in zip(text.split("\n"), after.split("\n"), strict=True) if one != two)
    assert changed[1] == changed[0].replace("0 0 2", "0 7 2")
    assert "0 7 2 * * *" in str(yaml.safe_load(after))


@pytest.mark.parametrize(
    ("text", "line", "obstacle"),
    [
        (BLOCK, 9, Obstacle.ELSEWHERE),
        ("name: first\n", 1, Obstacle.ELSEWHERE),
        ("- cron: &two 0 0 2 * * *\n- cron: *two\n", 2, Obstacle.SHARED),
        ("cron: ${var:when}\n", 1, Obstacle.COMPOSED),
        ("cron: >-\n  0 0 2 * * *\n", 1, Obstacle.SPLIT),
        ("cron: 0 0 2\n  * * *\n", 1, Obstacle.SPLIT),
        ('cron: "0 0\\x202 * * *"\n', 1, Obstacle.SPLIT),
    ],
)
def test_what_cannot_be_edited_is_named(text: str, line: int, obstacle: Obstacle) -> None:
    assert YamlText(text).edit(line, "cron", "0 0 2 * * *", "0 7 2 * * *") is obstacle


@pytest.mark.parametrize("name", ["plain.yaml", "with space.yaml", 'näme\t"q".yaml'])
@pytest.mark.parametrize("end", ["\n", "\r\n", ""])
def test_git_takes_the_patch_of_any_file(tmp_path: Path, name: str, end: str) -> None:
    before = (end or "\n").join(f"line {number}" for number in range(40)) + end
    after = before
    for number in (0, 11, 18, 39):
        after = after.replace(f"line {number}", f"number {number}")
    file = tmp_path / name
    file.write_bytes(before.encode())
    for words in (("init", "-q"), ("apply",)):
        given = file_patch(name, before, after).encode() if words[0] == "apply" else b""
        subprocess.run(["git", "-C", str(tmp_path), *words], input=given, check=True, capture_output=True)
    assert file.read_bytes() == after.encode()
    assert file_patch(name, before, before) == ""
