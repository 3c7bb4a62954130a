"""What the ledger remembers: an entry for each resource, with a memo that its kind types."""

from __future__ import annotations

import typing
from collections.abc import Mapping
from enum import Enum
from typing import TYPE_CHECKING, Generic, Self

import msgspec
from msgspec import Struct, field

from reconciler.model.address import Address
from reconciler.model.state import JSON, Beside

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    M_co = TypeVar("M_co", bound="Memo", covariant=True, default="Memo")
else:  # as in `state`
    M_co = typing.TypeVar("M_co", covariant=True)

V = typing.TypeVar("V")


def as_plain(value: object) -> JSON:
    """A noun as JSON's own types, with a mapping for every noun. What is `Beside` it is left out."""
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
    if isinstance(value, Struct) and not isinstance(value, Address):
        held = ((name, getattr(value, name)) for name in value.__struct_fields__)
        return {name: as_plain(each) for name, each in held if not isinstance(each, Beside)}
    return str(value)


def always(default: V, *, name: str | None = None) -> V:
    """A field of a memo that is kept also where it has its default; `name` is its key where that is another word."""
    return field(default_factory=lambda: default, name=name)  # a default of this form is never left out


class Memo(Struct, frozen=True, omit_defaults=True, rename="camel"):
    """What the ledger keeps of a resource beside digests: small, public, and typed by each kind.

    A field is kept under its name in camel case, or the one that it gives, and left out where it has its default.
    `secrets` are the paths that live may still show as they are, `secrets_before` those that earlier runs may: never
    values.
    """

    secrets: tuple[str, ...] = ()
    secrets_before: tuple[str, ...] = ()

    def to_json(self) -> dict[str, JSON]:
        """As the ledger keeps it, in the form of all its versions."""
        kept: dict[str, JSON] = msgspec.to_builtins(self)
        return kept

    @classmethod
    def from_json(cls, kept: Mapping[str, JSON]) -> Self:
        """Raises ValueError when it makes no sense."""
        try:
            return msgspec.convert(kept, cls)
        except msgspec.ValidationError as error:
            raise ValueError(str(error)) from None


class Entry(Struct, Generic[M_co], frozen=True):
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


class AdoptedId(Struct, frozen=True):
    """The id of a schedule that another environment of the project has adopted, or made as a manifest demands it."""

    environment: str
    identity: str
    agent_path: str


class Memory(Struct, frozen=True):
    """The ledger's entries for one project and environment.

    `known` is false until the ledger was accepted as the one to go by. `lost`: it took the place of one that was lost,
    and nobody has accepted that yet. `agent_ids` are the ids of agents by the path where each was last ("" in what
    older ledgers hold). `neighbours` are the other projects and environments that share the ledger. `restored` is when
    the backup was made that this ledger is a copy of, "" where it is none, or was accepted since. `environment_ids` are
    ids that other environments of the project declare, whatever ACC those look at.
    """

    entries: Mapping[Address, Entry] = {}
    known: bool = False
    lost: bool = False
    agent_ids: Mapping[str, str] = {}
    neighbours: tuple[tuple[str, str], ...] = ()
    restored: str = ""
    environment_ids: tuple[AdoptedId, ...] = ()

    def may_be_outdated(self, entry: Entry) -> bool:
        """Whether an entry is as a backup had it, so that nobody knows what was done since."""
        return bool(self.restored) and entry.at <= self.restored
