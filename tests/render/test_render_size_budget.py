"""Room goes by importance: never over the budget, nothing before what matters more, what is missing is counted."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from render_estates import estate_drift, estate_plan
from render_samples import STAMP

from reconciler.causes import Cause, because
from reconciler.model.address import Address
from reconciler.model.condition import DriftStatus
from reconciler.model.copies import replace
from reconciler.model.plan import Finding, Plan
from reconciler.render import markdown
from reconciler.render.address_folding import folded_addresses
from reconciler.render.drift_review import drift_outline
from reconciler.render.markdown.size_budget import Piece, Section, fit, size_of
from reconciler.render.review import outline

NOUNS = ("", "a", "b")
SIGNS = {rank: chr(0x410 + rank) for rank in range(5)}  # two bytes each: bytes are counted, not characters

pieces = st.builds(
    lambda rank, length, noun, number: Piece(SIGNS[rank] * length, rank, noun, number),
    st.integers(0, 4),
    st.integers(1, 6),
    st.sampled_from(NOUNS),
    st.integers(1, 30),
)
sections = st.recursive(
    st.builds(lambda parts: Section(parts, "[", "]"), st.lists(pieces, max_size=4)),
    lambda inner: st.builds(
        lambda parts: Section(parts, "<", ">", lambda number: f"+{number}"), st.lists(inner | pieces, max_size=4)
    ),
    max_leaves=8,
)


def told(numbers: Mapping[str, int]) -> str:
    return "|" + ",".join(f"{noun}={number}" for noun, number in sorted(numbers.items())) + "|"


def all_pieces(section: Section) -> list[Piece]:
    found: list[Piece] = []
    for part in section.parts:
        found += all_pieces(part) if isinstance(part, Section) else [part]
    return found


@pytest.mark.generated
@given(sections, st.integers(0, 150))
def test_the_most_important_pieces_stand_and_what_is_missing_is_counted(page: Section, max_bytes: int) -> None:
    text = fit(page, ".", max_bytes, told)
    assert size_of(text) <= max_bytes
    found = all_pieces(page)
    stands = {rank: text.count(sign) for rank, sign in SIGNS.items()}
    whole = {rank: sum(len(one.text) for one in found if one.rank == rank) for rank in SIGNS}
    cut_short = [rank for rank in SIGNS if stands[rank] < whole[rank]]
    assert all(not stands[rank] for rank in SIGNS if cut_short and rank > cut_short[0])
    assert text.count("[") == text.count("]")
    assert text.count("<") == text.count(">")
    if "|" in text:
        counted = Counter({noun: int(number) for noun, number in re.findall(r"(\w)=(\d+)", text.split("|")[1])})
        lower = Counter[str]()
        for one in found:
            if one.noun and one.rank in cut_short[1:]:
                lower[one.noun] += one.number
        upper = lower.copy()
        for one in found:
            if one.noun and one.rank == cut_short[0]:
                upper[one.noun] += one.number
        assert lower <= counted <= upper
    elif text:
        assert text.endswith(".") or not any(stands[rank] for rank in cut_short[1:])


@pytest.mark.generated
@given(sections, st.integers(0, 120), st.integers(0, 30))
def test_more_room_never_shows_less_of_what_matters(page: Section, max_bytes: int, more: int) -> None:
    less, further = fit(page, ".", max_bytes, told), fit(page, ".", max_bytes + more, told)
    first = min((one.rank for one in all_pieces(page)), default=0)
    assert less.count(SIGNS[first]) <= further.count(SIGNS[first])


def large_plan() -> Plan:
    """742 changes and 288 warnings: of such a plan a note once kept all warnings, and lost 442 changes."""
    plan = estate_plan(742)
    warnings = tuple(
        Finding("collision", str(change.address), because(Cause.SAID, said=f"it starts with {number} others"))
        for number, change in enumerate(plan.changes[:288])
    )
    return replace(plan, warnings=warnings)


def unnamed(page: str) -> Counter[str]:
    """What a note says that it does not name, by noun."""
    found = re.search(r"Not named: (.*?)\.", page)
    parts = found[1].split(", ") if found else []
    return Counter({noun: int(number.replace(",", "")) for number, _, noun in (one.partition(" ") for one in parts)})


def named(page: str, addresses: tuple[Address, ...]) -> int:
    """How many of them a note names, folded or not."""
    words = folded_addresses(addresses)
    return sum(word.number for word in words if re.search(rf"(?m)(`|^|>|update ){re.escape(word.text)}(`|$|:| )", page))


BUDGETS = [*range(0, 4_000, 331), *range(4_000, 40_000, 2_903), 65_000]


@pytest.mark.parametrize("max_bytes", BUDGETS)
def test_every_change_is_named_or_counted_and_the_risky_ones_first(max_bytes: int) -> None:
    plan = large_plan()
    found = outline(plan)
    page = markdown.plan(plan, STAMP, max_bytes=max_bytes)
    assert len(page.encode()) <= max_bytes
    if "Shortened" not in page and "<sub>" not in page:
        assert "###" not in page
        return
    missing = unnamed(page)
    risky = sum(named(page, group.addresses) for group in found.risky)
    blocked = sum(named(page, group.addresses) for group in found.blocked)
    others = [*found.routine, *found.ledger_only]
    rest = sum(named(page, group.addresses) for group in others)
    of_risky = sum(len(group.changes) for group in found.risky)
    assert risky + blocked + rest + missing.total() == len(plan.changes) + len(plan.blocked)
    assert rest == 0 or (risky == of_risky and blocked == len(plan.blocked))
    assert "collision**" not in page or not missing
    assert "288 warnings" in page or "Warnings left out: 288 collision." in page


def test_what_is_risky_in_thousands_of_changes_is_named_in_eight_thousand_bytes() -> None:
    plan = estate_plan(5_000)
    missing = unnamed(markdown.plan(plan, STAMP, max_bytes=8_000))
    assert not {noun for noun in missing if noun in ("to delete", "to disable", "to start", "blocked")}
    assert not unnamed(markdown.plan(plan, STAMP))


@pytest.mark.parametrize("max_bytes", BUDGETS)
def test_every_finding_is_named_or_counted_and_drift_first(max_bytes: int) -> None:
    drift = estate_drift(742)
    found = drift_outline(drift)
    page = markdown.drift(drift, STAMP, max_bytes=max_bytes)
    assert len(page.encode()) <= max_bytes
    if "Shortened" not in page and "<sub>" not in page:
        assert "###" not in page
        return
    shown = [group for group in found.groups if group.status is not DriftStatus.IN_SYNC]
    drifted = [group for group in shown if group.status.is_drift]
    missing = unnamed(page)
    of_drift = sum(named(page, group.addresses) for group in drifted)
    rest = sum(named(page, group.addresses) for group in shown) - of_drift
    assert of_drift + rest + missing.total() == sum(len(group.findings) for group in shown)
    assert rest == 0 or of_drift == sum(len(group.findings) for group in drifted)
