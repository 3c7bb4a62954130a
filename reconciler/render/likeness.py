"""What many things have alike, as it is shown: the fields that all change in the same way, and those that differ."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import NamedTuple, TypeVar

from reconciler.model.plan import FieldChange
from reconciler.render.characters import field_texts

_FEW = 6
"""Up to so many sorts of changes with the same fields stand apart; of more, those that occur often."""

_OFTEN = 10
"""One in so many of what has the same fields is often."""

_Item = TypeVar("_Item")
_Key = TypeVar("_Key", bound=Hashable)


class VaryingField(NamedTuple):
    """A field that not all of a group change alike: each way with how many do, the most frequent first.

    What leaves the field alone counts with None on both sides.
    """

    path: str
    ways: tuple[tuple[FieldChange, int], ...]


class ShownField(NamedTuple):
    """What of a field may be shown, as something to compare by."""

    path: str
    before: str
    after: str


def shown_field(field: FieldChange) -> ShownField:
    """The field as it may be shown: two secrets that changed are alike."""
    return ShownField(field.path, *field_texts(field))


def common_fields(of_each: Sequence[Sequence[FieldChange]]) -> tuple[FieldChange, ...]:
    """The fields that all have alike, in the order of the first one."""
    alike = set.intersection(*({shown_field(field) for field in fields} for fields in of_each))
    return tuple(field for field in of_each[0] if shown_field(field) in alike)


def varying_fields(of_each: Sequence[Sequence[FieldChange]]) -> tuple[VaryingField, ...]:
    """The other fields, in the order in which they are named."""
    common = {field.path for field in common_fields(of_each)}
    paths = {field.path: None for fields in of_each for field in fields if field.path not in common}
    return tuple(VaryingField(path, _ways(path, of_each)) for path in paths)


def _ways(path: str, of_each: Sequence[Sequence[FieldChange]]) -> tuple[tuple[FieldChange, int], ...]:
    ways: dict[ShownField, FieldChange] = {}
    counts: Counter[ShownField] = Counter()
    for fields in of_each:
        field = next((one for one in fields if one.path == path), FieldChange(path, None, None))
        counts[shown_field(field)] += 1
        ways.setdefault(shown_field(field), field)
    return tuple((ways[key], count) for key, count in counts.most_common())


def alike(items: Sequence[_Item], key: Callable[[_Item], Hashable]) -> list[list[_Item]]:
    """Items with the same key together: each sort where there are few, else the frequent ones, and the rest as one.

    So there are never more groups than a person reads, and no item stands in none.
    """
    sorts = grouped(items, key)
    if len(sorts) <= _FEW:
        return list(sorts.values())
    least = max(len(items) / _OFTEN, 2)
    often = [together for together in sorts.values() if len(together) >= least]
    rest = [item for together in sorts.values() if len(together) < least for item in together]
    return [*often, rest] if rest else often


def grouped(items: Iterable[_Item], key: Callable[[_Item], _Key]) -> dict[_Key, list[_Item]]:
    """The items by key, in the order in which keys occur."""
    found: dict[_Key, list[_Item]] = defaultdict(list)
    for item in items:
        found[key(item)].append(item)
    return dict(found)
