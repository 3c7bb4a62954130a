"""Times in which schedules should not run: checks and reads what the project file says of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from reconciler import timetable
from reconciler.manifests.problems import ProblemReporter
from reconciler.manifests.yaml_values import DocumentPath, YAMLValue, list_of
from reconciler.model import Blackout
from reconciler.quantities import seconds_of


def check(blackout: Mapping[str, YAMLValue], path: DocumentPath, report: ProblemReporter) -> None:
    """Report what is wrong with a blackout that keeps to the schema."""
    begin, end = (_moment(blackout, key, path, report) for key in ("from", "to"))
    if begin and end and end <= begin:
        report.error((*path, "to"), "wrong-value", "`to` must be later than `from`")
    try:
        timetable.zones.to_windows(str(blackout["timeZone"]))
    except timetable.TimetableError as error:
        report.error((*path, "timeZone"), "bad-zone", _worded("timeZone", error))
    if "cron" in blackout:
        try:
            if timetable.parse(str(blackout["cron"])).is_interval:
                report.error(
                    (*path, "cron"), "bad-cron", "a blackout takes six fields, not an interval: 0 0 22 * * FRI"
                )
        except timetable.TimetableError as error:
            report.error((*path, "cron"), "bad-cron", _worded("cron", error))
    if "duration" in blackout:
        try:
            seconds_of(str(blackout["duration"]))
        except ValueError as error:
            report.error((*path, "duration"), "wrong-value", f"`duration`: {error}")


def read(blackout: Mapping[str, YAMLValue]) -> Blackout:
    """A blackout that was checked."""
    is_period = "cron" not in blackout
    return Blackout(
        name=str(blackout["name"]),
        time_zone=str(blackout["timeZone"]),
        blocks=blackout.get("policy") == "block",
        only=tuple(map(str, list_of(blackout.get("only")))),
        exclude=tuple(map(str, list_of(blackout.get("exclude")))),
        period=(_start(blackout["from"]), _start(blackout["to"])) if is_period else None,
        cron=str(blackout.get("cron", "")),
        duration_seconds=0.0 if is_period else seconds_of(str(blackout["duration"])),
    )


def _start(written: YAMLValue) -> datetime:
    return timetable.parse_declared_start(str(written))


def _moment(
    blackout: Mapping[str, YAMLValue], key: str, path: DocumentPath, report: ProblemReporter
) -> datetime | None:
    if key not in blackout:
        return None
    try:
        return _start(blackout[key])
    except timetable.TimetableError as error:
        report.error((*path, key), "bad-time", _worded(key, error))
        return None


def _worded(key: str, error: timetable.TimetableError) -> str:
    return f"`{key}`: {error.message}" + (f"; {error.hint}" if error.hint else "")
