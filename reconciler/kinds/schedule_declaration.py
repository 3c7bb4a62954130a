"""The part `schedules` of an Agent document: when the agent runs, and with what."""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Literal, TypeAlias, TypedDict, TypeVar, cast

from reconciler import timetable
from reconciler.identity import normal_id, owned_id
from reconciler.kinds.schedule import KIND
from reconciler.kinds.schedule_state import ScheduleState, declared_state
from reconciler.manifests.declarations import Declared, Scope
from reconciler.manifests.document_kinds import BlockSort
from reconciler.manifests.documents import ManifestDocument, entry_name
from reconciler.manifests.problems import ProblemReporter
from reconciler.manifests.yaml_values import DocumentPath, YAMLValue, list_of, mapping_of, text_of
from reconciler.model.address import Address
from reconciler.model.resource import Agent, Resource
from reconciler.product_terms import LOG_LEVELS

_EARLY = datetime(2000, 1, 1)  # noqa: DTZ001 - on the clock of a schedule's own zone
_KEYS = ("cron", "every", "startTime", "timeZone")
_KEYS_NEEDED = 3
T = TypeVar("T")
Warnings: TypeAlias = tuple[tuple[str, str], ...]
"""Codes with what they say."""
Advice: TypeAlias = Callable[[str | None, str | None, datetime, str, datetime], Warnings]
"""What to say of a rhythm (`cron` or `every`) from a start on, in a zone, at a time."""


class ScheduleBlock(TypedDict, total=False):
    """One entry of `schedules` that keeps to the schema."""

    name: str
    id: str
    protect: bool
    movedFrom: str
    cron: str
    every: str
    startTime: str
    timeZone: str
    inputParameters: dict[str, YAMLValue]
    logLevel: str | int
    sessionId: str | int
    windowless: bool
    enabled: bool | Literal["keep"]
    expect: dict[str, YAMLValue]


def check_inherited(block: dict[str, YAMLValue], path: DocumentPath, report: ProblemReporter, scope: Scope) -> None:
    """Report what is wrong with when a schedule runs, as far as a block says it that is no schedule yet."""
    # What could not be filled in was reported already.
    written = map(block.get, _KEYS)
    cron, every, start, zone = (one if isinstance(one, str) and "${" not in one else None for one in written)
    _report_findings(cron, every, start, zone, path=path, report=report, scope=scope)


SORT = BlockSort(
    "schedule",
    ("spec", "schedules"),
    is_list=True,
    template="ScheduleTemplate",
    own=frozenset({"name", "id", "movedFrom"}),
    check=check_inherited,
)


class SchedulesPart:
    """Declares a resource `schedule/AGENT/NAME` for each entry."""

    keys = ("schedules",)
    blocks = (SORT,)

    def declare(
        self, document: ManifestDocument, scope: Scope, declared: Declared, agent: Agent, needs: tuple[Address, ...]
    ) -> tuple[Address, ...]:
        listed = list_of(document.spec.get("schedules"))
        prefix = f"{KIND.name}/{agent.handle}/"
        for index, entry in enumerate(listed):
            name = entry_name(listed, index)
            if not name:
                continue
            address = Address(KIND.name, agent.handle, name)
            path: DocumentPath = ("spec", "schedules", index)
            if document.wrong:
                declared.mentioned.add(address)
                if (*path, "name") in document.mistaken[0]:
                    continue
            report = document.report.at(prefix + name)
            origin = document.origin(entry, path)
            if not declared.claim(
                "address", report.address, origin, report, f"the schedule {name!r} of {agent.handle}"
            ):
                continue
            is_sound = _is_timing_sound(mapping_of(entry), path, report, document, scope)
            known = document.known_part(entry, path)
            if known is None:
                continue
            block = cast("ScheduleBlock", known)
            if "expect" in block:
                declared.say_not_judged(report, (*path, "expect"))
            secrets = _secrets(document, block, path)
            adopted = block.get("id")
            if adopted == "":
                report.error((*path, "id"), "empty-id", "an empty id adopts nothing: take the key out, or write the id")
            if adopted:
                identity = normal_id(adopted)
                declared.claim("id", identity, origin, report, f"the schedule id {identity}")
            else:
                identity = owned_id(scope.project, scope.environment, agent.path, name) if agent.path else ""
            moved_from = str(block.get("movedFrom", ""))
            if moved_from:
                what = f"the old name of a schedule of {agent.handle}"
                declared.check_move(moved_from, name, what, moved_from, (*path, "movedFrom"), report)
            if not is_sound or (document.wrong and len(known.keys() & _KEYS) < _KEYS_NEEDED):
                declared.mentioned.add(address)
                continue
            resource = Resource(
                address=address,
                state=_state(block),
                origin=origin,
                agent_path=agent.path,
                identity=identity,
                adopted=bool(adopted),
                protect=block.get("protect", False),
                needs=needs,
                secrets=secrets,
                labels=agent.labels,
                moved_from=moved_from,
                inherited=document.inherited(path),
            )
            declared.resources.append(resource)
        return ()

    def address_at(self, document: ManifestDocument, handle: str, path: DocumentPath) -> Address | None:
        index = path[2] if len(path) > 2 else None
        name = entry_name(document.spec["schedules"], index) if isinstance(index, int) else ""
        return Address(KIND.name, handle, name) if name else None


