"""Which agent is meant: by its path in the repository, or by its id."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from reconciler.identity import normal_id

if TYPE_CHECKING:
    from reconciler.clients.acc import AccClient

_ID = re.compile(r"\{?[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\}?")

agent_argument = click.argument("agent", metavar="AGENT")


def is_id(agent: str) -> bool:
    return bool(_ID.fullmatch(agent.strip()))


def path_of(agent: str) -> str:
    """The path, where one was given; else ""."""
    return "" if is_id(agent) else agent


def agent_id_of(client: AccClient, agent: str) -> str:
    """The agent's id, asked of the product when a path is given. Raises Missing."""
    return normal_id(agent) if is_id(agent) else client.get_agent(agent).agent_id
