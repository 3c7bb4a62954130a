"""The document `TaskTrigger`: a task of Automate MFT that is started when what it names has changed."""

from __future__ import annotations

from typing import Literal, TypedDict, cast

from reconciler.manifests import schema_files
from reconciler.manifests.declarations import Declared, Scope, UnconnectedResource
from reconciler.manifests.documents import ManifestDocument
from reconciler.manifests.problems import ProblemReporter
from reconciler.manifests.scalars import text_of
from reconciler.manifests.yaml_values import DocumentPath, YAMLValue
from reconciler.model import Address, KindName, Resource
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

    def schema_text(self) -> str:
        return schema_files.text("task-trigger.schema.json")

    def declare(self, document: ManifestDocument, scope: Scope, declared: Declared) -> None:
        """`wait` stays out of the spec when it is not written: 30m, every 5s, is the default."""
        handle = document.handle
        if not handle:
            return
        address = Address(KindName.TRIGGER, "", handle)
        declared.mentioned.add(address)
        report = document.report.at(str(address))
        origin = document.origin(document.parsed.value, ())
        if not declared.claim("trigger", handle, origin, report, f"the trigger {handle!r}"):
            return
        spec: dict[str, object] = {}
        if (task := cast("dict[str, str] | None", document.spec_part("task"))) is not None:
            spec["task"] = {key: value.strip().lower() if key == "id" else value for key, value in task.items()}
        secrets = _parameters(document, spec, report, declared)
        patterns: list[tuple[str, DocumentPath]] = []
        if (when := cast("When | None", document.spec_part("when"))) is not None:
            spec["when"] = {**when, "revision": text_of(when["revision"])} if "revision" in when else {**when}
            path = ("spec", "when", "changed")
            patterns = [(pattern, (*path, index)) for index, pattern in enumerate(when.get("changed", ()))]
        _wait(document, spec, report)
        if (retries := document.spec_part("retries")) is not None:
            spec["retries"] = int(cast("int", retries))
        resource = Resource(address, spec, origin, secrets=secrets, labels=document.labels)
        declared.unconnected.append(UnconnectedResource(resource, patterns, report))

    def address_at(self, document: ManifestDocument, path: DocumentPath) -> Address | None:
        return Address(KindName.TRIGGER, "", document.handle)


def _parameters(
    document: ManifestDocument, spec: dict[str, object], report: ProblemReporter, declared: Declared
) -> tuple[str, ...]:
    parameters = cast("dict[str, YAMLValue] | None", document.spec_part("parameters"))
    if parameters is None:
        return ()
    spec["parameters"] = {key: text_of(value) for key, value in parameters.items()}
    path = ("spec", "parameters")
    names = document.secret_keys(path)
    declared.secret_values |= document.secret_values(path)
    for name in names:
        message = (
            f"the parameter `{name}` came from the environment or a file, and Automate MFT does not promise to mask "
            "parameters: whoever may see the task's runs may read it. Keep secrets in the task itself"
        )
        report.warn((*path, name), "secret-parameter", message)
    return tuple(f"parameters.{name}" for name in names)


def _wait(document: ManifestDocument, spec: dict[str, object], report: ProblemReporter) -> None:
    wait = cast("dict[str, str] | Literal[False] | None", document.spec_part("wait"))
    if wait is None:
        return
    if wait is False:
        spec["wait"] = False
        return
    spec["wait"] = seconds = {}
    for key, text in wait.items():
        try:
            seconds[key] = seconds_of(text)
        except ValueError as error:
            report.error(("spec", "wait", key), "wrong-value", f"`{key}`: {error}")
