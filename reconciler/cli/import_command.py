"""`reconciler import`: manifests of live schedules."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.options import pass_session
from reconciler.cli.session import Session, harmless
from reconciler.errors import ManifestError
from reconciler.quantities import counted


@click.command(name="import")
@click.option("--agent", "agents", multiple=True, required=True, metavar="PATH", help="Path in ACC. Repeatable.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="Default: manifests.")
@pass_session
def import_(session: Session, agents: tuple[str, ...], out: Path | None) -> int:
    """Write manifests of live schedules, each with its id.

    The next apply of what was imported makes no change to ACC, and records it in the ledger.
    """
    from reconciler.workflow import importing

    context = session.context()
    with session.reading():
        imported = importing.import_agents(context, agents, out or context.root / "manifests")
    importing.write(imported)
    for one in imported:
        session.show(f"wrote {one.path}: {counted(one.schedules, 'schedule')}")
        for note in one.notes:
            session.say(harmless(f"note: {note}"))
    unreached, errors = importing.unseen(context, imported)
    for path in unreached:
        session.say(f"note: {path} matches no pattern of spec.manifests in reconciler.yaml: move it, or add a pattern")
    if errors:
        raise ManifestError(errors)
    session.say("next: `reconciler plan`, which has no remote change, and then `reconciler apply`")
    return 0
