"""`apply`: against the bare calls that it has to make."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

from benchmarks.estate import Estate
from benchmarks.goals import Result
from benchmarks.processes import RECONCILER, Cost, Program, measure_in_turn, median, wall
from benchmarks.workshop import CONCURRENCY, Workshop

APPLY = [*RECONCILER, "apply", "--auto-approve"]


def calls_of(estate: Estate, *, second: int) -> list[list[tuple[str, str, Any]]]:
    """What an apply that moves all movable schedules has to ask, agent by agent.

    Two reads to plan; then the schedules again, so that nothing is overwritten that moved meanwhile, and each write
    with the look that follows it.
    """
    chains: list[list[tuple[str, str, Any]]] = []
    for (agent, schedules), (target, bodies) in zip(estate.reads(), estate.writes(second=second), strict=True):
        chain: list[tuple[str, str, Any]] = [("GET", agent, None), ("GET", schedules, None), ("GET", schedules, None)]
        for body in bodies:
            chain += [("POST", target, body), ("GET", schedules, None)]
        chains.append(chain)
    return chains


def apply(shop: Workshop) -> Iterator[Result]:
    """2 000 changes on 1 000 agents, 20 ms away."""
    estate = Estate("bench-apply", shop.size(1000), movable=2)
    with shop.settled(estate, latency=0.02) as (project, url):
        seconds = count(1)

        def ours() -> Cost:
            estate.write_project_file(project, url, second=next(seconds) % 60)
            return Program(APPLY, project).run()

        calls = calls_of(estate, second=0)
        bare = shop.bare_calls(estate.name, url, calls)
        pair = measure_in_turn(ours, bare.run, shop.runs)
    least = sum(map(len, calls)) * 0.02 / CONCURRENCY
    yield Result(
        "apply",
        f"{2 * estate.agents} changes on {estate.agents} agents at 20 ms, wall / bare calls",
        pair.ratio(wall),
        1.15,
        behind={"apply s": median(pair.ours, wall), "bare s": median(pair.floor, wall), "network s": least},
    )
