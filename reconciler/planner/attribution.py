"""Who moved since a schedule was last applied: the manifest, live, or both."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.diff import field_sealer
from reconciler.kind import A, Kinds, MovedSince, O, ObservedKind, S
from reconciler.model import Address, Entry, FieldChange, Reason
from reconciler.planner.inputs import PlanInputs
from reconciler.secrecy import Secrecy

_ON_UNLESS_SAID = (
    "it was off when an earlier version applied it, and now a schedule is on unless the manifest says `enabled: false` "
    "or `enabled: keep`, which leaves the switch alone"
)


def why_it_differs(
    fields: tuple[FieldChange, ...],
    sides: tuple[S, S],
    entry: Entry[O] | None,
    inputs: PlanInputs,
    kind: ObservedKind[S, O, A],
) -> tuple[Reason, str]:
    """The reason for these differences between the two `sides`, live and desired, field by field.

    Each side is held against what the ledger remembers having reached. A field that the manifest did not set then, and
    sets now, is the manifest's move.
    """
    live, desired = sides
    if entry is None:
        return Reason.DIFFERS, "live differs; who changed it is not in the ledger"
    if not entry.settled:
        return Reason.INTERRUPTED, "an earlier apply did not finish here"
    differing = frozenset(field.path.partition(".")[0] for field in fields)
    since = MovedSince(desired, inputs.seal, inputs.as_of)
    by_hand = differing & kind.moved_since(entry, live, kind.meaning(live), since)
    edited = kind.moved_since(entry, desired, kind.declared_meaning(desired), since) | kind.newly_set(entry, desired)
    if by_hand and differing & edited:
        return Reason.DIVERGED, "the manifest changed, and live was changed outside this project too"
    if by_hand:
        return Reason.DRIFTED, "live was changed outside this project"
    if kind.is_on_by_default_now(entry, differing, desired):
        return Reason.EDITED, _ON_UNLESS_SAID
    if differing & edited:
        return Reason.EDITED, "the manifest changed"
    names = ", ".join(sorted(differing))
    return Reason.DIFFERS, f"live differs in {names}, which is not in the ledger: who changed it is not known"


def unset_changes(
    inputs: PlanInputs, kinds: Kinds, hidden: Secrecy
) -> Iterator[tuple[Address, tuple[FieldChange, ...]]]:
    """By address, what changed since the last apply in fields that the manifest does not set: theirs to change."""
    digest_of = field_sealer(inputs.seal)
    for resource in inputs.desired.resources:
        kind, entry = kinds[resource.address.kind], inputs.memory.entries.get(resource.address)
        if not isinstance(kind, ObservedKind) or entry is None or not entry.settled:
            continue
        live = inputs.live.observation(resource).state
        if live is None or entry.identity != resource.identity:
            continue
        if fields := kind.unset_changes(entry, live, resource.state, digest_of):
            yield resource.address, hidden.mark(resource.identity, fields, is_blind=False)
