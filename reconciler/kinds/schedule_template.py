"""The document `ScheduleTemplate`: what schedules that `use` it have in common. It declares nothing by itself."""

from __future__ import annotations

from reconciler.kinds import schedule_declaration
from reconciler.manifests import schema_sources
from reconciler.manifests.declarations import Declared, Scope
from reconciler.manifests.document_kinds import BlockSort
from reconciler.manifests.documents import ManifestDocument
from reconciler.manifests.yaml_values import DocumentPath
from reconciler.model.address import Address


class ScheduleTemplateDocument:
    """Checked also where nobody uses it, so that a mistake in it is said once and not once for each use."""

    document = "ScheduleTemplate"
    connection = ""
    secret_keys = frozenset({"inputParameters"})
    is_template = True
    blocks: tuple[BlockSort, ...] = ()

    def schema_text(self) -> str:
        return schema_sources.text("schedule-template.schema.json")

    def declare(self, document: ManifestDocument, scope: Scope, declared: Declared) -> None:
        name, report = document.written_handle, document.report
        if name:
            origin = document.origin(document.parsed.value, ())
            declared.claim("template", name, origin, report, f"the schedule template {name!r}")
        schedule_declaration.check_inherited(document.spec, ("spec",), report, scope)

    def address_at(self, document: ManifestDocument, path: DocumentPath) -> Address | None:
        return None
