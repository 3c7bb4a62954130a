"""Turns an `Agent` document into resources: input files, approval and schedules."""

from __future__ import annotations

import functools
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from reconciler import timetable
from reconciler.identity import normal_id, owned_id
from reconciler.manifests import input_file_checks
from reconciler.manifests.declarations import (
    Declared,
    ManifestDocument,
    Scope,
    claim,
    handle_of,
    labels_of,
    name_at,
    raw_handle,
)
from reconciler.manifests.problems import DocumentPath, ProblemReporter
from reconciler.manifests.scalars import text_of
from reconciler.model import Address, Agent, KindName, Origin, Resource

_LOG_LEVELS = {"none": 0, "low": 1, "medium": 2, "high": 3}
_EARLY = datetime(2000, 1, 1)  # noqa: DTZ001 - on the clock of a schedule's own zone
_NOT_SPEC = ("name", "id", "protect", "movedFrom")


def declare(document: ManifestDocument, scope: Scope, declared: Declared) -> None:
    """Add what an Agent document declares; what a schema cannot say is checked on the way."""
    handle = handle_of(document) or raw_handle(document)
    path = document.spec_part("path")
    if not handle:
        return
    origin = document.origin(document.parsed.value, ())
    if not claim(declared, "agent", handle, origin, document.report, f"the agent {handle!r}"):
        return
    if isinstance(path, str):
        report = document.report
        at = report.origin(("spec", "path")) if ("path", path.lower()) in declared.places else origin
        claim(declared, "path", path.lower(), at, report, f"the path {path!r}")
    agent_path = path if isinstance(path, str) else ""
    agent = Agent(
        handle,
        agent_path,
        origin,
        labels_of(document),
        moved_from=_moved_from(document, declared, "metadata", handle),
        path_before=_moved_from(document, declared, "spec", agent_path),
    )
    declared.agents.append(agent)
    needs = _input_files(document, scope, declared, agent)
    needs = (*_approval(document, declared, agent, needs), *needs)
    _schedules(document, scope, declared, agent, needs)


def _moved_from(document: ManifestDocument, declared: Declared, part: str, now: str) -> str:
    """What `movedFrom` says in this part of the document: the old handle, or the old path; "" where it says nothing."""
    block, path = document.value.get(part), (part, "movedFrom")
    if not isinstance(block, dict) or "movedFrom" not in block or not document.is_usable(path):
        return ""
    before = str(block["movedFrom"])
    what = "handle" if part == "metadata" else "path"
    _check_move(before, now, (f"the old {what}", before.lower()), path, document.report, declared)
    return before


def _check_move(
    before: str, now: str, claimed: tuple[str, str], path: DocumentPath, report: ProblemReporter, declared: Declared
) -> None:
    """Report a `movedFrom` that names where the thing is anyway, or where another one says that it comes from."""
    if before == now:
        report.error(path, "moved-nowhere", "`movedFrom` names what it is called now: write what it was called before")
    claim(declared, *claimed, report.origin(path), report, f"{claimed[0]} {before!r}")


def _input_files(document: ManifestDocument, scope: Scope, declared: Declared, agent: Agent) -> tuple[Address, ...]:
    spec = document.value.get("spec")
    keys = ("inputFiles", "inputFilesExclusive", "inputFilesEnabled")
    if not isinstance(spec, dict) or not any(key in spec for key in keys):
        return ()
    address = Address(KindName.INPUT_FILES, agent.handle)
    declared.mentioned.add(address)
    report = document.report.at(str(address))
    content: dict[str, Any] = {}
    listed = document.value["spec"].get("inputFiles")
    files: list[dict[str, str]] = []
    names: dict[str, Origin] = {}
    unpacked: list[tuple[str, str, DocumentPath]] = []
    for index, entry in enumerate(listed if isinstance(listed, list) else ()):
        path: DocumentPath = ("spec", "inputFiles", index)
        if not isinstance(entry, dict) or not document.is_usable(path):
            continue
        file = input_file_checks.check_entry(entry, path, report, scope.root)
        origin = report.origin(path)
        name = str(file["name"])
        first = names.setdefault(name.lower(), origin)
        if first is not origin:
            message = f"the input file {name!r} is declared twice; the first is at {first}"
            report.error(path, "duplicate", message)
        files.append(file)
        unpacked += [(member, name, path) for member in input_file_checks.members(Path(file["file"]))]
    _check_unpacked(unpacked, names, report)
    content["files"] = sorted(files, key=lambda one: one["name"])
    for key, short in (("inputFilesExclusive", "exclusive"), ("inputFilesEnabled", "enabled")):
        value = document.spec_part(key)
        if value is not None:
            content[short] = value
    written = next(key for key in keys if key in spec)
    declared.resources.append(
        Resource(
            address=address,
            spec=content,
            origin=document.origin(spec[written], ("spec", written)),
            agent_path=agent.path,
            labels=agent.labels,
        )
    )
    return (address,)


