"""When everything runs: what the manifests say, what is live, or what a plan would make of it; and how to spread it."""

from __future__ import annotations

from datetime import date, datetime

from msgspec import Struct, field

from reconciler.calendar.collisions import overcrowded
from reconciler.calendar.estates import Estate, after_plan, declared_estate, live_estate
from reconciler.calendar.forecast import (
    Calendar,
    Source,
    common_zone,
    entries_of,
    forecast_of,
    inexact_zones,
    read_zone,
    window_of,
)
from reconciler.calendar.job_starts import THRESHOLD
from reconciler.calendar.run_durations import Durations, read_durations
from reconciler.calendar.spread import Proposal, SpreadOptions, propose
from reconciler.errors import UsageError
from reconciler.files import MANIFEST_BYTES, read_regular
from reconciler.manifests.git_patch import path_in_repository
from reconciler.model.copies import replace
from reconciler.model.live import Live
from reconciler.model.plan import Plan
from reconciler.model.resource import Desired
from reconciler.products import Products
from reconciler.selection import Selection, select
from reconciler.timetable import TimetableError
from reconciler.workflow.completion import with_needs
from reconciler.workflow.context import CommandContext, PlanOptions
from reconciler.workflow.memory import read
from reconciler.workflow.planning import decide
from reconciler.workflow.reading import Sources, load
from reconciler.workflow.refresh import refresh


class CalendarOptions(Struct, frozen=True):
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


class Estates(Struct, frozen=True):
    """The estates to show, what could not be read, and how long runs take."""

    shown: Estate
    before: Estate | None = None
    unreadable: tuple[tuple[str, str], ...] = ()
    durations: Durations = field(default_factory=Durations)


def calendar(context: CommandContext, options: CalendarOptions) -> tuple[Desired, Calendar]:
    """Make the calendar. Writes nothing; `desired` needs no network.

    Raises ManifestError, and UsageError for a zone that nobody knows or a missing connection.
    """
    desired = load(context)
    source = options.source or (Source.LIVE if "acc" in desired.project.connections else Source.DESIRED)
    if source is Source.DESIRED:
        found = Estates(declared_estate(desired, select(desired.resources, options.selection)))
    else:
        found = _read(context, desired, options, source)
    return desired, calendar_from(desired, found, replace(options, source=source), context.clock())


def estates_from(live: Live, known: Estate, plan: Plan | None, durations: Durations) -> Estates:
    """The estates by what was read, which made the estate `known`; with a plan also what it makes of that."""
    unreadable = sorted((view.path, view.problem) for view in live.agents.values() if view.problem)
    shown, before = (known, None) if plan is None else (after_plan(known, plan), known)
    return Estates(shown, before, tuple(unreadable), durations)


def calendar_from(desired: Desired, found: Estates, options: CalendarOptions, as_of: datetime) -> Calendar:
    """The calendar by what was read. Raises UsageError for a zone that nobody knows."""
    shown, notes = entries_of(found.shown, found.durations)
    before, notes_before = (None, ()) if found.before is None else entries_of(found.before, found.durations)
    if options.zone is None:
        zone, reason = common_zone(entry.job.timing for entry in shown if entry.job.enabled)
    else:
        try:
            zone, reason = read_zone(options.zone), "as asked for"
        except TimetableError as error:
            raise UsageError(error.message, hint=error.hint) from None
    first = options.first or as_of.astimezone(zone).date()
    window = window_of(first, options.days, zone)
    return Calendar(
        source=options.source or Source.DESIRED,
        zone=zone,
        zone_reason=reason,
        as_of=as_of,
        threshold=options.threshold,
        shown=forecast_of(shown, window, zone, as_of=as_of, threshold=options.threshold),
        before=None if before is None else forecast_of(before, window, zone, as_of=as_of, threshold=options.threshold),
        unreadable=found.unreadable,
        notes=tuple(
            sorted(
                {
                    *(*notes, *notes_before, *found.durations.notes),
                    *overcrowded(entry.job for entry in shown),
                    *inexact_zones(desired, shown, first, options.days),
                }
            )
        ),
    )


def _read(context: CommandContext, desired: Desired, options: CalendarOptions, source: Source) -> Estates:
    """What is live, and for a plan also what would be after it."""
    remembered = read(context, desired.project)
    plan = None
    with Products(desired.project, desired.secret_values, context.stop, context.clock) as products:
        if source is Source.PLAN:
            planned = decide(context, PlanOptions(options.selection), Sources(desired, remembered, products))
            desired, live, selected = planned.desired, planned.inputs.live, planned.inputs.selected
            plan = planned.plan
        else:
            selected = select(desired.resources, options.selection)
            wanted = with_needs(desired, selected)
            found = refresh(context, Sources(desired, remembered, products), wanted, as_of=context.clock())
            desired, live = found.desired, found.live
        durations = Durations()
        if options.durations:
            durations = read_durations(live, products, stop=context.stop, progress=context.progress)
    return estates_from(live, live_estate(desired, live, selected), plan, durations)


def propose_spread(context: CommandContext, selection: Selection, options: SpreadOptions) -> Proposal:
    """Other minutes for what starts together by the manifests. Writes nothing, and needs no network."""
    desired = load(context)
    return propose(
        desired,
        select(desired.resources, selection),
        options,
        as_of=context.clock(),
        content_of=lambda path: read_regular(context.root / path, MANIFEST_BYTES),
        path_before=path_in_repository(context.root),
    )
