"""Takes secrets out of messages: every value known to be secret, and whatever looks like a credential.

A product may show a value back in any notation, and in one within another: a text is read as each of them would be
read, level by level, and wherever a value comes to light, what wrote it is masked.
"""

from __future__ import annotations

import base64
import html
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator

from msgspec import Struct

from reconciler.model.state import SECRET

_SHORTEST = 4
_LONG_LINE = 12
_LEVELS = 4
_MANY = 200
_PEM = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)
_JWT = re.compile(r"\beyJ[A-Za-z0-9_-]{5,4000}+\.[A-Za-z0-9_-]++(?:\.[A-Za-z0-9_-]*+)?")
# A word after "bearer" is a credential only if it looks like one, so that "bearer authentication" stays readable.
_BEARER = re.compile(r"(?i)\b(bearer)(\s{1,20}|%20|\+)(?=[^\s\"']{0,2000}\d|[^\s\"']{24})[A-Za-z0-9._~+/=-]{8,}+")
_NOTATIONS = (
    # JSON, JavaScript, C#, Python: the first alternative is a character in two halves.
    re.compile(
        r"\\u[dD][89abAB][0-9A-Fa-f]{2}\\u[dD][c-fC-F][0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|\\u\{[0-9A-Fa-f]{1,6}\}"
        r"|\\U[0-9A-Fa-f]{8}|\\x[0-9A-Fa-f]{2}|\\.",
        re.DOTALL,
    ),
    # URLs: the bytes of one character of UTF-8; a byte that is none; what JavaScript's `escape` makes.
    re.compile(
        r"%[0-7][0-9A-Fa-f]|%[c-dC-D][0-9A-Fa-f]%[89abAB][0-9A-Fa-f]|%[eE][0-9A-Fa-f](?:%[89abAB][0-9A-Fa-f]){2}"
        r"|%[fF][0-4](?:%[89abAB][0-9A-Fa-f]){3}|%[89a-fA-F][0-9A-Fa-f]"
        r"|%u[dD][89abAB][0-9A-Fa-f]{2}%u[dD][c-fC-F][0-9A-Fa-f]{2}|%u[0-9A-Fa-f]{4}"
    ),
    # HTML and XML.
    re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});"),
)
_LETTERS = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "v": "\v", "0": "\0", "a": "\a", "e": "\x1b"}
_BLANKS = re.compile(r"\s++")
_GAP = re.compile(r"[\s+]+")
_BETWEEN_LINES = r"(?:<br ?/?>|[\W_]){0,40}?"


class Redactor:
    """Replaces each of `values` by `(secret)`, in the notations in which a server, a URL or a log may show it again.

    Values shorter than four characters are left alone: they would mask half of every sentence.
    """

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._values = tuple(sorted(set(values)))
        self._needles: tuple[_Needle, ...] | None = None

    def __call__(self, text: str) -> str:
        text = _PEM.sub(SECRET, text)
        if self._values:
            text = self._without_values(text)
        text = _BEARER.sub(rf"\1\2{SECRET}", text)
        return _JWT.sub(SECRET, text)

    def _without_values(self, text: str) -> str:
        spans: list[tuple[int, int]] = []
        readings, seen = [_Reading(text)], {text}
        for _ in range(_LEVELS):
            deeper: list[_Reading] = []
            for reading in readings:
                spans += self._found(reading)
                if len(reading.text.splitlines()) > 1 and (joined := reading.read(_BLANKS)) is not None:
                    spans += self._found(joined)
                deeper += filter(None, map(reading.read, _NOTATIONS))
            readings = list({one.text: one for one in deeper if one.text not in seen}.values())
            seen |= {one.text for one in readings}
        return _masked(text, spans)

    def _found(self, reading: _Reading) -> Iterator[tuple[int, int]]:
        """Where values stand in what was read, as spans of the text that it was read from."""
        if self._needles is None:
            self._needles = _needles(self._values)
        text, needles = reading.text, self._needles
        if len(needles) > _MANY:
            parts = {text[at : at + _SHORTEST] for at in range(len(text))}
            needles = tuple(one for one in needles if one.probe[:_SHORTEST] in parts or len(one.probe) < _SHORTEST)
        for one in needles:
            if one.probe in text:
                for match in re.finditer(one.pattern, text):
                    yield reading.span(*match.span())


class _Needle(Struct, frozen=True):
    """A pattern that finds a value, and a part of it that is always there as it is."""

    probe: str
    pattern: str


