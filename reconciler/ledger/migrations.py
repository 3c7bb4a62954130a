"""The ledger's tables, step by step: each step leads from one schema version to the next, forward only.

Makes a ledger where there is none, brings an older one up to date, and leaves a SQLite ledger as one plain file. The
statements are kept as plain SQL that both databases read alike, so that a step never changes after it was released.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from reconciler.errors import LedgerError
from reconciler.ledger.database import Connection, Database, SqliteConnection, connect_sqlite
from reconciler.ledger.location import RESTORE, Location, as_ledger_error, not_ours, require_whole
from reconciler.ledger.statements import POSTGRES_META, SQLITE_META

_SCOPE = "project TEXT NOT NULL, environment TEXT NOT NULL"

_FIRST: tuple[str, ...] = (
    f"CREATE TABLE reconciler_meta ({_SCOPE}, name TEXT NOT NULL, value TEXT NOT NULL, "
    "PRIMARY KEY (project, environment, name))",
    f"CREATE TABLE reconciler_entries ({_SCOPE}, address TEXT NOT NULL, identity TEXT NOT NULL, "
    "agent_path TEXT NOT NULL, declared TEXT NOT NULL, applied TEXT NOT NULL, settled INTEGER NOT NULL, "
    "protect INTEGER NOT NULL, adopted INTEGER NOT NULL, needs TEXT NOT NULL, facts TEXT NOT NULL, at TEXT NOT NULL, "
    "PRIMARY KEY (project, environment, address))",
    f"CREATE TABLE reconciler_agents ({_SCOPE}, path TEXT NOT NULL, handle TEXT NOT NULL, "
    "PRIMARY KEY (project, environment, path))",
    f"CREATE TABLE reconciler_runs ({_SCOPE}, number BIGINT NOT NULL, id TEXT NOT NULL, owner_user TEXT NOT NULL, "
    "owner_host TEXT NOT NULL, owner_pid BIGINT NOT NULL, ci_link TEXT NOT NULL, source_commit TEXT NOT NULL, "
    "plan_digest TEXT NOT NULL, command TEXT NOT NULL, started TEXT NOT NULL, finished TEXT NOT NULL, "
    "result TEXT NOT NULL, summary TEXT NOT NULL, PRIMARY KEY (project, environment, number))",
    f"CREATE TABLE reconciler_events ({_SCOPE}, seq BIGINT NOT NULL, at TEXT NOT NULL, run TEXT NOT NULL, "
    "kind TEXT NOT NULL, address TEXT NOT NULL, body TEXT NOT NULL, previous TEXT NOT NULL, hash TEXT NOT NULL, "
    "PRIMARY KEY (project, environment, seq))",
    f"CREATE TABLE reconciler_lease ({_SCOPE}, fencing BIGINT NOT NULL, held INTEGER NOT NULL, "
    "owner_user TEXT NOT NULL, owner_host TEXT NOT NULL, owner_pid BIGINT NOT NULL, ci_link TEXT NOT NULL, "
    "trace TEXT NOT NULL, since TEXT NOT NULL, heartbeat DOUBLE PRECISION NOT NULL, ttl DOUBLE PRECISION NOT NULL, "
    "PRIMARY KEY (project, environment))",
    f"CREATE TABLE reconciler_used_plans ({_SCOPE}, plan_digest TEXT NOT NULL, run TEXT NOT NULL, at TEXT NOT NULL, "
    "PRIMARY KEY (project, environment, plan_digest))",
)

_AGENT_IDS: tuple[str, ...] = (
    "ALTER TABLE reconciler_entries ADD COLUMN agent_id TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE reconciler_entries ADD COLUMN known_as TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE reconciler_agents ADD COLUMN agent_id TEXT NOT NULL DEFAULT ''",
)

STEPS: tuple[tuple[str, ...], ...] = (_FIRST, _AGENT_IDS)
"""`STEPS[n]` leads from version n to n + 1; version 0 is a database without tables of ours."""

_READ_VERSION = "SELECT value FROM reconciler_meta WHERE project = '' AND environment = '' AND name = 'schema_version'"
_WRITE_VERSION = (
    "INSERT INTO reconciler_meta (project, environment, name, value) VALUES ('', '', 'schema_version', '{}')"
)
_DROP_VERSION = "DELETE FROM reconciler_meta WHERE project = '' AND environment = '' AND name = 'schema_version'"


def prepare(database: Database) -> None:
    """Make the ledger where there is none, and bring an older one up to date."""
    location = database.location
    with as_ledger_error(location):
        if location.path is not None:
            if not location.path.exists():
                _make_file(location.path)
            require_whole(location.path)
        # Without a lock first, so that a writer that hangs does not hold up who has nothing to change.
        if known_version(database.connection, location) == len(STEPS):
            return
        with database.transaction() as connection:
            if connection.is_postgres:
                # Two first runs at once would trip over each other's CREATE TABLE; the lock ends with the transaction.
                connection.execute("SELECT pg_advisory_xact_lock(7311894205)")
            version = known_version(connection, location)
            if version is None and (location.path is not None or has_ledger(connection)):
                raise not_ours(location)
            migrate(connection.execute, version or 0)


def migrate(execute: Callable[[str], object], version: int) -> None:
    """Take a database from `version` to the newest one, inside the caller's transaction."""
    if version == len(STEPS):
        return
    for step in STEPS[version:]:
        for statement in step:
            execute(statement)
    execute(_DROP_VERSION)
    execute(_WRITE_VERSION.format(len(STEPS)))


