"""One look at the world for a whole site: manifests, ledger and live are read once, and every page is made of that."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, cast

from msgspec import Struct, field

from reconciler import planner
from reconciler.calendar.estates import declared_estate, live_estate
from reconciler.calendar.forecast import Calendar, Source
from reconciler.calendar.run_durations import Durations, durations_from
from reconciler.errors import ManifestError
from reconciler.kind import Product
from reconciler.kinds import schedule
from reconciler.kinds.registry import KINDS
from reconciler.model.condition import Drift, DriftStatus
from reconciler.model.estate import EstateReport
from reconciler.model.live import AgentView
from reconciler.model.plan import Change, Reason
from reconciler.model.resource import Desired, Severity
from reconciler.products import Products
from reconciler.quantities import counted, first_few
from reconciler.render.alike_sentences import shared_sentence, skeleton
from reconciler.render.likeness import grouped
from reconciler.selection import Selection
from reconciler.workflow.context import CommandContext, PlanOptions
from reconciler.workflow.estate_reports import Reading, estate_report
from reconciler.workflow.forecasting import CalendarOptions, Estates, calendar_from, estates_from
from reconciler.workflow.history import History, verified_history_from
from reconciler.workflow.memory import Remembered, open_existing, read_from
from reconciler.workflow.planning import Planned, decide_from, read_inputs
from reconciler.workflow.reading import Sources, check_manifests, load
from reconciler.workflow.status import Answers, Status, is_unread, read_answers, status_from

if TYPE_CHECKING:
    from reconciler.clients.replies import AgentRun

_NAMED = 3
_NO_CONNECTION = "the project has no connection to ACC"
_MISSING_CONNECTION = "missing-connection"


class ReportOptions(Struct, frozen=True):
    """What a report covers: which resources, how many days of the calendar, how many runs of the history."""

    selection: Selection = field(default_factory=Selection)
    days: int = 7
    limit: int = 50


class Report(Struct, frozen=True):
    """What all pages show. `history` is None where there is no ledger yet.

    `unread` says in sentences what could not be read; nothing of it is known, and nothing is taken for absent.
    `covers` says what was selected, "" where that is everything.
    """

    planned: Planned
    drift: Drift
    status: Status
    calendar: Calendar
    history: History | None
    estate: EstateReport
    unread: tuple[str, ...] = ()
    covers: str = ""

    @property
    def is_incomplete(self) -> bool:
        return bool(self.unread)


def report(context: CommandContext, options: ReportOptions) -> Report:
    """Read everything once, and derive all that the pages show. Writes nothing.

    Raises ManifestError, LedgerError, and UsageError for a selector that matches nothing.
    """
    desired, is_connected = _desired(context)
    with open_existing(context, desired.project) as ledger:
        remembered = read_from(ledger)
        past = verified_history_from(ledger, desired.project, options.limit) if ledger is not None else None
    with Products(desired.project, desired.secret_values, context.stop, context.clock) as products:
        sources = Sources(desired, remembered, products, {} if is_connected else _unseen(desired, remembered))
        plan_options = PlanOptions(options.selection)
        planned = decide_from(read_inputs(context, plan_options, sources), plan_options, products)
        inputs = planned.inputs
        answers = read_answers(context, inputs, products)
        audit = planner.audit(inputs, KINDS)
        status = status_from(inputs, audit, answers, products.redact)
        read = Reading(planned, audit, status, past, _runs(inputs, answers), products.redact)
        estate = estate_report(read)
    return Report(
        planned,
        audit,
        status,
        _calendar(options, planned, read.runs, is_connected=is_connected),
        past,
        estate,
        tuple(_unread(planned, audit, answers, is_connected=is_connected)),
        _covers(options.selection, inputs),
    )


def _desired(context: CommandContext) -> tuple[Desired, bool]:
    """What the manifests say, and whether ACC can be asked: a project without a connection is shown as it is declared.

    Raises ManifestError.
    """
    try:
        return load(context), True
    except ManifestError as error:
        errors = [one for one in error.problems if one.severity is Severity.ERROR]
        if any(one.code != _MISSING_CONNECTION for one in errors):
            raise
        desired, _ = check_manifests(context, connections=False)
        if desired is None or Product.ACC in desired.project.connections:
            raise
        return desired, False


def _unseen(desired: Desired, remembered: Remembered) -> Mapping[str, AgentView]:
    """Every agent as one that could not be read."""
    paths = {agent.path for agent in desired.agents} | set(remembered.agent_paths)
    return {path: AgentView(path, problem=_NO_CONNECTION) for path in paths}


def _runs(inputs: planner.PlanInputs, answers: Answers) -> Mapping[str, Sequence[AgentRun] | None]:
    """The latest runs of every agent that was asked for them, by its id; None where they could not be read."""
    asked = {question: said for (kind, question), said in answers.items() if kind == schedule.KIND.name}
    return cast("Mapping[str, Sequence[AgentRun] | None]", asked)


def _calendar(
    options: ReportOptions,
    planned: Planned,
    runs: Mapping[str, Sequence[AgentRun] | None],
    *,
    is_connected: bool,
) -> Calendar:
    """When everything runs: live, and beside it what the plan makes of that; as it is declared, where nobody can ask.

    A plan that is refused changes nothing.
    """
    inputs = planned.inputs
    desired, live = inputs.desired, inputs.live
    if not (is_connected and Product.ACC in desired.project.connections):
        found, source = Estates(declared_estate(desired, inputs.selected)), Source.DESIRED
    else:
        known = {agent: said if said is not None else "no answer" for agent, said in runs.items()}
        durations = durations_from(live, known) if known else Durations()
        retimes = not planned.refusals and any(_is_retimed(change) for change in planned.plan.changes)
        plan, source = (planned.plan, Source.PLAN) if retimes else (None, Source.LIVE)
        found = estates_from(live, live_estate(desired, live, inputs.selected), plan, durations)
    return calendar_from(desired, found, CalendarOptions(source=source, days=options.days), inputs.as_of)


def _is_retimed(change: Change) -> bool:
    """Whether a change makes a schedule run at other times, for the first time, or no more."""
    shown = change.preview
    return shown is not None and (shown.before_runs, shown.before_per_day) != (shown.after_runs, shown.after_per_day)


def _unread(planned: Planned, audit: Drift, answers: Answers, *, is_connected: bool) -> Iterator[str]:
    """What could not be read, in sentences."""
    inputs = planned.inputs
    if not is_connected:
        yield "The project has no connection to ACC: add `connections.acc` to reconciler.yaml. Nothing live is known"
    in_sight = inputs.paths_in_sight()
    failed = [view for path, view in sorted(inputs.live.agents.items()) if view.problem and path in in_sight]
    for together in grouped(failed, lambda view: skeleton(view.problem)).values() if is_connected else ():
        named = first_few([view.path for view in together], _NAMED)
        said = shared_sentence([view.problem for view in together]).rstrip(".")
        yield f"{counted(len(together), 'agent')} could not be read: {named}: {said}"
    if silent := [question for (_, question), said in answers.items() if is_unread(said)]:
        yield f"What ran could not be read of {counted(len(silent), 'agent or trigger', 'agents or triggers')}"
    for product, problem in inputs.product_problems.items():
        yield f"{product} could not be asked what a start rests on: {problem}"
    is_told = bool(failed or silent or inputs.product_problems or not is_connected)
    blocked = any(one.reason is Reason.UNREADABLE for one in planned.plan.blocked)
    if not is_told and (blocked or _is_any(audit, DriftStatus.UNREADABLE)):
        yield "Something could not be read"


def _is_any(audit: Drift, status: DriftStatus) -> bool:
    return any(one.status is status for one in audit.findings)


def _covers(selection: Selection, inputs: planner.PlanInputs) -> str:
    """What was selected, as it was asked for."""
    if selection.is_everything:
        return ""
    given: Iterable[tuple[str, str]] = (
        *(("--only", one) for one in selection.only),
        *(("--exclude", one) for one in selection.exclude),
        *(("--label", one) for one in selection.labels),
    )
    selected = len(inputs.selected or ())
    asked = " ".join(f"{option} {value}" for option, value in given)
    return f"Covers {selected} of {counted(len(inputs.desired.resources), 'resource')}: `{asked}`"
