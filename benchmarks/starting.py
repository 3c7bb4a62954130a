"""Start-up: what answers without a project, against an interpreter that does nothing."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.goals import Result
from benchmarks.processes import PYTHON, RECONCILER, Program, measure_in_turn, median, wall
from benchmarks.workshop import Workshop

_COMPLETION = {"_RECONCILER_COMPLETE": "bash_complete", "COMP_WORDS": "reconciler pl", "COMP_CWORD": "1"}
_ANSWERS = {
    "help": Program([*RECONCILER, "--help"]),
    "version": Program([*RECONCILER, "--version"]),
    "completion": Program(RECONCILER, environment=_COMPLETION),
}


def start(shop: Workshop) -> Iterator[Result]:
    """`--help`, `--version` and completion in the shell."""
    for name, program in _ANSWERS.items():
        pair = measure_in_turn(program.run, Program([PYTHON, "-c", "pass"]).run, 6 * shop.runs)
        yield Result(
            f"start-{name}",
            f"{name} / python -c pass",
            pair.ratio(wall),
            6.0,
            behind={"ours ms": 1000 * median(pair.ours, wall), "pass ms": 1000 * median(pair.floor, wall)},
        )
