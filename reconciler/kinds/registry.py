"""The kinds that there are. A new one is a module beside this one, its schema, and a `register` line here."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.kind import AnyKind, AnyObserved, ObservedKind
from reconciler.kinds import (
    approval,
    input_files,
    input_files_declaration,
    schedule,
    schedule_declaration,
    schedule_template,
    trigger,
    trigger_declaration,
)
from reconciler.manifests.agent_document import AgentDocument
from reconciler.manifests.document_kinds import AGENT_PARTS, DOCUMENT_KINDS, AgentPart, DocumentKind
from reconciler.model.address import ADDRESS_FORMS
from reconciler.model.entry import Memo
from reconciler.model.state import JSON

KINDS: dict[str, AnyKind] = {}
"""By name, in the order in which people read them."""


def register(kind: AnyKind, *, document: DocumentKind | None = None, part: AgentPart | None = None) -> None:
    """Let everything know a kind, and the document, or the part of an `Agent` document, that declares it."""
    KINDS[kind.name] = kind
    ADDRESS_FORMS[kind.name] = kind.form
    if document is not None:
        DOCUMENT_KINDS[document.document] = document
    if part is not None:
        AGENT_PARTS.append(part)


DOCUMENT_KINDS[AgentDocument.document] = AgentDocument()
register(input_files.KIND, part=input_files_declaration.InputFilesPart())
register(approval.KIND, part=approval.ApprovalPart())
register(schedule.KIND, part=schedule_declaration.SchedulesPart())
DOCUMENT_KINDS[schedule_template.ScheduleTemplateDocument.document] = schedule_template.ScheduleTemplateDocument()
register(trigger.KIND, document=trigger_declaration.TaskTriggerDocument())


def observed_kinds() -> tuple[AnyObserved, ...]:
    """Those whose things are read back."""
    return tuple(kind for kind in KINDS.values() if isinstance(kind, ObservedKind))


def memo_of(kind: str, kept: Mapping[str, JSON]) -> Memo:
    """What the ledger keeps of a resource, as its kind types it. Raises ValueError or TypeError."""
    return KINDS[kind].memo_type.from_json(kept)  # type: ignore[no-any-return]
