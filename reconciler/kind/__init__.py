"""What a kind of resource says of itself: planner, applier, status and reports follow from it, and know none by name.

A kind is a class with one instance, in a module of `kinds/`, and a line in its registry. How the product can be seen
decides which of three contracts it fulfils: `ObservedKind` for what is read back, `AttestedKind` for what a product
accepts and never shows, `StartedKind` for what is started exactly once for each key.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from reconciler.kind.attested_kind import AttestedKind, AttestedMemo, ByHand, Sending, T
from reconciler.kind.contract import A, Decision, Examined, HealthReport, Kind, M, Need, Product, S, Unanswered
from reconciler.kind.observed_kind import MovedSince, O, ObservedKind, ObservedMemo
from reconciler.kind.started_kind import LicenceCount, Progress, Run, StartedKind, StartMemo, StartState, U, Wait

AnyKind: TypeAlias = Kind[Any, Any, Any]
AnyObserved: TypeAlias = ObservedKind[Any, Any, Any]
AnyAttested: TypeAlias = AttestedKind[Any, Any, Any]
AnyStarted: TypeAlias = StartedKind[Any, Any, Any]
KindRegistry: TypeAlias = Mapping[str, AnyKind]
"""The kinds by their names, as the registry hands them to whoever works with all of them."""

__all__ = [
    "A",
    "AnyAttested",
    "AnyKind",
    "AnyObserved",
    "AnyStarted",
    "AttestedKind",
    "AttestedMemo",
    "ByHand",
    "Decision",
    "Examined",
    "HealthReport",
    "Kind",
    "KindRegistry",
    "LicenceCount",
    "M",
    "MovedSince",
    "Need",
    "O",
    "ObservedKind",
    "ObservedMemo",
    "Product",
    "Progress",
    "Run",
    "S",
    "Sending",
    "StartMemo",
    "StartState",
    "StartedKind",
    "T",
    "U",
    "Unanswered",
    "Wait",
]
