"""Files of what a user sees, compared byte for byte; RECONCILER_UPDATE_GOLDEN=1 writes them anew, to be read by eye."""

from __future__ import annotations

import os
from pathlib import Path

HERE = Path(__file__).parent / "golden"


def check(name: str, text: str) -> None:
    """Compare the text with the golden file of this name, or write that file when asked to by the environment."""
    path = HERE / name
    if os.environ.get("RECONCILER_UPDATE_GOLDEN"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
        return
    assert path.exists(), f"{path.name} is missing: run with RECONCILER_UPDATE_GOLDEN=1 and read what it wrote"
    assert text == path.read_bytes().decode(), f"{path.name} differs: look at it, then RECONCILER_UPDATE_GOLDEN=1"
