"""What the calendar's page holds for its script: all starts in short, who makes them, and the quarters of an hour."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from reconciler.calendar.forecast import Calendar, Entry
from reconciler.calendar.job_starts import Job, Pattern, pattern_of
from reconciler.calendar.start_patterns import StartPatterns
from reconciler.render.characters import neutral
from reconciler.render.html.links import Links
from reconciler.timetable.instants import starts_between

_MOST_ZONES = 4
"""So many zones of schedules are offered beside the calendar's own, UTC and the reader's."""


class Row(Struct, frozen=True):
    """A schedule in the list of all. `before`: as it was before the plan; `tags` are what is to be said of it."""

    entry: Entry
    before: Entry | None
    tags: tuple[str, ...]

    @property
    def is_gone(self) -> bool:
        return "gone" in self.tags


def rows_of(found: Calendar) -> list[Row]:
    """Every schedule with what is to be said of it; those that the plan removes come last."""
    then = {} if found.before is None else {entry.job.address: entry for entry in found.before.entries}
    rows = [
        Row(entry, then.get(entry.job.address), tuple(_tags(found, entry, then.get(entry.job.address))))
        for entry in found.shown.entries
    ]
    there = {entry.job.address for entry in found.shown.entries}
    return rows + [Row(entry, entry, ("gone",)) for name, entry in sorted(then.items()) if name not in there]


def _tags(found: Calendar, entry: Entry, then: Entry | None) -> list[str]:
    tags = [] if entry.job.enabled else ["disabled"]
    if found.before is not None:
        if then is None:
            tags.append("new")
        elif (then.job.timing, then.job.enabled) != (entry.job.timing, entry.job.enabled):
            tags.append("changed")
    if not entry.managed:
        tags.append("unmanaged")
    return tags


def page_data(found: Calendar, rows: Sequence[Row], links: Links) -> dict[str, Any]:
    """The data block. A schedule's list is its address, then the numbers that `html_form.js` names in this order."""
    window = found.shown.load.window
    patterns = StartPatterns(window)
    agents, rhythms, clocks, tags, pages = (_Numbers() for _ in range(5))

    known: dict[Pattern, int] = {}

    def pattern(job: Job | None) -> int:
        if job is None or not job.enabled:
            return -1
        key = pattern_of(job.timing, window)
        if key not in known:
            known[key] = patterns.number_of(starts_between(job.timing, window.begin, window.end))
        return known[key]

    schedules = []
    for row in rows:
        job = row.entry.job
        schedules.append(
            [
                neutral(job.address),
                agents.of(job.agent_path),
                -1 if row.is_gone else pattern(job),
                pattern(row.before.job if row.before else None),
                rhythms.of(row.entry.words),
                clocks.of(job.timing.windows_zone),
                job.duration_seconds or 0,
                0 if row.is_gone else row.entry.next_run or 0,
                tags.of(" ".join(row.tags)),
                pages.of(links.of(job.address).partition("#")[0]),
            ]
        )
    sides = [found.shown] if found.before is None else [found.shown, found.before]
    number = agents.numbers
    return {
        "zone": found.zone.key,
        "zones": _zones(found),
        "begin": window.begin,
        "asOf": int(found.as_of.timestamp()),
        "starts": [side.load.starts for side in sides],
        "busy": [side.load.busy or [] for side in sides],
        "templates": patterns.templates,
        "patterns": patterns.patterns,
        "agents": list(agents.numbers),
        "rhythms": list(rhythms.numbers),
        "clocks": list(clocks.numbers),
        "tags": list(tags.numbers),
        "pages": list(pages.numbers),
        "schedules": schedules,
        "collisions": [[number.get(neutral(one.agent_path), -1), one.first] for one, _ in found.collisions],
    }


class _Numbers:
    """Texts that many schedules share, each with a number."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def of(self, text: str) -> int:
        return self.numbers.setdefault(neutral(text), len(self.numbers))


def _zones(found: Calendar) -> list[str]:
    """The zones that schedules use beside the calendar's, if they are few."""
    used = {rules.key for entry in found.shown.entries if (rules := entry.job.timing.rules) is not None}
    used -= {found.zone.key, "UTC", "Etc/UTC"}
    return sorted(used) if len(used) <= _MOST_ZONES else []
