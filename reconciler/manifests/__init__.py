"""Manifests: from YAML files to `Desired`, with every problem at its place and all of them at once."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.manifests.discovery import find_root
    from reconciler.manifests.editor_schemas import document_names, schema_text
    from reconciler.manifests.loading import check, check_documents, load, load_defaults, load_project
    from reconciler.manifests.project_file import acc_url, project_name
    from reconciler.manifests.starter import write_project

__all__ = [
    "acc_url",
    "check",
    "check_documents",
    "document_names",
    "find_root",
    "load",
    "load_defaults",
    "load_project",
    "project_name",
    "schema_text",
    "write_project",
]

_MODULES = {
    "discovery": ("find_root",),
    "loading": ("check", "check_documents", "load", "load_defaults", "load_project"),
    "project_file": ("acc_url", "project_name"),
    "editor_schemas": ("document_names", "schema_text"),
    "starter": ("write_project",),
}


def __getattr__(name: str) -> object:
    """Import a function's module when it is asked for: a command that reads no YAML does not pay for its parser."""
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(f".{module}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
