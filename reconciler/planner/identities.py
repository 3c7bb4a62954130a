"""Who is who: before anything is judged, agents are told apart by their id, and memories come to whom they belong.

A path is where an agent is, a handle what a manifest calls it, and both may change, be respelled, and be given to
another one. So what the ledger holds is keyed anew: every entry stands at the address that declares its thing today.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime

from reconciler.errors import ManifestError
from reconciler.kind import KindRegistry
from reconciler.model.address import AddressForm
from reconciler.model.copies import replace
from reconciler.model.entry import Entry, Memory
from reconciler.model.live import Live
from reconciler.model.resource import Agent, Desired, Problem, Resource
from reconciler.planner.claims import Claims, DeclaredAgent
from reconciler.planner.rekeying import Identified, Memories, Rekeying, as_thing


def identify(desired: Desired, live: Live, memory: Memory, kinds: KindRegistry, *, as_of: datetime) -> Identified:
    """Tell agents apart by id, and find for every declaration its live schedule and its memory.

    Raises ManifestError where two documents lead to one agent.
    """
    leads_to = {path: view.agent_id for path, view in live.agents.items() if not view.problem}
    memory = _with_ids_of_older_ledgers(memory, live)
    live = _one_view_an_agent(desired, live, memory)
    owners = _Owners(live, memory)
    memories = Memories({at: owners.named(entry) for at, entry in memory.entries.items()})
    agents = {agent.handle: _declared(agent, live, owners, memories) for agent in desired.agents}
    agents = _with_unread(agents, memories)
    claims = Claims(
        desired.project,
        kinds,
        as_of,
        _where_things_are(live),
        {thing.identity: thing for entry in memories.entries.values() if (thing := as_thing(entry)) is not None},
    )
    claims.settle(_things_by_agent(desired, agents))
    return Rekeying(desired, live, memory, memories, agents, claims, leads_to).result()


def _with_ids_of_older_ledgers(memory: Memory, live: Live) -> Memory:
    """The ids of agents that an older ledger knows by their path alone, where one of their schedules is seen."""
    agents = {identity: view.agent_id for view in live.agents.values() for identity in view.identities}
    learnt = {
        entry.agent_path: agents[entry.identity]
        for _, entry in sorted(memory.entries.items(), reverse=True)
        if entry.identity in agents and not entry.agent_id and not memory.agent_ids.get(entry.agent_path)
    }
    return replace(memory, agent_ids={**memory.agent_ids, **learnt}) if learnt else memory


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
    message += f" [{at.item}]" if at.item else ""
    return Problem(at.path, at.line, at.column, "", "duplicate-agent", message)


class _Owners:
    """Whose an entry is. Ledgers of older versions know an agent by its path alone."""

    def __init__(self, live: Live, memory: Memory) -> None:
        self._before = {path: agent_id for path, agent_id in memory.agent_ids.items() if agent_id}
        self._by_path = dict(self._before)
        self._by_path |= {path: view.agent_id for path, view in live.agents.items() if not view.problem}
        self._by_spelling = {path.casefold(): agent_id for path, agent_id in self._by_path.items()}

    def at(self, path: str) -> str:
        """The id of the agent at a path, "" where it is not known."""
        return self._by_path.get(path) or self._by_spelling.get(path.casefold(), "")

    def named(self, entry: Entry) -> Entry:
        """The entry with the id of its agent, where that is known."""
        if entry.agent_id or not entry.agent_path:
            return entry
        agent_id = self._before.get(entry.agent_path) or self.at(entry.agent_path)
        return replace(entry, agent_id=agent_id) if agent_id else entry


def _declared(agent: Agent, live: Live, owners: _Owners, memories: Memories) -> DeclaredAgent:
    view = live.agents.get(agent.path)
    readable = view if view is not None and not view.problem else None
    agent_id = readable.agent_id if readable is not None else owners.at(agent.path)
    return DeclaredAgent(agent, agent_id, readable, memories.things_of(agent, agent_id))


def _with_unread(agents: Mapping[str, DeclaredAgent], memories: Memories) -> dict[str, DeclaredAgent]:
    """An agent that cannot be read at a path that nobody knows, such as one with a slip: what stands under its handle
    stays there until it is known who that is, unless another document leads to whose it was."""
    known = {agent.agent_id for agent in agents.values()}
    return {
        handle: agent if agent.agent_id else replace(agent, entries=memories.things_under(handle, but=known))
        for handle, agent in agents.items()
    }


def _where_things_are(live: Live) -> dict[str, str]:
    found = {identity: "" for view in live.elsewhere.values() for identity in view.identities}
    return found | {identity: path for path, view in live.agents.items() for identity in view.identities}


def _things_by_agent(
    desired: Desired, agents: Mapping[str, DeclaredAgent]
) -> Iterator[tuple[DeclaredAgent, tuple[Resource, ...]]]:
    listed: dict[str, list[Resource]] = defaultdict(list)
    for resource in desired.resources:
        if resource.address.form is AddressForm.IN_AGENT:
            listed[resource.address.agent].append(resource)
    yield from ((agents[handle], tuple(resources)) for handle, resources in sorted(listed.items()))
