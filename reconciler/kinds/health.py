"""How well a schedule does its work, from what the products and the ledger show. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from statistics import median
from typing import Any, Protocol

from reconciler import timetable
from reconciler.clients.replies import moment
from reconciler.identity import normal_id
from reconciler.kinds import schedule
from reconciler.model import Health

_GRACE = timedelta(minutes=15)
_LONG = 3.0
_LONG_AT_LEAST = timedelta(minutes=10)
_DISAGREES = timedelta(seconds=90)
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class AgentRun(Protocol):
    """A run as the ACC client reads it."""

    @property
    def schedule_id(self) -> str | None: ...
    @property
    def start_time(self) -> str | None: ...
    @property
    def end_time(self) -> str | None: ...
    @property
    def status(self) -> str | None: ...
    @property
    def status_message(self) -> str | None: ...
    @property
    def is_active(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Verdict:
    """A health, the times that go with it, and what a person should know. Times are RFC 3339.

    `in_doubt`: a person has to say what happened.
    """

    health: Health
    last_run: str = ""
    next_run: str = ""
    predicted: str = ""
    notes: tuple[str, ...] = ()
    in_doubt: bool = False


def of_schedule(
    live: Any,
    declared: Mapping[str, Any],
    runs: Iterable[AgentRun] | None,
    *,
    since: datetime | None,
    as_of: datetime,
) -> Verdict:
    """Judge one live schedule.

    `declared` is the manifest's block; `runs` are the agent's, None where they cannot be read; `since` is when the
    schedule was last written or adopted, None where nobody remembers: it cannot have been late before that.
    """
    look = _look(live, declared, runs, since, as_of)
    predicted = None
    if look.timing is not None and look.state["enabled"] is not False:
        upcoming = timetable.next_runs(look.timing, as_of, 1)
        predicted = upcoming[0].at if upcoming else None
    notes = [f"server: {' '.join(str(live.error_message).split())}"] if live.error_message else []
    if runs is None:
        notes.append("the agent's runs could not be read")
    served = look.served
    if served is not None and predicted is not None and served > as_of and abs(served - predicted) > _DISAGREES:
        notes.append(f"ACC says {look.text(served)} next, this program predicts {look.text(predicted)}")
    health, why = _health(look)
    return Verdict(health, look.text(look.last), look.text(served), look.text(predicted), (*why, *notes))


@dataclass(frozen=True, slots=True)
class _Look:
    """One live schedule at one moment. `own` are its runs, `others` those of its agent's other schedules; newest first.

    `served` is ACC's own next run.
    """

    live: Any
    state: Mapping[str, Any]
    declared: Mapping[str, Any]
    own: tuple[AgentRun, ...]
    others: tuple[AgentRun, ...]
    timing: timetable.Timing | None
    last: datetime | None
    served: datetime | None
    since: datetime | None
    as_of: datetime

    def text(self, at: datetime | None) -> str:
        """RFC 3339 on the clock of the schedule's own zone."""
        if at is None:
            return ""
        zone = self.timing.rules if self.timing is not None else None
        return at.astimezone(zone or at.tzinfo).isoformat(timespec="seconds")


def _look(
    live: Any,
    declared: Mapping[str, Any],
    runs: Iterable[AgentRun] | None,
    since: datetime | None,
    as_of: datetime,
) -> _Look:
    state = schedule.live_state(live)
    newest = sorted(runs or (), key=lambda run: _moment(run.start_time) or _LONG_AGO, reverse=True)
    own = tuple(run for run in newest if _same(run.schedule_id, live.schedule_id))
    began = [_moment(live.last_run_time), _moment(own[0].start_time) if own else None]
    return _Look(
        live=live,
        state=state,
        declared=declared,
        own=own,
        others=tuple(run for run in newest if not _same(run.schedule_id, live.schedule_id)),
        timing=schedule.timing(state),
        last=max((at for at in began if at is not None), default=None),
        served=_moment(live.next_run_time),
        since=since,
        as_of=as_of,
    )


def _health(look: _Look) -> tuple[Health, tuple[str, ...]]:
    if look.state["enabled"] is False:
        match look.declared.get("enabled"):
            case True:
                return Health.DISABLED, ("disabled in ACC although declared enabled",)
            case None:
                return Health.DISABLED, ("disabled in ACC; the manifest says nothing, which means enabled",)
            case schedule.KEEP:
                return Health.OFF, ("disabled in ACC; `enabled: keep` leaves the switch to the people there",)
        return Health.OFF, ()
    status = (look.live.schedule_status or "").casefold()
    active = next((run for run in look.own if run.is_active), None)
    if active is not None:
        return _of_running(active, look)
    return (Health.RUNNING, ()) if status == "running" else _at_rest(look, status)


def _at_rest(look: _Look, status: str) -> tuple[Health, tuple[str, ...]]:
    """The health of a schedule that is on and not running. `status` is ACC's own word for it, in lower case."""
    ended = [run for run in look.own if not run.is_active]
    failed = list(takewhile(_has_failed, ended))
    if failed:
        return Health.FAILING, (_failures(failed, look),)
    if status == "failed" or look.live.error_message:
        return Health.FAILING, ()
    odd = status if status.startswith("unknown") else (ended[0].status or "") if ended else ""
    if odd.casefold().startswith("unknown"):
        return Health.UNKNOWN, (f"ACC tells of its last run in a word that nobody documents: {odd}",)
    missed = _missed(look)
    if missed is not None:
        return Health.LATE, (f"it should have run at {look.text(missed)}",)
    if look.last is None:
        return Health.NEVER_RAN, ()
    return Health.HEALTHY, ("its last run was stopped",) if ended and ended[0].status == "Stopped" else ()


def _has_failed(run: AgentRun) -> bool:
    return (run.status or "").casefold() in ("failed", "failure")


def _failures(failed: Sequence[AgentRun], look: _Look) -> str:
    said = " ".join(str(failed[0].status_message or failed[0].status).split())
    if len(failed) == 1:
        return f"its last run: {said}"
    return f"its last {len(failed)} runs failed, since {look.text(_moment(failed[-1].start_time))}: {said}"


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


def _of_running(active: AgentRun, look: _Look) -> tuple[Health, tuple[str, ...]]:
    began = _moment(active.start_time)
    lengths = [length for run in look.own if (length := _length(run)) is not None]
    lengths = lengths or [length for run in look.others if (length := _length(run)) is not None]
    if began is None or not lengths:
        return Health.RUNNING, ()
    usual = timedelta(seconds=median(length.total_seconds() for length in lengths))
    took = look.as_of - began
    if took > max(usual * _LONG, _LONG_AT_LEAST):
        return Health.RUNNING_LONG, (f"running for {_span(took)}, usually {_span(usual)}",)
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


def _span(length: timedelta) -> str:
    minutes = int(length.total_seconds() // 60)
    if minutes == 0:
        return f"{length.total_seconds():.0f} s"
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"
