"""Applies one change of what can be read back: read, say Began, act, read again, say Outcome."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from typing import Generic, TypeAlias, cast

from msgspec import Struct

from reconciler import secrecy
from reconciler.applier.run import ApplyRun, entry_of, opened
from reconciler.causes import Cause, Why, because, said
from reconciler.diff import sealed
from reconciler.errors import LedgerError, ProductError, Refused
from reconciler.kind import A, O, ObservedKind, S
from reconciler.model.copies import replace
from reconciler.model.entry import Entry
from reconciler.model.live import Evidence, Observation
from reconciler.model.outcome import Outcome, Status
from reconciler.model.plan import Action, Change
from reconciler.model.resource import Resource
from reconciler.structure_diff import difference_text

Seen: TypeAlias = Mapping[str, Observation]
"""What an agent has of a kind, by identity, as one reading showed it."""


def apply_change(run: ApplyRun, change: Change[S], kind: ObservedKind[S, O, A], seen: Seen | None) -> Seen | None:
    """Apply one change. `seen` is the last reading of this agent, if nothing came between; returns the one after."""
    lock = run.first_create_lock() if change.action is Action.CREATE else None
    with lock or nullcontext():
        if why := run.held_back(change):
            run.skip(change, why)
            return seen
        return _Step(run, change, kind, run.context.clock.monotonic()).apply(seen)


class _Step(Struct, Generic[S, O, A], frozen=True):
    """One change on its way, since the moment `since` of the monotonic clock."""

    run: ApplyRun
    change: Change[S]
    kind: ObservedKind[S, O, A]
    since: float

    @property
    def known(self) -> Entry[O] | None:
        return cast("Entry[O] | None", self.run.context.entries.get(self.change.address))

    @property
    def resource(self) -> Resource[S] | None:
        return cast("Resource[S] | None", self.run.context.resources.get(self.change.address))

    def apply(self, seen: Seen | None) -> Seen | None:
        """Read again, and go on only where live is what the plan rested on."""
        run, change = self.run, self.change
        try:
            seen = self._read() if seen is None else seen
        except (ProductError, ValueError) as error:
            run.context.tell(self._finish(Status.FAILED, because(Cause.NOT_READ_AGAIN, said=error)))
            return None
        live = self._state(seen)
        if not self.kind.is_unmoved(change.before, live, as_of=run.context.clock()):
            run.context.tell(self._finish(Status.STALE, because(Cause.CHANGED_SINCE_PLANNED)))
            return seen
        if change.action is Action.ADOPT:
            assert live is not None
            outcome = self._finish(Status.APPLIED, because(Cause.RECORDED), evidence=Evidence.VERIFIED)
            run.record(outcome, self._settled(outcome, live, seen))
            return seen
        memo = self._memo(ids_before=self._ids_before(seen))
        entry = opened(change, self.known, declared=self._declared(), memo=memo, at=run.at())
        return self._act(seen) if run.begin(change, entry) else seen

    def _ids_before(self, seen: Seen) -> tuple[str, ...] | None:
        """What is on the agent before a create on a server that may not keep its id, so that what comes can be told."""
        return None if self.change.action is not Action.CREATE or self.run.ids_are_kept else tuple(sorted(seen))

    def _act(self, before: Seen) -> Seen | None:
        run, change = self.run, self.change
        trouble: ProductError | None = None
        ids_before = self._ids_before(before)
        try:
            self.kind.act(run.context.client(self.kind), change, once=ids_before is not None)
        except Refused as error:
            run.record(self._finish(Status.FAILED, said(error.words)), self.known)
            return None
        except ProductError as error:
            trouble = error
        except LedgerError as error:
            run.forbid(change, error, since=self.since)
            return None
        try:
            after = self._read()
        except (ProductError, ValueError) as error:
            status = Status.UNVERIFIED if trouble is None else Status.UNKNOWN
            sent = because(Cause.ACCEPTED) if trouble is None else said(trouble.words)
            evidence = Evidence.ATTESTED if trouble is None else Evidence.UNKNOWN
            outcome = self._finish(status, because(Cause.NOT_READ_BACK, sent, said=error), evidence=evidence)
            run.record(outcome, self._unsettled(outcome, ids_before=ids_before))
            if ids_before is not None:
                run.creates_withheld = because(Cause.IDS_NOT_READ_BACK)
            return None
        self._judge(before, after, trouble)
        return after

    def _judge(self, before: Seen, after: Seen, trouble: ProductError | None) -> None:
        """Decide by the second reading what became of the change."""
        run, change, state = self.run, self.change, self._state(after)
        wrong = self._differences(state)
        if not wrong:
            if change.action is Action.CREATE:
                run.an_id_was_kept()
            why = None if trouble is None else because(Cause.DONE_THOUGH_REPLY_LOST)
            outcome = self._finish(Status.APPLIED, why, evidence=Evidence.VERIFIED)
            run.record(outcome, None if state is None else self._settled(outcome, state, after))
            return
        assigned = self._server_assigned(before, after, trouble)
        if not assigned and trouble is not None and self._is_as_before(state):
            outcome = self._finish(Status.FAILED, said(trouble.words), evidence=Evidence.VERIFIED)
            run.record(outcome, self._unsettled(outcome))
            return
        ids: tuple[str, ...] = ()
        why = because(Cause.READ_BACK_DIFFERS, wrong)
        if assigned:
            known = self.known.memo.server_assigned_ids if self.known is not None else ()
            ids = tuple(sorted({*(one for one in known if one in after), *assigned}))
            why = because(Cause.ID_NOT_KEPT, names=assigned)
            run.creates_withheld = because(Cause.IDS_NOT_KEPT)
        outcome = self._finish(Status.UNVERIFIED, why, evidence=Evidence.VERIFIED)
        run.record(outcome, self._unsettled(outcome, server_assigned_ids=ids))

    def _server_assigned(self, before: Seen, after: Seen, trouble: ProductError | None) -> tuple[str, ...]:
        """The things that came instead of the one that was created, if the product gave it an id of its own.

        Where the reply was lost, and ids are known to be kept, what came is somebody else's.
        """
        is_create = self.change.action is Action.CREATE
        if not is_create or self.change.identity in after or (trouble is not None and self.run.ids_are_kept):
            return ()
        return tuple(sorted(after.keys() - before.keys()))

    def _is_as_before(self, state: S | None) -> bool:
        return self.kind.is_unmoved(self.change.before, state, as_of=self.run.context.clock())

    def _differences(self, state: S | None) -> Why | None:
        """What keeps live from being what was sent; None when it is."""
        if self.change.action is Action.DELETE:
            return None if state is None else because(Cause.STILL_THERE)
        if state is None:
            return because(Cause.NOT_THERE)
        assert self.change.after is not None
        found = self.kind.diff(state, self.change.after, as_of=self.run.as_of)
        sent, live = ({field.path: field.after for field in found}, {field.path: field.before for field in found})
        told = difference_text(sent, live, was="was sent", now="came back", secrets=self.change.secrets)
        return said(told or ", ".join(sent)) if found else None

    # --- reading and telling -----------------------------------------------------------------------------------------

    def _read(self) -> Seen:
        return self.kind.observe(self.run.context.client(self.kind), self.change.agent_id)

    def _state(self, seen: Seen) -> S | None:
        found = seen.get(self.change.identity)
        return None if found is None else cast("S | None", found.state)

    def _finish(self, status: Status, why: Why | None, *, evidence: Evidence = Evidence.UNKNOWN) -> Outcome:
        return self.run.finish(self.change, status, why, since=self.since, evidence=evidence)

    def _declared(self) -> str:
        return "" if self.resource is None else self.kind.declared(self.resource.state, self.run.context.seal)

    def _memo(self, ids_before: tuple[str, ...] | None = None, server_assigned_ids: tuple[str, ...] = ()) -> O:
        """What is remembered while the end is open, over what was known."""
        memo = self.known.memo if self.known is not None else self.kind.memo_type()
        return replace(
            memo,
            secrets=self.change.secrets or memo.secrets,
            ids_before=memo.ids_before if ids_before is None else ids_before,
            server_assigned_ids=server_assigned_ids or memo.server_assigned_ids,
        )

    def _settled(self, outcome: Outcome, state: S, live: Seen) -> Entry:
        before = self.known.memo if self.known is not None else None
        memo = secrecy.memo_reached(
            self.kind,
            state,
            self.resource,
            before,
            identity=self.change.identity,
            live=live,
            paths=self.change.secrets,
        )
        return entry_of(
            outcome,
            self.resource,
            declared=self._declared(),
            applied=sealed(self.kind.meaning(state), self.run.context.seal),
            settled=True,
            memo=memo,
        )

    def _unsettled(
        self,
        outcome: Outcome,
        *,
        ids_before: tuple[str, ...] | None = None,
        server_assigned_ids: tuple[str, ...] = (),
    ) -> Entry:
        """What is remembered when the end is not known, or not as wished: the last known state, open."""
        memo, known = self._memo(ids_before, server_assigned_ids), self.known
        if known is not None:
            return replace(known, identity=self.change.identity, settled=False, memo=memo, at=outcome.at)
        return entry_of(outcome, self.resource, declared=self._declared(), applied={}, settled=False, memo=memo)
