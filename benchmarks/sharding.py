"""Four runs side by side, with their ledgers on one PostgreSQL, against one run that does all of it."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

from benchmarks.applying import APPLY
from benchmarks.database import postgres
from benchmarks.emulation import emulator
from benchmarks.estate import Estate, write_state
from benchmarks.goals import Result
from benchmarks.processes import Program
from benchmarks.workshop import Workshop

_SHARDS = 4
_CONCURRENCY = 8  # the default of a connection
_LATENCY = 0.05


def shards(shop: Workshop) -> Iterator[Result]:
    """One change an agent, 50 ms away."""
    size = shop.size(1200) // _SHARDS
    whole = Estate("bench-whole", size * _SHARDS, movable=1)
    parts = [Estate(f"bench-shard-{n}", size, movable=1, first=10_000 * (n + 1)) for n in range(_SHARDS)]
    state = write_state(shop.folder / "shards.json", whole, *parts)
    database = nullcontext(shop.postgres) if shop.postgres else postgres(shop.folder / "postgres")
    with database as ledger, emulator(shop.folder, state) as url:
        for estate in (whole, *parts):
            estate.write_project(shop.folder / estate.name, url, ledger=ledger)
            Program(APPLY, shop.folder / estate.name).run()
        with emulator(shop.folder, state, latency=_LATENCY) as far:

            def together(estates: list[Estate], second: int) -> float:
                for estate in estates:
                    estate.write_project_file(
                        shop.folder / estate.name, far, concurrency=_CONCURRENCY, ledger=ledger, second=second
                    )
                programs = [Program(APPLY, shop.folder / estate.name) for estate in estates]
                began = time.perf_counter()
                with ThreadPoolExecutor(len(programs)) as pool:
                    for done in [pool.submit(program.run) for program in programs]:
                        done.result()
                return time.perf_counter() - began

            runs = max(1, shop.runs // 2)
            times = [(together(parts, turn), together([whole], turn)) for turn in range(1, runs + 1)]
    yield Result(
        "shards",
        f"apply of {whole.agents} changes as {_SHARDS} shards on one PostgreSQL / one run",
        statistics.median(a / b for a, b in times),
        0.35,
        behind={
            "shards s": statistics.median(a for a, _ in times),
            "one run s": statistics.median(b for _, b in times),
        },
    )
