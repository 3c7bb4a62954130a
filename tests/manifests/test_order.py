"""A cycle is named where there is one, and only there."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler import order
from reconciler.model.address import Address


def trigger(name: str) -> Address:
    return Address("trigger", "", name)


NAMES = st.sampled_from("abcdefg")


@settings(deadline=None)
@given(st.dictionaries(NAMES, st.sets(NAMES)))
def test_a_true_cycle_is_named_for_every_knot_or_there_is_an_order(graph: dict[str, set[str]]) -> None:
    needs = {trigger(name): [trigger(need) for need in wanted] for name, wanted in graph.items()}
    cycles = order.cycles(needs)
    for cycle in cycles:
        assert cycle[0] == cycle[-1] == min(cycle)
        for before, after in pairwise(cycle):
            assert after in needs[before]
    assert len({address for cycle in cycles for address in set(cycle)}) == sum(len(set(cycle)) for cycle in cycles)
    left = {address: {need for need in wanted if need in needs} for address, wanted in needs.items()}
    while ready := {address for address, wanted in left.items() if not wanted}:
        left = {address: wanted - ready for address, wanted in left.items() if address not in ready}
    assert bool(left) == bool(cycles)


def test_a_chain_of_thousands_is_no_matter() -> None:
    names = [f"t{number:05}" for number in range(20_000)]
    needs = {trigger(name): [trigger(after)] for name, after in pairwise(names)}
    needs[trigger(names[-1])] = []
    assert order.cycles(needs) == ()
    needs[trigger(names[-1])] = [trigger(names[0])]
    (cycle,) = order.cycles(needs)
    assert len(cycle) == 20_001


def test_a_knot_of_hundreds_that_all_need_each_other_is_one_cycle() -> None:
    every = [trigger(f"t{number:03}") for number in range(300)]
    assert order.cycles(dict.fromkeys(every, every)) == ((every[0], every[0]),)
    others = {one: [other for other in every if other != one] for one in every}
    assert order.cycles(others) == ((every[0], every[1], every[0]),)
