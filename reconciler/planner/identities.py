"""Who is who: before anything is judged, agents are told apart by their id, and memories come to whom they belong.

A path is where an agent is, a handle what a manifest calls it, and both may change, be respelled, and be given to
another one. So what the ledger holds is keyed anew: every entry stands at the address that declares its thing today.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from reconciler.errors import ManifestError
from reconciler.identity import mark_in, mark_of
from reconciler.model import (
    Address,
    Agent,
    Desired,
    Entry,
    Finding,
    KindName,
    Live,
    Memory,
    Problem,
    Resource,
)
from reconciler.planner.claims import Claims, DeclaredAgent
from reconciler.planner.scene import Identities, ScheduleKind


@dataclass(frozen=True, slots=True)
class Identified:
    """The same three, told by who they are: schedules with the ids that they have, one view an agent, entries where
    they belong; and what was found out on the way."""

    desired: Desired
    live: Live
    memory: Memory
    identities: Identities


def identify(desired: Desired, live: Live, memory: Memory, kind: ScheduleKind, *, as_of: datetime) -> Identified:
    """Tell agents apart by id, and find for every declaration its live schedule and its memory.

    Raises ManifestError where two documents lead to one agent.
    """
    live = _one_view_an_agent(desired, live, memory)
    owners = _Owners(live, memory)
    memories = _Memories({at: owners.named(entry) for at, entry in memory.entries.items()})
    agents = {agent.handle: _declared(agent, live, owners, memories) for agent in desired.agents}
    claims = Claims(
        desired.project,
        kind,
        as_of,
        _where_schedules_are(live),
        {entry.identity: entry for at, entry in memories.entries.items() if at.kind is KindName.SCHEDULE},
    )
    claims.settle(_schedules_by_agent(desired, agents))
    return _Rekeying(desired, live, memory, memories, agents, claims).result()


# --- agents ----------------------------------------------------------------------------------------------------------


def _one_view_an_agent(desired: Desired, live: Live, memory: Memory) -> Live:
    """Each agent once, where a document declares it; a path that leads nowhere is none when its agent was seen."""
    declared = {agent.path: agent for agent in desired.agents}
    paths: dict[str, list[str]] = defaultdict(list)
    for path, view in sorted(live.agents.items()):
        if not view.problem:
            paths[view.agent_id].append(path)
    shared = [[declared[path] for path in several if path in declared] for several in paths.values()]
    problems = [_two_documents(agents) for agents in shared if len(agents) > 1]
    if problems:
        raise ManifestError(sorted(problems))
    chosen = {next((path for path in several if path in declared), several[0]) for several in paths.values()}
    chosen |= {
        path
        for path, view in live.agents.items()
        if view.problem and (path in declared or memory.agent_ids.get(path, "") not in paths)
    }
    return replace(live, agents={path: view for path, view in live.agents.items() if path in chosen})


def _two_documents(agents: list[Agent]) -> Problem:
    first, second = sorted(agents, key=lambda agent: agent.origin)[:2]
    message = (
        f"{first.handle} ({first.path}, declared at {first.origin}) and {second.handle} ({second.path}) are one agent: "
        "ACC gives both paths the same id. Keep one of the two documents"
    )
    at = second.origin
    return Problem(at.path, at.line, at.column, "", "duplicate-agent", message)


class _Owners:
    """Whose an entry is. Ledgers of older versions know an agent by its path alone."""

    def __init__(self, live: Live, memory: Memory) -> None:
        self._by_path = {path: agent_id for path, agent_id in memory.agent_ids.items() if agent_id}
        self._by_path |= {path: view.agent_id for path, view in live.agents.items() if not view.problem}
        self._by_spelling = {path.casefold(): agent_id for path, agent_id in self._by_path.items()}

    def at(self, path: str) -> str:
        """The id of the agent at a path, "" where it is not known."""
        return self._by_path.get(path) or self._by_spelling.get(path.casefold(), "")

    def named(self, entry: Entry) -> Entry:
        """The entry with the id of its agent, where that is known."""
        if entry.agent_id or not entry.agent_path:
            return entry
        agent_id = self.at(entry.agent_path)
        return replace(entry, agent_id=agent_id) if agent_id else entry


class _Memories:
    """The entries, found by whose they are and by what they were called."""

    def __init__(self, entries: Mapping[Address, Entry]) -> None:
        self.entries = entries
        self._schedules: dict[str, dict[str, Entry]] = defaultdict(dict)
        self._attested: dict[tuple[KindName, str], Entry] = {}
        self._unowned: dict[str, list[Entry]] = defaultdict(list)
        for address, entry in sorted(entries.items(), reverse=True):
            if address.kind is KindName.TRIGGER:
                continue
            if not entry.agent_id:
                self._unowned[address.agent].append(entry)
            elif address.kind is KindName.SCHEDULE:
                self._schedules[entry.agent_id][address.name] = entry
            else:
                self._attested[address.kind, entry.agent_id] = entry

    def schedules_of(self, agent: Agent, agent_id: str) -> dict[str, Entry]:
        """What is remembered of an agent's schedules, by their names; what stands under its handle comes first."""
        found = dict(self._schedules.get(agent_id, {})) if agent_id else {}
        found |= {one.address.name: one for one in self._loose(agent) if one.address.kind is KindName.SCHEDULE}
        for name in found:
            own = self.entries.get(Address(KindName.SCHEDULE, agent.handle, name))
            if own is not None and own.agent_id == agent_id:
                found[name] = own
        return found

    def attested_of(self, kind: KindName, agent: Agent, agent_id: str) -> Entry | None:
        """What is remembered of an agent's approval, or of its input files."""
        own = self.entries.get(Address(kind, agent.handle))
        if own is not None and (own.agent_id == agent_id or not agent_id):
            return own
        loose = (one for one in self._loose(agent) if one.address.kind is kind)
        return self._attested.get((kind, agent_id)) or next(loose, None)

    def _loose(self, agent: Agent) -> Iterator[Entry]:
        """Entries of nobody knows which agent, that the document's own words make its own."""
        paths = {path.casefold() for path in (agent.path, agent.path_before) if path}
        for handle in {agent.handle, agent.moved_from}:
            yield from (one for one in self._unowned.get(handle, ()) if one.agent_path.casefold() in paths)


