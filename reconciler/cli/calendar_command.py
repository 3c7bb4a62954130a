"""`reconciler calendar`: when everything runs, what collides, and how to spread it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import click

from reconciler.cli.options import Duration, format_option, pass_session, selectors
from reconciler.cli.session import Session
from reconciler.errors import UsageError

if TYPE_CHECKING:
    from reconciler.calendar.forecast import Calendar
    from reconciler.render import Stamp
    from reconciler.selection import Selection

_MOST_DAYS = 92
_FIRST_YEAR, _LAST_YEAR = 1900, 2999


@click.command()
@click.option("--days", type=click.IntRange(1, _MOST_DAYS), default=7, show_default=True, help="How many days to show.")
@click.option(
    "--from", "first", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="The first day; default today."
)
@click.option(
    "--source",
    type=click.Choice(["live", "desired", "plan"]),
    help="What ACC has now (the default where there is a connection), what the manifests say (needs no network), or "
    "what the plan would make of it, beside what is there.",
)
@click.option("--zone", metavar="ZONE", help="The clock to show times on; default: the zone of most schedules.")
@click.option("--durations/--no-durations", default=True, help="Read run histories to know how long runs take.")
@click.option(
    "--simultaneous",
    type=click.IntRange(2),
    default=10,
    show_default=True,
    metavar="N",
    help="So many starts in one second are simultaneous starts.",
)
@click.option("--herd", type=click.IntRange(2), metavar="N", hidden=True)
@click.option(
    "--spread", is_flag=True, help="Print a patch for the manifests that spreads simultaneous starts over minutes."
)
@click.option(
    "--spread-window",
    type=Duration(),
    default="30m",
    show_default=True,
    help="Within how many minutes a schedule may be moved, at most 60m; its hour and its day stay.",
)
@format_option("text", "html", "json", "ics")
@selectors
@pass_session
def calendar(
    session: Session,
    days: int,
    first: datetime | None,
    source: str | None,
    zone: str | None,
    durations: bool,
    simultaneous: int,
    herd: int | None,
    spread: bool,
    spread_window: timedelta,
    form: str,
    selection: Selection,
) -> int:
    """Show when everything runs; load and collisions. Writes nothing.

    Days begin at midnight on the clock of the zone that is named at the top. Exit 1 when something could not be read.

    With --spread it prints a patch instead: `reconciler calendar --spread | git apply`.
    """
    from reconciler.calendar.forecast import Source
    from reconciler.workflow.forecasting import CalendarOptions
    from reconciler.workflow.forecasting import calendar as calendar_of

    threshold = simultaneous if herd is None else herd  # the option's former name
    day = first.date() if first is not None else None
    if day is not None and not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        raise UsageError(f"--from takes a day of the years {_FIRST_YEAR} to {_LAST_YEAR}", hint="such as 2026-11-30")
    if spread:
        return _spread(session, selection, day, days, threshold, spread_window)
    options = CalendarOptions(
        source=Source(source) if source else None,
        days=days,
        first=day,
        zone=zone,
        selection=selection,
        durations=durations,
        threshold=threshold,
    )
    # Found before anything is read: a form may need a package that is not installed.
    render = _renderer(session, form)
    with session.reading():
        desired, found = calendar_of(session.context(), options)
    session.show(render(found, session.stamp_for(desired.project.name, desired.project.environment)))
    return 1 if found.unreadable else 0


def _renderer(session: Session, form: str) -> Callable[[Calendar, Stamp], str]:
    match form:
        case "html":
            from reconciler.calendar import html_form

            return lambda found, stamp: html_form.calendar(found, stamp, session.links())
        case "json":
            from reconciler.calendar import json_form
            from reconciler.render import json_

            return lambda found, stamp: json_.dumps(json_form.calendar(found, stamp))
        case "ics":
            from reconciler.calendar.ics_form import calendar as written_as_ics

            def render(found: Calendar, stamp: Stamp) -> str:
                written = written_as_ics(found, stamp)
                for note in written.notes:
                    session.say(f"note: {note}")
                return written.text

            return render
        case _:
            from reconciler.calendar import text_form

            return lambda found, _: text_form.calendar(found, session.screen, verbose=session.verbose)


def _spread(
    session: Session, selection: Selection, first: date | None, days: int, threshold: int, window: timedelta
) -> int:
    from reconciler.calendar.spread import SpreadOptions
    from reconciler.workflow.forecasting import propose_spread

    minutes, rest = divmod(int(window.total_seconds()), 60)
    if rest or not 2 <= minutes <= 60:
        raise UsageError("--spread-window takes 2m to 60m", hint="a schedule keeps its hour and its day")
    proposal = propose_spread(session.context(), selection, SpreadOptions(first, days, threshold, minutes))
    for note in proposal.notes:
        session.say(f"note: {note}")
    if proposal.patch:
        session.show(proposal.patch)
        session.say(f"{proposal.summary}; nothing was written: `reconciler calendar --spread | git apply`")
    else:
        session.say(proposal.summary)
    return 0
