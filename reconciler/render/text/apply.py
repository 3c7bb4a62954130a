"""What became of a plan: a line as each change ends, progress while it runs, and what is left to do at the end."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.model import Change, Outcome, Plan, Status
from reconciler.render.characters import columns, cut, neutral
from reconciler.render.signs import STATUS_STYLE
from reconciler.render.text.plan import place
from reconciler.render.text.sheet import Sheet
from reconciler.render.wording import STATUS_MEANING, STATUS_ORDER, outcome_sentence, outcome_step, outcomes_summary


def outcome_line(outcome: Outcome, *, width: int = 10_000, color: bool = False, encoding: str = "utf-8") -> str:
    """`✓ schedule/… updated in 0.3s (verified)`, without a line end; more lines only where the width asks for them."""
    sheet = Sheet(width=width, color=color, encoding=encoding)
    lead = sheet.sign(STATUS_STYLE[outcome.status]) + " "
    sheet.paragraph(f"{outcome.change.address} {outcome_sentence(outcome)}", lead=lead)
    return "\n".join(sheet.lines)


def progress(
    done: int, total: int, running: Sequence[Change], *, failed: int = 0, width: int, encoding: str = "utf-8"
) -> str:
    """One line, never wider than `width`, to be drawn over again: counts, and what is under way."""
    sheet = Sheet(width=width, color=False, encoding=encoding)
    digits = len(str(total))
    text = f"[{done:>{digits}}/{total}]"
    if failed:
        text += f" {failed} failed,"
    text += f" {len(running)} under way"
    if running:
        text += ": " + ", ".join(f"{change.action} {change.address}" for change in running[:4])
    return cut(neutral(text, sheet.encoding), sheet.width, sheet.ellipsis).rstrip()


def outcomes(
    outcomes: Sequence[Outcome], plan: Plan, *, width: int, color: bool, verbose: bool = False, encoding: str = "utf-8"
) -> str:
    """What did not end well, by status and with the next step, and one sentence that counts everything.

    `verbose` repeats what was applied, too.
    """
    sheet = Sheet(width=width, color=color, encoding=encoding)
    if verbose:
        for outcome in outcomes:
            if outcome.status is Status.APPLIED:
                sheet.lines.append(outcome_line(outcome, width=width, color=color, encoding=encoding))
    for status in STATUS_ORDER:
        group = [outcome for outcome in outcomes if outcome.status is status]
        if group:
            _group(sheet, status, group)
    sheet.blank()
    sheet.paragraph(outcomes_summary(outcomes, plan), style="bold")
    return sheet.text()


def _group(sheet: Sheet, status: Status, group: Sequence[Outcome]) -> None:
    sheet.title(f"{status.value.capitalize()} ({len(group)}): {STATUS_MEANING[status]}")
    sign = sheet.sign(STATUS_STYLE[status]) + " "
    widest = min(max(columns(sheet.say(str(outcome.change.address))) for outcome in group), sheet.width // 2)
    steps = {outcome_step(outcome) for outcome in group}
    for outcome in group:
        address = sheet.say(str(outcome.change.address))
        padding = " " * max(widest - columns(address), 0)
        sheet.heading(sign, [address + padding, f"{outcome.change.action.value:<10}", place(outcome.change.origin)])
        if outcome.detail:
            sheet.paragraph(outcome.detail, indent=4)
        if len(steps) > 1:
            sheet.paragraph(outcome_step(outcome), indent=4, lead="next: ")
    if len(steps) == 1:
        sheet.paragraph(steps.pop(), indent=2, lead="next: ")
