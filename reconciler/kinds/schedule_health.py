"""How well a schedule does its work, from what the products and the ledger show. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from statistics import median
from typing import TYPE_CHECKING, cast

from msgspec import Struct

from reconciler import timetable
from reconciler.causes import Cause, Why, because
from reconciler.clients.replies import AgentRun, JobSchedule, moment, read_parameters
from reconciler.errors import ProductError
from reconciler.identity import normal_id
from reconciler.kind import Examined, HealthReport
from reconciler.kinds.schedule_state import ScheduleMemo, ScheduleState
from reconciler.model.condition import Health
from reconciler.model.state import JSON
from reconciler.quantities import span_text

if TYPE_CHECKING:
    from reconciler.clients.acc import AccClient

_RUNS_READ = 20
_GRACE = timedelta(minutes=15)
_LONG = 3.0
_LONG_AT_LEAST = timedelta(minutes=10)
_DISAGREES = timedelta(seconds=90)
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def runs_of(acc: AccClient, agent_id: str, hide: Callable[[str, JSON], None]) -> tuple[AgentRun, ...] | None:
    """The latest runs of an agent ("Get agent run details"); None where they cannot be read.

    The product may show back what a manifest made secret, in an error that a run ended with.
    """
    try:
        found = acc.run_history(agent_id, count=_RUNS_READ)
    except ProductError:
        return None
    for run in found:
        hide(run.schedule_id or "", _parameters_of(run))
    return tuple(found)


def _parameters_of(run: AgentRun) -> Mapping[str, str] | None:
    return read_parameters(next((value for key, value in run.raw.items() if key.lower() == "inputparameters"), None))


def of_schedule(
    live: JobSchedule, examined: Examined[ScheduleState, ScheduleMemo], when: timetable.Timing | None
) -> HealthReport:
    """Judge one live schedule, that runs at the times of `when`.

    It cannot have been late before it was last written or adopted.
    """
    look = _look(live, examined, when)
    predicted = None
    if look.timing is not None and look.state.enabled is not False:
        upcoming = timetable.next_runs(look.timing, look.as_of, 1)
        predicted = upcoming[0].at if upcoming else None
    error = look.redact(live.error_message or "")
    notes = [because(Cause.SERVER_SAID, said=" ".join(error.split()))] if error else []
    if examined.answer is None:
        notes.append(because(Cause.RUNS_UNREAD))
    served = look.served
    if served is not None and predicted is not None and served > look.as_of and abs(served - predicted) > _DISAGREES:
        notes.append(because(Cause.NEXT_RUN_DISAGREES, served=look.text(served), predicted=look.text(predicted)))
    health, why = _health(look)
    return HealthReport(health, look.text(look.last), look.text(served), look.text(predicted), (*why, *notes))


class _Look(Struct, frozen=True):
    """One live schedule at one moment. `own` are its runs, `others` those of its agent's other schedules; newest first.

    `served` is ACC's own next run.
    """

    live: JobSchedule
    state: ScheduleState
    declared: ScheduleState
    own: tuple[AgentRun, ...]
    others: tuple[AgentRun, ...]
    timing: timetable.Timing | None
    last: datetime | None
    served: datetime | None
    since: datetime | None
    as_of: datetime
    redact: Callable[[str], str]

    def text(self, at: datetime | None) -> str:
        """RFC 3339 on the clock of the schedule's own zone."""
        if at is None:
            return ""
        zone = self.timing.rules if self.timing is not None else None
        return at.astimezone(zone or at.tzinfo).isoformat(timespec="seconds")


def _look(live: JobSchedule, examined: Examined[ScheduleState, ScheduleMemo], when: timetable.Timing | None) -> _Look:
    runs = cast("tuple[AgentRun, ...]", examined.answer or ())
    newest = sorted(runs, key=lambda run: _moment(run.start_time) or _LONG_AGO, reverse=True)
    own = tuple(run for run in newest if _same(run.schedule_id, live.schedule_id))
    began = [_moment(live.last_run_time), _moment(own[0].start_time) if own else None]
    state = examined.observation.state
    assert state is not None
    return _Look(
        live=live,
        state=state,
        declared=examined.resource.state,
        own=own,
        others=tuple(run for run in newest if not _same(run.schedule_id, live.schedule_id)),
        timing=when,
        last=max((at for at in began if at is not None), default=None),
        served=_moment(live.next_run_time),
        since=moment(examined.entry.at) if examined.entry is not None else None,
        as_of=examined.as_of,
        redact=examined.redact,
    )


