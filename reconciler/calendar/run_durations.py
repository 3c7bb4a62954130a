"""How long runs take, from ACC's own run histories; a history that cannot be read costs nothing but this knowledge."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from statistics import median

from msgspec import Struct

from reconciler.clients.replies import AgentRun, moment
from reconciler.errors import ProductError
from reconciler.kinds import schedule
from reconciler.model.live import AgentView, Live
from reconciler.products import Products
from reconciler.quantities import first_few

_RUNS_READ = 50
_LONGEST = timedelta(days=7)


class Durations(Struct, frozen=True):
    """Seconds that runs take, by agent path and schedule id; those of all runs of an agent under the id ""."""

    seconds: Mapping[tuple[str, str], int] = {}
    notes: tuple[str, ...] = ()

    def of(self, agent_path: str, identity: str) -> int | None:
        """The median duration of a schedule's runs, else of its agent's runs, else None."""
        return self.seconds.get((agent_path, identity), self.seconds.get((agent_path, "")))


def read_durations(
    live: Live, products: Products, *, stop: threading.Event, progress: Callable[[str, int, int], None]
) -> Durations:
    """Ask for the latest runs of every agent that has schedules, as many at a time as the connection allows."""
    views = _with_schedules(live)
    if not views:
        return Durations()
    acc = products.acc

    def runs_of(view: AgentView) -> Iterable[AgentRun] | str:
        if stop.is_set():
            return "interrupted"
        try:
            return acc.run_history(view.agent_id, count=_RUNS_READ)
        except ProductError as error:
            return error.message

    found: dict[str, Iterable[AgentRun] | str] = {}
    with ThreadPoolExecutor(max(1, min(products.connection("acc").concurrency, len(views)))) as pool:
        for number, (view, runs) in enumerate(zip(views, pool.map(runs_of, views), strict=True), 1):
            progress("reading run histories", number, len(views))
            found[view.agent_id] = runs
    return durations_from(live, found)


def durations_from(live: Live, runs: Mapping[str, Iterable[AgentRun] | str]) -> Durations:
    """How long runs take, by the histories that were read of agents, by their id; a text says why one was not."""
    seconds: dict[tuple[str, str], int] = {}
    failed: list[str] = []
    for view in _with_schedules(live):
        known = runs.get(view.agent_id, ())
        if isinstance(known, str):
            failed.append(f"{view.path} ({known})")
            continue
        seconds.update({(view.path, identity): took for identity, took in took_by_schedule(known).items()})
    notes: tuple[str, ...] = ()
    if failed:
        notes = (
            f"the run history of {first_few(failed, 1)} could not be read: the duration of those runs is not known",
        )
    return Durations(seconds, notes)


def _with_schedules(live: Live) -> list[AgentView]:
    return [view for view in live.agents.values() if not view.problem and view.of(schedule.KIND.name)]


def took_by_schedule(runs: Iterable[AgentRun]) -> dict[str, int]:
    """The median seconds of finished runs by schedule id, and of all of them under "".

    The sessions of one job run count as one run, from the first begin to the last end. A run of no job has number 0.
    """
    spans: dict[tuple[str, object], tuple[datetime, datetime]] = {}
    for number, run in enumerate(runs):
        begin, end = moment(run.start_time), moment(run.end_time)
        if run.is_active or begin is None or end is None or (begin.tzinfo is None) != (end.tzinfo is None):
            continue
        if not timedelta(0) <= end - begin <= _LONGEST:
            continue
        key = (run.schedule_id or "", run.job_run_number or f"run {number}")
        known = spans.get(key)
        if known is not None and (known[0].tzinfo is None) == (begin.tzinfo is None):
            begin, end = min(known[0], begin), max(known[1], end)
        spans[key] = begin, end
    seconds: dict[str, list[float]] = defaultdict(list)
    for (identity, _), (begin, end) in spans.items():
        seconds[""].append((end - begin).total_seconds())
        if identity:
            seconds[identity].append((end - begin).total_seconds())
    return {identity: max(1, round(median(found))) for identity, found in seconds.items()}
