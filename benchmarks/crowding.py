"""Twice as many of what nobody means to have: how much more CPU that takes, where a square takes four times as much."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.goals import Result
from benchmarks.processes import RECONCILER, Program, cpu, measure, median
from benchmarks.workshop import Workshop

_GOAL = 2.5
_PROJECT = """\
apiVersion: reconciler/v1
kind: Project
metadata: {name: crowded}
spec:
  connections:
    acc: {url: "http://127.0.0.1:9", token: none}
    mft: {url: "http://127.0.0.1:9", tenantId: none, keyId: none, privateKey: none}
"""
_AGENT = """\
apiVersion: reconciler/v1
kind: Agent
metadata: {name: crowded}
spec:
  path: bench/crowded
"""


def crowding(shop: Workshop) -> Iterator[Result]:
    """`validate`, from a size to twice that size."""
    for name, size, what, write in _CROWDS:
        costs = []
        for number in (shop.size(size), 2 * shop.size(size)):
            project = shop.folder / f"{name}-{number}"
            (project / "manifests").mkdir(parents=True)
            (project / "reconciler.yaml").write_text(_PROJECT)
            write(project / "manifests", number)
            # Without a private key there is an error in each of them; the work has been done by then.
            program = Program([*RECONCILER, "validate", "--format", "json"], project, expects=(0, 1))
            costs.append(measure(program.run, max(1, shop.runs // 2)))
        small, large = costs
        yield Result(
            name,
            f"validate, {size} to {2 * size} {what}",
            median(large, cpu) / median(small, cpu),
            _GOAL,
            behind={"small": median(small, cpu), "large": median(large, cpu)},
        )


def _schedule(number: int, more: str = "") -> str:
    return (
        f'    - name: s{number}\n      cron: "0 0 2 * * *"\n      startTime: 2026-01-01T02:00:00\n'
        f"      timeZone: UTC\n{more}"
    )


def _trigger(number: int, pattern: str) -> str:
    head = f"---\napiVersion: reconciler/v1\nkind: TaskTrigger\nmetadata: {{name: t{number}}}\n"
    return f"{head}spec: {{task: {{name: Publish}}, when: {{changed: ['{pattern}']}}}}\n"


def _broken(folder: Path, number: int) -> None:
    listed = "".join(_schedule(one, f"      bogus{one}: 1\n") for one in range(number))
    (folder / "a.yaml").write_text(f"{_AGENT}  schedules:\n{listed}")


def _undefined(folder: Path, number: int) -> None:
    listed = "".join(_schedule(one, f"      inputParameters: {{a: '${{var:v{one}}}'}}\n") for one in range(number))
    (folder / "a.yaml").write_text(f"{_AGENT}  schedules:\n{listed}")


def _columns(folder: Path, number: int) -> None:
    (folder / "a.yaml").write_text(f"{_AGENT}  inputFiles: [{{file: x.csv}}]\n")
    (folder / "x.csv").write_text(",".join("ab"[one % 2] for one in range(number)) + "\n1\n")


def _waiting(folder: Path, number: int) -> None:
    listed = "".join(map(_schedule, range(number)))
    triggers = "".join(_trigger(one, "schedule/*") for one in range(20))
    (folder / "a.yaml").write_text(f"{_AGENT}  schedules:\n{listed}{triggers}")


def _documents(folder: Path, number: int) -> None:
    documents = (_AGENT.replace("crowded", f"crowded{one}") for one in range(number))
    (folder / "a.yaml").write_text("---\n".join(documents))


_CROWDS: tuple[tuple[str, int, str, Callable[[Path, int], None]], ...] = (
    ("crowd-broken", 20_000, "broken schedules in one file", _broken),
    ("crowd-undefined", 20_000, "undefined variables", _undefined),
    ("crowd-columns", 200_000, "columns of a CSV header", _columns),
    ("crowd-waiting", 4_000, "schedules that 20 triggers wait for", _waiting),
    ("crowd-documents", 10_000, "documents in one file", _documents),
)
