"""Works out when everything runs: what the manifests say, what is live, or what a plan would make of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from reconciler import timetable
from reconciler.calendar.collisions import overcrowded
from reconciler.calendar.forecast import Calendar, Entry, common_zone, forecast_of, read_zone, window_of
from reconciler.calendar.job_starts import Job
from reconciler.calendar.run_durations import Durations, read_durations
from reconciler.calendar.simultaneous_starts import THRESHOLD
from reconciler.errors import UsageError
from reconciler.kinds import schedule
from reconciler.model import Address, Desired, KindName, Live, State
from reconciler.products import Products
from reconciler.selection import Selection, select
from reconciler.workflow.contents import with_needs
from reconciler.workflow.context import CommandContext, PlanOptions
from reconciler.workflow.memory import read
from reconciler.workflow.planning import decide
from reconciler.workflow.reading import load
from reconciler.workflow.refresh import refresh

Key = tuple[str, str]
"""A schedule by its agent's path and its id."""


class Source(StrEnum):
    """What a calendar is made from."""

    LIVE = "live"
    DESIRED = "desired"
    PLAN = "plan"


@dataclass(frozen=True, slots=True)
class Request:
    """What calendar is asked for. No `source`: live where the project has a connection to ACC, else desired.

    `first` is the first day (None: today), `zone` the clock to show times on (None: that of most schedules).
    """

    source: Source | None = None
    days: int = 7
    first: date | None = None
    zone: str | None = None
    selection: Selection = field(default_factory=Selection)
    durations: bool = True
    threshold: int = THRESHOLD


@dataclass(frozen=True, slots=True)
class _Known:
    """A schedule of an estate: where it stands, its full state, and whether a manifest declares it."""

    address: str
    agent_path: str
    state: State
    managed: bool


_Estate = Mapping[Key, _Known]


@dataclass(frozen=True, slots=True)
class _Sources:
    """The estates to show, what could not be read, and how long runs take."""

    shown: _Estate
    before: _Estate | None = None
    unreadable: tuple[tuple[str, str], ...] = ()
    durations: Durations = field(default_factory=Durations)


def calendar(context: CommandContext, request: Request) -> tuple[Desired, Calendar]:
    """Make the calendar. Writes nothing; `desired` needs no network.

    Raises ManifestError, and UsageError for a zone that nobody knows or a missing connection.
    """
    desired = load(context)
    source = request.source or (Source.LIVE if "acc" in desired.project.connections else Source.DESIRED)
    found = _desired_only(desired, request) if source is Source.DESIRED else _seen(context, desired, request, source)
    notes = list(found.durations.notes)
    shown = tuple(_entries(found.shown, found.durations, notes))
    before = None if found.before is None else tuple(_entries(found.before, found.durations, notes))
    as_of = context.clock()
    if request.zone is None:
        zone, reason = common_zone(entry.job.timing for entry in shown if entry.job.enabled)
    else:
        try:
            zone, reason = read_zone(request.zone), "as asked for"
        except timetable.TimetableError as error:
            raise UsageError(error.message, hint=error.hint) from None
    first = request.first or as_of.astimezone(zone).date()
    window = window_of(first, request.days, zone)
    notes.extend(overcrowded(entry.job for entry in shown))
    notes.extend(_inexact_zones(desired, shown, first, request.days))

    return desired, Calendar(
        source=source.value,
        zone=zone,
        zone_reason=reason,
        as_of=as_of,
        threshold=request.threshold,
        shown=forecast_of(shown, window, zone, as_of=as_of, threshold=request.threshold),
        before=None if before is None else forecast_of(before, window, zone, as_of=as_of, threshold=request.threshold),
        unreadable=found.unreadable,
        notes=tuple(sorted(set(notes))),
    )


