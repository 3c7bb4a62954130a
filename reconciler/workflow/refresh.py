"""Reads the agents that a plan needs to know, and tells them and their schedules apart by their ids."""

from __future__ import annotations

from datetime import datetime

from reconciler import planner
from reconciler.kinds.registry import KINDS, observed_kinds
from reconciler.model.address import Address, AddressForm
from reconciler.model.copies import replace
from reconciler.model.entry import Memory
from reconciler.model.live import AgentView, Live
from reconciler.model.resource import Desired
from reconciler.observe import read_by_id
from reconciler.products import Products
from reconciler.workflow.context import CommandContext
from reconciler.workflow.memory import Remembered
from reconciler.workflow.reading import Sources, read_all


def refresh(
    context: CommandContext, sources: Sources, wanted: frozenset[Address], *, as_of: datetime
) -> planner.Identified:
    """Read the agents of what is wanted, and tell them and their schedules apart by their ids."""
    live = _read_agents(context, sources, wanted)
    return planner.identify(sources.desired, live, sources.remembered.memory, KINDS, as_of=as_of)


def _read_agents(context: CommandContext, sources: Sources, wanted: frozenset[Address]) -> Live:
    """Read the agents of what is wanted; all that are declared or remembered, when everything is."""
    desired, remembered = sources.desired, sources.remembered
    # While nothing is remembered, all agents are looked at: one of them may tell that the ledger was lost.
    everything = len(wanted) == len(desired.resources) or not remembered.memory.known
    paths = {resource.agent_path for resource in desired.resources if resource.address in wanted} - {""}
    if everything:
        paths |= {agent.path for agent in desired.agents} | set(remembered.agent_paths)
    live = _read(context, sources, paths)
    # Whether two documents lead to one agent, and what a guard asks, has to be known in a filtered plan too.
    more = _perhaps_the_same(desired, remembered.memory, live) if paths else set()
    more |= _needed_by_guards(desired, wanted, remembered, live) - live.agents.keys()
    if more:
        live = Live(dict(sorted({**live.agents, **_read(context, sources, more).agents}.items())))
    return replace(live, elsewhere=_elsewhere(context, remembered, live, sources.products))


def _read(context: CommandContext, sources: Sources, paths: set[str]) -> Live:
    """Read agents; those that were seen already are not read again."""
    known = {path: sources.seen[path] for path in paths & sources.seen.keys()}
    missing = paths - known.keys()
    live = read_all(context, sources.products, missing) if missing else Live({})
    return Live(dict(sorted({**known, **live.agents}.items())))


def _perhaps_the_same(desired: Desired, memory: Memory, live: Live) -> set[str]:
    """Declared paths that were not read, and may lead to an agent that was: by what the ledger knows, or does not."""
    seen = {view.agent_id for view in live.agents.values() if not view.problem}
    unread = {agent.path for agent in desired.agents} - live.agents.keys()
    return {path for path in unread if memory.agent_ids.get(path, "") in ("", *seen)}


def _needed_by_guards(desired: Desired, wanted: frozenset[Address], remembered: Remembered, live: Live) -> set[str]:
    """Agents where ACC made schedules under ids of its own; and all, where an id is to be adopted that was not seen."""
    things = [one for one in desired.resources if one.address in wanted and one.address.form is AddressForm.IN_AGENT]
    if not things:
        return set()
    known = {agent.path for agent in desired.agents} | set(remembered.agent_paths)
    seen = {identity for view in live.agents.values() for identity in view.identities}
    if any(resource.adopted and resource.identity not in seen for resource in things):
        return known
    entries = remembered.memory.entries.values()
    return known & {entry.agent_path for entry in entries if planner.may_have_made_its_own(entry.memo)}


def _elsewhere(context: CommandContext, remembered: Remembered, live: Live, products: Products) -> dict[str, AgentView]:
    """Agents whose path leads to another one now, and that still show schedules of ours when asked by their id.

    Those whose path somebody gives up too: one that moved is not gone, and what is protected there stays so.
    """
    seen = {view.agent_id for view in live.agents.values() if not view.problem}
    lost: dict[str, str] = {}
    given_up: dict[str, set[str]] = {}
    for entry in remembered.memory.entries.values():
        if not entry.agent_id or entry.agent_id in seen:
            continue
        view = live.agents.get(entry.agent_path)
        replaced = view is not None and not view.problem and view.agent_id != entry.agent_id
        if replaced or not entry.agent_path:
            lost[entry.agent_id] = entry.agent_path or entry.address.agent
        elif view is None and entry.agent_path not in remembered.agent_paths:
            lost[entry.agent_id] = entry.agent_path
            given_up.setdefault(entry.agent_id, set()).add(entry.identity)
    found: dict[str, AgentView] = {}
    for agent_id, path in sorted(lost.items()):
        view = read_by_id(products.acc, agent_id, path, observed_kinds(), must_answer=agent_id in given_up)
        if view is None or context.stop.is_set():
            continue
        if agent_id not in given_up or given_up[agent_id] & set(view.identities):
            found[agent_id] = view
    return found
