"""The JSON Schemas of what a manifest may say, and the quick answer whether a document keeps to one."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.errors import UsageError
from reconciler.manifests.document_kinds import document_kinds
from reconciler.manifests.yaml_values import DocumentPath, YAMLValue

if TYPE_CHECKING:
    import jsonschema_rs


@functools.cache
def text(name: str) -> str:
    """A JSON Schema as its file has it."""
    return (_folder() / name).read_text(encoding="utf-8")


def _folder() -> Path:
    """In a wheel the schemas lie in the package; in a checkout beside it."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "schemas"
    return inside if inside.is_dir() else package.parent / "schemas"


@functools.lru_cache(maxsize=64)
def _validator(schema_text: str) -> jsonschema_rs.Draft202012Validator:
    import jsonschema_rs

    return jsonschema_rs.Draft202012Validator(json.loads(schema_text))


def is_valid(schema_text: str, document: YAMLValue) -> bool:
    """Whether a document keeps to its schema; the quick question. `schema_violations` has the reasons."""
    return _validator(schema_text).is_valid(document)


def document_names() -> tuple[str, ...]:
    """What a document may be: the `kind:` of each. All have a JSON Schema."""
    return ("Project", *document_kinds())


def schema_text(name: str) -> str:
    """The JSON Schema (draft 2020-12) of a document, whatever the case of its name. Raises UsageError."""
    known = {kind.lower(): found.schema_text for kind, found in document_kinds().items()}
    found = {**known, "project": project_schema_text}.get(name.lower())
    if found is None:
        raise UsageError(f"there is no kind {name!r}", hint=f"known are {', '.join(document_names())}")
    return found()


def project_schema_text() -> str:
    """The JSON Schema of the project file."""
    return text("project.schema.json")


def violated_paths(schema_text: str, document: YAMLValue) -> Iterator[DocumentPath]:
    """Where a document does not keep to its schema."""
    return (tuple(error.instance_path) for error in _validator(schema_text).iter_errors(document))
