"""Times in which schedules should not run: checks and reads what the project file says of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from reconciler import timetable
from reconciler.manifests.problems import ProblemReporter
from reconciler.manifests.yaml_values import DocumentPath
from reconciler.model import Blackout
from reconciler.quantities import seconds_of


def check(blackout: Mapping[str, Any], path: DocumentPath, report: ProblemReporter) -> None:
    """Report what is wrong with a blackout that keeps to the schema."""
    begin, end = (_moment(blackout, key, path, report) for key in ("from", "to"))
    if begin and end and end <= begin:
        report.error((*path, "to"), "wrong-value", "`to` must be later than `from`")
    try:
        timetable.zones.to_windows(blackout["timeZone"])
    except timetable.TimetableError as error:
        report.error((*path, "timeZone"), "bad-zone", _worded("timeZone", error))
    if "cron" in blackout:
        try:
            if timetable.parse(blackout["cron"]).is_interval:
                report.error(
                    (*path, "cron"), "bad-cron", "a blackout takes six fields, not an interval: 0 0 22 * * FRI"
                )
        except timetable.TimetableError as error:
            report.error((*path, "cron"), "bad-cron", _worded("cron", error))
    if "duration" in blackout:
        try:
            seconds_of(blackout["duration"])
        except ValueError as error:
            report.error((*path, "duration"), "wrong-value", f"`duration`: {error}")


def read(blackout: Mapping[str, Any]) -> Blackout:
    """A blackout that was checked."""
    return Blackout(
        name=blackout["name"],
        time_zone=blackout["timeZone"],
        blocks=blackout.get("policy") == "block",
        only=tuple(blackout.get("only", ())),
        exclude=tuple(blackout.get("exclude", ())),
        period=None
        if "cron" in blackout
        else (timetable.parse_declared_start(blackout["from"]), timetable.parse_declared_start(blackout["to"])),
        cron=blackout.get("cron", ""),
        duration_seconds=seconds_of(blackout["duration"]) if "cron" in blackout else 0.0,
    )


def _moment(blackout: Mapping[str, Any], key: str, path: DocumentPath, report: ProblemReporter) -> datetime | None:
    if key not in blackout:
        return None
    try:
        return timetable.parse_declared_start(blackout[key])
    except timetable.TimetableError as error:
        report.error((*path, key), "bad-time", _worded(key, error))
        return None


def _worded(key: str, error: timetable.TimetableError) -> str:
    return f"`{key}`: {error.message}" + (f"; {error.hint}" if error.hint else "")
