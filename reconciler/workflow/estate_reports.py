"""Brings together by resource and by agent what plan, audit, status and ledger say, without what is secret. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler import planner
from reconciler.identity import normal_id
from reconciler.kind import ObservedKind
from reconciler.kinds.registry import KINDS
from reconciler.model.address import Address
from reconciler.model.condition import Drift, DriftFinding, DriftStatus
from reconciler.model.estate import AgentReport, AgentRunReport, EstateReport, ResourceReport, UnmanagedReport
from reconciler.model.outcome import Done, RunRecord
from reconciler.model.plan import Preview, Visibility
from reconciler.model.resource import Agent, Resource
from reconciler.model.state import JSON, SECRET
from reconciler.secrecy import Secrecy, Texts, covers, masked_at
from reconciler.workflow.history import History
from reconciler.workflow.planning import Planned
from reconciler.workflow.status import Status

if TYPE_CHECKING:
    from reconciler.clients.replies import AgentRun

_MOST_DONE = 40
_RUNS_SHOWN = 20


class Reading(Struct, frozen=True):
    """What was read, and what follows from it. `runs` are those of agents by their id, None where unread."""

    planned: Planned
    audit: Drift
    status: Status
    history: History | None
    runs: Mapping[str, Sequence[AgentRun] | None]
    redact: Callable[[str], str]


def estate_report(read: Reading) -> EstateReport:
    """All that is in sight of what was selected."""
    inputs, plan = read.planned.inputs, read.planned.plan
    resources = tuple(_Resources(read).reports())
    known = {str(one.address) for one in resources}
    is_of_none = [one for one in (*plan.warnings, *read.planned.refusals) if one.address not in known]
    return EstateReport(
        resources,
        tuple(_Agents(read, resources).reports()),
        tuple(sorted({*is_of_none, *inputs.identities.warnings})),
        len(plan.unmanaged),
    )


class _Resources:
    """Makes the reports of resources: those that are declared and selected, and those that only plan or audit know."""

    def __init__(self, read: Reading) -> None:
        self._inputs = inputs = read.planned.inputs
        self._hidden: Secrecy = planner.secrecy(inputs)
        self._texts = Texts(inputs.desired.secret_values)
        plan = read.planned.plan
        self._statuses = {one.address: one for one in read.status.rows}
        self._findings = {one.address: one for one in read.audit.findings}
        self._changes = {one.address: one for one in plan.changes}
        self._blocked = {one.address: one for one in plan.blocked}

    def reports(self) -> Iterator[ResourceReport]:
        """Sorted by address."""
        selected = self._inputs.selected
        declared = {
            one.address: one for one in self._inputs.desired.resources if selected is None or one.address in selected
        }
        found = {at for at, one in self._findings.items() if one.status is not DriftStatus.UNMANAGED}
        for address in sorted({*declared, *found, *self._changes, *self._blocked}):
            yield self._report(address, declared.get(address))

    def _report(self, address: Address, resource: Resource | None) -> ResourceReport:
        finding, entry = self._findings.get(address), self._inputs.memory.entries.get(address)
        kind = KINDS[address.kind]
        return ResourceReport(
            address,
            finding.status if finding is not None else DriftStatus.PENDING,
            resource,
            self._statuses.get(address),
            finding,
            self._changes.get(address),
            self._blocked.get(address),
            self._declared(resource) if resource is not None else {},
            kind.rhythm(resource.state) if resource is not None else "",
            self._outlook(resource) if resource is not None else None,
            entry.at if entry is not None else "",
        )

    def _declared(self, resource: Resource) -> Mapping[str, JSON]:
        """What the manifest says, without what is secret, or was and may still be."""
        told = KINDS[resource.address.kind].declared_fields(resource.state)
        paths = {*self._hidden.paths(resource.identity or str(resource.address)), *resource.secrets}
        return {path: _without(value, path, paths, self._texts) for path, value in told.items()}

    def _outlook(self, resource: Resource) -> Preview | None:
        """The next runs as it is live, and as it is declared."""
        kind = KINDS[resource.address.kind]
        if not isinstance(kind, ObservedKind):
            return None
        live = self._inputs.live.observation(resource)
        if live.problem:
            return None
        return kind.preview(live.state, kind.whole(resource.state, live.state), as_of=self._inputs.as_of)


def _without(value: JSON, path: str, paths: Iterable[str], texts: Texts) -> JSON:
    if isinstance(value, Mapping):
        return masked_at(path, value, paths, texts)
    return SECRET if covers(paths, path) or texts.stand_in(value) else value


class _Agents:
    """Makes the reports of declared agents, of which anything is selected."""

    def __init__(self, read: Reading, resources: Iterable[ResourceReport]) -> None:
        self._read, self._inputs = read, read.planned.inputs
        self._of_agent: dict[str, list[ResourceReport]] = defaultdict(list)
        self._triggers: dict[str, list[ResourceReport]] = defaultdict(list)
        handles = {agent.path: agent.handle for agent in self._inputs.desired.agents}
        for one in resources:
            if KINDS[one.address.kind].visibility is Visibility.STARTED_ONCE:
                for handle in self._agents_of(one):
                    self._triggers[handle].append(one)
            else:
                self._of_agent[handles.get(one.address.agent, one.address.agent)].append(one)
        self._unmanaged: dict[str, list[DriftFinding]] = defaultdict(list)
        for finding in read.audit.findings:
            if finding.status is DriftStatus.UNMANAGED:
                self._unmanaged[finding.address.agent].append(finding)
        self._done: dict[str, list[tuple[RunRecord, Done]]] = defaultdict(list)
        for handle, run, done in _done_by_agent(read.history):
            if len(self._done[handle]) < _MOST_DONE:
                self._done[handle].append((run, done))

    def reports(self) -> Iterator[AgentReport]:
        """Sorted by handle."""
        for agent in sorted(self._inputs.desired.agents, key=lambda one: one.handle):
            if self._inputs.selected is None or self._of_agent[agent.handle]:
                yield self._report(agent)

    def _agents_of(self, trigger: ResourceReport) -> set[str]:
        """The handles of the agents that a trigger starts, or waits for something of."""
        if trigger.resource is None:
            return set()
        started = {one.handle for one in self._inputs.desired.agents if one.path == trigger.resource.agent_path}
        return {need.agent for need in trigger.resource.needs if need.agent} | started

    def _report(self, agent: Agent) -> AgentReport:
        view = self._inputs.live.agents.get(agent.path)
        kept = self._unmanaged[agent.handle]
        resources = tuple(self._of_agent[agent.handle])
        return AgentReport(
            agent,
            view.agent_id if view is not None else "",
            view.problem if view is not None else "",
            resources,
            tuple(self._triggers[agent.handle]),
            tuple(UnmanagedReport(one.address, self._rhythm_of_live(agent, one.address)) for one in kept),
            self._runs(agent, resources),
            tuple(self._done[agent.handle]),
        )

    def _rhythm_of_live(self, agent: Agent, address: Address) -> str:
        view = self._inputs.live.agents.get(agent.path)
        seen = view.of(address.kind).get(address.name) if view is not None else None
        return KINDS[address.kind].rhythm(seen.state) if seen is not None and seen.state is not None else ""

    def _runs(self, agent: Agent, resources: Iterable[ResourceReport]) -> tuple[AgentRunReport, ...] | None:
        view = self._inputs.live.agents.get(agent.path)
        runs = self._read.runs.get(view.agent_id, ()) if view is not None and view.agent_id else ()
        if runs is None:
            return None
        known = {one.resource.identity: one.address for one in resources if one.resource is not None}
        newest = sorted(runs, key=lambda run: run.start_time or "", reverse=True)
        return tuple(self._run(run, known) for run in newest[:_RUNS_SHOWN])

    def _run(self, run: AgentRun, known: Mapping[str, Address]) -> AgentRunReport:
        identity = normal_id(run.schedule_id) if run.schedule_id else ""
        return AgentRunReport(
            run.start_time or "",
            run.end_time or "",
            run.status or "",
            known.get(identity, identity),
            run.errors,
            run.data_count,
            " ".join(self._read.redact(run.status_message or "").split()),
        )


def _done_by_agent(history: History | None) -> Iterator[tuple[str, RunRecord, Done]]:
    """What was applied, newest first, with the agent of each; what is no agent's is left out."""
    for run in history.runs if history is not None else ():
        for done in history.changes.get(run.id, ()) if history is not None else ():
            try:
                address = Address.parse(done.address)
            except ValueError:
                continue
            if address.agent:
                yield address.agent, run, done
