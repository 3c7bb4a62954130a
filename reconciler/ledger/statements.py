"""The ledger's SQL, in words that both databases read alike; columns stand in the order in which they are unpacked."""

# ruff: noqa: S608 - put together from words of this file alone; values are parameters

from __future__ import annotations

from collections.abc import Sequence

_ENTRY = "identity, agent_path, declared, applied, settled, protect, adopted, needs, facts, at, agent_id, known_as"
_RUN = (
    "id, owner_user, owner_host, owner_pid, ci_link, source_commit, plan_digest, command, started, finished, "
    "result, summary"
)
_EVENT = "seq, at, run, kind, address, body, previous, hash"
_LEASE = "fencing, held, owner_user, owner_host, owner_pid, ci_link, trace, since, heartbeat, ttl"
_HERE = "WHERE project = :project AND environment = :environment"


def _insert(table: str, columns: str) -> str:
    values = ", ".join(f":{column}" for column in columns.split(", "))
    return f"INSERT INTO reconciler_{table} (project, environment, {columns}) VALUES (:project, :environment, {values})"


def _upsert(table: str, key: str, others: str) -> str:
    """Insert a row, or write all but its key over the one that is there."""
    taken = ", ".join(f"{column} = excluded.{column}" for column in others.split(", "))
    insert = _insert(table, f"{key}, {others}")
    return f"{insert} ON CONFLICT (project, environment, {key}) DO UPDATE SET {taken}"


ENTRIES = f"SELECT address, {_ENTRY} FROM reconciler_entries {_HERE} ORDER BY address"
AGENTS = f"SELECT path, handle, agent_id FROM reconciler_agents {_HERE} ORDER BY path"
NEIGHBOURS = (
    "SELECT DISTINCT project, environment FROM reconciler_agents "
    "WHERE NOT (project = :project AND environment = :environment) ORDER BY project, environment"
)
IDS_OF_ENVIRONMENTS = (
    "SELECT environment, identity, agent_path FROM reconciler_entries "
    "WHERE project = :project AND environment <> :environment AND adopted = 1 AND identity <> '' "
    "ORDER BY environment, identity"
)
META = f"SELECT value FROM reconciler_meta {_HERE} AND name = :name"
USED_PLAN = f"SELECT run FROM reconciler_used_plans {_HERE} AND plan_digest = :plan_digest"
RUNS = f"SELECT {_RUN} FROM reconciler_runs {_HERE} ORDER BY number DESC LIMIT :limit"
LAST_EVENTS = f"SELECT {_EVENT} FROM reconciler_events {_HERE} ORDER BY seq DESC LIMIT :limit"
NEXT_EVENTS = f"SELECT {_EVENT} FROM reconciler_events {_HERE} AND seq > :seq ORDER BY seq LIMIT :limit"
LAST_RUNS = (
    "SELECT f.address, f.run FROM (SELECT address, MAX(seq) AS seq FROM reconciler_events "
    f"{_HERE} AND (kind = 'outcome' OR (kind = 'put' AND run IN (SELECT id FROM reconciler_runs {_HERE} "
    "AND command = 'resolve'))) GROUP BY address) last JOIN reconciler_events f "
    "ON f.project = :project AND f.environment = :environment AND f.seq = last.seq"
)
"""For each address the run that last told of it: what a run only noted beside its changes does not count."""
LEASE = f"SELECT {_LEASE} FROM reconciler_lease {_HERE}"

MOVES = (
    "SELECT name, value FROM reconciler_meta WHERE project = :project AND environment = '' "
    "AND name IN ('moved_to', 'arriving') ORDER BY name"
)
"""What is noted of a project as a whole, where it went to another ledger or is on its way here."""
ENVIRONMENTS = (
    "SELECT DISTINCT environment FROM reconciler_meta WHERE project = :project AND environment <> '' "
    "ORDER BY environment"
)
SCOPES = (
    "SELECT DISTINCT project, environment FROM reconciler_meta WHERE environment <> '' ORDER BY project, environment"
)
REMEMBERS = " UNION ALL ".join(
    f"SELECT 1 FROM reconciler_{table} WHERE project = :project{and_so}"
    for table, and_so in (
        ("meta", " AND name IN ('accepted', 'lost', 'restored')"),
        *((table, "") for table in ("entries", "agents", "runs", "events", "used_plans")),
    )
)
"""A row for each thing that is remembered of a project: none where only a key was made for it."""
LAST_AT = f"SELECT MAX(at) FROM reconciler_entries {_HERE}"
COPIED_TABLES = ("meta", "entries", "agents", "runs", "events", "used_plans")
"""All but the lease, which belongs to whoever holds it where it is."""

