"""sync x health x last run x next run, of every schedule and trigger."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from reconciler import planner
from reconciler.clients.replies import AgentRun, moment, read_parameters
from reconciler.errors import Missing, ProductError
from reconciler.kinds import health
from reconciler.kinds.trigger_health import OPEN, TaskRun, Unread, of_trigger
from reconciler.model import Address, DriftStatus, Health, KindName, Resource, Standing, Unchanged
from reconciler.products import Products
from reconciler.selection import Selection
from reconciler.workflow.context import CommandContext, PlanOptions
from reconciler.workflow.memory import read
from reconciler.workflow.planning import KINDS, read_inputs
from reconciler.workflow.reading import load

_RUNS_READ = 20
ATTESTED = (KindName.INPUT_FILES, KindName.APPROVAL)


@dataclass(frozen=True, slots=True)
class Status:
    """What `status` shows, worst first. `incomplete`: something could not be read, so it may be worse than it looks.

    `attested` counts what no product shows and what needs no change.
    """

    project: str
    environment: str
    standings: tuple[Standing, ...]
    incomplete: bool = False
    attested: tuple[Unchanged, ...] = ()


def status(context: CommandContext, selection: Selection) -> Status:
    """Read live, memory and run histories. Writes nothing."""
    desired = load(context)
    memory = read(context, desired.project)
    with Products(desired.project, desired.secret_values, context.stop, context.clock) as products:
        inputs = read_inputs(context, PlanOptions(selection), desired, memory, products)
        runs = _runs(context, inputs, products)
        task_runs = _task_runs(context, inputs, products)
    audit = planner.audit(inputs, KINDS)
    syncs = {finding.address: finding.status for finding in audit.findings}
    chosen = inputs.selected
    standings = [
        _of_trigger(resource, inputs, syncs.get(resource.address, DriftStatus.PENDING), task_runs, products.redact)
        if resource.address.kind is KindName.TRIGGER
        else _standing(resource, inputs, syncs.get(resource.address, DriftStatus.PENDING), runs, products.redact)
        for resource in inputs.desired.resources
        if resource.address.kind in (KindName.SCHEDULE, KindName.TRIGGER)
        and (chosen is None or resource.address in chosen)
    ]
    order = list(Health)
    standings.sort(key=lambda standing: (order.index(standing.health), standing.address))
    unread = any(standing.sync is DriftStatus.UNREADABLE for standing in standings) or None in runs.values()
    unread = unread or any(isinstance(run, Unread) and not run.is_missing for run in task_runs.values())
    return Status(
        desired.project.name,
        desired.project.environment,
        tuple(standings),
        incomplete=unread,
        attested=tuple(one for one in audit.unchanged if one.kind in ATTESTED),
    )


def _runs(context: CommandContext, inputs: planner.PlanInputs, products: Products) -> dict[str, Iterable[Any] | None]:
    """The latest runs of every agent whose schedules are shown, by path; None where they cannot be read."""
    shown = {
        resource.agent_path
        for resource in inputs.desired.resources
        if resource.address.kind is KindName.SCHEDULE
        and (inputs.selected is None or resource.address in inputs.selected)
    }
    views = [view for path, view in inputs.live.agents.items() if not view.problem and view.schedules and path in shown]
    if not views:
        return {}

    hidden = planner.secrecy(inputs)

    def runs_of(agent_id: str) -> Iterable[Any] | None:
        if context.stop.is_set():
            return None
        try:
            found = products.acc.run_history(agent_id, count=_RUNS_READ)
        except ProductError:
            return None
        # The product may show back what a manifest made secret, in an error that a run ended with.
        products.hide(hidden.values_of_runs((run.schedule_id or "", _parameters_of(run)) for run in found))
        return [replace(run, status_message=products.redact(run.status_message or "")) for run in found]

    with ThreadPoolExecutor(products.connection("acc").concurrency) as pool:
        found = pool.map(runs_of, [view.agent_id for view in views])
        result: dict[str, Iterable[Any] | None] = {}
        for number, (view, runs) in enumerate(zip(views, found, strict=True), 1):
            result[view.path] = runs
            context.progress("reading runs", number, len(views))
    return result


def _task_runs(
    context: CommandContext, inputs: planner.PlanInputs, products: Products
) -> dict[Address, TaskRun | Unread]:
    """The open run of every trigger in sight, as Automate MFT shows it now."""
    chosen, entries = inputs.selected, inputs.memory.entries
    run_ids = {
        resource.address: str(entry.facts["runId"])
        for resource in inputs.desired.resources
        if resource.address.kind is KindName.TRIGGER and (chosen is None or resource.address in chosen)
        if (entry := entries.get(resource.address)) is not None
        if entry.facts.get("state") in OPEN and entry.facts.get("runId")
    }
    if not run_ids:
        return {}

    def run_of(run_id: str) -> TaskRun | Unread:
        if context.stop.is_set():
            return Unread("interrupted", is_missing=False)
        try:
            return products.mft.task_run(run_id)
        except ProductError as error:
            return Unread(products.redact(error.words), is_missing=isinstance(error, Missing))

    with ThreadPoolExecutor(products.connection("mft").concurrency) as pool:
        return dict(zip(run_ids, pool.map(run_of, run_ids.values()), strict=True))


def _of_trigger(
    resource: Resource,
    inputs: planner.PlanInputs,
    sync: DriftStatus,
    runs: Mapping[Address, TaskRun | Unread],
    redact: Callable[[str], str],
) -> Standing:
    is_lost = planner.loss_of(inputs) is not planner.Loss.NONE
    entry, run = inputs.memory.entries.get(resource.address), runs.get(resource.address)
    said = of_trigger(entry, run, is_lost=is_lost)
    notes = tuple(map(redact, said.notes))
    return Standing(resource.address, sync, said.health, said.last_run, notes=notes, in_doubt=said.in_doubt)


def _parameters_of(run: AgentRun) -> Mapping[str, str] | None:
    return read_parameters(next((value for key, value in run.raw.items() if key.lower() == "inputparameters"), None))


def _standing(
    resource: Resource,
    inputs: planner.PlanInputs,
    sync: DriftStatus,
    runs: dict[str, Iterable[Any] | None],
    redact: Callable[[str], str],
) -> Standing:
    view = inputs.live.agents.get(resource.agent_path)
    live = view.schedules.get(resource.identity) if view is not None else None
    if view is None or view.problem:
        return Standing(resource.address, sync, Health.UNKNOWN, notes=(view.problem if view else "not read",))
    if live is None:
        return Standing(resource.address, sync, Health.UNKNOWN, notes=("not in ACC",))
    entry = inputs.memory.entries.get(resource.address)
    since = moment(entry.at) if entry is not None else None
    live = replace(live, error_message=redact(live.error_message or ""))
    said = health.of_schedule(live, resource.spec, runs.get(view.path), since=since, as_of=inputs.as_of)
    return Standing(
        resource.address,
        sync,
        said.health,
        said.last_run,
        said.next_run,
        said.predicted,
        tuple(map(redact, said.notes)),
    )
