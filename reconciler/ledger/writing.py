"""Connections that may write: SQLAlchemy engines for both databases, and a ledger made where there is none."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from reconciler.errors import LedgerError
from reconciler.ledger import migrations, statements
from reconciler.ledger.database_errors import as_ledger_error
from reconciler.ledger.location import Location, require_whole
from reconciler.ledger.readers import not_ours

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

BUSY_SECONDS = 10.0
"""How long another one's commit is waited for. It takes milliseconds, unless its process hangs in it."""

_CONNECT_SECONDS = 10


def engine_of(location: Location) -> Engine:
    """An engine for this ledger; nothing is opened yet. Raises LedgerError when the driver is not installed."""
    return _sqlite_engine(location.path) if location.path is not None else _postgres_engine(location)


@contextlib.contextmanager
def transaction(engine: Engine, location: Location, *, wait: float = BUSY_SECONDS) -> Iterator[Connection]:
    """One durable transaction: what it wrote is on disk when it ends, or nothing of it happened.

    Raises Locked when somebody else has been writing for `wait` seconds.
    """
    milliseconds = int(wait * 1000)
    with as_ledger_error(location), engine.connect() as connection:
        if location.path is not None:
            driver: Any = connection.connection.driver_connection
            driver.execute(f"PRAGMA busy_timeout={milliseconds}")
        with connection.begin():
            if location.path is None:
                # Local to the transaction, since a pooler may hand every transaction another session.
                connection.exec_driver_sql(
                    "SELECT set_config('synchronous_commit', 'on', true), "
                    f"set_config('lock_timeout', '{milliseconds}ms', true)"
                )
            yield connection


def prepare(engine: Engine, location: Location) -> None:
    """Make the ledger where there is none, and bring an older one up to date."""
    if location.path is not None and not location.path.exists():
        with as_ledger_error(location):
            _make_file(location.path)
    with as_ledger_error(location):
        if location.path is not None:
            require_whole(location.path)
        if _is_up_to_date(engine, location):
            return
        with transaction(engine, location) as connection:
            _bring_up_to_date(connection, location)


def _is_up_to_date(engine: Engine, location: Location) -> bool:
    """Whether there is nothing to make or to change. Takes no lock, so a writer that hangs does not hold it up."""
    if location.path is None:
        with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            if connection.exec_driver_sql(statements.POSTGRES_HAS_LEDGER).scalar() is None:
                return False
            value = connection.exec_driver_sql(migrations.READ_VERSION).scalar()
    else:
        raw = engine.raw_connection()
        try:
            driver: Any = raw.driver_connection
            found = driver.execute("SELECT 1 FROM sqlite_master WHERE name = 'reconciler_meta'").fetchone()
            row = driver.execute(migrations.READ_VERSION).fetchone() if found else None
            value = row[0] if row else None
        finally:
            raw.close()
    return value == str(len(migrations.STEPS))


def settle_file(location: Location) -> None:
    """Leave a SQLite ledger as one plain file, for read-only media; does nothing while others have it open."""
    if location.path is None:
        return
    with contextlib.suppress(sqlite3.Error):
        connection = sqlite3.connect(
            f"file:{quote(str(location.path))}?mode=rw", uri=True, timeout=0, isolation_level=None
        )
        try:
            connection.execute("PRAGMA journal_mode=DELETE")
        finally:
            connection.close()


def _bring_up_to_date(connection: Connection, location: Location) -> None:
    if location.path is None:
        # Two first runs at once would trip over each other's CREATE TABLE; the lock ends with the transaction.
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7311894205)")
        exists = connection.exec_driver_sql(statements.POSTGRES_HAS_LEDGER).scalar() is not None
    else:
        found = connection.exec_driver_sql("SELECT count(*) FROM sqlite_master WHERE name = 'reconciler_meta'")
        exists = bool(found.scalar())
    value = connection.exec_driver_sql(migrations.READ_VERSION).scalar() if exists else None
    if value is None and (exists or location.path is not None):
        raise not_ours(location)
    version = migrations.version_of(str(value), location.shown) if exists else 0
    migrations.require_known(version, location.shown)
    migrations.migrate(connection.exec_driver_sql, version)


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


def _sqlite_engine(path: Path) -> Engine:
    from sqlalchemy import create_engine, event
    from sqlalchemy.pool import QueuePool

    def connect() -> sqlite3.Connection:
        # `mode=rw`: a ledger that vanished meanwhile is an error, not a new empty one.
        connection = sqlite3.connect(
            f"file:{quote(str(path))}?mode=rw",
            uri=True,
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            _use_log(connection)
            connection.execute("PRAGMA synchronous=FULL")
        except BaseException:
            connection.close()
            raise
        return connection

    engine = create_engine("sqlite://", creator=connect, poolclass=QueuePool, pool_size=1, max_overflow=4)

    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    event.listen(engine, "begin", begin)
    return engine


def _use_log(connection: sqlite3.Connection) -> None:
    try:
        connection.execute("PRAGMA journal_mode=WAL")
    except sqlite3.OperationalError as error:
        # Somebody reads just now, or the file system cannot do it; the rollback journal is slower and as durable.
        if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise


def _postgres_engine(location: Location) -> Engine:
    try:
        import psycopg  # noqa: F401  # only to say clearly what is missing
    except ImportError:
        raise LedgerError(
            "a ledger in PostgreSQL needs the driver psycopg", hint="pip install 'acc-mft-reconciler[postgres]'"
        ) from None
    from sqlalchemy import create_engine
    from sqlalchemy.engine import make_url

    arguments: dict[str, Any] = {"prepare_threshold": None, "application_name": "reconciler"}
    with as_ledger_error(location):
        url = make_url(location.url).set(drivername="postgresql+psycopg")
        if "connect_timeout" not in url.query:
            arguments["connect_timeout"] = _CONNECT_SECONDS
        # One connection that writes, and one that reads.
        return create_engine(url, connect_args=arguments, pool_size=2, max_overflow=4, hide_parameters=True)
