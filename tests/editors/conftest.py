"""One language server for all tests; where none can be had, that has to be said."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from language_server import LanguageServer
from node_packages import INSTALLED

sys.path.append(str(Path(__file__).parents[1] / "manifests"))

SCHEMAS = Path(__file__).parents[2] / "schemas"


@pytest.fixture(scope="session")
def server() -> Iterator[LanguageServer]:
    """It holds files called `*.any.yaml` against the combined schema, and `*.KIND.yaml` against that of one kind."""
    if os.environ.get("RECONCILER_NO_NODE_PACKAGES"):
        pytest.skip("RECONCILER_NO_NODE_PACKAGES is set: WHAT AN EDITOR SAYS OF MANIFESTS IS NOT CHECKED")
    if not INSTALLED.exists():
        pytest.fail("no yaml-language-server: run tests/provide-node-packages.sh")
    files = {path: path.name.removesuffix(".schema.json") for path in SCHEMAS.glob("*.json")}
    running = LanguageServer({path: f"*.{'any' if one == 'manifest' else one}.yaml" for path, one in files.items()})
    yield running
    running.close()
