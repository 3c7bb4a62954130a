"""How a run went, on one axis of time: a lane for each change; of many, a lane for those alike and for the slowest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from msgspec import Struct

from reconciler.render.likeness import grouped
from reconciler.render.review import kind_counted

_MOST_LANES = 40
_SLOWEST = 5
_SLICES = 96
_MOST_TICKS = 6
_SHORTEST_AXIS = 0.2
_STEPS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 86400)
_THINNEST = 0.35
"""Share of the axis, in percent, that the shortest bar takes, so that it is seen."""

_LEAST = 8.0
"""Share of a lane's height, in percent, that the lowest column takes."""

APPLIED = "applied"
UNENDED = "unended"
"""The word of a change whose end nobody saw."""


class Stretch(NamedTuple):
    """One change that was under way: seconds on the run's clock, `ended` None where its end was not seen.

    `word` is how it ended, `said` the same in short, with how long it took.
    """

    address: str
    action: str
    began: float
    ended: float | None
    word: str
    said: str = ""


class Bar(NamedTuple):
    """A piece of a lane, in percent of the axis; `top` and `height` are percent of the lane."""

    word: str
    left: float
    width: float
    title: str
    top: float = 15.0
    height: float = 70.0


class Lane(NamedTuple):
    """Changes on one line. `address` is the one that it is about, "" where `label` counts several."""

    label: str
    address: str
    bars: tuple[Bar, ...]
    note: str
    word: str


class Timeline(Struct, frozen=True):
    """The picture: `ticks` are places in percent with what stands there. `is_folded`: lanes are of many changes."""

    lanes: tuple[Lane, ...]
    ticks: tuple[tuple[float, str], ...]
    is_folded: bool = False


def timeline(stretches: Iterable[Stretch]) -> Timeline | None:
    """The picture of a run; None where nothing was ever begun."""
    found = sorted(stretches, key=lambda one: (one.began, one.address))
    if not found:
        return None
    axis = _Axis(found)
    if len(found) <= _MOST_LANES:
        return Timeline(tuple(axis.lane(one) for one in found), axis.ticks())
    return Timeline(tuple(_lanes_of_many(found, axis)), axis.ticks(), is_folded=True)


class _Axis:
    """From the first begin to the last end."""

    def __init__(self, stretches: Sequence[Stretch]) -> None:
        self.first = min(one.began for one in stretches)
        last = max(one.began if one.ended is None else one.ended for one in stretches)
        self.length = max(last - self.first, _SHORTEST_AXIS)

    def place(self, seconds: float) -> float:
        return min(max(100 * (seconds - self.first) / self.length, 0.0), 100.0)

    def lane(self, one: Stretch) -> Lane:
        left = min(self.place(one.began), 100 - _THINNEST)
        right = 100.0 if one.ended is None else self.place(one.ended)
        note = one.said or one.word
        bar = Bar(one.word, round(left, 2), round(max(right - left, _THINNEST), 2), f"{one.address}: {note}")
        return Lane(one.address, one.address, (bar,), note, one.word)

    def columns(self, those: Sequence[Stretch]) -> tuple[Bar, ...]:
        """How many of them ended when: a column for each slice of time, the highest as high as the lane."""
        ends = (self.length + self.first if one.ended is None else one.ended for one in those)
        counts = Counter(min(int(self.place(end) / 100 * _SLICES), _SLICES - 1) for end in ends)
        busiest, word = max(counts.values()), those[0].word
        width = round(100 / _SLICES - 0.15, 3)
        bars = []
        for number, count in sorted(counts.items()):
            height = round(max(100 * count / busiest, _LEAST), 1)
            left = round(100 * number / _SLICES, 3)
            bars.append(Bar(word, left, width, f"{count:,} {word}", round(100 - height, 1), height))
        return tuple(bars)

    def ticks(self) -> tuple[tuple[float, str], ...]:
        step = next((one for one in _STEPS if self.length / one <= _MOST_TICKS), self.length)
        count = int(self.length / step + 1e-9)
        return tuple((round(100 * number * step / self.length, 2), _tick(number * step)) for number in range(count + 1))


def _lanes_of_many(found: Sequence[Stretch], axis: _Axis) -> Iterable[Lane]:
    """A lane for those that ended alike after the same action, trouble first, then the slowest by themselves."""
    alike = grouped(found, lambda one: (one.word, one.address.partition("/")[0], one.action))
    order = sorted(alike.items(), key=lambda item: (item[0][0] == APPLIED, -len(item[1]), item[0]))
    for (word, kind, action), those in order:
        ended = "no end was seen" if word == UNENDED else word
        yield Lane(f"{kind_counted(len(those), kind)} to {action}", "", axis.columns(those), ended, word)
    slowest = sorted(found, key=_length, reverse=True)[:_SLOWEST]
    for one in sorted(slowest, key=lambda one: one.began):
        yield axis.lane(one)


def _length(one: Stretch) -> float:
    return 0.0 if one.ended is None else one.ended - one.began


def _tick(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:g} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min" + (f" {rest} s" if rest else "")
    return f"{minutes // 60} h" + (f" {minutes % 60} min" if minutes % 60 else "")
