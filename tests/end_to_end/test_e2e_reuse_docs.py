"""What docs/reuse.md shows is what happens: its files validate, and render prints what it prints."""

from __future__ import annotations

import re
from pathlib import Path

from stage import Stage

DOCS = Path(__file__).parents[2] / "docs" / "reuse.md"
BLOCKS = re.findall(r"```(yaml|csv|text)\n(.*?)```\n", DOCS.read_text(encoding="utf-8"), re.DOTALL)
FILES = [
    (first[2:], form, rest) for form, block in BLOCKS for first, _, rest in [block.partition("\n")] if first[:2] == "# "
]


def written(stage: Stage) -> str:
    """Write the files of the page; the rendered document that it shows."""
    rendered = ""
    for name, form, text in FILES:
        if " [" in name:
            rendered = f"# {name}\n{text}"
            continue
        # A comment is no row of a table; in YAML it counts as a line.
        content = text if form == "csv" else f"# {name}\n{text}"
        (stage.root / name).write_text(content, encoding="utf-8")
    return rendered


def test_the_files_validate_and_render_as_printed(stage: Stage) -> None:
    rendered = written(stage)
    assert stage.run("validate").code == 0
    assert stage.run("validate", "--env", "test").code == 0
    assert "stage: test" in stage.run("render", "--env", "test").out
    documents = stage.run("render", "--origins").out.split("---\n")
    assert rendered in documents


def test_the_mistake_is_told_as_printed(stage: Stage) -> None:
    written(stage)
    table = stage.root / "manifests" / "regions.csv"
    table.write_text(table.read_text().replace("Auckland", "Aukland"))
    said = stage.run("validate").out
    shown = next(block for form, block in BLOCKS if form == "text")
    assert " ".join(shown.split()) in " ".join(said.split())
