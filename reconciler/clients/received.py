"""Reads an object of a JSON answer key by key, whatever the case of its keys, and also where a number came as text."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TypeAlias

from reconciler.errors import ProductError
from reconciler.identity import normal_id

RawObject: TypeAlias = Mapping[str, object]
"""An object of JSON as it was received."""


class Received:
    """An object whose keys are asked for in lower case; one that is missing reads as None.

    `raw` is the object as received, `what` names it in errors. Raises ProductError for anything but an object.
    """

    __slots__ = ("_keys", "_what", "raw")

    def __init__(self, value: object, what: str) -> None:
        if not isinstance(value, dict):
            raise ProductError(f"{shape(value).capitalize()} was answered where {what} is due")
        self.raw: RawObject = value
        self._what = what
        self._keys: dict[str, object] = {key.lower(): each for key, each in value.items()}

    def __contains__(self, key: str) -> bool:
        return key in self._keys

    def value(self, key: str) -> object:
        return self._keys.get(key)

    def own_id(self, key: str) -> str:
        """The id of the object itself. Raises ProductError where there is none."""
        if found := self.id(key):
            return found
        raise ProductError(f"{self._what.capitalize()} was answered without its id")

    def id(self, key: str) -> str | None:
        value = self._keys.get(key)
        return normal_id(value) if isinstance(value, str) and value else None

    def text(self, key: str) -> str | None:
        value = self._keys.get(key)
        return value if value is None or isinstance(value, str) else as_text(value)

    def truth(self, key: str) -> bool | None:
        value = self._keys.get(key)
        if value is True or value is False or value is None:
            return value
        text = str(value).strip().lower()
        return True if text in ("true", "1") else False if text in ("false", "0") else None

    def number(self, key: str) -> int | None:
        return _number(self._keys.get(key))

    def percentage(self, key: str) -> int | None:
        """A whole number of percent, also where it is written with its sign."""
        value = self._keys.get(key)
        return _number(value.replace("%", "").strip() if isinstance(value, str) else value)

    def word(self, key: str, words: tuple[str, ...]) -> str | None:
        """A status by its documented word; the words themselves are understood too, and others shown as unknown."""
        value = self._keys.get(key)
        if value is None:
            return None
        code = _number(value)
        if code is not None and 0 <= code < len(words):
            return words[code]
        wanted = re.sub(r"\W", "", str(value)).lower()
        return next((word for word in words if word.replace(" ", "").lower() == wanted), f"unknown ({value})")


def shape(value: object) -> str:
    """What kind of JSON this is, in words."""
    for kind, words in ((bool, "a boolean"), (str, "a text"), (list, "a list"), (dict, "an object")):
        if isinstance(value, kind):
            return words
    return "null" if value is None else "a number"


def as_text(value: object) -> str:
    """What is no text, as one."""
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def _number(value: object) -> int | None:
    if type(value) is int or value is None:
        return value
    if not isinstance(value, str | int | float):
        return None
    try:
        return int(value)
    except (ValueError, OverflowError):
        return None
