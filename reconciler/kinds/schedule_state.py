"""What a job schedule is: its state, typed, as manifests declare it, as ACC shows it, and as it is sent. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from msgspec import field

from reconciler import timetable
from reconciler.kind import ObservedMemo
from reconciler.model.copies import replace
from reconciler.model.state import JSON, Beside, State

if TYPE_CHECKING:
    from reconciler.clients.replies import JobSchedule

KEEP = "keep"
"""The value of `enabled` that leaves the switch as it is live."""

PATHS = {
    "cron": "cron",
    "start_time": "startTime",
    "time_zone": "timeZone",
    "input_parameters": "inputParameters",
    "log_level": "logLevel",
    "session_id": "sessionId",
    "windowless": "windowless",
    "enabled": "enabled",
}
"""The fields that a manifest manages, in the order in which people read them, with what it calls them."""

_PREVIEWED_RUNS = 3
_A_YEAR = timedelta(days=366)


class AsWritten(Beside, frozen=True, eq=False):
    """How a manifest's block says when a schedule runs: its `cron` or `every`, its start, its zone; and `enabled`."""

    rhythm: str
    says_every: bool
    start_time: str
    time_zone: str
    says_enabled: bool


AS_SHOWN = AsWritten("", says_every=False, start_time="", time_zone="", says_enabled=True)
"""Of a state that no manifest says."""


class ScheduleState(State, frozen=True):
    """A job schedule in ACC's terms: `cron` also holds ACC's interval form, `time_zone` is a Windows id.

    `input_parameters` are a text where ACC shows one that is no JSON object, so that they never compare as empty.
    `written` is how a manifest says it.
    """

    cron: str | None = None
    start_time: str | None = None
    time_zone: str | None = None
    input_parameters: Mapping[str, str] | str | None = None
    log_level: int | None = None
    session_id: str | None = None
    windowless: bool | None = None
    enabled: bool | None = None
    written: AsWritten = AS_SHOWN

    @property
    def parameters(self) -> Mapping[str, str] | str | None:
        return self.input_parameters

    @property
    def says_every(self) -> bool:
        """Whether the manifest says `every` instead of `cron`."""
        return self.written.says_every

    @property
    def says_enabled(self) -> bool:
        """Whether the manifest says anything of `enabled`."""
        return self.written.says_enabled


DEFAULTS = ScheduleState(input_parameters={}, log_level=1, session_id="", windowless=True, enabled=True)
"""What a schedule is created with where the manifest leaves a field open (the documented defaults)."""


class ScheduleMemo(ObservedMemo, frozen=True):
    """What the ledger keeps of a schedule beside the digests of the state that was reached.

    The `start` in clear, since how it compares depends on the clock; and which fields the manifest set (None: nobody
    knows of a manifest).
    """

    start: str | None = None
    set_fields: tuple[str, ...] | None = field(default=None, name="set")


def live_state(live: JobSchedule) -> ScheduleState:
    """A live schedule in the manifest's terms; what the server owns is dropped."""
    parameters: Mapping[str, str] | str | None = live.input_parameters
    if parameters is None:
        shown = next((value for key, value in live.raw.items() if key.lower() == "inputparameters"), None)
        parameters = str(shown) if shown else {}
    return ScheduleState(
        live.cron or "",
        live.start_time or "",
        live.time_zone_id or "",
        parameters,
        live.log_level,
        live.session_id or "",
        live.is_windowless,
        live.is_enabled,
    )


def declared_state(
    *,
    cron: str | None = None,
    every: str | None = None,
    start_time: str | None = None,
    time_zone: str | None = None,
    input_parameters: Mapping[str, str] | None = None,
    log_level: int | None = None,
    session_id: str | None = None,
    windowless: bool | None = None,
    enabled: bool | str | None = None,
) -> ScheduleState:
    """A manifest's block in the same terms, with the fields that it manages: those that it sets, and `enabled`.

    `every` becomes ACC's own interval form of `cron`, a zone its Windows id. `enabled` is true where nothing is
    written, and left to the people at the console by `keep`.
    """
    return ScheduleState(
        _interval(every) if every is not None else None if cron is None else " ".join(cron.split()),
        None if start_time is None else _start(start_time),
        None if time_zone is None else timetable.zones.to_windows(time_zone),
        input_parameters,
        log_level,
        session_id,
        windowless,
        True if enabled is None else None if enabled == KEEP else bool(enabled),
        AsWritten(every or cron or "", every is not None, start_time or "", time_zone or "", enabled is not None),
    )


@lru_cache(maxsize=4096)
def _interval(every: str) -> str:
    return timetable.parse_every(every).text


