"""What an apply tells a terminal or a log: a line as something ends, one line that is drawn over, and how all ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from msgspec import Struct

from reconciler.causes import Cause
from reconciler.model.address import Address
from reconciler.model.outcome import Outcome, Status, Waiting
from reconciler.model.plan import Action, Change, Plan
from reconciler.quantities import counted, rate_text, span_text
from reconciler.render import Screen, wording
from reconciler.render.address_folding import folded_addresses
from reconciler.render.outcome_review import OutcomeGroup, next_steps, outcome_groups
from reconciler.render.reasons import words
from reconciler.render.review import ChangeGroup
from reconciler.render.signs import ACTION_STYLE, STATUS_STYLE
from reconciler.render.text.text_page import TextPage

_FOLDED_LINES = 8
_INDENT = 4


class ApplyProgress(Struct, frozen=True):
    """How far an apply is: changes that ended of how many, how many a second lately, and the seconds that are left.

    `counts` says how many did not end as applied. `is_interrupted`: what is under way is finished, and nothing begins.
    """

    done: int
    total: int
    per_second: float | None = None
    left: float | None = None
    counts: Sequence[tuple[Status, int]] = ()
    is_interrupted: bool = False


def outcome_line(outcome: Outcome, screen: Screen) -> str:
    """`✓ schedule/… updated in 0.3s (verified)`, without a line end; more lines only where the width asks for them."""
    page = TextPage(screen)
    lead = page.sign(STATUS_STYLE[outcome.status]) + " "
    page.paragraph(f"{outcome.change.address} {wording.outcome_sentence(outcome)}", lead=lead)
    return "\n".join(page.lines)


def group_line(group: ChangeGroup, applied: Sequence[Outcome], seconds: float, screen: Screen) -> str:
    """`~ 117 schedules updated: every 15m → 45m (verified) in 4.1 s`; `80 of 117 …` where only so many were applied."""
    if len(applied) == 1:
        return outcome_line(applied[0], screen)
    page = TextPage(screen)
    number = "" if len(applied) == len(group.changes) else f"{len(applied):,} of "
    changed = ", ".join(group.changed(page.arrow)) if group.action is Action.UPDATE else ""
    told = f"{number}{group.counted()} {wording.DONE[group.action]}" + (f": {changed}" if changed else "")
    known = Counter(outcome.evidence.value for outcome in applied)
    evidence = ", ".join(f"{count:,} {word}" if len(known) > 1 else word for word, count in known.items())
    page.paragraph(f"{told} ({evidence}) in {_took(seconds)}", lead=page.sign(ACTION_STYLE[group.action]) + " ")
    return "\n".join(page.lines)


def more_line(outcomes: Sequence[Outcome], first: Outcome, screen: Screen) -> str:
    """What ended as something else did that was told, in one line: `✗ 1,199 more failed, for the same cause as …`."""
    told = f"{len(outcomes):,} more {first.status}, for the same cause as {first.change.address}"
    return _line(told, first.status, screen)


def rest_line(group: OutcomeGroup, screen: Screen) -> str:
    """What was not told one by one: `· 40 skipped, nothing was sent: …`."""
    told = f"{len(group.outcomes):,} {group.status}"
    told += ", nothing was sent" if group.status is Status.SKIPPED else ""
    return _line(f"{told}: {group.said}" if group.said else told, group.status, screen)


def _line(told: str, status: Status, screen: Screen) -> str:
    page = TextPage(screen)
    page.paragraph(told, lead=page.sign(STATUS_STYLE[status]) + " ")
    return "\n".join(page.lines)


def waiting_line(waiting: Waiting, change: Change | None, screen: Screen) -> str:
    """That a wait begins: `▸ trigger/publish-prices started (run 4711): running`."""
    page = TextPage(screen)
    if change is None:
        page.paragraph(f"waiting for {waiting.what}: {waiting.state}")
        return "\n".join(page.lines)
    done = "started" if change.action is Action.START else "followed"
    run = f" (run {waiting.run_id})" if waiting.run_id else ""
    state = f": {waiting.state}" if waiting.state else ""
    page.paragraph(f"{waiting.what} {done}{run}{state}", lead=page.sign(ACTION_STYLE[Action.START]) + " ")
    return "\n".join(page.lines)


def progress_text(progress: ApplyProgress) -> str:
    """`[120/500] 24/s, about 16 s left, 2 failed`."""
    total = f"{progress.total:,}"
    parts = ["interrupted: finishing what is under way"] if progress.is_interrupted else []
    parts += [f"{rate_text(progress.per_second)}"] if progress.per_second and not progress.is_interrupted else []
    parts += (
        [f"about {span_text(progress.left)} left"] if progress.left is not None and not progress.is_interrupted else []
    )
    parts += [f"{number:,} {status}" for status, number in progress.counts]
    return f"[{progress.done:>{len(total)},}/{total}] {', '.join(parts)}".rstrip()


def waited_text(waits: Sequence[Waiting], *, is_heartbeat: bool) -> str:
    """`waiting for trigger/x (running, 40 s)`, and in a log `still waiting for trigger/x, 40 s, running`."""
    if not waits:
        return ""
    longest = max(waits, key=lambda one: one.seconds)
    more = f" and {len(waits) - 1:,} more" if len(waits) > 1 else ""
    span = span_text(longest.seconds)
    if is_heartbeat:
        return f"still waiting for {', '.join(filter(None, (longest.what, span, longest.state)))}{more}"
    return f"waiting for {longest.what} ({', '.join(filter(None, (longest.state, span)))}){more}"


def outcomes(
    outcomes: Sequence[Outcome],
    plan: Plan,
    screen: Screen,
    *,
    verbose: bool = False,
    finished: Collection[Address] | None = None,
) -> str:
    """What did not end well, by status and cause, one sentence that counts everything, and what to do next.

    `verbose` tells of each change, also of what was applied. `finished` is given where the apply was interrupted:
    what was under way then.
    """
    page = TextPage(screen)
    told = outcomes if finished is None else [one for one in outcomes if not _is_interrupted(one)]
    if verbose:
        page.lines += [outcome_line(outcome, screen) for outcome in told if outcome.status is Status.APPLIED]
    groups = outcome_groups(told)
    for status in wording.STATUS_ORDER:
        of_status = [group for group in groups if group.status is status]
        if of_status:
            count = sum(len(group.outcomes) for group in of_status)
            page.title(f"{status.value.capitalize()} ({count:,}): {wording.STATUS_MEANING[status]}")
        for group in of_status:
            _group(page, group, verbose=verbose)
    page.blank()
    if finished is None:
        page.paragraph(wording.outcomes_summary(outcomes, plan), style="bold")
    else:
        page.paragraph(interrupted_summary(outcomes, plan, finished), style="bold")
    for step in _steps(told, plan, is_interrupted=finished is not None):
        page.paragraph(step, lead="next: ")
    return page.text()


def interrupted_summary(outcomes: Sequence[Outcome], plan: Plan, finished: Collection[Address]) -> str:
    """`Interrupted: 120 applied, 3 in flight were finished, 377 not begun.`, each change in one of the counts."""
    applied = [one.change.address for one in outcomes if one.status is Status.APPLIED]
    late = sum(address in finished for address in applied)
    not_begun = sum(map(_is_interrupted, outcomes)) + len(plan.changes) - len(outcomes)
    counts = Counter(one.status for one in outcomes if not _is_interrupted(one))
    parts = [f"{len(applied) - late:,} applied"]
    parts += [f"{late:,} in flight {'was' if late == 1 else 'were'} finished"] if late else []
    parts += [f"{counts[status]:,} {status}" for status in wording.STATUS_ORDER if counts[status]]
    parts += [f"{not_begun:,} not begun"] if not_begun else []
    return f"Interrupted: {', '.join(parts)}."


def _is_interrupted(outcome: Outcome) -> bool:
    return outcome.why is not None and outcome.why.cause is Cause.INTERRUPTED_BEFORE


def _steps(outcomes: Sequence[Outcome], plan: Plan, *, is_interrupted: bool) -> list[str]:
    if is_interrupted:
        if len(outcomes) == len(plan.changes) and all(one.status is Status.APPLIED for one in outcomes):
            return []
        return ["Run `reconciler apply` again; what was applied is recorded."]
    if steps := next_steps(outcomes):
        return steps
    if any(wording.has_step_of_its_own(outcome) for outcome in outcomes):
        return []
    if plan.blocked:
        return ["Settle what is blocked; `reconciler plan` says how."]
    actions = {outcome.change.action for outcome in outcomes if outcome.status is Status.APPLIED}
    if any(
        one.change.action is Action.START and one.why is not None and one.why.cause is Cause.STARTED for one in outcomes
    ):
        return ["`reconciler status` shows how what was started goes on."]
    return ["`reconciler drift` tells from now on what is changed by hand."] if actions & _NEW else []


_NEW = frozenset({Action.CREATE, Action.ADOPT})


def _group(page: TextPage, group: OutcomeGroup, *, verbose: bool) -> None:
    sign = page.sign(STATUS_STYLE[group.status]) + " "
    if verbose or group.is_single:
        for outcome in group.outcomes:
            origin = outcome.change.origin
            place = origin.shown if origin else ""
            page.heading(sign, [str(outcome.change.address), outcome.change.action.value, place])
            if detail := words(outcome.why):
                page.paragraph(detail, indent=_INDENT)
    else:
        page.heading(sign, [group.headline()])
        if group.said:
            page.paragraph(group.said, indent=_INDENT)
        addresses(page, group.addresses)
    if group.step:
        page.paragraph(group.step, indent=_INDENT, lead="next: ")


def addresses(page: TextPage, found: Sequence[Address]) -> None:
    """Addresses in short, on a few lines; of more how many there are."""
    shown = 0
    for number, folded in enumerate(folded_addresses(found, page.width - _INDENT)):
        if number == _FOLDED_LINES:
            page.paragraph(f"and {counted(len(found) - shown, 'more', 'more')} (-v names all)", indent=_INDENT)
            return
        page.paragraph(folded.text, indent=_INDENT)
        shown += folded.number


def _took(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 60 else span_text(seconds)
