"""`reconciler import`: manifests of live schedules."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.options import pass_session
from reconciler.cli.session import Session, harmless
from reconciler.errors import ManifestError, UsageError
from reconciler.quantities import counted

if TYPE_CHECKING:
    from reconciler.workflow.importing import Asked, Imported


@click.command(name="import")
@click.option("--agent", "agents", multiple=True, metavar="PATH", help="Path in ACC. Repeatable.")
@click.option(
    "--agents-from",
    "lists",
    multiple=True,
    metavar="FILE",
    help="Paths in ACC, one a line; lines that begin with # are skipped. - for stdin.",
)
@click.option("--update", is_flag=True, help="Add to documents that are there what they lack, comments and all.")
@click.option("--factor", is_flag=True, help="Write what agents have in common once: templates, and a table of items.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="Default: manifests.")
@pass_session
def import_(
    session: Session, agents: tuple[str, ...], lists: tuple[str, ...], out: Path | None, *, update: bool, factor: bool
) -> int:
    """Write manifests of live schedules, each with its id, named after when they run.

    The next apply of what was imported makes no change to ACC, and records it in the ledger. An agent that is declared
    already is left alone, or gets what its document lacks (--update). An agent that cannot be read is named, and the
    others are written (exit 1).
    """
    from reconciler.workflow import importing

    asked = list(_asked(agents, lists))
    context = session.context()
    with session.reading():
        folder = out or context.root / "manifests"
        imported = importing.import_agents(context, asked, folder, update=update, factor=factor)
    if imported.is_nothing_to_do and not lists and not update:
        hint = "leave it out; or add what its document lacks, with --update"
        raise UsageError("\n".join(imported.declared), hint=hint)
    with session.interruptible():  # all is written, or nothing
        importing.write(context, imported)
    for one in imported.files:
        session.show(f"wrote {one.path}: {one.holds}")
    for more in imported.updates:
        session.show(f"updated {more.path}: {counted(more.schedules, 'schedule')} added")
    _summarise(session, imported)
    unreached, errors = importing.unseen(context, imported.files)
    if unreached:
        what = (
            f"{unreached[0]} matches" if len(unreached) == 1 else f"{unreached[0]} and {len(unreached) - 1} more match"
        )
        session.say(f"note: {what} no pattern of spec.manifests in reconciler.yaml: move it, or add a pattern")
    if errors:
        raise ManifestError(errors)
    imported.require_all()
    if imported.declared and not update:
        session.say("next: `--update` adds what the documents of declared agents lack")
    if imported.files or imported.updates:
        promise = "" if imported.inherited else ", which has no remote change,"
        session.say(f"next: `reconciler plan`{promise} and then `reconciler apply`")
    return 0


def _asked(agents: tuple[str, ...], lists: tuple[str, ...]) -> Iterator[Asked]:
    """The agents that are asked for. Raises UsageError where there are none, or a list cannot be read."""
    from reconciler.files import MANIFEST_BYTES, read_regular
    from reconciler.workflow.importing import Asked, listed

    if not agents and not lists:
        raise UsageError("no agent is named", hint="give --agent PATH, or --agents-from FILE with one path a line")
    yield from map(Asked, agents)
    for name in lists:
        shown = "stdin" if name == "-" else name
        try:
            data = _stdin() if name == "-" else read_regular(Path(name), MANIFEST_BYTES)
        except OSError as error:
            why = error.strerror or error
            raise UsageError(f"{name} cannot be read: {why}", hint="name a file with one path a line") from error
        found = list(listed(data, shown))
        if not found:
            raise UsageError(f"{shown} names no agent", hint="write one path a line")
        yield from found


def _stdin() -> bytes:
    binary = getattr(sys.stdin, "buffer", None)
    return binary.read() if binary is not None else sys.stdin.read().encode()


def _summarise(session: Session, imported: Imported) -> None:
    from reconciler.workflow.importing import notes

    if imported.asked > 1:
        schedules = sum(one.schedules for one in imported.files)
        added = sum(one.schedules for one in imported.updates)
        parts = (
            (len(imported.agents), f"written with {counted(schedules, 'schedule')}"),
            (imported.updated, f"updated with {counted(added, 'schedule')}"),
            (imported.complete, "complete already"),
            (len(imported.declared), "declared already"),
            (len(imported.unread), "not read"),
            (len(imported.unedited), "not updated"),
            (len(imported.withheld), "not imported"),
            (len(imported.refused), "refused"),
        )
        said = [f"{number:,} {what}" for number, what in parts if number]
        lines = sum(one.text.count("\n") for one in imported.files if one.path.suffix == ".yaml")
        said += [f"{counted(lines, 'line')} of YAML"] * (lines > 0)
        session.say(f"{counted(imported.asked, 'agent')}: {', '.join(said)}")
    elif imported.complete:
        session.say("the document lacks nothing that can be written")
    for note in (*imported.told(in_full=session.verbose), *notes(imported.findings, in_full=session.verbose)):
        session.say(harmless(f"note: {note}"))
