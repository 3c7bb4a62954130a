"""A page of cards, each of one resource or of several that are alike, in lists that are searched and filtered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from msgspec import Struct

from reconciler.render import Stamp
from reconciler.render.characters import neutral
from reconciler.render.html.card_groups import CardGroup
from reconciler.render.html.cards import Card
from reconciler.render.html.links import Links
from reconciler.render.html.scaffold import page

_TEMPLATE = Path(__file__).with_name("cards.html")
_OPEN_UP_TO = 40


class Section(Struct, frozen=True):
    """Cards under a heading, each of one resource or of several. A long list starts folded."""

    title: str
    note: str
    cards: Sequence[Card | CardGroup]
    starts_open: bool = True

    @property
    def is_open(self) -> bool:
        return self.starts_open and len(self.cards) <= _OPEN_UP_TO

    @property
    def size(self) -> int:
        """How many resources it tells of."""
        return len(self.addresses)

    @property
    def addresses(self) -> list[str]:
        """What it tells of, "" for what is no resource."""
        found: list[str] = []
        for card in self.cards:
            if isinstance(card, Card):
                found.append(neutral(card.address))
            else:
                found += (neutral(one.address) if one.is_resource else "" for one in card.members)
        return found


def cards_page(
    title: str,
    stamp: Stamp,
    *,
    lead: str,
    counts: Iterable[tuple[str, str, int]],
    sections: Iterable[Section],
    noun: str,
    links: Links,
    quiet: Sequence[tuple[str, int]] = (),
) -> str:
    """The page: a sentence, a button for each of the `counts` (word, sign, number), `quiet` counts, and the lists."""
    shown = [section for section in sections if section.cards]
    addresses = {address for section in shown for address in section.addresses if address}
    without_element = set(addresses)

    def anchor(address: str) -> str:
        """The id of an element about a resource: its address, on the first one that is about it."""
        shown = neutral(address)
        if shown not in without_element:
            return ""
        without_element.remove(shown)
        return shown

    return page(
        _TEMPLATE,
        stamp,
        title=title,
        lead=lead,
        links=links.showing(addresses),
        counts=[count for count in counts if count[2]],
        quiet=quiet,
        sections=shown,
        anchor=anchor,
        noun=noun,
    )
