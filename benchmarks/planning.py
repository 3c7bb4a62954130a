"""`plan`: against bare reads of the same agents, as the estate grows, and for one agent."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.estate import Estate
from benchmarks.goals import Result
from benchmarks.processes import PYTHON, RECONCILER, Program, cpu, measure, measure_in_turn, median, peak, wall
from benchmarks.workshop import CONCURRENCY, Workshop, looks

_PLAN = [*RECONCILER, "plan", "--detailed-exitcode"]


def plan(shop: Workshop) -> Iterator[Result]:
    """2 000 agents with five schedules each, 20 ms away: wall and CPU against bare reads."""
    estate = Estate("bench-plan", shop.size(2000))
    with shop.settled(estate, latency=0.02) as (project, url):
        bare = shop.bare_calls(estate.name, url, looks(estate))
        pair = measure_in_turn(Program(_PLAN, project).run, bare.run, shop.runs)
    least = 2 * estate.agents * 0.02 / CONCURRENCY
    yield Result(
        "plan-wall",
        f"plan of {estate.agents} x {estate.schedules} at 20 ms, wall / bare GETs",
        pair.ratio(wall),
        1.10,
        behind={"plan s": median(pair.ours, wall), "bare s": median(pair.floor, wall), "network s": least},
    )
    yield Result(
        "plan-cpu",
        "the same, CPU / CPU of the bare GETs",
        pair.ratio(cpu),
        1.10,
        behind={"plan s": median(pair.ours, cpu), "bare s": median(pair.floor, cpu)},
    )


def plan_large(shop: Workshop) -> Iterator[Result]:
    """10 000 agents, 50 ms away."""
    estate = Estate("bench-large", shop.size(10_000))
    with shop.settled(estate, latency=0.05) as (project, url):
        bare = shop.bare_calls(estate.name, url, looks(estate))
        pair = measure_in_turn(Program(_PLAN, project).run, bare.run, max(1, shop.runs // 2))
    least = 2 * estate.agents * 0.05 / CONCURRENCY
    yield Result(
        "plan-large-wall",
        f"plan of {estate.agents} x {estate.schedules} at 50 ms, wall / bare GETs",
        pair.ratio(wall),
        1.03,
        behind={"plan s": median(pair.ours, wall), "bare s": median(pair.floor, wall), "network s": least},
    )


def growth(shop: Workshop) -> Iterator[Result]:
    """CPU and memory of a plan, from 1 000 agents to 10 000, and the memory that the large one takes."""
    costs = []
    for size in (1000, 10_000):
        estate = Estate(f"bench-growth-{size}", shop.size(size))
        with shop.settled(estate) as (project, _):
            costs.append(measure(Program(_PLAN, project).run, max(1, shop.runs // 2)))
    small, large = costs
    yield Result("memory", "peak of a plan of 10 000 x 5", median(large, peak), 300, " MB")
    for name, of, goal in (("growth-cpu", cpu, 10.5), ("growth-memory", peak, 10.0)):
        yield Result(
            name,
            "plan, 1 000 to 10 000 agents",
            median(large, of) / median(small, of),
            goal,
            behind={"small": median(small, of), "large": median(large, of)},
        )


def plan_one(shop: Workshop) -> Iterator[Result]:
    """A plan of one agent without latency, against the start-up of its two main libraries."""
    with shop.settled(Estate("bench-one", 1)) as (project, _):
        bare = Program([PYTHON, "-c", "import requests, yaml"])
        pair = measure_in_turn(Program(_PLAN, project).run, bare.run, 4 * shop.runs)
    yield Result(
        "plan-one",
        "plan of one agent / python -c 'import requests, yaml'",
        pair.ratio(wall),
        3.0,
        behind={"plan s": median(pair.ours, wall), "imports s": median(pair.floor, wall)},
    )
