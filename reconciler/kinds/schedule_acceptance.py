"""What a block has to say so that it declares what somebody changed in ACC, in the words that it uses. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime
from typing import TypeAlias

from msgspec import Struct

from reconciler import timetable
from reconciler.files import VALUE_BYTES
from reconciler.kinds.schedule import KIND
from reconciler.kinds.schedule_state import PATHS, ScheduleState, wire_start
from reconciler.manifests.placeholders import escaped_text
from reconciler.manifests.yaml_values import YAMLValue, is_writable, plain_value, text_of
from reconciler.model.copies import replace
from reconciler.product_terms import LOG_LEVELS
from reconciler.quantities import size_text

PARAMETERS = "inputParameters"

_NAMES = {path: name for name, path in PATHS.items()}
_LOG_LEVEL_NAMES = {number: name for name, number in LOG_LEVELS.items()}
_UNSAID = "ACC does not say what it is"


class BlockEdit(Struct, frozen=True):
    """A value for a key of the block, or of its parameters; None removes the key."""

    path: tuple[str, ...]
    value: YAMLValue

    @property
    def field(self) -> str:
        return ".".join(self.path)


class Inexpressible(Struct, frozen=True):
    """A field that ACC holds in a way that no manifest can say, and why."""

    field: str
    why: str


Edits: TypeAlias = Iterator[BlockEdit | Inexpressible]
WrittenBlock: TypeAlias = Mapping[str, YAMLValue]


def with_followers(
    live: ScheduleState, desired: ScheduleState, moved: Collection[str], as_of: datetime
) -> frozenset[str]:
    """The fields that moved, and those that differ once these are accepted: a start is alike for one rhythm only."""
    names = frozenset(moved)
    known = {one.path.partition(".")[0] for one in KIND.diff(live, desired, as_of=as_of)}
    while True:
        taken = replace(desired, **{_NAMES[path]: getattr(live, _NAMES[path]) for path in names})
        more = {one.path.partition(".")[0] for one in KIND.diff(live, taken, as_of=as_of)} - known - names
        if not more:
            return names
        names |= more


def edits_of(live: ScheduleState, desired: ScheduleState, names: Collection[str], block: WrittenBlock) -> Edits:
    """What has to change in a block so that it declares what is live in these fields. `block`: as it is written."""
    for path in PATHS.values():
        if path in names:
            yield from _EDITS[path](live, desired, block)


def _rhythm(live: ScheduleState, desired: ScheduleState, block: WrittenBlock) -> Edits:
    text = " ".join((live.cron or "").split())
    try:
        every = timetable.parse(text).every() if desired.says_every else None
        timetable.parse(text)
    except timetable.TimetableError as error:
        yield Inexpressible("cron", f"no manifest can say what ACC holds: {error.message}")
        return
    if every is not None:
        yield BlockEdit(("every",), every)
        return
    if "every" in block:
        yield BlockEdit(("every",), None)
    yield BlockEdit(("cron",), text)


def _start(live: ScheduleState, desired: ScheduleState, block: WrittenBlock) -> Edits:
    text = wire_start(live)
    try:
        timetable.parse_declared_start(text)
    except timetable.TimetableError as error:
        yield Inexpressible("startTime", f"no manifest can say what ACC holds: {error.message}")
        return
    yield BlockEdit(("startTime",), text)


def _zone(live: ScheduleState, desired: ScheduleState, block: WrittenBlock) -> Edits:
    try:
        zone = timetable.zones.to_windows(live.time_zone or "")
    except timetable.TimetableError as error:
        yield Inexpressible("timeZone", f"no manifest can say what ACC holds: {error.message}")
        return
    is_iana = not timetable.zones.looks_like_windows(desired.written.time_zone)
    yield BlockEdit(("timeZone",), timetable.zones.to_iana(zone) if is_iana else zone)


def _parameters(live: ScheduleState, desired: ScheduleState, block: WrittenBlock) -> Edits:
    held, declared = live.input_parameters, desired.input_parameters
    if not isinstance(held, Mapping) or not isinstance(declared, Mapping):
        yield Inexpressible(PARAMETERS, "ACC holds something else than a JSON object of texts")
        return
    written = block.get(PARAMETERS)
    known = written if isinstance(written, dict) else {}
    for key in sorted({*held, *declared}):
        if held.get(key) == declared.get(key):
            continue
        if why := _unwritable(key) or _unwritable(held.get(key, "")):
            yield Inexpressible(f"{PARAMETERS}.{key}", why)
        else:
            value = None if key not in held else _literal(held[key], known.get(key))
            yield BlockEdit((PARAMETERS, key), value)


def _level(live: ScheduleState, desired: ScheduleState, block: WrittenBlock) -> Edits:
    level, written = live.log_level, block.get("logLevel")
    if level not in _LOG_LEVEL_NAMES:
        yield Inexpressible("logLevel", _UNSAID if level is None else f"no manifest can say what ACC holds: {level}")
    elif isinstance(written, int):
        yield BlockEdit(("logLevel",), level)
    else:
        is_digit = isinstance(written, str) and written.isdigit()
        yield BlockEdit(("logLevel",), str(level) if is_digit else _LOG_LEVEL_NAMES[level])


def _session(live: ScheduleState, desired: ScheduleState, block: WrittenBlock) -> Edits:
    text = live.session_id or ""
    if why := _unwritable(text):
        yield Inexpressible("sessionId", why)
    else:
        yield BlockEdit(("sessionId",), _literal(text, block.get("sessionId")))


def _switch(path: str) -> Callable[[ScheduleState, ScheduleState, WrittenBlock], Edits]:
    def edits(live: ScheduleState, desired: ScheduleState, block: WrittenBlock) -> Edits:
        value = getattr(live, path)
        yield Inexpressible(path, _UNSAID) if value is None else BlockEdit((path,), value)

    return edits


_EDITS = {
    "cron": _rhythm,
    "startTime": _start,
    "timeZone": _zone,
    PARAMETERS: _parameters,
    "logLevel": _level,
    "sessionId": _session,
    "windowless": _switch("windowless"),
    "enabled": _switch("enabled"),
}


def _unwritable(text: str) -> str:
    """Why a text cannot stand in a manifest; "" where it can."""
    if not is_writable(text):
        return "no manifest can say what ACC holds: half a character, which JSON can escape and YAML cannot"
    if len(text) > VALUE_BYTES:
        return f"no manifest can say what ACC holds: it is longer than {size_text(VALUE_BYTES)}"
    return ""


def _literal(text: str, before: YAMLValue) -> YAMLValue:
    """A text as a manifest writes it, as a number or a truth value where one stood there before and it reads alike."""
    if before is not None and not isinstance(before, str | dict | list):
        value = plain_value(text)
        if value is not None and not isinstance(value, str) and text_of(value) == text:
            return value
    return escaped_text(text)