def _check_unpacked(
    unpacked: list[tuple[str, str, DocumentPath]], names: dict[str, Origin], report: ProblemReporter
) -> None:
    """Report each archive that brings a file which another entry brings too. `unpacked`: member, archive, its place."""
    first: dict[str, str] = {}
    told: set[str] = set()
    for member, archive, path in unpacked:
        key = member.casefold()
        other = str(names[member.lower()]) if member.lower() in names else first.setdefault(key, archive)
        if other != archive and archive not in told:
            told.add(archive)
            where = f"the input file at {other}" if member.lower() in names else f"a file in {other!r}"
            message = (
                f"{member[:120]!r} in {archive!r} has the name of {where}: which of the two wins is not documented"
            )
            report.error(path, "zip-clash", message)


def _approval(
    document: ManifestDocument, declared: Declared, agent: Agent, needs: tuple[Address, ...]
) -> tuple[Address, ...]:
    spec = document.value.get("spec")
    if not isinstance(spec, dict) or "approval" not in spec:
        return ()
    address = Address(KindName.APPROVAL, agent.handle)
    declared.mentioned.add(address)
    block = document.spec_part("approval")
    if block is None:
        return (address,)
    origin = document.origin(block, ("spec", "approval"))
    declared.resources.append(
        Resource(address, dict(block), origin, agent_path=agent.path, needs=needs, labels=agent.labels)
    )
    return (address,)


def _schedules(
    document: ManifestDocument, scope: Scope, declared: Declared, agent: Agent, needs: tuple[Address, ...]
) -> None:
    spec = document.value.get("spec")
    listed = spec.get("schedules") if isinstance(spec, dict) else None
    if not isinstance(listed, list):
        return
    prefix = f"{KindName.SCHEDULE.value}/{agent.handle}/"
    for index, block in enumerate(listed):
        name = name_at(listed, index)
        if not name:
            continue
        address = Address(KindName.SCHEDULE, agent.handle, name)
        path: DocumentPath = ("spec", "schedules", index)
        if document.wrong:
            declared.mentioned.add(address)
            if (*path, "name") in document.wrong:
                continue
        report = document.report.at(prefix + name)
        origin = document.origin(block, path)
        if not claim(declared, "address", report.address, origin, report, f"the schedule {name!r} of {agent.handle}"):
            continue
        _check_timing(block, path, report, document, scope.as_of)
        if document.wrong and not document.is_usable(path):
            continue
        content, secrets = _content(document, declared, block, path)
        adopted = block.get("id")
        if adopted:
            identity = normal_id(adopted)
            claim(declared, "id", identity, origin, report, f"the schedule id {identity}")
        else:
            identity = owned_id(scope.project, scope.environment, agent.path, name) if agent.path else ""
        moved_from = str(block.get("movedFrom", ""))
        if moved_from:
            before = (f"the old name of a schedule of {agent.handle}", moved_from)
            _check_move(moved_from, name, before, (*path, "movedFrom"), report, declared)
        resource = Resource(
            address=address,
            spec=content,
            origin=origin,
            agent_path=agent.path,
            identity=identity,
            adopted=adopted is not None,
            protect=block.get("protect", False),
            needs=needs,
            secrets=secrets,
            labels=agent.labels,
            moved_from=moved_from,
        )
        declared.resources.append(resource)


