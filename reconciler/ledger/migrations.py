"""The ledger's tables, step by step: each step leads from one schema version to the next, forward only.

The statements are kept as plain SQL that both databases read alike, so that a step never changes after it was released.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from reconciler.errors import LedgerError
from reconciler.ledger.database import Connection
from reconciler.ledger.location import RESTORE
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


def migrate(execute: Callable[[str], object], version: int, steps: Sequence[Sequence[str]] | None = None) -> None:
    """Take a database from `version` to the newest one, inside the caller's transaction."""
    steps = STEPS if steps is None else steps
    if version == len(steps):
        return
    for step in steps[version:]:
        for statement in step:
            execute(statement)
    execute(_DROP_VERSION)
    execute(_WRITE_VERSION.format(len(steps)))


def has_ledger(connection: Connection) -> bool:
    """Whether there are tables of a ledger in this database."""
    return bool(connection.execute(POSTGRES_META if connection.is_postgres else SQLITE_META))


def stored_version(connection: Connection) -> str | None:
    """The schema version as it is written in this database; None where there is none, or no ledger."""
    rows = connection.execute(_READ_VERSION) if has_ledger(connection) else []
    return str(rows[0][0]) if rows else None


def require_known(version: int, shown: str) -> None:
    """Refuse a ledger that a newer program wrote. Raises LedgerError."""
    if version > len(STEPS):
        raise LedgerError(
            f"the ledger {shown} has schema version {version}; this program knows versions up to {len(STEPS)}",
            hint="upgrade reconciler: a newer one has used this ledger already",
        )


def version_of(value: str, shown: str) -> int:
    """The schema version from its text in the ledger. Raises LedgerError when it is none."""
    if not value.isdecimal():
        raise LedgerError(f"the ledger {shown} is damaged: its schema version reads {value!r}", hint=RESTORE)
    return int(value)
