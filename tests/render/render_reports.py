"""What is known of an apply when it is over, at any size and however it ended, and runs as the ledger keeps them."""

from __future__ import annotations

from collections.abc import Iterable

from render_estates import estate_outcomes

from reconciler.causes import Cause
from reconciler.model.outcome import ApplyReport, Done, Ending, Outcome, Owner, RunRecord, Span, Status
from reconciler.model.plan import Plan
from reconciler.render.reasons import words

COMMIT = "4f2c9a7b1d3e5f60718293a4b5c6d7e8f9012345"
OWNER = Owner("mara", "ci-runner-7", 4711, "https://gitlab.example.com/retail/data/-/jobs/81234")
RUN = RunRecord("", OWNER, COMMIT, "sha256:9be1f0aa77dd5c1e", "apply", "2026-11-22T20:44:57Z", "2026-11-22T20:46:40Z")
_WORKERS = 8


def report_of(plan: Plan, outcomes: Iterable[Outcome], ending: Ending = Ending.FINISHED) -> ApplyReport:
    """These outcomes as eight workers reach them, each change by the first one that is free."""
    listed = tuple(outcomes)
    free, spans = [0.0] * _WORKERS, {}
    for number, outcome in enumerate(listed):
        if outcome.status is not Status.SKIPPED:
            worker = min(range(_WORKERS), key=free.__getitem__)
            began = free[worker] + number % 5 / 200
            free[worker] = round(began + max(outcome.seconds, 0.03), 3)
            spans[outcome.change.address] = Span(began, free[worker])
    return ApplyReport(plan, RUN, ending, listed, spans, max(free) + 4)


def estate_report(count: int) -> ApplyReport:
    """An apply of so many changes, one in twelve refused with the same answer."""
    return report_of(*estate_outcomes(count))


def cut_off(count: int) -> ApplyReport:
    """The same, cut off in the middle: some without a known end, the rest never begun."""
    plan, outcomes = estate_outcomes(count)
    half = report_of(plan, outcomes[: count // 2], Ending.INTERRUPTED)
    last = max((span.ended or 0.0 for span in half.spans.values()), default=0.1)
    under_way = {one.change.address: Span(last - 0.02) for one in outcomes[count // 2 : count // 2 + 3]}
    return ApplyReport(plan, RUN, Ending.INTERRUPTED, half.outcomes, {**half.spans, **under_way}, last + 3)


def refused(count: int) -> ApplyReport:
    """A plan of so many changes that a guard does not let run."""
    said = ("the plan deletes 12 of 30 owned schedules, more than `maxDeletes` allows [too-many-deletes]", "")
    return ApplyReport(estate_outcomes(count)[0], RUN, Ending.REFUSED, said=(said,), seconds=2.0)


def recorded(count: int, run: int) -> tuple[RunRecord, list[Done], list[Done]]:
    """The same apply as the ledger's events tell of it: the run, what ended, and what has no end."""
    report = cut_off(count) if run % 4 == 3 else estate_report(count)
    at = f"2026-11-22T{20 - run % 20:02}:44:57Z"
    done = [_done(outcome, report, at) for outcome in report.outcomes if outcome.why is None or _was_tried(outcome)]
    unended = [
        Done(str(one.address), one.action.value, "", "", at)
        for one in report.plan.changes
        if one.address in report.spans and report.spans[one.address].ended is None
    ]
    is_over = not unended
    counts = {status.value: sum(one.status == status for one in done) for status in Status}
    summary = {word: number for word, number in counts.items() if number}
    result = ("in part" if "failed" in summary else "applied") if is_over else ""
    finished = f"{at[:14]}59:40Z" if is_over else ""
    record = RunRecord(
        f"run-{run}", OWNER, COMMIT, RUN.plan_digest, "apply", at, finished, result, summary if is_over else None
    )
    return record, done, unended


def _was_tried(outcome: Outcome) -> bool:
    return outcome.why is not None and outcome.why.cause is not Cause.WITHHELD_AFTER_FAILURE


def _done(outcome: Outcome, report: ApplyReport, began: str) -> Done:
    change, span = outcome.change, report.spans[outcome.change.address]
    end = round(span.ended or 0.0)
    ended = f"{began[:14]}{44 + (57 + end) // 60:02}:{(57 + end) % 60:02}Z"
    return Done(
        str(change.address),
        change.action.value,
        outcome.status.value,
        words(outcome.why),
        began,
        ended,
        outcome.seconds,
        outcome.run_id,
    )