def _content(
    document: ManifestDocument, declared: Declared, block: dict[str, Any], path: DocumentPath
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The spec of a block that keeps to the schema, and the paths in it that are secret."""
    content = {key: value for key, value in block.items() if key not in _NOT_SPEC}
    if "logLevel" in content:
        level = content["logLevel"]
        content["logLevel"] = _LOG_LEVELS[level] if level in _LOG_LEVELS else int(level)
    if "sessionId" in content:
        content["sessionId"] = text_of(content["sessionId"])
    secrets: tuple[str, ...] = ()
    if "inputParameters" in content:
        content["inputParameters"] = {key: text_of(value) for key, value in content["inputParameters"].items()}
        if document.filled.secrets:
            inside = (*path, "inputParameters")
            secrets = tuple(f"inputParameters.{key}" for key in document.secret_paths(inside))
            declared.secret_values |= hidden_values(document, inside)
    return content, secrets


def hidden_values(document: ManifestDocument, path: DocumentPath) -> set[str]:
    """What came from outside under a path: never to be printed. Nothing that is empty."""
    secrets = document.filled.secrets
    return {text for one in document.filled.secrets_under(path) for text in secrets[one] if text}


# --- timing ----------------------------------------------------------------------------------------------------------


def _check_timing(
    block: dict[str, Any], path: DocumentPath, report: ProblemReporter, document: ManifestDocument, as_of: datetime
) -> None:
    """Report what is wrong or doubtful about when a schedule runs, as far as its parts can be used."""
    written: dict[str, str] = block
    if document.wrong:
        written = {
            key: block[key]
            for key in ("cron", "every", "startTime", "timeZone")
            if isinstance(block.get(key), str) and (path in document.wrong or document.is_usable((*path, key)))
        }
    errors, warnings = _timing_findings(
        written.get("cron"), written.get("every"), written.get("startTime"), written.get("timeZone"), as_of
    )
    for key, code, message in errors:
        report.error((*path, key), code, message)
    for code, message in warnings:
        key = "timeZone" if "zone" in code else "every" if "every" in written else "cron"
        report.warn((*path, key), code, message)


@functools.lru_cache(maxsize=65536)
def _timing_findings(
    cron: str | None, every: str | None, start: str | None, zone: str | None, as_of: datetime
) -> tuple[tuple[tuple[str, str, str], ...], tuple[tuple[str, str], ...]]:
    """Errors as (key, code, message), warnings as (code, message). Estates repeat themselves: asked once for each."""
    errors: list[tuple[str, str, str]] = []
    expression = moment = None
    try:
        expression = timetable.parse(cron) if cron is not None else _interval(every) if every else None
    except timetable.TimetableError as error:
        key, code = ("cron", "bad-cron") if cron is not None else ("every", "bad-every")
        errors.append((key, code, _worded(error)))
    if every == "":
        errors.append(("every", "bad-every", "`every` is empty: write a number and a unit, such as 15m"))
    try:
        moment = timetable.parse_declared_start(start) if start is not None else None
    except timetable.TimetableError as error:
        errors.append(("startTime", "bad-time", _worded(error)))
    try:
        if zone is not None:
            timetable.zones.to_windows(zone)
    except timetable.TimetableError as error:
        errors.append(("timeZone", "bad-zone", _worded(error)))
        zone = None
    if expression is None or moment is None or zone is None:
        return tuple(errors), ()
    return tuple(errors), _advice(cron, every, _same_start(expression, moment, as_of), zone, as_of)


@functools.lru_cache(maxsize=65536)
def _advice(
    cron: str | None, every: str | None, start: datetime, zone: str, as_of: datetime
) -> tuple[tuple[str, str], ...]:
    expression = timetable.parse(cron) if cron is not None else _interval(every or "")
    return timetable.findings(timetable.Timing(expression, start, zone), as_of)


def clear_timing_caches() -> None:
    """Let go of what was remembered of timings while a project was read: afterwards it only takes up memory."""
    _timing_findings.cache_clear()
    _advice.cache_clear()


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


@functools.lru_cache(maxsize=4096)
def _interval(every: str) -> timetable.Expression:
    return timetable.parse_every(every)


def _worded(error: timetable.TimetableError) -> str:
    return f"{error.message}; {error.hint}" if error.hint else error.message
