"""What the manifest files declare, file by file: agents, their resources, and triggers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from reconciler.manifests import exposure, schema_files, yaml_reading
from reconciler.manifests.interpolation import FilledDocument, Interpolator, fill_document
from reconciler.manifests.problems import DocumentPath, ProblemReporter, Problems, SourceFile
from reconciler.model import Address, Agent, KindName, Origin, Resource

_KINDS = ("Agent", "TaskTrigger")
_DEEPEST_ASKED = 5


@dataclass(frozen=True, slots=True)
class Scope:
    """What every manifest of a run is read with."""

    root: Path
    project: str
    environment: str
    interpolator: Interpolator
    as_of: datetime


@dataclass(slots=True)
class Trigger:
    """A trigger before its `changed` patterns have been held against all addresses."""

    resource: Resource
    patterns: list[tuple[str, DocumentPath]]
    report: ProblemReporter


@dataclass(slots=True)
class Declared:
    """All that the files declare. `mentioned` are further addresses that stand in the files, but with errors."""

    agents: list[Agent] = field(default_factory=list)
    resources: list[Resource] = field(default_factory=list)
    triggers: list[Trigger] = field(default_factory=list)
    secret_values: set[str] = field(default_factory=set)
    public: list[exposure.PublicPlace] = field(default_factory=list)
    mentioned: set[Address] = field(default_factory=set)
    kinds: set[str] = field(default_factory=set)
    places: dict[tuple[str, str], Origin] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ManifestDocument:
    """One document, filled in and held against its schema.

    `wrong` are the paths that cannot be used, `around` all that have such a one inside.
    """

    kind: str
    value: dict[str, Any]
    parsed: yaml_reading.Document
    filled: FilledDocument
    wrong: frozenset[DocumentPath]
    report: ProblemReporter
    around: frozenset[DocumentPath] = frozenset()

    def is_usable(self, path: DocumentPath) -> bool:
        """Whether nothing is wrong at this path, inside it, or around it."""
        if not self.wrong:
            return True
        return path not in self.around and not any(path[:length] in self.wrong for length in range(len(path) + 1))

    def origin(self, container: Any, path: DocumentPath) -> Origin:
        """Where a mapping or a list begins; by path where the container itself is not known."""
        place = self.parsed.places.get(self.filled.sources.get(id(container), id(container)))
        return Origin(self.report.file.path, *place) if place else self.report.origin(path)

    def spec_part(self, key: str) -> Any:
        """A part of `spec`, or None when it is not there or cannot be used."""
        spec = self.value.get("spec")
        if not isinstance(spec, dict) or key not in spec or not self.is_usable(("spec", key)):
            return None
        return spec[key]

    def secret_paths(self, path: DocumentPath) -> tuple[str, ...]:
        """The keys directly under a path whose values came from outside."""
        depth = len(path)
        return tuple(sorted(str(one[depth]) for one in self.filled.secrets_under(path) if len(one) > depth))


def read_documents(file: SourceFile, scope: Scope, problems: Problems) -> Iterator[ManifestDocument]:
    """The documents of one manifest file; what is wrong goes to `problems`."""
    try:
        found = yaml_reading.read(file.data)
    except yaml_reading.SourceError as error:
        problems.add(file, (error.line, error.column), error.code, error.message)
        return
    for problem in (problem for parsed in found for problem in parsed.problems):
        problems.add(file, (problem.line, problem.column), problem.code, problem.message)
    folder = file.location.parent
    # An escape in quotes can spell `${` without writing it.
    may_interpolate = b"${" in file.data or b"\\" in file.data
    for parsed in found:
        report = ProblemReporter(problems, file, parsed.index)
        kind = _kind_of(parsed.value, report)
        if kind is None:
            continue
        filled = FilledDocument(parsed.value)
        if may_interpolate:
            filled = fill_document(parsed.value, lambda text: scope.interpolator.fill(text, folder))
        yield _checked(kind, parsed, filled, report)


def _kind_of(value: Any, report: ProblemReporter) -> str | None:
    if not isinstance(value, dict):
        report.error((), "not-a-mapping", "a document begins with apiVersion, kind, metadata and spec")
        return None
    kind = value.get("kind")
    if kind in _KINDS:
        return str(kind)
    if kind == "Project":
        message = "a Project belongs into reconciler.yaml, and a project has one of them"
        report.error(("kind",), "unknown-kind", message)
    elif kind is None:
        near = get_close_matches("kind", [str(key) for key in value], 1, 0.7)
        meant = f"; did you mean `kind` by `{near[0]}`?" if near else ""
        report.error((), "missing-key", f"the document needs `kind`: {' or '.join(_KINDS)}{meant}")
    else:
        near = get_close_matches(str(kind), _KINDS, 1, 0.5)
        advice = f"did you mean {near[0]}?" if near else f"known are {', '.join(_KINDS)}"
        report.error(("kind",), "unknown-kind", f"there is no kind {str(kind)[:80]!r}; {advice}")
    return None


def _checked(
    kind: str, parsed: yaml_reading.Document, filled: FilledDocument, report: ProblemReporter
) -> ManifestDocument:
    value = filled.value
    wrong = {path for path, _ in filled.errors}
    document = ManifestDocument(kind, value, parsed, filled, frozenset(), report)
    for path, error in filled.errors:
        if error.is_reported:
            continue
        report.at(address_text(document, path)).error(path, error.code, error.message)
    if not schema_files.is_valid(kind, value):
        for violation in schema_files.violations(kind, value):
            if violation.path in wrong:
                continue
            here = report.at(address_text(document, violation.path))
            here.error(violation.path, violation.code, violation.message, at_key=violation.at_key)
            wrong.add(violation.path)
    around = frozenset(path[:length] for path in wrong for length in range(min(len(path), _DEEPEST_ASKED)))
    return ManifestDocument(kind, value, parsed, filled, frozenset(wrong), report, around)


def handle_of(document: ManifestDocument) -> str:
    """The name in `metadata`, or "" when there is none that can be used."""
    metadata = document.value.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return name if isinstance(name, str) and document.is_usable(("metadata", "name")) else ""


def raw_handle(document: ManifestDocument) -> str:
    """The name as it was written, for judging the rest of a document whose name is wrong; "" when it is no text."""
    metadata = document.value.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return name if isinstance(name, str) else ""


def address_text(document: ManifestDocument, path: DocumentPath) -> str:
    """The address of what stands at a path, as exact as the document lets it be known."""
    handle = handle_of(document)
    if not handle:
        return ""
    if document.kind == "TaskTrigger":
        return str(Address(KindName.TRIGGER, "", handle))
    match path:
        case ("spec", "schedules", int() as index, *_):
            name = name_at(document.value["spec"]["schedules"], index)
            return str(Address(KindName.SCHEDULE, handle, name)) if name else ""
        case ("spec", "inputFiles" | "inputFilesExclusive" | "inputFilesEnabled", *_):
            return str(Address(KindName.INPUT_FILES, handle))
        case ("spec", "approval", *_):
            return str(Address(KindName.APPROVAL, handle))
    return ""


def name_at(listed: Any, index: int) -> str:
    """The `name` of an entry, or ""."""
    entry = listed[index] if isinstance(listed, list) and index < len(listed) else None
    name = entry.get("name") if isinstance(entry, dict) else None
    return name if isinstance(name, str) else ""


def labels_of(document: ManifestDocument) -> dict[str, str]:
    """The labels in `metadata`, as text."""
    from reconciler.manifests.scalars import text_of

    labels = document.value["metadata"].get("labels") if document.is_usable(("metadata", "labels")) else None
    return {key: text_of(value) for key, value in labels.items()} if isinstance(labels, dict) else {}


def claim(declared: Declared, what: str, key: str, origin: Origin, report: ProblemReporter, shown: str) -> bool:
    """Take a name that only one place may have. A second claim is an error that names both places."""
    first = declared.places.setdefault((what, key), origin)
    if first is origin:
        return True
    message = f"{shown} is declared twice; the first is at {first}"
    report.problems.add(report.file, (origin.line, origin.column), "duplicate", message, address=report.address)
    return False
