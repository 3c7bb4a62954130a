"""Manifests: from YAML files to `Desired`, with every problem at its place and all of them at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from reconciler.model import Desired, Problem, Project

__all__ = [
    "check",
    "document_names",
    "find_root",
    "load",
    "load_project",
    "project_name",
    "schema_text",
    "write_project",
]


def find_root(start: Path) -> Path:
    """The nearest folder from `start` upward that has a `reconciler.yaml`. Raises UsageError."""
    from reconciler.manifests import discovery

    return discovery.find_root(start)


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

    `as_of` is an aware moment: warnings about runs look ahead from it. With `connections=False` credentials need not
    be there. `key_complaint` says what is wrong with a private key, "" for nothing. Raises UsageError for an
    environment that the project file does not declare.
    """
    from reconciler.manifests import loading

    return loading.check(root, environment, environ, as_of=as_of, connections=connections, key_complaint=key_complaint)


def load(root: Path, environment: str | None, environ: Mapping[str, str], *, as_of: datetime) -> Desired:
    """As `check`, for somebody who means to act. Raises ManifestError with every problem; UsageError as `check`."""
    from reconciler.manifests import loading

    return loading.load(root, environment, environ, as_of=as_of)


def load_project(
    root: Path, environment: str | None, environ: Mapping[str, str], *, as_of: datetime
) -> tuple[Project, frozenset[str]]:
    """The project file alone, and the values that must not be printed; manifests are not read.

    A connection that cannot be resolved raises ManifestError when it is asked for. Raises ManifestError, UsageError.
    """
    from reconciler.manifests import loading

    return loading.load_project(root, environment, environ, as_of=as_of)


def project_name(root: Path) -> str:
    """The project's name as far as it can be read, "" where it cannot; what else is wrong does not matter here."""
    from reconciler.manifests import project_file

    return project_file.name_of(root)


def document_names() -> tuple[str, ...]:
    """What a document may be: the `kind:` of each. All have a JSON Schema."""
    from reconciler.manifests.document_kinds import document_kinds

    return ("Project", *document_kinds())


def schema_text(name: str) -> str:
    """The JSON Schema (draft 2020-12) of a document, whatever the case of its name. Raises UsageError."""
    from reconciler.errors import UsageError
    from reconciler.manifests import project_file
    from reconciler.manifests.document_kinds import document_kinds

    known = {kind.lower(): found.schema_text for kind, found in document_kinds().items()}
    found = {**known, "project": project_file.schema_text}.get(name.lower())
    if found is None:
        raise UsageError(f"there is no kind {name!r}", hint=f"known are {', '.join(document_names())}")
    return found()


def write_project(folder: Path) -> tuple[Path, ...]:
    """Write a commented project that validates as it is, and return its files. Raises UsageError, never overwrites."""
    from reconciler.manifests import starter

    return starter.write_project(folder)
