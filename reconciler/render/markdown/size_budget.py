"""A page that must not grow beyond so many bytes: room goes by importance, and what is left out is counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count

from msgspec import Struct


class Piece(Struct, frozen=True):
    """What stands whole or not at all. The lower its `rank`, the earlier it gets room; within one, in reading order.

    Where it is left out, `number` things are counted as missing under `noun`; without a noun, none.
    """

    text: str
    rank: int
    noun: str = ""
    number: int = 1


class Section(Struct, frozen=True):
    """Pieces and sections in reading order. Its opening and closing stand where any piece of it does.

    `rest` writes how many of the things that its own pieces stand for are missing, before the closing.
    """

    parts: Sequence[Piece | Section]
    opening: str = ""
    closing: str = ""
    rest: Callable[[int], str] | None = None


_Placed = tuple[Piece, tuple[Section, ...]]
"""A piece with the sections that it stands in, the outermost first."""


def size_of(text: str) -> int:
    """Its bytes as they are written, where what UTF-8 does not have becomes an escape."""
    return len(text.encode(errors="backslashreplace"))


def fit(page: Section, foot: str, max_bytes: int, told: Callable[[Mapping[str, int]], str]) -> str:
    """The page in at most `max_bytes`: of its pieces, by importance, as many as there is room for.

    None stands while one that is more important is missing. `told` writes how many of each noun are missing; it must
    not grow when a number falls. Where there is no room for that beside all pieces of the lowest rank, only of those
    stand as many as fit.
    """
    placed = list(_placed(page, ()))
    everything = _written(page, set(range(len(placed))), count()) + foot
    if size_of(everything) <= max_bytes:
        return everything
    lowest = min((piece.rank for piece, _ in placed), default=0)
    foremost = {index for index, (piece, _) in enumerate(placed) if piece.rank == lowest}
    room = max_bytes - size_of(foot + told(_missing(placed, set())))
    standing = _granted(placed, room)
    if room >= 0 and foremost <= standing:
        return _written(page, standing, count()) + told(_missing(placed, standing)) + foot
    return _written(page, _granted(placed, max_bytes) & foremost, count())


def _placed(section: Section, around: tuple[Section, ...]) -> Iterator[_Placed]:
    path = (*around, section)
    for part in section.parts:
        if isinstance(part, Section):
            yield from _placed(part, path)
        else:
            yield part, path


def _granted(placed: Sequence[_Placed], room: int) -> set[int]:
    """The pieces that stand in so many bytes, by their place in reading order."""
    standing: set[int] = set()
    opened: set[int] = set()
    for index in sorted(range(len(placed)), key=lambda index: placed[index][0].rank):
        piece, path = placed[index]
        room -= size_of(piece.text) + sum(_frame(section) for section in path if id(section) not in opened)
        if room < 0:
            break
        standing.add(index)
        opened.update(map(id, path))
    return standing


def _frame(section: Section) -> int:
    """What a section takes beside its parts, at most."""
    numbers = sum(part.number for part in section.parts if isinstance(part, Piece) and part.noun)
    rest = section.rest(numbers) if section.rest is not None else ""
    return size_of(section.opening + rest + section.closing)


def _missing(placed: Sequence[_Placed], standing: set[int]) -> Mapping[str, int]:
    numbers = Counter[str]()
    for index, (piece, _) in enumerate(placed):
        if piece.noun and index not in standing:
            numbers[piece.noun] += piece.number
    return numbers


def _written(section: Section, standing: set[int], places: Iterator[int]) -> str:
    """The section with the pieces that stand; "" where none does."""
    texts: list[str] = []
    left_out = 0
    is_standing = False
    for part in section.parts:
        if isinstance(part, Section):
            texts.append(_written(part, standing, places))
            is_standing = is_standing or bool(texts[-1])
        elif next(places) in standing:
            texts.append(part.text)
            is_standing = True
        elif part.noun:
            left_out += part.number
    if not is_standing:
        return ""
    rest = section.rest(left_out) if section.rest is not None and left_out else ""
    return f"{section.opening}{''.join(texts)}{rest}{section.closing}"
