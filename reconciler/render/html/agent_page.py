"""The page of one agent: what is declared of it, how it stands and runs, what shall be done to it and what was done."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from reconciler.model.address import Address
from reconciler.model.condition import DriftStatus
from reconciler.model.estate import AgentReport, AgentRunReport, ResourceReport
from reconciler.model.live import Evidence
from reconciler.model.plan import FieldChange
from reconciler.quantities import span_text
from reconciler.render import Stamp
from reconciler.render.characters import cut, field_texts, value_text
from reconciler.render.frequency import frequency_text, minute_text, run_texts
from reconciler.render.html.attention import Page, pages_of, trouble_of
from reconciler.render.html.links import ALONE, Links
from reconciler.render.html.scaffold import page
from reconciler.render.reasons import words
from reconciler.render.wording import blocked_step, blocked_words, short_commit

_TEMPLATE = Path(__file__).with_name("agent.html")
_LONGEST = 1_000
_SAID = 300


class Differing(NamedTuple):
    """A field with both of its sides."""

    path: str
    before: str
    after: str


class Times(NamedTuple):
    """Next runs under a name, with the offset that all share."""

    name: str
    runs: Sequence[str]
    offset: str


class Block(NamedTuple):
    """One resource as the page shows it."""

    one: ResourceReport
    known: str
    often: str
    times: list[Times]
    drift: list[Differing]
    change: list[Differing]
    blocked: str
    why: str
    step: str
    notes: list[str]
    declared: list[tuple[str, str]]
    pages: Sequence[Page]


def agent(report: AgentReport, stamp: Stamp, links: Links = ALONE, *, has_ledger: bool = True) -> str:
    """The page. Where there is no ledger yet, nobody knows what was done."""
    links = links.showing([*(one.address for one in report.resources), *(one.address for one in report.unmanaged)])
    runs = None if report.runs is None else [(run, _took(run)) for run in report.runs]
    return page(
        _TEMPLATE,
        stamp,
        title=report.agent.handle,
        links=links,
        agent=report.agent,
        agent_id=report.agent_id,
        problem=report.problem,
        short_commit=short_commit,
        troubles=[(one, trouble_of(one)) for one in report.resources if one.needs_attention],
        blocks=[_block(one) for one in sorted(report.resources, key=_order)],
        triggers=report.triggers,
        unmanaged=report.unmanaged,
        runs=runs,
        done=report.done,
        has_ledger=has_ledger,
    )


def _order(one: ResourceReport) -> tuple[bool, Address]:
    """Schedules first: they are what an agent is looked up for."""
    return (not one.rhythm, one.address)


def _block(one: ResourceReport) -> Block:
    finding, change, blocked = one.finding, one.change, one.blocked
    is_drift = one.sync.is_drift and finding is not None
    why = words(change.why) if change is not None else words(blocked.why) if blocked is not None else ""
    return Block(
        one,
        _known(one),
        frequency_text(one.outlook) if one.outlook is not None else "",
        list(_times(one)),
        _fields(finding.fields) if is_drift and finding is not None else [],
        _fields(change.fields) if change is not None else [],
        blocked_words(blocked) if blocked is not None else "",
        why,
        blocked_step(blocked) if blocked is not None else "",
        [words(note) for note in one.status.notes] if one.status is not None else [],
        [(path, cut(value_text(value), _LONGEST)) for path, value in one.declared.items()],
        pages_of(one),
    )


def _known(one: ResourceReport) -> str:
    """How what is said of it is known, and since when."""
    at = minute_text(one.reached)
    if one.sync is DriftStatus.UNREADABLE:
        return "could not be read, so nothing is known"
    match one.finding.evidence if one.finding is not None else Evidence.UNKNOWN:
        case Evidence.VERIFIED:
            return "read back from the product" + (f"; recorded {at}" if at else "")
        case Evidence.ATTESTED:
            return f"attested at {at}: accepted by the product, which has no way to read it back"
    return "unknown: nothing was sent yet, or nobody saw how it ended"


def _times(one: ResourceReport) -> Iterator[Times]:
    """The next runs, and those after the plan where they are others."""
    shown = one.outlook
    if shown is None:
        return
    yield Times("Next runs", *run_texts(shown.before_runs))
    if one.change is not None and shown.after_runs != shown.before_runs:
        yield Times("After the plan", *run_texts(shown.after_runs))


def _fields(fields: Sequence[FieldChange]) -> list[Differing]:
    return [Differing(one.path, *(cut(text, _LONGEST) for text in field_texts(one))) for one in fields]


def _took(run: AgentRunReport) -> str:
    try:
        began, ended = datetime.fromisoformat(run.began), datetime.fromisoformat(run.ended)
        return span_text((ended - began).total_seconds())
    except (ValueError, TypeError):
        return ""
