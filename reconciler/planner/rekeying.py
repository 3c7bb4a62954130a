"""Takes every entry of the ledger to the address that declares its thing today."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TypeVar, cast

from msgspec import Struct

from reconciler.kind import ObservedMemo
from reconciler.model.address import Address, AddressForm
from reconciler.model.copies import replace
from reconciler.model.entry import Entry, Memory
from reconciler.model.live import Live
from reconciler.model.resource import Agent, Desired, Resource
from reconciler.planner import identity_findings as findings
from reconciler.planner.claims import Called, Claims, DeclaredAgent
from reconciler.planner.inputs import Identities

K = TypeVar("K")
E = TypeVar("E", bound=Entry)


class Identified(Struct, frozen=True):
    """The same three, told by who they are: schedules with the ids that they have, one view an agent, entries where
    they belong; and what was found out on the way."""

    desired: Desired
    live: Live
    memory: Memory
    identities: Identities


class Memories:
    """The entries, found by whose they are and by what they were called."""

    def __init__(self, entries: Mapping[Address, Entry]) -> None:
        self.entries = entries
        self._things: dict[str, dict[Called, Entry[ObservedMemo]]] = defaultdict(dict)
        self._single: dict[tuple[str, str], Entry] = {}
        self._unowned: dict[str, list[Entry]] = defaultdict(list)
        self._under: dict[str, list[Entry[ObservedMemo]]] = defaultdict(list)
        for address, entry in entries.items():
            if address.form is AddressForm.NAMED:
                continue
            thing = as_thing(entry)
            if thing is not None:
                self._under[address.agent].append(thing)
            if not entry.agent_id:
                self._unowned[address.agent].append(entry)
            elif thing is not None:
                _keep_first(self._things[entry.agent_id], (address.kind, name_of(thing)), thing)
            else:
                _keep_first(self._single, (address.kind, entry.agent_id), entry)

    def things_of(self, agent: Agent, agent_id: str) -> dict[Called, Entry[ObservedMemo]]:
        """What is remembered of an agent's schedules, by kind and name; what stands under its handle comes first."""
        found = dict(self._things.get(agent_id, {})) if agent_id else {}
        found |= {_called(one): one for each in self._loose(agent) if (one := as_thing(each)) is not None}
        for kind, name in found:
            own = self.entries.get(Address(kind, agent.handle, name))
            if own is not None and own.agent_id == agent_id and (thing := as_thing(own)) is not None:
                found[kind, name] = thing
        return found

    def things_under(self, handle: str, *, but: Collection[str]) -> dict[Called, Entry[ObservedMemo]]:
        """What stands under a handle, by kind and name, but for what belongs to these agents."""
        return {_called(one): one for one in self._under.get(handle, ()) if one.agent_id not in but}

    def single_of(self, kind: str, agent: Agent, agent_id: str) -> Entry | None:
        """What is remembered of something that an agent has one of: its approval, its input files."""
        own = self.entries.get(Address(kind, agent.handle))
        if own is not None and (own.agent_id == agent_id or not agent_id):
            return own
        loose = (one for one in self._loose(agent) if one.address.kind == kind)
        return self._single.get((kind, agent_id)) or next(loose, None)

    def _loose(self, agent: Agent) -> Iterator[Entry]:
        """Entries of nobody knows which agent, that the document's own words make its own."""
        paths = {path.casefold() for path in (agent.path, agent.path_before) if path}
        for handle in {agent.handle, agent.moved_from}:
            yield from (one for one in self._unowned.get(handle, ()) if one.agent_path.casefold() in paths)


def as_thing(entry: Entry) -> Entry[ObservedMemo] | None:
    """The entry, where it is one of several things that an agent has of a kind."""
    return cast("Entry[ObservedMemo]", entry) if entry.address.form is AddressForm.IN_AGENT else None


def _called(entry: Entry) -> Called:
    return entry.address.kind, entry.address.name


