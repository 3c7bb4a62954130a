"""Times in which schedules should not run, as the project file says them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from reconciler import timetable
from reconciler.manifests.problems import ProblemReporter
from reconciler.manifests.yaml_values import DocumentPath, YAMLValue, list_of
from reconciler.model import Blackout
from reconciler.quantities import seconds_of

T = TypeVar("T")


def read(written: Mapping[str, YAMLValue], path: DocumentPath, report: ProblemReporter) -> Blackout:
    """A blackout that keeps to the schema; what else is wrong with it is reported."""

    def parsed(key: str, code: str, parse: Callable[[str], T]) -> T | None:
        return report.parsed((*path, key), code, parse, str(written[key])) if key in written else None

    begin = parsed("from", "bad-time", timetable.parse_declared_start)
    end = parsed("to", "bad-time", timetable.parse_declared_start)
    if begin and end and end <= begin:
        report.error((*path, "to"), "wrong-value", "`to` must be later than `from`")
    parsed("timeZone", "bad-zone", timetable.zones.to_windows)
    expression = parsed("cron", "bad-cron", timetable.parse)
    if expression is not None and expression.is_interval:
        report.error((*path, "cron"), "bad-cron", "a blackout takes six fields, not an interval: 0 0 22 * * FRI")
    return Blackout(
        name=str(written["name"]),
        time_zone=str(written["timeZone"]),
        blocks=written.get("policy") == "block",
        only=tuple(map(str, list_of(written.get("only")))),
        exclude=tuple(map(str, list_of(written.get("exclude")))),
        period=(begin, end) if begin and end else None,
        cron=str(written.get("cron", "")),
        duration_seconds=parsed("duration", "wrong-value", seconds_of) or 0.0,
    )
