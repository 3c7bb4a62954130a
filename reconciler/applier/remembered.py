"""Carries out one change of what no product shows: input files and approval. The product's word is the evidence."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from reconciler.applier.run import Run, entry_of
from reconciler.errors import LedgerError, ProductError, Refused
from reconciler.model import Action, Change, Entry, Evidence, KindName, Outcome, Status
from reconciler.observe import has_active_run


def carry(run: Run, change: Change) -> None:
    """Carry out one change, or skip it with the reason."""
    why = run.held_back(change)
    if why:
        run.skip(change, why)
        return
    since = run.tools.clock.monotonic()
    known = run.tools.entries.get(change.address)
    if change.action is Action.ADOPT:
        # It bears another name, and is what was sent before: the entry stands at its new address already.
        run.record(run.finish(change, Status.APPLIED, since=since, evidence=Evidence.ATTESTED), known)
        return
    if change.action is Action.FORGET:
        outcome = run.finish(change, Status.APPLIED, since=since, evidence=Evidence.ATTESTED)
        run.record(outcome, _reached(run, outcome, known))
        return
    if not run.begin(change, declared=declared_of(run, change), facts=known.facts if known is not None else {}):
        return
    # A set of files may have been sent in part, and then only sending all of it again is right.
    in_part = change.address.kind is KindName.INPUT_FILES and change.action is Action.UPLOAD
    try:
        _send(run, change)
    except LedgerError as error:
        run.forbid(change, error, since=since, in_part=in_part)
    except Refused as error:
        outcome = run.finish(change, Status.FAILED, _words(error), since=since)
        run.record(outcome, _open(run, outcome, known) if in_part else known)
    except (ProductError, OSError) as error:
        outcome = run.finish(change, Status.UNKNOWN, _words(error), since=since)
        run.record(outcome, _open(run, outcome, known))
    else:
        outcome = run.finish(change, Status.APPLIED, since=since, evidence=Evidence.ATTESTED)
        run.record(outcome, _reached(run, outcome, known))


def _send(run: Run, change: Change) -> None:
    tools = run.tools
    resource = tools.resources[change.address]
    if change.address.kind is KindName.APPROVAL:
        tools.hands.approval.act(tools.acc, change, resource, tools.context)
    else:
        tools.hands.input_files.act(tools.acc, change, resource, tools.seal, partial(has_active_run, tools.acc))


def declared_of(run: Run, change: Change) -> str:
    """The keyed digest of what is wanted, for recognising it later."""
    assert change.after is not None
    hands = run.tools.hands
    hand = hands.approval if change.address.kind is KindName.APPROVAL else hands.input_files
    return hand.declared(change.after, run.tools.seal)


def _reached(run: Run, outcome: Outcome, known: Entry | None) -> Entry:
    change = outcome.change
    assert change.after is not None
    resource = run.tools.resources.get(change.address)
    if change.address.kind is KindName.APPROVAL:
        applied, facts = dict(change.after["sealed"]), {"state": change.after["state"]}
    else:
        hand = run.tools.hands.input_files
        applied, facts = hand.applied(change.after), hand.facts(change.after, known)
        if change.action is Action.DISABLE:
            # Nothing was sent: what is on the server is what was sent before, if anything.
            applied = dict(known.applied) if known is not None else {}
            facts = {**(known.facts if known is not None else {}), "enabled": False}
            facts.pop("byHand", None)
    return entry_of(
        change,
        resource,
        declared=declared_of(run, change),
        applied=applied,
        settled=True,
        at=outcome.at,
        facts=facts,
    )


def _open(run: Run, outcome: Outcome, known: Entry | None) -> Entry:
    if known is not None:
        return replace(known, settled=False, at=outcome.at)
    change = outcome.change
    resource = run.tools.resources.get(change.address)
    return entry_of(change, resource, declared=declared_of(run, change), applied={}, settled=False, at=outcome.at)


def _words(error: ProductError | OSError) -> str:
    if isinstance(error, OSError):
        return f"{error.filename or 'a file'} could not be read: {error.strerror}"
    return error.words
