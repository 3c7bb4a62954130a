"""What a plan has to say about agents and schedules that are not who, or not whose, one might take them for."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping

from reconciler.causes import Cause, because
from reconciler.identity import mark_in, mark_of
from reconciler.model.address import Address
from reconciler.model.entry import Memory
from reconciler.model.live import Live
from reconciler.model.plan import Finding
from reconciler.model.project import Project
from reconciler.planner.claims import DeclaredAgent
from reconciler.quantities import first_few

_MOST_NAMED = 3


def agents_made_anew(addresses: Iterable[Address], agents: Mapping[str, DeclaredAgent]) -> Iterator[Finding]:
    """Agents that have another id than when something was applied at `addresses`."""
    for handle in sorted({address.agent for address in addresses}):
        agent = agents[handle]
        why = because(Cause.AGENT_AT_PATH_MADE_ANEW, path=agent.document.path, agent_id=agent.agent_id)
        yield Finding("agent-made-anew", "", why)


def agents_elsewhere(live: Live) -> Iterator[Finding]:
    """Agents that still hold schedules of ours, although the path that led to them leads to another one."""
    for agent_id, view in sorted(live.elsewhere.items()):
        count = len(tuple(view.identities))
        yield Finding("agent-moved", "", because(Cause.AGENT_MOVED, agent_id=agent_id, path=view.path, count=count))


def neighbours(project: Project, live: Live, memory: Memory, declared: Container[str]) -> Iterator[Finding]:
    """Schedules of other environments, or of an earlier name of the project, on the agents that were read."""
    own = (project.name, project.environment)
    others = {(project.name, environment) for environment in ("default", *project.environments)}
    scopes = {mark_of(*scope): scope for scope in sorted((others | set(memory.neighbours)) - {own})}
    if not scopes:
        return
    found: Counter[tuple[str, str]] = Counter()
    agents: dict[tuple[str, str], dict[str, None]] = defaultdict(dict)
    for path, view in live.agents.items():
        for identity in view.identities:
            scope = scopes.get(mark_in(identity) or 0) if identity not in declared else None
            if scope is not None:
                found[scope] += 1
                agents[scope][path] = None
    for (name, environment), count in sorted(found.items()):
        is_earlier = name != project.name
        code, cause = (
            ("earlier-name", Cause.EARLIER_NAME) if is_earlier else ("other-environment", Cause.OTHER_ENVIRONMENT)
        )
        paths = sorted(agents[name, environment])
        why = because(
            cause, count=count, agents=len(paths), few=first_few(paths, _MOST_NAMED), name=name, environment=environment
        )
        yield Finding(code, "", why)
