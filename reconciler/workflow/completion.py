"""Completes what manifests want with what only the ledger's key can tell: digests of files, the keys of triggers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reconciler.diff import Sealer
from reconciler.errors import ManifestError
from reconciler.kind import KindRegistry, Need
from reconciler.manifests.problems import Problems
from reconciler.model.address import Address
from reconciler.model.copies import replace
from reconciler.model.entry import Entry
from reconciler.model.plan import Visibility
from reconciler.model.resource import Desired, Resource


def with_needs(desired: Desired, selected: frozenset[Address] | None) -> frozenset[Address]:
    """The selected addresses and all that they need, however far down: what is blocked there holds them back too."""
    by_address = {resource.address: resource for resource in desired.resources}
    if selected is None:
        return frozenset(by_address)
    found: set[Address] = set()
    open_ends = list(selected)
    while open_ends:
        address = open_ends.pop()
        if address in found or address not in by_address:
            continue
        found.add(address)
        open_ends.extend(by_address[address].needs)
    return frozenset(found)


def complete(
    desired: Desired, wanted: frozenset[Address], seal: Sealer, entries: Mapping[Address, Entry], kinds: KindRegistry
) -> Desired:
    """The same with the states of the wanted resources complete. Raises ManifestError when a file cannot be read."""
    done = {resource.address: resource for resource in desired.resources}
    digests: dict[Address, str] = {}
    problems = Problems()

    def need_of(address: Address) -> Need:
        one = done[address]
        if address not in digests:  # asked for once, however many triggers rest on it
            digests[address] = kinds[address.kind].content(one.state, seal)
        # By the name that the trigger first knew it by: another one starts nothing.
        return Need(address, one.known_as or str(address), digests[address])

    for resource in _after_their_needs(desired, wanted, kinds):
        kind, address = kinds[resource.address.kind], resource.address
        rests_on_needs = kind.visibility is Visibility.STARTED_ONCE
        try:
            needs = [] if problems or not rests_on_needs else [need_of(need) for need in resource.needs]
            state = kind.complete(resource, seal, needs, entries.get(address))
        except OSError as error:
            message = f"{error.filename} cannot be read: {error.strerror}"
            problems.add_at(resource.origin, "file-unreadable", message, address=str(address))
        else:
            if state is not resource.state:
                done[address] = replace(resource, state=state)
    if problems:
        raise ManifestError(problems.sorted())
    return replace(desired, resources=tuple(done.values()))


def _after_their_needs(desired: Desired, wanted: frozenset[Address], kinds: KindRegistry) -> Iterator[Resource]:
    """The wanted resources, and after them those whose keys are made from what they need, each after its needs.

    Without recursion, however long a chain is.
    """
    last = {
        one.address: one for one in desired.resources if kinds[one.address.kind].visibility is Visibility.STARTED_ONCE
    }
    yield from (one for one in desired.resources if one.address in wanted and one.address not in last)
    given: set[Address] = set()
    for first in last:
        open_ends = [first] if first in wanted else []
        while open_ends:
            address = open_ends[-1]
            if address in given:
                open_ends.pop()
            elif needed := [need for need in last[address].needs if need in last and need not in given]:
                open_ends.extend(needed)
            else:
                given.add(address)
                yield last[address]
