"""Finds the line and column of every key and value of a document, once there is something to report about it."""

from __future__ import annotations

from dataclasses import dataclass

import yaml

from reconciler.manifests.yaml_parsing import decode, events, place_of
from reconciler.manifests.yaml_values import DocumentPath, Place


@dataclass(slots=True)
class _Level:
    """One level of a walk over events: the path so far, and the next index or the key that waits for its value."""

    path: DocumentPath
    is_list: bool
    index: int = 0
    key: str | None = None
    key_place: Place = (1, 1)


@dataclass(frozen=True, slots=True)
class Places:
    """Where the keys and the values of one document stand, by path."""

    keys: dict[DocumentPath, Place]
    values: dict[DocumentPath, Place]

    def nearest(self, path: DocumentPath) -> Place:
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
        if isinstance(event, yaml.DocumentStartEvent):
            places = found[len(found)] = Places({}, {})
        elif isinstance(event, yaml.CollectionEndEvent):
            stack.pop()
        elif isinstance(event, yaml.NodeEvent):
            _note(event, stack, places)
    return found


def _note(event: yaml.NodeEvent, stack: list[_Level], places: Places) -> None:
    place = place_of(event)
    path: DocumentPath = ()
    top = stack[-1] if stack else None
    if top is not None and top.is_list:
        path = (*top.path, top.index)
        top.index += 1
    elif top is not None and top.key is None:
        top.key = event.value if isinstance(event, yaml.ScalarEvent) else f"*{event.anchor}"
        top.key_place = place
        return
    elif top is not None:
        path = (*top.path, str(top.key))
        places.keys.setdefault(path, top.key_place)  # of a key that stands twice, the first one counts
        top.key = None
    places.values.setdefault(path, place)
    if isinstance(event, yaml.CollectionStartEvent):
        stack.append(_Level(path, isinstance(event, yaml.SequenceStartEvent)))
