"""What runs next: the next runs of all schedules, those of one minute together."""

from __future__ import annotations

from collections.abc import Collection
from itertools import groupby

from msgspec import Struct

from reconciler.calendar.forecast import Calendar, Entry
from reconciler.model.address import Address
from reconciler.quantities import span_text
from reconciler.render.address_folding import folded_addresses

_HOUR = 3600
_DAY = 86400


class ComingRuns(Struct, frozen=True):
    """The schedules whose next run is due in one minute; `at` is the earliest of these runs."""

    at: int
    entries: tuple[Entry, ...]


def coming_runs(found: Calendar) -> list[ComingRuns]:
    """The next run of every schedule that has one, minute by minute."""
    minutes = groupby(found.shown.coming, key=lambda run: run[0] // 60)
    together = [list(runs) for _, runs in minutes]
    return [ComingRuns(runs[0][0], tuple(entry for _, entry in runs)) for runs in together]


def until_text(found: Calendar, at: int) -> str:
    """How long it is until then from when the calendar was made: "in 12 min", "in 3 days"."""
    seconds = at - int(found.as_of.timestamp())
    if seconds >= 2 * _DAY:
        return f"in {seconds // _DAY} days"
    return f"in {seconds // _HOUR} h" if seconds >= _DAY else f"in {span_text(seconds)}"


def folded_names(names: Collection[str], width: int = 100) -> list[tuple[str, int]]:
    """Names of schedules in few words without loss, each with how many it stands for."""
    parts = (name.partition("/") for name in names)
    folded = folded_addresses([Address(kind, rest) for kind, _, rest in parts], width)
    return [(word.text, word.number) for word in folded]
