"""The schemas that lie in `schemas/` for editors: current, sound, and about what people write."""

from __future__ import annotations

import pytest

from tools.published_schemas import FOLDER, published


@pytest.mark.parametrize("name", published())
def test_a_published_schema_is_current(name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == published()[name], "run `make schemas`"


def test_nothing_else_is_published() -> None:
    assert {path.name for path in FOLDER.glob("*.json")} == published().keys()
