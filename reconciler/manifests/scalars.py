"""What an unquoted word in YAML means: text, unless it is exactly what a program would print for a value.

`true`, `false`, `null`, `~` and nothing at all are those values. A number is a number when the number's own text is
the same again: `5` and `1.5` are, `007`, `1.10`, `0x1f`, `1_000` and `1e3` stay text. So nothing that was written is
ever lost, and every value can be turned back into the words it came from.
"""

from __future__ import annotations

import re

from reconciler.manifests.yaml_values import YAMLValue

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:e[-+][0-9]+)?", re.ASCII)
_WORDS: dict[str, bool | None] = {"": None, "~": None, "null": None, "true": True, "false": False}
_LONGEST = 18
_NUMERIC = frozenset("-0123456789")


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
    if value is True:
        return "true"
    if value is False:
        return "false"
    return value if isinstance(value, str) else repr(value)
