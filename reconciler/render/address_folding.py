"""Many addresses, written shortly and without loss, as a shell writes names: `schedule/shop-{001..300}/nightly`."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from reconciler.model.address import Address

_FOLDABLE = re.compile(r"[A-Za-z0-9._-]+", re.ASCII)
_HEAD = re.compile(r"(.*[^0-9])([0-9]+)|(.*[._-])([^._-]+)", re.ASCII)
_SIGNS = "._-"
_NUMBER = re.compile(r"0|[1-9][0-9]{0,8}|0[0-9]{1,8}", re.ASCII)
_SHORTEST_RANGE = 3


class FoldedAddresses(NamedTuple):
    """Addresses in one word that a shell expands to exactly them, and how many they are."""

    text: str
    number: int


class _Names(NamedTuple):
    """A piece of an address: all names that its text stands for."""

    text: str
    number: int


def folded_addresses(addresses: Iterable[Address], width: int = 100) -> list[FoldedAddresses]:
    """The addresses, each once, folded into words of at most `width` characters where names allow that.

    Agents with the same schedules share a word: `schedule/prices-{au,nz}/{nightly,poll}`. A name with a character that
    a shell would read otherwise stands by itself, as it is.
    """
    whole: list[str] = []
    by_agent: dict[tuple[str, str], set[str]] = defaultdict(set)
    for address in set(addresses):
        kind, slash, name = str(address).partition("/")
        agent, more, leaf = name.partition("/")
        if not slash or not _FOLDABLE.fullmatch(agent) or (more and not _FOLDABLE.fullmatch(leaf)):
            whole.append(str(address))
        else:
            by_agent[kind, agent].add(leaf if more else "")
    alike: dict[tuple[str, tuple[str, ...]], list[str]] = defaultdict(list)
    for (kind, agent), found in by_agent.items():
        alike[kind, tuple(sorted(found, key=_in_order))].append(agent)
    folded = [(text, [FoldedAddresses(text, 1)]) for text in whole]
    for (kind, leaves), agents in alike.items():
        agents.sort(key=_in_order)
        folded.append((f"{kind}/{agents[0]}/{leaves[0]}", list(_words(kind, agents, leaves, width))))
    return [word for _, words in sorted(folded, key=lambda one: _in_order(one[0])) for word in words]


def _words(kind: str, agents: Sequence[str], leaves: Sequence[str], width: int) -> Iterator[FoldedAddresses]:
    """All leaves of all agents, which have the same ones; an agent whose leaves need several words has them alone."""
    if leaves == ("",):
        for names in _chunks(agents, width - len(kind) - 1):
            yield FoldedAddresses(f"{kind}/{names.text}", names.number)
        return
    ends = list(_chunks(leaves, max(width // 2, width - len(kind) - 2 - min(map(len, agents)))))
    for end in ends:
        for names in _chunks(agents, max(width - len(kind) - len(end.text) - 2, 1)):
            yield FoldedAddresses(f"{kind}/{names.text}/{end.text}", names.number * end.number)


def _chunks(names: Sequence[str], width: int) -> Iterator[_Names]:
    """The names in as few pieces of at most `width` characters as come by themselves."""
    return _packed(_joined(names, width), width)


def _packed(pieces: Sequence[_Names], width: int) -> Iterator[_Names]:
    """Neighbours together in braces, as many as `width` characters take; one is always a piece."""
    start = 0
    while start < len(pieces):
        end = start + 1
        size = len(pieces[start].text) + 2
        while end < len(pieces) and size + len(pieces[end].text) + 1 <= width and _may_nest(pieces[end - 1 : end + 1]):
            size += len(pieces[end].text) + 1
            end += 1
        yield _in_braces(pieces[start:end])
        start = end


def _may_nest(pieces: Sequence[_Names]) -> bool:
    """Whether a person can still read them inside braces: none has more than one pair of its own."""
    return all(piece.text.count("{") <= 1 for piece in pieces)


def _joined(names: Sequence[str], width: int) -> list[_Names]:
    """Names in an order of their own, those with a common beginning in one piece: `prices-{au,nz}`, `shop-{01..20}`.

    Beginnings with the same ends are joined, too, in at most `width` characters: `{prices,stock}-{au,nz}`.
    """
    tails: dict[str, list[str]] = defaultdict(list)
    for name in names:
        split = _HEAD.fullmatch(name)
        head, tail = ("", name) if split is None else (split[1] or split[3], split[2] or split[4])
        tails[head].append(tail)
    heads: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for head, alike in tails.items():
        heads[tuple(alike)].append(head)
    pieces: list[_Names] = []
    for ends, beginnings in heads.items():
        if beginnings == [""]:
            pieces.extend(_ranges(ends))
            continue
        for end in _packed(_ranges(ends), width - min(map(len, beginnings))):
            pieces.extend(_with_heads(beginnings, end, width))
    return pieces


def _with_heads(beginnings: Sequence[str], end: _Names, width: int) -> Iterator[_Names]:
    """Beginnings that share their ends, themselves joined; each keeps the sign that it ends with."""
    by_sign: dict[str, list[str]] = defaultdict(list)
    for head in beginnings:
        sign = head[-1:] if head[-1:] in _SIGNS else ""
        by_sign[sign].append(head.removesuffix(sign))
    for sign, heads in by_sign.items():
        is_bare = "" in heads
        for piece in [_Names(head, 1) for head in heads] if is_bare else _chunks(heads, width - len(end.text) - 1):
            yield _Names(piece.text + sign + end.text, piece.number * end.number)


def _ranges(ends: Sequence[str]) -> list[_Names]:
    """Names, with numbers of one width that follow each other as `001..300`, which only braces can hold."""
    pieces: list[_Names] = []
    start = 0
    while start < len(ends):
        end = start + 1
        while end < len(ends) and _follows(ends[end - 1], ends[end]):
            end += 1
        if end - start >= _SHORTEST_RANGE:
            pieces.append(_Names(f"{{{ends[start]}..{ends[end - 1]}}}", end - start))
        else:
            pieces.extend(_Names(name, 1) for name in ends[start:end])
        start = end
    return pieces


def _follows(one: str, other: str) -> bool:
    """Whether a shell that counts on from `one` writes `other` next: padded numbers stay as wide as they are."""
    if not (_NUMBER.fullmatch(one) and _NUMBER.fullmatch(other)) or int(other) != int(one) + 1:
        return False
    is_padded = any(number[0] == "0" and len(number) > 1 for number in (one, other))
    return len(one) == len(other) or not is_padded


def _in_braces(pieces: Sequence[_Names]) -> _Names:
    if len(pieces) == 1:
        return pieces[0]
    return _Names("{" + ",".join(piece.text for piece in pieces) + "}", sum(piece.number for piece in pieces))


def _in_order(name: str) -> tuple[tuple[bool, int, str], ...]:
    """Numbers in a name count as numbers, so that `shop-2` comes before `shop-10`."""
    return tuple((part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in _PARTS(name))


_PARTS: Callable[[str], list[str]] = re.compile(r"[0-9]+|[^0-9]+", re.ASCII).findall
