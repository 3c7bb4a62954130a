"""Which values are secret: by the path at which they stand, as the manifests say and as the ledger remembers. Pure.

A path that was secret once stays secret while live may still show it, whoever looks and under whatever address. Where
nothing is remembered of a live schedule, nobody knows which of its parameters were secret: then all of them are.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.kind import M, O, ObservedKind, ObservedMemo, S
from reconciler.model.copies import replace
from reconciler.model.entry import Entry, Memo
from reconciler.model.plan import Change, FieldChange
from reconciler.model.resource import Resource
from reconciler.model.state import JSON, SECRET, State

PARAMETERS = "inputParameters"
"""The one field of a schedule that can hold a secret; as a path it stands for all parameters."""

_SHORTEST = 4
_LONG = 8


class Texts:
    """Secret texts, sorted so that a look for any of them takes time by what is looked at, and not by their number."""

    def __init__(self, values: Iterable[str]) -> None:
        self._whole: set[str] = set()
        self._by_start: dict[str, dict[int, set[str]]] = {}
        for value in values:
            if len(value) < _SHORTEST:
                self._whole.add(value)
            else:
                self._by_start.setdefault(value[:_SHORTEST], {}).setdefault(len(value), set()).add(value)
        self._whole.discard("")
        first = "".join(map(re.escape, sorted({start[0] for start in self._by_start})))
        self._first = re.compile(f"[{first}]") if first else None

    def stand_in(self, value: JSON) -> bool:
        """Whether a secret stands anywhere in plain data. A very short one counts only as a whole."""
        if not (self._whole or self._by_start):
            return False
        if isinstance(value, Mapping):
            return any(self.stand_in(each) for pair in value.items() for each in pair)
        return isinstance(value, str) and (
            value in self._whole
            or (self._first is not None and any(self._begins(value, at.start()) for at in self._first.finditer(value)))
        )

    def _begins(self, text: str, at: int) -> bool:
        by_length = self._by_start.get(text[at : at + _SHORTEST], {})
        return any(text[at : at + length] in alike for length, alike in by_length.items())


@dataclass(frozen=True, slots=True)
class Secrecy:
    """What is secret of a whole project. `declared` and `remembered` are paths, by the id of a schedule or the address
    of a trigger; `remembered` has a key for all that the ledger knows. `values` must not be shown wherever they stand.
    `once` are the paths at which live has lost its secret, and earlier runs have not. `is_lost`: the ledger remembers
    less than was done, or may.
    """

    declared: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    remembered: Mapping[str, frozenset[str]] = field(default_factory=dict)
    values: tuple[str, ...] = ()
    once: Mapping[str, frozenset[str]] = field(default_factory=dict)
    is_lost: bool = False
    _texts: Texts = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_texts", Texts(self.values))

    def paths(self, key: str) -> frozenset[str]:
        """The paths that are secret, or were and may still be shown."""
        return self.remembered.get(key, _NONE) | frozenset(self.declared.get(key, ()))

    @property
    def is_any(self) -> bool:
        """Whether anything is known to be secret at all."""
        return bool(self.declared) or any(self.remembered.values())

    def is_unknown(self, key: str) -> bool:
        """Whether any parameter that live shows may have been secret: not in the ledger, and made by this program.

        An id of version 8 is this program's, here or in another project. Where the ledger was lost, any may have been
        written by it.
        """
        return key not in self.remembered and (self.is_lost or key[14:15] == "8")

    def paths_in_view(self, identity: str) -> frozenset[str]:
        """The paths to hide wherever a live schedule is shown as it is."""
        return self.paths(identity) | ({PARAMETERS} if self.is_unknown(identity) else _NONE)

    def paths_in_runs(self, identity: str) -> frozenset[str]:
        """The paths to hide in the runs that a schedule has begun, which show the parameters that it had then."""
        return self.paths_in_view(identity) | self.once.get(identity, _NONE)

    def values_of(self, things: Iterable[tuple[str, State | None]]) -> frozenset[str]:
        """What live shows at these paths, by id: texts that are secret, though no manifest may know them any more."""
        if not self.is_any:
            return _NONE
        return frozenset().union(*(_texts_at(self.paths(one), _parameters(state)) for one, state in things))

    def values_in_doubt(self, things: Iterable[tuple[str, State | None]]) -> frozenset[str]:
        """What live shows of schedules of which nobody knows what is secret: long texts, to be hidden in messages."""
        return frozenset(
            value
            for one, state in things
            if self.is_unknown(one) or PARAMETERS in self.remembered.get(one, _NONE)
            for value in _parameters(state).values()
            if len(value) >= _LONG
        )

    def values_of_runs(self, runs: Iterable[tuple[str, Mapping[str, str] | None]]) -> frozenset[str]:
        """The same of runs: the id of the schedule that began each, and the parameters that it had then."""
        return frozenset().union(*(_texts_at(self.paths_in_runs(one), parameters) for one, parameters in runs))

    def hide(self, change: Change) -> Change:
        """The change with the paths that are secret from now on, and its fields marked where they show one."""
        key = change.identity or str(change.address)
        is_blind = change.before is not None and self.is_unknown(key)
        is_any = is_blind and change.before is not None and bool(change.before.parameters)
        hidden = self.paths(key) | ({PARAMETERS} if is_any else _NONE)
        fields = self.mark(key, change.fields, is_blind=is_blind)
        return replace(change, fields=fields, secrets=tuple(sorted(hidden)))

    def mark(self, key: str, fields: Iterable[FieldChange], *, is_blind: bool) -> tuple[FieldChange, ...]:
        """The fields of one schedule or trigger, those marked that show a secret. `is_blind`: nothing is remembered."""
        paths = self.paths(key)
        return tuple(
            replace(one, secret=True) if self._is_secret(one, paths, is_blind=is_blind) else one for one in fields
        )

    def _is_secret(self, one: FieldChange, paths: Iterable[str], *, is_blind: bool) -> bool:
        if is_blind and one.before is not None and covers((PARAMETERS,), one.path):
            return True
        return covers(paths, one.path) or any(map(self._texts.stand_in, (one.before, one.after)))


_NONE: frozenset[str] = frozenset()


def secrecy_of(
    resources: Iterable[Resource], entries: Iterable[Entry], values: Iterable[str] = (), *, is_lost: bool = False
) -> Secrecy:
    """What manifests and memory together say. Entries of one id under several addresses are joined."""
    declared = {one.identity or str(one.address): one.secrets for one in resources if one.secrets}
    remembered: dict[str, frozenset[str]] = {}
    once: dict[str, frozenset[str]] = {}
    for entry in entries:
        key = entry.identity or str(entry.address)
        known = remembered.get(key)
        paths = remembered_paths(entry)
        remembered[key] = paths if known is None else known | paths
        if isinstance(entry.memo, ObservedMemo):
            for assigned in entry.memo.server_assigned_ids:  # what ACC made under an id of its own holds what was sent
                remembered[assigned] = remembered.get(assigned, _NONE) | paths
        if entry.memo.secrets_before:
            once[key] = once.get(key, _NONE) | frozenset(entry.memo.secrets_before)
    return Secrecy(declared, remembered, tuple(sorted(value for value in values if value)), once, is_lost)


def remembered_paths(entry: Entry | None) -> frozenset[str]:
    """The paths that an entry says were secret."""
    return frozenset(entry.memo.secrets) if entry is not None and entry.memo.secrets else _NONE


def settled(memo: M, paths: Iterable[str], resource: Resource | None, state: State, before: Memo | None) -> M:
    """A memo with the paths that are secret once `state` was reached: declared ones, and those that have a value still.

    That nobody knows which parameters are secret ends when the manifest spells all of them. `before` is the memo so
    far; the paths that end here are kept for the runs that went before.
    """
    paths = tuple(paths)
    kept = {path for path in paths if _is_there(path, state)}
    if resource is not None:
        if resource.state.parameters is not None:
            kept.discard(PARAMETERS)
        kept |= set(resource.secrets)
    known = (*before.secrets_before, *before.secrets) if before is not None else ()
    ended = {*known, *paths} - kept
    return replace(memo, secrets=tuple(sorted(kept)), secrets_before=tuple(sorted(ended)))


def memo_reached(
    kind: ObservedKind[S, O, Any],
    state: S,
    resource: Resource[S] | None,
    before: O | None,
    *,
    identity: str,
    live: Container[str],
    paths: Iterable[str],
) -> O:
    """What the ledger keeps of a thing, `identity`, once it is in `state`; `live` are all of its agent.

    `before` is the memo so far, and `paths` are those that were secret until now.
    """
    memo = kind.remember(state, resource, before).with_ids_left(live, identity)
    return settled(memo, paths, resource, state, before)


def covers(paths: Iterable[str], path: str) -> bool:
    """Whether what stands at `path` is secret: one of `paths`, something below one, or a whole that contains one."""
    here = path.casefold()
    return any(
        here == at or here.startswith(f"{at}.") or at.startswith(f"{here}.") for at in (one.casefold() for one in paths)
    )


def masked(parameters: Mapping[str, JSON], paths: Iterable[str], values: Iterable[str] = ()) -> dict[str, JSON]:
    """A schedule's parameters without what is secret."""
    return masked_at(PARAMETERS, parameters, paths, Texts(values))


