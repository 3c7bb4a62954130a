"""The ledger's SQL, in words that both databases read alike; columns stand in the order in which they are unpacked."""

from __future__ import annotations

ENTRIES = (
    "SELECT address, identity, agent_path, declared, applied, settled, protect, adopted, needs, facts, at, agent_id, "
    "known_as FROM reconciler_entries WHERE project = :project AND environment = :environment ORDER BY address"
)
AGENTS = (
    "SELECT path, handle, agent_id FROM reconciler_agents "
    "WHERE project = :project AND environment = :environment ORDER BY path"
)
NEIGHBOURS = (
    "SELECT DISTINCT project, environment FROM reconciler_agents "
    "WHERE NOT (project = :project AND environment = :environment) ORDER BY project, environment"
)
META = "SELECT value FROM reconciler_meta WHERE project = :project AND environment = :environment AND name = :name"
USED_PLAN = (
    "SELECT run FROM reconciler_used_plans "
    "WHERE project = :project AND environment = :environment AND plan_digest = :plan_digest"
)
RUNS = (
    "SELECT id, owner_user, owner_host, owner_pid, ci_link, source_commit, plan_digest, command, started, finished, "
    "result, summary FROM reconciler_runs "
    "WHERE project = :project AND environment = :environment ORDER BY number DESC LIMIT :limit"
)
LAST_EVENTS = (
    "SELECT seq, at, run, kind, address, body, previous, hash FROM reconciler_events "
    "WHERE project = :project AND environment = :environment ORDER BY seq DESC LIMIT :limit"
)
NEXT_EVENTS = (
    "SELECT seq, at, run, kind, address, body, previous, hash FROM reconciler_events "
    "WHERE project = :project AND environment = :environment AND seq > :seq ORDER BY seq LIMIT :limit"
)
LEASE = (
    "SELECT fencing, held, owner_user, owner_host, owner_pid, ci_link, trace, since, heartbeat, ttl "
    "FROM reconciler_lease WHERE project = :project AND environment = :environment"
)
FORGET_ENTRY = (
    "DELETE FROM reconciler_entries WHERE project = :project AND environment = :environment AND address = :address"
)
FORGET_AGENT = (
    "DELETE FROM reconciler_agents WHERE project = :project AND environment = :environment AND path = :path "
    "AND NOT EXISTS (SELECT 1 FROM reconciler_entries "
    "WHERE project = :project AND environment = :environment AND agent_path = :path)"
)
END_RUN = (
    "UPDATE reconciler_runs SET finished = :finished, result = :result, summary = :summary "
    "WHERE project = :project AND environment = :environment AND id = :run"
)
TAKE_LEASE = (
    "UPDATE reconciler_lease SET fencing = :fencing, held = 1, owner_user = :owner_user, owner_host = :owner_host, "
    "owner_pid = :owner_pid, ci_link = :ci_link, trace = :trace, since = :since, heartbeat = :heartbeat, ttl = :ttl "
    "WHERE project = :project AND environment = :environment"
)
BEAT = "UPDATE reconciler_lease SET heartbeat = :heartbeat WHERE project = :project AND environment = :environment"
GIVE_BACK = "UPDATE reconciler_lease SET held = 0 WHERE project = :project AND environment = :environment"
BREAK_LEASE = (
    "UPDATE reconciler_lease SET held = 0, fencing = fencing + 1 "
    "WHERE project = :project AND environment = :environment"
)
POSTGRES_NOW = "SELECT CAST(extract(epoch FROM clock_timestamp()) AS double precision)"
"""Seconds since 1970 by the server's clock."""
POSTGRES_LEASE = LEASE.replace(" FROM ", f", ({POSTGRES_NOW}) FROM ", 1)
"""The lease and the moment at which it was read, in one question."""
POSTGRES_HAS_LEDGER = (
    "SELECT (SELECT oid FROM pg_class WHERE relname = 'reconciler_meta' AND pg_table_is_visible(oid) LIMIT 1)"
)
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
