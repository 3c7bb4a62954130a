"""A page that must not grow beyond so many bytes: what matters gets its room first, what is missing is told."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from reconciler.quantities import counted

_FOR_NOTES = 400


class Entry(Struct):
    """One item in two lengths. `short` names it, `full` shows it."""

    full: str
    short: str
    shown: str = ""


class Section(Struct):
    """A heading and its entries, of which there is at least one where it is shown at all."""

    opening: str
    entries: Sequence[Entry]
    closing: str = ""
    noun: str = "change"
    is_folded: bool = False

    def text(self) -> str:
        """The section as it fits, with a line that counts what did not."""
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
    present = [section for section in sections if section.entries]
    entries = [entry for section in present for entry in section.entries]
    for entry in entries:
        entry.shown = entry.full
    page = head + "".join(section.text() for section in present) + foot
    if size_of(page) <= max_bytes:
        return page
    room = max_bytes - size_of(head + foot) - _FOR_NOTES
    room -= sum(size_of(section.opening + section.closing) + 40 for section in present)
    for entry in entries:
        entry.shown = ""
    for is_folded in (False, True):
        served = [entry for section in present if section.is_folded is is_folded for entry in section.entries]
        for name in ("short", "full"):
            for entry in served:
                text = getattr(entry, name)
                cost = size_of(text) - size_of(entry.shown)
                if cost <= room:
                    entry.shown = text
                    room -= cost
    by_name = sum(entry.shown == entry.short != entry.full for entry in entries)
    missing = sum(not entry.shown for entry in entries)
    note = (
        f"\n> Shortened to {max_bytes} bytes: {by_name} shown by name only, {missing} left out. {hint}\n"
        if by_name or missing
        else ""
    )
    page = head + "".join(section.text() for section in present) + note + foot
    if size_of(page) <= max_bytes:
        return page
    return (head + note).encode(errors="backslashreplace")[: max(max_bytes, 0)].decode(errors="ignore")
