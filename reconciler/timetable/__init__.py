"""Timetable: what ACC's schedules mean, and when they run. Pure: no network, and the clock is always passed in."""

from __future__ import annotations

from reconciler.timetable import zones
from reconciler.timetable.advice import findings, inexact_zone
from reconciler.timetable.description import describe
from reconciler.timetable.expression import Expression, parse, parse_every
from reconciler.timetable.naming import short_name
from reconciler.timetable.runs import iter_runs, next_runs, phase, runs_per_day, same_start
from reconciler.timetable.timetable_error import TimetableError
from reconciler.timetable.timing import Timing, parse_declared_start, parse_start, windows_zone

__all__ = [
    "Expression",
    "TimetableError",
    "Timing",
    "describe",
    "findings",
    "inexact_zone",
    "iter_runs",
    "next_runs",
    "parse",
    "parse_declared_start",
    "parse_every",
    "parse_start",
    "phase",
    "runs_per_day",
    "same_start",
    "short_name",
    "windows_zone",
    "zones",
]
