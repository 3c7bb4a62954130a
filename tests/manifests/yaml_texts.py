"""Draws YAML as people write it: any indentation, quotes, brackets, comments, line ends, several documents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar, cast

from hypothesis import strategies as st

from reconciler.manifests.yaml_values import plain_value, quoted

T = TypeVar("T")

WORDS = st.sampled_from(
    [
        "low",
        "on",
        "yes",
        "0 0 2 * * *",
        "2026-01-01T02:00:00",
        "Australia/Sydney",
        "au, nz",
        "a: b",
        "it's",
        "#no",
        "- x",
        "${var:zone}",
        "",
        " x",
        "5",
        "007",
        "1e3",
        "true",
        "~",
        "null",
        "ä€𝄞",
        "tab\tin",
        "two\nlines",
        "[",
        "{x}",
        '"q"',
        "%",
        "@at",
        "x #y",
        "<<",
        "---",
        "\u2028",
        "\x85",
        "long " * 40 + "end",
        "\\",
        "*star",
        "&and",
        "!tag",
        "?",
        "|",
    ]
)
SCALARS = st.one_of(WORDS, st.text(max_size=12), st.integers(-99, 99), st.booleans(), st.none(), st.just(1.5)).filter(
    lambda value: not isinstance(value, str) or not any("\ud800" <= char <= "\udfff" for char in value)
)
KEYS = st.one_of(
    st.sampled_from(["name", "cron", "timeZone", "on", "1", "a b", "<<x", "it's", "schedules", "spec", "#"]),
    st.text("abcdefgh", min_size=1, max_size=6),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.dictionaries(KEYS, inner, max_size=4),
        st.lists(inner, max_size=4),
        st.dictionaries(KEYS, SCALARS, max_size=4),
    ),
    max_leaves=14,
)
DOCUMENTS = st.dictionaries(KEYS, VALUES, min_size=1, max_size=5)


@dataclass
class Writer:
    """Writes a value in one of the ways in which it can be written."""

    draw: Any

    def pick(self, *options: T) -> T:
        return cast("T", self.draw(st.sampled_from(options)))

    def file(self, documents: list[dict[str, Any]]) -> bytes:
        lines: list[str] = []
        for index, document in enumerate(documents):
            if index or self.pick(True, False):
                lines.append("---" + self.pick("", " # a new one"))
            lines += self.block(document, 0, self.pick(2, 2, 4))
            lines += self.pick([], ["..."], ["# the end"], ["", ""])
        end = self.pick("\n", "\n", "\r\n")
        text = end.join(line.replace("\n", end) for line in lines) + self.pick(end, end, "")
        return (self.pick("", "", "\ufeff") + text).encode()

    def noise(self, indent: int) -> list[str]:
        return self.pick([], [], [], [""], ["  "], [" " * indent + "# why"], ["# far left", ""])

    def block(self, value: Any, indent: int, step: int) -> list[str]:
        pad, lines = " " * indent, self.noise(indent)
        if isinstance(value, dict):
            for key, one in value.items():
                lines += self.entry(pad + self.key(key, in_flow=False) + ":", one, indent, step)
                lines += self.noise(indent)
        else:
            for one in value:
                if isinstance(one, (dict, list)) and one and self.pick(True, True, False):
                    gap = self.pick(1, 1, 3)
                    inner = self.block(one, indent + 1 + gap, step)
                    first = next(
                        number for number, line in enumerate(inner) if line.strip() and line.lstrip()[0] != "#"
                    )
                    lines += inner[:first]
                    lines += [pad + "-" + " " * gap + inner[first].lstrip(), *inner[first + 1 :]]
                else:
                    lines += self.entry(pad + "-", one, indent, step)
                lines += self.noise(indent)
        return lines

    def entry(self, head: str, value: Any, indent: int, step: int) -> list[str]:
        comment = self.pick("", "", "", "  # because", " #")
        if isinstance(value, (dict, list)) and value and self.pick(True, True, False):
            deeper = indent + step
            if isinstance(value, list) and head.endswith(":"):
                deeper = indent + self.pick(0, step)
            return [head + comment, *self.block(value, deeper, step)]
        if value is None and self.pick(True, False):
            return [head + comment]
        if isinstance(value, str) and "\n" in value and all(line.isalnum() for line in value.split("\n")):
            return [head + " |-", *(" " * (indent + step) + line for line in value.split("\n"))]
        return [f"{head} {self.inline(value, in_flow=False)}{comment}"]

    def inline(self, value: Any, *, in_flow: bool) -> str:
        if isinstance(value, dict):
            space = self.pick("", " ")
            parts = [f"{self.key(key, in_flow=True)}: {self.inline(one, in_flow=True)}" for key, one in value.items()]
            return "{" + space + ", ".join(parts) + (self.pick("", ",", " ,") if parts else "") + space + "}"
        if isinstance(value, list):
            parts = [self.inline(one, in_flow=True) for one in value]
            return "[" + ", ".join(parts) + (self.pick("", ",") if parts else "") + "]"
        if value is None:
            return self.pick("null", "~")
        if not isinstance(value, str):
            return str(value).lower()
        return self.text(value, in_flow=in_flow)

    def key(self, key: str, *, in_flow: bool) -> str:
        return (
            self.pick(key, quoted(key)) if key.isalpha() else self.pick(quoted(key), "'" + key.replace("'", "''") + "'")
        )

    def text(self, text: str, *, in_flow: bool) -> str:
        options = [quoted(text)]
        if text.isprintable():
            options.append("'" + text.replace("'", "''") + "'")
            marks = set("#:,[]{}&*!|>'\"%@`-?\\")
            if text and text == text.strip() and not marks & set(text) and plain_value(text) == text and text != "<<":
                options += [text, text]
        return str(self.pick(*options))


@st.composite
def files(draw: Any) -> tuple[bytes, list[dict[str, Any]]]:
    """A file, and the documents that it holds."""
    documents = draw(st.lists(DOCUMENTS, min_size=1, max_size=3))
    return Writer(draw).file(documents), documents
