"""The commands that change something: `apply` and `destroy`."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec import Struct

from reconciler.cli.apply_teller import telling
from reconciler.cli.options import Duration, OutFile, as_one, format_option, pass_session, selectors
from reconciler.cli.plan_commands import is_incomplete, render_plan
from reconciler.cli.session import Session, complain, harmless, signals
from reconciler.errors import Fenced, UsageError
from reconciler.model.outcome import ApplyReport, Status
from reconciler.model.plan import Action

if TYPE_CHECKING:
    from reconciler.selection import Selection
    from reconciler.workflow.apply_account import ApplyAccount
    from reconciler.workflow.applying import Applied
    from reconciler.workflow.context import PlanOptions
    from reconciler.workflow.planning import Planned


class ApplyFlags(Struct, frozen=True):
    """How an apply asks, waits, and tells of itself."""

    auto_approve: bool
    html: Path | None
    events: Path | None
    lock_timeout: timedelta
    form: str


_apply_flags = as_one(
    "flags",
    ApplyFlags,
    click.option("--auto-approve", is_flag=True, help="Do not ask."),
    click.option("--html", type=OutFile(), help="Write a page of how it went, however it ends."),
    click.option(
        "--events", type=click.Path(path_type=Path, dir_okay=False), help="Append events as JSON lines while it runs."
    ),
    click.option("--lock-timeout", type=Duration(), default="0s", help="Wait so long for somebody else's lock."),
    format_option("text", "json"),
)


@click.command()
@click.argument("planfile", required=False, type=click.Path(path_type=Path))
@click.option("--max-deletes", type=click.IntRange(0), metavar="N", help="Allow so many deletions, this once.")
@click.option("--accept-new-ledger", is_flag=True, help="Start due tasks although the ledger was lost.")
@click.option(
    "--forget-agent",
    "gone_agents",
    multiple=True,
    metavar="PATH",
    help="An agent that no manifest declares is gone from ACC for good: forget what was there. Repeatable.",
)
@click.option(
    "--resend",
    multiple=True,
    metavar="PATTERN",
    help="Send input files and approvals, and start triggers, that match once more. Repeatable.",
)
@selectors
@_apply_flags
@pass_session
def apply(
    session: Session,
    planfile: Path | None,
    max_deletes: int | None,
    accept_new_ledger: bool,
    gone_agents: tuple[str, ...],
    resend: tuple[str, ...],
    flags: ApplyFlags,
    selection: Selection,
) -> int:
    """Ask, apply the plan, and read back.

    With PLANFILE it does exactly what that plan shows, without asking, or nothing. Exit 4 when something failed or was
    skipped, 5 when the outcome of a start is unknown, 8 when reading back does not show that it is done.
    """
    from reconciler.workflow import saved
    from reconciler.workflow.apply_account import ApplyAccount
    from reconciler.workflow.context import PlanOptions

    if planfile is not None:
        if resend:
            hint = (
                "apply it without --resend; `apply --resend PATTERN` without a plan file shows what it sends, and asks"
            )
            raise UsageError("a saved plan sends what it shows, and nothing more", hint=hint)
        if not selection.is_everything or max_deletes is not None or accept_new_ledger or gone_agents:
            raise UsageError("a saved plan is applied as it is", hint="give selectors and limits to `plan --out`")
        context, wait = session.context(), flags.lock_timeout.total_seconds()
        account = ApplyAccount(context, "apply")
        with _page_if_cut_off(session, account, flags), session.interruptible(), telling(session, flags.events) as tell:
            done = saved.apply_file(context, planfile, tell=account.hearing(tell), lock_timeout=wait)
        return _finish(session, done, flags, account)
    options = PlanOptions(
        selection, max_deletes, accepts_new_ledger=accept_new_ledger, gone_agents=gone_agents, resend=resend
    )
    return _run(session, options, flags)


@click.command()
@selectors
@_apply_flags
@pass_session
def destroy(
    session: Session,
    flags: ApplyFlags,
    selection: Selection,
) -> int:
    """Plan the deletion of all that is owned, then apply it.

    Protected schedules stay, and so does everything that this project does not own.
    """
    from reconciler.workflow.context import PlanOptions

    options = PlanOptions(selection, destroy=True)
    return _run(session, options, flags)


def _run(session: Session, options: PlanOptions, flags: ApplyFlags) -> int:
    from reconciler.workflow import applying
    from reconciler.workflow.apply_account import ApplyAccount

    context, wait = session.context(), flags.lock_timeout.total_seconds()
    account = ApplyAccount(context, "destroy" if options.destroy else "apply")

    def confirm(planned: Planned) -> bool:
        if flags.form == "text":
            session.show(render_plan(session, planned.plan, "text"))
        return flags.auto_approve or _ask(session, planned, shown=flags.form == "text")

    with _page_if_cut_off(session, account, flags), session.interruptible(), telling(session, flags.events) as tell:
        done = applying.apply(context, options, confirm=confirm, tell=account.hearing(tell), lock_timeout=wait)
    return _finish(session, done, flags, account)


@contextmanager
def _page_if_cut_off(session: Session, account: ApplyAccount, flags: ApplyFlags) -> Iterator[None]:
    """Write the page that was asked for also where an error, or a second interruption, ends it all.

    Wrong usage is no run, and leaves no page.
    """
    try:
        yield
    except UsageError:
        raise
    except BaseException as error:
        if flags.html is not None:
            # Who is asked, and interrupts or hangs up instead of answering, is an abort to click.
            cause = KeyboardInterrupt() if isinstance(error, click.Abort) else error
            folder, environment = account.context.root.name, session.environment or "default"
            try:
                _write_page(session, flags.html, account.of_error(cause, folder, environment))
            except Exception as unwritten:  # what ended it all is what has to be told
                complain(unwritten, verbose=session.verbose)
        raise


def _write_page(session: Session, path: Path, report: ApplyReport) -> None:
    from reconciler.render import html

    stamp = session.stamp_for(report.plan.project, report.plan.environment)
    session.write_file(path, html.apply(report, stamp, session.links()))


def _ask(session: Session, planned: Planned, *, shown: bool) -> bool:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(
            "there is no terminal to ask on, and nothing was done",
            hint="--auto-approve applies without asking; `plan --out FILE` and `apply FILE` apply what was reviewed",
        )
    if not shown:
        session.say(render_plan(session, planned.plan, "text"))
    question = "Delete all of this? There is no undo." if planned.inputs.destroy else "Apply these changes?"
    # While a person is asked, an interruption is an answer: it ends at once.
    with session.line.held(), signals(signal.default_int_handler):
        try:
            answer = click.prompt(f"{question} Only 'yes' will be accepted", default="no", show_default=False, err=True)
        except click.Abort:
            click.echo(err=True)  # what follows begins a line, and not behind the question and `^C`
            raise
    return bool(answer == "yes")


def _finish(session: Session, done: Applied, flags: ApplyFlags, account: ApplyAccount) -> int:
    """Show how it went; the exit code tells of that, and is 1 where all went well but could not be shown or written."""
    if done.declined:
        session.say("declined: nothing was done")
        if flags.html is not None:
            _write_page(session, flags.html, account.of_applied(done))
        return 1
    code = _exit(session, done)
    for note in done.notes:
        session.say(harmless(f"note: {note}"))
    try:
        _show(session, done, flags, account)
    except Exception as error:  # it is done, however little of it can be shown
        session.is_unwritten = True
        complain(error, verbose=session.verbose)
    if (broken := done.result.broken) is not None:
        complain(broken, verbose=session.verbose)
        return broken.exit_code if isinstance(broken, Fenced) else code or broken.exit_code
    return code or int(session.is_unwritten)


def _show(session: Session, done: Applied, flags: ApplyFlags, account: ApplyAccount) -> None:
    plan, outcomes = done.planned.plan, done.result.outcomes
    if flags.html is not None:
        _write_page(session, flags.html, account.of_applied(done))
    from reconciler.render.reasons import words

    refusals = done.planned.refusals
    if flags.form == "json":
        from reconciler.render import json_

        stamp = session.stamp_for(plan.project, plan.environment)
        session.show(json_.dumps(json_.apply_document(outcomes, stamp)))
    elif refusals or not plan.changes:
        session.show(render_plan(session, plan, "text"))
    else:
        from reconciler.render.text import apply_text

        finished = done.result.finished if session.stop.is_set() else None
        session.show(apply_text.outcomes(outcomes, plan, session.screen, verbose=session.verbose, finished=finished))
    for finding in refusals:
        session.say(harmless(f"blocked [{finding.code}]: {words(finding.why)}"))
    if refusals:
        session.say("Nothing was done.")


def _exit(session: Session, done: Applied) -> int:
    """An interruption first; then what a person must settle, what is undone, what is odd, what was not allowed."""
    outcomes = done.result.outcomes
    if session.stop.is_set():
        return 130
    if done.planned.refusals:
        return 3
    if any(one.status is Status.UNKNOWN and one.change.action is Action.START for one in outcomes):
        return 5
    incomplete = {Status.FAILED, Status.SKIPPED, Status.STALE, Status.UNKNOWN}
    if any(one.status in incomplete for one in outcomes) or is_incomplete(done.planned.plan):
        return 4
    if any(one.status is Status.UNVERIFIED for one in outcomes):
        return 8
    return 3 if done.planned.plan.blocked else 0
