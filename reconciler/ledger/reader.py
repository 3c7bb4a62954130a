"""Reads a ledger without a lock, a migration or a byte written, also from a read-only medium."""

from __future__ import annotations

import sqlite3
import threading

from reconciler.errors import LedgerError
from reconciler.ledger import migrations, statements
from reconciler.ledger.database import (
    BUSY_SECONDS,
    Connection,
    Database,
    Parameters,
    PostgresConnection,
    Row,
    SqliteConnection,
    connect_sqlite,
)
from reconciler.ledger.location import Location, as_ledger_error, not_ours, require_whole, unread_log


class Reader(Database):
    """Answers SELECTs, each on its own: no transaction stays open behind it. Threads may share it.

    `beside_writer`: this process has the ledger open for writing. Then a SQLite file must not be opened and closed by
    hand: closing it would take SQLite's locks away from the whole process, and another one would throw the log away.
    """

    def __init__(self, location: Location, *, beside_writer: bool) -> None:
        super().__init__(location)
        self._beside_writer = beside_writer
        # One connection for all that read: the lease is asked before every write, by many threads.
        self._guard = threading.Lock()
        self._version = 0

    def execute(self, statement: str, parameters: Parameters) -> list[Row]:
        with self._guard, as_ledger_error(self.location):
            connection = self.connection
            # An older ledger is read as it is: the next run that writes brings it up to date, and may come meanwhile.
            return connection.execute(statements.for_version(statement, self._version), parameters)

    def close(self) -> None:
        with self._guard:
            super().close()

    def _connect(self) -> Connection:
        location, connection = self.location, self._open()
        try:
            if connection.is_postgres and not migrations.has_ledger(connection):
                raise _absent(location)
            if (version := migrations.known_version(connection, location)) is None:
                raise not_ours(location)
            self._version = version
        except BaseException:
            connection.close()
            raise
        return connection

    def _open(self) -> Connection:
        path = self.location.path
        if path is None:
            return PostgresConnection(self.location.url)
        if not path.is_file():
            raise _absent(self.location)
        if not self._beside_writer:
            require_whole(path)
        connection = SqliteConnection(connect_sqlite(path, "mode=ro", wait=BUSY_SECONDS))
        try:
            migrations.has_ledger(connection)
        except sqlite3.OperationalError as error:
            connection.close()
            code = error.sqlite_errorcode & 0xFF
            if code not in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY) or unread_log(path):
                raise
            # A medium on which not even the log's index can be made; without a log the file alone tells all.
            connection = SqliteConnection(connect_sqlite(path, "immutable=1", wait=BUSY_SECONDS))
        except BaseException:
            connection.close()
            raise
        return connection


def _absent(location: Location) -> LedgerError:
    return LedgerError(f"there is no ledger at {location.shown}", hint="the first `reconciler apply` makes one")
