"""How a resource is called: its address, and the place of a manifest that declares it."""

from __future__ import annotations

from enum import Enum

from msgspec import Struct


class AddressForm(Enum):
    """What the addresses of a kind are made of."""

    NAMED = "<kind>/<name>"
    OF_AGENT = "<kind>/<agent>"
    IN_AGENT = "<kind>/<agent>/<name>"


ADDRESS_FORMS: dict[str, AddressForm] = {}
"""The form of every kind's addresses; the registry of kinds fills it."""


class Address(Struct, frozen=True, order=True):
    """Where a resource stands: `schedule/<agent>/<name>`, `input-files/<agent>`, `approval/<agent>`, `trigger/<name>`.

    For a live schedule that no manifest declares, `name` is its id.
    """

    kind: str
    agent: str
    name: str = ""

    def __str__(self) -> str:
        return "/".join(part for part in (self.kind, self.agent, self.name) if part)

    @property
    def form(self) -> AddressForm | None:
        """What its kind's addresses are made of; None for a kind that nobody registered."""
        return ADDRESS_FORMS.get(self.kind)

    @property
    def is_readable(self) -> bool:
        """Whether all parts are there that its text needs to be read back."""
        match self.form:
            case AddressForm.IN_AGENT:
                return bool(self.agent and self.name) and "/" not in self.name
            case AddressForm.NAMED:
                return bool(self.name) and not self.agent
            case AddressForm.OF_AGENT:
                return bool(self.agent) and not self.name and "/" not in self.agent
        return False

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read an address back from its text. Raises ValueError when it is none."""
        kind, _, rest = text.partition("/")
        form = ADDRESS_FORMS.get(kind)
        # The agent of a schedule that no manifest declares may be a path, which has slashes of its own.
        agent, _, name = rest.rpartition("/") if form is AddressForm.IN_AGENT else rest.partition("/")
        match form:
            case AddressForm.IN_AGENT if agent and name:
                return cls(kind, agent, name)
            case AddressForm.NAMED if agent and not name:
                return cls(kind, "", agent)
            case AddressForm.OF_AGENT if agent and not name:
                return cls(kind, agent)
        raise ValueError(f"{text!r} is not an address")


class Origin(Struct, frozen=True, order=True):
    """A place in a manifest: path relative to the project, line and column counted from 1.

    `item` says for whom else it is written: which of a document's `forEach` items made it, as in `item 2 (region: nz)`,
    or that it is in `defaults`; "" where it is written for one alone.
    """

    path: str
    line: int
    column: int = 1
    item: str = ""

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}" + (f" [{self.item}]" if self.item else "")

    @property
    def shown(self) -> str:
        """As people are told of it beside what is there: without the column."""
        return f"{self.path}:{self.line}" + (f" [{self.item}]" if self.item else "")

    @property
    def place(self) -> tuple[str, int, int]:
        """Where it is in the order of the manifests."""
        return (self.path, self.line, self.column)
