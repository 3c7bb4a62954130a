"""A resource as a card that folds: its fields with both sides, and when and how often it runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from msgspec import Struct

from reconciler.model.address import Origin
from reconciler.model.plan import FieldChange, Preview
from reconciler.render.characters import cut, field_texts, first_difference
from reconciler.render.frequency import frequency_text, run_texts

LONGEST = 1500
"""So many characters of a value are shown."""


class Value(NamedTuple):
    """One side of a field: `own` is the part that the other side does not have, `side` is b (before) or a (after)."""

    side: str
    start: str
    own: str = ""
    end: str = ""


class FieldsTable(Struct, frozen=True):
    """Fields with both sides beside each other; with one column where one side is empty in all.

    A row has the field, where its value stands if that is not in its own block, and the sides.
    """

    heads: tuple[str, ...]
    rows: tuple[tuple[str, Origin | None, tuple[Value, ...]], ...]


class Runs(Struct, frozen=True):
    """Next runs before and after, each list with its name and shared offset; how often, and both rates as shares."""

    lists: tuple[tuple[str, Sequence[str], str], ...]
    frequency: str
    bars: tuple[float, ...]
    notes: tuple[str, ...]


class Card(Struct, frozen=True):
    """A resource: its word chooses sign and colour. `tags`, `names` and `alarm` show while it is folded.

    `told` and `step` are sentences, in which backticks mark code.
    """

    word: str
    sign: str
    address: str
    tags: tuple[str, ...] = ()
    names: str = ""
    alarm: str = ""
    told: tuple[str, ...] = ()
    step: str = ""
    needs: tuple[str, ...] = ()
    tables: tuple[FieldsTable | None, ...] = ()
    runs: Runs | None = None
    origin: Origin | None = None


def fields_table(fields: Sequence[FieldChange], before: str = "Before", after: str = "After") -> FieldsTable | None:
    """The table of these fields, its columns named so."""
    if not fields:
        return None
    kept = (any(field.before is not None for field in fields), any(field.after is not None for field in fields))
    sides = [side for side in (0, 1) if kept[side]] or [1]
    rows = tuple(
        (field.path, field.origin, tuple(values[side] for side in sides))
        for field in fields
        for values in [_values(field)]
    )
    return FieldsTable(tuple((before, after)[side] for side in sides), rows)


def runs_of(shown: Preview | None, *, gone: bool = False) -> Runs | None:
    """What a preview shows; None where that is nothing."""
    if shown is None:
        return None
    sides = [("Next runs", shown.after_runs)]
    if gone:
        sides = [("Would have run", shown.before_runs)]
    elif shown.before_runs and shown.before_runs != shown.after_runs:
        sides = [("Next runs, before", shown.before_runs), ("after", shown.after_runs)]
    lists = tuple((name, *run_texts(runs[:5])) for name, runs in sides if runs or len(sides) > 1)
    rates, frequency = (shown.before_per_day, shown.after_per_day), frequency_text(shown)
    given = [rate for rate in rates if rate is not None]
    is_compared = frequency and len(given) > 1 and given[0] != given[1]
    bars = tuple(max(100 * rate / max(given), 1) for rate in given) if is_compared else ()
    return Runs(lists, frequency, bars, shown.notes) if lists or frequency or shown.notes else None


def _values(field: FieldChange) -> tuple[Value, Value]:
    """Both sides, with the part marked in which they differ, unless all of it does."""
    before, after = (
        cut(text, LONGEST) if side is not None else "—"
        for text, side in zip(field_texts(field), (field.before, field.after), strict=True)
    )
    if field.secret or field.before is None or field.after is None:
        return Value("b", before), Value("a", after)
    start = first_difference(before, after)
    end = min(first_difference(before[::-1], after[::-1]), min(len(before), len(after)) - start)
    return _value("b", before, start, len(before) - end), _value("a", after, start, len(after) - end)


def _value(side: str, text: str, start: int, end: int) -> Value:
    is_marked = 0 < end - start < len(text) - 2
    return Value(side, text[:start], text[start:end], text[end:]) if is_marked else Value(side, text)
