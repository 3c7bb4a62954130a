"""Places for a ledger as fixtures: `pytest_plugins = ["ledger_places"]`, then `place` is each database in turn."""

from __future__ import annotations

from pathlib import Path

import pytest
from ledger_samples import Clock, Place

pytest_plugins = ["postgres"]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def file_place(tmp_path: Path, clock: Clock) -> Place:
    return Place("sqlite:///.reconciler/ledger.db", tmp_path, clock)


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, file_place: Place) -> Place:
    if request.param == "postgresql":
        return Place(request.getfixturevalue("postgres_url"), file_place.root, file_place.clock)
    return file_place
