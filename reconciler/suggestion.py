"""What somebody may have meant who misspelt a name."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from itertools import islice

_MOST_NAMES = 2000
_LONGEST = 100
_MOST_ASKED = 100


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