def _secrets(document: ManifestDocument, block: ScheduleBlock, path: DocumentPath) -> tuple[str, ...]:
    """The paths in a block that are secret."""
    if "inputParameters" not in block or not document.filled.secrets:
        return ()
    return tuple(f"inputParameters.{key}" for key in document.secret_keys((*path, "inputParameters")))


def _state(block: ScheduleBlock) -> ScheduleState:
    """What a block says that a schedule shall be."""
    parameters = block.get("inputParameters")
    session, level = block.get("sessionId"), block.get("logLevel")
    return declared_state(
        cron=block.get("cron"),
        every=block.get("every"),
        start_time=block.get("startTime"),
        time_zone=block.get("timeZone"),
        input_parameters=None if parameters is None else {key: text_of(value) for key, value in parameters.items()},
        log_level=None if level is None else LOG_LEVELS[level] if level in LOG_LEVELS else int(level),
        session_id=None if session is None else text_of(session),
        windowless=block.get("windowless"),
        enabled=block.get("enabled"),
    )


# --- when it runs ---------------------------------------------------------------------------------------------------


def _is_timing_sound(
    block: dict[str, YAMLValue],
    path: DocumentPath,
    report: ProblemReporter,
    document: ManifestDocument,
    scope: Scope,
) -> bool:
    """Report what is wrong or doubtful about when a schedule runs, as far as its parts can be used.

    Returns whether nothing is wrong.
    """
    written = [block.get(key) for key in _KEYS]
    if document.wrong:
        written = [
            value if (path in document.wrong and at not in document.wrong) or document.is_usable(at) else None
            for at, value in zip([(*path, key) for key in _KEYS], written, strict=True)
        ]
    cron, every, start, zone = (value if isinstance(value, str) else None for value in written)
    return _report_findings(cron, every, start, zone, path=path, report=report, scope=scope)


def _report_findings(
    cron: str | None,
    every: str | None,
    start: str | None,
    zone: str | None,
    *,
    path: DocumentPath,
    report: ProblemReporter,
    scope: Scope,
) -> bool:
    errors, warnings = scope.cached(_findings)(cron, every, start, zone, scope.as_of, scope.cached(_advice))
    for key, code, message in errors:
        report.error((*path, key), code, message)
    for code, message in warnings:
        key = "timeZone" if "zone" in code else "every" if every is not None else "cron"
        report.warn((*path, key), code, message)
    return not errors


def _findings(
    cron: str | None, every: str | None, start: str | None, zone: str | None, as_of: datetime, advice: Advice
) -> tuple[tuple[tuple[str, str, str], ...], Warnings]:
    """Errors as (key, code, message), and the warnings, which `advice` knows."""
    errors: list[tuple[str, str, str]] = []

    def parsed(key: str, code: str, parse: Callable[[str], T], text: str | None) -> T | None:
        try:
            return None if text is None else parse(text)
        except timetable.TimetableError as error:
            errors.append((key, code, f"{error.message}; {error.hint}" if error.hint else error.message))
            return None

    expression = parsed("cron", "bad-cron", timetable.parse, cron)
    if cron is None:
        expression = parsed("every", "bad-every", _interval, every or None)
    if every == "":
        errors.append(("every", "bad-every", "`every` is empty: write a number and a unit, such as 15m"))
    moment = parsed("startTime", "bad-time", timetable.parse_declared_start, start)
    known_zone = parsed("timeZone", "bad-zone", timetable.zones.to_windows, zone)
    if expression is None or moment is None or zone is None or known_zone is None:
        return tuple(errors), ()
    return tuple(errors), advice(cron, every, _same_start(expression, moment, as_of), zone, as_of)


def _advice(cron: str | None, every: str | None, start: datetime, zone: str, as_of: datetime) -> Warnings:
    expression = timetable.parse(cron) if cron is not None else _interval(every or "")
    return timetable.findings(timetable.Timing(expression, start, zone), as_of)


def _same_start(expression: timetable.Expression, start: datetime, as_of: datetime) -> datetime:
    """A start that means the same from `as_of` on, and that many schedules share, so that advice is asked for once.

    One that has passed everywhere makes no difference to cron; to an interval of days only its phase does.
    """
    if start > as_of.replace(tzinfo=None) - timedelta(days=2) or as_of.year < 2010:
        return start
    if not expression.is_interval:
        return _EARLY
    step = expression.whole_days
    if not 0 < step < 1000:
        return start
    day = _EARLY.toordinal() - step + (start.toordinal() - _EARLY.toordinal()) % step
    return datetime.combine(date.fromordinal(day), start.time())


_interval = functools.lru_cache(maxsize=4096)(timetable.parse_every)
