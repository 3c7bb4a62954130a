"""`reconciler ledger`: what is remembered, entry by entry and as a whole."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING

import click

from reconciler.cli.options import format_option, pass_session
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
        session.say(harmless(f"blocked [{block.reason}]: {block.address}: {words(block.why)}"))
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
