"""Thirty agents that are alike, written by one document: what is grouped is seen on them."""

from __future__ import annotations

from stage import Stage

REGIONS = tuple(f"{number:02}" for number in range(1, 31))
WEEKLY = '    - {name: weekly, cron: "0 0 6 * * SUN", startTime: 2026-01-01T02:00:00, timeZone: UTC}\n'


def write_shops(stage: Stage, estate: str, *, every: str = "15m", enabled: str = "true", more: str = "") -> None:
    """Write the manifest, whose text has places for `items`, `every`, `enabled` and `more` schedules."""
    items = ", ".join(f"{{region: '{region}'}}" for region in REGIONS)
    stage.write(estate.format(every=every, enabled=enabled, items=items, more=more))


def apply_shops(stage: Stage, estate: str) -> None:
    """Have the agents in ACC, and apply the manifest with a weekly schedule more."""
    for region in REGIONS:
        stage.estate.add_agent(f"sequentum/Shops/shop-{region}", duration=0.0)
    write_shops(stage, estate, more=WEEKLY)
    assert stage.apply().code == 0
