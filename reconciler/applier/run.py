"""One run of a plan: what has been told, what failed, and what that holds back. Shared by all workers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Protocol, cast

from msgspec import Struct, field

from reconciler.causes import Cause, Why, because, said
from reconciler.clock import Clock, at_text
from reconciler.diff import Sealer
from reconciler.errors import Fenced, LedgerError
from reconciler.kind import A, Kind, KindRegistry, LicenceCount, M, Product, S
from reconciler.model.address import Address
from reconciler.model.copies import replace
from reconciler.model.entry import Entry, Memo
from reconciler.model.live import Evidence
from reconciler.model.outcome import ApplyEvent, Began, Outcome, Status
from reconciler.model.plan import Action, Change
from reconciler.model.resource import Resource


class Recorder(Protocol):
    """The ledger, under this run's lease. Each call returns when it is durable. Raises LedgerError.

    `check` raises Fenced when the lease no longer holds.
    """

    def check(self) -> None: ...
    def began(self, change: Change, entry: Entry) -> None: ...
    def outcome(self, outcome: Outcome, entry: Entry | None) -> None: ...
    def put(self, entry: Entry) -> None: ...


class ApplyContext(Struct, frozen=True):
    """All that an apply works with: `clients` of the products in use, `concurrency` as how many calls each takes.

    `log_words` is what a product's log is told (commit and plan). `licence` is the task-execution counter before the
    run, for the person who may have to resolve a lost start. `is_busy` says whether an agent has an active run.
    """

    kinds: KindRegistry
    clients: Mapping[Product, object]
    concurrency: Mapping[Product, int]
    resources: Mapping[Address, Resource]
    entries: Mapping[Address, Entry]
    ledger: Recorder
    seal: Sealer
    stop: threading.Event
    tell: Callable[[ApplyEvent], None]
    clock: Clock
    log_words: str
    is_busy: Callable[[str], bool]
    licence: LicenceCount | None = None
    ids_are_kept: bool = False
    redact: Callable[[str], str] = str

    def client(self, kind: Kind[S, M, A]) -> A:
        """The client of a kind's product."""
        return cast("A", self.clients[kind.product])


