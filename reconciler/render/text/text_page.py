"""A page of text of a given width: it knows signs, colours and line ends, and collects neutral lines."""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from itertools import accumulate

from reconciler.model.address import Origin
from reconciler.model.plan import FieldChange
from reconciler.model.state import SECRET_CHANGED
from reconciler.render import Screen
from reconciler.render.characters import columns, cut, field_texts, first_difference, neutral, shorten, wrap

NARROWEST = 40

_CODES = {
    "green": "32",
    "yellow": "33",
    "red": "31",
    "cyan": "36",
    "magenta": "35",
    "bold": "1",
    "dim": "2",
    "alarm": "1;31",
}


class TextPage:
    """Lines of text, none wider than the screen. Where its encoding lacks `→`, plain signs are chosen."""

    def __init__(self, screen: Screen) -> None:
        self.width = max(screen.width, NARROWEST)
        self.color = screen.color
        self.encoding = _normal(screen.encoding)
        self.signs = self.encoding == "utf-8"
        self.arrow = "→" if self.signs else "->"
        self.ellipsis = "…" if self.signs else "..."
        self.times = "×" if self.signs else "x"  # noqa: RUF001 - the sign, not the letter
        self.lines: list[str] = []

    def text(self) -> str:
        """All lines so far, with one line end after each."""
        return "\n".join(self.lines) + "\n" if self.lines else ""

    def say(self, text: str) -> str:
        """A string from outside, made harmless for this stream."""
        return neutral(text, self.encoding)

    def paint(self, text: str, style: str) -> str:
        """The text in a colour or weight, where colour is wanted."""
        return f"\x1b[{_CODES[style]}m{text}\x1b[0m" if self.color and style and text else text

    def sign(self, style: tuple[str, str, str]) -> str:
        """A sign from one of the tables above, as this stream can carry it, in its colour."""
        return self.paint(style[0] if self.signs else style[1], style[2])

    def blank(self) -> None:
        """One empty line, never two."""
        if self.lines and self.lines[-1]:
            self.lines.append("")

    def title(self, text: str) -> None:
        """A heading, after an empty line."""
        self.blank()
        self.paragraph(text, style="bold")

    def paragraph(self, text: str, *, indent: int = 0, lead: str = "", style: str = "") -> None:
        """A wrapped text. `lead` opens the first line (short, and painted if need be); the others hang below it."""
        size = columns(_uncoloured(lead))
        for number, line in enumerate(wrap(self.say(text), self.width - indent - size)):
            opening = lead if number == 0 else " " * size
            self.lines.append((" " * indent + opening + self.paint(line, style)).rstrip())

    def heading(self, lead: str, parts: Sequence[str], *, style: str = "bold", indent: int = 0) -> None:
        """A block's head: its parts beside each other with wide gaps, or below each other where they do not fit."""
        kept = [said for part in parts if (said := self.say(part)).strip()]
        size = columns(_uncoloured(lead))
        used = indent + size
        line = " " * indent + lead
        for number, padded in enumerate(kept):
            part = padded.rstrip()
            gap = "   " if number else ""
            painted_style = style if number == 0 else ""
            if used + len(gap) + columns(part) <= self.width:
                line += gap + self.paint(part, painted_style) + padded[len(part) :]
                used += len(gap) + columns(padded)
                continue
            if number and line:
                self.lines.append(line.rstrip())
            hang = " " * (indent + size + 2)
            opening = line if number == 0 else hang
            for piece in wrap(part, self.width - len(hang)):
                self.lines.append(opening + self.paint(piece, painted_style))
                opening = hang
            line, used = "", self.width
        if line.strip():
            self.lines.append(line.rstrip())

    def head(self, style: tuple[str, str, str], *parts: str, origin: Origin | None = None) -> None:
        """The first line of a block: a sign, what it is about, and its place in the manifest, where it has one."""
        self.heading(self.sign(style) + " ", [*parts, origin.shown if origin else ""])

    def listing(
        self, names: Sequence[tuple[str, int]], *, indent: int, most: int, rest: str = "", style: str = ""
    ) -> None:
        """Names, each with how many things it stands for, on `most` lines; then how many more there are, and `rest`.

        A name that is longer than a line is broken after commas, and never left half.
        """
        room = self.width - indent - 1
        rows: list[list[tuple[str, int]]] = [[]]
        for text, number in names:
            name = self.say(text)
            if rows[-1] and columns(_in_a_row([*rows[-1], (name, number)])) > room:
                rows.append([])
            rows[-1].append((name, number))
        heights = accumulate(len(_broken_at_commas(_in_a_row(row), room)) for row in rows)
        shown = [row for row, height in zip(rows, heights, strict=True) if height <= most] or rows[:1]
        total = sum(number for _, number in names)
        while left_out := total - sum(number for row in shown for _, number in row):
            more = (f"{self.ellipsis} and {left_out:,} more{rest}", left_out)
            if columns(_in_a_row([*shown[-1], more])) <= room:
                shown[-1].append(more)
            elif len(shown[-1]) == 1:
                shown.append([more])
            else:
                shown[-1].pop()
        for row in shown:
            for line in _broken_at_commas(_in_a_row(row) + ("" if row is shown[-1] else ","), room + 1):
                self.paragraph(line, indent=indent, style=style)

    def inherited(self, fields: Sequence[FieldChange], *, indent: int) -> None:
        """Where fields stand that are not set in the block itself: `from manifests/templates.yaml:14: every`."""
        paths: dict[Origin, list[str]] = {}
        for field in fields:
            if field.origin is not None:
                paths.setdefault(field.origin, []).append(field.path)
        for origin, of in sorted(paths.items()):
            self.paragraph(self.say(", ".join(of)), indent=indent, lead=f"from {self.say(origin.shown)}: ", style="dim")

    def fields(self, fields: Sequence[FieldChange], *, indent: int, verbose: bool, sign: str | None = None) -> None:
        """Changed fields, names aligned: `cron: "…" → "…"`; with a `sign`, even an empty one, just the one value."""
        names = [self.say(field.path) + ":" for field in fields]
        widest = min(max(map(columns, names), default=0), self.width * 9 // 20)
        for field, name in zip(fields, names, strict=True):
            label = cut(name, widest, self.ellipsis)
            lead = f"{sign or ''}{label}{' ' * (widest - columns(label))} "
            if sign is not None:
                before, after = field_texts(field)
                self._value(lead, after if field.after is not None else before, indent=indent, verbose=verbose)
            elif field.shown[1] == SECRET_CHANGED:
                self._value(lead, SECRET_CHANGED, indent=indent, verbose=verbose)
            else:
                self._pair(lead, field, indent=indent, verbose=verbose)
        self.inherited(fields, indent=indent)

    def _value(self, lead: str, text: str, *, indent: int, verbose: bool) -> None:
        text = self.say(text)
        if verbose:
            self.paragraph(text, indent=indent, lead=lead)
            return
        room = self.width - indent - columns(_uncoloured(lead))
        self.lines.append(" " * indent + lead + shorten(text, room, self.ellipsis))

    def _pair(self, lead: str, field: FieldChange, *, indent: int, verbose: bool) -> None:
        before, after = map(self.say, field_texts(field))
        size = columns(lead)
        arrow = f" {self.arrow} "
        if indent + size + columns(before) + columns(arrow) + columns(after) <= self.width:
            self.lines.append(" " * indent + lead + before + self.paint(arrow, "dim") + after)
            return
        hang = " " * max(size - len(arrow) + 1, 0) + arrow[1:]
        if verbose:
            self.paragraph(before, indent=indent, lead=lead)
            self.paragraph(after, indent=indent, lead=hang)
            return
        room = self.width - indent - max(size, columns(hang))
        start = first_difference(before, after)
        for opening, text in ((lead, before), (hang, after)):
            self.lines.append(" " * indent + opening + shorten(text, room, self.ellipsis, start=start))


def _normal(encoding: str) -> str:
    """The codec to go by: UTF-8 for each that has all signs, ASCII where there is none of this name."""
    try:
        name = codecs.lookup(encoding).name
        "→…✓✗▸●○↑≠↻×".encode(name)  # noqa: RUF001
    except UnicodeEncodeError:
        return name
    except LookupError:
        return "ascii"
    return "utf-8"


def _in_a_row(names: Sequence[tuple[str, int]]) -> str:
    return ", ".join(name for name, _ in names)


def _broken_at_commas(text: str, width: int) -> list[str]:
    """Lines of at most `width` columns where commas allow that, as braces have them."""
    if columns(text) <= width:
        return [text]
    lines = [""]
    for part in re.findall(r"[^,]*,|[^,]+", text):
        if lines[-1] and columns(lines[-1] + part) > width:
            lines.append("")
        lines[-1] += part
    return [line.strip() for line in lines]


def _uncoloured(text: str) -> str:
    return text if "\x1b" not in text else _COLOUR.sub("", text)


_COLOUR = re.compile("\x1b\\[[0-9;]*m")
