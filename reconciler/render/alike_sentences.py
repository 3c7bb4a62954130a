"""Sentences that say the same of many things: told once, with `…` for the names and times in which they differ."""

from __future__ import annotations

import re
from collections.abc import Sequence

from reconciler.render.characters import first_difference

_NAMES_OR_TIME = re.compile(
    r"/|[0-9a-f]{8}-[0-9a-f]{4}-|[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{1,2}:[0-9]{2}", re.ASCII | re.IGNORECASE
)
_UP_TO_A_NAME = re.compile(r".*[/=(\"'`\[{,]", re.DOTALL)
_CLOSING = re.compile(r"[\"'`\])},.:;]*$")
_FOR_WHOM = re.compile(r" \[[^\[\]]*\]$")
_LEFT_OUT = "…"


def skeleton(sentence: str) -> tuple[str, ...]:
    """The sentence's words without paths, addresses, ids and times: equal for sentences that differ in those alone.

    Other numbers stay: an answer of 401 is not one of 503.
    """
    return tuple(_LEFT_OUT if _NAMES_OR_TIME.search(word) else word for word in sentence.split())


def shared_sentence(sentences: Sequence[str]) -> str:
    """What sentences of one skeleton all say: `GET /api/agent?agentPath=Shops/… answered 401`."""
    if len(set(sentences)) == 1:
        return sentences[0]
    return " ".join(map(_shared_word, zip(*(sentence.split() for sentence in sentences), strict=True)))


def _shared_word(words: tuple[str, ...]) -> str:
    if len(set(words)) == 1:
        return words[0]
    first, last = min(words), max(words)
    begins = _UP_TO_A_NAME.match(first[: first_difference(first, last)])
    ends = {found[0] for word in words if (found := _CLOSING.search(word))}
    return (begins[0] if begins else "") + _LEFT_OUT + (ends.pop() if len(ends) == 1 else "")


def much_alike(one: str, other: str) -> bool:
    """Whether two sentences begin and end with the same words, and differ in less than half of them in between.

    For whom something is written, in brackets at the end, makes no difference.
    """
    these, those = (skeleton(_FOR_WHOM.sub("", sentence)) for sentence in (one, other))
    longest = max(len(these), len(those))
    begins = _shared_length(these, those)
    return 2 * (begins + _shared_length(these[begins:][::-1], those[begins:][::-1])) > longest


def _shared_length(these: Sequence[str], those: Sequence[str]) -> int:
    pairs = enumerate(zip(these, those, strict=False))
    return next((at for at, (one, other) in pairs if one != other), min(len(these), len(those)))