def is_there(location: Location) -> bool:
    """Whether there is a ledger at this place. For SQLite a look at the file; for PostgreSQL a question to it."""
    if location.path is not None:
        with as_ledger_error(location):
            return location.path.exists()
    with contextlib.closing(Database(location)) as database, as_ledger_error(location):
        return has_ledger(database.connection)


def has_ledger(connection: Connection) -> bool:
    """Whether there are tables of a ledger in this database."""
    return bool(connection.execute(POSTGRES_META if connection.is_postgres else SQLITE_META))


def known_version(connection: Connection, location: Location) -> int | None:
    """The schema version of this database; None where there is none, or no ledger.

    Raises LedgerError when it is damaged, or of a ledger that a newer program wrote.
    """
    rows = connection.execute(_READ_VERSION) if has_ledger(connection) else []
    if not rows:
        return None
    value = str(rows[0][0])
    if not value.isdecimal():
        raise LedgerError(f"the ledger {location.shown} is damaged: its schema version reads {value!r}", hint=RESTORE)
    if int(value) > len(STEPS):
        raise LedgerError(
            f"the ledger {location.shown} has schema version {value}; this program knows versions up to {len(STEPS)}",
            hint="upgrade reconciler: a newer one has used this ledger already",
        )
    return int(value)


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
    with contextlib.suppress(FileExistsError):
        build_file(path, lambda _: None)


def build_file(path: Path, fill: Callable[[SqliteConnection], object]) -> None:
    """Build a ledger of this version beside `path`, `fill` it, and link it to its place whole, for its owner alone.

    Raises FileExistsError where somebody else has a file there by then: it stays as it is.
    """
    draft = path.parent / f".{path.name}.{os.getpid()}-{time.monotonic_ns()}"
    os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    try:
        driver = sqlite3.connect(draft, isolation_level=None)
        try:
            driver.execute("PRAGMA synchronous=FULL")
            driver.execute("BEGIN IMMEDIATE")
            migrate(driver.execute, 0)
            fill(SqliteConnection(driver))
            driver.execute("COMMIT")
        finally:
            driver.close()
        _place(draft, path)
    finally:
        draft.unlink(missing_ok=True)
        draft.with_name(draft.name + "-journal").unlink(missing_ok=True)


def _place(draft: Path, path: Path) -> None:
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if path.exists():
            raise FileExistsError(path) from None
        draft.rename(path)
