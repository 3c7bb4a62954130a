"""The tables as SQLAlchemy Core knows them, for writing; `migrations` makes them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Column, Double, Integer, MetaData, Table, Text
from sqlalchemy.sql.dml import Insert

METADATA = MetaData()
_SCOPE = ("project", "environment")


_RUN_TEXTS = (
    "id",
    "owner_user",
    "owner_host",
    "ci_link",
    "source_commit",
    "plan_digest",
    "command",
    "started",
    "finished",
    "result",
    "summary",
)


def _table(name: str, keys: Sequence[str], texts: Sequence[str], others: Sequence[Column[Any]] = ()) -> Table:
    columns: list[Column[Any]] = [Column(key, Text, primary_key=True) for key in (*_SCOPE, *keys)]
    columns += [Column(text, Text, nullable=False) for text in texts]
    return Table(f"reconciler_{name}", METADATA, *columns, *others)


META = _table("meta", ["name"], ["value"])
ENTRIES = _table(
    "entries",
    ["address"],
    ["identity", "agent_path", "declared", "applied", "needs", "facts", "at", "agent_id", "known_as"],
    [Column(name, Integer, nullable=False) for name in ("settled", "protect", "adopted")],
)
AGENTS = _table("agents", ["path"], ["handle", "agent_id"])
RUNS = _table(
    "runs",
    [],
    _RUN_TEXTS,
    [Column("number", BigInteger, primary_key=True), Column("owner_pid", BigInteger, nullable=False)],
)
EVENTS = _table(
    "events",
    [],
    ["at", "run", "kind", "address", "body", "previous", "hash"],
    [Column("seq", BigInteger, primary_key=True)],
)
LEASE = _table(
    "lease",
    [],
    ["owner_user", "owner_host", "ci_link", "trace", "since"],
    [Column("fencing", BigInteger, nullable=False), Column("owner_pid", BigInteger, nullable=False)]
    + [Column("held", Integer, nullable=False)]
    + [Column(name, Double, nullable=False) for name in ("heartbeat", "ttl")],
)
USED_PLANS = _table("used_plans", ["plan_digest"], ["run", "at"])


@cache
def upsert(table: Table, dialect: str) -> Insert:
    """INSERT that replaces the other columns of a row that is there already."""
    statement = _insert(table, dialect)
    others = {column.name: statement.excluded[column.name] for column in table.columns if not column.primary_key}
    return statement.on_conflict_do_update(index_elements=list(table.primary_key.columns), set_=others)  # type: ignore[no-any-return]  # typed alike in both dialects


@cache
def insert_if_absent(table: Table, dialect: str) -> Insert:
    """INSERT that leaves a row alone that is there already."""
    return _insert(table, dialect).on_conflict_do_nothing()  # type: ignore[no-any-return]  # typed alike in both dialects


def _insert(table: Table, dialect: str) -> Any:
    if dialect == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as postgres_insert

        return postgres_insert(table)
    from sqlalchemy.dialects.sqlite import insert as sqlite_insert

    return sqlite_insert(table)
