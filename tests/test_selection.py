"""Selectors: shell patterns over addresses, and labels; a slip is an error, never an empty plan."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import UsageError
from reconciler.model.address import Address, Origin
from reconciler.model.resource import Resource
from reconciler.model.state import State
from reconciler.selection import Selection, select
from reconciler.suggestion import PatternSuggestions

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
        ({"only": ("prices",)}, "did you mean '*/prices/*' (2 addresses) or '*/prices' (2 addresses)?"),
        ({"only": ("stock",)}, "did you mean '*/stock/*' (schedule/stock/nightly)?"),
        ({"exclude": ("prcies",)}, "did you mean '*/prices/*' (2 addresses) or"),
        ({"only": ("nightly",)}, "'*/nightly' (2 addresses)"),
        ({"only": ("prices/poll",)}, "'*/prices/poll' (schedule/prices/poll)"),
        ({"only": ("schedule/prices",)}, "'schedule/prices/*' (2 addresses)"),
        ({"only": ("schedules/pricse/*",)}, "'schedule/prices/*' (2 addresses)"),
        ({"only": ("pri*",)}, "'*/pri*/*' (2 addresses)"),
        ({"only": ("publish",)}, "'*/publish' (trigger/publish)"),
        ({"only": ("/schedule/prices/",)}, "'schedule/prices/*'"),
        ({"only": ("pricing",)}, "--label team=pricing"),
        ({"only": ("team=supply",)}, "--label team=supply"),
        ({"only": ("zzzzzz",)}, "whole address"),
        ({"only": ("schedule/*", "schedule/prices/nihgtly")}, "schedule/prices/nightly"),
        ({"exclude": ("schedule/gone/*",)}, ""),
        ({"only": ("SCHEDULE/*",)}, "'schedule/*' (3 addresses)"),
        ({"labels": ("team=nobody",)}, "team is pricing, supply"),
        ({"labels": ("team=priceing",)}, "did you mean team=pricing?"),
        ({"labels": ("taem=pricing",)}, "did you mean team=pricing?"),
        ({"labels": ("owner=me",)}, "known are team, tier"),
        ({"labels": ("team",)}, "team is pricing, supply"),
        ({"labels": ("supply",)}, "did you mean --label team=supply?"),
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


NAMES = st.text("abc-1", min_size=1, max_size=4)
ADDRESSES = st.one_of(st.builds("schedule/{}/{}".format, NAMES, NAMES), st.builds("trigger/{}".format, NAMES))


@given(st.lists(ADDRESSES, unique=True), st.text("abcdeghlrstu-1/*?[]", max_size=15))
def test_whatever_is_suggested_matches_as_much_as_it_says(addresses: list[str], pattern: str) -> None:
    hint = PatternSuggestions(addresses).hint(pattern)
    for shown, count in re.findall(r"'([^']+)'(?: \(([0-9]+) addresses)?", hint):
        found = [one for one in addresses if fnmatchcase(one, shown)]
        assert len(found) == int(count or 1)
        assert count or shown in found or f"{shown!r} ({found[0]})" in hint


@given(st.lists(ADDRESSES, unique=True, min_size=1), st.data())
def test_a_part_of_an_address_always_leads_to_it(addresses: list[str], data: st.DataObject) -> None:
    address = data.draw(st.sampled_from(addresses))
    part = data.draw(st.sampled_from(address.split("/")[1:]))
    hint = PatternSuggestions(addresses).hint(part)
    assert any(fnmatchcase(address, shown) for shown in re.findall(r"'([^']+)'", hint))
