"""The heat maps of the calendar's page: the hours of its days, how dark each is, and the key to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import TypeAlias

from msgspec import Struct

from reconciler.calendar.forecast import Calendar, Forecast, Grid
from reconciler.calendar.shading import Shading, shading_of

STEPS = 64
"""Shades of a map: so many that two neighbours look alike."""

CHANGE_STEPS = 32
"""Shades of a change, on either side of none."""

_INK_TURNS_AT = {"s": (42, 33), "more": (25, 18), "less": (25, 18)}
"""From which shade on text is white in the light theme, and black in the dark one: a browser test measures both."""

_MINUS = "\u2212"

_Maker: TypeAlias = "Callable[[int, int], Cell]"


class Cell(Struct, frozen=True):
    """One hour: the classes that say how it looks, and the number in it."""

    style: str
    text: str = ""


class HeatMap(Struct, frozen=True):
    """One map. `side` is what it shows: the estate (shown), the one before the plan, or the change between both."""

    side: str
    title: str
    label: str
    rows: tuple[tuple[date, tuple[Cell, ...], str], ...]


class Key(Struct, frozen=True):
    """What the shades of a map mean: some of them in order, and the numbers at both ends and in the middle."""

    unit: str
    shades: tuple[str, ...]
    low: str
    middle: str
    high: str


def rules() -> str:
    """The style of every shade. A class says how much of its colour is in it, and which text can be read on it."""
    written = []
    for name, steps in (("s", STEPS), ("more", CHANGE_STEPS), ("less", CHANGE_STEPS)):
        light, dark = _INK_TURNS_AT[name]
        for step in range(1, steps + 1):
            ink = f"light-dark({'#fff' if step >= light else '#000'},{'#000' if step >= dark else '#fff'})"
            written.append(f".{name}{step}{{--much:{100 * step / steps:g}%;--on:{ink}}}")
    return "".join(written)


def heat_maps(found: Calendar) -> list[HeatMap]:
    """One map; for a plan those before and after it, on one scale, and the change."""
    shown = found.shown.grid
    if found.before is None:
        return [_starts(found, "shown", "Starts", shading_of(shown.rates(), steps=STEPS))]
    shading = shading_of(shown.rates(), found.before.grid.rates(), steps=STEPS)
    return [
        _starts(found, "before", "Before", shading),
        _starts(found, "shown", "After", shading),
        _change(found, found.before.grid),
    ]


def keys(found: Calendar) -> list[Key]:
    """The key to the starts, and to the change where there is one."""
    sides = [side.grid for side in (found.shown, found.before) if side is not None]
    most = shading_of(*(grid.rates() for grid in sides), steps=STEPS).highest
    shades = tuple(f"s{step}" for step in range(0, STEPS + 1, 4))
    found_keys = [Key("starts an hour", shades, "0", _half(most), f"{most:,.0f}")]
    if found.before is not None:
        most = shading_of(found.shown.grid.minus(found.before.grid), steps=CHANGE_STEPS).highest
        fewer = tuple(f"less{step}" for step in range(CHANGE_STEPS, 0, -4))
        more = tuple(f"more{step}" for step in range(4, CHANGE_STEPS + 1, 4))
        key = Key("by the plan: fewer and more", (*fewer, "s0", *more), f"{_MINUS}{most:,.0f}", "0", f"+{most:,.0f}")
        found_keys.append(key)
    return found_keys


def _half(most: float) -> str:
    return f"{most / 2:,.0f}" if most > 9 or not most % 2 else f"{most / 2:,.1f}"


def _starts(found: Calendar, side: str, title: str, shading: Shading) -> HeatMap:
    of: Forecast | None = found.before if side == "before" else found.shown
    assert of is not None
    grid = of.grid
    rates = grid.rates()

    def cell(day: int, hour: int) -> Cell:
        count = grid.starts[day][hour]
        return Cell(f"s{shading.of(rates[day][hour] or 0)}", _short(count or 0) if count else "")

    return _map(found, side, title, grid.starts, cell)


def _change(found: Calendar, before: Grid) -> HeatMap:
    changes = found.shown.grid.minus(before)
    shading = shading_of(changes, steps=CHANGE_STEPS)

    def cell(day: int, hour: int) -> Cell:
        change = changes[day][hour] or 0
        shade = shading.of(change)
        return Cell(f"{'more' if shade > 0 else 'less'}{abs(shade)}" if shade else "s0", _signed(change))

    return _map(found, "change", "Change", changes, cell)


def _map(found: Calendar, side: str, title: str, counts: Sequence[Sequence[int | None]], cell: _Maker) -> HeatMap:
    """The cells of every day, marked where an hour is skipped, comes twice, or is now."""
    grid = found.shown.grid
    now = found.local(int(found.as_of.timestamp()))

    def cells(day: int) -> Iterator[Cell]:
        for hour in range(24):
            if counts[day][hour] is None:
                yield Cell("skipped")
                continue
            made = cell(day, hour)
            marks = " twice" if grid.seconds[day][hour] > 3600 else ""
            marks += " now" if (now.date(), now.hour) == (grid.days[day], hour) else ""
            yield Cell(made.style + marks, made.text) if marks else made

    def total(day: int) -> str:
        number = sum(count or 0 for count in counts[day])
        return _signed(number) if side == "change" else f"{number:,}"

    label = {"shown": "Starts by day and hour", "before": "Starts before the plan", "change": "Starts that change"}[
        side
    ]
    rows = tuple((date, tuple(cells(day)), total(day)) for day, date in enumerate(grid.days))
    return HeatMap(side, title, label, rows)


def _short(value: int) -> str:
    """A number with up to four digits."""
    return str(value) if value < 10_000 else f"{value // 1000}k"


def _signed(value: int) -> str:
    return f"{'+' if value > 0 else _MINUS}{_short(abs(value))}" if value else ""
