"""What the documents of all files declare, as it is gathered: agents, resources, whose names are taken, and needs."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable
from datetime import datetime
from fnmatch import fnmatchcase
from functools import lru_cache
from itertools import islice, takewhile
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from msgspec import Struct

from reconciler import order
from reconciler.manifests import exposure
from reconciler.manifests.document_kinds import DocumentKind
from reconciler.manifests.placeholders import asks_item
from reconciler.manifests.problems import ProblemReporter
from reconciler.manifests.yaml_values import DocumentPath
from reconciler.model.address import Address, Origin
from reconciler.model.copies import replace
from reconciler.model.resource import Agent, Resource
from reconciler.quantities import first_few
from reconciler.suggestion import PatternSuggestions

_MAX_NAMED = 10
_WILD = frozenset("*?[")
_UNSET = re.compile(r"\$\{[^}]*\}")
P = ParamSpec("P")
T = TypeVar("T")
_PART = re.compile(r"\[!?\]?[^]]*\]|.", re.DOTALL)


class Scope(Struct, frozen=True):
    """What every manifest of a run is read with."""

    root: Path
    project: str
    environment: str
    as_of: datetime
    _cached: dict[object, Any] = {}

    def cached(self, function: Callable[P, T]) -> Callable[P, T]:
        """The same function, asked once for equal arguments: estates repeat themselves. Kept until all are read."""
        if function not in self._cached:
            self._cached[function] = lru_cache(maxsize=65536)(function)
        found: Callable[P, T] = self._cached[function]
        return found


class UnconnectedResource(Struct):
    """A resource whose `patterns`, each with its place, have not been held against all addresses yet."""

    resource: Resource
    patterns: list[tuple[str, DocumentPath]]
    report: ProblemReporter


class Declared(Struct):
    """All that the files declare. `mentioned` are further addresses that stand in the files, but with errors."""

    agents: list[Agent] = []
    resources: list[Resource] = []
    unconnected: list[UnconnectedResource] = []
    secret_values: set[str] = set()
    unset_parameters: set[str] = set()
    public: list[exposure.PublicPlace] = []
    mentioned: set[Address] = set()
    kinds: dict[str, DocumentKind] = {}
    places: dict[tuple[str, str], tuple[Origin, str]] = {}
    is_not_judged_said: bool = False

    def claim(self, what: str, key: str, origin: Origin, report: ProblemReporter, shown: str) -> bool:
        """Take a name that only one place may have. A second claim is an error at the later place, and names both."""
        if asks_item(key) and what != "path":
            return True  # the item lacks it, which is reported: nobody knows whether the names would differ
        claimed = (origin, report.address)
        first = self.places.setdefault((what, key), claimed)
        if first is claimed:
            return True
        # Documents that wait for a template are declared after all others, wherever they stand.
        (earlier, _), (later, address) = sorted((first, claimed), key=lambda one: one[0].place)
        message = f"{shown} is declared twice; the first is at {earlier}"
        report.problems.add_at(later, "duplicate", message, address=address)
        return False

    def say_not_judged(self, report: ProblemReporter, path: DocumentPath) -> None:
        """Warn, once for a whole project, that `expect` is read and checked, and that nothing judges runs by it yet."""
        if not self.is_not_judged_said:
            self.is_not_judged_said = True
            message = "`expect` is checked and kept, but this version does not judge runs by it yet"
            report.warn(path, "expect-not-judged", message)

    def check_move(
        self, before: str, now: str, what: str, key: str, path: DocumentPath, report: ProblemReporter
    ) -> None:
        """Report a `movedFrom` that names where the thing is anyway, or where another one says that it comes from."""
        if before == now:
            report.error(
                path, "moved-nowhere", "`movedFrom` names what it is called now: write what it was called before"
            )
        self.claim(what, key, report.origin(path), report, f"{what} {before!r}")

    def forget_unset(self) -> None:
        """Leave out what has a name that is not known."""
        self.agents = [agent for agent in self.agents if not is_unset(agent.handle)]
        self.resources = [one for one in self.resources if not is_unset(one.address.agent + one.address.name)]

    def check_patterns(self, patterns: Iterable[tuple[str, DocumentPath]], report: ProblemReporter) -> None:
        """Warn of patterns, each with its place, that match nothing that is declared, and so do nothing."""
        addresses = _Addresses({*self.mentioned, *(one.address for one in self.resources)})
        for pattern, path in patterns if addresses.known else ():
            if not addresses.matched(pattern) and (complaint := addresses.complaint(pattern)):
                report.warn(path, "no-match", complaint)

    def connect(self, *, is_all_read: bool = True) -> None:
        """Hold every pattern against all addresses, and add the resources that wrote them with what they need.

        A pattern with wildcards never means the resource itself. Patterns that match nothing, and resources that wait
        for each other, are errors; but not where an address that is not known in full may be meant, or one that stands
        in a file that was not read.
        """
        waiting = {one.resource.address: one for one in self.unconnected}
        if not waiting:
            return
        addresses = _Addresses({*(one.address for one in self.resources), *self.mentioned, *waiting})
        needs: dict[Address, tuple[Address, ...]] = {}
        for address, one in waiting.items():
            found: set[Address] = set()
            for pattern, path in one.patterns:
                matched = addresses.matched(pattern) - ({address} if _WILD & set(pattern) else set())
                if not matched and is_all_read and (complaint := addresses.complaint(pattern)):
                    one.report.error(path, "no-match", complaint)
                found |= matched
            needs[address] = tuple(sorted(found))
        for cycle in order.cycles(needs):
            _report_cycle(waiting[cycle[0]], cycle)
        self.resources += [replace(one.resource, needs=needs[address]) for address, one in waiting.items()]


class _Addresses:
    """All addresses that the files name. Those that are not known in full are matched by nothing for certain."""

    def __init__(self, addresses: Iterable[Address]) -> None:
        texts = {str(address): address for address in addresses}
        self.known = {text: address for text, address in sorted(texts.items()) if not is_unset(text)}
        self._texts = list(self.known)
        self._globs = {_UNSET.sub("*", text) for text in texts.keys() - self.known.keys()}
        self._suggestions = PatternSuggestions(self.known)

    def matched(self, pattern: str) -> set[Address]:
        """The addresses that a pattern means."""
        if not _WILD & set(pattern):
            return {self.known[pattern]} if pattern in self.known else set()
        fixed = re.split(r"[*?[]", pattern, maxsplit=1)[0]
        from_there = islice(self._texts, bisect_left(self._texts, fixed), None)
        like_it = takewhile(lambda text: text.startswith(fixed), from_there)
        return {self.known[text] for text in like_it if fnmatchcase(text, pattern)}

    def complaint(self, pattern: str) -> str:
        """What to say of a pattern that matches none; "" where it may match one that is not known in full."""
        if any(may_both_match(pattern, glob) for glob in self._globs):
            return ""
        addresses = "write addresses such as input-files/AGENT, schedule/AGENT/*, approval/AGENT, trigger/NAME"
        advice = self._suggestions.hint(pattern) or addresses
        return f"{pattern[:120]!r} matches nothing that the manifests declare; {advice}"


def is_unset(text: str) -> bool:
    """Whether something in a name or an address stands for a value that is not known."""
    return "${" in text


def may_both_match(one: str, other: str) -> bool:
    """Whether some text may match both patterns; a set of characters counts as any character."""
    left, right = _PART.findall(one), _PART.findall(other)
    waiting, seen = [(0, 0)], {(0, 0)}
    while waiting:
        at, to = waiting.pop()
        if (at, to) == (len(left), len(right)):
            return True
        here, there = left[at] if at < len(left) else "", right[to] if to < len(right) else ""
        steps = set()
        if "*" in (here, there):
            steps = {(at + 1, to)} if here else set()
            steps |= {(at, to + 1)} if there else set()
        elif here and there and (here == there or len(here) > 1 or len(there) > 1 or "?" in (here, there)):
            steps = {(at + 1, to + 1)}
        waiting += steps - seen
        seen |= steps
    return False


def _report_cycle(first: UnconnectedResource, cycle: tuple[Address, ...]) -> None:
    path = next((path for pattern, path in first.patterns if fnmatchcase(str(cycle[1]), pattern)), ())
    trail = first_few(list(map(str, cycle)), _MAX_NAMED + 1, between=" -> ")
    first.report.error(path, "cycle", f"triggers that wait for each other never start: {trail}")
