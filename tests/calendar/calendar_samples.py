"""An estate of made-up schedules for the tests of the calendar."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime

from reconciler import timetable
from reconciler.calendar.forecast import Calendar, Entry, Source, common_zone, forecast_of, read_zone, window_of
from reconciler.calendar.job_starts import Job
from reconciler.render import Stamp

AS_OF = datetime(2026, 3, 30, 5, 12, 7, tzinfo=UTC)
STAMP = Stamp("1.0.0", "retail-data", "prod", "2026-03-30T05:12:07Z")


def job(
    address: str,
    rhythm: str,
    *,
    zone: str = "Australia/Sydney",
    start: str = "2026-01-01T00:00:00",
    seconds: int | None = None,
    enabled: bool = True,
) -> Job:
    expression = timetable.parse(rhythm) if " " in rhythm else timetable.parse_every(rhythm)
    timing = timetable.Timing(expression, timetable.parse_declared_start(start), zone)
    return Job(address, f"sequentum/{address.split('/')[1]}", timing, enabled, seconds)


def entries(jobs: Iterable[Job]) -> list[Entry]:
    return [
        Entry(each, timetable.describe(each.timing.expression), managed=not each.address.endswith("-by-hand"))
        for each in jobs
    ]


def estate() -> list[Job]:
    """A dozen agents around Sydney: ten that start at two, a busy morning, a poll, and one that trips over itself."""
    shops = ("prices", "stock", "reviews", "stores", "promotions", "brands", "images", "catalogue", "ratings", "deals")
    found = [job(f"schedule/{shop}/nightly", "0 0 2 * * *", seconds=1200 + 240 * n) for n, shop in enumerate(shops)]
    found += [
        job(f"schedule/{shop}/office", f"0 {5 * n} 8-18 * * MON-FRI", seconds=300) for n, shop in enumerate(shops[:6])
    ]
    found += [
        job("schedule/prices/poll", "15m", zone="UTC", seconds=240),
        job("schedule/stock/early", "0 30 2 * * *", seconds=2400),
        job("schedule/weekly/report", "0 0 6 * * MON", zone="Europe/Berlin", seconds=5400),
        job("schedule/feed/ticker", "30s", zone="UTC", seconds=45),
        job("schedule/archive/month-end", "0 0 22 L * ?", seconds=9000),
        job("schedule/archive/paused", "0 0 1 * * *", enabled=False),
        job("schedule/legacy/made-by-hand", "1d", start="2019-05-30T15:36:00"),
    ]
    return found


def calendar_of(
    jobs: Iterable[Job],
    *,
    before: Iterable[Job] | None = None,
    days: int = 7,
    first: date = date(2026, 3, 30),
    zone: str | None = None,
    threshold: int = 10,
    source: Source = Source.LIVE,
    unreadable: tuple[tuple[str, str], ...] = (),
    notes: tuple[str, ...] = (),
) -> Calendar:
    shown = entries(jobs)
    chosen, reason = common_zone(each.job.timing for each in shown)
    if zone is not None:
        chosen, reason = read_zone(zone), "as asked for"
    window = window_of(first, days, chosen)
    return Calendar(
        source=source,
        zone=chosen,
        zone_reason=reason,
        as_of=AS_OF,
        threshold=threshold,
        shown=forecast_of(shown, window, chosen, as_of=AS_OF, threshold=threshold),
        before=None
        if before is None
        else forecast_of(entries(before), window, chosen, as_of=AS_OF, threshold=threshold),
        unreadable=unreadable,
        notes=notes,
    )
