"""What `doctor` found, as a page: what needs attention first with the next step, numbers as pictures of their scale."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct

from reconciler.model.condition import Check, Gauge, Level
from reconciler.quantities import counted
from reconciler.render import Stamp
from reconciler.render.html.links import ALONE, Links
from reconciler.render.html.run_facts import as_sentence
from reconciler.render.html.scaffold import page
from reconciler.render.signs import LEVEL_STYLE

_TEMPLATE = Path(__file__).with_name("doctor.html")
_TITLES = {Level.FAILED: "Failed", Level.WARNING: "Warnings", Level.OK: "Well"}


class Dial(NamedTuple):
    """A number on its scale, all in percent of it: the range that is good, and where the number is."""

    good_left: float
    good_width: float
    at: float
    least: str
    most: str
    said: str


class CheckCard(NamedTuple):
    """One check; `told` is what was found."""

    name: str
    word: str
    sign: str
    told: str
    step: str
    dial: Dial | None


class CheckSection(Struct, frozen=True):
    """The checks of one level."""

    title: str
    cards: Sequence[CheckCard]


def doctor(checks: Sequence[Check], stamp: Stamp, links: Links = ALONE) -> str:
    """The whole page."""
    counts = Counter(check.level for check in checks)
    order = (Level.FAILED, Level.WARNING, Level.OK)
    sections = [
        CheckSection(_TITLES[level], [_card(check) for check in checks if check.level is level])
        for level in order
        if counts[level]
    ]
    bad = len(checks) - counts[Level.OK]
    need = "needs" if bad == 1 else "need"
    lead = f"{bad} of {counted(len(checks), 'check')} {need} attention." if bad else "All is well."
    return page(
        _TEMPLATE,
        stamp,
        title="Doctor",
        lead=lead,
        links=links,
        counts=[(level.value, LEVEL_STYLE[level][0], counts[level]) for level in order if counts[level]],
        sections=sections,
    )


def _card(check: Check) -> CheckCard:
    dial = None if check.gauge is None else _dial(check.gauge)
    sign = LEVEL_STYLE[check.level][0]
    return CheckCard(check.name, check.level.value, sign, check.found, as_sentence(check.next_step), dial)


def _dial(gauge: Gauge) -> Dial:
    length = (gauge.most - gauge.least) or 1.0

    def place(value: float) -> float:
        return round(min(max(100 * (value - gauge.least) / length, 0.0), 100.0), 2)

    left, right = place(gauge.good_from), place(gauge.good_to)
    said = f"{gauge.value:,.0f} {gauge.unit}, from {gauge.least:,.0f} to {gauge.most:,.0f}"
    return Dial(
        left, round(right - left, 2), place(gauge.value), f"{gauge.least:,.0f}", f"{gauge.most:,.0f} {gauge.unit}", said
    )
