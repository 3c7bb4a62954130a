"""What became of a plan: a line as each change ends, progress while it runs, and what is left to do at the end."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.model import Change, Outcome, Plan, Status
from reconciler.render import Screen
from reconciler.render.characters import columns, cut, neutral
from reconciler.render.reasons import words
from reconciler.render.signs import STATUS_STYLE
from reconciler.render.text.plan_text import place
from reconciler.render.text.text_page import TextPage
from reconciler.render.wording import STATUS_MEANING, STATUS_ORDER, outcome_sentence, outcome_step, outcomes_summary


def outcome_line(outcome: Outcome, screen: Screen) -> str:
    """`✓ schedule/… updated in 0.3s (verified)`, without a line end; more lines only where the width asks for them."""
    page = TextPage(screen)
    lead = page.sign(STATUS_STYLE[outcome.status]) + " "
    page.paragraph(f"{outcome.change.address} {outcome_sentence(outcome)}", lead=lead)
    return "\n".join(page.lines)


def progress(done: int, total: int, running: Sequence[Change], screen: Screen, *, failed: int = 0) -> str:
    """One line, never wider than `width`, to be drawn over again: counts, and what is under way."""
    page = TextPage(screen)
    digits = len(str(total))
    text = f"[{done:>{digits}}/{total}]"
    if failed:
        text += f" {failed} failed,"
    text += f" {len(running)} under way"
    if running:
        text += ": " + ", ".join(f"{change.action} {change.address}" for change in running[:4])
    return cut(neutral(text, page.encoding), page.width, page.ellipsis).rstrip()


def outcomes(outcomes: Sequence[Outcome], plan: Plan, screen: Screen, *, verbose: bool = False) -> str:
    """What did not end well, by status and with the next step, and one sentence that counts everything.

    `verbose` repeats what was applied, too.
    """
    page = TextPage(screen)
    if verbose:
        for outcome in outcomes:
            if outcome.status is Status.APPLIED:
                page.lines.append(outcome_line(outcome, screen))
    for status in STATUS_ORDER:
        group = [outcome for outcome in outcomes if outcome.status is status]
        if group:
            _group(page, status, group)
    page.blank()
    page.paragraph(outcomes_summary(outcomes, plan), style="bold")
    return page.text()


def _group(page: TextPage, status: Status, group: Sequence[Outcome]) -> None:
    page.title(f"{status.value.capitalize()} ({len(group)}): {STATUS_MEANING[status]}")
    sign = page.sign(STATUS_STYLE[status]) + " "
    widest = min(max(columns(page.say(str(outcome.change.address))) for outcome in group), page.width // 2)
    steps = {outcome_step(outcome) for outcome in group}
    for outcome in group:
        address = page.say(str(outcome.change.address))
        padding = " " * max(widest - columns(address), 0)
        page.heading(sign, [address + padding, f"{outcome.change.action.value:<10}", place(outcome.change.origin)])
        if detail := words(outcome.why):
            page.paragraph(detail, indent=4)
        if len(steps) > 1:
            page.paragraph(outcome_step(outcome), indent=4, lead="next: ")
    if len(steps) == 1:
        page.paragraph(steps.pop(), indent=2, lead="next: ")
