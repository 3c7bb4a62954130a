"""Text as YAML holds it: quoted so that it reads back as it is, whatever it is made of, and fit for a comment."""

from __future__ import annotations

_PLAIN = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def is_writable(text: str) -> bool:
    """Whether these are whole characters: JSON can escape half of one, and YAML cannot."""
    return not any("\ud800" <= char <= "\udfff" for char in text)


def value_text(value: object) -> str:
    """A YAML string that reads back as this and nothing else: what looks like interpolation is escaped."""
    return quoted(str(value).replace("${", "$${"))


def quoted(text: str) -> str:
    """A double-quoted YAML string; whatever cannot be seen stands there as an escape. Keys are not interpolated."""
    return '"' + "".join(_PLAIN.get(char) or (char if char.isprintable() else _escape(char)) for char in text) + '"'


def _escape(char: str) -> str:
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def comment_text(text: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())
