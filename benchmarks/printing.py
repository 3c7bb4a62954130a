"""Times how long one plan takes to print: `python -m benchmarks.printing PROJECT RUNS`."""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

from reconciler.cli.plan_commands import render_plan
from reconciler.cli.session import Session
from reconciler.workflow.context import CommandContext, PlanOptions
from reconciler.workflow.planning import plan


def seconds(work: Callable[[], object], runs: int) -> float:
    """The median of several runs, after one to warm up."""
    work()
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def main(folder: Path, runs: int) -> None:
    found = plan(CommandContext(folder, None, {}), PlanOptions()).plan
    session = Session(folder, None, {})
    times = {form: seconds(lambda form=form: render_plan(session, found, form), runs) for form in ("text", "json")}  # type: ignore[misc]
    print(json.dumps({"changes": len(found.changes), **times}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
