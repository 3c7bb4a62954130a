"""Where a ledger is, with a form that is safe to print; and what is told, with a next step, when it cannot be used."""

from __future__ import annotations

import contextlib
import re
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from msgspec import Struct

from reconciler.errors import LedgerError, Locked
from reconciler.urls import LEDGER_FORMS, SQLITE, ledger_kind, postgres_url, url_secrets

_HEADER_BYTES = 100
_MAGIC = b"SQLite format 3\x00"

RESTORE = (
    "restore it from a backup; or move it away and apply with `--accept-new-ledger`: schedules are found by their ids, "
    "all else counts as unknown"
)
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


class Location(Struct, frozen=True):
    """A ledger's place. `path` for SQLite; for PostgreSQL `url` (with its password) and no path.

    `shown` is safe to print.
    """

    shown: str
    url: str = ""
    path: Path | None = None

    def __repr__(self) -> str:
        return f"Location({self.shown!r})"


def locate(url: str, root: Path) -> Location:
    """Read a ledger URL; a relative SQLite path counts from `root`. Raises LedgerError for any other kind of URL."""
    if url.startswith(SQLITE):
        text = url.removeprefix(SQLITE)
        if not text or text == ":memory:" or "?" in text:
            raise LedgerError(
                "the ledger needs a file of its own that outlives the run",
                hint="write `ledger: sqlite:///.reconciler/ledger.db`, without parameters",
            )
        # `sqlite:////$PWD/ledger.db` has a slash too many, which SQLite would take for the name of a host.
        text = re.sub("^//+", "/", unquote(text))
        path = root / Path(text).expanduser()
        return Location(shown=str(path), path=path)
    if ledger_kind(url) == "postgresql":
        return Location(shown=_without_password(url), url=postgres_url(url))
    scheme = url.partition(":")[0] if ":" in url else url
    raise LedgerError(
        f"a ledger cannot live in {scheme!r}",
        hint=f"write `ledger:` as {LEDGER_FORMS}",
    )


def require_whole(path: Path) -> None:
    """Refuse a file that is no SQLite database, or that is shorter than its own header says.

    SQLite itself notices a missing page only when it happens to need it. Raises LedgerError; OSError passes through.
    """
    with path.open("rb") as file:
        header = file.read(_HEADER_BYTES)
        size = file.seek(0, 2)
    if size == 0 or (len(header) < _HEADER_BYTES and _MAGIC.startswith(header[: len(_MAGIC)])):
        raise LedgerError(f"the ledger {path} is cut short: {size} bytes are left", hint=RESTORE)
    if not header.startswith(_MAGIC):
        raise LedgerError(f"{path} is not a ledger: it is no SQLite database", hint="check `spec.ledger`")
    page_size = int.from_bytes(header[16:18], "big")
    page_size = 65536 if page_size == 1 else page_size
    pages = int.from_bytes(header[28:32], "big")
    # With a log beside it the file may rightly lag behind; SQLite then knows better than the header.
    if header[24:28] == header[92:96] and size < pages * page_size and not _log_of(path).exists():
        raise LedgerError(
            f"the ledger {path} is cut short: {size} bytes instead of {pages * page_size}",
            hint=RESTORE,
        )


def unread_log(path: Path) -> bool:
    """Whether a write-ahead log with content lies beside the file: a writer is at work, or died."""
    try:
        return _log_of(path).stat().st_size > 0
    except OSError:
        return False


def not_ours(location: Location) -> LedgerError:
    """The database is there, but holds no ledger."""
    return LedgerError(f"{location.shown} is a database, but not a ledger", hint="check `spec.ledger`")


def _log_of(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


def _without_password(url: str) -> str:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
        is_torn = "@" in parts.path + parts.query + parts.fragment
    except ValueError:
        is_torn, host, port = True, "", ""
    if is_torn:  # what a shown URL would end with may be the end of its password
        hint = "postgresql://user:password@host:5432/name, with %2F, %3F, %23 and %40 for / ? # @ in the password"
        raise LedgerError("the ledger's URL cannot be read", hint=hint)
    user = f"{parts.username}@" if parts.username else ""
    return f"postgresql://{user}{host}{port}{parts.path}"


# --- what a database says ----------------------------------------------------------------------------------------


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
    from reconciler.clients.redaction import Redactor

    state = getattr(error, "sqlstate", None) or ""
    text = " ".join(Redactor(url_secrets(location.url))(str(error)).split())
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
