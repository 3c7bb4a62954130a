"""`reconciler ledger`: what is remembered, entry by entry and as a whole."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.options import OutFile, format_option, pass_session
from reconciler.cli.session import Session, harmless, signals
from reconciler.errors import UsageError
from reconciler.quantities import counted

if TYPE_CHECKING:
    from reconciler.workflow.ledger_entries import Forgetting


@click.group()
def ledger() -> None:
    """What is remembered: list it, forget a part of it, move it, back it up."""


@ledger.command("list")
@click.option("--only", "patterns", multiple=True, metavar="PATTERN", help="Only addresses that match. Repeatable.")
@format_option("text", "json")
@pass_session
def list_(session: Session, patterns: tuple[str, ...], form: str) -> None:
    """List what is remembered of this project and environment.

    For every address: owned (a schedule with this project's mark), adopted (declared with its id), attested (accepted
    by ACC, which has no way to read it back) or started; how that is known, since when, and by whom. `-v` adds ids,
    keys and runs. Below them the agents at whose paths this project has written.
    """
    from reconciler.render import json_, ledger_report
    from reconciler.workflow.ledger_entries import contents

    found = contents(session.context(), patterns)
    if form == "json":
        stamp = session.stamp_for(found.project.name, found.project.environment)
        session.show(json_.dumps(ledger_report.document(found.entries, found.agents, found.place, stamp)))
    else:
        page = ledger_report.text(found.entries, found.agents, found.place, session.screen, verbose=session.verbose)
        session.show(page)
    if found.restored:
        session.say(f"note: restored from a backup of {found.restored}; what was done since is not in it")


@ledger.command()
@click.argument("addresses", nargs=-1, required=True, metavar="ADDRESS...")
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_session
def forget(session: Session, addresses: tuple[str, ...], yes: bool) -> int:
    """Remove entries from the ledger. Nothing is sent to a product.

    ADDRESS is an address such as trigger/publish-prices, or a pattern such as 'approval/*'. It says first what follows
    of each, and asks where there is a terminal. A trigger that is forgotten is started again by the next apply that
    finds it declared. Exit 3 for a start whose outcome is unknown: `reconciler resolve` settles it.
    """
    from reconciler.render.reasons import words
    from reconciler.render.wording import blocked_words
    from reconciler.workflow import ledger_entries

    is_literal = not any(set("*?[") & set(address) for address in addresses)

    def confirm(found: Forgetting) -> bool:
        session.say(f"to be forgotten: {counted(len(found.addresses), 'entry', 'entries')}")
        for finding in found.consequences:
            session.say(harmless(f"  {finding.address}: {words(finding.why)}"))
        if yes:
            return True
        if sys.stdin.isatty() and sys.stderr.isatty():
            return _confirmed("Forget this?")
        if is_literal:
            return True
        raise UsageError(
            "there is no terminal to ask on, and a pattern may match more than was meant; nothing was done",
            hint="--yes forgets without asking",
        )

    found = ledger_entries.forget(session.context(), addresses, confirm=confirm)
    for block in found.blocked:
        session.say(harmless(f"blocked [{blocked_words(block)}]: {block.address}: {words(block.why)}"))
    if found.blocked:
        session.say("nothing was forgotten")
        return 3
    if found.declined:
        session.say("declined: nothing was done")
        return 1
    for address in found.addresses:
        session.show(harmless(f"forgotten: {address}"))
    return 0


def _confirmed(question: str) -> bool:
    with signals(signal.default_int_handler):
        answer = click.prompt(f"{question} Only 'yes' will be accepted", default="no", show_default=False, err=True)
    return bool(answer == "yes")


@ledger.command()
@click.argument("file", type=OutFile())
@pass_session
def backup(session: Session, file: Path) -> None:
    """Copy the whole ledger into FILE, whoever writes meanwhile.

    FILE is a SQLite file, also of a ledger in PostgreSQL, and holds every project and environment of that ledger. It
    can be put in the ledger's place, or be named by `ledger: sqlite:///FILE`: it then knows that it is a backup, and
    starts no task that is due until `apply --accept-new-ledger`, or `resolve` for each. Nothing is overwritten.
    """
    from reconciler.workflow.ledger_places import back_up

    _, made = back_up(session.context(), file)
    scopes = ", ".join(f"{project}/{environment}" for project, environment in made.scopes) or "nothing yet"
    counts = f"{counted(made.rows['entries'], 'resource')}, {counted(made.rows['runs'], 'run')}"
    session.show(harmless(f"written: {file} ({counts}; {scopes})"))
    if made.has_key:
        session.say("it holds the key of its digests: keep it as private as the ledger")
    else:
        session.say("the key of its digests is RECONCILER_KEY, which is not in it: keep that as well")


@ledger.command()
@click.option("--to", required=True, metavar="URL", help="sqlite:///PATH or postgresql://USER@HOST/DATABASE.")
@pass_session
def migrate(session: Session, to: str) -> None:
    """Move the ledger to another place, with all that it knows.

    Nothing is lost, nothing is sent, nothing is started. All environments of this project move, with their history,
    open starts and the key of their digests. Nobody can apply meanwhile (exit 6 while somebody does), and the old
    ledger is marked as moved: whoever still uses it is told the new place. Interrupted at any moment, it is ended
    by the same command. A password may stay in the environment: --to takes ${env:NAME} as the project file does.
    Afterwards write the new place as `ledger:` in reconciler.yaml.
    """
    from reconciler.workflow.ledger_places import migrate as move

    with session.interruptible():
        project, found = move(session.context(), to)
    named = ", ".join(f"{project.name}/{environment}" for environment in found.environments)
    if found.was_done:
        session.show(harmless(f"moved before, from {found.source} to {found.target}: {named}"))
    else:
        counts = f"{counted(found.rows['entries'], 'resource')}, {counted(found.rows['runs'], 'run')}"
        session.show(harmless(f"moved from {found.source} to {found.target}: {named} ({counts})"))
    if found.own_keys < len(found.environments):
        session.say("the key of its digests is RECONCILER_KEY: it has to stay as it is wherever the ledger is used")
    session.say("next: write the new place as `ledger:` in reconciler.yaml; the old ledger is marked as moved")
