"""Who moved, as `plan` and `drift` say it: generated schedules, edits on both sides, and a clock that goes on."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import Any

import pytest
from attribution_model import DAY_ONE, REQUIRED, VALUES, model
from clocks import SkippingClock
from stage import Open, Stage, agent

from reconciler.model.plan import Reason
from reconciler.timetable import zones

CASES = 150
MOMENTS = [timedelta(hours=hours) for hours in (0, 30, 216, 260, 500)]
WIRE: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "cron": ("cron", str),
    "startTime": ("start_time", str),
    "timeZone": ("time_zone_id", zones.to_windows),
    "inputParameters": ("input_parameters", json.dumps),
    "logLevel": ("log_level", int),
    "sessionId": ("session_id", str),
    "windowless": ("is_windowless", bool),
    "enabled": ("is_enabled", bool),
}
STATUS = {
    None: "in-sync",
    Reason.DRIFTED: "drifted",
    Reason.EDITED: "pending",
    Reason.DIVERGED: "diverged",
}


@dataclass(frozen=True)
class Case:
    """One schedule: what both sides were when it was applied, and what each became."""

    name: str
    base: Mapping[str, Any]
    set_then: set[str]
    live: Mapping[str, Any]
    manifest: Mapping[str, Any]

    @classmethod
    def drawn(cls, name: str, draw: random.Random) -> Case:
        base = {field: draw.choice(values) for field, values in VALUES.items()}
        set_then = {field for field in VALUES if field in REQUIRED or draw.random() < 0.5}
        edits = {field: draw.choice(values) for field, values in VALUES.items() if draw.random() < 0.2}
        by_hand = {field: draw.choice(values) for field, values in VALUES.items() if draw.random() < 0.2}
        kept = {field: base[field] for field in set_then if field in REQUIRED or draw.random() < 0.8}
        return cls(name, base, set_then, {**base, **by_hand}, {**kept, **edits})


def block(name: str, state: Mapping[str, Any]) -> str:
    return f"    - {json.dumps({'name': name, 'enabled': 'keep', **state})}\n"


def put(stage: Stage, name: str, state: Mapping[str, Any]) -> None:
    """Let live be so, as somebody in ACC would."""
    live = stage.live(name)
    for field, value in state.items():
        attribute, as_held = WIRE[field]
        setattr(live, attribute, as_held(value))


@pytest.mark.parametrize("seed", [1, 2])
def test_plan_and_drift_say_who_moved(open_stage: Open, seed: int, record_count: Callable[[str, int], None]) -> None:
    clock = SkippingClock(DAY_ONE.replace(tzinfo=UTC))
    stage = open_stage(clock=clock)
    draw = random.Random(seed)
    cases = [Case.drawn(f"c{number}", draw) for number in range(CASES)]
    stage.write(agent(*(block(one.name, {field: one.base[field] for field in one.set_then}) for one in cases)))
    assert stage.apply().code == 0
    for one in cases:
        put(stage, one.name, {field: one.base[field] for field in VALUES.keys() - one.set_then})
    assert stage.changes() == []
    assert stage.apply().code == 0, "and takes note of what no manifest sets"

    for one in cases:
        put(stage, one.name, one.live)
    stage.write(agent(*(block(one.name, one.manifest) for one in cases)))
    told: set[Reason | None] = set()
    for moment in MOMENTS:
        clock.skip(DAY_ONE.replace(tzinfo=UTC) + moment - clock())
        now = clock()
        expected = {one.name: model(one.base, one.set_then, one.live, one.manifest, now) for one in cases}
        changes = {address.rsplit("/", 1)[-1]: reason for address, _, reason in stage.changes()}
        findings = stage.run("drift", "--format", "json").document["findings"]
        statuses = {one["address"].rsplit("/", 1)[-1]: one["status"] for one in findings}
        for one in cases:
            reason = expected[one.name]
            assert (changes.get(one.name), statuses[one.name]) == (reason, STATUS[reason]), (one, now)
        told.update(expected.values())
        record_count("schedules whose mover was told", len(cases))
    assert told == set(STATUS)
