"""All that a plan is made from."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import Enum, auto
from typing import TypeAlias

from msgspec import Struct

from reconciler.diff import Sealer
from reconciler.identity import is_owned
from reconciler.kind import Product
from reconciler.model.address import Address
from reconciler.model.entry import AdoptedId, Entry, Memory
from reconciler.model.live import Live
from reconciler.model.plan import BlockedResource, Change, Finding
from reconciler.model.resource import Desired

Verdict: TypeAlias = Change | BlockedResource | None
"""What the planner says of one resource; None: nothing to do."""


class Identities(Struct, frozen=True):
    """What was found out when agents and schedules were told apart by their ids.

    `renamed`: declared addresses with what the thing was known as before. `made_anew`: declared addresses whose agent
    has another id than when they were applied, with that id. `rekeyed` is what the ledger has to be told so that it
    says the same; None where nothing is left at an address.
    """

    renamed: Mapping[Address, str] = {}
    made_anew: Mapping[Address, str] = {}
    rekeyed: Mapping[Address, Entry | None] = {}
    warnings: tuple[Finding, ...] = ()


class PlanInputs(Struct, frozen=True):
    """All that a plan is made from.

    `complete` are the resources whose state is complete: those that the selectors leave, and all that they need.
    `selected` are the addresses that the selectors leave (None: everything, the only case in which anything is
    pruned). `busy` are paths of agents with an active run. `product_problems` say why a product could not be asked what
    a start rests on. `gone_agents` are paths given up. `destroy` plans the end of all that is owned. `resend` is what
    somebody asks to be sent, or started, once more. What is desired, live and remembered has been through `identify`,
    which says in `identities` what it found. `environment_ids` are those of `memory` that are of the same ACC, by id.
    """

    desired: Desired
    live: Live
    memory: Memory
    complete: frozenset[Address]
    as_of: datetime
    seal: Sealer
    selected: frozenset[Address] | None = None
    agent_paths: Mapping[str, str] = {}
    busy: frozenset[str] = frozenset()
    product_problems: Mapping[Product, str] = {}
    accepts_new_ledger: bool = False
    destroy: bool = False
    gone_agents: frozenset[str] = frozenset()
    resend: frozenset[Address] = frozenset()
    identities: Identities = Identities()
    environment_ids: Mapping[str, AdoptedId] = {}

    def paths_in_sight(self) -> frozenset[str]:
        """The agents of what the selectors leave. Others are read for the sake of guards and needs."""
        if self.selected is None:
            return frozenset(self.live.agents)
        return frozenset(one.agent_path for one in self.desired.resources if one.address in self.selected)


class LedgerLoss(Enum):
    """Whether the ledger remembers less than has happened."""

    NONE = auto()
    POSSIBLE = auto()
    """It is empty, and an agent whose schedules would tell cannot be read."""
    CERTAIN = auto()
    """It is empty, or was when it was made, although schedules of ours were live already."""


def loss_of(inputs: PlanInputs) -> LedgerLoss:
    """What the ledger and the live schedules together say about a loss. One that is accepted is none any more."""
    memory, project = inputs.memory, inputs.desired.project
    if memory.known:
        return LedgerLoss.NONE
    if memory.lost:
        return LedgerLoss.CERTAIN
    remembered = {entry.identity for entry in memory.entries.values()}
    for view in inputs.live.agents.values():
        for identity in view.identities:
            if identity not in remembered and is_owned(identity, project.name, project.environment):
                return LedgerLoss.CERTAIN
    return LedgerLoss.POSSIBLE if any(view.problem for view in inputs.live.agents.values()) else LedgerLoss.NONE
