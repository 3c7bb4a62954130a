"""Measures what performance depends on, and holds it against the goals: `python -m benchmarks --help`."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.applying import apply
from benchmarks.browsing import browse, browse_calendar, browse_runs, browse_site
from benchmarks.crowding import crowding
from benchmarks.goals import Result
from benchmarks.planning import growth, plan, plan_large, plan_one
from benchmarks.remembering import ledger
from benchmarks.rendering import render
from benchmarks.reusing import reuse
from benchmarks.sharding import shards
from benchmarks.starting import start
from benchmarks.validating import validate
from benchmarks.workshop import Workshop

_BENCHMARKS: dict[str, Callable[[Workshop], Iterator[Result]]] = {
    "start": start,
    "plan-one": plan_one,
    "plan": plan,
    "plan-large": plan_large,
    "apply": apply,
    "validate": validate,
    "reuse": reuse,
    "growth": growth,
    "crowding": crowding,
    "render": render,
    "browse": browse,
    "browse-calendar": browse_calendar,
    "browse-site": browse_site,
    "browse-runs": browse_runs,
    "ledger": ledger,
    "shards": shards,
}
_ONLY_ON_REQUEST = frozenset({"plan-large"})
_QUICK = 0.1


def main() -> int:
    """Run the benchmarks that were asked for; exit 1 when a goal is missed."""
    asked = _arguments()
    names = asked.names or [name for name in _BENCHMARKS if asked.full or name not in _ONLY_ON_REQUEST]
    print(f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, Python {platform.python_version()}", flush=True)
    if asked.quick:
        print("quick: a tenth of every estate; the goals are meant for whole ones", flush=True)
    results: list[Result] = []
    for name in names:
        with tempfile.TemporaryDirectory(prefix="reconciler-bench-") as folder:
            runs = asked.runs or (2 if asked.quick else 5)
            shop = Workshop(Path(folder), runs, _QUICK if asked.quick else 1.0, asked.postgres)
            for result in _BENCHMARKS[name](shop):
                results.append(result)
                print(result.line, flush=True)
    if asked.json:
        asked.json.write_text(json.dumps(_document(results, quick=asked.quick), indent=2) + "\n", encoding="utf-8")
    return int(not all(result.is_met for result in results))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="one of: " + ", ".join(_BENCHMARKS))
    parser.add_argument("--quick", action="store_true", help="small estates and two runs: does it work at all?")
    parser.add_argument("--full", action="store_true", help="with 10 000 agents at 50 ms, which takes minutes")
    parser.add_argument("--runs", type=int, default=0, help="how often each program is measured (default 5)")
    parser.add_argument("--postgres", default="", metavar="URL", help="a database to use instead of starting a server")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results here too")
    asked = parser.parse_args()
    unknown = sorted(set(asked.names) - set(_BENCHMARKS))
    if unknown:
        parser.error(f"there is no benchmark {', '.join(unknown)}; there are {', '.join(_BENCHMARKS)}")
    return asked


def _document(results: list[Result], *, quick: bool) -> dict[str, Any]:
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "quick": quick,
        "results": [result.as_json() for result in results],
    }


if __name__ == "__main__":
    sys.exit(main())
