"""What somebody does in ACC's Agent Repository: moves an agent, makes it anew, gives it a second path, takes it away.

Nothing of this is in the products' APIs. It happens in their pages, behind the back of whoever reads over HTTP.
"""

from __future__ import annotations

from reconciler.emulator.acc_state import Agent
from reconciler.emulator.emulated_estate import Estate
from reconciler.identity import normal_id


def move_agent(estate: Estate, path: str, to: str) -> Agent:
    """Move an agent to another path: its id, schedules, files and approval stay. Raises KeyError, ValueError."""
    agent = estate.agents[path]
    _refuse_taken(estate, to)
    del estate.agents[path]
    estate.agents[to] = agent
    if agent.path == path:
        agent.path = to
    agent.record = None
    return agent


def remake_agent(estate: Estate, path: str, agent_id: str = "") -> Agent:
    """Delete an agent and make one anew where it was, at each path that led to it: another id, not approved, and
    neither schedules nor input files nor runs. Raises KeyError, ValueError."""
    former = estate.agents[path]
    if agent_id and normal_id(agent_id) in estate.agents_by_id:
        raise ValueError(f"the id {agent_id} is taken")
    paths = paths_of(estate, former)
    remove_agent(estate, path)
    made = estate.add_agent(
        former.path,
        agent_id,
        directory_id=former.directory_id,
        description=former.description,
        approved=False,
        deployed=former.deployed,
        sessions=former.sessions,
        duration=former.duration,
        outcomes=former.outcomes,
        data=former.data,
        keeps_backup=former.keeps_backup,
    )
    for each in paths:
        estate.agents[each] = made
    return made


def alias_agent(estate: Estate, path: str, alias: str) -> Agent:
    """Let a second path lead to an agent, which is called by its first path. Raises KeyError, ValueError."""
    agent = estate.agents[path]
    _refuse_taken(estate, alias)
    estate.agents[alias] = agent
    return agent


def remove_agent(estate: Estate, path: str) -> None:
    """Delete an agent with all that is its own, under each path that leads to it. Raises KeyError."""
    agent = estate.agents[path]
    for each in paths_of(estate, agent):
        del estate.agents[each]
    for schedule_id in list(agent.schedules):
        estate.remove_schedule(schedule_id)
    del estate.agents_by_id[normal_id(agent.agent_id)]


def paths_of(estate: Estate, agent: Agent) -> list[str]:
    """The paths that lead to an agent, the one that it is called by first."""
    found = [path for path, at in estate.agents.items() if at is agent]
    return sorted(found, key=lambda path: path != agent.path)


def _refuse_taken(estate: Estate, path: str) -> None:
    if not isinstance(path, str) or not path:
        raise ValueError("a path is a text that is not empty")
    if path in estate.agents:
        raise ValueError(f"there is an agent at {path} already")