def name_of(entry: Entry[ObservedMemo]) -> str:
    """What a schedule was last called, also where another one's declaration has its address now."""
    is_set_aside = entry.address.name == entry.identity
    return entry.memo.name or entry.address.name if is_set_aside else entry.address.name


def _keep_first(found: dict[K, E], key: K, entry: E) -> None:
    """Of several entries for one thing, the first by address, so that equal ledgers are read alike."""
    known = found.get(key)
    if known is None or entry.address < known.address:
        found[key] = entry


class Rekeying(Struct):
    """Takes every entry to the address that declares its thing today, and says what became of the others.

    `leads_to` are the ids of the agents that were read, by every path that leads to them.
    """

    desired: Desired
    live: Live
    memory: Memory
    memories: Memories
    agents: Mapping[str, DeclaredAgent]
    claims: Claims
    leads_to: Mapping[str, str]
    kept: dict[Address, Entry] = {}
    used: set[Address] = set()
    renamed: dict[Address, str] = {}
    made_anew: dict[Address, str] = {}

    def result(self) -> Identified:
        pairs = [(resource, self._memory_of(resource)) for resource in self.desired.resources]
        self.used = {entry.address for _, entry in pairs if entry is not None}
        names = _names([(resource, entry or self._of_its_address(resource)) for resource, entry in pairs])
        resources = []
        for resource, entry in pairs:
            settled = self._settled(resource, names.get(resource.address, ""))
            resources.append(settled)
            if entry is not None:
                self.kept[resource.address] = self._rekeyed(settled, entry)
                if entry.address != resource.address:
                    self.renamed[resource.address] = str(entry.address)
        self.renamed |= self.claims.renamed
        self._keep_the_rest()
        warnings = (
            *findings.agents_made_anew(self.made_anew, self.agents),
            *findings.agents_elsewhere(self.live),
            *findings.neighbours(self.desired.project, self.live, self.memory, self.claims.taken),
        )
        return Identified(
            replace(self.desired, resources=tuple(resources)),
            self.live,
            replace(self.memory, entries=self.kept),
            Identities(self.renamed, self.made_anew, dict(self._moves()), warnings),
        )

    def _memory_of(self, resource: Resource) -> Entry | None:
        address = resource.address
        found: Entry | None
        match address.form:
            case AddressForm.NAMED:
                return self.memories.entries.get(address)
            case AddressForm.IN_AGENT:
                found = self._memory_of_thing(resource)
            case _:
                agent = self.agents[address.agent]
                found = self.memories.single_of(address.kind, agent.document, agent.agent_id)
        if found is None:
            self._note_made_anew(resource)
        return found

    def _of_its_address(self, resource: Resource) -> Entry | None:
        """What bore the address of something that is new: triggers go on knowing the address by the name that it had.

        An agent that was made anew has no files yet, and what is wanted of them is the same.
        """
        before = self.memories.entries.get(resource.address)
        return None if before is None or before.address in self.used else before

    def _memory_of_thing(self, resource: Resource) -> Entry | None:
        """The entry of the live schedule that it is; else the one of its name, which tells that it was there."""
        agent = self.agents[resource.address.agent]
        identity = self.claims.found[resource.address]
        entry = self.claims.remembered.get(identity)
        if entry is not None and (entry.agent_id == agent.agent_id or not (entry.agent_id and agent.agent_id)):
            return entry
        own = agent.entry_of(resource)
        if own is None or own.identity in self.claims.taken or own.identity in self.claims.live:
            return None  # what bears its name lives on as another schedule
        return own

    def _note_made_anew(self, resource: Resource) -> None:
        agent = self.agents[resource.address.agent]
        before = self.memories.entries.get(resource.address)
        if before is None or agent.view is None or before.agent_id in ("", agent.agent_id):
            return
        is_same_place = before.agent_path.casefold() == agent.document.path.casefold()
        if is_same_place and before.agent_id not in {view.agent_id for view in self.live.agents.values()}:
            self.made_anew[resource.address] = before.agent_id

    def _settled(self, resource: Resource, known_as: str) -> Resource:
        identity = self.claims.found.get(resource.address, resource.identity)
        if (identity, known_as) == (resource.identity, resource.known_as):
            return resource
        return replace(resource, identity=identity, known_as=known_as)

    def _rekeyed(self, resource: Resource, entry: Entry) -> Entry:
        if resource.address.form is AddressForm.NAMED:
            return entry
        agent = self.agents[resource.address.agent]
        agent_id = agent.agent_id or entry.agent_id
        path = resource.agent_path if agent.view is not None else entry.agent_path
        before = (entry.address, entry.agent_id, entry.agent_path, entry.known_as)
        if before == (resource.address, agent_id, path, resource.known_as):
            return entry
        return replace(entry, address=resource.address, agent_id=agent_id, agent_path=path, known_as=resource.known_as)

    def _keep_the_rest(self) -> None:
        """What no declaration takes: it keeps its address, unless a declaration has that now."""
        declared = {resource.address: resource for resource in self.desired.resources}
        places = {view.agent_id: path for path, view in self.live.agents.items() if not view.problem}
        rest = self.memories.entries.keys() - self.used
        for address in sorted(rest):
            entry = self.memories.entries[address]
            is_elsewhere = entry.agent_id in self.live.elsewhere
            # Where its agent is gone: the one that its path leads to now shows that the schedule is gone too.
            agent_id = entry.agent_id if entry.agent_id in places else self.leads_to.get(entry.agent_path, "")
            place = "" if is_elsewhere else places.get(agent_id, entry.agent_path)
            moved = replace(entry, agent_path=place)
            if address not in declared or self.claims.found.get(address) == entry.identity != "":
                self.kept.setdefault(address, moved)
            elif (thing := as_thing(entry)) is not None and not self._is_superseded(entry, declared[address]):
                spare = Address(address.kind, entry.agent_path or entry.agent_id, entry.identity)
                # Which agent a document means may not be known today: it finds its schedules by their names again.
                is_known = entry.agent_id in places or is_elsewhere
                memo = thing.memo if is_known else replace(thing.memo, name=name_of(thing))
                self.kept[spare] = replace(moved, address=spare, memo=memo)

    def _is_superseded(self, entry: Entry, resource: Resource) -> bool:
        """Whether nothing need be remembered of a schedule whose name means another one now.

        It vanished with an agent that was made anew; or it was adopted, and is its maker's again.
        """
        if resource.address in self.made_anew and entry.agent_id not in self.live.elsewhere:
            return True
        return entry.adopted and entry.agent_id == self.agents[resource.address.agent].agent_id

    def _moves(self) -> Iterator[tuple[Address, Entry | None]]:
        """What the ledger has to be told, so that it says the same."""
        before = self.memory.entries
        for address in sorted(at for at in before.keys() | self.kept.keys() if before.get(at) != self.kept.get(at)):
            yield address, self.kept.get(address)


def _names(pairs: Sequence[tuple[Resource, Entry | None]]) -> dict[Address, str]:
    """The names by which triggers know resources, where they are not their addresses: the first that each had.

    Two resources never share one.
    """
    if all(one is None or (one.address == resource.address and not one.known_as) for resource, one in pairs):
        return {}
    names: dict[Address, str] = {}
    taken: set[str] = set()
    listed = sorted(pairs, key=lambda pair: (pair[1] is None or not pair[1].known_as, pair[1] is None, pair[0].address))
    for resource, entry in listed:
        wanted = (entry.known_as or str(entry.address)) if entry is not None else str(resource.address)
        name, number = wanted, 1
        while name in taken:
            number += 1
            name = f"{wanted}#{number}"
        taken.add(name)
        if name != str(resource.address):
            names[resource.address] = name
    return names
