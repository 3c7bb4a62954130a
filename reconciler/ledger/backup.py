"""A consistent copy of a whole ledger as one SQLite file, made while others may write: itself a ledger to go on with.

The copy knows that it is one. Opened as a ledger, it says since when nobody knows what was started, until somebody
accepts it: an old backup starts nothing again by itself.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path

from msgspec import Struct

from reconciler.clock import at_text
from reconciler.errors import UsageError
from reconciler.ledger import statements
from reconciler.ledger.database import Connection
from reconciler.ledger.location import Location, as_ledger_error, locate
from reconciler.ledger.migrations import build_file
from reconciler.ledger.reader import Reader
from reconciler.ledger.row_copy import copy_rows
from reconciler.ledger.scope import Scope, moved


class BackupMade(Struct, frozen=True):
    """What a backup holds: each project with its environments, and how many rows of each table.

    `has_key`: the key of its digests is in it; else it is RECONCILER_KEY.
    """

    scopes: tuple[tuple[str, str], ...]
    rows: Mapping[str, int]
    has_key: bool


def back_up(url: str, project: str, path: Path, *, root: Path, clock: Callable[[], datetime]) -> BackupMade:
    """Copy the ledger, with all projects and environments in it, into a new file for its owner alone.

    Raises UsageError where there is a file already, and LedgerError, also where `project` was moved elsewhere:
    nothing is left behind then.
    """
    source, target = locate(url, root), Location(shown=str(path), path=path)
    if os.path.lexists(path):
        raise _taken(path)
    with closing(Reader(source, beside_writer=False)) as reader:
        # What a move that never ended left is copied, too: where the old ledger is gone, it is all there is.
        if to := Scope(project, "", clock).meta(reader, "moved_to"):
            raise moved(source.shown, to)
        made: list[BackupMade] = []

        def fill(copy: Connection) -> None:
            with reader.snapshot() as connection:
                rows = copy_rows(connection, copy, target, None)
            copy.execute(statements.DROP_ARRIVING)
            scopes = tuple((str(one), str(other)) for one, other in copy.execute(statements.SCOPES))
            own_keys = [_mark(copy, Scope(*one, clock)) for one in scopes]
            made.append(BackupMade(scopes, rows, all(own_keys)))

        with as_ledger_error(target):
            try:
                build_file(path, fill)
            except FileExistsError:
                raise _taken(path) from None
    return made[0]


def _taken(path: Path) -> UsageError:
    return UsageError(f"{path} is there already, and nothing is overwritten", hint="name a file that is not there yet")


def _mark(copy: Connection, scope: Scope) -> bool:
    """Note in a copy that it is one, of now or of its latest entry where clocks differ. Whether its key is in it."""
    latest = str(scope.select(copy, statements.LAST_AT)[0][0] or "")
    scope.write(copy, statements.DROP_META, {"name": "accepted"})
    scope.put_meta(copy, {"restored": max(at_text(scope.clock()), latest)})
    return scope.meta(copy, "key") is not None
