"""What a string from outside may do to a reader's screen: nothing but be read."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import lru_cache
from unicodedata import category, east_asian_width

from reconciler.model.plan import FieldChange
from reconciler.model.state import JSON

_PLAIN_WORDS = str.maketrans(
    {"→": "->", "…": "...", "×": "x", "–": "-", "—": "-", "‘": "'", "’": "'", "“": '"', "”": '"'}  # noqa: RUF001
)
_LOG_COMMAND = re.compile(r"##(?=(?:vso|teamcity)?\[)")
_WORKFLOW_COMMAND = re.compile(r"(?<!\S)::(?=[A-Za-z])")
_NOT_IN_XML = re.compile("[^\t\n\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_VARIATION = "\ufe0f"
ABSENT = "(none)"
_WINDOW = 8


def neutral(text: str, encoding: str = "utf-8") -> str:
    """The text with everything visible that a terminal would obey: escapes, line ends, bidirectional overrides.

    ESC becomes the four characters `\\x1b`. What `encoding` cannot carry becomes an escape too, and so does what
    the log of a CI job would obey (`##[…]`, `##vso[…]`).
    """
    if "##" in text:
        text = _LOG_COMMAND.sub(r"#\\x23", text)
    if text.isprintable() and (text.isascii() or encoding == "utf-8"):
        return text
    if not text.isprintable():
        text = "".join(char if char.isprintable() else _escape(char) for char in text)
    if encoding == "utf-8":
        return text
    return text.translate(_PLAIN_WORDS).encode(encoding, "backslashreplace").decode(encoding)


def columns(text: str) -> int:
    """How many terminal columns a neutral text takes: wide characters count two, combining marks none."""
    if text.isascii():
        return len(text)
    return sum(map(_char_columns, text))


def cut(text: str, width: int, ellipsis: str = "…") -> str:
    """The text, shortened to `width` columns with an ellipsis at its end where it is longer."""
    if columns(text) <= width:
        return text
    return take(text, width - columns(ellipsis)) + ellipsis


def take(text: str, width: int) -> str:
    """The longest beginning of the text that takes at most `width` columns."""
    if text.isascii():
        return text[: max(width, 0)]
    used = 0
    for index, char in enumerate(text):
        used += _char_columns(char)
        if used > width:
            return text[:index]
    return text


def not_a_command(text: str) -> str:
    """The text with every word escaped that GitHub obeys at the beginning of a line, such as `::error::`."""
    return _WORKFLOW_COMMAND.sub(r"\\x3a:", text) if "::" in text else text


def wrap(text: str, width: int) -> list[str]:
    """Lines of at most `width` columns, broken at spaces; a word that is longer alone is broken inside.

    None of them begins with `::`.
    """
    text = not_a_command(text)
    if columns(text) <= width:
        return [text]
    lines: list[str] = []
    line, used = "", 0
    for word in text.split():
        size = columns(word)
        if line and used + 1 + size <= width:
            line, used = f"{line} {word}", used + 1 + size
            continue
        if line:
            lines.append(line)
        if size > width:
            *pieces, word = _pieces(word, width)  # noqa: PLW2901 - the rest of the same word
            lines += pieces
            size = columns(word)
        line, used = word, size
    if line:
        lines.append(line)
    return lines or [""]


def _pieces(word: str, width: int) -> list[str]:
    """A word that is longer than a line, in pieces that are not, each character looked at once."""
    pieces, first, used = [], 0, 0
    for index, char in enumerate(word):
        used += _char_columns(char)
        if used > width and index > first:
            end = index - 1 if word.startswith("::", index) and index > first + 1 else index
            pieces.append(word[first:end])
            first, used = end, columns(word[end : index + 1])
    return [*pieces, word[first:]]


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows of neutral texts as lines whose columns stand below each other, two blanks apart."""
    widths = [max(map(columns, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell + " " * (width - columns(cell)) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def shorten(text: str, width: int, ellipsis: str = "…", *, start: int = 0) -> str:
    """The text in at most `width` columns; where it is longer, the part around `start` stays in view."""
    line = text.find("\\n")
    if 0 < line < width and not start and text.startswith('"'):
        text = text[:line] + ellipsis + '"' if columns(text[:line]) + len(ellipsis) < width else text
    if columns(text) <= width:
        return text
    if start > width // 2:
        text = ellipsis + text[start - _WINDOW :]
    return cut(text, width, ellipsis)


def first_difference(one: str, other: str) -> int:
    """The index at which two texts part; the shorter one's length where it begins the other."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (left, right) in pairs if left != right), min(len(one), len(other)))


def shorten_pair(before: str, after: str, width: int) -> tuple[str, str]:
    """Two texts, each in at most `width` columns, moved so that the place where they part stays in view."""
    start = first_difference(before, after)
    return shorten(before, width, start=start), shorten(after, width, start=start)


def field_texts(field: FieldChange) -> tuple[str, str]:
    """Both sides of a field, each on one line; a secret as the word that stands for it."""
    before, after = (ABSENT if side is None else side if field.secret else value_text(side) for side in field.shown)
    return before, after


def value_text(value: JSON) -> str:
    """A field's value on one line: strings in quotes with escapes as in JSON, containers as JSON with sorted keys."""
    match value:
        case None:
            return ABSENT
        case str():
            escaped = value.replace("\\", "\\\\").replace('"', '\\"')
            return f'"{neutral(escaped)}"'
        case bool() | int() | float():
            return json.dumps(value)
    return neutral(json.dumps(plain(value), ensure_ascii=False, sort_keys=True))


def plain(value: JSON) -> JSON:
    """The value as JSON allows it: mappings as objects, other containers as arrays, what JSON lacks as text."""
    match value:
        case None | str() | bool() | int():
            return value
        case float():
            return value if value - value == 0 else str(value)
        case list() | tuple():
            return [plain(item) for item in value]
    if hasattr(value, "items"):
        return {str(key): plain(item) for key, item in value.items()}
    return str(value)


def xml_text(text: str) -> str:
    """The text without what XML 1.0 forbids even as a reference, or its readers change; it becomes visible escapes."""
    return _NOT_IN_XML.sub(lambda match: _escape(match.group()), text)


def _escape(char: str) -> str:
    code = ord(char)
    if char in _SHORT:
        return _SHORT[char]
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


@lru_cache(maxsize=4096)
def _char_columns(char: str) -> int:
    if char == _VARIATION:
        return 1  # asks for the wide, coloured picture of the sign before it
    if category(char) in ("Mn", "Me"):
        return 0
    return 2 if east_asian_width(char) in ("W", "F") else 1
