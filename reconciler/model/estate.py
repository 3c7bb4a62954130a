"""Everything that a report shows of a project, by resource and by agent: what each page says of one thing is one."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from reconciler.model.address import Address
from reconciler.model.condition import DriftFinding, DriftStatus, Health, ResourceStatus
from reconciler.model.outcome import Done, RunRecord
from reconciler.model.plan import BlockedResource, Change, Finding, Preview
from reconciler.model.resource import Agent, Resource
from reconciler.model.state import JSON


class ResourceReport(Struct, frozen=True):
    """One resource with all that is known of it; `resource` is None for one that no manifest declares.

    `declared` is what the manifest says, by its own words and without what is secret. `rhythm` says when it runs, in
    words, and `outlook` its next runs as it is live (before) and as it is declared (after). `reached` is when the
    ledger heard of it last, RFC 3339, "" where it did not.
    """

    address: Address
    sync: DriftStatus
    resource: Resource | None = None
    status: ResourceStatus | None = None
    finding: DriftFinding | None = None
    change: Change | None = None
    blocked: BlockedResource | None = None
    declared: Mapping[str, JSON] = {}
    rhythm: str = ""
    outlook: Preview | None = None
    reached: str = ""

    @property
    def health(self) -> Health | None:
        """None for what has no health: nobody can see whether an approval does its work."""
        return self.status.health if self.status is not None else None

    @property
    def is_unhealthy(self) -> bool:
        return self.status is not None and self.status.is_unhealthy

    @property
    def needs_attention(self) -> bool:
        """Whether somebody should look: unhealthy, drifted, blocked, or not known."""
        is_odd = self.status is not None and self.status.needs_attention
        return is_odd or self.blocked is not None or self.sync.needs_attention

    @property
    def labels(self) -> Mapping[str, str]:
        return self.resource.labels if self.resource is not None else {}


class UnmanagedReport(Struct, frozen=True):
    """A live thing of an agent that is not ours, and when it runs, in words."""

    address: Address
    rhythm: str = ""


class AgentRunReport(Struct, frozen=True):
    """One run of an agent as its product shows it, without what is secret. Times are RFC 3339, "" where there is none.

    `started_by` is the address of what started it, its product's id where no manifest declares that, "" where nothing
    did.
    """

    began: str
    ended: str
    status: str
    started_by: Address | str = ""
    errors: int | None = None
    data_count: int | None = None
    said: str = ""


class AgentReport(Struct, frozen=True):
    """One declared agent. `problem` is why it could not be read, "" where it could; `runs` None where those could not.

    `triggers` start it, or wait for something of it. `done` is what was applied to it, newest first.
    """

    agent: Agent
    agent_id: str = ""
    problem: str = ""
    resources: tuple[ResourceReport, ...] = ()
    triggers: tuple[ResourceReport, ...] = ()
    unmanaged: tuple[UnmanagedReport, ...] = ()
    runs: tuple[AgentRunReport, ...] | None = ()
    done: tuple[tuple[RunRecord, Done], ...] = ()


class EstateReport(Struct, frozen=True):
    """All resources and agents in sight, sorted. `notes` are warnings and refusals about no single resource.

    `unmanaged` counts live schedules that are not ours.
    """

    resources: tuple[ResourceReport, ...]
    agents: tuple[AgentReport, ...]
    notes: tuple[Finding, ...] = ()
    unmanaged: int = 0
