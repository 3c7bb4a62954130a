"""What every kind of resource says of itself."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Generic, TypeVar, cast

from msgspec import Struct

from reconciler.causes import Why
from reconciler.diff import Sealer
from reconciler.model.address import Address, AddressForm
from reconciler.model.condition import Health
from reconciler.model.entry import Entry, Memo
from reconciler.model.live import AgentView, Observation
from reconciler.model.plan import Action, Change, FieldChange, Plan, Reason, Visibility
from reconciler.model.resource import Resource
from reconciler.model.state import JSON, S_co, State

S = TypeVar("S", bound=State)
M = TypeVar("M", bound=Memo)
A = TypeVar("A")
"""A kind's state, its memo, and the client of its product."""


class Product(StrEnum):
    """The two products; the value is the name of the connection."""

    ACC = "acc"
    MFT = "mft"


class Need(Struct, frozen=True):
    """Something that a resource needs: by its address, by the one that it was first known as, with what it holds."""

    address: Address
    known_as: str
    digest: str


class Decision(Struct, Generic[S_co], frozen=True):
    """What a kind wants done about a resource that no product shows.

    `blocked` is the reason why nothing may be done; without it and without a `reason` of its own the planner says why.
    `warnings` are codes with what they are about.
    """

    action: Action
    reason: Reason | None = None
    why: Why | None = None
    after: S_co | None = None
    fields: tuple[FieldChange, ...] = ()
    blocked: Reason | None = None
    warnings: tuple[tuple[str, Why], ...] = ()
    needs_idle_agent: bool = False


class HealthReport(Struct, frozen=True):
    """A health, the times that go with it, and in `notes` what a person should know. Times are RFC 3339.

    `in_doubt`: a person has to say what happened.
    """

    health: Health
    last_run: str = ""
    next_run: str = ""
    predicted: str = ""
    notes: tuple[Why, ...] = ()
    in_doubt: bool = False


class Unanswered(Struct, frozen=True):
    """Why a product gave no answer to a kind's question; `is_missing`: it says that there is no such thing."""

    why: str
    is_missing: bool


class Examined(Struct, Generic[S, M], frozen=True):
    """One resource as `status` examines it, and all that is known of it.

    `answer` is what the product said to the kind's own question, None where none was asked. `is_lost`: the ledger is
    new where another one was.
    """

    resource: Resource[S]
    observation: Observation[S]
    entry: Entry[M] | None
    answer: object
    as_of: datetime
    is_lost: bool = False
    redact: Callable[[str], str] = str


class Kind(ABC, Generic[S, M, A]):
    """What every kind says of itself: `name` is the first part of its addresses, `rank` its place within an agent."""

    name: ClassVar[str]
    form: ClassVar[AddressForm]
    product: ClassVar[Product]
    rank: ClassVar[int]
    visibility: ClassVar[Visibility]
    noun: ClassVar[tuple[str, str]]
    """What one of it, and what several are called."""
    memo_type: type[M]
    has_health: ClassVar[bool] = False

    # --- desired -----------------------------------------------------------------------------------------------------

    def complete(self, resource: Resource[S], seal: Sealer, needs: Iterable[Need], entry: Entry[M] | None) -> S:
        """The desired state with what only the ledger's key and its needs can tell: digests of files, a trigger's key.

        Raises OSError when a file cannot be read.
        """
        return resource.state

    @abstractmethod
    def content(self, state: S, seal: Sealer) -> str:
        """A keyed digest of what is desired: what the keys of triggers that `changed` names rest on."""

    @abstractmethod
    def declared(self, state: S, seal: Sealer) -> str:
        """A keyed digest of what is desired, by which the ledger recognises it later."""

    def declared_fields(self, state: S) -> Mapping[str, JSON]:
        """What a manifest says of it, by the manifest's words: for people. It may hold secrets."""
        return {}

    def rhythm(self, state: S) -> str:
        """When it runs, in words; "" for what has no rhythm."""
        return ""

    # --- the resources of this kind ----------------------------------------------------------------------------------

    def among(self, resources: Iterable[Resource]) -> Iterator[Resource[S]]:
        """Those of these resources that are of this kind."""
        return (cast("Resource[S]", one) for one in resources if one.address.kind == self.name)

    def changes_in(self, plan: Plan) -> Iterator[Change[S]]:
        """The changes of this kind that a plan makes."""
        return (cast("Change[S]", one) for one in plan.changes if one.address.kind == self.name)

    def remembered(self, entries: Mapping[Address, Entry]) -> Iterator[Entry[M]]:
        """Those of these entries that are of this kind."""
        return (cast("Entry[M]", one) for address, one in entries.items() if address.kind == self.name)

    # --- health ------------------------------------------------------------------------------------------------------

    def question(self, resource: Resource[S], view: AgentView | None, entry: Entry[M] | None) -> str:
        """What the product has to be asked for the resource's health, such as an agent's id; "" where nothing.

        Resources with one question share its answer.
        """
        return ""

    def ask(self, api: A, question: str, hide: Callable[[str, JSON], None]) -> object:
        """The product's answer; where it gives none, `Unanswered`, or an answer of the kind's own.

        `hide` is told of parameters that the product shows back, with the identity of the resource that they belong to.
        """
        return None

    def health(self, examined: Examined[S, M]) -> HealthReport | None:
        """How well the resource does its work; None where there is nothing to say of it."""
        return None
