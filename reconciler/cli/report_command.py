"""`reconciler report`: a static site of everything, for GitHub or GitLab Pages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.options import pass_session, selectors
from reconciler.cli.session import Session, harmless

if TYPE_CHECKING:
    from reconciler.selection import Selection

_MOST_DAYS = 92


@click.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    metavar="DIR",
    help="The folder of the site. A former report there is replaced, and no other file is touched.",
)
@click.option(
    "--days", type=click.IntRange(1, _MOST_DAYS), default=7, show_default=True, help="How many days the calendar shows."
)
@click.option(
    "--limit", type=click.IntRange(1), default=50, show_default=True, help="At most so many runs in the history."
)
@click.option(
    "--repository",
    default="",
    metavar="URL",
    help="The repository's web page, for links to manifests. Default: what the CI says, else the remote `origin`.",
)
@selectors
@pass_session
def report(session: Session, out: Path, days: int, limit: int, repository: str, selection: Selection) -> int:
    """Write a static site: overview, plan, drift, calendar, status, history, and a page for each agent.

    The products are asked once, and all pages are made of that. It needs no network to be read, and writes nothing but
    DIR: open its index.html, or publish it with GitHub or GitLab Pages.

    Exit 0 when the site was written, whatever it shows: drift, and what is unhealthy or blocked, do not change that.
    Exit 1 when something could not be read; the site is written all the same, and says so on every page.
    """
    from reconciler.workflow.reporting import ReportOptions
    from reconciler.workflow.reporting import report as read_report
    from reconciler.workflow.site_folder import open_site

    folder = open_site(out)
    root = session.links(repository)
    context = session.context()
    with session.reading():
        found = read_report(context, ReportOptions(selection, days, limit))
    from reconciler.cli.site_pages import site_pages

    stamp = session.stamp_for(found.drift.project, found.drift.environment)
    folder.write(site_pages(found, stamp, root), context.progress)
    session.show(harmless(str(out / "index.html")))
    for said in found.unread:
        session.say(harmless(f"incomplete: {said}"))
    return int(found.is_incomplete)
