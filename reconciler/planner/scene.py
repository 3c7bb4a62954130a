"""All that a plan is made from, and what the planner needs of each kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
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
    def fingerprint(self, state: State | None) -> str: ...
    def action(self, fields: tuple[FieldChange, ...]) -> Action: ...
    def preview(self, before: State | None, after: State | None, *, as_of: datetime) -> Preview: ...


class RememberedKind(Protocol):
    """What planning needs of a kind that no product shows: its memory stands in for live."""

    def diff(self, entry: Entry | None, desired: State) -> tuple[FieldChange, ...]: ...
    def intent(self, entry: Entry | None, desired: State, fields: tuple[FieldChange, ...]) -> Intent: ...


class TriggerKind(Protocol):
    """What planning needs of the kind `trigger`."""

    def judge(self, resource: Resource, desired: State, entry: Entry | None) -> Intent | None: ...


@dataclass(frozen=True, slots=True)
class Kinds:
    """The kinds, as the planner sees them."""

    schedule: ScheduleKind
    input_files: RememberedKind
    approval: RememberedKind
    trigger: TriggerKind


@dataclass(frozen=True, slots=True)
class Scene:
    """All that a plan is made from.

    `contents` are the desired states of the kinds that no product shows, already sealed. `selected` are the addresses
    that the selectors leave (None: everything, the only case in which anything is pruned). `busy` are paths of agents
    with an active run. `gone_agents` are paths given up. `destroy` plans the end of all that is owned.
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


def ledger_was_lost(scene: Scene) -> bool:
    """Whether owned schedules are live although the ledger remembers nothing at all."""
    if scene.memory.known:
        return False
    project = scene.desired.project
    return any(
        is_owned(identity, project.name, project.environment)
        for view in scene.live.agents.values()
        for identity in view.schedules
    )


def ledger_may_be_lost(scene: Scene) -> bool:
    """Whether it was lost, or cannot be told from a new one, since an agent that would tell is unreadable."""
    return ledger_was_lost(scene) or (
        not scene.memory.known and any(view.problem for view in scene.live.agents.values())
    )
