"""How well a schedule or a trigger does its work, from what the products and the ledger show. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any, Protocol

from reconciler import timetable
from reconciler.clients.replies import moment
from reconciler.identity import normal_id
from reconciler.kinds import schedule
from reconciler.model import Entry, Health

_GRACE = timedelta(minutes=15)
_LONG = 3.0
_LONG_AT_LEAST = timedelta(minutes=10)
_DISAGREES = timedelta(seconds=90)


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
    """A schedule's health, the times that go with it, and what a person should know. Times are RFC 3339."""

    health: Health
    last_run: str = ""
    next_run: str = ""
    predicted: str = ""
    notes: tuple[str, ...] = ()


def of_schedule(live: Any, declared: Mapping[str, Any], runs: Iterable[AgentRun] | None, *, as_of: datetime) -> Verdict:
    """Judge one live schedule. `declared` is the manifest's block; `runs` are the agent's, None where not readable."""
    state = schedule.live_state(live)
    own = [] if runs is None else [run for run in runs if _same(run.schedule_id, live.schedule_id)]
    own.sort(key=lambda run: _moment(run.start_time) or datetime.min.replace(tzinfo=UTC), reverse=True)
    last = _moment(live.last_run_time) or (_moment(own[0].start_time) if own else None)
    served = _moment(live.next_run_time)
    timing = schedule.timing(state)
    predicted = None
    if timing is not None and state["enabled"]:
        upcoming = timetable.next_runs(timing, as_of, 1)
        predicted = upcoming[0].at if upcoming else None
    notes = [f"server: {' '.join(str(live.error_message).split())}"] if live.error_message else []
    if runs is None:
        notes.append("the agent's runs could not be read")
    if served is not None and predicted is not None and served > as_of and abs(served - predicted) > _DISAGREES:
        notes.append(f"ACC says {_text(served)} next, this program predicts {_text(predicted)}")
    health, why = _health(live, state, declared, own, served=served, last=last, as_of=as_of)
    return Verdict(health, _text(last), _text(served), _text(predicted), (*why, *notes))


def _health(
    live: Any,
    state: Mapping[str, Any],
    declared: Mapping[str, Any],
    own: list[AgentRun],
    *,
    served: datetime | None,
    last: datetime | None,
    as_of: datetime,
) -> tuple[Health, tuple[str, ...]]:
    if not state["enabled"]:
        meant = declared.get("enabled", True)
        return (Health.DISABLED, ("disabled in ACC although declared enabled",)) if meant else (Health.OFF, ())
    active = next((run for run in own if run.is_active), None)
    if active is not None:
        return _of_running(active, own, as_of)
    if (live.schedule_status or "").casefold() == "failed" or live.error_message:
        return Health.FAILING, ()
    ended = next((run for run in own if not run.is_active), None)
    if ended is not None and (ended.status or "").casefold() in ("failed", "failure"):
        return Health.FAILING, (f"its last run: {ended.status_message or ended.status}",)
    if served is not None and served < as_of - _GRACE:
        return Health.LATE, (f"it should have run at {_text(served)}",)
    if last is None:
        return Health.NEVER_RAN, ()
    return Health.HEALTHY, ()


def _of_running(active: AgentRun, own: list[AgentRun], as_of: datetime) -> tuple[Health, tuple[str, ...]]:
    began = _moment(active.start_time)
    lengths = [length for run in own if (length := _length(run)) is not None]
    if began is None or not lengths:
        return Health.RUNNING, ()
    usual = timedelta(seconds=median(length.total_seconds() for length in lengths))
    if as_of - began > max(usual * _LONG, _LONG_AT_LEAST):
        return Health.RUNNING_LONG, (f"running for {_span(as_of - began)}, usually {_span(usual)}",)
    return Health.RUNNING, ()


def of_trigger(entry: Entry | None) -> Verdict:
    """Judge a trigger by what the ledger holds of its last start."""
    if entry is None:
        return Verdict(Health.NEVER_RAN)
    run = str(entry.facts.get("runId") or "")
    match entry.facts.get("state"):
        case "success" | "started":
            return Verdict(Health.HEALTHY, entry.at)
        case "failed":
            return Verdict(Health.FAILING, entry.at, notes=(f"run {run} failed",))
        case "running":
            return Verdict(Health.RUNNING, entry.at, notes=(f"run {run}",))
        case "not-ran":
            return Verdict(Health.NEVER_RAN, notes=("the last start is known not to have run",))
        case _:
            return Verdict(Health.FAILING, entry.at, notes=("how its last start ended is not known",))


def _same(one: str | None, other: str | None) -> bool:
    return bool(one and other) and normal_id(str(one)) == normal_id(str(other))


def _moment(text: str | None) -> datetime | None:
    """A product's time with its offset; one without is taken for UTC. None for what is no time."""
    found = moment(text)
    return found if found is None or found.tzinfo else found.replace(tzinfo=UTC)


def _length(run: AgentRun) -> timedelta | None:
    began, ended = _moment(run.start_time), _moment(run.end_time)
    return ended - began if began is not None and ended is not None and ended > began else None


def _text(at: datetime | None) -> str:
    return "" if at is None else at.isoformat(timespec="seconds")


def _span(length: timedelta) -> str:
    minutes = int(length.total_seconds() // 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"
