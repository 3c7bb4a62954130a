"""Carries out one start of an Automate MFT task: told before it is sent, followed to its end, never sent twice.

A start that was accepted and whose end is not seen is `unverified`: not `failed`, which is the product's word about a
run that ended; not `applied`, which is said of what was read; and not `unknown`, since its run id is held and the next
apply follows that run by itself.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from reconciler.applier.run import Run, entry_of
from reconciler.errors import LedgerError, ProductError, Refused
from reconciler.model import Action, Change, Entry, Evidence, Outcome, Status, at_text


def carry(run: Run, change: Change) -> None:
    """Start the task, or follow the run that an earlier apply started; or skip it with the reason."""
    why = run.held_back(change)
    if why:
        run.skip(change, why)
        return
    known = run.tools.entries.get(change.address)
    since = run.tools.clock.monotonic()
    assert change.after is not None
    attempt = int(change.after["attempt"])
    if change.action is Action.ADOPT:
        assert known is not None
        _followed(run, change, str(known.facts["runId"]), attempt, since)
        return
    if known is not None and not known.settled:
        # A run for an earlier key is still open. It is settled under that key, so that no crash from here on can
        # make it look as if this start had happened.
        known = _earlier_ended(run, change, known, since)
        if known is None:
            return
    _start(run, change, known, attempt, since)


def _earlier_ended(run: Run, change: Change, known: Entry, since: float) -> Entry | None:
    """Follow the open run of an earlier key, and return its settled entry; None when its end is not seen.

    Then nothing was sent for this key: it is skipped, and the entry stays that of the earlier run.
    """
    run_id = str(known.facts["runId"])
    ended, trouble = _end_of(run, change, run_id)
    if ended is None:
        detail = f"not started, since its earlier {trouble}"
        run.record(run.finish(change, Status.SKIPPED, detail, since=since, run_id=run_id), known)
        return None
    state = "success" if ended.status == "success" else "failed"
    settled = replace(known, settled=True, facts={**known.facts, "state": state}, at=at_text(run.tools.clock()))
    if run.note(settled):
        return settled
    run.skip(change, "the ledger cannot be written")
    return None


def _start(run: Run, change: Change, known: Entry | None, attempt: int, since: float) -> None:
    """Start, follow, and start again after a known failure while `retries` lasts.

    `known` is what the ledger goes on holding when the product refuses to start anything.
    """
    assert change.after is not None
    while True:
        facts = _facts(run, change, "sending", attempt)
        if not run.begin(change, declared=change.after["key"], facts=facts):
            return
        try:
            run_id = run.tools.hands.trigger.act(run.tools.mft, change.after)
        except LedgerError as error:
            run.forbid(change, error, since=since)
            return
        except Refused as error:
            outcome = run.finish(change, Status.FAILED, error.words, since=since)
            run.record(outcome, known)
            return
        except ProductError as error:
            lost = error.words.rstrip(".")
            detail = f"{lost}. Whether the task started is not known"
            outcome = run.finish(change, Status.UNKNOWN, detail, since=since)
            run.record(outcome, _entry(run, outcome, "unknown", attempt, settled=False))
            return
        outcome = run.finish(change, Status.UNKNOWN, run_id=run_id, since=since)
        run.note(_entry(run, outcome, "running", attempt, settled=False))
        if run.tools.hands.trigger.wait_of(run.tools.resources[change.address].spec) is None:
            outcome = run.finish(
                change, Status.APPLIED, "started", since=since, run_id=run_id, evidence=Evidence.ATTESTED
            )
            run.record(outcome, _entry(run, outcome, "started", attempt, settled=True))
            return
        known = _followed(run, change, run_id, attempt, since)
        ended = run.outcomes[change.address]
        may_retry = ended.status is Status.FAILED and ended.evidence is Evidence.VERIFIED
        if not may_retry or attempt > change.after["retries"] or run.tools.stop.is_set() or run.broken is not None:
            return
        attempt += 1


def _end_of(run: Run, change: Change, run_id: str) -> tuple[Any, str]:
    """Follow a run: as it ended, or None and why its end is not known."""
    tools = run.tools
    wait = tools.hands.trigger.wait_of(tools.resources[change.address].spec) or tools.hands.trigger.wait_of({})
    try:
        seen = tools.hands.trigger.follow(
            tools.mft,
            run_id,
            wait,
            clock=tools.clock.monotonic,
            pause=lambda seconds: not tools.clock.wait(tools.stop, seconds) and run.may_go_on(),
        )
    except ProductError as error:
        return None, f"run {run_id} cannot be read: {error.words.rstrip('.')}; the next apply follows it"
    if seen.is_final:
        return seen, ""
    return None, f"run {run_id} is still going ({seen.status}); the next apply follows it"


def _followed(run: Run, change: Change, run_id: str, attempt: int, since: float) -> Entry:
    """Follow a run to its end, if that comes in time; say Outcome, and return what the ledger holds from now on."""
    ended, trouble = _end_of(run, change, run_id)
    if ended is None:
        outcome = run.finish(change, Status.UNVERIFIED, trouble, since=since, run_id=run_id, evidence=Evidence.ATTESTED)
        entry = _entry(run, outcome, "running", attempt, settled=False)
        run.record(outcome, entry)
        return entry
    good = ended.status == "success"
    outcome = run.finish(
        change,
        Status.APPLIED if good else Status.FAILED,
        f"ended: {ended.status}",
        since=since,
        run_id=run_id,
        evidence=Evidence.VERIFIED,
    )
    entry = _entry(run, outcome, "success" if good else "failed", attempt, settled=True)
    run.record(outcome, entry)
    return entry


def _facts(run: Run, change: Change, state: str, attempt: int, run_id: str = "") -> dict[str, Any]:
    assert change.after is not None
    facts = run.tools.hands.trigger.facts(
        change.after, state=state, attempts=attempt, run_id=run_id, licence=run.tools.licence
    )
    return {**facts, **run.secrets_left(change, change.after)}


def _entry(run: Run, outcome: Outcome, state: str, attempt: int, *, settled: bool) -> Entry:
    change = outcome.change
    assert change.after is not None
    return entry_of(
        change,
        run.tools.resources.get(change.address),
        declared=change.after["key"],
        applied={"key": change.after["key"]},
        settled=settled,
        at=outcome.at,
        facts=_facts(run, change, state, attempt, outcome.run_id),
    )
