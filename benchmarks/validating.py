"""`validate`: against reading the same data as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator

from benchmarks.estate import Estate
from benchmarks.goals import Result
from benchmarks.processes import RECONCILER, Program, measure_in_turn, median, wall
from benchmarks.workshop import Workshop, floor


def validate(shop: Workshop) -> Iterator[Result]:
    """50 000 schedules in 10 000 files."""
    estate = Estate("bench-validate", shop.size(10_000))
    project = estate.write_project(shop.folder / estate.name, "http://127.0.0.1:9")
    twins = shop.folder / f"{estate.name}-json"
    twins.mkdir()
    for number, path in estate.paths():
        (twins / f"agent-{number:05d}.json").write_text(json.dumps(estate.manifest(number, path)))
    bare = floor("json", str(twins))
    pair = measure_in_turn(Program([*RECONCILER, "validate"], project).run, bare.run, shop.runs)
    yield Result(
        "validate",
        f"{estate.agents * estate.schedules} schedules in {estate.agents} files / json.loads of the same",
        pair.ratio(wall),
        5.0,
        behind={"validate s": median(pair.ours, wall), "json s": median(pair.floor, wall)},
    )
