"""How everything does, as a page: what needs attention first and each cause once, then every resource in one table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct

from reconciler.causes import Why
from reconciler.model.address import Address
from reconciler.model.condition import DriftStatus, Health, ResourceStatus
from reconciler.model.plan import Finding, Unchanged
from reconciler.quantities import counted
from reconciler.render import Stamp, plan_summary
from reconciler.render.frequency import minute_text
from reconciler.render.html.links import ALONE, Links
from reconciler.render.html.run_facts import as_sentence, names_text
from reconciler.render.html.scaffold import page
from reconciler.render.moments import relative_text
from reconciler.render.reasons import words
from reconciler.render.review import warning_groups
from reconciler.render.signs import DRIFT_STYLE, HEALTH_STYLE
from reconciler.render.status_review import AttentionGroup, attention_groups, disagrees

_TEMPLATE = Path(__file__).with_name("status.html")


_SIGNS = {one.value: style[0] for one, style in (*HEALTH_STYLE.items(), *DRIFT_STYLE.items())}


class Moment(NamedTuple):
    """A moment, RFC 3339, for reading, and as seen from when the page was made."""

    at: str
    text: str
    relative: str


class StatusRow(NamedTuple):
    """A row of the table. `predicted` is our own next run, empty where the product names the same one.

    `told_above` are notes for the search alone: what needs attention says them once for all that share them.
    """

    address: Address
    words: str
    rank: int
    health: str
    sync: str
    notes: tuple[str, ...]
    told_above: tuple[str, ...]
    last: Moment
    next: Moment
    predicted: Moment


class Attention(Struct, frozen=True):
    """Resources that need attention for one cause."""

    word: str
    sign: str
    headline: str
    told: tuple[str, ...]
    step: str
    names: str
    addresses: Sequence[Address]

    @property
    def size(self) -> int:
        return len(self.addresses)


def status(
    rows: Sequence[ResourceStatus],
    stamp: Stamp,
    links: Links = ALONE,
    *,
    attested: Iterable[Unchanged] = (),
    warnings: Iterable[Finding] = (),
    is_incomplete: bool = False,
    is_filtered: bool = False,
) -> str:
    """The whole page. `attested` and `warnings` are about no single row; `is_incomplete`: not all could be read."""
    by_health = Counter(row.health for row in rows)
    by_sync = Counter(row.sync for row in rows)
    on_page = links.showing(row.address for row in rows)
    groups = attention_groups(rows)
    told = {address: group.shared for group in groups for address in group.addresses}
    return page(
        _TEMPLATE,
        stamp,
        title="Status",
        lead=_lead(rows, is_incomplete=is_incomplete),
        links=on_page,
        healths=[(one.value, HEALTH_STYLE[one][0], by_health[one]) for one in Health if by_health[one]],
        syncs=[(one.value, DRIFT_STYLE[one][0], by_sync[one]) for one in DriftStatus if by_sync[one]],
        attention=[_attention(one) for one in groups],
        warnings=warning_groups(warnings),
        rows=[_row(row, stamp.created_at, told.get(row.address, frozenset())) for row in rows],
        is_filtered=is_filtered,
        attested=plan_summary.attested(tuple(attested)),
    )


def _lead(rows: Sequence[ResourceStatus], *, is_incomplete: bool) -> str:
    bad = sum(row.needs_attention for row in rows)
    total = counted(len(rows), "resource")
    if not rows:
        said = ""
    elif bad:
        said = f"{bad:,} of {total} {'needs' if bad == 1 else 'need'} attention."
    else:
        said = f"{total}, and none needs attention." if len(rows) > 1 else "It needs no attention."
    unread = (
        "Something could not be read, so it may be worse than it looks: `reconciler doctor` says what."
        if is_incomplete
        else ""
    )
    return " ".join(filter(None, (said, unread)))


def _attention(group: AttentionGroup) -> Attention:
    return Attention(
        group.word,
        _SIGNS.get(group.word, "!"),
        group.headline(),
        tuple(map(as_sentence, group.told)),
        group.step,
        names_text(group.addresses),
        group.addresses,
    )


def _row(row: ResourceStatus, now: str, told: frozenset[Why]) -> StatusRow:
    """`told` are the notes that stand above, once for all that share them."""
    differs = disagrees(row) or not row.next_run
    return StatusRow(
        row.address,
        f"{row.health.value.replace(' ', '-')} {row.sync.value}",
        _RANKS[row.health],
        row.health.value,
        row.sync.value,
        tuple(words(note) for note in row.notes if note not in told),
        tuple(words(note) for note in row.notes if note in told),
        _moment(row.last_run, now),
        _moment(row.next_run, now),
        _moment(row.predicted if differs else "", now),
    )


_RANKS = {health: rank for rank, health in enumerate(Health, 1)}


def _moment(at: str, now: str) -> Moment:
    return Moment(at, minute_text(at), relative_text(at, now))
