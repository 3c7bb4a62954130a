"""What the manifests want of the kinds that no product shows, as keyed digests."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping

from reconciler.diff import Sealer
from reconciler.errors import ManifestError
from reconciler.kinds import approval, input_files, schedule, trigger
from reconciler.model import Address, Desired, Entry, KindName, Problem, Resource, State


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


def desired_contents(
    desired: Desired, wanted: frozenset[Address], seal: Sealer, entries: Mapping[Address, Entry]
) -> dict[Address, State]:
    """The desired states of the kinds that no product shows; a trigger keeps the key that its entry has, if it can.

    Raises ManifestError when a file cannot be read.
    """
    contents: dict[Address, State] = {}
    by_address = {resource.address: resource for resource in desired.resources}
    problems: list[Problem] = []
    for resource in desired.resources:
        try:
            if resource.address.kind is KindName.INPUT_FILES and resource.address in wanted:
                contents[resource.address] = input_files.desired_state(resource.spec, seal)
            elif resource.address.kind is KindName.APPROVAL and resource.address in wanted:
                contents[resource.address] = approval.desired_state(resource.spec, seal)
        except OSError as error:
            message = f"{error.filename} cannot be read: {error.strerror}"
            at = resource.origin
            problems.append(Problem(at.path, at.line, at.column, str(resource.address), "file-unreadable", message))
    if problems:
        raise ManifestError(problems)

    @functools.cache
    def digest_of(address: Address) -> str:
        """Asked for once, however many triggers rest on it."""
        if address.kind is KindName.SCHEDULE:
            # What the block says itself: a default that the program learns of later must not start a task again.
            return seal(dict(schedule.meaning(schedule.written_state(by_address[address].spec))))
        return str(contents[address]["key"]) if address.kind is KindName.TRIGGER else seal(contents[address])

    def started(resource: Resource) -> State:
        # By the name that the trigger first knew them by: another one starts nothing.
        names = {by_address[need].known_as or str(need): need for need in resource.needs}
        digests = {name: digest_of(need) for name, need in names.items()}
        shown = {name: str(need) for name, need in names.items() if name != str(need)}
        state = trigger.desired_state(resource.spec, digests, seal, shown=shown)
        today = {str(need): digests[name] for name, need in names.items()}
        return trigger.with_key_kept(state, today, entries.get(resource.address))

    for resource in _after_their_needs(desired, wanted):
        contents[resource.address] = started(resource)
    return contents


def _after_their_needs(desired: Desired, wanted: frozenset[Address]) -> Iterator[Resource]:
    """The wanted triggers, each after those that its key is made from; without recursion, however long a chain is."""
    triggers = {one.address: one for one in desired.resources if one.address.kind is KindName.TRIGGER}
    given: set[Address] = set()
    for first in triggers:
        open_ends = [first] if first in wanted else []
        while open_ends:
            address = open_ends[-1]
            if address in given:
                open_ends.pop()
            elif needed := [need for need in triggers[address].needs if need in triggers and need not in given]:
                open_ends.extend(needed)
            else:
                given.add(address)
                yield triggers[address]
