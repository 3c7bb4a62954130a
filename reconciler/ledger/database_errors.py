"""Turns the exceptions of sqlite3, psycopg and the file system into a LedgerError with a next step."""

from __future__ import annotations

import contextlib
import sqlite3
import sys
from collections.abc import Iterator

from reconciler.errors import LedgerError, Locked
from reconciler.ledger.location import RESTORE, Location
from reconciler.urls import url_secrets

_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_POSTGRES_BUSY = frozenset({"55P03", "40P01"})
_BUSY_HINT = (
    "run the command again when it has finished. A process that hangs in the middle of a write has to be ended: "
    "nobody else can break a lock of the database"
)
_SQLITE_FAULTS: dict[int, tuple[str, str]] = {
    sqlite3.SQLITE_FULL: ("cannot grow: the disk is full", "make room and run the command again"),
    sqlite3.SQLITE_NOTADB: ("is not a ledger: it is no SQLite database", "check `spec.ledger`"),
    sqlite3.SQLITE_CORRUPT: ("is damaged or cut short", RESTORE),
    sqlite3.SQLITE_READONLY: ("is read-only", "make the file and its folder writable for this user"),
    sqlite3.SQLITE_CANTOPEN: ("cannot be opened", "check that the file and its folder may be read and written"),
    sqlite3.SQLITE_PERM: ("may not be opened", "make the file and its folder writable for this user"),
    sqlite3.SQLITE_IOERR: (
        "cannot be read or written",
        "check the disk: it may be full, over its quota, or a network file system without locks",
    ),
}


@contextlib.contextmanager
def as_ledger_error(location: Location) -> Iterator[None]:
    """Turn what a database library or the file system raises into one LedgerError about this ledger."""
    try:
        yield
    except sqlite3.Error as error:
        raise _from_sqlite(error, location) from None
    except OSError as error:
        raise LedgerError(
            f"the ledger {location.shown} cannot be used: {error.strerror or error}",
            hint="check that the file and its folder may be read and written",
        ) from None
    except Exception as error:
        # Only who loaded the driver can meet its errors.
        if (driver := sys.modules.get("psycopg")) is None or not isinstance(error, driver.Error):
            raise
        raise _from_postgres(error, location) from None


def _from_postgres(error: Exception, location: Location) -> LedgerError:
    state = getattr(error, "sqlstate", None) or ""
    text = _one_line(error, location)
    if state.startswith("28") or "authentication failed" in text or "no password supplied" in text:
        return LedgerError(
            f"PostgreSQL does not accept the credential for {location.shown}: {text}",
            hint="check user and password in `spec.ledger`",
        )
    if state in _POSTGRES_BUSY:
        return Locked(f"the ledger {location.shown} is being written by another session", hint=_BUSY_HINT)
    if state == "53100":
        return LedgerError(
            f"the ledger {location.shown} cannot grow: the server's disk is full", hint="make room there"
        )
    if state in ("42501", "25006"):
        return LedgerError(
            f"the ledger {location.shown} may not be written: {text}",
            hint="grant this user CREATE on the schema, and SELECT, INSERT, UPDATE, DELETE on the tables reconciler_*",
        )
    if type(error).__name__ == "OperationalError" or state.startswith(("08", "57")):
        return LedgerError(
            f"the ledger {location.shown} cannot be reached: {text}",
            hint="check host, port and database in `spec.ledger`, and that the server runs",
        )
    return LedgerError(f"the ledger {location.shown} cannot be used: {text}")


def _from_sqlite(error: sqlite3.Error, location: Location) -> LedgerError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in _BUSY:
        return Locked(f"the ledger {location.shown} is being written by another program", hint=_BUSY_HINT)
    what, hint = _SQLITE_FAULTS.get(code, (f"cannot be used: {error}", "run the command again"))
    return LedgerError(f"the ledger {location.shown} {what}", hint=hint)


def _one_line(error: BaseException, location: Location) -> str:
    from reconciler.clients.redaction import Redactor

    return " ".join(Redactor(url_secrets(location.url))(str(error)).split())
