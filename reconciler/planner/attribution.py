"""Who moved since a schedule was last applied: the manifest, live, or both."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.diff import field_sealer
from reconciler.model import Address, Entry, FieldChange, KindName, Reason, State
from reconciler.planner.inputs import PlanInputs, ScheduleKind
from reconciler.secrecy import Secrecy

_ON_UNLESS_SAID = (
    "it was off when an earlier version applied it, and now a schedule is on unless the manifest says `enabled: false` "
    "or `enabled: keep`, which leaves the switch alone"
)


def why_it_differs(
    fields: tuple[FieldChange, ...],
    sides: tuple[State, State],
    entry: Entry | None,
    inputs: PlanInputs,
    kind: ScheduleKind,
) -> tuple[Reason, str]:
    """The reason for these differences between the two `sides`, live and desired, field by field.

    Each side is held against what the ledger remembers having reached. A field that the manifest did not set then, and
    sets now, is the manifest's move.
    """
    live, desired = sides
    if entry is None:
        return Reason.DIFFERS, "live differs; the ledger does not remember who moved"
    if not entry.settled:
        return Reason.INTERRUPTED, "an earlier apply did not finish here"
    differing = {field.path.partition(".")[0] for field in fields}
    by_hand = differing & kind.moved_since(entry, live, rhythm=desired, seal=inputs.seal, as_of=inputs.as_of)
    edited = kind.moved_since(entry, desired, rhythm=desired, seal=inputs.seal, as_of=inputs.as_of)
    edited |= kind.newly_set(entry, desired)
    if by_hand and differing & edited:
        return Reason.DIVERGED, "the manifest changed, and live was changed outside this project too"
    if by_hand:
        return Reason.DRIFTED, "live was changed outside this project"
    if differing == {"enabled"} and desired["enabled"] and not kind.knows_what_was_set(entry):
        return Reason.EDITED, _ON_UNLESS_SAID
    if differing & edited:
        return Reason.EDITED, "the manifest changed"
    names = ", ".join(sorted(differing))
    return Reason.DIFFERS, f"live differs in {names}, which the ledger does not remember: nobody knows who moved"


def unset_changes(
    inputs: PlanInputs, kind: ScheduleKind, hidden: Secrecy
) -> Iterator[tuple[Address, tuple[FieldChange, ...]]]:
    """By schedule, what changed since the last apply in fields that its manifest does not set: theirs to change."""
    digest_of = field_sealer(inputs.seal)
    for resource in inputs.desired.resources:
        entry, view = inputs.memory.entries.get(resource.address), inputs.live.agents.get(resource.agent_path)
        if resource.address.kind is not KindName.SCHEDULE or entry is None or view is None or not entry.settled:
            continue
        found = view.schedules.get(resource.identity)
        if found is None or entry.identity != resource.identity:
            continue
        desired = kind.desired_state(resource.spec)
        fields = kind.unset_changes(entry, kind.live_state(found), desired, digest_of)
        if fields:
            yield resource.address, hidden.mark(resource.identity, fields, is_blind=False)
