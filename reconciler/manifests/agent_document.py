"""The document `Agent`: an agent of ACC, and what its parts declare for it."""

from __future__ import annotations

from reconciler.manifests import schema_sources
from reconciler.manifests.declarations import Declared, Scope
from reconciler.manifests.document_kinds import AGENT_PARTS, BlockSort
from reconciler.manifests.documents import ManifestDocument
from reconciler.manifests.yaml_values import DocumentPath, mapping_of, text_or_nothing
from reconciler.model.address import Address
from reconciler.model.resource import Agent

_SPEC = BlockSort("agent", ("spec",), own=frozenset({"path", "movedFrom"}))


class AgentDocument:
    """Hands the keys under `spec` to the parts that they belong to."""

    document = "Agent"
    connection = "acc"
    secret_keys = frozenset({"inputParameters"})
    is_template = False

    @property
    def blocks(self) -> tuple[BlockSort, ...]:
        return (_SPEC, *(sort for part in AGENT_PARTS for sort in part.blocks))

    def schema_text(self) -> str:
        return schema_sources.text("agent.schema.json")

    def declare(self, document: ManifestDocument, scope: Scope, declared: Declared) -> None:
        handle, report = document.written_handle, document.report
        path = text_or_nothing(document.spec_part("path"))
        if not handle:
            return
        origin = document.origin(document.parsed.value, ())
        if not declared.claim("agent", handle, origin, report, f"the agent {handle!r}"):
            return
        if path:
            at = report.origin(("spec", "path")) if ("path", path.lower()) in declared.places else origin
            declared.claim("path", path.lower(), at, report, f"the path {path!r}")
        agent = Agent(
            handle,
            path,
            origin,
            document.labels,
            moved_from=_moved_from(document, declared, "metadata", handle),
            path_before=_moved_from(document, declared, "spec", path),
        )
        declared.agents.append(agent)
        needs: tuple[Address, ...] = ()
        for part in AGENT_PARTS:
            if any(key in document.spec for key in part.keys):
                needs = (*part.declare(document, scope, declared, agent, needs), *needs)

    def address_at(self, document: ManifestDocument, path: DocumentPath) -> Address | None:
        key = path[1] if len(path) > 1 and path[0] == "spec" else None
        part = next((part for part in AGENT_PARTS if key in part.keys), None)
        return part.address_at(document, document.handle, path) if part else None


def _moved_from(document: ManifestDocument, declared: Declared, block: str, now: str) -> str:
    """What `movedFrom` says in this block: the old handle, or the old path; "" where it says nothing."""
    written, path = mapping_of(document.value.get(block)), (block, "movedFrom")
    if "movedFrom" not in written or not document.is_usable(path):
        return ""
    before = str(written["movedFrom"])
    what = "the old handle" if block == "metadata" else "the old path"
    declared.check_move(before, now, what, before.lower(), path, document.report)
    return before
