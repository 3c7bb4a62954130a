"""The law of the schemas for editors: what the tool accepts, they accept."""

from __future__ import annotations

import functools
import json
from pathlib import Path

import jsonschema_rs

from reconciler import manifests
from reconciler.manifests import discovery, yaml_reading
from reconciler.manifests.problems import Problems, SourceFile
from reconciler.manifests.yaml_values import YAMLValue, list_of, mapping_of


def refused_by_editors(root: Path) -> list[str]:
    """What an editor with the combined schema would underline in the files of a project."""
    project = _documents(root, discovery.FILE_NAME)
    patterns = [str(one) for one in list_of(mapping_of(mapping_of(project[0]).get("spec")).get("manifests"))]
    files = discovery.find_files(root, patterns or ["manifests/**/*.yaml"]).paths
    documents = [(name, document) for name in files for document in _documents(root, name)]
    return [found for name, one in ((discovery.FILE_NAME, project[0]), *documents) for found in _refused(name, one)]


def refused_text(text: str) -> list[str]:
    """What it would underline in manifests that are printed."""
    return [found for one in yaml_reading.read(text.encode()) for found in _refused("printed", one.value)]


def _refused(name: str, document: YAMLValue) -> list[str]:
    errors = _validator(manifests.document_names()).iter_errors(document)
    return [f"{name}: {error.instance_path} {error.message}" for error in errors]


@functools.cache
def _validator(kinds: tuple[str, ...]) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(json.loads(manifests.schema_text()))


def _documents(root: Path, name: str) -> list[YAMLValue]:
    return [document.value for document in yaml_reading.read_file(SourceFile(name, root / name), Problems())]
