"""`reconciler accept`: hand-made changes into the manifests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.cli.options import pass_session
from reconciler.cli.session import Session, harmless
from reconciler.quantities import counted

if TYPE_CHECKING:
    from reconciler.workflow.accepting import Acceptance

_COLOURS = {"+": "green", "-": "red", "@": "cyan"}
_FEW = 3


@click.command()
@click.argument("addresses", nargs=-1, required=True, metavar="ADDRESS...")
@click.option("--dry-run", is_flag=True, help="Show the edit, and write nothing.")
@pass_session
def accept(session: Session, addresses: tuple[str, ...], *, dry_run: bool) -> int:
    """Take what was changed by hand in ACC into the manifests.

    ADDRESS is an address or a pattern over addresses, as for --only. Of each schedule that drifted, the fields that
    were changed in ACC are written into its block, and shown as a diff; comments and all else in the file stay. Nothing
    is sent, and the next plan has nothing to do for these schedules. To take a change back instead, run `apply`.

    What was changed of a schedule that forEach makes comes into its item, in the manifest or its file of items.
    What is secret is never written. What others share (a variable, an anchor, a key of an item) is left to you: it is
    named with its place. Exit 4 when only a part could be accepted, 3 when nothing could, 1 when ACC could not be
    read.
    """
    from reconciler.workflow import accepting
    from reconciler.workflow.manifest_writing import write_edited

    with session.reading():
        found = accepting.accept(session.context(), addresses)
    if found.patch:
        session.show(_coloured(found.patch) if session.screen.color else found.patch)
    if not dry_run:
        with session.interruptible():  # all is written, or nothing
            write_edited(found.manifests)
    _summarise(session, found, dry_run=dry_run)
    return found.exit_code


def _coloured(patch: str) -> str:
    lines = (
        click.style(line, fg=_COLOURS.get(line[:1]), bold=line.startswith(("diff ", "+++ ", "--- ")))
        for line in harmless(patch.replace("\r\n", "\n").rstrip("\n")).split("\n")
    )
    return "\n".join(lines)


def _summarise(session: Session, found: Acceptance, *, dry_run: bool) -> None:
    for one in found.refused:
        what = f"{one.address}: {one.field}" if one.field else str(one.address)
        session.say(harmless(f"not accepted: {what}: {one.why}"))
    if session.verbose or len(found.in_sync) <= _FEW:
        for address, why in found.in_sync.items():
            session.say(harmless(f"{address}: {why}"))
    elif found.in_sync:
        session.say(f"{counted(len(found.in_sync), 'schedule')} with nothing to accept")
    if not found.accepted:
        return
    if found.environments:
        session.say("note: every environment reads these manifests; what shall differ belongs into its `variables`")
    for address in found.due:
        session.say(harmless(f"note: {address} names an accepted schedule under `changed`, and is due by that"))
    done = f"{counted(len(found.accepted), 'schedule')} in {counted(len(found.manifests), 'file')}"
    if dry_run:
        session.say(f"would accept {done}; nothing was written")
    else:
        session.say(
            f"accepted {done}; next: review and commit it. The next `apply` records it, and sends nothing for it"
        )
