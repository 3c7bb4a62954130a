"""The part `approval` of an Agent document: whether the agent may run."""

from __future__ import annotations

from reconciler.manifests.declarations import Declared, Scope
from reconciler.manifests.documents import ManifestDocument
from reconciler.manifests.yaml_values import DocumentPath
from reconciler.model import Address, Agent, KindName, Resource


class ApprovalPart:
    """Declares the resource `approval/AGENT`."""

    keys = ("approval",)

    def declare(
        self, document: ManifestDocument, scope: Scope, declared: Declared, agent: Agent, needs: tuple[Address, ...]
    ) -> tuple[Address, ...]:
        address = Address(KindName.APPROVAL, agent.handle)
        declared.mentioned.add(address)
        block = document.spec_part("approval")
        if isinstance(block, dict):
            origin = document.origin(block, ("spec", "approval"))
            declared.resources.append(
                Resource(address, dict(block), origin, agent_path=agent.path, needs=needs, labels=agent.labels)
            )
        return (address,)

    def address_at(self, document: ManifestDocument, handle: str, path: DocumentPath) -> Address | None:
        return Address(KindName.APPROVAL, handle)