PUT_META = _upsert("meta", "name", "value")
PUT_ENTRY = _upsert("entries", "address", _ENTRY)
PUT_AGENT = _upsert("agents", "path", "handle, agent_id")
PUT_RUN = _upsert("runs", "number", _RUN)
USE_PLAN = _upsert("used_plans", "plan_digest", "run, at")
ADD_EVENT = _insert("events", _EVENT)
"""Plainly: an event that is there already is damage, and never to be passed over."""
ADD_LEASE = (
    f"INSERT INTO reconciler_lease (project, environment, {_LEASE}) "
    "VALUES (:project, :environment, 0, 0, '', '', 0, '', '', '', 0, 0) ON CONFLICT DO NOTHING"
)
DROP_META = f"DELETE FROM reconciler_meta {_HERE} AND name = :name"
DROP_ARRIVING = "DELETE FROM reconciler_meta WHERE project <> '' AND environment = '' AND name = 'arriving'"
FORGET_ENTRY = f"DELETE FROM reconciler_entries {_HERE} AND address = :address"
FORGET_AGENT = (
    f"DELETE FROM reconciler_agents {_HERE} AND path = :path "
    f"AND NOT EXISTS (SELECT 1 FROM reconciler_entries {_HERE} AND agent_path = :path)"
)
END_RUN = f"UPDATE reconciler_runs SET finished = :finished, result = :result, summary = :summary {_HERE} AND id = :run"
TAKE_LEASE = (
    "UPDATE reconciler_lease SET fencing = :fencing, held = 1, owner_user = :owner_user, owner_host = :owner_host, "
    "owner_pid = :owner_pid, ci_link = :ci_link, trace = :trace, since = :since, heartbeat = :heartbeat, ttl = :ttl "
    f"{_HERE}"
)
RENEW_LEASE = f"UPDATE reconciler_lease SET heartbeat = :heartbeat {_HERE}"
RELEASE_LEASE = f"UPDATE reconciler_lease SET held = 0 {_HERE}"
BREAK_LEASE = f"UPDATE reconciler_lease SET held = 0, fencing = fencing + 1 {_HERE}"
POSTGRES_NOW = "SELECT CAST(extract(epoch FROM clock_timestamp()) AS double precision)"
"""Seconds since 1970 by the server's clock."""
POSTGRES_LEASE = LEASE.replace(" FROM ", f", ({POSTGRES_NOW}) FROM ", 1)
"""The lease and the moment at which it was read, in one question."""
SQLITE_META = "SELECT 1 FROM sqlite_master WHERE name = 'reconciler_meta'"
POSTGRES_META = "SELECT 1 FROM pg_class WHERE relname = 'reconciler_meta' AND pg_table_is_visible(oid)"
"""Not `to_regclass`: a session that looked before and found nothing goes on to find nothing until its transaction ends,
although another one has made the table meanwhile."""

_ADDED_IN = {
    2: (
        (", agent_id, known_as FROM reconciler_entries", ", '', '' FROM reconciler_entries"),
        (", agent_id FROM reconciler_agents", ", '' FROM reconciler_agents"),
    ),
}
"""What each schema version added that is read, as it reads where it is not there yet."""


def for_version(statement: str, version: int) -> str:
    """A SELECT as it reads a database of this schema version, with the defaults of what later versions added."""
    for added, words in _ADDED_IN.items():
        for new, old in words if added > version else ():
            statement = statement.replace(new, old)
    return statement


def all_of(table: str, project: str | None) -> str:
    """All rows of a table, those of one project where one is named; the schema's own version is not among them."""
    whose = "project = :project" if project is not None else "project <> ''"
    return f"SELECT * FROM reconciler_{table} WHERE {whose}"


def drop_all(table: str) -> str:
    """Remove all rows of one project from a table."""
    return f"DELETE FROM reconciler_{table} WHERE project = :project"


def insert_all(table: str, columns: Sequence[str]) -> str:
    """Add rows with these columns to a table; what a later schema version added has its default."""
    values = ", ".join(f":{column}" for column in columns)
    return f"INSERT INTO reconciler_{table} ({', '.join(columns)}) VALUES ({values})"
