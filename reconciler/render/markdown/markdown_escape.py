"""Strings from outside in Markdown: shown as they are, and never read as markup, a mention or a reference."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from urllib.parse import quote

from reconciler.render.characters import cut, neutral

_MARKUP = re.compile(r"([\\`*_{}\[\]<>#!|~&$])")
# Two digits between colons are a time, and no picture that any site knows.
_REFERENCE = re.compile(r"(@|#|(?i:\bGH)|:(?=//|(?!\d\d?:)[\w+-]+:)|(?i:\bwww))")
_HTML_REFERENCE = re.compile(r"([@#!~%$^&\[]|(?i:\bGH)|:(?=//|(?!\d\d?:)[\w+-]+:)|(?i:\bwww))")
_BREAK = "\u200b"
_NO_SPAN = re.compile(r"[`|\\]|^ | $|^$")
_LONGEST = 600


def prose(text: str, longest: int = _LONGEST) -> str:
    """Running text that stands inside a line: markup escaped, but what is in backticks becomes a literal.

    `@team`, `#12`, `:smile:` and addresses of the web are kept from becoming mentions, pictures and links.
    """
    pieces = cut(neutral(text), longest).split("`")
    if len(pieces) % 2 == 0:
        return _escaped("`".join(pieces))
    return "".join(code(piece) if index % 2 else _escaped(piece) for index, piece in enumerate(pieces))


def _escaped(text: str) -> str:
    parts = _REFERENCE.split(text)
    return "".join(_MARKUP.sub(r"\\\1", part) + (_BREAK if index % 2 else "") for index, part in enumerate(parts))


def code(text: str) -> str:
    """A literal: a code span, or `<code>` where the text has what a code span or a table would trip over."""
    return name(cut(neutral(text), _LONGEST))


def name(text: str) -> str:
    """A literal that is never shortened, since it is how something is called."""
    shown = neutral(text)
    if not _NO_SPAN.search(shown):
        return f"`{shown}`"
    return f"<code>{entities(shown)}</code>"


def entities(text: str) -> str:
    """All that Markdown or HTML could take for markup, as numeric references."""
    return "".join(char if char.isalnum() or char == " " else f"&#{ord(char)};" for char in neutral(text))


def summary_text(text: str) -> str:
    """Running text between the tags of a `<summary>`, where Markdown does not reach, but mentions and references do."""
    return summary_name(cut(neutral(text), _LONGEST))


def summary_name(text: str) -> str:
    """The same of how something is called, which is never shortened."""
    return "".join(
        escape(part) + (_BREAK if index % 2 else "") for index, part in enumerate(_HTML_REFERENCE.split(neutral(text)))
    )


def fence(language: str, lines: Sequence[str]) -> str:
    """Lines of a literal block, each with a line end. None may begin with a backtick."""
    return "\n".join([f"```{language}", *map(neutral, lines), "```\n"])


def marker(document: str, project: str, environment: str) -> str:
    """The comment by which a bot finds its earlier note: the same for each note on one project and environment."""
    return f"<!-- reconciler:{document} project={_word(project)} environment={_word(environment)} -->"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; cells are Markdown already, on one line."""
    lines = [f"| {' | '.join(head)} |", "|" + " --- |" * len(head)]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(lines) + "\n"


def _word(text: str) -> str:
    return quote(text, safe="", errors="backslashreplace").replace("--", "%2D%2D")
