"""Who moved since a schedule was last applied: the manifest, live, or both."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.causes import Cause, Why, because
from reconciler.diff import field_sealer
from reconciler.kind import A, KindRegistry, MovedSince, O, ObservedKind, S
from reconciler.model.address import Address
from reconciler.model.entry import Entry
from reconciler.model.plan import FieldChange, Reason
from reconciler.planner.inputs import PlanInputs
from reconciler.secrecy import Secrecy


def why_it_differs(
    fields: tuple[FieldChange, ...],
    sides: tuple[S, S],
    entry: Entry[O] | None,
    inputs: PlanInputs,
    kind: ObservedKind[S, O, A],
) -> tuple[Reason, Why]:
    """The reason for these differences between the two `sides`, live and desired, field by field.

    Each side is held against what the ledger remembers having reached. A field that the manifest did not set then, and
    sets now, is the manifest's move.
    """
    _, desired = sides
    if entry is None:
        return Reason.DIFFERS, because(Cause.DIFFERS_UNREMEMBERED)
    if not entry.settled:
        return Reason.INTERRUPTED, because(Cause.INTERRUPTED)
    differing = frozenset(field.path.partition(".")[0] for field in fields)
    by_hand, edited = moved_on_each_side(differing, sides, entry, inputs, kind)
    if by_hand and differing & edited:
        return Reason.DIVERGED, because(Cause.MANIFEST_AND_LIVE_CHANGED)
    if by_hand:
        return Reason.DRIFTED, because(Cause.CHANGED_OUTSIDE)
    if kind.is_on_by_default_now(entry, differing, desired):
        return Reason.EDITED, because(Cause.ON_BY_DEFAULT_NOW)
    if differing & edited:
        return Reason.EDITED, because(Cause.MANIFEST_CHANGED)
    return Reason.DIFFERS, because(Cause.DIFFERS_IN, names=tuple(sorted(differing)))


def moved_on_each_side(
    differing: frozenset[str], sides: tuple[S, S], entry: Entry[O], inputs: PlanInputs, kind: ObservedKind[S, O, A]
) -> tuple[frozenset[str], frozenset[str]]:
    """The fields that live moved since the entry was written, of those that differ; and all that the manifest moved."""
    live, desired = sides
    since = MovedSince(desired, inputs.seal, inputs.as_of)
    by_hand = differing & kind.moved_since(entry, live, kind.meaning(live), since)
    edited = kind.moved_since(entry, desired, kind.declared_meaning(desired), since) | kind.newly_set(entry, desired)
    return by_hand, edited


def unset_changes(
    inputs: PlanInputs, kinds: KindRegistry, hidden: Secrecy
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
