"""The commands for whoever runs it: `status` and `doctor`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.cli.options import format_option, pass_session, selectors
from reconciler.cli.session import Session
from reconciler.model.condition import Level

if TYPE_CHECKING:
    from reconciler.selection import Selection


@click.command()
@format_option("text", "json", "html")
@selectors
@pass_session
def status(session: Session, form: str, selection: Selection) -> int:
    """Show sync, health, last run and next run of every schedule and trigger.

    Exit 2 when something is unhealthy: failing, late, running long, gone from ACC, disabled although declared enabled,
    or started with nobody knowing how it went. Exit 1 when something could not be read.
    """
    from reconciler.render import json_, status_report
    from reconciler.workflow.status import status as read_status

    with session.reading():
        found = read_status(session.context(), selection)
    if form == "json":
        stamp = session.stamp_for(found.project, found.environment)
        session.show(json_.dumps(status_report.status_document(found.rows, stamp, found.warnings)))
    elif form == "html":
        from reconciler.render import html

        stamp = session.stamp_for(found.project, found.environment)
        session.show(
            html.status(
                found.rows,
                stamp,
                session.links(),
                attested=found.attested,
                warnings=found.warnings,
                is_incomplete=found.incomplete,
                is_filtered=found.filtered,
            )
        )
    else:
        session.show(
            status_report.status_text(
                found.rows,
                found.attested,
                session.screen,
                found.warnings,
                verbose=session.verbose,
                is_filtered=found.filtered,
            )
        )
    if found.incomplete:
        if not found.rows:  # else each row says why
            session.say("incomplete: something could not be read; `reconciler doctor` says what")
        return 1
    return 2 if any(one.is_unhealthy for one in found.rows) else 0


@click.command()
@format_option("text", "json", "html")
@pass_session
def doctor(session: Session, form: str) -> int:
    """Check connections, tokens and their expiry, licence, clocks and ledger.

    Exit 1 when a check failed. Each line says what to do.
    """
    from reconciler.render import json_, status_report
    from reconciler.workflow.doctor import examine

    with session.reading():
        found = examine(session.context())
    checks = found.checks
    if form == "json":
        stamp = session.stamp_for(found.project, found.environment)
        session.show(json_.dumps(status_report.doctor_document(checks, stamp)))
    elif form == "html":
        from reconciler.render import html

        session.show(html.doctor(checks, session.stamp_for(found.project, found.environment)))
    else:
        session.show(status_report.doctor_text(checks, session.screen))
    return int(any(check.level is Level.FAILED for check in checks))
