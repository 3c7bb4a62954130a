"""Small projects on disk for the tests of this folder."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from editor_acceptance import refused_by_editors

from reconciler import manifests
from reconciler.kinds.schedule_state import ScheduleState
from reconciler.model.resource import Desired, Problem, Resource
from reconciler.model.state import State

S = TypeVar("S", bound=State)

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ENVIRON = {"ACC_TOKEN": "acc-secret", "TENANT": "tenant", "KEY_ID": "key", "MFT_KEY": "mft-secret"}

PROJECT = """\
apiVersion: reconciler/v1
kind: Project
metadata: {name: retail}
spec:
  connections:
    acc: {url: https://acc.example.com, token: "${env:ACC_TOKEN}"}
    mft: {region: us, tenantId: "${env:TENANT}", keyId: "${env:KEY_ID}", privateKey: "${env:MFT_KEY}"}
"""

AGENT = """\
apiVersion: reconciler/v1
kind: Agent
metadata:
  name: prices
spec:
  path: sequentum/Retail/prices
  schedules:
    - name: nightly
      cron: "0 0 2 * * *"
      startTime: 2026-01-01T02:00:00
      timeZone: UTC
"""

TRIGGER = """\
apiVersion: reconciler/v1
kind: TaskTrigger
metadata: {name: publish}
spec:
  task: {name: Publish prices}
"""


def write(root: Path, files: Mapping[str, str | bytes], project: str | bytes = PROJECT) -> Path:
    """A project in `root`; a file without a folder in its name goes to `manifests/`."""
    root.mkdir(parents=True, exist_ok=True)
    for name, content in {"./reconciler.yaml": project, **files}.items():
        path = root / name if "/" in name else root / "manifests" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def check(
    root: Path, environ: Mapping[str, str] = ENVIRON, environment: str | None = None
) -> tuple[Desired | None, tuple[Problem, ...]]:
    """What a project says, and all problems. What the tool accepts, an editor accepts as well."""
    found, problems = manifests.check(root, environment, environ, as_of=NOW)
    if found is not None:
        assert refused_by_editors(root) == []
    return found, problems


def desired(root: Path, environ: Mapping[str, str] = ENVIRON, environment: str | None = None) -> Desired:
    """What a project says that has no error."""
    found, problems = check(root, environ, environment)
    assert found is not None, problems
    return found


def places(problems: tuple[Problem, ...]) -> list[tuple[str, int, int, str]]:
    return [(problem.path, problem.line, problem.column, problem.code) for problem in problems]


def state_of(resource: Resource, of: type[S]) -> S:
    """What a resource shall be, as its kind types it."""
    assert type(resource.state) is of
    return resource.state


def schedule_of(resource: Resource) -> ScheduleState:
    """What a schedule shall be."""
    return state_of(resource, ScheduleState)
