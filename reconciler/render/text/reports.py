"""What became of a plan, for a terminal: a line a change, one sentence that counts at the end."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.model.address import Origin
from reconciler.model.condition import DriftStatus
from reconciler.model.outcome import Outcome, Status
from reconciler.model.plan import Change, Plan
from reconciler.render import Screen, wording
from reconciler.render.characters import columns, cut
from reconciler.render.reasons import words
from reconciler.render.signs import STATUS_STYLE
from reconciler.render.text.text_page import TextPage

_COUNTED_ONLY = frozenset({DriftStatus.UNMANAGED, DriftStatus.UNVERIFIABLE, DriftStatus.IN_SYNC})


def outcome_line(outcome: Outcome, screen: Screen) -> str:
    """`✓ schedule/… updated in 0.3s (verified)`, without a line end; more lines only where the width asks for them."""
    page = TextPage(screen)
    lead = page.sign(STATUS_STYLE[outcome.status]) + " "
    page.paragraph(f"{outcome.change.address} {wording.outcome_sentence(outcome)}", lead=lead)
    return "\n".join(page.lines)


def progress(done: int, total: int, running: Sequence[Change], screen: Screen, *, failed: int = 0) -> str:
    """One line, never wider than `width`, to be drawn over again: counts, and what is under way."""
    page = TextPage(screen)
    bad = f" {failed} failed," if failed else ""
    text = f"[{done:>{len(str(total))}}/{total}]{bad} {len(running)} under way"
    if running:
        text += ": " + ", ".join(f"{change.action} {change.address}" for change in running[:4])
    return cut(page.say(text), page.width, page.ellipsis).rstrip()


def outcomes(outcomes: Sequence[Outcome], plan: Plan, screen: Screen, *, verbose: bool = False) -> str:
    """What did not end well, by status and with the next step, and one sentence that counts everything.

    `verbose` repeats what was applied, too.
    """
    page = TextPage(screen)
    if verbose:
        for outcome in outcomes:
            if outcome.status is Status.APPLIED:
                page.lines.append(outcome_line(outcome, screen))
    for status in wording.STATUS_ORDER:
        group = [outcome for outcome in outcomes if outcome.status is status]
        if group:
            _ended(page, status, group)
    page.blank()
    page.paragraph(wording.outcomes_summary(outcomes, plan), style="bold")
    return page.text()


def _ended(page: TextPage, status: Status, group: Sequence[Outcome]) -> None:
    page.title(f"{status.value.capitalize()} ({len(group)}): {wording.STATUS_MEANING[status]}")
    widest = min(max(columns(page.say(str(outcome.change.address))) for outcome in group), page.width // 2)
    steps = {wording.outcome_step(outcome) for outcome in group}
    for outcome in group:
        address = page.say(str(outcome.change.address))
        padding = " " * max(widest - columns(address), 0)
        action = f"{outcome.change.action.value:<10}"
        _head(page, STATUS_STYLE[status], outcome.change.origin, address + padding, action)
        if detail := words(outcome.why):
            page.paragraph(detail, indent=4)
        if len(steps) > 1:
            page.paragraph(wording.outcome_step(outcome), indent=4, lead="next: ")
    if len(steps) == 1:
        page.paragraph(steps.pop(), indent=2, lead="next: ")


def _head(page: TextPage, style: tuple[str, str, str], origin: Origin | None, *parts: str) -> None:
    """The first line of a block: a sign, what it is about, and its place in the manifest, where it has one."""
    page.heading(page.sign(style) + " ", [*parts, origin.shown if origin else ""])
