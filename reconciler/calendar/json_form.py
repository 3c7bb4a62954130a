"""The calendar as a JSON document: sorted, times in RFC 3339 UTC, so that equal input gives equal bytes."""

from __future__ import annotations

from datetime import UTC, datetime

from msgspec.structs import asdict

from reconciler.calendar.clock_marks import ClockMark
from reconciler.calendar.collisions import Collision
from reconciler.calendar.forecast import Calendar, Entry, Forecast
from reconciler.calendar.job_starts import QUARTER
from reconciler.clock import at_text
from reconciler.render import Stamp
from reconciler.render.json_ import Document, header


def calendar(found: Calendar, stamp: Stamp) -> Document:
    """The document. `difference` is there only for what a plan would change."""
    window = found.shown.load.window
    document: Document = header(stamp) | {
        "source": found.source,
        "window": {
            "from": _instant(window.begin),
            "to": _instant(window.end),
            "days": len(found.days),
            "zone": found.zone.key,
            "zone_reason": found.zone_reason,
        },
        "summary": _summary(found.shown),
        "days": _days(found.shown),
        "schedules": [_schedule(entry) for entry in found.shown.entries],
        "peaks": [
            {
                "starts": peak.starts,
                "at": list(map(_instant, peak.begins)),
                "schedules": [{"address": address, "starts": count} for address, count in peak.members],
            }
            for peak in found.shown.load.peaks
        ],
        "collisions": [_collision(one) for one in found.shown.collisions],
        "herd_threshold": found.threshold,
        "herds": [
            {"size": len(group.members), "at": list(map(_instant, group.instants)), "addresses": list(group.members)}
            for group in found.shown.load.simultaneous
        ],
        "clock_changes": [
            {
                "zone": mark.zone,
                "at": _instant(mark.change.instant),
                "kind": "repeated" if mark.change.repeats else "skipped",
                "local_from": mark.change.begin.isoformat(),
                "local_to": mark.change.end.isoformat(),
                "affected": _affected(mark),
            }
            for mark in found.shown.load.clock_marks
        ],
        "unreadable": [{"place": place, "message": message} for place, message in found.unreadable],
        "notes": list(found.notes),
    }
    if found.before is not None:
        document["difference"] = {
            "before": _summary(found.before),
            "days": _days(found.before),
            "new_collisions": [_collision(one) for one in found.new_collisions],
            "gone_collisions": [_collision(one) for one in found.gone_collisions],
        }
    return document


def _affected(mark: ClockMark) -> list[Document]:
    """Whom a clock change touches; of a repeated hour also the starts in it, by the ways that schedulers have."""
    folds = dict(mark.folds)
    return [
        {"address": address, "note": note} | ({"starts": asdict(folds[address])} if address in folds else {})
        for address, note in mark.notes
    ]


def _summary(side: Forecast) -> Document:
    busy = side.load.busy
    return {
        "schedules": len(side.entries),
        "enabled": len(side.entries) - side.disabled,
        "unmanaged": sum(not entry.managed for entry in side.entries),
        "starts": side.load.total,
        "busiest_quarter_starts": side.load.most_starts,
        "highest_load": round(max(busy) / QUARTER, 3) if busy else None,
        "collisions": len(side.collisions),
        "herds": side.load.simultaneous_count,
        "durations_known": sum(entry.job.duration_known for entry in side.entries),
    }


def _days(side: Forecast) -> list[Document]:
    grid = side.grid
    load = grid.load or [[None] * 24] * len(grid.days)
    return [
        {
            "date": day.isoformat(),
            "starts": sum(filter(None, starts)),
            "hours": [
                {"hour": hour, "starts": count, "load": None if busy is None else round(busy, 3)}
                for hour, (count, busy) in enumerate(zip(starts, loads, strict=True))
            ],
        }
        for day, starts, loads in zip(grid.days, grid.starts, load, strict=True)
    ]


def _schedule(entry: Entry) -> Document:
    job = entry.job
    return {
        "address": job.address,
        "agent_path": job.agent_path,
        "managed": entry.managed,
        "enabled": job.enabled,
        "cron": job.timing.expression.text,
        "rhythm": entry.words,
        "time_zone": job.timing.windows_zone,
        "starts": entry.starts,
        "next_run": None if entry.next_run is None else _instant(entry.next_run),
        "duration_seconds": job.duration_seconds,
    }


def _collision(one: Collision) -> Document:
    return {
        "agent_path": one.agent_path,
        "addresses": [one.one, one.other],
        "first": _instant(one.first),
        "times": one.times,
        "at_least": one.at_least,
        "durations_known": one.durations_known,
    }


def _instant(seconds: int) -> str:
    return at_text(datetime.fromtimestamp(seconds, UTC))
