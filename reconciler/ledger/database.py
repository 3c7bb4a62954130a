"""Connections to the ledger's database, alike for SQLite (standard library) and PostgreSQL (psycopg).

Both read the same statements, with parameters written `:name`.
"""

from __future__ import annotations

import contextlib
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from reconciler.errors import LedgerError
from reconciler.ledger.location import Location, as_ledger_error

BUSY_SECONDS = 10.0
"""How long another one's commit is waited for. It takes milliseconds, unless its process hangs in it."""

_CONNECT_SECONDS = "10"
_PARAMETER = re.compile(r":([a-z_]+)")

Value = str | int | float
Parameters = Mapping[str, Value]
Row = tuple[Any, ...]
"""The columns of a row as the database returns them, in the order of the statement."""
Connection: TypeAlias = "SqliteConnection | PostgresConnection"
"""One open connection, for one thread at a time."""


@dataclass(eq=False)
class Database:
    """The database of one ledger, connected when first used, and again after the connection was lost.

    For one thread at a time. Raises LedgerError, with a next step, for whatever the database does not do.
    """

    location: Location
    _connection: Connection | None = None

    @property
    def connection(self) -> Connection:
        """For what takes one statement: PostgreSQL keeps no transaction open behind it."""
        if self._connection is None or self._connection.is_lost:
            with as_ledger_error(self.location):
                self._connection = self._connect()
        return self._connection

    def _connect(self) -> Connection:
        path = self.location.path
        return _writable(path) if path is not None else PostgresConnection(self.location.url)

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """All that is read within is of one moment, whoever writes meanwhile; nothing is written."""
        with as_ledger_error(self.location):
            connection = self.connection
            with connection.snapshot():
                yield connection

    @contextlib.contextmanager
    def transaction(self, *, wait: float = BUSY_SECONDS) -> Iterator[Connection]:
        """One durable transaction. Raises Locked when somebody else has been writing for `wait` seconds."""
        with as_ledger_error(self.location):
            connection = self.connection
            with connection.transaction(wait):
                yield connection

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def connect_sqlite(path: Path, mode: str, *, wait: float) -> sqlite3.Connection:
    """Open a SQLite file that is there, in one of the modes of its URIs; transactions are begun by hand."""
    return sqlite3.connect(
        f"file:{quote(str(path))}?{mode}", uri=True, timeout=wait, isolation_level=None, check_same_thread=False
    )


def _writable(path: Path) -> SqliteConnection:
    # `mode=rw`: a ledger that vanished meanwhile is an error, not a new empty one.
    connection = connect_sqlite(path, "mode=rw", wait=BUSY_SECONDS)
    try:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            # Somebody reads just now, or the file system cannot do it; the rollback journal is slower and as durable.
            if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise
        connection.execute("PRAGMA synchronous=FULL")
    except BaseException:
        connection.close()
        raise
    return SqliteConnection(connection)


class SqliteConnection:
    """A connection to a SQLite file."""

    is_postgres = False
    is_lost = False
    """Whether the server is gone, so that only a new connection can help."""

    def __init__(self, driver: sqlite3.Connection) -> None:
        self._driver = driver

    def execute(self, statement: str, parameters: Parameters | None = None) -> list[Row]:
        """Run one statement; what it returns, if anything."""
        return self._driver.execute(statement, parameters or {}).fetchall()

    def execute_many(self, statement: str, rows: Sequence[Parameters]) -> None:
        """Run one statement that writes, once for each row."""
        self._driver.executemany(statement, rows)

    def select(self, statement: str, parameters: Parameters) -> tuple[tuple[str, ...], Iterator[Row]]:
        """The names of the columns that a SELECT returns, and its rows, however many, a few at a time."""
        cursor = self._driver.execute(statement, parameters)
        return tuple(column[0] for column in cursor.description), cursor

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[None]:
        self._driver.execute("BEGIN")
        try:
            yield
        finally:
            self._driver.execute("ROLLBACK")

    @contextlib.contextmanager
    def transaction(self, wait: float) -> Iterator[None]:
        """What is written within is on disk at its end, or nothing is. Another writer is waited for `wait` seconds."""
        self._driver.execute(f"PRAGMA busy_timeout={int(wait * 1000)}")
        with self._driver:
            self._driver.execute("BEGIN IMMEDIATE")
            yield

    def close(self) -> None:
        self._driver.close()


class PostgresConnection:
    """A connection to a PostgreSQL server. Raises LedgerError where the driver is not installed."""

    is_postgres = True

    def __init__(self, url: str) -> None:
        try:
            import psycopg
            from psycopg.conninfo import make_conninfo
        except ImportError:
            raise LedgerError(
                "a ledger in PostgreSQL needs the driver psycopg", hint="pip install 'acc-mft-reconciler[postgres]'"
            ) from None
        words = make_conninfo(**_connection_parameters(url))
        self._driver = psycopg.connect(words, autocommit=True, prepare_threshold=None)

    @property
    def is_lost(self) -> bool:
        return self._driver.closed

    def execute(self, statement: str, parameters: Parameters | None = None) -> list[Row]:
        cursor = self._driver.execute(_for_psycopg(statement), parameters)
        return cursor.fetchall() if cursor.description else []

    def execute_many(self, statement: str, rows: Sequence[Parameters]) -> None:
        with self._driver.cursor() as cursor:
            cursor.executemany(_for_psycopg(statement), rows)

    def select(self, statement: str, parameters: Parameters) -> tuple[tuple[str, ...], Iterator[Row]]:
        cursor = self._driver.cursor(name="reconciler_rows")
        cursor.execute(_for_psycopg(statement), parameters)
        return tuple(column.name for column in cursor.description or ()), self._fetched(cursor)

    @staticmethod
    def _fetched(cursor: Any) -> Iterator[Row]:
        with cursor:
            yield from cursor

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[None]:
        with self._driver.transaction():
            self.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield

    @contextlib.contextmanager
    def transaction(self, wait: float) -> Iterator[None]:
        with self._driver.transaction():
            # Local to the transaction, since a pooler may hand every transaction another session.
            self.execute(
                "SELECT set_config('synchronous_commit', 'on', true), "
                f"set_config('lock_timeout', '{int(wait * 1000)}ms', true)"
            )
            yield

    def close(self) -> None:
        self._driver.close()


def _connection_parameters(url: str) -> dict[str, str]:
    """A URL taken apart where `location` and `urls` do it too, so that what they hide is what is sent as password."""
    parts = urlsplit(url)
    named = {
        "user": parts.username,
        "password": parts.password,
        "host": parts.hostname,
        "port": parts.port,
        "dbname": parts.path.removeprefix("/"),
    }
    given = {name: unquote(str(value)) for name, value in named.items() if value}
    usual = {"connect_timeout": _CONNECT_SECONDS, "application_name": "reconciler"}
    return usual | given | dict(parse_qsl(parts.query))


@cache
def _for_psycopg(statement: str) -> bytes:
    return _PARAMETER.sub(r"%(\1)s", statement).encode()
