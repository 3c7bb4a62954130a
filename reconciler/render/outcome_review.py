"""What did not end as applied, as a person goes through it: one group for each status and cause, each cause told once.

Text and pages draw these groups, so that they tell the same and each outcome is counted once in each.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from msgspec import Struct

from reconciler.causes import Cause
from reconciler.model.address import Address
from reconciler.model.outcome import Outcome, Status
from reconciler.model.plan import Action
from reconciler.quantities import first_few
from reconciler.render import wording
from reconciler.render.alike_sentences import shared_sentence, skeleton
from reconciler.render.likeness import grouped
from reconciler.render.reasons import words
from reconciler.render.review import counted_kinds

_FEW = 5
"""Up to so many causes of one status stand apart; of more, those that occur most often."""


class OutcomeGroup(Struct, frozen=True):
    """Changes that ended alike, and for one cause. `said` is that cause, `step` what to do about these in particular.

    `step` is "" where nothing more is to be done than about everything of this status.
    """

    outcomes: tuple[Outcome, ...]
    said: str
    step: str

    @property
    def status(self) -> Status:
        return self.outcomes[0].status

    @property
    def addresses(self) -> tuple[Address, ...]:
        return tuple(outcome.change.address for outcome in self.outcomes)

    @property
    def is_single(self) -> bool:
        return len(self.outcomes) == 1

    def headline(self) -> str:
        """`24 schedules to update`, `30 resources: 20 to update, 10 to create`; of one its address."""
        if self.is_single:
            return str(self.addresses[0])
        counts = Counter(outcome.change.action for outcome in self.outcomes)
        counted = counted_kinds(self.addresses)
        if len(counts) == 1:
            return f"{counted} to {next(iter(counts))}"
        return f"{counted}: {', '.join(f'{counts[action]:,} to {action}' for action in Action if counts[action])}"


def outcome_groups(outcomes: Iterable[Outcome]) -> tuple[OutcomeGroup, ...]:
    """All that did not end as applied, by status, and within one by cause, the most frequent first."""
    found: list[OutcomeGroup] = []
    by_status = grouped(outcomes, lambda outcome: outcome.status)
    for status in wording.STATUS_ORDER:
        alike = grouped(by_status.get(status, ()), cause_key).values()
        by_size = sorted(alike, key=lambda one: (-len(one), one[0].change.address))
        found.extend(map(_group, _at_most_few(by_size)))
    return tuple(found)


def cause_key(outcome: Outcome) -> tuple[str, ...]:
    """What outcomes have in common that ended for one cause: their status, and the cause without what is theirs alone.

    What waits for something stands with what waits for the same, and what has a next step of its own with its like.
    """
    why = outcome.why
    kind = "" if why is None else why.cause.value
    needs = why.names if why is not None and why.cause is Cause.NEEDS_NOT_APPLIED else ()
    step = wording.outcome_step_of_many(outcome)
    return outcome.status.value, step, kind, *needs, *skeleton(_cause(outcome))


def next_steps(outcomes: Iterable[Outcome]) -> list[str]:
    """What to do about all of it, in order, each step once; without what a group says of itself."""
    statuses = {outcome.status for outcome in outcomes if not wording.has_step_of_its_own(outcome)}
    if Status.FAILED in statuses:
        statuses.discard(Status.SKIPPED)  # the same next apply takes along what was held back
    steps = [wording.status_step(status) for status in wording.STATUS_ORDER if status in statuses]
    return list(dict.fromkeys(filter(None, steps)))


def _group(outcomes: Sequence[Outcome]) -> OutcomeGroup:
    ordered = tuple(sorted(outcomes, key=lambda outcome: outcome.change.address))
    steps = {wording.outcome_step(outcome) for outcome in ordered if wording.has_step_of_its_own(outcome)}
    step = steps.pop() if len(steps) == 1 else wording.outcome_step_of_many(ordered[0]) if steps else ""
    return OutcomeGroup(ordered, _said(ordered), step)


def _said(outcomes: Sequence[Outcome]) -> str:
    """The cause of all of them, without what is about one alone; where there are several, one as an example."""
    if len({words(outcome.why) for outcome in outcomes}) == 1:
        return words(outcomes[0].why)
    causes = [_cause(outcome) for outcome in outcomes]
    needed = sorted({name for one in outcomes if one.why is not None for name in one.why.names})
    if needed and all(one.why is not None and one.why.cause is Cause.NEEDS_NOT_APPLIED for one in outcomes):
        return f"each needs something that was not applied: {first_few(needed, _FEW)}"
    sorts = len(set(map(skeleton, causes)))
    if sorts == 1:
        return shared_sentence(causes)
    return f"{sorts:,} different causes, such as: {causes[0]}"


def _at_most_few(groups: list[list[Outcome]]) -> list[list[Outcome]]:
    """The groups, the largest first; where there are more than a person reads, those of one sort together."""
    if len(groups) <= _FEW:
        return groups
    kept = [group for group in groups[: _FEW - 1] if len(group) > 1]
    rest = [outcome for group in groups[len(kept) :] for outcome in group]
    return [*kept, *grouped(rest, lambda outcome: cause_key(outcome)[:3]).values()]


def _cause(outcome: Outcome) -> str:
    """Why it ended so, with `…` in the place of its run, which stands in no other's words."""
    said = words(outcome.why)
    return re.sub(rf"\b{re.escape(outcome.run_id)}\b", "…", said) if outcome.run_id else said
