"""Finds resources that wait for each other, and so would for ever."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from reconciler.model.address import Address


def cycles(needs: Mapping[Address, Iterable[Address]]) -> tuple[tuple[Address, ...], ...]:
    """One cycle for every knot of resources that wait for each other, sorted; none where an order can be found.

    A cycle begins and ends with the smallest address of its knot, and each one in it needs the next one. A need that
    is no key of its own is left out. The work grows with the number of needs: a knot of a thousand that all need each
    other is one cycle, and not a million.
    """
    waits = {address: sorted({need for need in wanted if need in needs}) for address, wanted in needs.items()}
    return tuple(
        sorted(
            _shortest(knot, waits)
            for knot in _knots(waits)
            if len(knot) > 1 or any(address in waits[address] for address in knot)
        )
    )


def _knots(waits: Mapping[Address, list[Address]]) -> Iterator[set[Address]]:
    """The strongly connected components, by Tarjan's algorithm, with a stack of its own: length costs no recursion."""
    number: dict[Address, int] = {}
    lowest: dict[Address, int] = {}
    open_ones: list[Address] = []
    is_open: set[Address] = set()
    for start in waits:
        if start in number:
            continue
        work = [(start, iter(waits[start]))]
        number[start] = lowest[start] = len(number)
        open_ones.append(start)
        is_open.add(start)
        while work:
            address, rest = work[-1]
            need = next(rest, None)
            if need is None:
                work.pop()
                if work:
                    lowest[work[-1][0]] = min(lowest[work[-1][0]], lowest[address])
                if lowest[address] == number[address]:
                    knot: set[Address] = set()
                    while address not in knot:
                        knot.add(open_ones.pop())
                    is_open -= knot
                    yield knot
            elif need not in number:
                number[need] = lowest[need] = len(number)
                open_ones.append(need)
                is_open.add(need)
                work.append((need, iter(waits[need])))
            elif need in is_open:
                lowest[address] = min(lowest[address], number[need])


def _shortest(knot: set[Address], waits: Mapping[Address, list[Address]]) -> tuple[Address, ...]:
    """The shortest way from the knot's smallest address back to itself."""
    first = min(knot)
    came_from: dict[Address, Address] = {}
    front = [first]
    while first not in came_from:
        following = []
        for address in front:
            for need in waits[address]:
                if need in knot and need not in came_from:
                    came_from[need] = address
                    following.append(need)
        front = following
    trail = [first]
    while len(trail) == 1 or trail[-1] != first:
        trail.append(came_from[trail[-1]])
    return tuple(reversed(trail))
