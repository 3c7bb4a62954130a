"""What a plan has to say about agents and schedules that are not who, or not whose, one might take them for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping

from reconciler.identity import mark_in, mark_of
from reconciler.model import Address, Finding, Live, Memory, Project
from reconciler.planner.claims import DeclaredAgent
from reconciler.quantities import counted


def agents_made_anew(addresses: Iterable[Address], agents: Mapping[str, DeclaredAgent]) -> Iterator[Finding]:
    """Agents that have another id than when something was applied at `addresses`."""
    for handle in sorted({address.agent for address in addresses}):
        agent = agents[handle]
        yield Finding(
            "agent-made-anew",
            "",
            f"the agent at {agent.document.path} was made anew: its id in ACC is {agent.agent_id} now. Its input "
            "files and approval are due again, and its schedules vanished with the old one",
        )


def agents_elsewhere(live: Live) -> Iterator[Finding]:
    """Agents that still hold schedules of ours, although the path that led to them leads to another one."""
    for agent_id, view in sorted(live.elsewhere.items()):
        yield Finding(
            "agent-moved",
            "",
            f"the agent {agent_id}, which was at {view.path}, lives on elsewhere with "
            f"{counted(len(tuple(view.identities)), 'schedule')}: declare it under its new path, or delete it in ACC",
        )


def neighbours(project: Project, live: Live, memory: Memory, declared: Container[str]) -> Iterator[Finding]:
    """Schedules of other environments, or of an earlier name of the project, on the agents that were read."""
    own = (project.name, project.environment)
    others = {(project.name, environment) for environment in ("default", *project.environments)}
    scopes = {mark_of(*scope): scope for scope in sorted((others | set(memory.neighbours)) - {own})}
    if not scopes:
        return
    found: Counter[tuple[str, str]] = Counter()
    first: dict[tuple[str, str], str] = {}
    for path, view in live.agents.items():
        for identity in view.identities:
            scope = scopes.get(mark_in(identity) or 0) if identity not in declared else None
            if scope is not None:
                found[scope] += 1
                first.setdefault(scope, path)
    for scope, count in sorted(found.items()):
        what = f"{counted(count, 'schedule')} on the agents that were read, the first on {first[scope]},"
        yield _neighbour(scope, f"{what} {'belongs' if count == 1 else 'belong'}", own)


def _neighbour(scope: tuple[str, str], what: str, own: tuple[str, str]) -> Finding:
    name, environment = scope
    if name == own[0]:
        message = f"{what} to the environment {environment}: two environments run on these agents"
        return Finding("other-environment", "", message)
    message = (
        f"{what} to {name}/{environment}, which this ledger knows: if that is an earlier name of the project, "
        f"give it back (`metadata.name: {name}`), or every schedule will be there twice"
    )
    return Finding("earlier-name", "", message)
