"""Makes a ledger where there is none, brings an older one up to date, and leaves a SQLite ledger as one plain file."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from pathlib import Path

from reconciler.ledger import migrations
from reconciler.ledger.database import Connection, Database, connect_sqlite
from reconciler.ledger.database_errors import as_ledger_error
from reconciler.ledger.location import Location, not_ours, require_whole


def prepare(database: Database) -> None:
    """Make the ledger where there is none, and bring an older one up to date."""
    location = database.location
    with as_ledger_error(location):
        if location.path is not None:
            if not location.path.exists():
                _make_file(location.path)
            require_whole(location.path)
        # Without a lock first, so that a writer that hangs does not hold up who has nothing to change.
        if migrations.stored_version(database.connection) == str(len(migrations.STEPS)):
            return
        with database.transaction() as connection:
            _bring_up_to_date(connection, location)


def _bring_up_to_date(connection: Connection, location: Location) -> None:
    if connection.is_postgres:
        # Two first runs at once would trip over each other's CREATE TABLE; the lock ends with the transaction.
        connection.execute("SELECT pg_advisory_xact_lock(7311894205)")
    value = migrations.stored_version(connection)
    if value is None and (location.path is not None or migrations.has_ledger(connection)):
        raise not_ours(location)
    version = migrations.version_of(value, location.shown) if value is not None else 0
    migrations.require_known(version, location.shown)
    migrations.migrate(connection.execute, version)


def settle_file(location: Location) -> None:
    """Leave a SQLite ledger as one plain file, for read-only media; does nothing while others have it open."""
    if location.path is None:
        return
    with contextlib.suppress(sqlite3.Error):
        connection = connect_sqlite(location.path, "mode=rw", wait=0)
        try:
            connection.execute("PRAGMA journal_mode=DELETE")
        finally:
            connection.close()


def _make_file(path: Path) -> None:
    """Build the new file beside its place and link it there whole, so that nobody ever sees half a ledger."""
    folder = path.parent
    is_ours = not folder.exists() or folder.name == ".reconciler"
    folder.mkdir(parents=True, exist_ok=True)
    ignore = folder / ".gitignore"
    if is_ours and not ignore.exists():
        ignore.write_text("*\n", encoding="utf-8")
    draft = folder / f".{path.name}.{os.getpid()}-{time.monotonic_ns()}"
    os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    try:
        connection = sqlite3.connect(draft, isolation_level=None)
        try:
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("BEGIN IMMEDIATE")
            migrations.migrate(connection.execute, 0)
            connection.execute("COMMIT")
        finally:
            connection.close()
        with contextlib.suppress(FileExistsError):
            _place(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def _place(draft: Path, path: Path) -> None:
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if not path.exists():
            draft.rename(path)
