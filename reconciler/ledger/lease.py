"""The lease: a lock that lets one run at a time write, with a fencing number that grows each time it is taken."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

from reconciler.clock import at_text
from reconciler.errors import Interrupted, LedgerError, Locked
from reconciler.ledger import statements
from reconciler.ledger.database import Connection, Value
from reconciler.ledger.records import Holder, Note
from reconciler.ledger.scope import LeaseRow, Scope, refuse
from reconciler.model.outcome import Owner
from reconciler.process_liveness import trace

if TYPE_CHECKING:
    from reconciler.ledger.commits import GroupCommit
    from reconciler.ledger.reader import Reader

_RENEWALS_PER_TTL = 4
_POLL_SECONDS = 0.5
_HANGS_SECONDS = 10.0
"""A commit that takes so long hangs, and whoever waits for it is told."""

T = TypeVar("T")


@dataclass(eq=False, repr=False)
class Lease(AbstractContextManager["Lease"]):
    """A held lease; a context manager that gives it back.

    `fencing` is its number: whoever takes the lease next gets a higher one, and ours is worth nothing from then on.
    A thread says every quarter of the time to live that we are alive. A lease that ran out is never revived.
    """

    fencing: int
    owner: Owner
    _commits: GroupCommit
    _scope: Scope
    _read: SharedRead[tuple[LeaseRow | None, float]]
    ttl: float

    def __post_init__(self) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=self._renew_until_stopped, args=(self.ttl / _RENEWALS_PER_TTL,), name="lease", daemon=True
        )
        self._thread.start()

    def check(self) -> None:
        """Ask the database, before each attempt to write to a product. Raises Fenced when the lease is gone.

        Threads that ask at the same time share one answer, which is never older than their question.
        """
        refuse(*self._read(), self.fencing)

    def renew(self) -> None:
        """Say that we are alive. Raises Fenced when it is too late for that."""

        def work(connection: Connection) -> None:
            self._scope.require(connection, self.fencing)
            self._scope.write(connection, statements.RENEW_LEASE, {"heartbeat": self._scope.now(connection)})

        self._commits.alone(work)

    def close(self) -> None:
        """Give the lease back. Harmless when it was taken away, or given back already."""
        if self._stop.is_set():
            return
        self._stop.set()
        self._thread.join()

        def work(connection: Connection) -> None:
            if self._scope.lock(connection).fencing == self.fencing:
                self._scope.write(connection, statements.RELEASE_LEASE, {})

        self._commits.alone(work)

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        try:
            self.close()
        except LedgerError:
            if error is None:
                raise

    def _renew_until_stopped(self, seconds: float) -> None:
        while not self._stop.wait(seconds):
            try:
                self.renew()
            except LedgerError:
                # The next write meets the same trouble and tells it to somebody who listens; a passing one may heal.
                continue


@dataclass
class SharedRead(Generic[T]):
    """A read that many threads want at once: whoever asks while it goes on gets the next one, together with the others.

    An answer is given only to those who had asked before it was read.
    """

    read: Callable[[], T]
    _turn: threading.Lock = field(default_factory=threading.Lock)
    _begun: int = 0
    _answer: tuple[int, T] | None = None

    def __call__(self) -> T:
        wanted = self._begun + 1
        with self._turn:
            if self._answer is not None and self._answer[0] >= wanted:
                return self._answer[1]
            self._begun += 1
            number = self._begun
            answer = self.read()
            self._answer = number, answer
            return answer


def wait_for_lease(
    commits: GroupCommit,
    scope: Scope,
    owner: Owner,
    *,
    timeout: float,
    ttl: float,
    shown: str,
    holder: Callable[[], Holder | None],
    pause: Callable[[float], object],
    waiting: Callable[[Locked], object] = lambda _: None,
) -> int:
    """Take the lease when it is free, within `timeout` seconds by the ledger's clock, in short steps; its number.

    `shown` is the ledger's place, `holder` says who holds the lease now, `waiting` hears whom it is waited for, `pause`
    waits so many seconds and says whether to give up. Raises Locked, Interrupted.
    """
    deadline = scope.clock().timestamp() + timeout
    busy = 0
    while True:
        try:
            taken = commits.alone(lambda c: take_lease(scope, c, owner, ttl, shown=shown), wait=_POLL_SECONDS)
            busy = 0
            if not isinstance(taken, Holder):
                return taken
            locked = _locked(scope, taken)
        except Locked as error:
            # Somebody has been writing for long: most likely whoever holds the lease.
            busy += 1
            writer = holder()
            locked = error if writer is None else _locked(scope, writer, hangs_in=shown)
        may_be_a_moment = 0 < busy * _POLL_SECONDS < _HANGS_SECONDS
        if not may_be_a_moment and scope.clock().timestamp() >= deadline:
            raise locked
        waiting(locked)
        if pause(0.0 if busy else _POLL_SECONDS):
            raise Interrupted("interrupted while waiting for the lock; nothing was done")


def _locked(scope: Scope, holder: Holder, *, hangs_in: str = "") -> Locked:
    """What to tell whoever waits; `hangs_in` is the place of a ledger that the holder is writing to without an end."""
    applied = f"{scope.project}/{scope.environment} is being applied by {holder.owner} since {holder.since}"
    if not hangs_in:
        return Locked(
            applied,
            hint="wait for it (`--lock-timeout 10m`); `reconciler unlock` shows the lock, and with `--force` breaks it "
            "if that run is dead",
        )
    return Locked(
        f"{applied}, which is in the middle of a write to the ledger {hangs_in} and does not end it",
        hint="wait for it (`--lock-timeout 10m`). If it hangs, end that process: nobody else can break a lock of "
        "the database, `reconciler unlock --force` neither",
    )


def take_lease(scope: Scope, connection: Connection, owner: Owner, ttl: float, *, shown: str) -> int | Holder:
    """Take the lease if it is free or ran out, and return its number; otherwise who holds it.

    Raises LedgerError where the ledger was moved elsewhere since it was opened: `shown` is its place.
    """
    row, now = scope.lock(connection), scope.now(connection)
    scope.require_here(connection, shown)
    if row.held and not row.is_abandoned(now):
        return holder_of(row, now)
    fencing = row.fencing + 1
    values: dict[str, Value] = {
        "fencing": fencing,
        "owner_user": owner.user,
        "owner_host": owner.host,
        "owner_pid": owner.pid,
        "ci_link": owner.ci_link,
        "trace": trace(),
        "since": at_text(scope.clock()),
        "heartbeat": now,
        "ttl": ttl,
    }
    scope.write(connection, statements.TAKE_LEASE, values)
    return fencing


def read_lease(scope: Scope, reader: Reader) -> tuple[LeaseRow | None, float]:
    """The lease, None where there never was one, and the moment at which it was read by the clock that judges it."""
    if reader.location.path is None:
        rows = scope.select(reader, statements.POSTGRES_LEASE)
        return (LeaseRow(*rows[0][:-1]), float(rows[0][-1])) if rows else (None, 0.0)
    rows = scope.select(reader, statements.LEASE)
    return LeaseRow(*rows[0]) if rows else None, scope.clock().timestamp()


def break_lease(scope: Scope, connection: Connection, by: str = "") -> Holder | None:
    """Take the lease away from whoever holds it, for good, and write down who did; None when nobody holds it."""
    row, now = scope.lock(connection), scope.now(connection)
    if not row.held:
        return None
    scope.write(connection, statements.BREAK_LEASE, {})
    body = {"user": row.user, "host": row.host, "pid": row.pid, "since": row.since, "fencing": row.fencing, "by": by}
    scope.append(connection, [Note(at_text(scope.clock()), "", "lock-broken", "", body)])
    return holder_of(row, now)


def holder_of(row: LeaseRow, now: float) -> Holder:
    owner = Owner(row.user, row.host, row.pid, row.ci_link)
    return Holder(owner, row.since, row.fencing, max(0.0, now - row.heartbeat), row.is_abandoned(now))
