"""What the products show: what was seen of each agent, and how it is known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Generic, cast

from msgspec import Struct

from reconciler.model.resource import Resource
from reconciler.model.state import S_co, T


class Evidence(StrEnum):
    """How a statement about a product is known."""

    VERIFIED = "verified"
    ATTESTED = "attested"
    UNKNOWN = "unknown"


class Observation(Struct, Generic[S_co], frozen=True):
    """What was seen of one resource: its state, None where it is absent; or `problem`, why it could not be read.

    `identity` is the id that the product knows it by, in the form in which ids are compared; "" where it has none.
    """

    identity: str
    state: S_co | None
    problem: str = ""


class AgentView(Struct, frozen=True):
    """One agent as ACC shows it: its id, and what it holds; or `problem`, why it cannot be read.

    `observed` are the things of each kind that can be read back, by the kind's name and then by their identity.
    """

    path: str
    agent_id: str = ""
    observed: Mapping[str, Mapping[str, Observation]] = {}
    problem: str = ""

    def of(self, kind: str) -> Mapping[str, Observation]:
        """The things of one kind, by their identity."""
        return self.observed.get(kind, {})

    def holds(self, identity: str) -> bool:
        """Whether the agent has a thing with this identity, of whatever kind."""
        return any(identity in things for things in self.observed.values())

    @property
    def things(self) -> Iterator[Observation]:
        """All that the agent holds, of whatever kind."""
        return (thing for things in self.observed.values() for thing in things.values())

    @property
    def identities(self) -> Iterator[str]:
        """The identities of all that the agent holds."""
        return (identity for things in self.observed.values() for identity in things if identity)


class Live(Struct, frozen=True):
    """All that was seen: `agents` by path.

    `elsewhere` are agents, by id, that were found by the id which the ledger remembers although no known path leads to
    them any more; the path in such a view is the one where the agent was.
    """

    agents: Mapping[str, AgentView]
    elsewhere: Mapping[str, AgentView] = {}

    def observation(self, resource: Resource[T]) -> Observation[T]:
        """What was seen of a declared resource: present, absent, or unreadable with its agent."""
        view = self.agents.get(resource.agent_path)
        if view is None or view.problem:
            return Observation(resource.identity, None, view.problem if view else "the agent was not read")
        found = view.of(resource.address.kind).get(resource.identity)
        # An agent's things of one kind all have the state of that kind.
        return cast("Observation[T]", found) if found is not None else Observation(resource.identity, None)