class _Reading:
    """A text in which some tokens were replaced by what they mean, and how to find the way back."""

    def __init__(
        self, text: str, before: _Reading | None = None, steps: list[tuple[int, int, int]] | None = None
    ) -> None:
        self.text = text
        self._before = before
        self._steps = steps or []
        self._starts = [start for start, _, _ in self._steps]

    def read(self, token: re.Pattern[str]) -> _Reading | None:
        """The same, with each of these tokens read; None where there is none."""
        parts: list[str] = []
        # Where a piece begins; where it came from; its length there, 0: as it is.
        steps: list[tuple[int, int, int]] = []
        size = position = 0
        for match in token.finditer(self.text):
            plain, meant = self.text[position : match.start()], _meaning(match[0])
            for piece, source, length in ((plain, position, 0), (meant, match.start(), match.end() - match.start())):
                if piece:
                    parts.append(piece)
                    steps.append((size, source, length))
                    size += len(piece)
            position = match.end()
        if not position:
            return None
        parts.append(self.text[position:])
        steps.append((size, position, 0))
        return _Reading("".join(parts), self, steps)

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The span of the first text that this one was read from."""
        if self._before is None:
            return start, end
        first, _ = self._source(start)
        _, last = self._source(end - 1)
        return self._before.span(first, last)

    def _source(self, at: int) -> tuple[int, int]:
        begin, source, length = self._steps[bisect_right(self._starts, at) - 1]
        return (source, source + length) if length else (source + at - begin, source + at - begin + 1)


def _meaning(token: str) -> str:
    """What an escape stands for; nothing for a line break, which may stand between two halves of a word."""
    kind, rest = token[0], token[1:]
    if kind == "&":
        code = re.fullmatch(r"#(?:[xX]([0-9A-Fa-f]+)|([0-9]+));", rest)
        return html.unescape(token) if code is None else _char(int(code[1], 16) if code[1] else int(code[2]))
    if kind == "%" and rest[0] != "u":
        raw = bytes.fromhex(token.replace("%", ""))
        return raw.decode("utf-8", errors="ignore") or raw.decode("latin-1")
    if kind not in "\\%":
        return token if token.splitlines() == [token] else ""
    if len(rest) == 1:
        return _LETTERS.get(rest, rest)
    if len(token) == 12:
        return (chr(int(token[2:6], 16)) + chr(int(token[8:], 16))).encode("utf-16", "surrogatepass").decode("utf-16")
    return _char(int(rest[1:].strip("{}"), 16))


def _char(code: int) -> str:
    return chr(code) if code <= 0x10FFFF else ""


def _needles(values: Iterable[str]) -> tuple[_Needle, ...]:
    found: dict[str, _Needle] = {}
    for value in values:
        for needle in (*_of_value(value), *_of_base64(value)):
            found.setdefault(needle.pattern, needle)
    return tuple(found.values())


def _of_value(value: str) -> Iterator[_Needle]:
    lines = [line.strip() for line in value.splitlines() if line.strip()]
    if len(value.strip()) < _SHORTEST or not lines:
        return
    yield _Needle(_probe(max(lines, key=len)), _BETWEEN_LINES.join(map(_flexible, lines)))
    if len(lines) > 1:
        for line in lines:
            if len(line) >= _LONG_LINE and not line.startswith("-----"):
                yield _Needle(_probe(line), _flexible(line))


def _flexible(line: str) -> str:
    """A line's pattern: white space of any length (a URL writes `+`), quotes doubled or not."""
    words = (re.sub(r"""(["'])\1*""", r"\1+", re.escape(word)) for word in _GAP.split(line))
    return r"[\s+]++".join(words)


def _probe(line: str) -> str:
    """The longest part of a line that its pattern takes literally."""
    return max(re.split(r"""[\s+"']+""", line), key=len)


def _of_base64(value: str) -> Iterator[_Needle]:
    """The part of base64 that belongs to a value alone, wherever in a longer text it begins."""
    texts = {value, value.strip()}
    for raw in {text.encode(coding, errors="replace") for text in texts for coding in ("utf-8", "utf-16-le")}:
        for before in range(3 if len(raw) >= _SHORTEST else 0):
            first, last = -(-before * 8 // 6), (before + len(raw)) * 8 // 6
            core = base64.b64encode(bytes(before) + raw).decode()[first:last]
            if len(core) < _SHORTEST:
                continue
            pattern = re.escape(core).replace(r"\+", "[+-]").replace("/", "[/_]")
            head = r"[\w+/-]?" if first else ""
            tail = r"[\w+/-]?={0,2}" if (before + len(raw)) % 3 else ""
            yield _Needle(max(re.split(r"[+/]", core), key=len), head + pattern + tail)


def _masked(text: str, spans: list[tuple[int, int]]) -> str:
    """The text with each span masked, those that overlap as one."""
    parts: list[str] = []
    position = 0
    for start, end in sorted(spans):
        if start >= position:
            parts += (text[position:start], SECRET)
        position = max(position, end)
    return "".join((*parts, text[position:]))
