"""What YAML can say once it is read: plain data, and how a place in it is named."""

from __future__ import annotations

from typing import TypeAlias

YAMLValue: TypeAlias = "str | int | float | bool | list[YAMLValue] | dict[str, YAMLValue] | None"
"""A scalar, a list or a mapping, as it was written or filled in."""

YAMLContainer: TypeAlias = list[YAMLValue] | dict[str, YAMLValue]

DocumentPath: TypeAlias = tuple[str | int, ...]
"""The keys and the indices that lead to a value of a document."""

Place: TypeAlias = tuple[int, int]
"""Line and column, counted from 1."""


def mapping_of(value: YAMLValue) -> dict[str, YAMLValue]:
    """The value itself where it is a mapping, else an empty one."""
    return value if isinstance(value, dict) else {}


def list_of(value: YAMLValue) -> list[YAMLValue]:
    """The value itself where it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def text_or_nothing(value: YAMLValue) -> str:
    """The value itself where it is text, else ""."""
    return value if isinstance(value, str) else ""


def value_at(document: YAMLValue, path: DocumentPath) -> YAMLValue:
    """What stands at a path that is there."""
    for step in path:
        document = document[step]  # type: ignore[index]  # whoever asks found the path in this document
    return document
