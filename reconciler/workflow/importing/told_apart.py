"""Tells the agents of an import apart: new ones, declared ones, unreadable ones, and paths that are one agent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from reconciler.model.live import AgentView, Live
from reconciler.model.resource import Agent


class ToldApart(Struct):
    """The agents that were asked for, told apart; `known` are declared ones, each with what was seen of it."""

    new: list[AgentView] = []
    known: list[tuple[Agent, AgentView]] = []
    declared: list[str] = []
    refused: list[str] = []
    unread: list[tuple[str, str]] = []


def told_apart(
    wanted: Iterable[str], live: Live, declared: Iterable[Agent], ids: Mapping[str, str], *, update: bool
) -> ToldApart:
    """Tell the agents apart by their ids. `ids` are those of agents, by path."""
    by_path = {agent.path: agent for agent in declared}
    by_id = {ids[agent.path]: agent for agent in declared if ids.get(agent.path)}
    seen: dict[str, list[AgentView]] = {}
    found = ToldApart()
    for path in wanted:
        agent, view = by_path.get(path), live.agents.get(path)
        if agent is not None and not update:
            found.declared.append(f"{path} is declared already, at {agent.origin}")
        elif view is None or view.problem:
            found.unread.append((path, view.problem if view is not None else "it was not read"))
        elif agent := agent or by_id.get(view.agent_id):
            if path != agent.path:
                same = f"{path} and {agent.path} are one agent: ACC gives both paths the same id"
                found.declared.append(f"{same}; it is declared already, at {agent.origin}")
            if update and all(agent is not one for one, _ in found.known):
                found.known.append((agent, view))
        else:
            seen.setdefault(view.agent_id, []).append(view)
    for views in seen.values():
        if len(views) == 1:
            found.new += views
        else:
            shown = " and ".join(view.path for view in views)
            found.refused.append(f"{shown} are one agent: ACC gives these paths the same id")
    return found
