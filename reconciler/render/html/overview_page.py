"""The first page of a site: the state of everything at a glance, what needs attention, and a list of all to search."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

from reconciler.model.address import Address
from reconciler.model.condition import DriftStatus, Health
from reconciler.model.estate import AgentReport, EstateReport, ResourceReport
from reconciler.quantities import counted
from reconciler.render import Stamp
from reconciler.render.html.attention import attention
from reconciler.render.html.links import ALONE, Links
from reconciler.render.html.scaffold import page
from reconciler.render.review import warning_groups
from reconciler.render.wording import DRIFT_MEANING, DRIFT_ORDER, sentences

_TEMPLATE = Path(__file__).with_name("overview.html")
_NAMED = 6
UNHEALTHY, ANY_DRIFT, NO_HEALTH = "unhealthy", "drift", "none"
"""What the filters take beside the words themselves."""


class Tile(NamedTuple):
    """A number that leads somewhere; `word` chooses its colour."""

    word: str
    number: str
    said: str
    href: str


class MatrixCell(NamedTuple):
    """How many resources stand so; `href` shows them in the list below."""

    number: int
    href: str


class MatrixRow(NamedTuple):
    """One sync with its meaning, all of it, and a cell for each health."""

    sync: str
    meaning: str
    total: MatrixCell
    cells: tuple[MatrixCell, ...]


class ListRow(NamedTuple):
    """A resource in the list of all: `facets` are what the filters look at."""

    address: Address
    href: str
    sync: str
    health: str
    facets: str
    agent: str
    next_run: str
    labels: tuple[str, ...]


class AgentLine(NamedTuple):
    """An agent in the list of all: how many resources, and how many of them need attention."""

    handle: str
    href: str
    path: str
    resources: int
    troubled: int
    problem: str


def overview(estate: EstateReport, stamp: Stamp, links: Links = ALONE, *, agent_pages: Mapping[str, str] = {}) -> str:
    """The page. `agent_pages` has where each agent's own page is, by its handle."""
    troubled = [one for one in estate.resources if one.needs_attention]
    rows = [_row(one, links) for one in estate.resources]
    healths = _healths(estate)
    labels = sorted({label for row in rows for label in row.labels})
    return page(
        _TEMPLATE,
        stamp,
        title="Overview",
        links=links,
        lead=_lead(estate, len(troubled)),
        tiles=list(_tiles(estate, stamp)),
        healths=healths,
        matrix=list(_matrix(estate, healths)),
        attention=attention(troubled),
        calm=_calm(estate),
        named=_NAMED,
        notes=warning_groups(estate.notes),
        rows=rows,
        syncs=[sync.value for sync in DRIFT_ORDER if any(one.sync is sync for one in estate.resources)],
        kinds=sorted({one.address.kind for one in estate.resources}),
        labels=labels,
        agents=list(_agents(estate.agents, agent_pages)),
        special=(UNHEALTHY, ANY_DRIFT, NO_HEALTH),
    )


def _lead(estate: EstateReport, troubled: int) -> str:
    if not estate.resources and not estate.agents:
        return "No manifest declares anything yet."
    all_of_it = f"{counted(len(estate.resources), 'resource')} of {counted(len(estate.agents), 'agent')}"
    if troubled:
        return f"{all_of_it}. {troubled} {'needs' if troubled == 1 else 'need'} attention."
    if not estate.resources:
        return f"{all_of_it}."
    aside = f"; see the {'note' if len(estate.notes) == 1 else 'notes'} below" if estate.notes else ""
    return f"{all_of_it}. No resource needs attention{aside}."


def _calm(estate: EstateReport) -> str:
    """What is known where no resource needs attention, and no more than that."""
    attested = sum(one.sync is DriftStatus.UNVERIFIABLE for one in estate.resources)
    changes = sum(one.change is not None for one in estate.resources)
    return sentences(
        "None has drifted, is blocked, unhealthy or unreadable.",
        f"{attested:,} cannot be read back, so no more is known than what was accepted." if attested else "",
        f"{counted(changes, 'change')} {'waits' if changes == 1 else 'wait'} for an apply." if changes else "",
    )


