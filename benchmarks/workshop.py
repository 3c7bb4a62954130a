"""Where benchmarks work: a temporary folder, how often to measure, and projects that are ready to be planned."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.emulation import emulator
from benchmarks.estate import TOKEN, Estate, write_state
from benchmarks.processes import PYTHON, RECONCILER, Program

CONCURRENCY = 32


@dataclass(frozen=True, slots=True)
class Workshop:
    """`share` shrinks every estate (1.0: as the goals say), `runs` is how often each program is measured.

    `postgres` is the URL of a database server to use; "" starts one.
    """

    folder: Path
    runs: int = 5
    share: float = 1.0
    postgres: str = ""

    def size(self, number: int) -> int:
        return max(8, int(number * self.share))

    @contextmanager
    def settled(self, estate: Estate, *, latency: float = 0.0) -> Iterator[tuple[Path, str]]:
        """A project whose ledger knows all that is live, and the URL of its emulator."""
        state = write_state(self.folder / f"{estate.name}.json", estate)
        project = self.folder / estate.name
        with emulator(self.folder, state) as url:
            estate.write_project(project, url)
            Program([*RECONCILER, "apply", "--auto-approve"], project).run()
            if not latency:
                yield project, url
                return
        with emulator(self.folder, state, latency=latency) as url:
            estate.write_project_file(project, url)
            yield project, url

    def bare_calls(self, name: str, url: str, chains: Sequence[Sequence[tuple[str, str, Any]]]) -> Program:
        """A floor: these calls and nothing else; each chain in order, as many chains at once as the project has."""
        calls = self.folder / f"{name}-calls.json"
        calls.write_text(json.dumps(chains))
        return floor("exchanges", url, TOKEN, str(CONCURRENCY), str(calls))


def floor(name: str, *arguments: str) -> Program:
    return Program([PYTHON, "-m", "benchmarks.floors", name, *arguments])


def looks(estate: Estate) -> list[list[tuple[str, str, Any]]]:
    """The two reads of every agent, as chains."""
    return [[("GET", path, None) for path in pair] for pair in estate.reads()]
