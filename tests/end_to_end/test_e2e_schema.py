"""`schema` prints what editors take: of one kind, or of any document."""

from __future__ import annotations

from pathlib import Path

import pytest
from stage import Stage

PUBLISHED = Path(__file__).parents[2] / "schemas"


@pytest.mark.parametrize(
    ("arguments", "name"),
    [((), "manifest"), (("Agent",), "agent"), (("tasktrigger",), "task-trigger"), (("Project",), "project")],
)
def test_a_schema_is_printed_as_it_is_published(stage: Stage, arguments: tuple[str, ...], name: str) -> None:
    printed = stage.run("schema", *arguments)
    assert (printed.code, printed.err) == (0, "")
    assert printed.out == (PUBLISHED / f"{name}.schema.json").read_text(encoding="utf-8")


def test_a_kind_that_there_is_not_is_wrong_usage(stage: Stage) -> None:
    printed = stage.run("schema", "Agnet")
    assert (printed.code, printed.out) == (64, "")
    assert "did you mean Agent?" in printed.said
    assert "any manifest" in stage.run("schema", "--help").said


def test_it_needs_no_project(stage: Stage) -> None:
    (stage.root / "reconciler.yaml").unlink()
    assert stage.run("schema").code == 0