def _tiles(estate: EstateReport, stamp: Stamp) -> Iterator[Tile]:
    resources = estate.resources
    unhealthy = sum(one.is_unhealthy for one in resources)
    drifted = sum(one.sync.is_drift for one in resources)
    unread = sum(one.sync is DriftStatus.UNREADABLE for one in resources)
    changes, blocked = (
        sum(one.change is not None for one in resources),
        sum(one.blocked is not None for one in resources),
    )
    yield Tile("", f"{len(resources):,}", "resources", "#resources")
    yield Tile("failing" if unhealthy else "healthy", f"{unhealthy:,}", "unhealthy", _filter(health=UNHEALTHY))
    yield Tile("drifted" if drifted else "in-sync", f"{drifted:,}", "drifted", _filter(sync=ANY_DRIFT))
    if unread:
        yield Tile("unreadable", f"{unread:,}", "unreadable", _filter(sync=DriftStatus.UNREADABLE.value))
    yield Tile("pending" if changes else "", f"{changes:,}", "pending changes", "plan.html")
    yield Tile("blocked" if blocked else "", f"{blocked:,}", "blocked", "plan.html")
    if estate.unmanaged:
        yield Tile("unmanaged", f"{estate.unmanaged:,}", "unmanaged", "drift.html")
    if coming := _next_run(resources, stamp.created_at):
        yield Tile(
            "",
            coming.strftime("%H:%M"),
            f"next run, {coming:%a} {coming.day} {coming:%b} {_zone(coming)}",
            "calendar.html",
        )


def _next_run(resources: tuple[ResourceReport, ...], now: str) -> datetime | None:
    """The first of all next runs; ACC's own word comes before what is predicted."""
    told = (one.status.next_run or one.status.predicted for one in resources if one.status is not None)
    moments = [moment for text in told if text and (moment := _moment(text)) is not None]
    since = _moment(now)
    return min((moment for moment in moments if since is None or moment >= since), default=None)


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None


def _zone(moment: datetime) -> str:
    offset = f"{moment:%z}"
    return "UTC" if offset == "+0000" else f"{offset[:3]}:{offset[3:5]}"


def _healths(estate: EstateReport) -> list[str]:
    """The healths that occur, worst first, and at the end that there is none."""
    seen = {one.health for one in estate.resources}
    return [*(health.value for health in Health if health in seen), *([NO_HEALTH] if None in seen else [])]


def _matrix(estate: EstateReport, healths: list[str]) -> Iterator[MatrixRow]:
    counts = Counter((one.sync, one.health.value if one.health else NO_HEALTH) for one in estate.resources)
    for sync in DRIFT_ORDER:
        numbers = [counts[sync, health] for health in healths]
        if any(numbers):
            cells = tuple(
                MatrixCell(number, _filter(sync=sync.value, health=health))
                for number, health in zip(numbers, healths, strict=True)
            )
            total = MatrixCell(sum(numbers), _filter(sync=sync.value))
            yield MatrixRow(sync.value, DRIFT_MEANING[sync], total, cells)


def _row(one: ResourceReport, links: Links) -> ListRow:
    health = one.health.value if one.health else NO_HEALTH
    facets = [one.sync.value, health]
    if one.is_unhealthy:
        facets.append(UNHEALTHY)
    if one.sync.is_drift:
        facets.append(ANY_DRIFT)
    if one.change is not None:
        facets.append("change")
    next_run = (one.status.next_run or one.status.predicted) if one.status is not None else ""
    return ListRow(
        one.address,
        links.of(one.address),
        one.sync.value,
        health,
        "|".join(facets),
        one.address.agent,
        next_run,
        tuple(f"{key}={value}" for key, value in sorted(one.labels.items())),
    )


def _agents(agents: tuple[AgentReport, ...], pages: Mapping[str, str]) -> Iterator[AgentLine]:
    for one in agents:
        bad = sum(each.needs_attention for each in one.resources)
        handle = one.agent.handle
        yield AgentLine(handle, pages.get(handle, ""), one.agent.path, len(one.resources), bad, one.problem)


def _filter(**chosen: str) -> str:
    return f"#{urlencode(chosen)}"
