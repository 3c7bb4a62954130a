"""How dark an hour of a heat map is: in proportion to its value, from nothing on, so that alike values look alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from msgspec import Struct

Cells: TypeAlias = Sequence[Sequence[float | None]]
"""Values by day and hour; None for an hour that is not there."""


class Shading(Struct, frozen=True):
    """So many shades of equal width from 0 to `highest`; 0 has none. Maps that are compared share one."""

    highest: float
    steps: int

    def of(self, value: float) -> int:
        """The shade: 0 for nothing, and at least 1 for anything; below zero for a value below zero."""
        if not value or self.highest <= 0:
            return 0
        shade = min(self.steps, max(1, int(self.steps * abs(value) / self.highest + 0.5)))
        return shade if value > 0 else -shade

    def begin(self, shade: int) -> float:
        """From which value on a shade is chosen."""
        return self.highest * (shade - 0.5) / self.steps if shade > 1 else 0.0


def shading_of(*maps: Cells, steps: int) -> Shading:
    """The shading that these maps have in common, up to the largest of their values whatever its sign."""
    return Shading(max(map(abs, _values(maps)), default=0.0), steps)


def _values(maps: Iterable[Cells]) -> Iterable[float]:
    return (value for cells in maps for day in cells for value in day if value is not None)
