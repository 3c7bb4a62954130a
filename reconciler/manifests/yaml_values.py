"""What YAML can say once it is read: plain data, how a place in it is named, and the words that stand for it.

An unquoted word is text, unless it is exactly what a program would print for a value: `true`, `false`, `null`, `~` and
nothing at all are those values. A number is a number when the number's own text is the same again: `5` and `1.5` are,
`007`, `1.10`, `0x1f`, `1_000` and `1e3` stay text. So nothing that was written is ever lost, and every value can be
turned back into the words it came from.
"""

from __future__ import annotations

import re
from typing import TypeAlias

from reconciler.manifests.placeholders import escaped_text

YAMLValue: TypeAlias = "str | int | float | bool | list[YAMLValue] | dict[str, YAMLValue] | None"
"""A scalar, a list or a mapping, as it was written or filled in."""

YAMLContainer: TypeAlias = list[YAMLValue] | dict[str, YAMLValue]

DocumentPath: TypeAlias = tuple[str | int, ...]
"""The keys and the indices that lead to a value of a document."""

Place: TypeAlias = tuple[int, int]
"""Line and column, counted from 1."""

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:e[-+][0-9]+)?", re.ASCII)
_WORDS: dict[str, bool | None] = {"": None, "~": None, "null": None, "true": True, "false": False}
_LONGEST = 18
_NUMERIC = frozenset("-0123456789")
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def mapping_of(value: YAMLValue) -> dict[str, YAMLValue]:
    """The value itself where it is a mapping, else an empty one."""
    return value if isinstance(value, dict) else {}


def list_of(value: YAMLValue) -> list[YAMLValue]:
    """The value itself where it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def text_or_nothing(value: YAMLValue) -> str:
    """The value itself where it is text, else ""."""
    return value if isinstance(value, str) else ""


def without_free_keys(value: YAMLValue) -> YAMLValue:
    """A document without what is free for anchors to stand in: nobody reads it."""
    if isinstance(value, dict) and any(key.startswith("x-") for key in value):
        return {key: one for key, one in value.items() if not key.startswith("x-")}
    return value


def value_at(document: YAMLValue, path: DocumentPath) -> YAMLValue:
    """What stands at a path that is there."""
    for step in path:
        document = document[step]  # type: ignore[index]  # whoever asks found the path in this document
    return document


# --- words ----------------------------------------------------------------------------------------------------------


def plain_value(text: str) -> str | int | float | bool | None:
    """The value of an unquoted word."""
    if text in _WORDS:
        return _WORDS[text]
    return _number(text) if text[0] in _NUMERIC else text


def _number(text: str) -> int | float | str:
    if not _NUMBER.fullmatch(text):
        return text
    digits = text.removeprefix("-")
    if digits.isdigit():
        whole = int(text) if len(digits) <= _LONGEST else 0
        return whole if str(whole) == text else text
    number = float(text)
    return number if repr(number) == text else text


def text_of(value: YAMLValue) -> str:
    """The words that a scalar was written with. None, which has no words, gives ""."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else repr(value)


def is_writable(text: str) -> bool:
    """Whether these are whole characters: JSON can escape half of one, and YAML cannot."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def value_text(value: object) -> str:
    """A YAML string that reads back as this and nothing else: what looks like interpolation is escaped."""
    return quoted(escaped_text(str(value)))


def quoted(text: str) -> str:
    """A double-quoted YAML string; whatever cannot be seen stands there as an escape. Keys are not interpolated."""
    return '"' + "".join(_ESCAPES.get(char) or (char if char.isprintable() else _escape(char)) for char in text) + '"'


def _escape(char: str) -> str:
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def comment_text(text: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())
