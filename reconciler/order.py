"""Turns needs into an order, and names a cycle where there is none."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from itertools import pairwise

from reconciler.model import Address


class CycleError(ValueError):
    """Resources that wait for each other. `cycle` begins and ends with the same address; each needs the next one."""

    def __init__(self, cycle: tuple[Address, ...]) -> None:
        super().__init__(" -> ".join(str(address) for address in cycle))
        self.cycle = cycle


def sort(needs: Mapping[Address, Iterable[Address]]) -> tuple[Address, ...]:
    """Every address after all that it needs; where needs leave a choice, the smaller address comes first.

    A need that is no key of its own is nobody's to order, and is left out. Raises CycleError.
    """
    waits = {address: {need for need in wanted if need in needs} for address, wanted in needs.items()}
    dependants: dict[Address, list[Address]] = {address: [] for address in needs}
    for address, wanted in waits.items():
        for need in wanted:
            dependants[need].append(address)
    ready = [address for address, wanted in waits.items() if not wanted]
    heapq.heapify(ready)
    placed: list[Address] = []
    while ready:
        address = heapq.heappop(ready)
        placed.append(address)
        del waits[address]
        for dependant in dependants[address]:
            waits[dependant].discard(address)
            if not waits[dependant]:
                heapq.heappush(ready, dependant)
    if waits:
        raise CycleError(_find_cycle(waits))
    return tuple(placed)


def _find_cycle(waits: Mapping[Address, set[Address]]) -> tuple[Address, ...]:
    """One cycle among addresses that each wait for at least one other of them, from its smallest member on."""
    trail: list[Address] = []
    seen: dict[Address, int] = {}
    address = min(waits)
    while address not in seen:
        seen[address] = len(trail)
        trail.append(address)
        address = min(waits[address])
    cycle = trail[seen[address] :]
    first = cycle.index(min(cycle))
    turned = cycle[first:] + cycle[: first + 1]
    assert all(after in waits[before] for before, after in pairwise(turned))
    return tuple(turned)
