"""The document `TaskTrigger`: a task of Automate MFT that is started when what it names has changed."""

from __future__ import annotations

from typing import TypedDict, cast

from reconciler.kind import Wait
from reconciler.kinds.trigger import DEFAULT_WAIT, KIND, Task, TriggerState
from reconciler.manifests import schema_sources
from reconciler.manifests.declarations import Declared, Scope, UnconnectedResource
from reconciler.manifests.document_kinds import BlockSort
from reconciler.manifests.documents import ManifestDocument
from reconciler.manifests.problems import ProblemReporter
from reconciler.manifests.yaml_values import DocumentPath, YAMLValue, list_of, mapping_of, text_of
from reconciler.model.address import Address
from reconciler.model.copies import replace
from reconciler.model.resource import Resource
from reconciler.quantities import seconds_of


class When(TypedDict, total=False):
    """What a task is started again for."""

    revision: str | int | float
    changed: list[str]


class TaskTriggerDocument:
    """Declares the resource `trigger/NAME`."""

    document = "TaskTrigger"
    connection = "mft"
    secret_keys = frozenset({"parameters"})
    is_template = False
    blocks = (BlockSort("taskTrigger", ("spec",)),)

    def schema_text(self) -> str:
        return schema_sources.text("task-trigger.schema.json")

    def declare(self, document: ManifestDocument, scope: Scope, declared: Declared) -> None:
        handle = document.written_handle
        if not handle:
            return
        address = Address(KIND.name, "", handle)
        declared.mentioned.add(address)
        report = document.report.at(str(address))
        origin = document.origin(document.parsed.value, ())
        if not declared.claim("trigger", handle, origin, report, f"the trigger {handle!r}"):
            return
        task = cast("dict[str, str]", document.spec_part("task") or {})
        when = cast("When", document.spec_part("when") or {})
        parameters, secrets = _parameters(document, report, declared)
        state = TriggerState(
            Task(task.get("name"), task["id"].strip().lower() if "id" in task else None),
            parameters,
            text_of(when["revision"]) if "revision" in when else None,
            int(cast("int", document.spec_part("retries") or 0)),
            _wait(document, report),
        )
        inherited = document.inherited(("spec",))
        resource = Resource(address, state, origin, secrets=secrets, labels=document.labels, inherited=inherited)
        declared.unconnected.append(UnconnectedResource(resource, _patterns(document), report))

    def address_at(self, document: ManifestDocument, path: DocumentPath) -> Address | None:
        return Address(KIND.name, "", document.handle)


def _patterns(document: ManifestDocument) -> list[tuple[str, DocumentPath]]:
    """What `changed` names, each with its place."""
    listed = list_of(mapping_of(document.spec.get("when")).get("changed"))
    found = ((text_of(pattern), ("spec", "when", "changed", index)) for index, pattern in enumerate(listed))
    return [(pattern, path) for pattern, path in found if document.is_usable(path)]


def _parameters(
    document: ManifestDocument, report: ProblemReporter, declared: Declared
) -> tuple[dict[str, str], tuple[str, ...]]:
    """The parameters of the task, and the paths of those that are secret."""
    parameters = cast("dict[str, YAMLValue] | None", document.spec_part("parameters"))
    if parameters is None:
        return {}, ()
    path = ("spec", "parameters")
    names = document.secret_keys(path)
    for name in names:
        message = (
            f"the parameter `{name}` came from the environment or a file, and Automate MFT does not promise to mask "
            "parameters: whoever may see the task's runs may read it. Keep secrets in the task itself"
        )
        report.warn((*path, name), "secret-parameter", message)
    return {key: text_of(value) for key, value in parameters.items()}, tuple(f"parameters.{name}" for name in names)


def _wait(document: ManifestDocument, report: ProblemReporter) -> Wait | None:
    """How the run is followed; `wait: false` starts and leaves."""
    path = ("spec", "wait")
    wait = document.spec.get("wait")
    if wait is False:
        return None
    found = {
        key: report.parsed((*path, key), "wrong-value", seconds_of, text_of(text))
        for key, text in (document.known_part(wait, path) or {}).items()
    }
    return replace(DEFAULT_WAIT, **{key: seconds for key, seconds in found.items() if seconds is not None})
