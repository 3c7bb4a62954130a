"""A model of who moved, in a few lines: two states are held against what both were when they were applied.

Starts are compared by all the runs that follow from them, one by one.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from reconciler.model.plan import Reason

DAY_ONE = datetime(2026, 11, 1)
ZONES = {"UTC": timedelta(0), "Pacific/Tongatapu": timedelta(hours=13)}
CRONS = {"0 0 13 * * *": timedelta(hours=13), "0 30 4 * * *": timedelta(hours=4, minutes=30)}
STEPS = {"0 0 6 0": timedelta(hours=6), "0 0 0 1": timedelta(days=1), "0 0 0 3": timedelta(days=3)}
STARTS = [
    (DAY_ONE + timedelta(days=day, hours=hour)).isoformat() for day in (0, 1, 9, 10, 12, 21) for hour in (0, 6, 13)
]
VALUES: dict[str, list[Any]] = {
    "cron": [*CRONS, *STEPS],
    "startTime": STARTS,
    "timeZone": list(ZONES),
    "inputParameters": [{}, {"region": "au"}, {"region": "nz", "depth": "3"}],
    "logLevel": [0, 1, 2, 3],
    "sessionId": ["", "1-5/5"],
    "windowless": [True, False],
    "enabled": [True, False],
}
REQUIRED = ("cron", "startTime", "timeZone")


def runs(rhythm: Mapping[str, Any], start: str, now: datetime) -> set[datetime]:
    """All runs of the next weeks, one by one: what the meaning of a start comes down to."""
    local = now.replace(tzinfo=None) + ZONES[rhythm["timeZone"]]
    first, end = datetime.fromisoformat(start), DAY_ONE + timedelta(days=60)
    step = STEPS.get(rhythm["cron"], timedelta(days=1))
    at = first if rhythm["cron"] in STEPS else DAY_ONE + CRONS[rhythm["cron"]]
    found = (at + number * step for number in range((end - at) // step))
    return {run for run in found if run >= first and run > local}


def same(
    field: str, one: Mapping[str, Any], other: Mapping[str, Any], rhythm: Mapping[str, Any], now: datetime
) -> bool:
    if field != "startTime":
        return bool(one[field] == other[field])
    return runs(rhythm, one[field], now) == runs(rhythm, other[field], now)


def model(
    base: Mapping[str, Any], set_then: set[str], live: Mapping[str, Any], manifest: Mapping[str, Any], now: datetime
) -> Reason | None:
    """`base` is what both sides were when it was applied; `set_then` what the manifest said of it."""
    differing = {field for field in manifest if not same(field, live, manifest, manifest, now)}
    by_hand = any(not same(field, live, base, manifest, now) for field in differing)
    edited = any(field not in set_then or not same(field, base, manifest, manifest, now) for field in differing)
    return {
        (False, False): None,
        (True, False): Reason.DRIFTED,
        (False, True): Reason.EDITED,
        (True, True): Reason.DIVERGED,
    }[by_hand, edited]
