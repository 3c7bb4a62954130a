"""Reads the project file for one environment: what it names, reaches, keeps and allows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from reconciler.errors import UsageError
from reconciler.manifests import blackout_settings, connection_settings, schema_files, schema_violations, yaml_reading
from reconciler.manifests.filling import FilledDocument, fill_document
from reconciler.manifests.interpolation import Interpolator
from reconciler.manifests.problems import ProblemReporter, Problems, SourceFile
from reconciler.manifests.yaml_values import DocumentPath, value_at
from reconciler.model import JSON, Connection, Policy, Project
from reconciler.urls import LEDGER_FORMS, ledger_kind, url_secrets

FILE_NAME = "reconciler.yaml"
DEFAULT_ENVIRONMENT = "default"
_DEFAULT_MANIFESTS = ("manifests/**/*.yaml",)
_DEFAULT_LEDGER = "sqlite:///.reconciler/ledger.db"


@dataclass(slots=True)
class ProjectFile:
    """The project file as far as it could be read. `spec` is merged and filled in; broken parts are left out of it.

    `secret_values` is what must never be printed. `broken` names the connections whose settings are not known, with
    the problems that say why; they count only when such a connection is used.
    """

    root: Path
    file: SourceFile
    report: ProblemReporter
    environment: str
    name: str
    spec: dict[str, Any]
    interpolator: Interpolator
    key_complaint: Callable[[str], str] | None = None
    secret_values: set[str] = field(default_factory=set)
    ready: dict[str, Connection] = field(default_factory=dict)
    broken: dict[str, Problems] = field(default_factory=dict)
    environments: tuple[str, ...] = ()

    @property
    def patterns(self) -> list[str]:
        return list(self.spec.get("manifests", _DEFAULT_MANIFESTS))

    def resolved(self) -> Project:
        """The noun. Connections that could not be resolved are left out."""
        return Project(
            name=self.name,
            environment=self.environment,
            root=self.root,
            connections=dict(sorted(self.ready.items())),
            ledger=self.spec.get("ledger", _DEFAULT_LEDGER),
            policy=_policy(self.spec.get("policy", {})),
            environments=self.environments,
            blackouts=tuple(blackout_settings.read(one) for one in self.spec.get("blackouts", ())),
        )


def read_project(
    root: Path,
    environment: str | None,
    environ: Mapping[str, str],
    problems: Problems,
    key_complaint: Callable[[str], str] | None = None,
) -> ProjectFile | None:
    """Read `reconciler.yaml`; what is wrong with it goes to `problems`. None when nothing can be made of it.

    `key_complaint` is asked what is wrong with a private key: not everybody wants to pay for that.

    Raises UsageError for an environment that the file does not declare.
    """
    file = SourceFile(FILE_NAME, root / FILE_NAME)
    document = _only_document(file, problems)
    if document is None:
        return None
    report = ProblemReporter(problems, file, document.index)
    value: dict[str, Any] = document.value
    spec = value.get("spec") if isinstance(value.get("spec"), dict) else {}
    assert isinstance(spec, dict)
    environments = spec.get("environments")
    chosen = _choose(environment, environments if isinstance(environments, dict) else {})
    own = {key: one for key, one in spec.items() if key != "environments"}
    overlay = environments.get(chosen) if isinstance(environments, dict) else None
    if isinstance(overlay, dict):
        own = _merged(own, overlay)
        report.overlay = ("spec", "environments", chosen)
    variables = own.get("variables")
    interpolator = Interpolator(environ, variables if isinstance(variables, dict) else {}, root)
    project = ProjectFile(root, file, report, chosen, "", own, interpolator, key_complaint)
    project.environments = tuple(sorted(map(str, environments))) if isinstance(environments, dict) else ()
    _fill_and_validate(project, value)
    return project


def schema_text() -> str:
    """The JSON Schema of the project file."""
    return schema_files.text("project.schema.json")


def name_of(root: Path) -> str:
    """The name in the project file, "" where there is none that can be read."""
    document = _only_document(SourceFile(FILE_NAME, root / FILE_NAME), Problems())
    metadata = document.value.get("metadata") if document is not None else None
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return name if isinstance(name, str) and "${" not in name else ""


def _only_document(file: SourceFile, problems: Problems) -> yaml_reading.Document | None:
    """The one document of the project file. A file that holds none, or several, is a problem."""
    if not file.read(problems):
        return None
    try:
        documents = yaml_reading.read(file.data)
    except yaml_reading.SourceError as error:
        problems.add(file, (error.line, error.column), error.code, error.message)
        return None
    if not documents:
        problems.add(
            file, (1, 1), "empty-project", "the project file is empty: `reconciler init` writes one to start from"
        )
        return None
    for problem in documents[0].problems:
        problems.add(file, (problem.line, problem.column), problem.code, problem.message)
    if len(documents) > 1:
        message = "the project file holds one document: manifests go into files of their own"
        problems.add(file, documents[1].place, "extra-document", message)
    if not isinstance(documents[0].value, dict):
        problems.add(
            file, documents[0].place, "not-a-mapping", "a document begins with apiVersion, kind, metadata, spec"
        )
        return None
    return documents[0]


def _choose(asked: str | None, environments: Mapping[str, Any]) -> str:
    """The name of the environment. One that is called `default` is the one used when none is asked for."""
    if asked is None or (asked == DEFAULT_ENVIRONMENT and DEFAULT_ENVIRONMENT not in environments):
        return DEFAULT_ENVIRONMENT
    if asked not in environments:
        names = sorted(str(name) for name in environments)
        near = get_close_matches(asked, names, 1)
        meant = f"did you mean {near[0]}? " if near else ""
        hint = meant + (f"Known are {', '.join(names)}" if names else f"{FILE_NAME} declares none in spec.environments")
        raise UsageError(f"there is no environment {asked!r}", hint=hint)
    return asked


def _merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """`above` over `below`, mapping by mapping; everything else is replaced.

    A connection names a region or a url: the one that the environment names replaces the other.
    """
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        merged[key] = _merged(under, value) if isinstance(under, dict) and isinstance(value, dict) else value
    for one, other in (("url", "region"), ("region", "url")):
        if one in above and other not in above and one not in below:
            merged.pop(other, None)
    return merged


def _fill_and_validate(project: ProjectFile, raw: dict[str, Any]) -> None:
    interpolator, report = project.interpolator, project.report
    filled = fill_document(
        {**{key: one for key, one in raw.items() if key != "spec"}, "spec": project.spec},
        lambda text: interpolator.fill(text, project.root),
    )
    if "spec" not in raw or not isinstance(raw["spec"], dict):
        filled.value = raw
    unfilled = {path for path, _ in filled.errors}
    project.broken = {}
    for path, error in filled.errors:
        if error.is_reported:
            continue
        _reporter_for(project, path).error(path, error.code, error.message)
    wrong: list[DocumentPath] = list(unfilled)
    for violation in _violations(filled.value, unfilled):
        wrong.append(violation.path)
        at = _reporter_for(project, violation.path)
        at.error(violation.path, violation.code, violation.message, at_key=violation.at_key)
    for violation in _elsewhere(raw, project.environment):
        report.error(violation.path, violation.code, violation.message, at_key=violation.at_key)
    clean = _without(filled.value, wrong)
    metadata = clean.get("metadata")
    project.name = metadata.get("name", "") if isinstance(metadata, dict) else ""
    project.spec = clean.get("spec", {}) if isinstance(clean.get("spec"), dict) else {}
    _check(project, filled)


def _violations(value: Any, unfilled: set[DocumentPath]) -> Iterator[schema_violations.Violation]:
    if schema_files.is_valid(schema_text(), value):
        return
    for violation in schema_violations.violations(schema_text(), value):
        if violation.path not in unfilled:
            yield violation


def _elsewhere(raw: dict[str, Any], chosen: str) -> Iterator[schema_violations.Violation]:
    """What is wrong in the environments that were not chosen, as far as it can be told without their values."""
    if schema_files.is_valid(schema_text(), raw):
        return
    for violation in schema_violations.violations(schema_text(), raw):
        path = violation.path
        if path[:2] != ("spec", "environments") or (len(path) > 2 and path[2] == chosen):
            continue
        value = None if violation.at_key else value_at(raw, path)
        if not (isinstance(value, str) and "${" in value):
            yield violation


def _reporter_for(project: ProjectFile, path: DocumentPath) -> ProblemReporter:
    """Where to report: what is wrong inside a connection waits until somebody uses that connection."""
    if path[:2] == ("spec", "connections") and len(path) > 2:
        problems = project.broken.setdefault(str(path[2]), Problems())
        return ProblemReporter(problems, project.file, project.report.index, overlay=project.report.overlay)
    return project.report


def _without(value: Any, paths: list[DocumentPath]) -> Any:
    """A document without what is wrong in it: the key under spec, or under metadata, that holds it."""
    clean = {key: dict(one) if isinstance(one, dict) else one for key, one in value.items()}
    for path in paths:
        if len(path) > 2 and path[:2] == ("spec", "connections"):
            clean["spec"]["connections"] = {
                name: one for name, one in clean["spec"]["connections"].items() if name != path[2]
            }
        elif len(path) > 1 and isinstance(clean.get(path[0]), dict):
            clean[path[0]].pop(path[1], None)
        elif path:
            clean.pop(path[0], None)
    return clean


def _check(project: ProjectFile, filled: FilledDocument) -> None:
    """What a schema cannot say."""
    report, spec = project.report, project.spec
    ledger = spec.get("ledger", _DEFAULT_LEDGER)
    if not ledger_kind(ledger):
        report.error(("spec", "ledger"), "wrong-value", f"`ledger` must be {LEDGER_FORMS}")
    project.secret_values |= url_secrets(ledger)
    for index, pattern in enumerate(project.patterns):
        if pattern.startswith(("/", "~")) or ".." in pattern.split("/"):
            message = f"the pattern {pattern[:80]!r} leaves the project folder: patterns are relative to {FILE_NAME}"
            report.error(("spec", "manifests", index), "outside-project", message)
    for index, blackout in enumerate(spec.get("blackouts", ())):
        blackout_settings.check(blackout, ("spec", "blackouts", index), report)
    for name, settings in spec.get("connections", {}).items():
        problems = project.broken.get(name, Problems())
        local = ProblemReporter(problems, project.file, report.index, overlay=report.overlay)
        connection = connection_settings.resolve(name, settings, project.root, local, project.key_complaint)
        project.secret_values |= connection_settings.secret_values(settings)
        if connection is not None:
            inside = ("spec", "connections", name)
            files = {str(path[3]): found for path, found in filled.files.items() if path[:3] == inside}
            project.ready[name] = connection_settings.with_open_files(connection, files, local)
        if problems:
            project.broken[name] = problems


def _policy(written: Mapping[str, JSON]) -> Policy:
    most = written.get("maxDeletes", "30%")
    prune = written.get("prune", "owned")
    if isinstance(most, str):
        return Policy(prune, round(float(most.removesuffix("%")) / 100, 6), max_deletes_is_share=True)
    return Policy(prune, float(most), max_deletes_is_share=False)
