"""Carries out one change of a schedule: look, say Began, act, look again, say Outcome."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

from reconciler import secrecy
from reconciler.applier.run import Run, entry_of
from reconciler.diff import sealed
from reconciler.errors import LedgerError, ProductError, Refused
from reconciler.identity import IDS_BEFORE, SERVER_ASSIGNED, server_assigned_facts, server_assigned_ids
from reconciler.model import Action, Change, Entry, Evidence, Outcome, State, Status
from reconciler.observe import look_at_schedules

Seen = Mapping[str, Any]
"""An agent's schedules by id, as a look showed them."""


def carry(run: Run, change: Change, seen: Seen | None) -> Seen | None:
    """Carry out one change. `seen` is the last look at this agent, if nothing came between; returns the look after."""
    lock = run.first_create_lock() if change.action is Action.CREATE else None
    with lock or nullcontext():
        why = run.held_back(change)
        if why:
            run.skip(change, why)
            return seen
        return _carry(run, change, seen)


def _carry(run: Run, change: Change, seen: Seen | None) -> Seen | None:
    since = run.tools.clock.monotonic()
    try:
        seen = look_at_schedules(run.tools.acc, change.agent_id) if seen is None else seen
    except (ProductError, ValueError) as error:
        outcome = run.finish(change, Status.FAILED, f"could not be read again before the write: {error}", since=since)
        run.tools.tell(outcome)
        return None
    live = _state(run, change, seen)
    if not run.tools.hands.schedule.is_unmoved(change.before, live, as_of=run.tools.clock()):
        run.tools.tell(
            run.finish(change, Status.STALE, "it was changed after the plan was made: plan again", since=since)
        )
        return seen
    if change.action is Action.ADOPT:
        outcome = run.finish(change, Status.APPLIED, "remembered", since=since, evidence=Evidence.VERIFIED)
        run.record(outcome, _settled(run, outcome, live or {}, seen))
        return seen
    facts = {**secrecy.facts(change.secrets), **_ids_before(run, change, seen)}
    if not run.begin(change, declared=_declared(run, change), facts=facts):
        return seen
    return _act(run, change, seen, since)


def _ids_before(run: Run, change: Change, seen: Seen) -> dict[str, Any]:
    """What is on the agent before a create on a server that may not keep its id, so that what comes can be told."""
    return {} if change.action is not Action.CREATE or run.ids_are_kept else {IDS_BEFORE: sorted(seen)}


def _act(run: Run, change: Change, before: Seen, since: float) -> Seen | None:
    trouble: ProductError | None = None
    open_facts = _ids_before(run, change, before)
    try:
        run.tools.hands.schedule.act(run.tools.acc, change, once=bool(open_facts))
    except Refused as error:
        run.record(run.finish(change, Status.FAILED, error.words, since=since), run.tools.entries.get(change.address))
        return None
    except ProductError as error:
        trouble = error
    except LedgerError as error:
        run.forbid(change, error, since=since)
        return None
    try:
        after = look_at_schedules(run.tools.acc, change.agent_id)
    except (ProductError, ValueError) as error:
        status = Status.UNVERIFIED if trouble is None else Status.UNKNOWN
        said = "ACC accepted it" if trouble is None else trouble.words
        evidence = Evidence.ATTESTED if trouble is None else Evidence.UNKNOWN
        outcome = run.finish(
            change, status, f"{said}, but it could not be read back: {error}", since=since, evidence=evidence
        )
        run.record(outcome, _unsettled(run, outcome, open_facts))
        if open_facts:
            run.creates_withheld = "not sent: whether ACC keeps the ids that we send could not be read back"
        return None
    _judge(run, change, (before, after), trouble, since)
    return after


