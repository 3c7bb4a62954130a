"""The statements that one project and environment runs within a transaction: lease, entries, journal, key."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.diff import Sealer, sealer
from reconciler.errors import Fenced, LedgerError, PlanRefused
from reconciler.ledger import statements
from reconciler.ledger.database import Connection, Parameters, Row, Value
from reconciler.ledger.records import FIRST_PREVIOUS, Note, chain, row_of, storable
from reconciler.model.entry import Entry
from reconciler.model.outcome import RunRecord
from reconciler.process_liveness import is_over

if TYPE_CHECKING:
    from reconciler.ledger.commits import GroupCommit
    from reconciler.ledger.reader import Reader

_KEY_BYTES = 32
_KEPT = "key"
_FINGERPRINT = "key_fingerprint"
"""The names under which the ledger keeps its own key, and the fingerprint of the key in use."""


class LeaseRow(Struct, frozen=True):
    """The lease as the database has it. Times are seconds since 1970, by the clock that judges it."""

    fencing: int
    held: int
    user: str
    host: str
    pid: int
    ci_link: str
    trace: str
    since: str
    heartbeat: float
    ttl: float

    def expired(self, now: float) -> bool:
        return now > self.heartbeat + self.ttl

    def is_abandoned(self, now: float) -> bool:
        """Whether its owner has been silent for too long, or is surely dead: then anybody may take it."""
        return self.expired(now) or is_over(self.trace)


class Scope(Struct, frozen=True):
    """Every statement that a run may need, for one project and environment.

    Who judges time: PostgreSQL's own clock, since the clocks of hosts differ; with a file the caller's.
    """

    project: str
    environment: str
    clock: Callable[[], datetime]

    @property
    def keys(self) -> dict[str, Value]:
        return {"project": self.project, "environment": self.environment}

    def now(self, connection: Connection) -> float:
        if connection.is_postgres:
            return float(connection.execute(statements.POSTGRES_NOW)[0][0])
        return self.clock().timestamp()

    def lock(self, connection: Connection) -> LeaseRow:
        """Take the row that all writers of this scope pass through, until the transaction ends; others wait."""
        lock = " FOR UPDATE" if connection.is_postgres else ""
        rows = self.select(connection, statements.LEASE + lock)
        if not rows:
            self.write(connection, statements.ADD_LEASE, {})
            rows = self.select(connection, statements.LEASE + lock)
        return LeaseRow(*rows[0])

    def require(self, connection: Connection, fencing: int) -> None:
        """Lock the scope and raise Fenced unless `fencing` is the lease that holds it now."""
        refuse(self.lock(connection), self.now(connection), fencing)

    def meta(self, source: Connection | Reader, name: str) -> str | None:
        rows = self.select(source, statements.META, name=name)
        return str(rows[0][0]) if rows else None

    def require_here(self, source: Connection | Reader, shown: str) -> None:
        """Raise LedgerError where this project's ledger was moved elsewhere, or has not wholly arrived yet."""
        for name, value in self.select(source, statements.MOVES):
            raise moved(shown, str(value)) if name == "moved_to" else not_arrived(shown, str(value))

    def put_meta(self, connection: Connection, values: Mapping[str, str]) -> None:
        rows = [{"name": name, "value": value} for name, value in values.items()]
        self.write(connection, statements.PUT_META, *rows)

    def put_entries(self, connection: Connection, entries: Mapping[str, Entry | None]) -> None:
        """Write entries by address; None removes."""
        kept = [row_of(entry) for entry in entries.values() if entry is not None]
        gone = [{"address": address} for address, entry in entries.items() if entry is None]
        self.write(connection, statements.PUT_ENTRY, *kept)
        self.write(connection, statements.FORGET_ENTRY, *gone)

    def put_agents(self, connection: Connection, agents: Mapping[str, tuple[str, str]]) -> None:
        """Remember the paths of agents, each with the handle last used for it and the agent's id."""
        rows = [{"path": path, "handle": agents[path][0], "agent_id": agents[path][1]} for path in sorted(agents)]
        self.write(connection, statements.PUT_AGENT, *rows)

    def begin_run(self, connection: Connection, run: RunRecord, *, once: bool) -> None:
        """Write down that a run starts; `once` uses its saved plan up. The scope must be locked. Raises PlanRefused."""
        if once and self.select(connection, statements.USED_PLAN, plan_digest=run.plan_digest):
            hint = "make a new one with `reconciler plan --out FILE`"
            raise PlanRefused("this saved plan was used already", hint=hint)
        if once:
            used = {"plan_digest": run.plan_digest, "run": run.id, "at": run.started}
            self.write(connection, statements.USE_PLAN, used)
        number = int(self.meta(connection, "last_run") or 0) + 1
        self.put_meta(connection, {"last_run": str(number)})
        owner = run.owner
        row: dict[str, Value] = {"number": number, "id": run.id, "ci_link": owner.ci_link, "started": run.started}
        row |= {"owner_user": owner.user, "owner_host": owner.host, "owner_pid": owner.pid, "source_commit": run.commit}
        row |= {"plan_digest": run.plan_digest, "command": run.command, "finished": "", "result": "", "summary": "{}"}
        self.write(connection, statements.PUT_RUN, row)

    def append(self, connection: Connection, notes: Sequence[Note]) -> None:
        """Give notes their place at the end of the journal. The scope must be locked."""
        head = read_head(self.meta(connection, "journal_head")) or (0, FIRST_PREVIOUS)
        events = chain(notes, *head)
        if events:
            self.write(connection, statements.ADD_EVENT, *(event._asdict() for event in events))
            self.put_meta(connection, {"journal_head": f"{events[-1].seq} {events[-1].hash}"})

    def select(self, source: Connection | Reader, statement: str, **parameters: Value) -> list[Row]:
        return source.execute(statement, {**self.keys, **parameters})

    def write(self, connection: Connection, statement: str, *rows: Parameters) -> None:
        """Run a statement that writes, once for each row."""
        if rows:
            stored = ({name: storable(value) for name, value in row.items()} for row in rows)
            connection.execute_many(statement, [self.keys | row for row in stored])


