"""Which agent is meant: by its path in the repository, or by its id."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from reconciler.cli.product_calls import acc_client
from reconciler.identity import normal_id
from reconciler.product_terms import is_guid

if TYPE_CHECKING:
    from reconciler.clients.acc import AccClient


agent_argument = click.argument("agent", metavar="AGENT")


def is_id(agent: str) -> bool:
    return is_guid(agent.strip().removeprefix("{").removesuffix("}"))


def path_of(agent: str) -> str:
    """The path, where one was given; else ""."""
    return "" if is_id(agent) else agent


def agent_id_of(client: AccClient, agent: str) -> str:
    """The agent's id, asked of the product when a path is given. Raises Missing."""
    return normal_id(agent) if is_id(agent) else client.get_agent(agent).agent_id


@contextmanager
def client_and_id(agent: str) -> Iterator[tuple[AccClient, str]]:
    """A client for the project's `acc` connection, and the agent's id."""
    with acc_client() as client:
        yield client, agent_id_of(client, agent)
