"""Words and forms of the two products that manifests, commands and clients share."""

from __future__ import annotations

import re

LOG_LEVELS = {"none": 0, "low": 1, "medium": 2, "high": 3}
"""How much ACC logs of a run: its numbers by their names."""

GUID = "[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
"""The pattern of an id, as both products write it."""

_GUID = re.compile(GUID)


def is_guid(text: str) -> bool:
    """Whether a text is an id and nothing else, in whatever case."""
    return _GUID.fullmatch(text) is not None
