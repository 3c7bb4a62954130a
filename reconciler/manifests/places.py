"""Finds the line and column of every key and value of a document, once there is something to report about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import yaml

from reconciler.manifests.yaml_reading import decode, events
from reconciler.manifests.yaml_values import Place

Key: TypeAlias = str | int


@dataclass(slots=True)
class _Level:
    """One level of a walk over events: the path so far, and the next index or the key that waits for its value."""

    path: tuple[Key, ...]
    is_list: bool
    index: int = 0
    key: str | None = None
    key_place: Place | None = None


@dataclass(frozen=True, slots=True)
class Places:
    """Where the keys and the values of one document stand, by path."""

    keys: dict[tuple[Key, ...], Place]
    values: dict[tuple[Key, ...], Place]

    def of_value(self, path: tuple[Key, ...]) -> Place | None:
        return self.values.get(path)

    def of_key(self, path: tuple[Key, ...]) -> Place | None:
        return self.keys.get(path) or self.values.get(path)

    def nearest(self, path: tuple[Key, ...]) -> Place:
        """The value at this path, or the innermost thing around it that was written."""
        for length in range(len(path), -1, -1):
            if place := self.values.get(path[:length]):
                return place
        return (1, 1)


def locate(data: bytes) -> dict[int, Places]:
    """The places of every document of a file that `yaml_reading.read` could read, by the number of the document.

    Reading for values and reading for places are two passes: a file without problems never pays for the second.
    """
    found: dict[int, Places] = {}
    stack: list[_Level] = []
    for event in events(decode(data)):
        kind = type(event)
        if kind is yaml.DocumentStartEvent:
            places = found[len(found)] = Places({}, {})
        elif kind not in (yaml.StreamStartEvent, yaml.DocumentEndEvent):
            _note(event, kind, stack, places)
    return found


def _note(event: Any, kind: type, stack: list[_Level], places: Places) -> None:
    if kind in (yaml.MappingEndEvent, yaml.SequenceEndEvent):
        stack.pop()
        return
    place = (event.start_mark.line + 1, event.start_mark.column + 1)
    top = stack[-1] if stack else None
    if top is None:
        path: tuple[Key, ...] = ()
    elif top.is_list:
        path = (*top.path, top.index)
        top.index += 1
    elif top.key is None:
        top.key = event.value if kind is yaml.ScalarEvent else f"*{event.anchor}"
        top.key_place = place
        return
    else:
        path = (*top.path, top.key)
        places.keys.setdefault(path, top.key_place or place)  # of a key that stands twice, the first one counts
        top.key = None
    places.values.setdefault(path, place)
    if kind in (yaml.MappingStartEvent, yaml.SequenceStartEvent):
        stack.append(_Level(path, kind is yaml.SequenceStartEvent))
