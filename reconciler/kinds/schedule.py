"""The kind `schedule`: one job schedule of an ACC agent, the only kind that ACC shows in full."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, Protocol

from reconciler import timetable
from reconciler.diff import Sealer, changes, digest, sealed
from reconciler.model import MOVED_FROM, Action, Change, Entry, FieldChange, Preview, State
from reconciler.product_terms import LOG_LEVELS

DEFAULTS: State = {"inputParameters": {}, "logLevel": 1, "sessionId": "", "windowless": True, "enabled": True}
"""What a schedule is created with where the manifest leaves a field open (the documented defaults)."""

FIELDS = ("cron", "startTime", "timeZone", "inputParameters", "logLevel", "sessionId", "windowless", "enabled")
"""The fields that a manifest manages, in the order in which people read them. All others are the server's own."""

_ALWAYS_SET = frozenset({"cron", "startTime", "timeZone"})

KEEP = "keep"
"""The value of `enabled` that leaves the switch as it is live."""

OTHER_VALUE = "(another value)"
"""What stands for a value of which the ledger holds a digest alone."""

_POSSIBLE: Mapping[str, tuple[Any, ...]] = {
    "inputParameters": ({},),
    "logLevel": (0, 1, 2, 3),
    "sessionId": ("",),
    "windowless": (True, False),
    "enabled": (True, False),
}
"""Values that a digest is tried with, where a manifest leaves a field open: all there are, or the usual one."""

_PREVIEWED_RUNS = 3


class LiveSchedule(Protocol):
    """A schedule as the ACC client reads it."""

    @property
    def schedule_id(self) -> str: ...
    @property
    def cron(self) -> str | None: ...
    @property
    def start_time(self) -> str | None: ...
    @property
    def time_zone_id(self) -> str | None: ...
    @property
    def input_parameters(self) -> Mapping[str, str] | None: ...
    @property
    def log_level(self) -> int | None: ...
    @property
    def session_id(self) -> str | None: ...
    @property
    def is_windowless(self) -> bool | None: ...
    @property
    def is_enabled(self) -> bool | None: ...
    @property
    def raw(self) -> Mapping[str, Any]: ...


def live_state(live: LiveSchedule) -> State:
    """A live schedule in the manifest's terms; what the server owns is dropped.

    Parameters that are no JSON object stay the text that ACC showed, so that they never compare as empty.
    """
    parameters: object = live.input_parameters
    if parameters is None:
        raw = {key.lower(): value for key, value in live.raw.items()}
        parameters = raw.get("inputparameters") or {}
    return {
        "cron": live.cron or "",
        "startTime": live.start_time or "",
        "timeZone": live.time_zone_id or "",
        "inputParameters": parameters,
        "logLevel": live.log_level,
        "sessionId": live.session_id or "",
        "windowless": live.is_windowless,
        "enabled": live.is_enabled,
    }


def desired_state(spec: State) -> State:
    """A manifest's block in the same terms, with the fields that it manages: those that it sets, and `enabled`.

    `enabled` is true where nothing is written, and left to the people at the console by `keep`.
    """
    return {**written_state(spec), **({} if "enabled" in spec else {"enabled": True})}


def written_state(spec: State) -> State:
    """The fields that a block sets itself, in the same terms.

    `every` becomes ACC's own interval form of `cron`, a zone its Windows id, a log level its number.
    """
    state: dict[str, Any] = {}
    if "every" in spec:
        state["cron"] = _every(spec["every"]).text
    elif "cron" in spec:
        state["cron"] = " ".join(spec["cron"].split())
    if "startTime" in spec:
        state["startTime"] = timetable.parse_declared_start(spec["startTime"]).isoformat()
    if "timeZone" in spec:
        state["timeZone"] = timetable.zones.to_windows(spec["timeZone"])
    if "inputParameters" in spec:
        state["inputParameters"] = {str(name): str(value) for name, value in (spec["inputParameters"] or {}).items()}
    if "logLevel" in spec:
        level = str(spec["logLevel"]).lower()
        state["logLevel"] = int(level) if level.isdecimal() else LOG_LEVELS.get(level, level)
    if "sessionId" in spec:
        state["sessionId"] = str(spec["sessionId"] or "")
    for flag in ("windowless", "enabled"):
        if flag in spec and spec[flag] != KEEP:
            state[flag] = spec[flag]
    return state


def whole_state(desired: State, live: State | None) -> State:
    """The full object that is sent: what is declared, and for the rest what is live, or the defaults for a new one."""
    rest = DEFAULTS if live is None else live
    whole = {field: desired.get(field, rest.get(field)) for field in FIELDS}
    return {field: DEFAULTS.get(field) if value is None else value for field, value in whole.items()}


def diff(live: State, desired: State, *, as_of: datetime) -> tuple[FieldChange, ...]:
    """The declared fields in which live means something else: equal is what runs at the same instants from now on."""
    found: list[FieldChange] = []
    for field in FIELDS:
        if field not in desired or live.get(field) == desired[field]:
            continue
        if field == "inputParameters" and isinstance(live[field], Mapping):
            found.extend(changes(live[field], desired[field], field))
        elif not _means_the_same(field, live, desired, as_of):
            found.append(FieldChange(field, live.get(field), desired[field]))
    return tuple(found)


