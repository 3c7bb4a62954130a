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
from reconciler.workflow.memory import read
from reconciler.workflow.reading import load
from reconciler.workflow.setting import Intention, Setting
from reconciler.workflow.survey import KINDS, read_scene

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


def status(setting: Setting, selection: Selection) -> Status:
    """Read live, memory and run histories. Writes nothing."""
    desired = load(setting)
    memory = read(setting, desired.project)
    with Products(desired.project, desired.secret_values, setting.stop, setting.clock) as products:
        scene = read_scene(setting, Intention(selection), desired, memory, products)
        runs = _runs(setting, scene, products)
        task_runs = _task_runs(setting, scene, products)
    audit = planner.audit(scene, KINDS)
    syncs = {finding.address: finding.status for finding in audit.findings}
    chosen = scene.selected
    standings = [
        _of_trigger(resource, scene, syncs.get(resource.address, DriftStatus.PENDING), task_runs, products.redact)
        if resource.address.kind is KindName.TRIGGER
        else _standing(resource, scene, syncs.get(resource.address, DriftStatus.PENDING), runs, products.redact)
        for resource in scene.desired.resources
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


def _runs(setting: Setting, scene: planner.Scene, products: Products) -> dict[str, Iterable[Any] | None]:
    """The latest runs of every agent whose schedules are shown, by path; None where they cannot be read."""
    shown = {
        resource.agent_path
        for resource in scene.desired.resources
        if resource.address.kind is KindName.SCHEDULE and (scene.selected is None or resource.address in scene.selected)
    }
    views = [view for path, view in scene.live.agents.items() if not view.problem and view.schedules and path in shown]
    if not views:
        return {}

    hidden = planner.secrecy(scene)

    def runs_of(agent_id: str) -> Iterable[Any] | None:
        if setting.stop.is_set():
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
            setting.progress("reading runs", number, len(views))
    return result


def _task_runs(setting: Setting, scene: planner.Scene, products: Products) -> dict[Address, TaskRun | Unread]:
    """The open run of every trigger in sight, as Automate MFT shows it now."""
    chosen, entries = scene.selected, scene.memory.entries
    run_ids = {
        resource.address: str(entry.facts["runId"])
        for resource in scene.desired.resources
        if resource.address.kind is KindName.TRIGGER and (chosen is None or resource.address in chosen)
        if (entry := entries.get(resource.address)) is not None
        if entry.facts.get("state") in OPEN and entry.facts.get("runId")
    }
    if not run_ids:
        return {}

    def run_of(run_id: str) -> TaskRun | Unread:
        if setting.stop.is_set():
            return Unread("interrupted", is_missing=False)
        try:
            return products.mft.task_run(run_id)
        except ProductError as error:
            return Unread(products.redact(error.words), is_missing=isinstance(error, Missing))

    with ThreadPoolExecutor(products.connection("mft").concurrency) as pool:
        return dict(zip(run_ids, pool.map(run_of, run_ids.values()), strict=True))


def _of_trigger(
    resource: Resource,
    scene: planner.Scene,
    sync: DriftStatus,
    runs: Mapping[Address, TaskRun | Unread],
    redact: Callable[[str], str],
) -> Standing:
    is_lost = planner.loss_of(scene) is not planner.Loss.NONE
    entry, run = scene.memory.entries.get(resource.address), runs.get(resource.address)
    said = of_trigger(entry, run, is_lost=is_lost)
    notes = tuple(map(redact, said.notes))
    return Standing(resource.address, sync, said.health, said.last_run, notes=notes, in_doubt=said.in_doubt)


def _parameters_of(run: AgentRun) -> Mapping[str, str] | None:
    return read_parameters(next((value for key, value in run.raw.items() if key.lower() == "inputparameters"), None))


def _standing(
    resource: Resource,
    scene: planner.Scene,
    sync: DriftStatus,
    runs: dict[str, Iterable[Any] | None],
    redact: Callable[[str], str],
) -> Standing:
    view = scene.live.agents.get(resource.agent_path)
    live = view.schedules.get(resource.identity) if view is not None else None
    if view is None or view.problem:
        return Standing(resource.address, sync, Health.UNKNOWN, notes=(view.problem if view else "not read",))
    if live is None:
        return Standing(resource.address, sync, Health.UNKNOWN, notes=("not in ACC",))
    entry = scene.memory.entries.get(resource.address)
    since = moment(entry.at) if entry is not None else None
    live = replace(live, error_message=redact(live.error_message or ""))
    said = health.of_schedule(live, resource.spec, runs.get(view.path), since=since, as_of=scene.as_of)
    return Standing(
        resource.address,
        sync,
        said.health,
        said.last_run,
        said.next_run,
        said.predicted,
        tuple(map(redact, said.notes)),
    )
