"""What somebody may have meant who misspelt a name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from fnmatch import translate
from itertools import chain, islice

_MOST_NAMES = 2000
_LONGEST = 100
_MOST_ASKED = 100
_MOST_COMPARED = 2_000_000
_MOST_MEANT = 2
_WILD = frozenset("*?[")


class Suggestions:
    """Suggests from one set of names. Looking for them is slow and nobody reads the hundredth, so then it stops."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = names
        self._asked = 0

    def nearest(self, word: str, cutoff: float = 0.6) -> str:
        """The name that is most like a word, "" when none is."""
        self._asked += 1
        if self._asked > _MOST_ASKED:
            return ""
        names = [name for name in islice(self._names, _MOST_NAMES) if len(name) <= _LONGEST]
        return next(iter(get_close_matches(word[:_LONGEST], names, 1, cutoff)), "")


class PatternSuggestions:
    """Suggests what was meant by a shell pattern over addresses, such as `schedule/prices/nightly`, that matches none.

    `aliases` are other words for a part of an address, in lower case: the path of an agent for its handle.
    """

    def __init__(self, addresses: Iterable[str], aliases: Mapping[str, str] | None = None) -> None:
        self._addresses, self._aliases = tuple(addresses), aliases or {}
        self._nearest = Suggestions(self._addresses)
        self._asked = self._compared = 0

    def hint(self, pattern: str) -> str:
        """`did you mean '*/stock-13/*' (3 addresses)?`, or "" where nothing comes near."""
        self._asked += 1
        if self._asked > _MOST_ASKED:
            return ""
        is_worth_it = self._compared < _MOST_COMPARED and len(pattern) <= _LONGEST
        meant = self._meant(pattern) if is_worth_it else ""
        near = meant or repr(self._nearest.nearest(pattern))
        return f"did you mean {near}?" if near != "''" else ""

    def _meant(self, pattern: str) -> str:
        written = pattern.strip().replace("\\", "/").strip("/")
        written = self._aliases.get(written.lower(), written)
        lowered = written.lower()
        for word in dict.fromkeys((written, lowered, self._corrected(lowered), self._corrected(lowered, first=1))):
            found = {one: self._matched(one) for one in _spellings(word)}
            meant = [one for one, matches in found.items() if matches][:_MOST_MEANT]
            if meant:
                return " or ".join(_shown(one, found[one]) for one in meant)
        return ""

    def _matched(self, pattern: str) -> list[str]:
        self._compared += len(self._addresses)
        matches = re.compile(translate(pattern)).match
        return [one for one in self._addresses if matches(one)]

    def _corrected(self, pattern: str, *, first: int = 0) -> str:
        """The pattern with each of its words replaced by the one that is most like it in the addresses.

        `first` is the part of an address that the pattern begins with.
        """
        words = [one.split("/") for one in self._addresses]
        parts = pattern.split("/")
        for index, part in enumerate(parts):
            if not _WILD & set(part):
                place = index + first
                beside = [one[place] for one in words if place < len(one)] if len(parts) > 1 else chain(*words)
                parts[index] = Suggestions(dict.fromkeys(beside)).nearest(part, 0.7) or part
        return "/".join(parts)


def _spellings(word: str) -> Iterator[str]:
    """The patterns that somebody may mean who writes this: a whole one, or the name of an agent or a schedule alone."""
    yield word
    if word:
        yield from (f"*/{word}/*", f"*/{word}", f"{word}/*")


def _shown(pattern: str, found: list[str]) -> str:
    if pattern in found:
        return repr(pattern)
    return f"{pattern!r} ({found[0] if len(found) == 1 else f'{len(found):,} addresses'})"