def _means_the_same(field: str, live: State, desired: State, as_of: datetime) -> bool:
    match field:
        case "cron":
            ours, theirs = _expression(desired["cron"]), _expression(live["cron"])
            return ours is not None and ours == theirs
        case "timeZone":
            return _windows(live["timeZone"]).casefold() == _windows(desired["timeZone"]).casefold()
        case "startTime":
            return _starts_alike(live, desired, as_of)
        case "enabled":
            # A product that does not say whether a schedule is on is taken to run it.
            return live["enabled"] is None and desired["enabled"] is True
        case _:
            return False


def _starts_alike(live: State, desired: State, as_of: datetime) -> bool:
    """Whether the start makes no difference from now on, judged under the desired rhythm and zone.

    Where live follows another rhythm, that is a difference of its own field; the start then compares as under ours.
    """
    theirs = _timing({**desired, "startTime": wire_start(live)})
    ours = _timing(desired)
    return ours is not None and theirs is not None and timetable.same_start(theirs, ours, as_of)


def meaning(state: State) -> dict[str, str]:
    """Each field as text that does not depend on spelling or on the time of day: what the ledger keeps digests of.

    Of an interval's start only the phase matters; a cron schedule's start is left out, since it drops out of sight.
    """
    texts: dict[str, str] = {}
    for field in FIELDS:
        if field not in state:
            continue
        value = state[field]
        if field == "cron":
            expression = _expression(value)
            texts[field] = expression.meaning() if expression else str(value)
        elif field == "timeZone":
            texts[field] = _windows(value).casefold()
        elif field == "startTime":
            timing = _timing(state)
            texts[field] = timetable.phase(timing) if timing else str(value)
        else:
            texts[field] = json.dumps(value, sort_keys=True)
    return texts


def fingerprint(state: State | None) -> str:
    """What a saved plan rests on, as one digest. A start that makes a difference stands in the plan's own fields."""
    return "absent" if state is None else digest(meaning(state))


def is_unmoved(before: State | None, live: State | None, *, as_of: datetime) -> bool:
    """Whether what was seen when deciding still stands, by the one definition of what makes a difference."""
    if before is None or live is None:
        return before is live
    return not diff(live, before, as_of=as_of)


# --- what the ledger remembers ---------------------------------------------------------------------------------------


def memo(live: State, desired: State | None, moved_from: str = "") -> dict[str, Any]:
    """What the ledger keeps beside the digests of the state that was reached.

    The start in clear, since how it compares depends on the clock; which fields the manifest set (None: nobody knows
    of a manifest); and the `movedFrom` that was followed.
    """
    facts: dict[str, Any] = {}
    if _timing(live) is not None:
        facts["start"] = wire_start(live)
    if desired is not None:
        facts["set"] = sorted(desired.keys() - _ALWAYS_SET)
    if moved_from:
        facts[MOVED_FROM] = moved_from
    return facts


def moved_since(entry: Entry, state: State, *, rhythm: State, seal: Sealer, as_of: datetime) -> frozenset[str]:
    """The fields of a state that mean something else than what the ledger remembers having reached.

    Starts are held against each other under the cron and the zone of `rhythm`. Entries of earlier versions hold no
    start but an interval's phase.
    """
    meant = sealed(meaning(state), seal)
    moved = {field for field, now in meant.items() if entry.applied.get(field) != now}
    start = entry.facts.get("start")
    if "startTime" in state and start is not None:
        remembered = {**rhythm, "startTime": start}
        alike = _starts_alike(state, remembered, as_of)
        moved = moved - {"startTime"} if alike else moved | {"startTime"}
    return frozenset(moved)


def unset_changes(
    entry: Entry, live: State, desired: State, digest_of: Callable[[str, str], str]
) -> tuple[FieldChange, ...]:
    """What moved since the entry was written in fields that the manifest does not set: live, and what it was then."""
    found: list[FieldChange] = []
    for field, text in meaning({field: live[field] for field in FIELDS if field not in desired}).items():
        remembered = entry.applied.get(field)
        if remembered is None or remembered == digest_of(field, text):
            continue
        known = next(
            (one for one in _POSSIBLE[field] if digest_of(field, json.dumps(one, sort_keys=True)) == remembered),
            OTHER_VALUE,
        )
        found.extend(changes(live[field], known, field))
    return tuple(found)


def knows_what_was_set(entry: Entry) -> bool:
    """Whether the entry says which fields the manifest set; those of earlier versions do not."""
    return "set" in entry.facts


def newly_set(entry: Entry, desired: State) -> frozenset[str]:
    """The fields that the manifest sets now, and did not when the entry was written; none where nobody knows."""
    known = entry.facts.get("set")
    return frozenset(desired) - _ALWAYS_SET - frozenset(known) if known is not None else frozenset()


