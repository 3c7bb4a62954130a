"""Many places in manifests, written shortly: each file once, `manifests/prices.yaml:26, :31`."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import NamedTuple

from reconciler.model.address import Origin


class FoldedPlaces(NamedTuple):
    """A word for one line of a manifest, and for how many places it stands: one an item that it is written for."""

    text: str
    number: int


def folded_places(origins: Iterable[Origin]) -> list[FoldedPlaces]:
    """The places in order, each once. A line that is written for many items says of how many, not of which."""
    found = sorted(set(origins), key=lambda one: (one.path, one.line, one.item))
    folded: list[FoldedPlaces] = []
    for path, of_file in groupby(found, key=lambda one: one.path):
        shown = path
        for line, group in groupby(of_file, key=lambda one: one.line):
            of_line = list(group)
            for_whom = f" ({len(of_line):,} items)" if len(of_line) > 1 else f" [{of_line[0].item}]"
            folded.append(FoldedPlaces(f"{shown}:{line}{for_whom if of_line[0].item else ''}", len(of_line)))
            shown = ""
    return folded
