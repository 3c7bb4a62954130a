"""Writes the JSON Schemas in `schemas/`, which editors take, from those that manifests are checked against.

python -m tools.published_schemas
"""

from __future__ import annotations

import re
from pathlib import Path

import reconciler.kinds.registry  # noqa: F401 - names the kinds of document
from reconciler import manifests

FOLDER = Path(__file__).resolve().parent.parent / "schemas"


def published() -> dict[str, str]:
    """The text of each file: one for each kind of document, and `manifest.schema.json` for any."""
    files = {_file_name(kind): manifests.schema_text(kind) for kind in manifests.document_names()}
    return {name: f"{text}\n" for name, text in {**files, "manifest.schema.json": manifests.schema_text()}.items()}


def _file_name(kind: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "-", kind).lower() + ".schema.json"


if __name__ == "__main__":
    for name, text in published().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
