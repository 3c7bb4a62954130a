"""Needs become an order, and a cycle is named."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler import order
from reconciler.model import Address, KindName


def trigger(name: str) -> Address:
    return Address(KindName.TRIGGER, "", name)


NAMES = st.sampled_from("abcdefg")


@settings(deadline=None)
@given(st.dictionaries(NAMES, st.sets(NAMES)))
def test_everything_comes_after_its_needs_or_a_true_cycle_is_named(graph: dict[str, set[str]]) -> None:
    needs = {trigger(name): [trigger(need) for need in wanted] for name, wanted in graph.items()}
    try:
        placed = order.sort(needs)
    except order.CycleError as error:
        assert error.cycle[0] == error.cycle[-1] == min(error.cycle)
        for before, after in pairwise(error.cycle):
            assert after in needs[before]
        return
    assert sorted(placed) == sorted(needs)
    for address, wanted in needs.items():
        for need in wanted:
            assert need not in needs or placed.index(need) < placed.index(address)


def test_a_choice_goes_to_the_smaller_address() -> None:
    needs: dict[Address, list[Address]] = {trigger(name): [] for name in "cab"}
    needs[trigger("a")] = [trigger("c")]
    assert [address.name for address in order.sort(needs)] == ["b", "c", "a"]


def test_a_chain_of_thousands_is_no_matter() -> None:
    names = [f"t{number:05}" for number in range(20_000)]
    needs = {trigger(name): [trigger(after)] for name, after in pairwise(names)}
    needs[trigger(names[-1])] = []
    assert order.sort(needs)[0] == trigger(names[-1])
    needs[trigger(names[-1])] = [trigger(names[0])]
    with pytest.raises(order.CycleError):
        order.sort(needs)
