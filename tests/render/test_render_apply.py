"""What an apply tells while it runs, and at its end: each outcome once, however many there are, in any order."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache

import pytest
import render_golden as golden
from hypothesis import given
from hypothesis import strategies as st
from render_estates import SIZES, changes, estate_outcomes, estate_plan

from reconciler.causes import Cause, because, said
from reconciler.model.address import Address
from reconciler.model.copies import replace
from reconciler.model.live import Evidence
from reconciler.model.outcome import ApplyBegan, Began, Outcome, Status, Waiting
from reconciler.model.plan import Action, Change, Plan, Reason
from reconciler.render import Screen
from reconciler.render.characters import columns
from reconciler.render.outcome_review import outcome_groups
from reconciler.render.text import apply_text
from reconciler.render.text.apply_telling import ApplyTelling

COUNT = re.compile(r"^\S+ ([0-9][0-9,]*) ")
"""A line that begins with a number tells of so many outcomes, any other one that does not wait of one."""


def told_of(lines: list[str]) -> int:
    """How many outcomes the lines tell of."""
    number = 0
    for line in lines:
        found = COUNT.match(line)
        number += int(found[1].replace(",", "")) if found else 1
    return number


def told_live(size: int, width: int) -> list[str]:
    """The lines of an apply of this size, whose changes end one every 40 ms."""
    plan, outcomes = estate_outcomes(size)
    told, now = ApplyTelling(Screen(width)), 0.0
    lines = told.hear(ApplyBegan(plan), now)
    for outcome in outcomes:
        lines += told.hear(Began(outcome.change, outcome.at), now)
        now += 0.04
        lines += told.hear(outcome, now)
    return lines + told.rest()


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("size", SIZES)
def test_an_apply_of_any_size_looks_as_it_was_approved_by_eye(size: int, width: int) -> None:
    plan, outcomes = estate_outcomes(size)
    lines = told_live(size, width)
    page = apply_text.outcomes(outcomes, plan, Screen(width))
    golden.check(f"apply-{size}-{width}.txt", "\n".join([*lines, "", page]))
    assert told_of(lines) == len(outcomes) == size
    assert max(columns(line) for line in page.splitlines()) <= width
    assert len(lines) + len(page.splitlines()) < 75


def test_verbose_gives_each_change_a_line() -> None:
    plan, outcomes = estate_outcomes(300)
    told = ApplyTelling(Screen(200), verbose=True)
    told.hear(ApplyBegan(plan), 0.0)
    lines = [line for outcome in outcomes for line in told.hear(outcome, 1.0)]
    assert [line.split()[1] for line in lines] == [str(outcome.change.address) for outcome in outcomes]
    assert told.rest() == []
    page = apply_text.outcomes(outcomes, plan, Screen(200), verbose=True)
    assert all(str(outcome.change.address) in page for outcome in outcomes)


# --- each outcome once, in any order, cut anywhere -------------------------------------------------------------------

CAUSES = (
    because(Cause.NEEDS_NOT_APPLIED, names=("schedule/a/1",)),
    because(Cause.NEEDS_NOT_APPLIED, names=("schedule/a/2",)),
    because(Cause.INTERRUPTED_BEFORE),
    said("PUT /api/agent/17/schedules answered 401: no"),
    said("PUT /api/agent/18/schedules answered 401: no"),
    *(said(f"answer number {'x' * number}") for number in range(30)),
    None,
)


@cache
def estate_changes() -> tuple[Change, ...]:
    deletions = [
        Change(Address("schedule", "gone", str(number)), Action.DELETE, Reason.REMOVED) for number in range(25)
    ]
    return (*estate_plan(40).changes, *deletions)


@st.composite
def events(draw: st.DrawFn) -> tuple[Plan, list[Began | Waiting | Outcome]]:
    """A plan, and what is told of some of its changes in any order, some of them more than once, as retries are."""
    planned = draw(st.lists(st.sampled_from(estate_changes()), unique=True, max_size=40))
    ended = draw(st.lists(st.sampled_from(planned or estate_changes()), max_size=60))
    found: list[Began | Waiting | Outcome] = []
    for change in ended:
        status, why = draw(st.sampled_from(Status)), draw(st.sampled_from(CAUSES))
        run = draw(st.sampled_from(["", "4711"]))
        if draw(st.booleans()):
            found.append(Began(change, ""))
        if draw(st.booleans()):
            found.append(Waiting(str(change.address), "running", draw(st.floats(0, 5000)), run))
        found.append(Outcome(change, status, why, 0.1, draw(st.sampled_from(Evidence)), run_id=run))
    plan = Plan("p", "default", tuple(sorted(planned, key=lambda change: change.address)))
    return plan, draw(st.permutations(found))


@given(events(), st.integers(0, 200), st.booleans(), st.integers(40, 200))
def test_each_outcome_is_told_once_in_whatever_order_and_wherever_it_is_cut(
    given: tuple[Plan, list[Began | Waiting | Outcome]], cut_at: int, verbose: bool, width: int
) -> None:
    plan, found = given
    told, now = ApplyTelling(Screen(100_000), verbose=verbose), 0.0
    lines = told.hear(ApplyBegan(plan), now)
    for event in found[:cut_at]:
        now += 0.3
        new = told.hear(event, now)
        lines += [] if isinstance(event, Waiting) else new
        for said_now in (told.live_text(now), told.heartbeat(now, is_interrupted=True)):
            assert "\n" not in said_now
            assert columns(said_now) < 1000
    lines += told.rest()
    ended = [event for event in found[:cut_at] if isinstance(event, Outcome)]
    assert told_of(lines) == len(ended), lines
    assert told.rest() == [], "and not once more"

    last = tuple({outcome.change.address: outcome for outcome in ended}.values())
    grouped = [one for group in outcome_groups(last) for one in group.outcomes]
    assert Counter(map(id, grouped)) == Counter(id(one) for one in last if one.status is not Status.APPLIED)
    page = apply_text.outcomes(last, plan, Screen(width))
    for status in Status:
        if (number := sum(one.status is status for one in last)) and status is not Status.APPLIED:
            assert f"{status.value.capitalize()} ({number}):" in page


# --- the one line -----------------------------------------------------------------------------------------------------


def under_way(size: int = 100, ended: int = 40, per_second: float = 20.0) -> tuple[ApplyTelling, float]:
    plan, outcomes = estate_outcomes(size)
    told, now = ApplyTelling(Screen(80)), 1000.0
    told.hear(ApplyBegan(plan), now)
    for outcome in outcomes[:ended]:
        told.hear(Began(outcome.change, outcome.at), now)
        now += 1 / per_second
        told.hear(outcome, now)
    return told, now


def test_the_line_has_count_rate_time_left_and_what_did_not_end_well() -> None:
    told, now = under_way()
    assert told.live_text(now) == "[ 40/100] 20/s, about 3 s left, 3 failed"


def test_the_line_says_what_is_waited_for_and_for_how_long() -> None:
    told, now = under_way()
    told.hear(Waiting("trigger/publish-prices", "running", 38.0, "4711"), now)
    told.hear(Waiting("trigger/publish-stock", "queued", 3.0, "4712"), now)
    assert told.live_text(now + 2).endswith("; waiting for trigger/publish-prices (running, 40 s) and 1 more")
    assert told.heartbeat(now + 2).endswith("; still waiting for trigger/publish-prices, 40 s, running and 1 more")


def test_a_request_that_takes_long_is_waited_for_too() -> None:
    told, now = under_way(25, ended=10)
    _, outcomes = estate_outcomes(25)
    told.hear(Began(outcomes[12].change, ""), now)
    assert "waiting" not in told.live_text(now + 1)
    slow = outcomes[12].change
    assert told.live_text(now + 12).endswith(f"; waiting for {slow.address} ({slow.action}, 12 s)")


def test_there_is_no_time_left_where_all_that_is_left_is_waited_for() -> None:
    told, now = under_way(25, ended=24)
    told.hear(Waiting("trigger/publish-books-au", "running", 40.0, "4711"), now)
    assert told.live_text(now) == "[24/25] 1 failed; waiting for trigger/publish-books-au (running, 40 s)"


def test_an_interruption_is_said_while_what_is_under_way_is_finished() -> None:
    told, now = under_way()
    assert "interrupted: finishing what is under way, 3 failed" in told.live_text(now, is_interrupted=True)


def test_a_lock_is_waited_for_by_the_name_of_its_holder() -> None:
    told = ApplyTelling(Screen(200))
    holder = "retail/default is being applied by ada on build-7 (process 47) since 2026-11-22T20:45:00Z"
    assert told.hear(Waiting("the lock", holder, 0.0), 0.0) == [f"waiting for the lock: {holder}"]
    assert told.hear(Waiting("the lock", holder, 5.0), 5.0) == []
    assert told.heartbeat(40.0) == f"still waiting for the lock, 40 s, {holder}"
    told.hear(Waiting("the lock", is_over=True), 41.0)
    assert told.live_text(41.0) == told.heartbeat(41.0) == ""


def test_three_hundred_starts_are_one_line() -> None:
    starts = tuple(Change(Address("trigger", "", f"t-{number:03}"), Action.START, Reason.DUE) for number in range(300))
    for verbose in (False, True):
        told = ApplyTelling(Screen(120), verbose=verbose)
        lines = told.hear(ApplyBegan(Plan("p", "e", starts)), 0.0)
        for change in starts:
            run = f"run-{change.address.name}"
            lines += told.hear(Began(change, ""), 1.0) + told.hear(
                Waiting(str(change.address), "queued", 1.0, run), 2.0
            )
            lines += told.hear(Outcome(change, Status.APPLIED, None, 1.0, Evidence.VERIFIED, run_id=run), 3.0)
        lines += told.rest()
        if verbose:
            assert len(lines) == 600
        else:
            assert lines == ["▸ 300 triggers started (verified) in 2.0 s"]


def test_a_run_is_told_as_it_starts_and_not_at_each_poll() -> None:
    told, now = under_way(25, ended=24)
    address = "trigger/publish-books-au"
    assert told.hear(Waiting(address, "queued", 0.1, "4711"), now) == [f"▸ {address} started (run 4711): queued"]
    assert told.hear(Waiting(address, "running", 5.1, "4711"), now + 5) == []
    assert told.hear(Waiting(address, "queued", 0.1, "4712"), now + 9) == [f"▸ {address} started (run 4712): queued"]


# --- how it ended -----------------------------------------------------------------------------------------------------


def refused(size: int) -> tuple[Plan, tuple[Outcome, ...]]:
    """An apply whose token may read, and not write."""
    plan = replace(estate_plan(size), blocked=(), warnings=())
    return plan, tuple(
        Outcome(
            change,
            Status.FAILED,
            said(f"PUT /api/v1/agent/{number}/schedules/{change.address.name} answered 401: no. Make a new token"),
        )
        for number, change in enumerate(plan.changes)
    )


def test_one_cause_of_1200_failures_is_told_once() -> None:
    plan, outcomes = refused(1200)
    page = apply_text.outcomes(outcomes, plan, Screen(100))
    assert page.count("401") == 1
    assert "Failed (1,200): request failed" in page
    assert "answered 401: no. Make a new token" in page
    assert page.count("next:") == 1
    assert len(page.splitlines()) < 20
    told = ApplyTelling(Screen(200))
    told.hear(ApplyBegan(plan), 0.0)
    lines = [line for outcome in outcomes for line in told.hear(outcome, 1.0)] + told.rest()
    assert [line for line in lines if "401" in line] == lines[:1]
    assert lines[1:] == [f"✗ 1,199 more failed, for the same cause as {outcomes[0].change.address}"]


def test_what_waits_for_the_same_is_skipped_together() -> None:
    starts = [Change(Address("trigger", "", f"t-{number}"), Action.START, Reason.DUE) for number in range(30)]
    needs = [("input-files/a",), ("approval/b",), *([f"schedule/c/{number}"] for number in range(8))]
    outcomes = [
        Outcome(change, Status.SKIPPED, because(Cause.NEEDS_NOT_APPLIED, names=tuple(needs[min(number // 10, 9)])))
        for number, change in enumerate(starts)
    ]
    page = apply_text.outcomes(outcomes, Plan("p", "default", tuple(starts)), Screen(100))
    assert page.count("which was not applied") == 3
    assert "  it needs input-files/a, which was not applied\n    trigger/t-{0..9}" in page
    each = [
        Outcome(change, Status.SKIPPED, because(Cause.NEEDS_NOT_APPLIED, names=(f"schedule/c/{number}",)))
        for number, change in enumerate(starts)
    ]
    page = apply_text.outcomes(each, Plan("p", "default", tuple(starts)), Screen(100))
    assert "each needs something that was not applied: schedule/c/0" in page
    assert "and 25 more" in page


def test_what_waits_each_for_its_own_is_counted_in_a_line() -> None:
    plan = Plan("p", "e", tuple(changes(300)))
    told = ApplyTelling(Screen(120))
    told.hear(ApplyBegan(plan), 0.0)
    lines: list[str] = []
    for number, change in enumerate(plan.changes):
        why = because(Cause.NEEDS_NOT_APPLIED, names=(f"schedule/c/{number}",))
        lines += told.hear(Outcome(change, Status.SKIPPED, why), 1.0)
    lines += told.rest()
    assert len(lines) == 1 and lines[0].startswith("· 300 skipped, nothing was sent: each needs something")


def test_a_failure_of_a_cause_too_many_is_not_said_to_be_unsent() -> None:
    plan = Plan("p", "e", tuple(changes(60)))
    told = ApplyTelling(Screen(120))
    told.hear(ApplyBegan(plan), 0.0)
    lines: list[str] = []
    for number, change in enumerate(plan.changes):
        lines += told.hear(Outcome(change, Status.FAILED, said(f"cause number {number} of many")), 1.0)
    lines += told.rest()
    assert told_of(lines) == 60 and len(lines) < 30
    assert "nothing was sent" not in "".join(lines)


def test_an_interruption_counts_what_was_applied_in_flight_and_not_begun() -> None:
    plan = replace(estate_plan(25), blocked=())
    outcomes = [
        Outcome(change, Status.APPLIED) if number < 10 else Outcome(change, Status.SKIPPED, CAUSES[2])
        for number, change in enumerate(plan.changes)
    ]
    finished = [outcome.change.address for outcome in outcomes[8:10]]
    page = apply_text.outcomes(outcomes, plan, Screen(100), finished=finished)
    assert page == (
        "Interrupted: 8 applied, 2 in flight were finished, 15 not begun.\n"
        "next: Run `reconciler apply` again; what was applied is recorded.\n"
    )
    failed = [replace(outcomes[0], status=Status.FAILED, why=said("no")), *outcomes[1:-3]]
    page = apply_text.outcomes(failed, plan, Screen(100), finished=finished)
    assert "Interrupted: 7 applied, 2 in flight were finished, 1 failed, 15 not begun.\n" in page


def test_an_interruption_after_the_last_change_asks_for_nothing() -> None:
    plan = Plan("p", "e", tuple(changes(5)))
    page = apply_text.outcomes(
        [Outcome(change, Status.APPLIED) for change in plan.changes], plan, Screen(100), finished=frozenset()
    )
    assert "Interrupted: 5 applied." in page and "next:" not in page


def test_unknown_starts_name_the_command_that_settles_each() -> None:
    changes = [Change(Address("trigger", "", f"t-{number}"), Action.START, Reason.DUE) for number in range(3)]
    outcomes = [Outcome(change, Status.UNKNOWN, said("the reply was lost")) for change in changes]
    page = apply_text.outcomes(outcomes, Plan("p", "default", tuple(changes)), Screen(120))
    assert page.count("the reply was lost") == 1
    assert "trigger/t-{0..2}" in page
    assert "`reconciler resolve ADDRESS --ran | --not-ran`" in page