def _health(look: _Look) -> tuple[Health, tuple[Why, ...]]:
    if look.state.enabled is False:
        declared = look.declared
        if declared.enabled is None:
            return Health.OFF, (because(Cause.DISABLED_LEFT_ALONE),)
        if not declared.enabled:
            return Health.OFF, ()
        if declared.says_enabled:
            return Health.DISABLED, (because(Cause.DISABLED_THOUGH_DECLARED),)
        return Health.DISABLED, (because(Cause.DISABLED_THOUGH_DEFAULT),)
    status = (look.live.schedule_status or "").casefold()
    active = next((run for run in look.own if run.is_active), None)
    if active is not None:
        return _of_running(active, look)
    return (Health.RUNNING, ()) if status == "running" else _at_rest(look, status)


def _at_rest(look: _Look, status: str) -> tuple[Health, tuple[Why, ...]]:
    """The health of a schedule that is on and not running. `status` is ACC's own word for it, in lower case."""
    ended = [run for run in look.own if not run.is_active]
    failed = list(takewhile(_has_failed, ended))
    if failed:
        return Health.FAILING, (_failures(failed, look),)
    if status == "failed" or look.live.error_message:
        return Health.FAILING, ()
    odd = status if status.startswith("unknown") else (ended[0].status or "") if ended else ""
    if odd.casefold().startswith("unknown"):
        return Health.UNKNOWN, (because(Cause.LAST_RUN_UNDOCUMENTED, status=odd),)
    missed = _missed(look)
    if missed is not None:
        return Health.LATE, (because(Cause.RUN_MISSED, at=look.text(missed)),)
    if look.last is None:
        return Health.NEVER_RAN, ()
    was_stopped = bool(ended) and ended[0].status == "Stopped"
    return Health.HEALTHY, (because(Cause.LAST_RUN_STOPPED),) if was_stopped else ()


def _has_failed(run: AgentRun) -> bool:
    return (run.status or "").casefold() in ("failed", "failure")


def _failures(failed: Sequence[AgentRun], look: _Look) -> Why:
    said = " ".join((look.redact(failed[0].status_message or "") or str(failed[0].status)).split())
    if len(failed) == 1:
        return because(Cause.LAST_RUN_SAID, said=said)
    since = look.text(_moment(failed[-1].start_time))
    return because(Cause.LAST_RUNS_FAILED, count=len(failed), since=since, said=said)


def _missed(look: _Look) -> datetime | None:
    """The run that should have begun and did not: one that ACC itself names, or one after the last known.

    Not while the agent runs for another schedule: ACC runs one job of an agent at a time, and this one waits.
    """
    if any(run.is_active for run in look.others):
        return None
    late = look.as_of - _GRACE
    if look.served is not None and look.served < late:
        return look.served
    known = [at for at in (look.last, look.since) if at is not None]
    if look.timing is None or not known:
        return None
    expected = timetable.next_runs(look.timing, max(known), 1)
    return expected[0].at if expected and expected[0].at < late else None


def _of_running(active: AgentRun, look: _Look) -> tuple[Health, tuple[Why, ...]]:
    began = _moment(active.start_time)
    lengths = [length for run in look.own if (length := _length(run)) is not None]
    lengths = lengths or [length for run in look.others if (length := _length(run)) is not None]
    if began is None or not lengths:
        return Health.RUNNING, ()
    usual = timedelta(seconds=median(length.total_seconds() for length in lengths))
    took = look.as_of - began
    if took > max(usual * _LONG, _LONG_AT_LEAST):
        lasting, as_ever = span_text(took.total_seconds()), span_text(usual.total_seconds())
        return Health.RUNNING_LONG, (because(Cause.RUN_IS_LONG, took=lasting, usual=as_ever),)
    return Health.RUNNING, ()


def _same(one: str | None, other: str | None) -> bool:
    return bool(one and other) and normal_id(str(one)) == normal_id(str(other))


def _moment(text: str | None) -> datetime | None:
    """A product's time with its offset; one without is taken for UTC. None for what is no time."""
    found = moment(text)
    return found if found is None or found.tzinfo else found.replace(tzinfo=UTC)


def _length(run: AgentRun) -> timedelta | None:
    began, ended = _moment(run.start_time), _moment(run.end_time)
    return ended - began if began is not None and ended is not None and ended > began else None
