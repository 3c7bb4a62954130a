"""All that a plan is made from, and what the planner needs of each kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto
from typing import Any, Protocol, TypeAlias

from reconciler.diff import Sealer
from reconciler.identity import is_owned
from reconciler.model import (
    Action,
    Address,
    BlockedResource,
    Change,
    Desired,
    Entry,
    FieldChange,
    Finding,
    Intent,
    Live,
    Memory,
    Preview,
    Resource,
    State,
)

Verdict: TypeAlias = Change | BlockedResource | None
"""What the planner says of one resource; None: nothing to do."""


class ScheduleKind(Protocol):
    """What planning needs of the kind `schedule`."""

    def live_state(self, live: Any) -> State: ...
    def desired_state(self, spec: State) -> State: ...
    def whole_state(self, desired: State, live: State | None) -> State: ...
    def diff(self, live: State, desired: State, *, as_of: datetime) -> tuple[FieldChange, ...]: ...
    def declared_terms(self, fields: tuple[FieldChange, ...], spec: State) -> tuple[FieldChange, ...]: ...
    def meaning(self, state: State) -> Mapping[str, str]: ...
    def moved_since(
        self, entry: Entry, state: State, *, rhythm: State, seal: Sealer, as_of: datetime
    ) -> frozenset[str]: ...
    def unset_changes(
        self, entry: Entry, live: State, desired: State, digest_of: Callable[[str, str], str]
    ) -> tuple[FieldChange, ...]: ...
    def knows_what_was_set(self, entry: Entry) -> bool: ...
    def newly_set(self, entry: Entry, desired: State) -> frozenset[str]: ...
    def fingerprint(self, state: State | None) -> str: ...
    def action(self, fields: tuple[FieldChange, ...]) -> Action: ...
    def preview(self, before: State | None, after: State | None, *, as_of: datetime) -> Preview: ...


class RememberedKind(Protocol):
    """What planning needs of a kind that no product shows: its memory stands in for live."""

    def declared(self, state: State, seal: Sealer) -> str: ...
    def diff(self, entry: Entry | None, desired: State) -> tuple[FieldChange, ...]: ...
    def intent(
        self, entry: Entry | None, desired: State, fields: tuple[FieldChange, ...], *, again: bool
    ) -> Intent: ...


class TriggerKind(Protocol):
    """What planning needs of the kind `trigger`."""

    def judge(self, resource: Resource, desired: State, entry: Entry | None, *, again: bool) -> Intent | None: ...


@dataclass(frozen=True, slots=True)
class Kinds:
    """The kinds, as the planner sees them."""

    schedule: ScheduleKind
    input_files: RememberedKind
    approval: RememberedKind
    trigger: TriggerKind


@dataclass(frozen=True, slots=True)
class Identities:
    """What was found out when agents and schedules were told apart by their ids.

    `renamed`: declared addresses with what the thing was known as before. `made_anew`: declared addresses whose agent
    has another id than when they were applied, with that id. `rekeyed` is what the ledger has to be told so that it
    says the same; None where nothing is left at an address.
    """

    renamed: Mapping[Address, str] = field(default_factory=dict)
    made_anew: Mapping[Address, str] = field(default_factory=dict)
    rekeyed: Mapping[Address, Entry | None] = field(default_factory=dict)
    warnings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class PlanInputs:
    """All that a plan is made from.

    `contents` are the desired states of the kinds that no product shows, already sealed. `selected` are the addresses
    that the selectors leave (None: everything, the only case in which anything is pruned). `busy` are paths of agents
    with an active run. `gone_agents` are paths given up. `destroy` plans the end of all that is owned. What is
    desired, live and remembered has been through `identify`, which says in `identities` what it found.
    `resend` is what somebody asks to be sent, or started, once more.
    """

    desired: Desired
    live: Live
    memory: Memory
    contents: Mapping[Address, State]
    as_of: datetime
    seal: Sealer
    selected: frozenset[Address] | None = None
    agent_paths: Mapping[str, str] = field(default_factory=dict)
    busy: frozenset[str] = frozenset()
    mft_problem: str = ""
    accepts_new_ledger: bool = False
    destroy: bool = False
    gone_agents: frozenset[str] = frozenset()
    resend: frozenset[Address] = frozenset()
    identities: Identities = Identities()

    def paths_in_sight(self) -> frozenset[str]:
        """The agents of what the selectors leave. Others are read for the sake of guards and needs."""
        if self.selected is None:
            return frozenset(self.live.agents)
        return frozenset(one.agent_path for one in self.desired.resources if one.address in self.selected)


class Loss(Enum):
    """Whether the ledger remembers less than has happened."""

    NONE = auto()
    POSSIBLE = auto()
    """It is empty, and an agent whose schedules would tell cannot be read."""
    CERTAIN = auto()
    """It is empty, or was when it was made, although schedules of ours were live already."""


def loss_of(inputs: PlanInputs) -> Loss:
    """What the ledger and the live schedules together say about a loss. One that is accepted is none any more."""
    memory, project = inputs.memory, inputs.desired.project
    if memory.known:
        return Loss.NONE
    if memory.lost:
        return Loss.CERTAIN
    remembered = {entry.identity for entry in memory.entries.values()}
    for view in inputs.live.agents.values():
        for identity in view.schedules:
            if identity not in remembered and is_owned(identity, project.name, project.environment):
                return Loss.CERTAIN
    return Loss.POSSIBLE if any(view.problem for view in inputs.live.agents.values()) else Loss.NONE
