"""Checks when a schedule runs: what cannot be, and what its writer may not have meant."""

from __future__ import annotations

import functools
from datetime import date, datetime, timedelta

from reconciler import timetable
from reconciler.manifests.documents import ManifestDocument
from reconciler.manifests.problems import ProblemReporter
from reconciler.manifests.yaml_values import DocumentPath, YAMLValue

_EARLY = datetime(2000, 1, 1)  # noqa: DTZ001 - on the clock of a schedule's own zone
_KEYS = ("cron", "every", "startTime", "timeZone")


def check(
    block: dict[str, YAMLValue],
    path: DocumentPath,
    report: ProblemReporter,
    document: ManifestDocument,
    as_of: datetime,
) -> bool:
    """Report what is wrong or doubtful about when a schedule runs, as far as its parts can be used.

    Returns whether nothing is wrong.
    """
    written = [block.get(key) for key in _KEYS]
    if document.wrong:
        written = [
            value if path in document.wrong or document.is_usable((*path, key)) else None
            for key, value in zip(_KEYS, written, strict=True)
        ]
    cron, every, start, zone = (value if isinstance(value, str) else None for value in written)
    errors, warnings = _findings(cron, every, start, zone, as_of)
    for key, code, message in errors:
        report.error((*path, key), code, message)
    for code, message in warnings:
        key = "timeZone" if "zone" in code else "every" if every is not None else "cron"
        report.warn((*path, key), code, message)
    return not errors


@functools.lru_cache(maxsize=8192)
def _findings(
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


@functools.lru_cache(maxsize=8192)
def _advice(
    cron: str | None, every: str | None, start: datetime, zone: str, as_of: datetime
) -> tuple[tuple[str, str], ...]:
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


@functools.lru_cache(maxsize=4096)
def _interval(every: str) -> timetable.Expression:
    return timetable.parse_every(every)


def _worded(error: timetable.TimetableError) -> str:
    return f"{error.message}; {error.hint}" if error.hint else error.message
