"""Applies one change of what no product shows. The product's word is the evidence."""

from __future__ import annotations

from reconciler.applier.run import ApplyRun, entry_of, opened
from reconciler.causes import Cause, Why, because, said
from reconciler.errors import LedgerError, ProductError, Refused
from reconciler.kind import A, AttestedKind, S, Sending, T
from reconciler.model.copies import replace
from reconciler.model.entry import Entry
from reconciler.model.live import Evidence
from reconciler.model.outcome import Outcome, Status
from reconciler.model.plan import Action, Change


def apply_change(run: ApplyRun, change: Change[S], kind: AttestedKind[S, T, A]) -> None:
    """Apply one change, or skip it with the reason."""
    if why := run.held_back(change):
        run.skip(change, why)
        return
    context = run.context
    since = context.clock.monotonic()
    known: Entry[T] | None = context.entries.get(change.address)  # type: ignore[assignment]  # of this kind
    if change.action is Action.ADOPT:
        # It bears another name, and is what was sent before: the entry stands at its new address already.
        run.record(run.finish(change, Status.APPLIED, since=since, evidence=Evidence.ATTESTED), known)
        return
    assert change.after is not None
    declared = kind.declared(change.after, context.seal)
    if change.action is Action.FORGET:
        outcome = run.finish(change, Status.APPLIED, since=since, evidence=Evidence.ATTESTED)
        run.record(outcome, _reached(run, outcome, change, known, kind, declared=declared))
        return
    memo = known.memo if known is not None else kind.memo_type()
    if not run.begin(change, opened(change, known, declared=declared, memo=memo, at=run.at())):
        return
    in_part = kind.is_sent_in_parts(change)
    try:
        kind.act(context.client(kind), change, Sending(context.seal, context.log_words, context.is_busy))
    except LedgerError as error:
        run.forbid(change, error, since=since, in_part=in_part)
    except Refused as error:
        outcome = run.finish(change, Status.FAILED, _why(error), since=since)
        run.record(outcome, _open(run, outcome, known, kind, declared=declared) if in_part else known)
    except (ProductError, OSError) as error:
        outcome = run.finish(change, Status.UNKNOWN, _why(error), since=since)
        run.record(outcome, _open(run, outcome, known, kind, declared=declared))
    else:
        outcome = run.finish(change, Status.APPLIED, since=since, evidence=Evidence.ATTESTED)
        run.record(outcome, _reached(run, outcome, change, known, kind, declared=declared))


def _reached(
    run: ApplyRun,
    outcome: Outcome,
    change: Change[S],
    known: Entry[T] | None,
    kind: AttestedKind[S, T, A],
    *,
    declared: str,
) -> Entry:
    applied, memo = kind.remember(change, known)
    resource = run.context.resources.get(change.address)
    return entry_of(outcome, resource, declared=declared, applied=applied, settled=True, memo=memo)


def _open(
    run: ApplyRun, outcome: Outcome, known: Entry[T] | None, kind: AttestedKind[S, T, A], *, declared: str
) -> Entry:
    if known is not None:
        return replace(known, settled=False, at=outcome.at)
    resource = run.context.resources.get(outcome.change.address)
    return entry_of(outcome, resource, declared=declared, applied={}, settled=False, memo=kind.memo_type())


def _why(error: ProductError | OSError) -> Why:
    if isinstance(error, OSError):
        return because(Cause.FILE_UNREAD, file=error.filename or "a file", said=error.strerror)
    return said(error.words)
