"""The words that every form of the calendar uses: times, spans, counts, and what a finding means."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from reconciler.calendar.clock_marks import ClockMark
from reconciler.calendar.collisions import Collision
from reconciler.calendar.forecast import Calendar, Source
from reconciler.quantities import counted, first_few, short_span_text
from reconciler.render.frequency import day_text
from reconciler.timetable.runs import Repeats

SOURCES = {
    Source.LIVE: "as ACC has it now",
    Source.DESIRED: "as the manifests say",
    Source.PLAN: "after this plan",
}

ASSUMPTION = (
    "Predicted from the schedules. ACC runs one job of an agent at a time; the load counts runs as if none waited."
)

_NAMED = 3


plural = partial(counted)


def moment_text(calendar: Calendar, instant: int, *, seconds: bool = False) -> str:
    """ "Mon 23 Nov 02:00" on the calendar's clock; with seconds where they matter, or are not zero."""
    local = calendar.local(instant)
    return f"{day_text(local)} {local:{'%H:%M:%S' if seconds or local.second else '%H:%M'}}"


def quarter_text(calendar: Calendar, instant: int) -> str:
    """ "02:00-02:15"."""
    return f"{calendar.local(instant):%H:%M}-{calendar.local(instant + 900):%H:%M}"


def quarters_of(calendar: Calendar, begins: Sequence[int]) -> str:
    """The quarters of the day that these instants begin: "02:00-02:15, 08:00-08:15 and 2 more"."""
    return first_few(sorted({quarter_text(calendar, begin) for begin in begins}), _NAMED)


def days_of(calendar: Calendar, instants: Sequence[int]) -> str:
    """On which days: "every day", "Mon 23 Nov, Tue 24 Nov and 3 more days"."""
    days = sorted({calendar.local(instant).date() for instant in instants})
    if len(days) == len(calendar.days) > 1:
        return "every day"
    if len(days) > 2 and days == [day for day in calendar.days if day.weekday() < 5]:
        return "every day from Monday to Friday"
    return first_few(list(map(day_text, days)), _NAMED, rest="more day" if len(days) == _NAMED + 1 else "more days")


def times_of(calendar: Calendar, instants: Sequence[int]) -> str:
    """At which times of day: "02:00:00", "02:00:00, 03:00:00 and 5 more"."""
    return first_few(sorted({f"{calendar.local(instant):%H:%M:%S}" for instant in instants}), _NAMED)


def length_text(seconds: int | None) -> str:
    """ "45s", "12m", "1h 05m"; "" for what is not known."""
    return "" if seconds is None else short_span_text(seconds)


def collision_text(calendar: Calendar, found: Collision) -> str:
    """What collides, how often, and when first."""
    return f"{collision_count(found)}, first {moment_text(calendar, found.first)}"


def collision_count(found: Collision) -> str:
    """What collides, and how often."""
    count = f"{'at least ' if found.at_least else ''}{plural(found.times, 'time')}"
    if found.one == found.other:
        return f"its runs take longer than its own rhythm: {count}"
    return f"{'runs overlap' if found.durations_known else 'due at the same time'} {count}"


def clock_text(mark: ClockMark) -> str:
    """What a clock change does, and to how many schedules."""
    change = mark.change
    what = f"{change.begin:%H:%M} to {change.end:%H:%M} {'comes twice' if change.repeats else 'is skipped'}"
    if not mark.notes:
        return f"{what}; no schedule runs then"
    fate = "predicted to run once, the first time" if change.repeats else "predicted to run at the next valid time"
    starts = sum((found for _, found in mark.folds), Repeats(0, 0, 0))
    return f"{what}; {plural(len(mark.notes), 'schedule')} {fate}{_otherwise(starts)}"


def _otherwise(found: Repeats) -> str:
    """How a repeated hour goes where a scheduler has another way; ACC does not say which one it has."""
    if found.twice == found.once:
        return ""
    starts = f": {plural(found.once, 'start')}"
    if found.wildcards_twice == found.once:
        return f"{starts}, or {found.twice:,} if ACC runs both hours"
    if found.wildcards_twice == found.twice:
        return f"{starts}, or {found.twice:,} if ACC runs wildcards in both hours"
    return (
        f"{starts}, or {found.wildcards_twice:,} if ACC runs wildcards in both hours and fixed times once, "
        f"or {found.twice:,} if it runs everything in both"
    )


def summary_text(calendar: Calendar) -> str:
    """The whole calendar in one sentence."""
    side = calendar.shown
    off = f" ({side.disabled} disabled)" if side.disabled else ""
    return (
        f"{plural(len(side.entries) - side.disabled, 'enabled schedule')}{off}, {plural(side.load.total, 'start')}, "
        f"{plural(len(side.collisions), 'collision')}, "
        f"{plural(side.load.simultaneous_count, 'group')} of simultaneous starts"
    )


def change_text(calendar: Calendar) -> str:
    """What the plan changes about it: "starts 24 → 72, busiest quarter hour 4 → 9, …"; "" without a plan."""
    if calendar.before is None:
        return ""
    before, after = calendar.before.load, calendar.shown.load
    return (
        f"starts {before.total:,} → {after.total:,}, "
        f"busiest quarter hour {before.most_starts:,} → {after.most_starts:,}, "
        f"{plural(len(calendar.new_collisions), 'new collision')}, {len(calendar.gone_collisions)} gone"
    )
