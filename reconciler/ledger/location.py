"""Where a ledger is: its URL taken apart, with a form that is safe to print; and whether its file is whole."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from reconciler.errors import LedgerError
from reconciler.urls import LEDGER_FORMS, SQLITE, ledger_kind, postgres_url

_HEADER_BYTES = 100
_MAGIC = b"SQLite format 3\x00"


@dataclass(frozen=True, slots=True)
class Location:
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
        path = root / Path(unquote(text)).expanduser()
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


RESTORE = (
    "restore it from a backup; or move it away and apply with `--accept-new-ledger`: schedules are found by their ids, "
    "all else counts as unknown"
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
