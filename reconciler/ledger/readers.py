"""Reads a ledger without a lock, a migration or a byte written, also from a read-only medium."""

from __future__ import annotations

import sqlite3
import threading
from typing import Protocol

from reconciler.errors import LedgerError
from reconciler.ledger import migrations, statements
from reconciler.ledger.database import BUSY_SECONDS, Connection, Database, Parameters, Row, connect_sqlite
from reconciler.ledger.database_errors import as_ledger_error
from reconciler.ledger.location import Location, not_ours, require_whole, unread_log


class Reader(Protocol):
    """Answers a SELECT with named parameters (`:name`)."""

    def rows(self, statement: str, parameters: Parameters) -> list[Row]: ...

    def close(self) -> None: ...


class SqliteReader:
    """Reads a SQLite ledger through the standard library, which spares a plan the start-up of a database library.

    `beside_writer`: this process has the ledger open for writing. Then its file must not be opened and closed by hand:
    closing it would take SQLite's locks away from the whole process, and another one would throw the log away.
    """

    def __init__(self, location: Location, *, beside_writer: bool = False) -> None:
        self._location = location
        self._beside_writer = beside_writer
        self._guard = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    def rows(self, statement: str, parameters: Parameters) -> list[Row]:
        with self._guard, as_ledger_error(self._location):
            if self._connection is None:
                self._connection = _open_read_only(self._location, is_checked=self._beside_writer)
            return self._connection.execute(statement, parameters).fetchall()

    def close(self) -> None:
        with self._guard:
            if self._connection is not None:
                self._connection.close()
                self._connection = None


class PostgresReader:
    """Reads a PostgreSQL ledger, one statement at a time, each on its own: no transaction stays open behind it."""

    def __init__(self, location: Location) -> None:
        self._database = Database(location)
        # One connection for all that read: the lease is asked before every write, by many threads.
        self._guard = threading.Lock()
        self._version: int | None = None

    def rows(self, statement: str, parameters: Parameters) -> list[Row]:
        with self._guard, as_ledger_error(self._database.location):
            connection = self._database.connection
            if self._version is None:
                self._version = _readable_version(connection, self._database.location)
            # An older ledger is read as it is: the next run that writes brings it up to date, and may come meanwhile.
            return connection.execute(statements.for_version(statement, self._version), parameters)

    def close(self) -> None:
        with self._guard:
            self._database.close()


def _readable_version(connection: Connection, location: Location) -> int:
    if not connection.execute(statements.POSTGRES_META):
        raise absent(location)
    rows = connection.execute(migrations.READ_VERSION)
    version = migrations.version_of(str(rows[0][0] if rows else None), location.shown)
    migrations.require_known(version, location.shown)
    return version


def absent(location: Location) -> LedgerError:
    """There is no ledger at this place."""
    return LedgerError(f"there is no ledger at {location.shown}", hint="the first `reconciler apply` makes one")


def _open_read_only(location: Location, *, is_checked: bool) -> sqlite3.Connection:
    assert location.path is not None
    if not location.path.is_file():
        raise absent(location)
    if not is_checked:
        require_whole(location.path)
    connection = connect_sqlite(location.path, "mode=ro", wait=BUSY_SECONDS)
    try:
        version = _version(connection, location)
    except sqlite3.OperationalError as error:
        connection.close()
        code = error.sqlite_errorcode & 0xFF
        if code not in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY) or unread_log(location.path):
            raise
        # A medium on which not even the log's index can be made; without a log the file alone tells all.
        connection = connect_sqlite(location.path, "immutable=1", wait=BUSY_SECONDS)
        version = _version(connection, location)
    except BaseException:
        connection.close()
        raise
    try:
        migrations.require_known(version, location.shown)
    except LedgerError:
        connection.close()
        raise
    return connection if version == len(migrations.STEPS) else _taken_forward(connection, version)


def _taken_forward(connection: sqlite3.Connection, version: int) -> sqlite3.Connection:
    copy = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
    connection.backup(copy)
    connection.close()
    migrations.migrate(copy.execute, version)
    return copy


def _version(connection: sqlite3.Connection, location: Location) -> int:
    tables = connection.execute(statements.SQLITE_META).fetchall()
    row = connection.execute(migrations.READ_VERSION).fetchone() if tables else None
    if row is None:
        raise not_ours(location)
    return migrations.version_of(row[0], location.shown)
