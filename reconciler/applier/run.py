"""One run of a plan: what has been told, what failed, and what that holds back. Shared by all workers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol

from reconciler import secrecy
from reconciler.clock import Clock
from reconciler.diff import Sealer
from reconciler.errors import Fenced, LedgerError
from reconciler.model import (
    Action,
    Address,
    Began,
    Change,
    Entry,
    Evidence,
    FieldChange,
    KindName,
    Outcome,
    Resource,
    State,
    Status,
    at_text,
)


class Recorder(Protocol):
    """The ledger, under this run's lease. Each call returns when it is durable. Raises LedgerError.

    `check` raises Fenced when the lease no longer holds.
    """

    def check(self) -> None: ...
    def began(self, change: Change, *, declared: str, facts: Mapping[str, Any]) -> None: ...
    def outcome(self, outcome: Outcome, entry: Entry | None) -> None: ...
    def put(self, entry: Entry) -> None: ...


class ScheduleHand(Protocol):
    """What applying needs of the kind `schedule`."""

    def live_state(self, live: Any) -> State: ...
    def desired_state(self, spec: State) -> State: ...
    def diff(self, live: State, desired: State, *, as_of: datetime) -> tuple[FieldChange, ...]: ...
    def meaning(self, state: State) -> Mapping[str, str]: ...
    def is_unmoved(self, before: State | None, live: State | None, *, as_of: datetime) -> bool: ...
    def memo(self, live: State, desired: State | None, moved_from: str = "") -> dict[str, Any]: ...
    def act(self, acc: Any, change: Change, *, once: bool = False) -> None: ...


class InputFilesHand(Protocol):
    """What applying needs of the kind `input-files`."""

    def act(
        self, acc: Any, change: Change, resource: Resource, seal: Sealer, is_busy: Callable[[str], bool]
    ) -> None: ...
    def declared(self, state: State, seal: Sealer) -> str: ...
    def applied(self, state: State) -> dict[str, str]: ...
    def facts(self, state: State, entry: Entry | None) -> dict[str, Any]: ...


class ApprovalHand(Protocol):
    """What applying needs of the kind `approval`."""

    def act(self, acc: Any, change: Change, resource: Resource, context: str) -> None: ...
    def declared(self, state: State, seal: Sealer) -> str: ...


class TriggerHand(Protocol):
    """What applying needs of the kind `trigger`."""

    def facts(
        self, desired: State, *, state: str, attempts: int, run_id: str = "", licence: object = None
    ) -> dict[str, Any]: ...
    def act(self, mft: Any, desired: State) -> str: ...
    def wait_of(self, spec: State) -> Any: ...
    def follow(
        self, mft: Any, run_id: str, wait: Any, *, clock: Callable[[], float], pause: Callable[[float], bool]
    ) -> Any: ...


@dataclass(frozen=True, slots=True)
class Hands:
    """The kinds, as the applier sees them."""

    schedule: ScheduleHand
    input_files: InputFilesHand
    approval: ApprovalHand
    trigger: TriggerHand


@dataclass(frozen=True, slots=True)
class Tools:
    """All that a run works with. `acc` and `mft` are the clients; None where no manifest uses the product.

    `context` is what a product's log is told (commit and plan). `licence` is
    the task-execution counter before the run, for the person who may have to resolve a lost start.
    """

    acc: Any
    mft: Any
    hands: Hands
    resources: Mapping[Address, Resource]
    entries: Mapping[Address, Entry]
    ledger: Recorder
    seal: Sealer
    stop: threading.Event
    tell: Callable[[Began | Outcome], None]
    clock: Clock
    context: str
    acc_concurrency: int = 8
    mft_concurrency: int = 8
    licence: object = None
    ids_are_kept: bool = False
    redact: Callable[[str], str] = str


@dataclass(slots=True)
class Run:
    """The state of one apply that its workers share. Every method may be called from any thread."""

    tools: Tools
    as_of: datetime
    outcomes: dict[Address, Outcome] = field(default_factory=dict)
    broken: LedgerError | None = None
    creates_withheld: str = ""
    _bad: set[Address] = field(default_factory=set)
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _first_create: threading.Lock = field(default_factory=threading.Lock)
    _has_kept_an_id: bool = False

    def secrets_left(self, change: Change, state: State) -> dict[str, Any]:
        """Which fields stay secret once `state` was reached, as facts for the ledger: names, never values."""
        known = self.tools.entries.get(change.address)
        before = known.facts if known is not None else {}
        return secrecy.settled_facts(change.secrets, self.tools.resources.get(change.address), state, before)

    def held_back(self, change: Change) -> str:
        """Why this change must not be tried now; "" when it may."""
        if self.broken is not None:
            return f"not tried: {_cause(self.broken)}"
        if self.tools.stop.is_set():
            return "interrupted before it began"
        if change.action is Action.CREATE and self.creates_withheld:
            return self.creates_withheld
        with self._lock:
            stuck = [
                need
                for need in change.needs
                if need in self.outcomes and self.outcomes[need].status is not Status.APPLIED
            ]
        return f"it needs {', '.join(map(str, stuck))}, which was not applied" if stuck else ""

    def failed_so_far(self) -> str:
        """The first change that did not come out as planned, for withholding deletions; "" while there is none."""
        with self._lock:
            return str(min(self._bad)) if self._bad else ""

    def finish(
        self,
        change: Change,
        status: Status,
        detail: str = "",
        *,
        since: float | None = None,
        evidence: Evidence = Evidence.UNKNOWN,
        run_id: str = "",
    ) -> Outcome:
        """The outcome of a change, remembered for what depends on it. The ledger is told by `record`."""
        seconds = 0.0 if since is None else round(self.tools.clock.monotonic() - since, 3)
        outcome = Outcome(
            change, status, detail, seconds, evidence, change.identity, run_id, at_text(self.tools.clock())
        )
        with self._lock:
            self.outcomes[change.address] = outcome
            (self._bad.discard if status is Status.APPLIED else self._bad.add)(change.address)
        return outcome

    def skip(self, change: Change, why: str) -> None:
        """A change that is not tried at all: nothing is written anywhere."""
        self.tools.tell(self.finish(change, Status.SKIPPED, why))

    def begin(self, change: Change, *, declared: str, facts: Mapping[str, Any]) -> bool:
        """Say Began, durably, before the request leaves. False when the ledger refuses: then nothing may be sent."""
        try:
            self.tools.ledger.began(change, declared=declared, facts=facts)
        except LedgerError as error:
            self._break(error)
            self.skip(change, f"nothing was sent: {_cause(error)}")
            return False
        self.tools.tell(Began(change, at_text(self.tools.clock())))
        return True

    def record(self, outcome: Outcome, entry: Entry | None) -> None:
        """Say Outcome, durably. When the ledger refuses, the entry stays as Began left it, and the run ends.

        A run whose lease is gone claims nothing: another one may have written since.
        """
        try:
            self.tools.ledger.outcome(outcome, entry)
        except Fenced as error:
            self._break(error)
            outcome = self._not_claimed(outcome, error)
        except LedgerError as error:
            self._break(error)
        self.tools.tell(outcome)

    def _not_claimed(self, outcome: Outcome, error: Fenced) -> Outcome:
        if not outcome.change.action.is_remote or outcome.status is Status.SKIPPED:
            said = replace(outcome, status=Status.SKIPPED, detail=f"not recorded: {error.message}")
        else:
            what = f"run {outcome.run_id} was started" if outcome.run_id else "it was sent"
            detail = f"{what}, and how it stands now is not known to this run: {error.message}"
            said = replace(outcome, status=Status.UNKNOWN, detail=detail)
        said = replace(said, evidence=Evidence.UNKNOWN)
        with self._lock:
            self.outcomes[outcome.change.address] = said
        return said

    def forbid(self, change: Change, error: LedgerError, *, since: float, in_part: bool = False) -> None:
        """A change that was begun and then not sent, since the lease no longer holds, or cannot be asked.

        `in_part`: earlier parts of it may have been sent. The entry stays as Began left it: whoever holds the lease
        next looks at it first.
        """
        self._break(error)
        if error.left_open is not None:
            status, said = Status.UNKNOWN, f"{error.left_open.words.rstrip('.')}. Not sent again: {_cause(error)}"
        elif in_part:
            status, said = Status.UNKNOWN, f"perhaps sent in part, and broken off: {_cause(error)}"
        else:
            status, said = Status.SKIPPED, f"nothing was sent: {_cause(error)}"
            if change.action is Action.START:
                said += f". The ledger holds it as begun: `reconciler resolve {change.address} --not-ran` settles it"
        self.tools.tell(self.finish(change, status, said, since=since))

    def may_go_on(self) -> bool:
        """Whether the lease still holds, for whoever waits long between two questions to a product."""
        try:
            self.tools.ledger.check()
        except Fenced as error:
            self._break(error)
            return False
        except LedgerError:
            pass  # nothing is written now; the next write meets the trouble, if it lasts
        return True

    def note(self, entry: Entry) -> bool:
        """Keep an entry between Began and Outcome, durably; False when the ledger refuses."""
        try:
            self.tools.ledger.put(entry)
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
        return self._has_kept_an_id or self.tools.ids_are_kept

    def first_create_lock(self) -> threading.Lock | None:
        """A lock for creates until one has kept its id, so that a server that ignores ids is not flooded."""
        return None if self.ids_are_kept else self._first_create

    def an_id_was_kept(self) -> None:
        """A create was read back under the id that we sent."""
        self._has_kept_an_id = True


def _cause(error: LedgerError) -> str:
    """Why a run ends, in words. A fence speaks for itself."""
    return error.message if isinstance(error, Fenced) else f"the ledger cannot be used: {error.message}"


def entry_of(
    change: Change,
    resource: Resource | None,
    *,
    declared: str,
    applied: Mapping[str, str],
    settled: bool,
    at: str,
    facts: Mapping[str, Any] | None = None,
) -> Entry:
    """The entry that remembers a change's result."""
    return Entry(
        address=change.address,
        identity=change.identity,
        agent_path=change.agent_path,
        declared=declared,
        applied=applied,
        settled=settled,
        protect=resource.protect if resource is not None else False,
        adopted=resource.adopted if resource is not None else False,
        needs=change.needs,
        facts=facts or {},
        at=at,
        agent_id=change.agent_id,
        known_as=resource.known_as if resource is not None else "",
    )


ORDER = {KindName.INPUT_FILES: 0, KindName.APPROVAL: 1, KindName.SCHEDULE: 2, KindName.TRIGGER: 3}
"""Within one agent: input files, then approval, then schedules. Triggers follow what they need."""
