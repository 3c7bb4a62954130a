"""A hundred agents with five schedules each, among schedules that others made by hand."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from stage import TOKEN, Stage, agent, as_bytes, estate

from reconciler.emulator import Token
from reconciler.emulator import estate as generated

AGENTS = [f"a{number:03}" for number in range(100)]


def block(name: str, hour: int) -> str:
    start = "2026-01-01T00:00:00"
    return f'    - {{name: {name}, cron: "0 {hour} {hour} * * *", startTime: "{start}", timeZone: UTC}}\n'


def manifest(paths: list[str], hours: dict[tuple[str, int], int], without: set[tuple[str, int]]) -> str:
    return "---\n".join(
        agent(
            *(block(f"s{n}", hours.get((name, n), n)) for n in range(5) if (name, n) not in without),
            name=name,
            path=path,
        )
        for name, path in zip(AGENTS, paths, strict=True)
    )


@pytest.fixture
def large(open_stage: Callable[..., Stage]) -> Stage:
    held = generated(agents=100, schedules=2, seed=7)
    held.tenant = estate().tenant
    held.add_token(Token(TOKEN))
    return open_stage(held=held)


def test_a_hundred_agents_live_through_it(large: Stage) -> None:
    paths = sorted(large.estate.agents)
    by_hand = {identity: as_bytes(one) for identity, one in large.estate.schedules.items()}
    assert len(by_hand) == 200

    def step(hours: dict[tuple[str, int], int], without: set[tuple[str, int]], summary: dict[str, int]) -> None:
        large.write(manifest(paths, hours, without))
        counts = large.plan()["summary"]
        assert {word: count for word, count in counts.items() if count} == {**summary, "unmanaged": 200}
        large.emulator.clear_requests()
        assert large.apply().code == 0
        changes = sum(count for word, count in summary.items() if word != "unchanged")
        assert len(large.writes()) == changes, "each change is written once, and nothing else is"
        assert large.run("plan", "--detailed-exitcode").code == 0
        assert len(large.owned()) == 500 - len(without)
        assert {key: as_bytes(one) for key, one in large.estate.schedules.items() if key in by_hand} == by_hand

    edited = {(name, 3): 23 for name in AGENTS[:10]}
    removed = {(name, 4) for name in AGENTS[50:55]}
    step({}, set(), {"create": 500})
    step(edited, set(), {"update": 10, "unchanged": 490})
    step(edited, removed, {"delete": 5, "unchanged": 495})
