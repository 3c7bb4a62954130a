"""Which live schedule each declared one is: by its own id, whatever its name, its agent's handle or path are today.

ACC's schedules have no names. So the id comes, in this order, from the manifest (`id`), from what the ledger remembers
under this name or under the name that `movedFrom` gives, from the rule that ids are made by, and at last from a
schedule of ours that no manifest declares and that means just the same. No two declarations ever get one id.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import count, islice
from typing import TypeAlias, cast

from msgspec import Struct

from reconciler.identity import is_owned, owned_id
from reconciler.kind import AnyObserved, KindRegistry, ObservedMemo
from reconciler.model.address import Address
from reconciler.model.copies import replace
from reconciler.model.entry import Entry
from reconciler.model.live import AgentView
from reconciler.model.project import Project
from reconciler.model.resource import Agent, Resource

_SPARE_IDS = range(2, 10)


Called: TypeAlias = tuple[str, str]
"""A kind, and a name in it."""


class DeclaredAgent(Struct, frozen=True):
    """One agent document with all that is known of the agent: its id ("" where it is not), its view, its memories.

    `entries` are the entries of its schedules by their kind and name; `view` is None where the agent was not, or could
    not be, read.
    """

    document: Agent
    agent_id: str
    view: AgentView | None
    entries: Mapping[Called, Entry[ObservedMemo]] = {}

    def entry_of(self, resource: Resource) -> Entry[ObservedMemo] | None:
        """What is remembered under the name of a resource."""
        return self.entries.get((resource.address.kind, resource.address.name))

    def entry_before(self, resource: Resource) -> Entry[ObservedMemo] | None:
        """What is remembered under the name that it had before, by its `movedFrom`."""
        return self.entries.get((resource.address.kind, resource.moved_from)) if resource.moved_from else None


class Claims(Struct):
    """Hands out ids, each once. `taken` says which declaration has an id; `renamed` what a declaration was before."""

    project: Project
    kinds: KindRegistry
    as_of: datetime
    live: Mapping[str, str]
    """The path of the agent on which each live schedule was seen, by its id; "" for one that no path leads to."""
    remembered: Mapping[str, Entry[ObservedMemo]]
    taken: dict[str, Address] = {}
    found: dict[Address, str] = {}
    renamed: dict[Address, str] = {}
    _declared: set[Address] = set()
    _owned: dict[tuple[str, str, tuple[str, ...]], dict[tuple[str, ...], list[str]]] = {}

    def settle(self, agents: Iterable[tuple[DeclaredAgent, tuple[Resource, ...]]]) -> None:
        """Find the id of every declared schedule. What is certain comes first, so that a guess never takes it away."""
        everything = tuple(agents)
        self._declared = {resource.address for _, schedules in everything for resource in schedules}
        for step in (
            self._named_by_id,
            self._moved,
            self._remembered,
            self._moved_by_rule,
            self._derived,
            self._same_meaning,
            self._new,
        ):
            for agent, schedules in everything:
                for resource in schedules:
                    if resource.address not in self.found:
                        step(agent, resource)

    def _take(self, resource: Resource, identity: str, before: str = "") -> None:
        self.taken[identity] = resource.address
        self.found[resource.address] = identity
        if before:
            self.renamed[resource.address] = before

    def _is_free(self, agent: DeclaredAgent, resource: Resource, identity: str) -> bool:
        """Whether the agent has this schedule, and no other declaration is it."""
        things = agent.view.of(resource.address.kind) if agent.view is not None else {}
        return identity in things and identity not in self.taken

    def _named_by_id(self, agent: DeclaredAgent, resource: Resource) -> None:
        if resource.adopted:
            known = self.remembered.get(resource.identity)
            is_renamed = known is not None and known.address != resource.address
            self._take(resource, resource.identity, str(known.address) if known is not None and is_renamed else "")

    def _moved(self, agent: DeclaredAgent, resource: Resource) -> None:
        """`movedFrom`: where the ledger knows the old name and no block bears it; else while nothing bears the new.

        It may stay for ever: one that was followed once means nothing more, whoever bears the old name since.
        """
        known, before = agent.entry_of(resource), agent.entry_before(resource)
        if known is not None and resource.moved_from and known.memo.moved_from == resource.moved_from:
            return
        is_given_up = replace(resource.address, name=resource.moved_from) not in self._declared
        if before is None or not (is_given_up or self._is_new(agent, resource)):
            return
        if self._is_free(agent, resource, before.identity):
            self._take(resource, before.identity, str(before.address))

    @staticmethod
    def _is_new(agent: DeclaredAgent, resource: Resource) -> bool:
        """Whether nothing bears the name yet, neither live nor in the ledger."""
        derived = agent.view is not None and resource.identity in agent.view.of(resource.address.kind)
        return not derived and agent.entry_of(resource) is None

    def _moved_by_rule(self, agent: DeclaredAgent, resource: Resource) -> None:
        """`movedFrom` where the ledger does not know the old name: by the rule that ids are made by."""
        if agent.entry_before(resource) is not None or not self._is_new(agent, resource):
            return
        for path, name in _places_before(agent.document, resource):
            identity = owned_id(self.project.name, self.project.environment, path, name)
            if self._is_free(agent, resource, identity):
                self._take(resource, identity, identity)
                return

    def _remembered(self, agent: DeclaredAgent, resource: Resource) -> None:
        entry = agent.entry_of(resource)
        if entry is None or entry.adopted or entry.identity in self.taken:
            return
        if agent.view is None or entry.identity in agent.view.of(resource.address.kind):
            before = str(entry.address) if entry.address != resource.address else ""
            self._take(resource, entry.identity, before)

    def _derived(self, agent: DeclaredAgent, resource: Resource) -> None:
        for identity in self._ids_of(agent, resource):
            known = self.remembered.get(identity)
            is_kept = known is not None and known.protect and not resource.protect
            if is_kept and known is not agent.entry_of(resource):
                continue  # it was renamed, and is protected under the name that it had last
            if self._is_free(agent, resource, identity):
                self._take(resource, identity)
                return

    def _same_meaning(self, agent: DeclaredAgent, resource: Resource) -> None:
        if agent.view is None:
            return
        orphans = self._orphans(agent.view, resource)
        alike = list(islice((one for one in orphans if self._means_the_same(agent.view, resource, one)), 2))
        if len(alike) != 1:
            return
        known = self.remembered.get(alike[0])
        if known is None or not known.protect or resource.protect:
            self._take(resource, alike[0], str(known.address) if known is not None else alike[0])

    def _orphans(self, view: AgentView, resource: Resource) -> Iterator[str]:
        """The agent's things of ours that no declaration is, and that may mean what is desired.

        They lie sorted by what has to be the same: thousands that have new names are not compared with each other.
        """
        kind = self._kind_of(resource)
        desired = kind.declared_meaning(resource.state)
        names = tuple(name for name in kind.surely_alike if name in desired)
        place = (view.path, kind.name, names)
        if place not in self._owned:
            name, environment = self.project.name, self.project.environment
            found = self._owned[place] = {}
            for identity, live in sorted(view.of(kind.name).items()):
                if identity not in self.taken and is_owned(identity, name, environment):
                    meant = kind.meaning(live.state)
                    found.setdefault(tuple(meant[name] for name in names), []).append(identity)
        alike = self._owned[place].get(tuple(desired[name] for name in names), ())
        return (identity for identity in alike if identity not in self.taken)

    def _means_the_same(self, view: AgentView, resource: Resource, identity: str) -> bool:
        kind = self._kind_of(resource)
        return not kind.diff(view.of(kind.name)[identity].state, resource.state, as_of=self.as_of)

    def _kind_of(self, resource: Resource) -> AnyObserved:
        return cast("AnyObserved", self.kinds[resource.address.kind])

    def _new(self, agent: DeclaredAgent, resource: Resource) -> None:
        """An id to create it with: the one that is made from its name, unless a schedule has had that since a rename.

        To ACC an id is a schedule, wherever it is sent to: one that another agent has would change that one.
        """
        own = agent.entry_of(resource)
        for identity in self._ids_of(agent, resource, count(2)):  # without end: two declarations never get one id
            known = self.remembered.get(identity)
            if identity not in self.taken and identity not in self.live and (known is None or known is own):
                self._take(resource, identity)
                return

    def _ids_of(self, agent: DeclaredAgent, resource: Resource, spares: Iterable[int] = _SPARE_IDS) -> Iterator[str]:
        yield resource.identity
        place, name = agent.document.path, resource.address.name
        if resource.identity in self.taken or resource.identity in self.live or resource.identity in self.remembered:
            for spare in spares:
                yield owned_id(self.project.name, self.project.environment, place, f"{name}/{spare}")


def _places_before(document: Agent, resource: Resource) -> Iterator[tuple[str, str]]:
    """The paths and names that a schedule's id may be made from, by what the manifest says of earlier times."""
    names = [name for name in (resource.moved_from, resource.address.name) if name]
    paths = [path for path in (document.path, document.path_before) if path]
    yield from ((path, name) for path in paths for name in names if (path, name) != (document.path, names[-1]))
