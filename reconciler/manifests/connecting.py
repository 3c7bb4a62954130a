"""Connects resources with what they need, once all addresses are known."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import replace
from fnmatch import fnmatchcase
from itertools import islice, takewhile

from reconciler import order
from reconciler.manifests.declarations import Declared, UnconnectedResource
from reconciler.model import Address
from reconciler.quantities import first_few
from reconciler.suggestion import Suggestions

_MAX_NAMED = 10
_WILD = frozenset("*?[")


def connect(declared: Declared) -> None:
    """Hold every pattern against all addresses, and add the resources that wrote them with what they need.

    A pattern with wildcards never means the resource itself. Patterns that match nothing, and resources that wait for
    each other, are errors.
    """
    waiting = {one.resource.address: one for one in declared.unconnected}
    if not waiting:
        return
    sound = {resource.address for resource in declared.resources}
    known = {str(address): address for address in sorted(sound | declared.mentioned | set(waiting))}
    texts = sorted(known)
    suggestions = Suggestions(known)
    needs: dict[Address, tuple[Address, ...]] = {}
    for address, one in waiting.items():
        found: set[Address] = set()
        for pattern, path in one.patterns:
            matched = _matched(pattern, known, texts) - ({address} if _WILD & set(pattern) else set())
            if not matched:
                one.report.error(path, "no-match", _no_match(pattern, suggestions))
            found |= matched
        needs[address] = tuple(sorted(found))
    for cycle in order.cycles(needs):
        _report_cycle(waiting[cycle[0]], cycle)
    declared.resources += [replace(one.resource, needs=needs[address]) for address, one in waiting.items()]


def _matched(pattern: str, known: dict[str, Address], texts: list[str]) -> set[Address]:
    """The addresses that a pattern means; `texts` are all of them, sorted."""
    if not _WILD & set(pattern):
        return {known[pattern]} if pattern in known else set()
    fixed = re.split(r"[*?[]", pattern, maxsplit=1)[0]
    like_it = takewhile(lambda text: text.startswith(fixed), islice(texts, bisect_left(texts, fixed), None))
    return {known[text] for text in like_it if fnmatchcase(text, pattern)}


def _no_match(pattern: str, suggestions: Suggestions) -> str:
    near = suggestions.nearest(pattern)
    advice = (
        f"did you mean {near}?"
        if near
        else "write addresses such as input-files/AGENT, schedule/AGENT/*, approval/AGENT, trigger/NAME"
    )
    return f"{pattern[:120]!r} matches nothing that the manifests declare; {advice}"


def _report_cycle(first: UnconnectedResource, cycle: tuple[Address, ...]) -> None:
    path = next((path for pattern, path in first.patterns if fnmatchcase(str(cycle[1]), pattern)), ())
    trail = first_few(list(map(str, cycle)), _MAX_NAMED + 1, between=" -> ")
    first.report.error(path, "cycle", f"triggers that wait for each other never start: {trail}")
