"""`Ledger`: what one project and environment remembers, with every read and write that the program makes."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.clock import MACHINE, at_text
from reconciler.diff import Sealer, canonical_json
from reconciler.errors import LedgerError, Locked
from reconciler.ledger import records, statements
from reconciler.ledger.database import Connection, Row, Value
from reconciler.ledger.lease import Lease, SharedRead, break_lease, holder_of, read_lease, wait_for_lease
from reconciler.ledger.location import Location, locate
from reconciler.ledger.migrations import is_there
from reconciler.ledger.reader import Reader
from reconciler.ledger.records import Event, Holder, MemoReader, Note
from reconciler.ledger.scope import LeaseRow, Scope, read_head, sealer_of
from reconciler.model.address import Address
from reconciler.model.entry import AdoptedId, Entry, Memory
from reconciler.model.outcome import Outcome, Owner, RunRecord
from reconciler.model.plan import Change, Finding
from reconciler.model.state import JSON

if TYPE_CHECKING:
    from reconciler.ledger.commits import GroupCommit

_EVENTS_AT_A_TIME = 5000
_ALL_RUNS = 1_000_000_000


@dataclass(eq=False, repr=False)
class Ledger(AbstractContextManager["Ledger"]):
    """Memory for one project and environment; a context manager. Safe to use from many threads.

    Made by `open`. Every method raises LedgerError, with a next step, when the database does not do its part.
    """

    _location: Location
    _scope: Scope
    _reader: Reader
    _commits: GroupCommit | None
    _memo_of: MemoReader
    _run: str = ""
    seal: Sealer = field(init=False)

    @staticmethod
    def exists(url: str, root: Path) -> bool:
        """Whether there is a ledger at this place. For SQLite a look at the file; for PostgreSQL a question to it."""
        return is_there(locate(url, root))

    @classmethod
    def open(
        cls,
        url: str,
        project: str,
        environment: str,
        *,
        root: Path,
        create: bool,
        clock: Callable[[], datetime] = MACHINE,
        key: bytes | None = None,
        memo_of: MemoReader,
    ) -> Ledger:
        """Open the ledger; with `create` for writing, making or upgrading it where needed, else to read only.

        `key` is the content of RECONCILER_KEY, None when it is not set; `memo_of` types what is kept of a resource.
        Raises LedgerError when the ledger is absent (reading), damaged, newer than this program, of another key, out of
        reach, or moved to another place.
        """
        location = locate(url, root)
        scope = Scope(project, environment, clock)
        commits: GroupCommit | None = None
        if create:
            from reconciler.ledger.commits import GroupCommit as Commits

            commits = Commits(location, scope)
        ledger = cls(location, scope, Reader(location, beside_writer=create), commits, memo_of)
        try:
            scope.require_here(ledger._reader, location.shown)
            ledger.seal = sealer_of(scope, ledger._reader, commits, key, location.shown)
        except BaseException:
            ledger.close()
            raise
        return ledger

    def close(self) -> None:
        """Finish what is being written, and let go of the database."""
        self._reader.close()
        if self._commits is not None:
            self._commits.close()

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self.close()

    @property
    def place(self) -> str:
        """Where this ledger is, without its password."""
        return self._location.shown

    # --- reading -----------------------------------------------------------------------------------------------------

    def memory(self) -> Memory:
        """All entries, and whether this ledger was accepted as the one to go by, or took the place of a lost one.

        Entries alone prove nothing: after a loss, live schedules are learnt again, and starts cannot be.
        """
        entries = {entry.address: entry for entry in self._read_entries().values()}
        known = self._meta("accepted") is not None
        neighbours = tuple((project, environment) for project, environment in self._rows(statements.NEIGHBOURS))
        restored = "" if known else self._meta("restored") or ""
        return Memory(
            entries,
            known,
            lost=not known and (bool(restored) or self._meta("lost") is not None),
            restored=restored,
            agent_ids={path: agent_id for path, _, agent_id in self._rows(statements.AGENTS)},
            neighbours=neighbours,
            environment_ids=tuple(AdoptedId(*row) for row in self._rows(statements.IDS_OF_ENVIRONMENTS))
            if neighbours
            else (),
        )

    def agent_paths(self) -> Mapping[str, str]:
        """The handle last used for every agent path that we ever wrote to and did not forget."""
        return {path: handle for path, handle, _ in self._rows(statements.AGENTS)}

    def is_plan_used(self, plan_digest: str) -> bool:
        """Whether a saved plan was applied already."""
        return bool(self._rows(statements.USED_PLAN, plan_digest=plan_digest))

    def holder(self) -> Holder | None:
        """Who holds the lease, also when it has run out; None when nobody does."""
        row, now = self._read_lease()
        return holder_of(row, now) if row is not None and row.held else None

    def runs(self, limit: int) -> tuple[RunRecord, ...]:
        """The last runs, newest first."""
        return tuple(records.run_of(row) for row in self._rows(statements.RUNS, limit=limit))

    def last_runs(self) -> Mapping[str, RunRecord]:
        """For every address the run that changed it, or settled it, last."""
        runs = {run.id: run for run in self.runs(_ALL_RUNS)}
        return {address: runs[run] for address, run in self._rows(statements.LAST_RUNS) if run in runs}

    def events(self, limit: int) -> tuple[Event, ...]:
        """The last events of the journal, oldest first."""
        rows = self._rows(statements.LAST_EVENTS, limit=limit)
        return tuple(Event(*row) for row in reversed(rows))

    def verify(self) -> tuple[Finding, ...]:
        """Check the chain of the journal. The first broken link is named; empty when all is as it was written."""
        head = read_head(self._meta("journal_head"))
        return tuple(records.broken_links(self._all_events(), head))

    # --- the lease ---------------------------------------------------------------------------------------------------

    def acquire(
        self,
        owner: Owner,
        *,
        timeout: float = 0,
        ttl: float = 60,
        pause: Callable[[float], object] | None = None,
        waiting: Callable[[Locked], object] = lambda _: None,
    ) -> Lease:
        """Become the one run of this project and environment; wait `timeout` seconds for it by the ledger's clock.

        A lease whose owner was silent for `ttl` seconds is free. `pause` waits, and says whether to give up; `waiting`
        hears whom for. Raises Locked with the name of who holds it, also when that one hangs in the middle of a write;
        Interrupted.
        """
        commits, shown, pause = self._writer(), self._location.shown, pause or threading.Event().wait
        fencing = wait_for_lease(
            commits,
            self._scope,
            owner,
            timeout=timeout,
            ttl=ttl,
            shown=shown,
            holder=self.holder,
            pause=pause,
            waiting=waiting,
        )
        return Lease(fencing, owner, commits, self._scope, SharedRead(self._read_lease), ttl)

    def break_lock(self, by: str = "") -> Holder | None:
        """Take the lease away from its holder, who can write nothing from then on. None when nobody holds it.

        `by` says who does it, for the journal.
        """
        return self._writer().alone(lambda connection: break_lease(self._scope, connection, by))

    # --- writing -----------------------------------------------------------------------------------------------------

    def begin_run(self, lease: Lease, *, commit: str, command: str, plan_digest: str, once: bool = False) -> str:
        """Write down that a run starts, and return its id; `once` uses a saved plan up in the same transaction.

        Raises PlanRefused when that plan was used already.
        """
        run = RunRecord(uuid.uuid4().hex, lease.owner, commit, plan_digest, command, self._at())
        body: dict[str, JSON] = {"command": command, "commit": commit, "plan_digest": plan_digest}
        body |= {"user": run.owner.user, "host": run.owner.host}
        note = Note(run.started, run.id, "run-began", "", body)
        self._alone(lease, note, lambda connection: self._scope.begin_run(connection, run, once=once))
        self._run = run.id
        return run.id

    def end_run(self, lease: Lease, run: str, *, result: str, summary: Mapping[str, JSON]) -> None:
        """Write down how a run ended. `summary` holds the counts of the report."""
        at, counts = self._at(), dict(summary)
        note = Note(at, run, "run-ended", "", {"result": result, "summary": counts})
        row: dict[str, Value] = {"run": run, "finished": at, "result": result, "summary": canonical_json(counts)}
        self._alone(lease, note, lambda connection: self._scope.write(connection, statements.END_RUN, row))
        self._run = ""

    def began(self, lease: Lease, change: Change, entry: Entry) -> None:
        """Write down, durably, that a change is about to be sent; only then may the request leave.

        `entry` is the open one from now on. Raises Fenced when the lease no longer holds: then nothing was written, and
        nothing may be sent.
        """
        address = str(change.address)
        note = self._note("began", address, records.began_body(change, entry.declared), entry.at)
        self._record(lease, {address: entry}, [note])

    def outcome(self, lease: Lease, outcome: Outcome, entry: Entry | None, detail: str = "") -> None:
        """Write down how a change ended, in words the `detail`, and the entry as it is from now on; None removes it."""
        address = str(outcome.change.address)
        self._record(lease, {address: entry}, [self._note("outcome", address, records.outcome_body(outcome, detail))])

    def put(self, lease: Lease, *entries: Entry) -> None:
        """Write entries for which no product was asked (adopted, refreshed, resolved), all in one transaction."""
        bodies = {str(entry.address): {"identity": entry.identity, "settled": entry.settled} for entry in entries}
        notes = [self._note("put", address, body) for address, body in bodies.items()]
        self._record(lease, {str(entry.address): entry for entry in entries}, notes)

    def rekey(self, lease: Lease, moves: Mapping[Address, Entry | None]) -> None:
        """Take entries to the addresses and agents that they belong to now, all in one transaction.

        `moves` holds what stands at each address from now on; None where nothing is left.
        """
        notes = [
            self._note("rekeyed", str(address), {"identity": entry.identity, "agent_id": entry.agent_id})
            for address, entry in moves.items()
            if entry is not None
        ]
        self._record(lease, {str(address): entry for address, entry in moves.items()}, notes)

    def forget(self, lease: Lease, outcomes: Iterable[Outcome]) -> None:
        """Remove the entries that these outcomes are about, because a person says so, all in one transaction.

        A ledger in which nothing is left is as good as a new one, and has to be accepted like one.
        """
        notes = {str(one.change.address): records.outcome_body(one, "") for one in outcomes}
        journal = [self._note("outcome", address, body) for address, body in notes.items()]

        def work(connection: Connection) -> None:
            self._scope.require(connection, lease.fencing)
            self._scope.put_entries(connection, dict.fromkeys(notes))
            self._scope.append(connection, journal)
            if not self._scope.select(connection, statements.ENTRIES):
                self._scope.write(connection, statements.DROP_META, {"name": "accepted"})

        self._writer().alone(work)

    def accept(self, lease: Lease) -> None:
        """Write down that somebody takes this ledger as the new one, though it remembers nothing."""
        self._mark(lease, "accepted")

    def mark_lost(self, lease: Lease) -> None:
        """Write down that this ledger took the place of one that was lost, until somebody accepts it."""
        self._mark(lease, "lost")

    def forget_agent(self, lease: Lease, path: str) -> None:
        """Forget an agent's path, once nothing of ours is left there; kept while an entry still names it."""
        note = self._note("agent-forgotten", "", {"path": path})
        self._alone(lease, note, lambda c: self._scope.write(c, statements.FORGET_AGENT, {"path": path}))

    # --- within ------------------------------------------------------------------------------------------------------

    def _record(self, lease: Lease, entries: dict[str, Entry | None], notes: list[Note]) -> None:
        self._writer().record(lease.fencing, entries, notes)

    def _mark(self, lease: Lease, name: str) -> None:
        note = self._note(name, "", {})
        self._alone(lease, note, lambda connection: self._scope.put_meta(connection, {name: note.at}))

    def _alone(self, lease: Lease, note: Note, write: Callable[[Connection], None]) -> None:
        """Do what is written for itself and its note in one transaction, as long as the lease holds."""

        def work(connection: Connection) -> None:
            self._scope.require(connection, lease.fencing)
            write(connection)
            self._scope.append(connection, [note])

        self._writer().alone(work)

    def _note(self, kind: str, address: str, body: Mapping[str, JSON], at: str = "") -> Note:
        return Note(at or self._at(), self._run, kind, address, body)

    def _writer(self) -> GroupCommit:
        if self._commits is None:
            raise LedgerError(f"the ledger {self._location.shown} was opened to read only")
        return self._commits

    def _rows(self, statement: str, **parameters: Value) -> list[Row]:
        return self._scope.select(self._reader, statement, **parameters)

    def _meta(self, name: str) -> str | None:
        return self._scope.meta(self._reader, name)

    def _read_entries(self) -> dict[str, Entry]:
        rows = self._rows(statements.ENTRIES)
        try:
            return {row[0]: records.entry_of(row, self._memo_of) for row in rows}
        except (ValueError, TypeError) as error:
            raise LedgerError(
                f"the ledger {self._location.shown} holds an entry that cannot be read: {error}",
                hint="run `reconciler history --verify`, and restore the ledger from a backup",
            ) from None

    def _all_events(self) -> Iterable[Event]:
        seq = 0
        while rows := self._rows(statements.NEXT_EVENTS, seq=seq, limit=_EVENTS_AT_A_TIME):
            yield from (Event(*row) for row in rows)
            seq = int(rows[-1][0])

    def _read_lease(self) -> tuple[LeaseRow | None, float]:
        return read_lease(self._scope, self._reader)

    def _at(self) -> str:
        return at_text(self._scope.clock())
