"""The commands about what the ledger holds: `resolve`, `history`, `unlock`."""

from __future__ import annotations

import click

from reconciler.cli.options import format_option, pass_session
from reconciler.cli.session import Session, harmless
from reconciler.errors import UsageError
from reconciler.kind import LicenceCount
from reconciler.quantities import span_text


@click.command()
@click.argument("address")
@click.option("--ran", is_flag=True, help="The task did start.")
@click.option("--not-ran", is_flag=True, help="The task did not start: it is due again.")
@click.option("--run-id", default="", metavar="ID", help="The run that it became: the next apply follows it.")
@pass_session
def resolve(session: Session, address: str, ran: bool, not_ran: bool, run_id: str) -> None:
    """Settle an unknown start: say whether the task ran.

    Without --ran or --not-ran it shows what is known. ADDRESS is a trigger's, such as trigger/publish-prices. After a
    ledger was lost it says of one trigger whether it ran as it is declared now.
    """
    from reconciler.workflow import resolving

    if ran and not_ran:
        raise UsageError("--ran and --not-ran exclude each other")
    if run_id and not ran:
        raise UsageError("--run-id goes with --ran")
    if run_id and not run_id.strip():
        raise UsageError("--run-id is empty", hint="leave it out if the run's id is not known")
    context = session.context()
    found = resolving.unknown_start(context, address)
    if found.entry is None:
        is_what = f"was restored from a backup of {found.restored}" if found.restored else "is new"
        session.say(harmless(f"{address}: the ledger {is_what}, and knows no start of it"))
    else:
        memo = found.entry.memo
        known = f"run {memo.run_id}" if memo.run_id else "no run id came back"
        what = f"{memo.what}, " if memo.what else ""
        session.say(harmless(f"{address}: {what}sent {found.entry.at}, attempt {memo.attempts}, {known}"))
    before = found.entry.memo.licence if found.entry is not None else None
    session.say(f"licence, task executions: {_counter(before)} before, {_counter(found.licence_now)} now")
    if not (ran or not_ran):
        raise UsageError("say --ran or --not-ran", hint="look at the task's runs in Automate MFT first")
    settled = resolving.resolve(context, address, ran=ran, run_id=run_id.strip())
    session.show(f"{address} is settled: {_SETTLED[settled.memo.state.value]}")


_SETTLED = {
    "running": "it ran, and the next apply follows its run to the end",
    "success": "it ran",
    "not-ran": "it did not run, and is due again",
}


def _counter(licence: LicenceCount | None) -> str:
    if licence is None or licence.used is None:
        return "not known"
    return str(licence.used) + (f" of {licence.limit}" if licence.limit is not None else "")


@click.command()
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="At most so many runs.")
@click.option("--verify", is_flag=True, help="Check that nobody changed the ledger's events; exit 1 when somebody did.")
@format_option("text", "json", "html")
@pass_session
def history(session: Session, limit: int, verify: bool, form: str) -> int:
    """Show what was applied: when, by whom, from which commit.

    `reconciler -v history` lists every change of every run. As HTML it also draws how each run went, and says whether
    the chain of the ledger's events is whole.
    """
    from reconciler.workflow import history as ledger_history

    context = session.context()
    if verify and form != "text":
        raise UsageError("--verify answers in words and with its exit code", hint=f"leave --format {form} out")
    if verify:
        from reconciler.render.reasons import words

        findings = ledger_history.verify(context)
        for finding in findings:
            session.show(f"{finding.code}: {words(finding.why)}")
        if not findings:
            session.show("hash chain verified: nobody changed the ledger's events")
        return int(bool(findings))
    if form == "html":
        from reconciler.render import html

        found = ledger_history.verified_history(context, limit)
        stamp = session.stamp_for(found.project.name, found.project.environment)
        session.show(html.history(found.runs, found.changes, found.unended, found.findings, stamp, session.links()))
        return 0
    from reconciler.render import history_report, json_

    found = ledger_history.history(context, limit)
    if form == "json":
        stamp = session.stamp_for(found.project.name, found.project.environment)
        session.show(json_.dumps(history_report.document(found.runs, found.changes, stamp)))
    else:
        session.show(history_report.text(found.runs, found.changes, session.screen, verbose=session.verbose))
    return 0


@click.command()
@click.option("--force", is_flag=True, help="Break the lock.")
@pass_session
def unlock(session: Session, force: bool) -> int:
    """Show the lock; with --force break it.

    Whoever held it can write nothing more, even when it comes back to life. Exit 6 while somebody holds it.
    """
    from reconciler.workflow import history as ledger_history

    context = session.context()
    held = ledger_history.holder(context)
    if held is None:
        session.show("nobody holds the lock")
        return 0
    quiet = span_text(held.silent)
    if held.expired:
        said = f"last heartbeat {quiet} ago, so it has expired: the next apply takes the lock over"
    else:
        said = f"last heartbeat {quiet} ago"
    session.show(harmless(f"held by {held.owner} since {held.since}; {said}"))
    if not force:
        session.say("next: wait for it, or break it with `reconciler unlock --force` when its owner is surely dead")
        return 6
    broken = ledger_history.unlock(context)
    if broken is None:
        session.show("it was given back meanwhile")
    else:
        session.show(harmless(f"the lock is broken: {broken.owner} can write nothing more"))
    return 0
