"""Times in which schedules should not run: checks what the project file says of them, and gives it one form."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from reconciler import timetable
from reconciler.manifests.problems import ProblemReporter
from reconciler.manifests.yaml_values import DocumentPath
from reconciler.model import JSON
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


def normal(blackout: Mapping[str, Any]) -> Mapping[str, JSON]:
    """A blackout in its one form: `name`, `timeZone`, `policy`, `only`, `exclude`; and its times.

    These are `from` and `to` (naive local times, ISO 8601), or `cron` and `duration` (seconds).
    """
    form: dict[str, JSON] = {
        "name": blackout["name"],
        "timeZone": blackout["timeZone"],
        "policy": blackout.get("policy", "warn"),
        "only": list(blackout.get("only", ())),
        "exclude": list(blackout.get("exclude", ())),
    }
    if "cron" in blackout:
        return {**form, "cron": blackout["cron"], "duration": seconds_of(blackout["duration"])}
    times = {key: timetable.parse_declared_start(blackout[key]).isoformat() for key in ("from", "to")}
    return {**form, **times}


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
