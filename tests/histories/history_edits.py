"""What people do between two runs: what all such steps share.

Each step takes two small numbers that choose, and says what it did, "" when there was nothing to do it to. So a step
can be left out of a history without making the others senseless, which is how histories are made shorter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from history_manifests import HANDLES, MEANINGS, NAMES, Block, Document, Manifests
from history_model import Model
from history_world import World, is_ours

from reconciler.emulator.acc_state import Agent, Schedule

T = TypeVar("T")


def chosen(several: Sequence[T], number: int) -> T | None:
    return several[number % len(several)] if several else None


@dataclass
class Edits:
    """A group of steps that run nothing."""

    world: World
    manifests: Manifests
    model: Model

    def pick_document(self, a: int) -> tuple[Document, Agent] | None:
        """A document, and the agent that it leads to."""
        document = chosen(self.manifests.documents, a)
        agent = self.world.at(document.path) if document is not None else None
        return (document, agent) if document is not None and agent is not None else None

    def pick_schedule(self, a: int) -> tuple[Document, Block] | None:
        every = [(document, block) for document in self.manifests.documents for block in document.blocks]
        return chosen(every, a)

    def free_handle(self, b: int) -> str | None:
        return chosen([one for one in HANDLES if all(one != each.handle for each in self.manifests.documents)], b)

    def free_name(self, document: Document, b: int) -> str | None:
        used = {block.name for block in document.blocks}
        return chosen([one for one in NAMES if one not in used], b)

    def undeclared_agent(self, a: int) -> Agent | None:
        """An agent that no document leads to, and whose path none spells in another case."""
        taken = {agent.agent_id for one in self.manifests.documents if (agent := self.world.at(one.path)) is not None}
        free = [one for one in self.world.agents() if one.agent_id not in taken and not self.is_path_taken(one.path)]
        return chosen(free, a)

    def is_path_taken(self, path: str, but: Document | None = None) -> bool:
        folded = path.casefold()
        return any(one.path.casefold() == folded for one in self.manifests.documents if one is not but)

    def make_block(self, name: str, when: int) -> Block:
        return Block(next(self.manifests.numbers), name, when % len(MEANINGS))

    def live(self, *, ours: bool) -> list[Schedule]:
        return [one for key, one in sorted(self.world.estate.schedules.items()) if is_ours(key) == ours]
