"""Selectors: shell patterns over addresses, and labels; a slip is an error, never an empty plan."""

from __future__ import annotations

import pytest

from reconciler.errors import UsageError
from reconciler.model.address import Address, Origin
from reconciler.model.resource import Resource
from reconciler.model.state import State
from reconciler.selection import Selection, select

LABELS = {"prices": {"team": "pricing", "tier": "1"}, "stock": {"team": "supply", "tier": "1"}}
RESOURCES: list[Resource] = [
    Resource(Address.parse(text), State(), Origin("m.yaml", 1), labels=LABELS.get(text.split("/")[1], {}))
    for text in (
        "approval/prices",
        "input-files/prices",
        "schedule/prices/nightly",
        "schedule/prices/poll",
        "schedule/stock/nightly",
        "trigger/publish",
    )
]


def chosen(**given: tuple[str, ...]) -> list[str]:
    found = select(RESOURCES, Selection(**given))
    assert found is not None
    return sorted(map(str, found))


def test_no_selector_is_everything() -> None:
    assert select(RESOURCES, Selection()) is None
    assert select([], Selection()) is None


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"only": ("schedule/*/nightly",)}, ["schedule/prices/nightly", "schedule/stock/nightly"]),
        ({"only": ("schedule/pr*/*",)}, ["schedule/prices/nightly", "schedule/prices/poll"]),
        ({"only": ("*/prices",)}, ["approval/prices", "input-files/prices"]),
        ({"only": ("trigger/publish", "approval/*")}, ["approval/prices", "trigger/publish"]),
        ({"exclude": ("schedule/*", "*-files/*", "approval/*")}, ["trigger/publish"]),
        ({"only": ("schedule/*",), "exclude": ("*/poll",)}, ["schedule/prices/nightly", "schedule/stock/nightly"]),
        ({"labels": ("team=supply",)}, ["schedule/stock/nightly"]),
        ({"labels": ("tier=1",), "only": ("schedule/*/poll",)}, ["schedule/prices/poll"]),
        ({"labels": ("tier=1", "team=pricing"), "exclude": ("schedule/*",)}, ["approval/prices", "input-files/prices"]),
        ({"only": ("schedule/prices/[np]*",)}, ["schedule/prices/nightly", "schedule/prices/poll"]),
    ],
)
def test_what_is_left(given: dict[str, tuple[str, ...]], expected: list[str]) -> None:
    assert chosen(**given) == expected


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ({"only": ("schedule/prices/nightyl",)}, "schedule/prices/nightly"),
        ({"only": ("prices",)}, "whole address"),
        ({"only": ("schedule/*", "schedule/prices/nihgtly")}, "schedule/prices/nightly"),
        ({"exclude": ("schedule/gone/*",)}, ""),
        ({"only": ("SCHEDULE/*",)}, ""),
        ({"labels": ("team=nobody",)}, "metadata.labels"),
        ({"labels": ("team",)}, ""),
        ({"labels": ("=pricing",)}, ""),
        ({"only": ("trigger/*",), "exclude": ("trigger/*",)}, "loosen"),
        ({"labels": ("team=supply",), "only": ("schedule/prices/*",)}, "loosen"),
    ],
)
def test_a_selector_that_matches_nothing_is_an_error(given: dict[str, tuple[str, ...]], hint: str) -> None:
    with pytest.raises(UsageError) as told:
        select(RESOURCES, Selection(**given))
    assert told.value.exit_code == 64
    assert hint in told.value.hint
