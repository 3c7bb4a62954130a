"""The commands that change something: `apply` and `destroy`."""

from __future__ import annotations

import json
import os
import signal
import stat
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO

import click
from msgspec import Struct

from reconciler.cli.options import Duration, OutFile, as_one, format_option, pass_session, selectors
from reconciler.cli.plan_commands import is_incomplete, render_plan
from reconciler.cli.session import Session, complain, harmless, signals
from reconciler.errors import Fenced, UsageError
from reconciler.model.copies import replace
from reconciler.model.outcome import Began, Outcome, Status
from reconciler.model.plan import Action

if TYPE_CHECKING:
    from reconciler.selection import Selection
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
    click.option("--html", type=OutFile(), help="Write a page of how it went."),
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
    from reconciler.workflow.context import PlanOptions

    if planfile is not None:
        if resend:
            hint = (
                "apply it without --resend; `apply --resend PATTERN` without a plan file shows what it sends, and asks"
            )
            raise UsageError("a saved plan sends what it shows, and nothing more", hint=hint)
        if not selection.is_everything or max_deletes is not None or accept_new_ledger or gone_agents:
            raise UsageError("a saved plan is applied as it is", hint="give selectors and limits to `plan --out`")
        with session.interruptible(), _telling(session, flags.events) as tell:
            done = saved.apply_file(
                session.context(), planfile, tell=tell, lock_timeout=flags.lock_timeout.total_seconds()
            )
        return _finish(session, done, flags)
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

    def confirm(planned: Planned) -> bool:
        if flags.form == "text":
            session.show(render_plan(session, planned.plan, "text"))
        return flags.auto_approve or _ask(session, planned, shown=flags.form == "text")

    with session.interruptible(), _telling(session, flags.events) as tell:
        done = applying.apply(
            session.context(), options, confirm=confirm, tell=tell, lock_timeout=flags.lock_timeout.total_seconds()
        )
    return _finish(session, done, flags)


def _ask(session: Session, planned: Planned, *, shown: bool) -> bool:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(
            "there is no terminal to ask on, and nothing was done",
            hint="--auto-approve applies without asking; `plan --out FILE` and `apply FILE` apply what was reviewed",
        )
    if not shown:
        session.say(render_plan(session, planned.plan, "text"))
    question = "Delete all of this? There is no undo." if planned.inputs.destroy else "Apply these changes?"
    with signals(signal.default_int_handler):  # while a person is asked, an interruption is an answer: it ends at once
        answer = click.prompt(f"{question} Only 'yes' will be accepted", default="no", show_default=False, err=True)
    return bool(answer == "yes")


@contextmanager
def _telling(session: Session, events: Path | None) -> Iterator[Callable[[Began | Outcome], None]]:
    """Say each outcome on stderr as it happens, and write every event as a JSON line.

    Events queue up for one thread that words them, so that nobody who works for a product waits for a terminal.
    """
    queue: SimpleQueue[Began | Outcome | None] = SimpleQueue()
    with EventFile(session, events) as file:
        teller = threading.Thread(target=_tell_all, args=(session, queue, file), name="teller")
        teller.start()
        try:
            yield queue.put
        finally:
            queue.put(None)
            teller.join()


def _tell_all(session: Session, queue: SimpleQueue[Began | Outcome | None], file: EventFile) -> None:
    from reconciler.render import text

    screen = replace(session.screen, color=False)
    while (event := queue.get()) is not None:
        try:
            file.add(event)
            if isinstance(event, Outcome):
                session.say(text.outcome_line(event, screen))
        except Exception as error:  # whatever cannot be worded, the apply goes on and is told of at its end
            session.is_unwritten = True
            complain(error, verbose=session.verbose)


def _finish(session: Session, done: Applied, flags: ApplyFlags) -> int:
    """Show how it went; the exit code tells of that, and is 1 where all went well but could not be shown or written."""
    if done.declined:
        session.say("declined: nothing was done")
        return 1
    code = _exit(session, done)
    for note in done.notes:
        session.say(harmless(f"note: {note}"))
    try:
        _show(session, done, flags)
    except Exception as error:  # it is done, however little of it can be shown
        session.is_unwritten = True
        complain(error, verbose=session.verbose)
    if (broken := done.result.broken) is not None:
        complain(broken, verbose=session.verbose)
        return broken.exit_code if isinstance(broken, Fenced) else code or broken.exit_code
    return code or int(session.is_unwritten)


def _show(session: Session, done: Applied, flags: ApplyFlags) -> None:
    plan, outcomes = done.planned.plan, done.result.outcomes
    if flags.html is not None:
        from reconciler.render import html

        stamp = session.stamp_for(plan.project, plan.environment)
        session.write_file(flags.html, html.outcomes(outcomes, plan, stamp))
    from reconciler.render.reasons import words

    for finding in done.planned.refusals:
        session.say(f"blocked [{finding.code}]: {words(finding.why)}")
    if flags.form == "json":
        from reconciler.render import json_

        stamp = session.stamp_for(plan.project, plan.environment)
        session.show(json_.dumps(json_.apply_document(outcomes, stamp)))
    elif done.planned.refusals:
        session.show(render_plan(session, plan, "text"))
        session.say("Nothing was done.")
    elif plan.changes:
        from reconciler.render import text

        session.show(text.outcomes(outcomes, plan, session.screen))
    else:
        session.show(render_plan(session, plan, "text"))


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


class EventFile:
    """Events, appended. A file that can no longer be written ends them, said once, and never the apply."""

    def __init__(self, session: Session, path: Path | None) -> None:
        self._session = session
        self._path = path
        self._file: BinaryIO | None = None

    def __enter__(self) -> EventFile:
        """Open it, before anything is done. Raises UsageError."""
        if self._path is not None:
            try:
                self._file = self._path.open("ab", buffering=0)
            except OSError as error:
                hint = "give --events a file in a folder that is there and may be written"
                raise UsageError(f"{self._path} cannot be written: {error.strerror}", hint=hint) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, event: Began | Outcome) -> None:
        """Write one event, whole or not at all."""
        if self._file is None:
            return
        from reconciler.render import json_

        line = json.dumps(json_.event_object(event), ensure_ascii=False) + "\n"
        content = line.encode("utf-8", "backslashreplace")
        written = 0
        try:
            while written < len(content):
                written += self._file.write(content[written:]) or 0
        except OSError as error:
            self._end(error, written)

    def _end(self, error: OSError, written: int) -> None:
        file, self._file = self._file, None
        assert file is not None
        assert self._path is not None
        try:
            status = os.fstat(file.fileno())
            if written and stat.S_ISREG(status.st_mode):
                file.truncate(status.st_size - written)
            file.close()
        except OSError:
            pass  # it is full or gone: half a line stays
        self._session.fail_to_write(self._path, error, more=". The apply goes on; no more events are written")
