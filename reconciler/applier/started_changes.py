"""Applies one start: told before it is sent, followed to its end, never sent twice.

A start that was accepted and whose end is not seen is `unverified`: not `failed`, which is the product's word about a
run that ended; not `applied`, which is said of what was read; and not `unknown`, since its run id is held and the next
apply follows that run by itself.
"""

from __future__ import annotations

from typing import Generic, cast

from msgspec import Struct

from reconciler import secrecy
from reconciler.applier.run import ApplyRun, entry_of, opened
from reconciler.causes import Cause, Why, because, said
from reconciler.errors import LedgerError, ProductError, Refused
from reconciler.kind import A, Progress, Run, S, StartedKind, StartState, U, Wait
from reconciler.model.copies import replace
from reconciler.model.entry import Entry
from reconciler.model.live import Evidence
from reconciler.model.outcome import Outcome, Status, Waiting
from reconciler.model.plan import Action, Change


def apply_change(run: ApplyRun, change: Change[S], kind: StartedKind[S, U, A]) -> None:
    """Start it, or follow the run that an earlier apply started; or skip it with the reason."""
    if why := run.held_back(change):
        run.skip(change, why)
        return
    assert change.after is not None
    _Step(run, change, kind, run.context.clock.monotonic()).apply(change.after)


class _Step(Struct, Generic[S, U, A], frozen=True):
    """One start on its way, since the moment `since` of the monotonic clock."""

    run: ApplyRun
    change: Change[S]
    kind: StartedKind[S, U, A]
    since: float

    def apply(self, state: S) -> None:
        known = cast("Entry[U] | None", self.run.context.entries.get(self.change.address))
        if self.change.action is Action.ADOPT:
            assert known is not None
            self._followed(state, known.memo.run_id)
            return
        if known is not None and not known.settled:
            # A run for an earlier key is still open. It is settled under that key, so that no crash from here on can
            # make it look as if this start had happened.
            known = self._earlier_ended(known, state)
            if known is None:
                return
        self._start(known, state)

    def _earlier_ended(self, known: Entry[U], state: S) -> Entry[U] | None:
        """Follow the open run of an earlier key, and return its settled entry; None when its end is not seen.

        Then nothing was sent for this key: it is skipped, and the entry stays that of the earlier run.
        """
        run, run_id = self.run, known.memo.run_id
        ended = self._end_of(run_id, state)
        if isinstance(ended, Why):
            run.record(self._finish(Status.SKIPPED, because(Cause.EARLIER_RUN_OPEN, ended), run_id=run_id), known)
            return None
        memo = replace(known.memo, state=_end(ended))
        settled = replace(known, settled=True, memo=memo, at=run.at())
        if run.note(settled):
            return settled
        run.skip(self.change, because(Cause.LEDGER_UNWRITABLE))
        return None

    def _start(self, known: Entry[U] | None, state: S) -> None:
        """Start, follow, and start again after a known failure while there are retries.

        `known` is what the ledger goes on holding when the product refuses to start anything.
        """
        run = self.run
        while True:
            key = self.kind.declared(state, run.context.seal)
            memo = self._memo(state, StartState.SENDING)
            if not run.begin(self.change, opened(self.change, known, declared=key, memo=memo, at=run.at())):
                return
            try:
                run_id = self.kind.start(run.context.client(self.kind), state)
            except LedgerError as error:
                run.forbid(self.change, error, since=self.since)
                return
            except Refused as error:
                run.record(self._finish(Status.FAILED, said(error.words)), known)
                return
            except ProductError as error:
                outcome = self._finish(Status.UNKNOWN, because(Cause.START_IN_DOUBT, said=error.words))
                run.record(outcome, self._entry(outcome, state, StartState.UNKNOWN, settled=False))
                return
            outcome = self._finish(Status.UNKNOWN, run_id=run_id)
            run.note(self._entry(outcome, state, StartState.RUNNING, settled=False))
            if self.kind.wait(state) is None:
                outcome = self._finish(
                    Status.APPLIED, because(Cause.STARTED), run_id=run_id, evidence=Evidence.ATTESTED
                )
                run.record(outcome, self._entry(outcome, state, StartState.STARTED, settled=True))
                return
            known = self._followed(state, run_id)
            ended = run.outcomes[self.change.address]
            has_failed = ended.status is Status.FAILED and ended.evidence is Evidence.VERIFIED
            retried = self.kind.retried(state) if has_failed else None
            if retried is None or run.context.stop.is_set() or run.broken is not None:
                return
            state = retried

    def _end_of(self, run_id: str, state: S) -> Run | Why:
        """Follow a run: as it ended, or why its end is not known."""
        wait = self.kind.wait(state) or self.kind.usual_wait
        try:
            seen = self._last_seen(run_id, wait)
        except ProductError as error:
            return because(Cause.RUN_UNREAD, run=run_id, said=error.words)
        return seen if seen.is_final else because(Cause.RUN_GOES_ON, run=run_id, status=seen.status)

    def _last_seen(self, run_id: str, wait: Wait) -> Run:
        """Ask for a run until it has ended, or the time is over, or the run of this apply ends. Raises ProductError."""
        context = self.run.context
        client = context.client(self.kind)
        deadline = context.clock.monotonic() + wait.timeout
        while True:
            seen = self.kind.run(client, run_id)
            if seen.is_final or context.clock.monotonic() + wait.interval > deadline:
                return seen
            context.tell(Waiting(str(self.change.address), seen.status, context.clock.monotonic() - self.since, run_id))
            if context.clock.wait(context.stop, wait.interval) or not self.run.may_go_on():
                return seen

    def _followed(self, state: S, run_id: str) -> Entry[U]:
        """Follow a run to its end, if that comes in time; say Outcome, and return what the ledger holds from now on."""
        ended = self._end_of(run_id, state)
        if isinstance(ended, Why):
            outcome = self._finish(Status.UNVERIFIED, ended, run_id=run_id, evidence=Evidence.ATTESTED)
            entry = self._entry(outcome, state, StartState.RUNNING, settled=False)
        else:
            status = Status.APPLIED if ended.has_succeeded else Status.FAILED
            why = because(Cause.RUN_ENDED, status=ended.status)
            outcome = self._finish(status, why, run_id=run_id, evidence=Evidence.VERIFIED)
            entry = self._entry(outcome, state, _end(ended), settled=True)
        self.run.record(outcome, entry)
        return entry

    def _finish(
        self, status: Status, why: Why | None = None, *, run_id: str = "", evidence: Evidence = Evidence.UNKNOWN
    ) -> Outcome:
        return self.run.finish(self.change, status, why, since=self.since, run_id=run_id, evidence=evidence)

    def _memo(self, state: S, how_far: StartState, run_id: str = "") -> U:
        context, change = self.run.context, self.change
        known = context.entries.get(change.address)
        memo = self.kind.remember(Progress(state, how_far, run_id, context.licence))
        before = known.memo if known is not None else None
        return secrecy.settled(memo, change.secrets, context.resources.get(change.address), state, before)

    def _entry(self, outcome: Outcome, state: S, how_far: StartState, *, settled: bool) -> Entry[U]:
        key = self.kind.declared(state, self.run.context.seal)
        return cast(
            "Entry[U]",
            entry_of(
                outcome,
                self.run.context.resources.get(self.change.address),
                declared=key,
                applied={"key": key},
                settled=settled,
                memo=self._memo(state, how_far, outcome.run_id),
            ),
        )


def _end(run: Run) -> StartState:
    return StartState.SUCCESS if run.has_succeeded else StartState.FAILED
