"""A noun with some fields otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # whose fields and values the type checker holds against those of the noun
    from dataclasses import replace
else:
    from msgspec.structs import replace

__all__ = ["replace"]
