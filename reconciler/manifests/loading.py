"""Brings a whole project together: finds its files, reads them, and says all that is wrong with them at once."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from reconciler.errors import ManifestError
from reconciler.manifests import agents, discovery, exposure, project, triggers
from reconciler.manifests.declarations import Declared, Scope, read_sheets
from reconciler.manifests.problems import File, Notes
from reconciler.model import Connection, Desired, Problem, Project, Resource

_PRODUCTS = {"Agent": "acc", "TaskTrigger": "mft"}


class _Connections(dict[str, Connection]):
    """Connections of a project of which some cannot be resolved; asking for such a one raises ManifestError."""

    def __init__(self, ready: Mapping[str, Connection], broken: Mapping[str, Notes]) -> None:
        super().__init__(ready)
        self._broken = broken

    def __missing__(self, name: str) -> Connection:
        if name in self._broken:
            raise ManifestError(self._broken[name].sorted())
        raise KeyError(name)

    def get(self, name: str, default: object = None) -> Connection | None:  # type: ignore[override]
        try:
            return self[name]
        except KeyError:
            return default  # type: ignore[return-value]


def check(
    root: Path,
    environment: str | None,
    environ: Mapping[str, str],
    *,
    as_of: datetime,
    connections: bool = True,
    key_complaint: Callable[[str], str] | None = None,
) -> tuple[Desired | None, tuple[Problem, ...]]:
    """All that the files of a project say, and all problems in file order; no Desired when there is an error.

    `as_of` is an aware moment: warnings about runs look ahead from it. With `connections=False` nobody means to reach
    a product, and credentials need not be there. `key_complaint` says what is wrong with a private key, "" for nothing.
    Raises UsageError for an environment that is not declared.
    """
    with _no_collector():
        notes = Notes()
        setting = project.read_project(root, environment, environ, notes, key_complaint)
        if setting is None:
            return None, notes.sorted()
        declared = _read_all(setting, as_of, notes)
        agents.forget_timings()
        triggers.connect(declared)
        if connections:
            _demand_connections(setting, declared)
        exposure.report(declared.public, setting.secret_values, declared.secret_values)
        problems = exposure.without(notes.sorted(), setting.secret_values | declared.secret_values)
        if notes.has_errors:
            return None, problems
        desired = Desired(
            project=setting.project(),
            agents=tuple(sorted(declared.agents, key=lambda agent: agent.handle)),
            resources=tuple(sorted(declared.resources, key=_by_address)),
            problems=problems,
            secret_values=frozenset(setting.secret_values | declared.secret_values) - {""},
        )
        return desired, problems


def _by_address(resource: Resource) -> tuple[str, str, str]:
    """What addresses are sorted by, as plain text: many times faster than asking the addresses themselves."""
    address = resource.address
    return (address.kind.value, address.agent, address.name)


def load(root: Path, environment: str | None, environ: Mapping[str, str], *, as_of: datetime) -> Desired:
    """As `check`, for somebody who means to act. Raises ManifestError with every problem, UsageError as `check`."""
    desired, problems = check(root, environment, environ, as_of=as_of)
    if desired is None:
        raise ManifestError(problems)
    return desired


def load_project(
    root: Path, environment: str | None, environ: Mapping[str, str], *, as_of: datetime
) -> tuple[Project, frozenset[str]]:
    """The project file alone, and the values that must not be printed; manifests are not read.

    A connection that cannot be resolved raises ManifestError when it is asked for. Raises ManifestError, UsageError.
    """
    del as_of  # nothing in the project file is judged by the clock; the signature is that of `load`
    notes = Notes()
    setting = project.read_project(root, environment, environ, notes)
    if setting is None or notes.has_errors:
        raise ManifestError(notes.sorted())
    found = replace(setting.project(), connections=_Connections(dict(sorted(setting.ready.items())), setting.broken))
    return found, frozenset(setting.secret_values) - {""}


def _read_all(setting: project.Setting, as_of: datetime, notes: Notes) -> Declared:
    declared = Declared()
    found = discovery.find_files(setting.root, setting.patterns)
    for folder, problem in found.unreadable:
        # Not an absence: what it holds may be declared, and would be deleted as if nobody wanted it any more.
        notes.add(
            File(folder or ".", setting.root / folder), (1, 1), "unreadable", f"the folder cannot be read: {problem}"
        )
    for index, pattern in enumerate(setting.patterns):
        if not found.by_pattern[pattern]:
            message = f"{pattern[:120]!r} matches no file: write a manifest there, or change the pattern"
            setting.spot.error(("spec", "manifests", index), "no-files", message)
    scope = Scope(setting.root, setting.name, setting.environment, setting.interpolator, as_of)
    for path in found.paths:
        _read_file(File(path, setting.root / path), scope, declared, notes)
    return declared


def _read_file(file: File, scope: Scope, declared: Declared, notes: Notes) -> None:
    if not file.read(notes):
        return
    for sheet in read_sheets(file, scope, notes):
        declared.kinds.add(sheet.kind)
        declared.public += exposure.public_of(sheet.filling, sheet.spot)
        (agents if sheet.kind == "Agent" else triggers).declare(sheet, scope, declared)


def _demand_connections(setting: project.Setting, declared: Declared) -> None:
    """A connection is needed only when a manifest uses it; then all that is wrong with it counts."""
    for kind in sorted(declared.kinds):
        name = _PRODUCTS[kind]
        if name in setting.broken:
            setting.spot.notes.extend(setting.broken[name].sorted())
        elif name not in setting.ready:
            message = f"the manifests declare {kind} documents, which need `connections.{name}`: add it here"
            setting.spot.error(("spec", "connections"), "missing-connection", message)


@contextmanager
def _no_collector() -> Iterator[None]:
    """Reading makes millions of objects and no cycles: the collector would look through them again and again."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