def action(fields: tuple[FieldChange, ...]) -> Action:
    """`enable` or `disable` when nothing else differs, since ACC has calls of its own for them; else `update`."""
    if [field.path for field in fields] == ["enabled"]:
        return Action.ENABLE if fields[0].after else Action.DISABLE
    return Action.UPDATE


def declared_terms(fields: tuple[FieldChange, ...], spec: State) -> tuple[FieldChange, ...]:
    """The same differences in the words of the manifest: `every: 15m`, where the manifest says `every`."""
    if "every" not in spec:
        return fields
    return tuple(
        FieldChange("every", _as_every(field.before), _as_every(field.after)) if field.path == "cron" else field
        for field in fields
    )


def _as_every(cron: str | None) -> str | None:
    expression = _expression(cron or "")
    return (expression.every() if expression is not None else None) or cron


def preview(before: State | None, after: State | None, *, as_of: datetime) -> Preview:
    """What a reviewer approves: next runs and runs a day, before and after. A disabled schedule does not run."""
    before_runs, before_per_day, _ = _outlook(before, as_of)
    after_runs, after_per_day, notes = _outlook(after, as_of)
    return Preview(before_runs, after_runs, before_per_day, after_per_day, notes)


def _outlook(state: State | None, as_of: datetime) -> tuple[tuple[str, ...], float | None, tuple[str, ...]]:
    timing = _timing(state) if state is not None and state.get("enabled") else None
    if timing is None:
        return (), None, ()
    runs = timetable.next_runs(timing, as_of, _PREVIEWED_RUNS)
    named = "wildcards" if timing.expression.has_wildcard_times else "fixed times"
    notes = {
        "skipped-hour": "daylight saving skips this local time: predicted to run at the next valid one",
        "repeated-hour": "daylight saving repeats this local time: predicted to run once, "
        f"twice if ACC runs {named} in both hours",
    }
    said = tuple(f"{run.at.isoformat()}: {notes[run.note]}" for run in runs if run.note)
    return tuple(run.at.isoformat() for run in runs), timetable.runs_per_day(timing.expression), said


def wire_body(identity: str, state: State) -> State:
    """The documented body of "Add or update job schedule", all nine keys, for a full state."""
    return {
        "scheduleId": identity,
        "cron": state["cron"],
        "sessionId": state["sessionId"] or None,
        "startTime": wire_start(state),
        "timeZoneId": state["timeZone"],
        "inputParameters": state["inputParameters"],
        "logLevel": state["logLevel"],
        "isWindowless": state["windowless"],
        "isEnabled": state["enabled"],
    }


def wire_start(state: State) -> str:
    try:
        return timetable.parse_start(state["startTime"], state["timeZone"]).replace(microsecond=0).isoformat()
    except timetable.TimetableError:
        return str(state["startTime"])


class ScheduleWriter(Protocol):
    """The calls of the ACC client that change one schedule."""

    def put_schedule(self, agent_id: str, body: Mapping[str, Any], *, once: bool = False) -> object: ...
    def enable_schedule(self, schedule_id: str) -> None: ...
    def disable_schedule(self, schedule_id: str) -> None: ...
    def delete_schedule(self, schedule_id: str) -> None: ...


def act(acc: ScheduleWriter, change: Change, *, once: bool = False) -> None:
    """Write one change. Raises Refused when nothing happened, Uncertain when perhaps it did.

    `once`: a create whose reply is lost is not sent again, since ACC may not keep the id that makes it harmless.
    """
    match change.action:
        case Action.CREATE | Action.UPDATE:
            assert change.after is not None
            acc.put_schedule(change.agent_id, wire_body(change.identity, change.after), once=once)
        case Action.ENABLE:
            acc.enable_schedule(change.identity)
        case Action.DISABLE:
            acc.disable_schedule(change.identity)
        case Action.DELETE:
            acc.delete_schedule(change.identity)
        case _:
            raise AssertionError(f"a schedule knows no action {change.action}")


def timing(state: State) -> timetable.Timing | None:
    """When a schedule in this state runs; None where its rhythm or its start cannot be read."""
    return _timing(state)


def _timing(state: State) -> timetable.Timing | None:
    expression = _expression(state.get("cron") or "")
    zone = _windows(state.get("timeZone") or "")
    if expression is None or not zone:
        return None
    try:
        return timetable.Timing(expression, timetable.parse_start(str(state.get("startTime")), zone), zone)
    except timetable.TimetableError:
        return None


@lru_cache(maxsize=65536)
def _expression(text: str) -> timetable.Expression | None:
    try:
        return timetable.parse(text)
    except timetable.TimetableError:
        return None


@lru_cache(maxsize=4096)
def _every(text: str) -> timetable.Expression:
    return timetable.parse_every(text)


@lru_cache(maxsize=4096)
def _windows(zone: str) -> str:
    try:
        return timetable.zones.to_windows(zone)
    except timetable.TimetableError:
        return zone
