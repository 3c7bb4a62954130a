"""The kinds of document that manifests are made of, as the registry of kinds names them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from reconciler.manifests.declarations import Declared, Scope
    from reconciler.manifests.documents import ManifestDocument
    from reconciler.manifests.yaml_values import DocumentPath
    from reconciler.model.address import Address
    from reconciler.model.resource import Agent


class DocumentKind(Protocol):
    """What the documents of one `kind:` look like, and what they declare."""

    document: str
    """The `kind:` of its documents."""
    connection: str
    """The connection that its documents need, such as `acc`; "" for none."""
    secret_keys: frozenset[str]
    """The keys below which values are kept secret: what is filled in anywhere else, everybody may read."""

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
