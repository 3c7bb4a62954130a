"""What the ledger remembers: an entry for each resource, with a memo that its kind types."""

from __future__ import annotations

import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, Any, Generic, Self

from reconciler.model.address import Address
from reconciler.model.state import JSON

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    M_co = TypeVar("M_co", bound="Memo", covariant=True, default="Memo")
else:  # as in `state`
    M_co = typing.TypeVar("M_co", covariant=True)


def as_plain(value: object) -> JSON:
    """A noun as JSON's own types, with a mapping for every noun. Fields that do not compare are left out."""
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return {str(key): as_plain(each) for key, each in value.items()}
    if isinstance(value, (tuple, list)):
        return [as_plain(each) for each in value]
    if is_dataclass(value) and not isinstance(value, Address):
        return {one.name: as_plain(getattr(value, one.name)) for one in fields(value) if one.compare}
    return str(value)


def stored(
    key: str,
    read: Callable[[JSON], object] = lambda value: value,
    write: Callable[[Any], JSON] | None = None,
    *,
    always: bool = False,
    **settings: object,
) -> Any:
    """A field of a memo: the key under which the ledger keeps it, how it is read back and written.

    One that has its default is left out, unless it is `always` there.
    """
    metadata = {"key": key, "read": read, "write": write or as_plain, "always": always}
    return field(metadata=metadata, **settings)  # type: ignore[call-overload]


@dataclass(frozen=True, slots=True)
class Memo:
    """What the ledger keeps of a resource beside digests: small, public, and typed by each kind.

    `secrets` are the paths that live may still show as they are, `secrets_before` those that earlier runs may: never
    values.
    """

    secrets: tuple[str, ...] = stored("secrets", tuple, default=())
    secrets_before: tuple[str, ...] = stored("secretsBefore", tuple, default=())

    def to_json(self) -> dict[str, JSON]:
        """As the ledger keeps it, in the form of all its versions."""
        return {
            one.metadata["key"]: one.metadata["write"](value)
            for one in fields(self)
            if (value := getattr(self, one.name)) != one.default or one.metadata["always"]
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, JSON]) -> Self:
        """Raises ValueError, TypeError, LookupError or AttributeError when it makes no sense."""
        readers = _readers_of(cls)  # type: ignore[arg-type]  # a class can be hashed
        return cls(**{readers[key][0]: readers[key][1](value) for key, value in kept.items() if key in readers})


@cache
def _readers_of(memo: type[Memo]) -> dict[str, tuple[str, Callable[[JSON], Any]]]:
    """What each key of the ledger is called in a memo, and how it is read: worked out once, since estates are large."""
    return {one.metadata["key"]: (one.name, one.metadata["read"]) for one in fields(memo)}


@dataclass(frozen=True, slots=True)
class Entry(Generic[M_co]):
    """What we last made so, by address.

    `declared` is a keyed digest of the manifest's words, `applied` keyed digests of the state that was reached, by
    field; neither can be turned back into content. `settled` is false between Began and Outcome, and stays false
    when the outcome is not known. `protect` outlives the block that declared it. `memo` is what the kind needs later (a
    trigger's run id and attempts, the sizes of input files).

    An agent is who its id says: `agent_id` is the one that the entry was reached under ("" in entries of older
    ledgers), `agent_path` only where it was last. `known_as` is the address under which triggers first knew the
    resource, where a rename has given it another one since: so that a new name changes no trigger's key.
    """

    address: Address
    identity: str
    agent_path: str
    declared: str
    applied: Mapping[str, str]
    settled: bool
    memo: M_co
    protect: bool = False
    adopted: bool = False
    needs: tuple[Address, ...] = ()
    at: str = ""
    agent_id: str = ""
    known_as: str = ""


@dataclass(frozen=True, slots=True)
class Memory:
    """The ledger's entries for one project and environment.

    `known` is false until the ledger was accepted as the one to go by. `lost`: it took the place of one that was lost,
    and nobody has accepted that yet. `agent_ids` are the ids of agents by the path where each was last ("" in what
    older ledgers hold). `neighbours` are the other projects and environments that share the ledger. `restored` is when
    the backup was made that this ledger is a copy of, "" where it is none, or was accepted since.
    """

    entries: Mapping[Address, Entry] = field(default_factory=dict)
    known: bool = False
    lost: bool = False
    agent_ids: Mapping[str, str] = field(default_factory=dict)
    neighbours: tuple[tuple[str, str], ...] = ()
    restored: str = ""

    def may_be_outdated(self, entry: Entry) -> bool:
        """Whether an entry is as a backup had it, so that nobody knows what was done since."""
        return bool(self.restored) and entry.at <= self.restored