@lru_cache(maxsize=4096)
def _start(text: str) -> str:
    return timetable.parse_declared_start(text).isoformat()


# --- meaning ---------------------------------------------------------------------------------------------------------


def fields_of(state: ScheduleState) -> Iterator[tuple[str, JSON]]:
    """What a state holds, by the manifest's names."""
    return ((path, getattr(state, name)) for name, path in PATHS.items())


def means_the_same(name: str, live: ScheduleState, desired: ScheduleState, as_of: datetime) -> bool:
    match name:
        case "cron":
            ours, theirs = _expression(desired.cron or ""), _expression(live.cron or "")
            return ours is not None and ours == theirs
        case "time_zone":
            return len({timetable.windows_zone(each.time_zone or "").casefold() for each in (live, desired)}) == 1
        case "start_time":
            return starts_alike(live, desired, as_of)
        case "enabled":
            # A product that does not say whether a schedule is on is taken to run it.
            return live.enabled is None and desired.enabled is True
        case _:
            return False


def starts_alike(live: ScheduleState, desired: ScheduleState, as_of: datetime) -> bool:
    """Whether the start makes no difference from now on, judged under the desired rhythm and zone.

    Where live follows another rhythm, that is a difference of its own field; the start then compares as under ours.
    """
    theirs = timing(replace(desired, start_time=wire_start(live)))
    ours = timing(desired)
    return ours is not None and theirs is not None and timetable.same_start(theirs, ours, as_of)


def meaning_of(path: str, value: JSON, state: ScheduleState) -> str:
    """A field as text that does not depend on spelling or on the time of day."""
    match path:
        case "cron":
            expression = _expression(value or "")
            return expression.meaning if expression else str(value)
        case "timeZone":
            return timetable.windows_zone(value or "").casefold()
        case "startTime":
            when = timing(state)
            return timetable.phase(when) if when else str(value)
    return json.dumps(value, sort_keys=True)


def as_every(cron: str | None) -> str | None:
    expression = _expression(cron or "")
    return (expression.every() if expression is not None else None) or cron


def outlook(state: ScheduleState | None, as_of: datetime) -> tuple[tuple[str, ...], float | None, tuple[str, ...]]:
    when = timing(state) if state is not None and state.enabled else None
    if when is None:
        return (), None, ()
    runs = timetable.next_runs(when, as_of, _PREVIEWED_RUNS)
    named = "wildcards" if when.expression.has_wildcard_times else "fixed times"
    notes = {
        "skipped-hour": "daylight saving skips this local time: predicted to run at the next valid one",
        "repeated-hour": "daylight saving repeats this local time: predicted to run once, "
        f"twice if ACC runs {named} in both hours",
    }
    said = [f"{run.at.isoformat()}: {notes[run.note]}" for run in runs if run.note]
    if runs and runs[0].at - as_of > _A_YEAR:
        said.insert(0, f"{runs[0].at.isoformat()}: no run before then, in more than a year")
    return tuple(run.at.isoformat() for run in runs), timetable.runs_per_day(when.expression), tuple(said)


# --- as it is sent ---------------------------------------------------------------------------------------------------


def wire_body(identity: str, state: ScheduleState) -> dict[str, JSON]:
    """The documented body of "Add or update job schedule", all nine keys, for a full state."""
    return {
        "scheduleId": identity,
        "cron": state.cron,
        "sessionId": state.session_id or None,
        "startTime": wire_start(state),
        "timeZoneId": state.time_zone,
        "inputParameters": state.input_parameters,
        "logLevel": state.log_level,
        "isWindowless": state.windowless,
        "isEnabled": state.enabled,
    }


def wire_start(state: ScheduleState) -> str:
    """A start as it is sent: on the clock of its zone, in whole seconds."""
    try:
        start = timetable.parse_start(state.start_time or "", state.time_zone or "")
    except timetable.TimetableError:
        return str(state.start_time)
    return start.replace(microsecond=0).isoformat()


def timing(state: ScheduleState) -> timetable.Timing | None:
    """When a schedule in this state runs; None where its rhythm or its start cannot be read."""
    expression = _expression(state.cron or "")
    zone = timetable.windows_zone(state.time_zone or "")
    if expression is None or not zone:
        return None
    try:
        return timetable.Timing(expression, timetable.parse_start(str(state.start_time), zone), zone)
    except timetable.TimetableError:
        return None


@lru_cache(maxsize=65536)
def _expression(text: str) -> timetable.Expression | None:
    try:
        return timetable.parse(text)
    except timetable.TimetableError:
        return None
