"""The ledger: durable changes a second, against bare commits of SQLite."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

from benchmarks.goals import Result
from benchmarks.processes import PYTHON, Program
from benchmarks.workshop import Workshop, floor

_THREADS = 8


def ledger(shop: Workshop) -> Iterator[Result]:
    """Changes told and ended by eight threads, the default concurrency; every change is two durable writes."""
    changes = shop.size(4000)
    pairs = []
    for _ in range(shop.runs + 1):
        folder = Path(mkdtemp(dir=shop.folder))
        bare = _printed(floor("commits", str(folder), str(changes)))
        program = [PYTHON, "-m", "benchmarks.journal", str(folder), str(changes), str(_THREADS)]
        pairs.append((_printed(Program(program)), bare))
    pairs = pairs[1:]
    yield Result(
        "ledger",
        f"durable changes a second, {_THREADS} threads / bare SQLite commits, WAL and FULL",
        statistics.median(ours / bare for ours, bare in pairs),
        0.5,
        at_least=True,
        behind={
            "changes a second": statistics.median(ours for ours, _ in pairs),
            "commits a second": statistics.median(bare for _, bare in pairs),
        },
    )


def _printed(program: Program) -> float:
    return float(program.run_and_read()[1].split()[-1])