def masked_at(path: str, found: Mapping[str, JSON], paths: Iterable[str], texts: Texts) -> dict[str, JSON]:
    """What stands at a path, without what is secret."""
    paths = tuple(paths)
    return {
        key: SECRET if covers(paths, f"{path}.{key}") or texts.stand_in(value) else value
        for key, value in found.items()
    }


def _parameters(state: State | None) -> Mapping[str, str]:
    """What a state holds that may be secret, where it can be taken apart."""
    found = state.parameters if state is not None else None
    return found if isinstance(found, Mapping) else {}


def _texts_at(paths: Iterable[str], parameters: Mapping[str, str] | None) -> frozenset[str]:
    """The values at these very paths, but for those so short that they are in every sentence."""
    wanted = {path.casefold() for path in paths}
    if not wanted or not parameters:
        return _NONE
    return frozenset(
        value
        for key, value in parameters.items()
        if len(value) >= _SHORTEST and f"{PARAMETERS}.{key}".casefold() in wanted
    )


def _is_there(path: str, state: State) -> bool:
    """Whether a state has anything at a path; what cannot be taken apart may have it."""
    _, _, key = path.partition(".")
    found = state.parameters
    if not key or not isinstance(found, Mapping):
        return bool(found)
    return any(str(name).casefold() == key.casefold() for name in found)