def refuse(row: LeaseRow | None, now: float, fencing: int) -> None:
    """Raise Fenced unless the lease `fencing` still holds."""
    if row is None or row.fencing != fencing or not row.held:
        raise Fenced(
            "the lock was taken away while this run went on; nothing more is written",
            hint="run `reconciler plan`: what was under way is shown as interrupted",
        )
    if row.expired(now):
        raise Fenced(
            f"this run was silent for more than {row.ttl:g} seconds, so its lock has run out; nothing more is written",
            hint="run `reconciler apply` again: it looks first at what was under way",
        )


def moved(shown: str, to: str) -> LedgerError:
    """The ledger at `shown` is the one to go by no more."""
    return LedgerError(
        f"the ledger {shown} was moved to {to}, and is not used any more",
        hint="write its new place as `ledger:` in reconciler.yaml",
    )


def not_arrived(shown: str, source: str) -> LedgerError:
    """What is at `shown` is a copy whose original may still be the one to go by."""
    return LedgerError(
        f"the ledger at {shown} is being moved there from {source}, and that has not ended",
        hint="let `reconciler ledger migrate` end; if it was interrupted, run it once more from the old ledger. If "
        "that is gone for good, `reconciler ledger backup FILE` here makes a ledger of what has arrived",
    )


def read_head(text: str | None) -> tuple[int, str] | None:
    """The journal's last number and hash, as kept apart from it."""
    seq, _, event_hash = (text or "").partition(" ")
    return (int(seq), event_hash) if seq.isdecimal() else None


# --- the key of the digests --------------------------------------------------------------------------------------


def sealer_of(scope: Scope, reader: Reader, commits: GroupCommit | None, key: bytes | None, shown: str) -> Sealer:
    """A sealer with the ledger's key; where there is none yet and `commits` may write, one is kept first.

    `key` comes from outside, None for the ledger's own; `shown` is the ledger's place. Raises LedgerError when the
    ledger was written with another key.
    """
    # The fingerprint first: both are written at once, so whoever sees it sees the key that belongs to it as well.
    known = scope.meta(reader, _FINGERPRINT)
    kept = scope.meta(reader, _KEPT)
    if known is None and commits is not None:
        kept, known = commits.alone(lambda connection: _keep(scope, connection, key))
    if known is None:
        # A ledger that others use and that this environment never wrote to: nothing here can be compared anyway.
        return sealer(key or secrets.token_bytes(_KEY_BYTES))
    used = key if key is not None else bytes.fromhex(kept or "")
    if hmac.compare_digest(_fingerprint(used), known):
        return sealer(used)
    raise LedgerError(
        f"the ledger {shown} was written with another key, so no digest in it could be compared",
        hint="unset RECONCILER_KEY: this ledger keeps its own key"
        if kept
        else "set RECONCILER_KEY to the key it was written with; if that is lost, move the ledger away and apply with "
        "`--accept-new-ledger`",
    )


def _keep(scope: Scope, connection: Connection, key: bytes | None) -> tuple[str | None, str | None]:
    """Keep what a new ledger starts with: its own random key, unless one comes from outside; and the fingerprint."""
    scope.lock(connection)
    if scope.meta(connection, _FINGERPRINT) is None:  # or else another first run was faster
        own = {} if key is not None else {_KEPT: secrets.token_hex(_KEY_BYTES)}
        used = key if key is not None else bytes.fromhex(own[_KEPT])
        scope.put_meta(connection, own | {_FINGERPRINT: _fingerprint(used)})
    return scope.meta(connection, _KEPT), scope.meta(connection, _FINGERPRINT)


def _fingerprint(key: bytes) -> str:
    """Tells keys apart, and reveals none."""
    return hmac.new(key, b"reconciler key fingerprint", hashlib.sha256).hexdigest()[:32]
