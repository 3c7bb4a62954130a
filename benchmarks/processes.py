"""Runs whole programs and says what each cost, by the operating system's own accounting."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PYTHON = sys.executable
RECONCILER = (PYTHON, "-c", "import sys; from reconciler.cli import main; sys.exit(main())")
"""What the console script does, with the interpreter and the package that run this benchmark."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run of a program took: seconds on the wall, seconds of CPU, and mebibytes at its peak."""

    wall: float
    cpu: float
    peak: float


@dataclass(frozen=True, slots=True)
class Program:
    """A command line, and where and with what it runs. `expects` are the exit codes that mean it did its work."""

    command: Sequence[str]
    folder: Path | None = None
    environment: Mapping[str, str] | None = None
    expects: tuple[int, ...] = (0,)

    def run(self) -> Cost:
        """Run it once. Raises RuntimeError, with what it said, when it did not do its work."""
        cost, _ = self.run_and_read()
        return cost

    def run_and_read(self) -> tuple[Cost, str]:
        """The same, with what it printed on stdout."""
        began = time.perf_counter()
        process = subprocess.Popen(
            list(self.command),
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), **(self.environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert process.stdout is not None
        said = process.stdout.read().decode(errors="replace")
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.stdout.close()
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in self.expects:
            raise RuntimeError(f"{' '.join(self.command)} ended with {process.returncode}:\n{said[-2000:]}")
        return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024), said


@dataclass(frozen=True, slots=True)
class Pair:
    """Two programs measured in turn. Ratios are taken run by run, so that a machine that drifts hits both alike."""

    ours: tuple[Cost, ...]
    floor: tuple[Cost, ...]

    def ratio(self, of: Callable[[Cost], float]) -> float:
        return statistics.median(of(a) / of(b) for a, b in zip(self.ours, self.floor, strict=True))


def measure(program: Callable[[], Cost], runs: int) -> tuple[Cost, ...]:
    """Run it once to warm up, then `runs` times."""
    program()
    return tuple(program() for _ in range(runs))


def measure_in_turn(ours: Callable[[], Cost], floor: Callable[[], Cost], runs: int) -> Pair:
    """Run both once to warm up, then in turn, `runs` times each."""
    floor()
    ours()
    turns = [(floor(), ours()) for _ in range(runs)]
    return Pair(tuple(ours for _, ours in turns), tuple(floor for floor, _ in turns))


def median(costs: Sequence[Cost], of: Callable[[Cost], float]) -> float:
    return statistics.median(of(cost) for cost in costs)


def wall(cost: Cost) -> float:
    return cost.wall


def cpu(cost: Cost) -> float:
    return cost.cpu


def peak(cost: Cost) -> float:
    return cost.peak