class ApplyRun(Struct):
    """The state of one apply that its workers share. Every method may be called from any thread."""

    context: ApplyContext
    as_of: datetime
    outcomes: dict[Address, Outcome] = {}
    finished: set[Address] = set()
    """What was under way when somebody interrupted, and was finished."""
    broken: LedgerError | None = None
    creates_withheld: Why | None = None
    _bad: set[Address] = set()
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _first_create: threading.Lock = field(default_factory=threading.Lock)
    _has_kept_an_id: bool = False

    def at(self) -> str:
        """The time, as the ledger writes it."""
        return at_text(self.context.clock())

    def held_back(self, change: Change) -> Why | None:
        """Why this change must not be tried now; None when it may."""
        if self.broken is not None:
            return because(Cause.NOT_TRIED, _cause(self.broken))
        if self.context.stop.is_set():
            return because(Cause.INTERRUPTED_BEFORE)
        if change.action is Action.CREATE and self.creates_withheld is not None:
            return self.creates_withheld
        with self._lock:
            stuck = [
                str(need)
                for need in change.needs
                if need in self.outcomes and self.outcomes[need].status is not Status.APPLIED
            ]
        return because(Cause.NEEDS_NOT_APPLIED, names=tuple(stuck)) if stuck else None

    def failed_so_far(self) -> Address | None:
        """The first change that did not come out as planned, for withholding deletions; None while there is none."""
        with self._lock:
            return min(self._bad, default=None)

    def finish(
        self,
        change: Change,
        status: Status,
        why: Why | None = None,
        *,
        since: float | None = None,
        evidence: Evidence = Evidence.UNKNOWN,
        run_id: str = "",
    ) -> Outcome:
        """The outcome of a change, remembered for what depends on it. The ledger is told by `record`."""
        seconds = 0.0 if since is None else round(self.context.clock.monotonic() - since, 3)
        outcome = Outcome(change, status, why, seconds, evidence, change.identity, run_id, self.at())
        with self._lock:
            self.outcomes[change.address] = outcome
            if self.context.stop.is_set() and status is not Status.SKIPPED:
                self.finished.add(change.address)
            (self._bad.discard if status is Status.APPLIED else self._bad.add)(change.address)
        return outcome

    def skip(self, change: Change, why: Why) -> None:
        """A change that is not tried at all: nothing is written anywhere."""
        self.context.tell(self.finish(change, Status.SKIPPED, why))

    def begin(self, change: Change, entry: Entry) -> bool:
        """Say Began, durably, before the request leaves. False when the ledger refuses: then nothing may be sent."""
        try:
            self.context.ledger.began(change, entry)
        except LedgerError as error:
            self._break(error)
            self.skip(change, because(Cause.NOTHING_SENT, _cause(error)))
            return False
        self.context.tell(Began(change, self.at()))
        return True

    def record(self, outcome: Outcome, entry: Entry | None) -> None:
        """Say Outcome, durably. When the ledger refuses, the entry stays as Began left it, and the run ends.

        A run whose lease is gone claims nothing: another one may have written since.
        """
        try:
            self.context.ledger.outcome(outcome, entry)
        except Fenced as error:
            self._break(error)
            outcome = self._not_claimed(outcome, error)
        except LedgerError as error:
            self._break(error)
        self.context.tell(outcome)

    def _not_claimed(self, outcome: Outcome, error: Fenced) -> Outcome:
        if not outcome.change.action.is_remote or outcome.status is Status.SKIPPED:
            status, why = Status.SKIPPED, because(Cause.NOT_RECORDED, said=error.message)
        else:
            cause = Cause.STARTED_UNCLAIMED if outcome.run_id else Cause.SENT_UNCLAIMED
            status, why = Status.UNKNOWN, because(cause, run=outcome.run_id, said=error.message)
        told = replace(outcome, status=status, why=why, evidence=Evidence.UNKNOWN)
        with self._lock:
            self.outcomes[outcome.change.address] = told
        return told

    def forbid(self, change: Change, error: LedgerError, *, since: float, in_part: bool = False) -> None:
        """A change that was begun and then not sent, since the lease no longer holds, or cannot be asked.

        `in_part`: earlier parts of it may have been sent. The entry stays as Began left it: whoever holds the lease
        next looks at it first.
        """
        self._break(error)
        cause = _cause(error)
        if error.left_open is not None:
            status, why = Status.UNKNOWN, because(Cause.NOT_SENT_AGAIN, cause, said=error.left_open.words)
        elif in_part:
            status, why = Status.UNKNOWN, because(Cause.SENT_IN_PART, cause)
        elif change.action is Action.START:
            status, why = Status.SKIPPED, because(Cause.START_LEFT_BEGUN, cause, address=change.address)
        else:
            status, why = Status.SKIPPED, because(Cause.NOTHING_SENT, cause)
        self.context.tell(self.finish(change, status, why, since=since))

    def may_go_on(self) -> bool:
        """Whether the lease still holds, for whoever waits long between two questions to a product."""
        try:
            self.context.ledger.check()
        except Fenced as error:
            self._break(error)
            return False
        except LedgerError:
            pass  # nothing is written now; the next write meets the trouble, if it lasts
        return True

    def note(self, entry: Entry) -> bool:
        """Keep an entry between Began and Outcome, durably; False when the ledger refuses."""
        try:
            self.context.ledger.put(entry)
        except LedgerError as error:
            self._break(error)
            return False
        return True

    def _break(self, error: LedgerError) -> None:
        with self._lock:
            self.broken = self.broken or error

    @property
    def ids_are_kept(self) -> bool:
        """Whether the server is known to keep the ids that we send: one of ours was seen live under its own id."""
        return self._has_kept_an_id or self.context.ids_are_kept

    def first_create_lock(self) -> threading.Lock | None:
        """A lock for creates until one has kept its id, so that a server that ignores ids is not flooded."""
        return None if self.ids_are_kept else self._first_create

    def an_id_was_kept(self) -> None:
        """A create was read back under the id that we sent."""
        self._has_kept_an_id = True


def _cause(error: LedgerError) -> Why:
    """Why a run ends. A fence speaks for itself."""
    return said(error.message) if isinstance(error, Fenced) else because(Cause.LEDGER_UNUSABLE, said=error.message)


def entry_of(
    outcome: Outcome, resource: Resource | None, *, declared: str, applied: Mapping[str, str], settled: bool, memo: Memo
) -> Entry:
    """The entry that remembers how a change ended."""
    change = outcome.change
    return Entry(
        address=change.address,
        identity=change.identity,
        agent_path=change.agent_path,
        declared=declared,
        applied=applied,
        settled=settled,
        memo=memo,
        protect=resource.protect if resource is not None else False,
        adopted=resource.adopted if resource is not None else False,
        needs=change.needs,
        at=outcome.at,
        agent_id=change.agent_id,
        known_as=resource.known_as if resource is not None else "",
    )


def opened(change: Change, known: Entry | None, *, declared: str, memo: Memo, at: str) -> Entry:
    """The entry while a change is under way: what was applied before stays, for whoever has to look afterwards."""
    if known is None:
        known = Entry(change.address, "", "", declared, {}, settled=False, memo=memo, needs=change.needs)
    return replace(
        known,
        identity=change.identity or known.identity,
        agent_path=change.agent_path or known.agent_path,
        agent_id=change.agent_id or known.agent_id,
        declared=declared,
        settled=False,
        memo=memo,
        at=at,
    )
