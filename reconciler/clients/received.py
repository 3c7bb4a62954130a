"""Reads an object of a JSON answer into a record, whose annotations say how each value is taken.

The case of keys makes no difference, a number may come as text, and a key that is missing is None.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Annotated, ClassVar, TypeAlias, TypeVar, get_type_hints

from msgspec import Struct

from reconciler.errors import ProductError
from reconciler.identity import normal_id

RawObject: TypeAlias = Mapping[str, object]
"""An object of JSON as it was received."""


class Received(Struct, frozen=True, kw_only=True):
    """What a product answered; `raw` is the object as it was received, which may hold what nobody may see."""

    hidden: ClassVar[frozenset[str]] = frozenset({"raw"})

    raw: RawObject

    def __repr__(self) -> str:
        shown = ", ".join(
            f"{name}={getattr(self, name)!r}" for name in self.__struct_fields__ if name not in self.hidden
        )
        return f"{type(self).__name__}({shown})"


T = TypeVar("T")
R = TypeVar("R", bound=Received)


def reader(record: type[R], what: str) -> Callable[[object], R]:
    """A function that makes a `record` of an answer; `what` names it in errors.

    A field is read by the function in its annotation, under its own name without `_`, or under the key that the
    annotation names; `raw` is the object as received. Raises ProductError for anything but an object, and for one
    without its own id.
    """
    make: Callable[..., R] = record

    def read(value: object) -> R:
        if not isinstance(value, dict):
            raise ProductError(f"{shape(value).capitalize()} was answered where {what} is due")
        values = {key.lower(): each for key, each in value.items()}
        try:
            return make(*[take(values.get(key)) for key, take in _columns(record)], raw=value)
        except LookupError:
            raise ProductError(f"{what.capitalize()} was answered without its id") from None

    return read


@cache
def _columns(record: type[Received]) -> tuple[tuple[str, Callable[[object], object]], ...]:
    """The key of each field in lower case, and how its value is taken."""
    hints = get_type_hints(record, include_extras=True)
    words = {name: hints[name].__metadata__ for name in record.__struct_fields__ if name != "raw"}
    return tuple((found[1] if found[1:] else name.replace("_", ""), found[0]) for name, found in words.items())


def list_reader(read: Callable[[object], T], what: str) -> Callable[[object], tuple[T, ...]]:
    """A function that reads each element of a list; anything else is a ProductError, and never an empty answer."""

    def read_list(value: object) -> tuple[T, ...]:
        if not isinstance(value, list):
            raise ProductError(f"{shape(value).capitalize()} was answered where a list of {what} is due")
        return tuple(map(read, value))

    return read_list


def shape(value: object) -> str:
    """What kind of JSON this is, in words."""
    for kind, words in ((bool, "a boolean"), (str, "a text"), (list, "a list"), (dict, "an object")):
        if isinstance(value, kind):
            return words
    return "null" if value is None else "a number"


# --- values ----------------------------------------------------------------------------------------------------------


def as_text(value: object) -> str:
    """What is no text, as one."""
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def _text(value: object) -> str | None:
    return value if value is None or isinstance(value, str) else as_text(value)


def _id(value: object) -> str | None:
    return normal_id(value) if isinstance(value, str) and value else None


def _own_id(value: object) -> str:
    if found := _id(value):
        return found
    raise LookupError


def _truth(value: object) -> bool | None:
    if value is True or value is False or value is None:
        return value
    text = str(value).strip().lower()
    return True if text in ("true", "1") else False if text in ("false", "0") else None


def _number(value: object) -> int | None:
    if type(value) is int or value is None:
        return value
    if not isinstance(value, str | int | float):
        return None
    try:
        return int(value)
    except (ValueError, OverflowError):
        return None


def _percentage(value: object) -> int | None:
    return _number(value.replace("%", "").strip() if isinstance(value, str) else value)


def word_of(*words: str) -> Callable[[object], str | None]:
    """Reads a status, which comes as its place in `words`, or as the word itself; another is shown as unknown."""
    known = {word.replace(" ", "").lower(): word for word in words}

    def read(value: object) -> str | None:
        code = _number(value)
        if code is not None and 0 <= code < len(words):
            return words[code]
        written = re.sub(r"\W", "", str(value)).lower()
        return None if value is None else known.get(written, f"unknown ({value})")

    return read


Text: TypeAlias = Annotated[str | None, _text]
Id: TypeAlias = Annotated[str | None, _id]
OwnId: TypeAlias = Annotated[str, _own_id]
"""The id of the object itself, without which it is none."""
Truth: TypeAlias = Annotated[bool | None, _truth]
Number: TypeAlias = Annotated[int | None, _number]
Percentage: TypeAlias = Annotated[int | None, _percentage]
"""A whole number of percent, also where it is written with its sign."""
