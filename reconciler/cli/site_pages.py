"""The pages of a site, linked to each other: which there are, how each is called, where each resource is told of."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.calendar import html_form
from reconciler.model.copies import replace
from reconciler.model.estate import EstateReport
from reconciler.render import html
from reconciler.render.html.agent_page import agent
from reconciler.render.html.links import Links, NavItem
from reconciler.render.html.overview_page import overview

if TYPE_CHECKING:
    from reconciler.render import Stamp
    from reconciler.workflow.reporting import Report

OVERVIEW, PLAN, DRIFT, CALENDAR, STATUS, HISTORY = (
    f"{name}.html" for name in ("index", "plan", "drift", "calendar", "status", "history")
)
_NAV = {
    "Overview": OVERVIEW,
    "Plan": PLAN,
    "Drift": DRIFT,
    "Calendar": CALENDAR,
    "Status": STATUS,
    "History": HISTORY,
}
_NO_LEDGER = "There is no ledger yet, so nothing is recorded: the first `reconciler apply` makes one."
_LONGEST_NAME = 150


def site_pages(found: Report, stamp: Stamp, links: Links) -> dict[str, str]:
    """Every file of the site by its path; the overview comes last, since it leads to all others."""
    estate = found.estate
    pages = agent_pages(estate)
    links = replace(links, homes=homes(estate, pages), notices=_notices(found))
    plan = replace(found.planned.plan, warnings=tuple(sorted({*found.planned.plan.warnings, *found.planned.refusals})))
    written = {f"assets/{name}": text for name, text in html.asset_files([Path(html_form.__file__).parent]).items()}
    from_agent = _from(links, "", root="../")
    for one in estate.agents:
        written[pages[one.agent.handle]] = agent(one, stamp, from_agent, has_ledger=found.history is not None)
    written[PLAN] = html.plan(plan, stamp, _from(links, PLAN))
    written[DRIFT] = html.drift(found.drift, stamp, _from(links, DRIFT))
    written[CALENDAR] = html_form.calendar(found.calendar, stamp, _from(links, CALENDAR))
    written[STATUS] = html.status(
        found.status.rows,
        stamp,
        _from(links, STATUS),
        attested=found.status.attested,
        warnings=found.status.warnings,
        is_incomplete=found.is_incomplete,
        is_filtered=found.status.filtered,
    )
    written[HISTORY] = _history(found, stamp, _from(links, HISTORY))
    written[OVERVIEW] = overview(estate, stamp, _from(links, OVERVIEW), agent_pages=pages)
    return written


def _history(found: Report, stamp: Stamp, links: Links) -> str:
    past = found.history
    if past is None:
        return html.history((), {}, {}, None, stamp, replace(links, notices=(*links.notices, _NO_LEDGER)))
    return html.history(past.runs, past.changes, past.unended, past.findings, stamp, links)


def agent_pages(estate: EstateReport) -> Mapping[str, str]:
    """Where the page of each agent is, by its handle."""
    return {one.agent.handle: f"agents/{_file_name(one.agent.handle)}.html" for one in estate.agents}


def homes(estate: EstateReport, pages: Mapping[str, str]) -> Mapping[str, str]:
    """The page that tells most of each resource: its agent's, else the one that has an element for it."""
    known: dict[str, str] = {}
    for one in estate.resources:
        if one.status is not None:
            known[str(one.address)] = STATUS
        elif one.change is not None or one.blocked is not None:
            known[str(one.address)] = PLAN
        elif one.finding is not None:
            known[str(one.address)] = DRIFT
    for agent_report in estate.agents:
        page = pages[agent_report.agent.handle]
        known |= {str(each.address): page for each in agent_report.resources}
        known |= {str(each.address): page for each in agent_report.unmanaged}
    return known


def _from(links: Links, current: str, *, root: str = "") -> Links:
    """The links as seen from one page."""
    nav = tuple(NavItem(name, f"{root}{href}", href == current) for name, href in _NAV.items())
    return replace(links, nav=nav, root=root, assets=f"{root}assets/")


def _notices(found: Report) -> tuple[str, ...]:
    """What the site leaves out, said on every page."""
    unread = f"Incomplete: {'. '.join(found.unread)}. Nothing unread is taken for absent." if found.unread else ""
    covers = f"{found.covers}. Nothing else is shown, and a filtered plan prunes nothing." if found.covers else ""
    return tuple(filter(None, (unread, covers)))


def _file_name(handle: str) -> str:
    """The handle, shortened where no file could be called so."""
    if len(handle) <= _LONGEST_NAME:
        return handle
    return f"{handle[:_LONGEST_NAME]}-{hashlib.sha256(handle.encode()).hexdigest()[:12]}"
