"""What a resource is, in the terms of its product; and what stands for a value that is never shown."""

from __future__ import annotations

import typing
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from msgspec import Struct

JSON: TypeAlias = Any
"""What `json.loads` can return. `Any`, because mypy has no useful recursive spelling of it."""


class State(Struct, frozen=True):
    """What a resource is, in the products' terms: every kind has its own.

    A field that is None is not set in the manifest; of a live state it is one that the product does not tell.
    """

    @property
    def parameters(self) -> Mapping[str, str] | str | None:
        """The part of it that may hold secrets, by name; a text where a product shows one that is no object."""
        return None


class Beside(Struct, frozen=True, eq=False):
    """What a noun carries along and is no part of what it is: any two are equal, and nothing shows them."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Beside)

    def __hash__(self) -> int:
        return 0

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


if TYPE_CHECKING:
    from typing_extensions import TypeVar

    S_co = TypeVar("S_co", bound=State, covariant=True, default=State)
else:  # the standard library's has no default yet; with one, `Resource` alone is a resource of any kind
    S_co = typing.TypeVar("S_co", covariant=True)

T = typing.TypeVar("T", bound=State)

SECRET = "(secret)"  # noqa: S105 - the word in its place

SECRET_CHANGED = "(secret, changed)"  # noqa: S105 - the word in its place
"""What stands for a value that is never shown; the second one where there was another one before."""
