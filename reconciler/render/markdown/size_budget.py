"""A page that must not grow beyond so many bytes: what matters gets its room first, what is missing is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from reconciler.quantities import counted

_FOR_NOTES = 400


@dataclass(slots=True)
class Entry:
    """One item in two lengths. `short` names it, `full` shows it."""

    full: str
    short: str
    shown: str = ""


@dataclass(slots=True)
class Section:
    """A heading and its entries. `opening` and `closing` stand around the entries, if there are any."""

    opening: str
    entries: Sequence[Entry]
    closing: str = ""
    noun: str = "change"
    is_folded: bool = False
    size: int = field(init=False)

    def __post_init__(self) -> None:
        self.size = size_of(self.opening) + size_of(self.closing)

    def text(self) -> str:
        """The section as it fits, with a line that counts what did not."""
        if not self.entries:
            return ""
        left_out = sum(not entry.shown for entry in self.entries)
        told = f"\n_{counted(left_out, self.noun)} more left out._\n" if left_out else ""
        return self.opening + "".join(entry.shown for entry in self.entries) + told + self.closing


def size_of(text: str) -> int:
    """Its bytes as they are written, where what UTF-8 does not have becomes an escape."""
    return len(text.encode(errors="backslashreplace"))


def fit(head: str, sections: Sequence[Section], foot: str, max_bytes: int, hint: str) -> str:
    """The page in at most `max_bytes` of UTF-8. What is folded is served last; names go before details.

    `hint` says where the whole is to be had; it stands where something was shortened.
    """
    page = _assemble(head, [(section, True) for section in sections], foot)
    if size_of(page) <= max_bytes:
        return page
    present = [section for section in sections if section.entries]
    room = max_bytes - size_of(head + foot) - _FOR_NOTES
    room -= sum(section.size + 40 for section in present)
    for section in present:
        for entry in section.entries:
            entry.shown = ""
    for is_folded in (False, True):
        served = [section for section in present if section.is_folded is is_folded]
        for name in ("short", "full"):
            for section in served:
                room = _serve(section, name, room)
    by_name = sum(entry.shown == entry.short != entry.full for section in present for entry in section.entries)
    missing = sum(not entry.shown for section in present for entry in section.entries)
    note = (
        f"\n> Shortened to {max_bytes} bytes: {by_name} shown by name only, {missing} left out. {hint}\n"
        if by_name or missing
        else ""
    )
    page = _assemble(head, [(section, False) for section in present], note + foot)
    return page if size_of(page) <= max_bytes else _cut_bytes(head + note, max_bytes)


def _serve(section: Section, name: str, room: int) -> int:
    for entry in section.entries:
        text = getattr(entry, name)
        cost = size_of(text) - size_of(entry.shown)
        if cost <= room:
            entry.shown = text
            room -= cost
    return room


def _assemble(head: str, sections: Sequence[tuple[Section, bool]], foot: str) -> str:
    for section, in_full in sections:
        if in_full:
            for entry in section.entries:
                entry.shown = entry.full
    return head + "".join(section.text() for section, _ in sections) + foot


def _cut_bytes(text: str, max_bytes: int) -> str:
    return text.encode(errors="backslashreplace")[: max(max_bytes, 0)].decode(errors="ignore")
