"""`validate` of schedules that forEach, a template and defaults make, against the same ones written out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.goals import Result
from benchmarks.processes import RECONCILER, Program, cpu, measure_in_turn, median
from benchmarks.workshop import Workshop

_SCHEDULES = 50
_PROJECT = """\
apiVersion: reconciler/v1
kind: Project
metadata: {name: retail}
spec:
  connections:
    acc: {url: https://acc.example.com, token: x}
"""
_DEFAULTS = "  defaults:\n    schedule: {logLevel: low, inputParameters: {stage: all}}\n"
_AGENT = """\
apiVersion: reconciler/v1
kind: Agent
%smetadata:
  name: agent-%s
spec:
  path: Retail/agent-%s
  schedules:
"""
_WRITTEN = """\
      startTime: 2026-01-01T02:00:00
      timeZone: Australia/Sydney
      logLevel: low
      inputParameters:
        stage: all
        n: %s
"""
_MADE = """\
      use: nightly
      inputParameters:
        n: ${each.n}
"""
_TEMPLATE = """\
---
apiVersion: reconciler/v1
kind: ScheduleTemplate
metadata:
  name: nightly
spec:
  startTime: 2026-01-01T02:00:00
  timeZone: Australia/Sydney
"""


def reuse(shop: Workshop) -> Iterator[Result]:
    """10 000 schedules of 200 agents, made from one document and written out."""
    agents = shop.size(200)
    written, made = _projects(shop.folder / "bench-reuse", agents)
    ours, floor = (Program([*RECONCILER, "validate"], project) for project in (made, written))
    pair = measure_in_turn(ours.run, floor.run, shop.runs)
    yield Result(
        "reuse",
        f"validate of {agents * _SCHEDULES} schedules, made / written out",
        pair.ratio(cpu),
        1.0,
        behind={"made s": median(pair.ours, cpu), "written s": median(pair.floor, cpu)},
    )


def _projects(folder: Path, agents: int) -> tuple[Path, Path]:
    """The same schedules written out, and made."""
    schedules = [f'    - name: s{number}\n      cron: "0 {number} 2 * * *"\n' for number in range(_SCHEDULES)]
    written = [_AGENT % ("", n, n) + "".join(one + _WRITTEN % n for one in schedules) for n in range(agents)]
    each = _AGENT % ("forEach:\n  file: n.csv\n", "${each.n}", "${each.n}") + "".join(one + _MADE for one in schedules)
    table = "n\n" + "".join(f"{n}\n" for n in range(agents))
    return (
        _project(folder / "written", _PROJECT, {"a.yaml": "---\n".join(written)}),
        _project(folder / "made", _PROJECT + _DEFAULTS, {"a.yaml": each + _TEMPLATE, "n.csv": table}),
    )


def _project(root: Path, project: str, files: dict[str, str]) -> Path:
    (root / "manifests").mkdir(parents=True)
    (root / "reconciler.yaml").write_text(project, encoding="utf-8")
    for name, text in files.items():
        (root / "manifests" / name).write_text(text, encoding="utf-8")
    return root
