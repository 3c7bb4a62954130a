"""Group commit: one thread writes what all others hand it, as much as waits in one transaction."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from typing import TypeAlias, TypeVar

from msgspec import Struct, field

from reconciler.errors import LedgerError
from reconciler.ledger.database import BUSY_SECONDS, Connection, Database
from reconciler.ledger.location import Location
from reconciler.ledger.migrations import prepare, settle_file
from reconciler.ledger.records import Note
from reconciler.ledger.scope import Scope
from reconciler.model.entry import Entry

_BATCH = 512
_LINGER_SECONDS = 0.0005
T = TypeVar("T")


class _Record(Struct):
    """Entries and notes that belong together, written under one fencing number."""

    fencing: int
    entries: dict[str, Entry | None]
    notes: Sequence[Note]
    done: Future[None] = field(default_factory=Future)


_Job: TypeAlias = _Record | Callable[[], None]
"""What is handed over: a record, or anything else, which is a transaction of its own."""


class GroupCommit:
    """Takes writes from any number of threads; each call returns when its write is on disk, or raises."""

    def __init__(self, location: Location, scope: Scope) -> None:
        self._location = location
        self._scope = scope
        self._queue: SimpleQueue[_Job | None] = SimpleQueue()
        self._guard = threading.Lock()
        self._thread: threading.Thread | None = None
        self._is_closed = False
        self._last_size = 1
        self._agents: dict[str, tuple[str, str]] = {}
        self._database = Database(location)
        try:
            prepare(self._database)
        except BaseException:
            self._database.close()
            raise

    def record(self, fencing: int, entries: dict[str, Entry | None], notes: Sequence[Note]) -> None:
        """Write entries by address (None removes) and their notes, together with all that others write just now."""
        record = _Record(fencing, entries, notes)
        self._submit(record)
        record.done.result()

    def alone(self, work: Callable[[Connection], T], *, wait: float = BUSY_SECONDS) -> T:
        """Do `work` in a transaction of its own, between the others.

        Raises Locked when somebody else has been writing for `wait` seconds.
        """
        done: Future[T] = Future()

        def run() -> None:
            try:
                with self._database.transaction(wait=wait) as connection:
                    result = work(connection)
            except BaseException as error:  # it belongs to the caller, who waits for it
                done.set_exception(error)
            else:
                done.set_result(result)

        self._submit(run)
        return done.result()

    def close(self) -> None:
        """Write what waits, then stop."""
        with self._guard:
            if self._is_closed:
                return
            self._is_closed = True
            self._queue.put(None)
        if self._thread is not None:
            self._thread.join()
        self._database.close()
        settle_file(self._location)

    def _submit(self, job: _Job) -> None:
        with self._guard:
            if self._is_closed:
                raise LedgerError(f"the ledger {self._location.shown} is closed already")
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="ledger", daemon=True)
                self._thread.start()
            self._queue.put(job)

    def _work(self) -> None:
        is_open = True
        while is_open:
            batch: list[_Record] = []
            job = self._queue.get()
            while isinstance(job, _Record):
                batch.append(job)
                if len(batch) == _BATCH or batch[0].fencing != job.fencing:
                    break
                try:
                    job = self._next(len(batch))
                except Empty:
                    break
            if batch and batch[-1].fencing != batch[0].fencing:
                last = batch.pop()
                self._commit(batch)
                batch = [last]
            if batch:
                self._commit(batch)
            if callable(job):
                self._agents.clear()  # it may forget one, or another run may have had its turn
                job()
            is_open = job is not None

    def _next(self, size: int) -> _Job | None:
        # Whoever wrote with the last batch is likely to come again at once: a moment's patience saves a whole commit.
        if size < self._last_size:
            return self._queue.get(timeout=_LINGER_SECONDS)
        return self._queue.get_nowait()

    def _commit(self, batch: Sequence[_Record]) -> None:
        entries: dict[str, Entry | None] = {}
        for record in batch:
            entries.update(record.entries)
        notes = [note for record in batch for note in record.notes]
        kept = [entry for entry in entries.values() if entry is not None]
        agents = {entry.agent_path: (entry.address.agent, entry.agent_id) for entry in kept if entry.agent_path}
        fresh = dict(agents.items() - self._agents.items())
        self._last_size = len(batch)
        try:
            with self._database.transaction() as connection:
                self._scope.require(connection, batch[0].fencing)
                self._scope.put_entries(connection, entries)
                self._scope.put_agents(connection, fresh)
                self._scope.append(connection, notes)
        except BaseException as error:  # it belongs to the callers, who wait for it
            for record in batch:
                record.done.set_exception(error)
        else:
            self._agents |= fresh
            for record in batch:
                record.done.set_result(None)
