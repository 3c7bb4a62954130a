"""Printing a large plan: as text against as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator

from benchmarks.emulation import emulator
from benchmarks.estate import Estate, write_state
from benchmarks.goals import Result
from benchmarks.processes import PYTHON, Program
from benchmarks.workshop import Workshop


def render(shop: Workshop) -> Iterator[Result]:
    """5 000 changes."""
    estate = Estate("bench-render", shop.size(1000), movable=5)
    state = write_state(shop.folder / f"{estate.name}.json", estate)
    with emulator(shop.folder, state) as url:
        project = estate.write_project(shop.folder / estate.name, url)
        estate.write_project_file(project, url, second=7)
        program = Program([PYTHON, "-m", "benchmarks.printing", str(project), str(shop.runs)])
        found = json.loads(program.run_and_read()[1])
    yield Result(
        "render",
        f"text of {found['changes']} changes, seconds more than JSON of the same",
        found["text"] - found["json"],
        0.3,
        " s",
        behind={"text s": found["text"], "json s": found["json"]},
    )
