"""Measures how soon schedules are read that forEach, a template and defaults make, beside the same ones written out.

python -m tools.reuse_speed [AGENTS]
"""

from __future__ import annotations

import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import reconciler.kinds.registry  # noqa: F401  # names the kinds of document
from reconciler import manifests
from reconciler.model.resource import Desired

_SCHEDULES = 50
_ROUNDS = 7
_AS_OF = datetime(2026, 11, 22, tzinfo=UTC)
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
_TIMES = "startTime: 2026-01-01T02:00:00\n%stimeZone: Australia/Sydney\n"
_TEMPLATE = (
    "---\napiVersion: reconciler/v1\nkind: ScheduleTemplate\nmetadata:\n  name: nightly\nspec:\n  " + _TIMES % "  "
)


def projects(folder: Path, agents: int) -> tuple[Path, Path]:
    """The same schedules written out, and made."""
    schedules = [f'    - name: s{number}\n      cron: "0 {number} 2 * * *"\n' for number in range(_SCHEDULES)]
    more = (
        "      "
        + _TIMES % "      "
        + "      logLevel: low\n      inputParameters:\n        stage: all\n        n: %s\n"
    )
    written = [_AGENT % ("", n, n) + "".join(one + more % n for one in schedules) for n in range(agents)]
    each = [one + "      use: nightly\n      inputParameters:\n        n: ${each.n}\n" for one in schedules]
    made = _AGENT % ("forEach:\n  file: n.csv\n", "${each.n}", "${each.n}") + "".join(each) + _TEMPLATE
    table = "n\n" + "".join(f"{n}\n" for n in range(agents))
    return (
        _project(folder / "written", _PROJECT, {"a.yaml": "---\n".join(written)}),
        _project(folder / "made", _PROJECT + _DEFAULTS, {"a.yaml": made, "n.csv": table}),
    )


def _project(root: Path, project: str, files: dict[str, str]) -> Path:
    (root / "manifests").mkdir(parents=True)
    (root / "reconciler.yaml").write_text(project, encoding="utf-8")
    for name, text in files.items():
        (root / "manifests" / name).write_text(text, encoding="utf-8")
    return root


def seconds(root: Path) -> tuple[float, Desired]:
    """How long the processor reads a project, and what it says."""
    begun = time.process_time()
    found = manifests.load(root, None, {}, as_of=_AS_OF)
    return time.process_time() - begun, found


def measured(agents: int, rounds: int = _ROUNDS) -> tuple[float, float]:
    """The medians of several rounds in turn: written out, and made."""
    with tempfile.TemporaryDirectory() as folder:
        pair = projects(Path(folder), agents)
        one, two = (seconds(root)[1] for root in pair)
        assert [(each.address, each.state) for each in one.resources] == [
            (each.address, each.state) for each in two.resources
        ]
        taken = [[seconds(root)[0] for root in pair] for _ in range(rounds)]
    written, made = (median(column) for column in zip(*taken, strict=True))
    return written, made


if __name__ == "__main__":
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    out, made = measured(size)
    sys.stdout.write(f"{size * _SCHEDULES} schedules: written {out:.2f} s, made {made:.2f} s, {made / out:.2f} of it\n")