def _desired_only(desired: Desired, request: Request) -> _Sources:
    selected = select(desired.resources, request.selection)
    return _Sources(
        {
            (resource.agent_path, resource.identity): _Known(
                str(resource.address),
                resource.agent_path,
                schedule.whole_state(schedule.desired_state(resource.spec), None),
                managed=True,
            )
            for resource in desired.resources
            if resource.address.kind is KindName.SCHEDULE and (selected is None or resource.address in selected)
        }
    )


def _seen(context: CommandContext, desired: Desired, request: Request, source: Source) -> _Sources:
    """What is live, and for a plan also what would be after it."""
    remembered = read(context, desired.project)
    with Products(desired.project, desired.secret_values, context.stop, context.clock) as products:
        if source is Source.PLAN:
            planned = decide(context, PlanOptions(request.selection), desired, remembered, products)
            desired, live, selected = planned.desired, planned.inputs.live, planned.inputs.selected
        else:
            selected = select(desired.resources, request.selection)
            wanted = with_needs(desired, selected)
            found = refresh(context, desired, wanted, remembered, products, as_of=context.clock())
            desired, live = found.desired, found.live
        durations = Durations()
        if request.durations:
            durations = read_durations(live, products, stop=context.stop, progress=context.progress)
    before = _live_estate(desired, live, selected)
    unreadable = tuple(
        sorted(
            [(view.path, view.problem) for view in live.agents.values() if view.problem]
            + [(problem.address, problem.message) for problem in live.problems]
        )
    )
    if source is Source.LIVE:
        return _Sources(before, None, unreadable, durations)
    after = dict(before)
    for change in planned.plan.changes:
        if change.address.kind is not KindName.SCHEDULE or not change.action.is_remote:
            continue
        key = (change.agent_path, change.identity)
        after.pop(key, None)
        if change.after is not None:
            after[key] = _Known(str(change.address), change.agent_path, change.after, managed=True)
    return _Sources(after, before, unreadable, durations)


def _live_estate(desired: Desired, live: Live, selected: frozenset[Address] | None) -> _Estate:
    """All live schedules by the address of their manifest; the others by their agent and their id."""
    declared = {
        (resource.agent_path, resource.identity): resource.address
        for resource in desired.resources
        if resource.address.kind is KindName.SCHEDULE
    }
    handles = {agent.path: agent.handle for agent in desired.agents}
    found: dict[Key, _Known] = {}
    for path, view in live.agents.items():
        for identity, one in view.schedules.items():
            address = declared.get((path, identity))
            if selected is not None and address not in selected:
                continue
            shown = str(address or Address(KindName.SCHEDULE, handles.get(path, path), identity))
            found[path, identity] = _Known(shown, path, schedule.live_state(one), managed=address is not None)
    return found


def _inexact_zones(desired: Desired, entries: tuple[Entry, ...], first: date, days: int) -> Iterator[str]:
    """Where a manifest names a zone whose clock is not, in these days, that of the Windows id that ACC is told."""
    shown = {entry.job.address for entry in entries}
    written: dict[str, list[str]] = defaultdict(list)
    for resource in desired.resources:
        address = str(resource.address)
        if address in shown and (zone := resource.spec.get("timeZone")):
            written[zone].append(address)
    for zone, addresses in sorted(written.items()):
        if told := timetable.inexact_zone(zone, first.toordinal(), days):
            more = f" and {len(addresses) - 1} more" if len(addresses) > 1 else ""
            yield f"{min(addresses)}{more}: {told}"


def _entries(estate: _Estate, durations: Durations, notes: list[str]) -> Iterator[Entry]:
    for (path, identity), known in sorted(estate.items(), key=lambda item: item[1].address):
        timing = schedule.timing(known.state)
        if timing is None or timing.rules is None:
            notes.append(f"{known.address}: its rhythm, start or zone cannot be read, so it is not in the calendar")
            continue
        # A product that does not say whether a schedule is enabled is taken to run it.
        enabled = known.state.get("enabled") is not False
        job = Job(known.address, path, timing, enabled, durations.of(path, identity))
        yield Entry(job, timetable.describe(timing.expression), known.managed)
