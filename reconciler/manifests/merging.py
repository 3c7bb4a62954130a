"""Lays one mapping over another: what an environment, a block or a template says itself wins over what it inherits."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import permutations

from reconciler.manifests.yaml_values import YAMLValue

_EITHER_OR: Mapping[str, tuple[str, str]] = {
    "acc": ("url", "region"),
    "mft": ("url", "region"),
    "schedule": ("cron", "every"),
    "task": ("name", "id"),
}
"""Two keys of a mapping, by the key that it stands under, of which one takes the place of the other."""


def merged(below: dict[str, YAMLValue], above: dict[str, YAMLValue], name: str = "") -> dict[str, YAMLValue]:
    """`above` over `below`, mapping by mapping; everything else is replaced. `name` is the key that both stand under.

    A connection names a region or a url, a schedule has a cron or an interval: the one above replaces the other below.
    """
    whole = {**below, **above}
    for key, value in above.items():
        if type(value) is dict and type(under := below.get(key)) is dict:
            whole[key] = merged(under, value, key)
    for one, other in permutations(_EITHER_OR.get(name, ()), 2):
        if one in above and other not in above and one not in below:
            whole.pop(other, None)
    return whole
