"""What a plan comes to, in a few sentences, and how it is known: what was read, and what is attested since when.

*Attested*: accepted by the product, which has no way to read it back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from reconciler.model.plan import Action, Plan, Reason, Unchanged, Visibility
from reconciler.quantities import counted
from reconciler.render.frequency import minute_text
from reconciler.render.wording import plan_counts


def plan_summary(plan: Plan) -> str:
    """Whether there is anything to do, what the rest rests on, and the counts."""
    counts = dict(plan_counts(plan))
    rest = f"{counts['unchanged']:,} unchanged, {counts['unmanaged']:,} unmanaged."
    if plan.filtered:
        rest += " Filtered: nothing is pruned."
    if not plan.is_empty:
        todo = ", ".join(f"{counts[action]:,} to {action}" for action in Action if counts[action])
        blocked = f", {len(plan.blocked):,} blocked" if plan.blocked else ""
        return f"Plan: {todo}{blocked}, {counts['unchanged']:,} unchanged{_in_short(plan)}, {rest.partition(', ')[2]}"
    return " ".join([_head(plan), *_known(plan), rest])


def _head(plan: Plan) -> str:
    """ "No changes." only where all could be read and nothing is held back."""
    if plan.blocked:
        return f"No changes can be made: {counted(len(plan.blocked), 'resource')} blocked."
    if any(warning.code == Reason.UNREADABLE for warning in plan.warnings):
        return "No changes in what could be read."
    if not plan.unchanged:
        return "No changes: there is nothing to compare."
    return "No changes in what was selected." if plan.filtered else "No changes."


def _known(plan: Plan) -> Iterator[str]:
    known = {each: [one for one in plan.unchanged_kinds if one.visibility is each] for each in Visibility}
    for one in known[Visibility.OBSERVED]:
        were, match = ("was", "matches") if one.count == 1 else ("were", "match")
        yield f"{_counted(one)} {were} read and {match} the manifests."
    if said := attested(known[Visibility.ATTESTED]):
        yield said
    for one in known[Visibility.STARTED_ONCE]:
        verb = "was" if one.count == 1 else "were"
        yield f"{_counted(one)} {verb} started as declared, as recorded {_when([one])}."


def attested(sent: Sequence[Unchanged]) -> str:
    """What is attested, since when, in a sentence; "" where nothing is."""
    if not sent:
        return ""
    verb = "is" if sum(one.count for one in sent) == 1 else "are"
    known = f"{verb} attested: accepted by the product, which has no way to read it back, {_when(sent)}."
    return f"{' and '.join(map(_counted, sent))} {known}"


def _counted(one: Unchanged) -> str:
    return counted(one.count, *(one.nouns or (one.kind,)))


def _when(found: Iterable[Unchanged]) -> str:
    """The moment, or the first and the last one."""
    times = [time for one in found for time in (one.first, one.last)]
    first, last = minute_text(min(times)), minute_text(max(times))
    return f"at {first}" if first == last else f"between {first} and {last}"


def _in_short(plan: Plan) -> str:
    """` (17 read, 3 attested)`, where not all of it was read."""
    counts = dict.fromkeys(Visibility, 0)
    for one in plan.unchanged_kinds:
        counts[one.visibility] += one.count
    if not counts[Visibility.ATTESTED] + counts[Visibility.STARTED_ONCE]:
        return ""
    return f" ({', '.join(f'{number:,} {word}' for word, number in counts.items() if number)})"