def _judge(run: Run, change: Change, looks: tuple[Seen, Seen], trouble: ProductError | None, since: float) -> None:
    """Decide by the second look what became of the change."""
    _, after = looks
    state = _state(run, change, after)
    wrong = _differences(run, change, state)
    if not wrong:
        if change.action is Action.CREATE:
            run.an_id_was_kept()
        detail = "" if trouble is None else "the reply was lost; reading back shows that it is done"
        outcome = run.finish(change, Status.APPLIED, detail, since=since, evidence=Evidence.VERIFIED)
        run.record(outcome, None if change.action is Action.DELETE else _settled(run, outcome, state or {}, after))
        return
    assigned = _server_assigned(run, change, looks, trouble)
    if not assigned and trouble is not None and _is_as_before(run, change, state):
        outcome = run.finish(change, Status.FAILED, trouble.words, since=since, evidence=Evidence.VERIFIED)
        run.record(outcome, _unsettled(run, outcome))
        return
    facts: dict[str, Any] = {}
    detail = f"reading back shows something else: {wrong}"
    if assigned:
        known = run.tools.entries.get(change.address)
        older = [one for one in server_assigned_ids(known.facts) if one in after] if known is not None else []
        facts = {SERVER_ASSIGNED: sorted({*older, *assigned})}
        detail = f"ACC did not keep the id that we sent and made its own: {', '.join(assigned)}"
        run.creates_withheld = "not sent, since ACC does not keep the ids that we send"
    outcome = run.finish(change, Status.UNVERIFIED, detail, since=since, evidence=Evidence.VERIFIED)
    run.record(outcome, _unsettled(run, outcome, facts))


def _server_assigned(
    run: Run, change: Change, looks: tuple[Seen, Seen], trouble: ProductError | None
) -> tuple[str, ...]:
    """The schedules that came instead of the one that was created, if ACC gave it an id of its own.

    Where the reply was lost, and ids are known to be kept, what came is somebody else's.
    """
    before, after = looks
    if change.action is not Action.CREATE or change.identity in after or (trouble is not None and run.ids_are_kept):
        return ()
    return tuple(sorted(after.keys() - before.keys()))


def _is_as_before(run: Run, change: Change, state: State | None) -> bool:
    return run.tools.hands.schedule.is_unmoved(change.before, state, as_of=run.tools.clock())


def _differences(run: Run, change: Change, state: State | None) -> str:
    """What keeps live from being what was sent, in words; "" when it is."""
    if change.action is Action.DELETE:
        return "" if state is None else "it is still there"
    if state is None:
        return "it is not there"
    assert change.after is not None
    found = run.tools.hands.schedule.diff(state, change.after, as_of=run.as_of)
    return ", ".join(field.path for field in found)


def _state(run: Run, change: Change, seen: Seen) -> State | None:
    found = seen.get(change.identity)
    return None if found is None else run.tools.hands.schedule.live_state(found)


def _declared(run: Run, change: Change) -> str:
    resource = run.tools.resources.get(change.address)
    if resource is None:
        return ""
    hand = run.tools.hands.schedule
    return run.tools.seal(dict(hand.meaning(hand.desired_state(resource.spec))))


def _settled(run: Run, outcome: Outcome, state: State, live: Seen) -> Entry:
    change, hand = outcome.change, run.tools.hands.schedule
    known = run.tools.entries.get(change.address)
    others = server_assigned_facts(known.facts if known is not None else {}, live=live, identity=change.identity)
    resource = run.tools.resources.get(change.address)
    if resource is None:
        memo = hand.memo(state, None)
    else:
        memo = hand.memo(state, hand.desired_state(resource.spec), resource.moved_from)
    return entry_of(
        change,
        resource,
        declared=_declared(run, change),
        applied=sealed(hand.meaning(state), run.tools.seal),
        settled=True,
        at=outcome.at,
        facts={**run.secrets_left(change, state), **memo, **others},
    )


def _unsettled(run: Run, outcome: Outcome, facts: Mapping[str, Any] | None = None) -> Entry:
    """What is remembered when the end is not known, or not as wished: the last known state, open."""
    change = outcome.change
    known = run.tools.entries.get(change.address)
    facts = {**(facts or {}), **secrecy.facts(change.secrets)}
    if known is not None:
        return replace(known, identity=change.identity, settled=False, facts={**known.facts, **facts}, at=outcome.at)
    resource = run.tools.resources.get(change.address)
    declared = _declared(run, change)
    return entry_of(change, resource, declared=declared, applied={}, settled=False, at=outcome.at, facts=facts)
