"""Copies what a database holds of one project, or of all, row by row into another: SQLite or PostgreSQL, either way.

Rows go as they are: digests, the key that sealed them, the journal with its chain. Only leases stay behind.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping

from reconciler.ledger import statements
from reconciler.ledger.database import Connection
from reconciler.ledger.location import Location, as_ledger_error

_ROWS_AT_A_TIME = 1000


def copy_rows(read: Connection, write: Connection, target: Location, project: str | None) -> Mapping[str, int]:
    """Copy all rows of a project, of all where it is None; how many of each table. Both are in a transaction.

    `write` is a connection to `target`, whose errors are told as such. The one that is read may be of an earlier schema
    version.
    """
    counts = {}
    for table in statements.COPIED_TABLES:
        whose = {} if project is None else {"project": project}
        columns, rows = read.select(statements.all_of(table, project), whose)
        insert = statements.insert_all(table, columns)
        counts[table] = 0
        while some := list(itertools.islice(rows, _ROWS_AT_A_TIME)):
            with as_ledger_error(target):
                write.execute_many(insert, [dict(zip(columns, row, strict=True)) for row in some])
            counts[table] += len(some)
    return counts


def drop_rows(connection: Connection, project: str) -> None:
    """Remove all that is copied of a project."""
    for table in statements.COPIED_TABLES:
        connection.execute(statements.drop_all(table), {"project": project})