def _declared(agent: Agent, live: Live, owners: _Owners, memories: _Memories) -> DeclaredAgent:
    view = live.agents.get(agent.path)
    readable = view if view is not None and not view.problem else None
    agent_id = readable.agent_id if readable is not None else owners.at(agent.path)
    return DeclaredAgent(agent, agent_id, readable, memories.schedules_of(agent, agent_id))


def _where_schedules_are(live: Live) -> dict[str, str]:
    found = {identity: "" for view in live.elsewhere.values() for identity in view.schedules}
    return found | {identity: path for path, view in live.agents.items() for identity in view.schedules}


def _schedules_by_agent(
    desired: Desired, agents: Mapping[str, DeclaredAgent]
) -> Iterator[tuple[DeclaredAgent, tuple[Resource, ...]]]:
    listed: dict[str, list[Resource]] = defaultdict(list)
    for resource in desired.resources:
        if resource.address.kind is KindName.SCHEDULE:
            listed[resource.address.agent].append(resource)
    yield from ((agents[handle], tuple(resources)) for handle, resources in sorted(listed.items()))


# --- memories --------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Rekeying:
    """Takes every entry to the address that declares its thing today, and says what became of the others."""

    desired: Desired
    live: Live
    memory: Memory
    memories: _Memories
    agents: Mapping[str, DeclaredAgent]
    claims: Claims
    kept: dict[Address, Entry] = field(default_factory=dict)
    used: set[Address] = field(default_factory=set)
    renamed: dict[Address, str] = field(default_factory=dict)
    made_anew: dict[Address, str] = field(default_factory=dict)

    def result(self) -> Identified:
        pairs = [(resource, self._memory_of(resource)) for resource in self.desired.resources]
        self.used = {entry.address for _, entry in pairs if entry is not None}
        names = _names(pairs)
        resources = []
        for resource, entry in pairs:
            name = names[resource.address]
            resources.append(self._settled(resource, name))
            if entry is not None:
                self.kept[resource.address] = self._rekeyed(resources[-1], entry)
                if entry.address != resource.address:
                    self.renamed[resource.address] = str(entry.address)
        self.renamed |= self.claims.renamed
        self._keep_the_rest()
        return Identified(
            replace(self.desired, resources=tuple(resources)),
            self.live,
            replace(self.memory, entries=self.kept),
            Identities(
                renamed=self.renamed,
                made_anew=self.made_anew,
                rekeyed=dict(self._moves()),
                warnings=(*self._of_agents_made_anew(), *self._of_agents_elsewhere(), *self._of_neighbours()),
            ),
        )

    def _memory_of(self, resource: Resource) -> Entry | None:
        address = resource.address
        match address.kind:
            case KindName.TRIGGER:
                return self.memories.entries.get(address)
            case KindName.SCHEDULE:
                found = self._memory_of_schedule(resource)
            case _:
                agent = self.agents[address.agent]
                found = self.memories.attested_of(address.kind, agent.document, agent.agent_id)
        if found is None:
            self._note_made_anew(resource)
        return found

    def _memory_of_schedule(self, resource: Resource) -> Entry | None:
        """The entry of the live schedule that it is; else the one of its name, which tells that it was there."""
        agent = self.agents[resource.address.agent]
        identity = self.claims.found[resource.address]
        entry = self.claims.remembered.get(identity)
        if entry is not None and (entry.agent_id == agent.agent_id or not (entry.agent_id and agent.agent_id)):
            return entry
        own = agent.entries.get(resource.address.name)
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

    def _settled(self, resource: Resource, name: str) -> Resource:
        identity = self.claims.found.get(resource.address, resource.identity)
        known_as = "" if name == str(resource.address) else name
        if (identity, known_as) == (resource.identity, resource.known_as):
            return resource
        return replace(resource, identity=identity, known_as=known_as)

    def _rekeyed(self, resource: Resource, entry: Entry) -> Entry:
        if resource.address.kind is KindName.TRIGGER:
            return entry
        agent = self.agents[resource.address.agent]
        return replace(
            entry,
            address=resource.address,
            agent_id=agent.agent_id or entry.agent_id,
            agent_path=resource.agent_path if agent.view is not None else entry.agent_path,
            known_as=resource.known_as,
        )

    def _keep_the_rest(self) -> None:
        """What no declaration takes: it keeps its address, unless a declaration has that now."""
        declared = {resource.address: resource for resource in self.desired.resources}
        places = {view.agent_id: path for path, view in self.live.agents.items() if not view.problem}
        for address, entry in sorted(self.memories.entries.items()):
            if address in self.used:
                continue
            is_elsewhere = entry.agent_id in self.live.elsewhere
            place = "" if is_elsewhere else places.get(entry.agent_id, entry.agent_path)
            moved = replace(entry, agent_path=place)
            if address not in declared or self.claims.found.get(address) == entry.identity != "":
                self.kept.setdefault(address, moved)
            elif address.kind is KindName.SCHEDULE and not self._is_superseded(entry, declared[address]):
                spare = Address(KindName.SCHEDULE, entry.agent_path, entry.identity)
                self.kept[spare] = replace(moved, address=spare)

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
        for address in sorted({*before, *self.kept}):
            if before.get(address) != self.kept.get(address):
                yield address, self.kept.get(address)

    def _of_agents_made_anew(self) -> Iterator[Finding]:
        for handle in sorted({address.agent for address in self.made_anew}):
            agent = self.agents[handle]
            yield Finding(
                "agent-made-anew",
                "",
                f"the agent at {agent.document.path} was made anew: its id in ACC is {agent.agent_id} now. Its input "
                "files and approval are due again, and its schedules vanished with the old one",
            )

    def _of_agents_elsewhere(self) -> Iterator[Finding]:
        for agent_id, view in sorted(self.live.elsewhere.items()):
            yield Finding(
                "agent-moved",
                "",
                f"the agent {agent_id}, which was at {view.path}, lives on elsewhere with {len(view.schedules)} "
                "schedule(s): declare it under its new path, or delete it in ACC",
            )

    def _of_neighbours(self) -> Iterator[Finding]:
        """Schedules of other environments, or of an earlier name of the project, on the agents that were read."""
        project = self.desired.project
        own = (project.name, project.environment)
        others = {(project.name, environment) for environment in ("default", *project.environments)}
        marks = {mark_of(*scope): scope for scope in sorted((others | set(self.memory.neighbours)) - {own})}
        found: Counter[tuple[str, str]] = Counter()
        where: dict[tuple[str, str], str] = {}
        for path, view in self.live.agents.items() if marks else ():
            for identity in view.schedules:
                scope = marks.get(mark_in(identity) or 0)
                if scope is not None and identity not in self.claims.taken:
                    found[scope] += 1
                    where.setdefault(scope, path)
        for (name, environment), count in sorted(found.items()):
            here = f"{count} schedule(s) on the agents that were read, the first on {where[name, environment]},"
            if name == project.name:
                words = f"{here} belong to the environment {environment}: two environments run on these agents"
                yield Finding("other-environment", "", words)
            else:
                words = (
                    f"{here} belong to {name}/{environment}, which this ledger knows: if that is an earlier name of "
                    f"the project, give it back (`metadata.name: {name}`), or every schedule will be there twice"
                )
                yield Finding("earlier-name", "", words)


def _names(pairs: Iterable[tuple[Resource, Entry | None]]) -> dict[Address, str]:
    """The name by which triggers know each resource: the first that it had. Two never share one."""
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
        names[resource.address] = name
    return names
