"""Plans, outcomes, drift and problems as text, JSON, Markdown, HTML, SARIF, JUnit and GitHub annotations.

Nothing here prints, reads a clock or looks at a terminal: each function returns text, and `cli` decides where it goes.
Each format is a module of its own and is imported when it is asked for.
"""

from __future__ import annotations

from msgspec import Struct

FORMAT_VERSION = "1.0"


class Screen(Struct, frozen=True):
    """Where text is to be read: its width in columns, whether it shows colours, and the encoding that it takes."""

    width: int
    color: bool = False
    encoding: str = "utf-8"


class Stamp(Struct, frozen=True):
    """The header that every document carries. `created_at` is RFC 3339 in UTC; it comes from the caller's clock."""

    reconciler_version: str
    project: str
    environment: str
    created_at: str
