"""Brings a whole project together, and says all that is wrong with it at once.

Each document goes through the same stages, none of which calls back: it is read, filled in with variables and secrets,
checked against the schema of its kind, and declares resources. When all have, resources are connected with their needs.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from reconciler.errors import ManifestError
from reconciler.manifests import discovery, documents, exposure, project_file
from reconciler.manifests.composition import Composer
from reconciler.manifests.declarations import Declared, Scope
from reconciler.manifests.document_kinds import DOCUMENT_KINDS
from reconciler.manifests.documents import ManifestDocument
from reconciler.manifests.for_each import Expander
from reconciler.manifests.problems import Problems, SourceFile
from reconciler.manifests.unset_values import UnsetValues
from reconciler.model.copies import replace
from reconciler.model.project import Connection, Project
from reconciler.model.resource import Desired, Problem, Resource, Severity


class _Connections(dict[str, Connection]):
    """Connections of a project of which some cannot be resolved; asking for such a one raises ManifestError."""

    def __init__(self, ready: Mapping[str, Connection], broken: Mapping[str, Problems]) -> None:
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
    unset_severity: Severity | None = None,
    edited: Mapping[str, bytes] | None = None,
) -> tuple[Desired | None, tuple[Problem, ...]]:
    """All that the files of a project say, and all problems in file order; no Desired when there is an error.

    `as_of` is an aware moment: warnings about runs look ahead from it. With `connections=False` nobody means to reach
    a product, and credentials need not be there. `key_complaint` says what is wrong with a private key, "" for nothing.
    With `unset_severity` nobody means to act: an environment variable or a file that is not there is one problem of
    this severity, all that does not depend on it is checked, and Desired holds what is known.
    `edited` are manifests and files of items, by path, as they would be. Raises UsageError for an environment that is
    not declared.
    """
    with _no_collector():
        problems = Problems()
        unset = UnsetValues(unset_severity) if unset_severity is not None else None
        project = project_file.read_project(root, environment, environ, problems, key_complaint, unset)
        if project is None:
            return None, problems.sorted()
        declared = Declared()
        for _ in _declaring(project, as_of, declared, unset, edited or {}):
            pass  # a document that has declared what it does is not needed any more
        return _complete(project, declared, unset, connections=connections)


def check_documents(
    root: Path, environment: str | None, environ: Mapping[str, str], *, as_of: datetime
) -> tuple[tuple[ManifestDocument, ...], tuple[Problem, ...]]:
    """Every document, filled in and with what it inherits, and all problems: for showing what the files come to.

    Nobody means to reach a product, so what a connection needs is not looked at.
    """
    problems = Problems()
    project = project_file.read_project(root, environment, environ, problems)
    if project is None:
        return (), problems.sorted()
    declared = Declared()
    found = tuple(_declaring(project, as_of, declared, None, {}))
    return found, _complete(project, declared, None, connections=False)[1]


def _declaring(
    project: project_file.ProjectFile,
    as_of: datetime,
    declared: Declared,
    unset: UnsetValues | None,
    edited: Mapping[str, bytes],
) -> Iterator[ManifestDocument]:
    """Each document once it was checked, and `declared` has what it declares."""
    scope = Scope(project.root, project.name, project.environment, as_of)
    for document in _documents(project, project.report.problems, edited):
        document.check()
        if unset is not None:
            document.add_uses(unset)
        declared.kinds[document.kind.document] = document.kind
        secret_keys = document.kind.secret_keys
        declared.public += exposure.public_places(document.filled, document.report, secret_keys)
        declared.secret_values |= exposure.secret_parameters(document.filled, secret_keys)
        declared.unset_parameters |= exposure.unset_parameters(document.filled, secret_keys)
        document.kind.declare(document, scope, declared)
        yield document
    _check_defaults(project, scope, declared)


def _complete(
    project: project_file.ProjectFile, declared: Declared, unset: UnsetValues | None, *, connections: bool
) -> tuple[Desired | None, tuple[Problem, ...]]:
    """What only shows once everything was declared, and all of it together."""
    problems = project.report.problems
    is_all_read = project.has_known_patterns and not (unset is not None and unset.hides_documents)
    declared.connect(is_all_read=is_all_read)
    if is_all_read:
        declared.check_patterns(project.blackout_patterns(), project.report)
    if connections:
        _demand_connections(project, declared)
    if unset is not None:
        declared.forget_unset()
        unset.report({kind.connection for kind in declared.kinds.values()} if connections else ())
    exposure.check_public_places(
        declared.public,
        project.secret_values | project.unset_credentials,
        declared.secret_values | declared.unset_parameters,
    )
    shown = exposure.without(problems.sorted(), project.secret_values | declared.secret_values)
    if problems.has_errors:
        return None, shown
    desired = Desired(
        project=project.resolved(),
        agents=tuple(sorted(declared.agents, key=lambda agent: agent.handle)),
        resources=tuple(sorted(declared.resources, key=_by_address)),
        problems=shown,
        secret_values=frozenset(project.secret_values | declared.secret_values) - {""},
        templates=tuple(sorted(name for what, name in declared.places if what == "template")),
    )
    return desired, shown


def _by_address(resource: Resource) -> tuple[str, str, str]:
    """What addresses are sorted by, as plain text: many times faster than asking the addresses themselves."""
    address = resource.address
    return (address.kind, address.agent, address.name)


def load(root: Path, environment: str | None, environ: Mapping[str, str], *, as_of: datetime) -> Desired:
    """As `check`, for somebody who means to act. Raises ManifestError with every problem, UsageError as `check`."""
    desired, problems = check(root, environment, environ, as_of=as_of)
    if desired is None:
        raise ManifestError(problems)
    return desired


def load_project(root: Path, environment: str | None, environ: Mapping[str, str]) -> tuple[Project, frozenset[str]]:
    """The project file alone, and the values that must not be printed; manifests are not read.

    A connection that cannot be resolved raises ManifestError when it is asked for. Raises ManifestError, UsageError.
    """
    problems = Problems()
    project = project_file.read_project(root, environment, environ, problems)
    if project is None or problems.has_errors:
        raise ManifestError(problems.sorted())
    found = replace(project.resolved(), connections=_Connections(dict(sorted(project.ready.items())), project.broken))
    return found, frozenset(project.secret_values) - {""}


def load_defaults(
    root: Path, environment: str | None, environ: Mapping[str, str]
) -> Mapping[str, Mapping[str, object]]:
    """What `spec.defaults` holds for each sort of block, filled in. Values may be secret. Raises UsageError."""
    project = project_file.read_project(root, environment, environ, Problems())
    return {} if project is None else {sort: layer.value for sort, layer in project.defaults.items()}


def _documents(
    project: project_file.ProjectFile, problems: Problems, edited: Mapping[str, bytes]
) -> Iterator[ManifestDocument]:
    """Every document, filled in and with what it inherits: in file order, but for those whose template comes later."""
    composer = Composer(project.defaults, may_have_more=not project.has_known_patterns)
    expander = Expander(project.interpolator, project.root, problems, edited)
    waiting: list[ManifestDocument] = []
    for file in _files(project, problems, edited):
        for written in documents.read(file, problems):
            for document in expander.documents(written):
                if composer.compose(document):
                    yield document
                else:
                    waiting.append(document)
                if document.kind.is_template:
                    composer.add(document)
    problems.forget(documents.NO_DOCUMENT, expander.item_files)
    composer.close()
    for document in waiting:
        composer.compose(document)
        yield document


def _check_defaults(project: project_file.ProjectFile, scope: Scope, declared: Declared) -> None:
    """Report what a schema cannot say of the defaults, whether anything inherits them or not."""
    for kind in DOCUMENT_KINDS.values():
        for sort in kind.blocks:
            layer = project.defaults.get(sort.name)
            if layer is None:
                continue
            hidden = [texts for path, texts in layer.secrets.items() if kind.secret_keys & set(path)]
            declared.secret_values |= frozenset().union(*hidden)
            if sort.check is not None:
                sort.check(layer.value, layer.path, layer.report, scope)


def _files(project: project_file.ProjectFile, problems: Problems, edited: Mapping[str, bytes]) -> Iterator[SourceFile]:
    """The files that the project's patterns name; a pattern that names none is a problem."""
    found = discovery.find_files(project.root, project.patterns.values())
    for folder, problem in found.unreadable:
        # Not an absence: what it holds may be declared, and would be deleted as if nobody wanted it any more.
        file = SourceFile(folder or ".", project.root / folder)
        problems.add(file, (1, 1), "unreadable", f"the folder cannot be read: {problem}")
    for index, pattern in project.patterns.items():
        if pattern not in found.matched:
            message = f"{pattern[:120]!r} matches no file: write a manifest there, or change the pattern"
            project.report.error(("spec", "manifests", index), "no-files", message)
    for path in found.paths:
        yield SourceFile(path, project.root / path, given=edited.get(path))


def _demand_connections(project: project_file.ProjectFile, declared: Declared) -> None:
    """A connection is needed only when a manifest uses it; then all that is wrong with it counts."""
    for kind, documents_of_it in sorted(declared.kinds.items()):
        name = documents_of_it.connection
        if name in project.broken:
            project.report.problems.extend(project.broken[name].sorted())
        elif name and name not in project.ready and name not in project.unset_connections:
            message = f"the manifests declare {kind} documents, which need `connections.{name}`: add it here"
            project.report.error(("spec", "connections"), "missing-connection", message)


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
