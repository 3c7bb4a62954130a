"""The kinds of document that manifests are made of, as the registry of kinds names them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

if TYPE_CHECKING:
    from reconciler.manifests.declarations import Declared, Scope
    from reconciler.manifests.documents import ManifestDocument
    from reconciler.manifests.problems import ProblemReporter
    from reconciler.manifests.yaml_values import DocumentPath, YAMLValue
    from reconciler.model.address import Address
    from reconciler.model.resource import Agent


class BlockSort(Struct, frozen=True):
    """A sort of block that inherits what it does not say itself: `name` is what `spec.defaults` calls it.

    `path` is where a document has it, or the list of them (`is_list`). With `template` a block may `use` a document of
    that kind. `own` are the keys that only a block itself can have, since they say which one it is. `check` reports
    what a schema cannot say of a block that is nobody's yet: of defaults, or of a template.
    """

    name: str
    path: DocumentPath
    is_list: bool = False
    template: str = ""
    own: frozenset[str] = frozenset()
    check: Callable[[dict[str, YAMLValue], DocumentPath, ProblemReporter, Scope], None] | None = None


class DocumentKind(Protocol):
    """What the documents of one `kind:` look like, and what they declare."""

    document: str
    """The `kind:` of its documents."""
    connection: str
    """The connection that its documents need, such as `acc`; "" for none."""
    secret_keys: frozenset[str]
    """The keys below which values are kept secret: what is filled in anywhere else, everybody may read."""
    is_template: bool
    """Whether its documents declare nothing, and are there for blocks that `use` them."""

    @property
    def blocks(self) -> tuple[BlockSort, ...]:
        """The sorts of block in its documents that inherit, an outer one before what is in it."""

    def schema_text(self) -> str:
        """Its JSON Schema (draft 2020-12), which every document has been held against before it declares anything."""

    def declare(self, document: ManifestDocument, scope: Scope, declared: Declared) -> None:
        """Add what a document declares to `declared`, and report what a schema cannot say.

        Parts of the document may be wrong (`ManifestDocument.is_usable`); whatever can be checked still is.
        """

    def address_at(self, document: ManifestDocument, path: DocumentPath) -> Address | None:
        """The address of what stands at a path of a document with a usable name, for a problem that is found there."""


class AgentPart(Protocol):
    """One kind of resource that an `Agent` document declares, by keys of its own under `spec`."""

    @property
    def keys(self) -> tuple[str, ...]:
        """Its keys under `spec`."""

    @property
    def blocks(self) -> tuple[BlockSort, ...]:
        """The sorts of block under them that inherit."""

    def declare(
        self, document: ManifestDocument, scope: Scope, declared: Declared, agent: Agent, needs: tuple[Address, ...]
    ) -> tuple[Address, ...]:
        """Add what stands under its keys, which needs what earlier parts declared; and return what later parts need."""

    def address_at(self, document: ManifestDocument, handle: str, path: DocumentPath) -> Address | None:
        """The address of what stands at a path under one of its keys, of the agent `handle`."""


DOCUMENT_KINDS: dict[str, DocumentKind] = {}
"""Each by its `kind:`, in the order in which people are told of them; the registry of kinds fills it."""

AGENT_PARTS: list[AgentPart] = []
"""The parts of an `Agent` document, in the order in which they are applied: each needs those before it."""
