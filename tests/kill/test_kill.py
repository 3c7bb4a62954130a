"""SIGKILL at any moment of an apply over all kinds: nothing starts twice, nothing is lost, and the next apply finishes.

An estate lives through many versions. Each is applied by a process that is killed at a random moment; then the lock of
the dead is broken, a person says what happened to a start of which nobody knows, and one apply has to reach all that is
declared. The moments come from a seed.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "end_to_end"))
from kill_processes import Zygote
from stage import NIGHTLY, POLL, PRICES, STOCK, Stage, agent, estate, opened, task_trigger

pytest_plugins = ["postgres"]

ROUNDS = int(os.environ.get("KILL_ROUNDS", "40"))
LATENCY = 0.002


@pytest.fixture
def zygote() -> Iterator[Zygote]:
    made = Zygote()
    yield made
    made.close()


def declare(stage: Stage, version: int) -> None:
    """One version of the estate: something moves in every kind, a schedule goes, another one comes."""
    (stage.root / "manifests" / "urls.csv").write_text(f"url\nhttps://shop.example/{version}\n", encoding="utf-8")
    (stage.root / "manifests" / "zones.txt").write_text("au\n", encoding="utf-8")
    files = "  inputFiles:\n    - file: urls.csv\n    - file: zones.txt\n"
    state = "approved" if version % 2 else "disapproved"
    extra = f"  approval: {{state: {state}}}\n  inputFilesExclusive: {'true' if version % 3 == 0 else 'false'}\n{files}"
    schedules = (
        NIGHTLY.replace("0 0 2", f"0 {version % 60} 2"),
        POLL + f"      enabled: {'true' if version % 2 else 'false'}\n",
        POLL.replace("poll", f"s-{version}").replace("15m", f"{version + 1}h"),
    )
    parameters = "  parameters: {{key: {name}-{version}}}\n"
    first = task_trigger(
        revision=str(version), extra="  wait: false\n" + parameters.format(name="publish", version=version)
    )
    second = task_trigger(
        "after",
        task="Publish prices",
        extra="  wait: {timeout: 20s, interval: 1s}\n" + parameters.format(name="after", version=version),
    ).replace('{revision: "1"}', f'{{revision: "{version}", changed: [input-files/prices, trigger/publish]}}')
    other = agent(
        NIGHTLY.replace("0 0 2", f"0 {version % 60} 4"), name="stock", extra=f"  approval: {{state: {state}}}\n"
    )
    stage.write("---\n".join((agent(*schedules, extra=extra), other, first, second)))


def check_reached(stage: Stage, version: int) -> None:
    """All that this version declares is so, and nothing else."""
    held = {(one.agent.path, one.cron, one.is_enabled) for one in stage.owned().values()}
    assert held == {
        (PRICES, f"0 {version % 60} 2 * * MON-FRI", True),
        (PRICES, "0 15 0 0", bool(version % 2)),
        (PRICES, f"0 0 {version + 1} 0", True),
        (STOCK, f"0 {version % 60} 4 * * MON-FRI", True),
    }
    assert len(stage.owned()) == 4
    prices = stage.estate.agents[PRICES]
    assert prices.approved == stage.estate.agents[STOCK].approved == bool(version % 2)
    files = {name: file.content for name, file in prices.input_files.items()}
    assert files == {"urls.csv": f"url\nhttps://shop.example/{version}\n".encode(), "zones.txt": b"au\n"}


def starts_by_key(stage: Stage) -> Counter[str]:
    assert stage.estate.tenant is not None
    return Counter(run.parameters["key"] for run in stage.estate.tenant.runs.values())


def settle(stage: Stage, version: int) -> int:
    """What a person does after a crash; returns how many starts had to be explained."""
    assert stage.run("unlock", "--force").code == 0
    explained = 0
    while True:
        ended = stage.apply("--format", "json")
        open_starts = [one["address"] for one in stage.plan()["blocked"] if one["reason"] == "unknown-start"]
        if not open_starts:
            assert ended.code in (0, 3), ended.err
            if ended.code == 0:
                return explained
            continue
        assert ended.code == 3, ended.err
        for address in open_starts:
            explained += 1
            name = address.removeprefix("trigger/")
            word = "--ran" if starts_by_key(stage)[f"{name}-{version}"] else "--not-ran"
            assert stage.run("resolve", address, word).code == 0


def live_through(stage: Stage, zygote: Zygote, seed: int, rounds: int) -> Counter[str]:
    """Kill and settle, round after round; returns what the kills met, so that a test that never kills shows."""
    chance = random.Random(seed)
    hand_made = stage.hand_made()
    met: Counter[str] = Counter()
    usual = 30
    for version in range(1, rounds + 1):
        declare(stage, version)
        stage.emulator.clear_requests()
        process = zygote.start(stage, "apply", "--auto-approve")
        after = chance.randint(0, usual)
        patience = time.monotonic() + 20
        while len(stage.emulator.requests) < after and time.monotonic() < patience and is_alive(process):
            time.sleep(0.0005)
        time.sleep(chance.random() * 0.004)
        if is_alive(process):
            os.kill(process, signal.SIGKILL)
        code = zygote.ended()
        met["killed" if code == -signal.SIGKILL else "finished"] += 1
        assert code in (-signal.SIGKILL, 0)
        if code == 0:
            usual = len(stage.emulator.requests)
        assert stage.hand_made() == hand_made
        assert max(starts_by_key(stage).values(), default=0) <= 1, "a double start"
        met["explained"] += settle(stage, version)
        check_reached(stage, version)
        counts = starts_by_key(stage)
        assert counts == {f"{name}-{one}": 1 for name in ("publish", "after") for one in range(1, version + 1)}
        assert stage.run("plan", "--detailed-exitcode").code == 0
        assert stage.hand_made() == hand_made
    assert stage.run("history", "--verify").code == 0
    return met


def tell(met: Counter[str], record_count: Callable[[str, int], None]) -> None:
    record_count("kills (SIGKILL during an apply)", met["killed"])
    record_count("applies that ended before their signal", met["finished"])
    record_count("starts a person had to explain", met["explained"])


def is_alive(process: int) -> bool:
    """Whether it still runs. A zombie does not: the zygote has not looked yet."""
    try:
        return Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(") ")[2][0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@contextmanager
def lively(folder: Path) -> Iterator[Stage]:
    yield from opened(folder, held=estate(), latency=LATENCY)


@pytest.mark.parametrize("seed", range(4))
def test_killed_at_any_moment_on_sqlite(
    tmp_path: Path, zygote: Zygote, seed: int, record_count: Callable[[str, int], None]
) -> None:
    with lively(tmp_path) as stage:
        met = live_through(stage, zygote, seed, ROUNDS)
    tell(met, record_count)
    assert met["killed"] >= met["finished"]


@pytest.mark.parametrize("seed", range(100, 102))
def test_killed_at_any_moment_on_postgresql(
    tmp_path: Path, zygote: Zygote, postgres_url: str, seed: int, record_count: Callable[[str, int], None]
) -> None:
    with lively(tmp_path) as stage:
        stage.project(f"  ledger: {postgres_url}\n")
        met = live_through(stage, zygote, seed, ROUNDS // 2)
    tell(met, record_count)
    assert met["killed"] >= met["finished"]


def test_killed_before_its_first_request_it_did_nothing(tmp_path: Path, zygote: Zygote) -> None:
    with lively(tmp_path) as stage:
        declare(stage, 1)
        process = zygote.start(stage, "apply", "--auto-approve")
        os.kill(process, signal.SIGKILL)
        assert zygote.ended() == -signal.SIGKILL
        assert stage.writes() == []
        assert stage.apply().code in (0, 6)
