"""Reads the project file for one environment: what it names, reaches, keeps and allows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from difflib import get_close_matches
from pathlib import Path
from typing import TypedDict, TypeVar, cast

from msgspec import Struct, field

from reconciler import timetable
from reconciler.errors import UsageError
from reconciler.manifests import (
    connection_settings,
    json_schemas,
    yaml_parsing,
    yaml_reading,
)
from reconciler.manifests.composition import Layer, layer_of
from reconciler.manifests.discovery import FILE_NAME
from reconciler.manifests.interpolation import FilledDocument, InterpolationError, Interpolator, fill_document
from reconciler.manifests.merging import merged
from reconciler.manifests.problems import ProblemReporter, Problems, SourceFile
from reconciler.manifests.unset_values import UnsetValues
from reconciler.manifests.yaml_values import (
    DocumentPath,
    YAMLValue,
    list_of,
    mapping_of,
    text_or_nothing,
    value_at,
    without_free_keys,
)
from reconciler.model.copies import replace
from reconciler.model.project import Blackout, Connection, Policy, Project
from reconciler.quantities import first_few, seconds_of
from reconciler.urls import LEDGER_FORMS, ledger_kind, url_secrets

DEFAULT_ENVIRONMENT = "default"
_MOST_NAMED = 20
_DEFAULT_MANIFESTS = ("manifests/**/*.yaml",)
_KNOWN_IN_PART = ("manifests", "connections", "ledger", "variables", "blackouts")
"""Keys of `spec` of which the rest is used when a value in them is not known."""
_DEFAULT_LEDGER = "sqlite:///.reconciler/ledger.db"
T = TypeVar("T")


class PolicyBlock(TypedDict, total=False):
    """What a plan may do."""

    prune: str
    maxDeletes: str | int
    environment: str


class ProjectSpec(TypedDict, total=False):
    """The `spec` of a project file that keeps to the schema."""

    manifests: list[str]
    connections: dict[str, dict[str, YAMLValue]]
    ledger: str
    policy: PolicyBlock
    blackouts: list[dict[str, YAMLValue]]


class ProjectFile(Struct):
    """The project file as far as it could be read. `spec` is merged and filled in; broken parts are left out of it.

    `secret_values` is what must never be printed. `broken` names the connections whose settings are not known, with
    the problems that say why; they count only when such a connection is used. `unset` are the paths of values that are
    not known, `unset_connections` those with such settings, and `unset_credentials` what stands for a credential then.
    """

    root: Path
    report: ProblemReporter
    environment: str
    environments: tuple[str, ...]
    interpolator: Interpolator
    key_complaint: Callable[[str], str] | None = None
    name: str = ""
    spec: ProjectSpec = field(default_factory=ProjectSpec)
    secret_values: set[str] = set()
    ready: dict[str, Connection] = {}
    broken: dict[str, Problems] = {}
    blackouts: list[Blackout] = []
    defaults: dict[str, Layer] = {}
    unset: Set[DocumentPath] = frozenset()
    unset_connections: set[str] = set()
    unset_credentials: set[str] = set()

    @property
    def patterns(self) -> dict[int, str]:
        """The patterns that are known, by their index."""
        listed = self.spec.get("manifests", _DEFAULT_MANIFESTS)
        return {index: one for index, one in enumerate(listed) if ("spec", "manifests", index) not in self.unset}

    @property
    def has_known_patterns(self) -> bool:
        """Whether all patterns are known, so that no manifest stands in a file that is not."""
        return len(self.patterns) == len(self.spec.get("manifests", _DEFAULT_MANIFESTS))

    def blackout_patterns(self) -> Iterator[tuple[str, DocumentPath]]:
        """What the blackouts say that they concern, as far as it is known, with its places."""
        for index, blackout in enumerate(self.spec.get("blackouts", ())):
            for number, pattern in enumerate(list_of(blackout.get("only"))):
                path = ("spec", "blackouts", index, "only", number)
                if path not in self.unset:
                    yield str(pattern), path

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
            blackouts=tuple(self.blackouts),
        )


def read_project(
    root: Path,
    environment: str | None,
    environ: Mapping[str, str],
    problems: Problems,
    key_complaint: Callable[[str], str] | None = None,
    unset: UnsetValues | None = None,
) -> ProjectFile | None:
    """Read `reconciler.yaml`; what is wrong with it goes to `problems`. None when nothing can be made of it.

    `key_complaint` is asked what is wrong with a private key: not everybody wants to pay for that. `unset` is told of
    environment variables and files that are not there, which is no problem then.

    Raises UsageError for an environment that the file does not declare, or where it requires one and none was chosen.
    """
    file = SourceFile(FILE_NAME, root / FILE_NAME)
    document = _only_document(file, problems)
    if document is None:
        return None
    report = ProblemReporter(problems, file, document.index)
    written = mapping_of(without_free_keys(document.value))
    spec = mapping_of(written.get("spec"))
    environments = mapping_of(spec.get("environments"))
    chosen = _choose(environment, environments)
    own = {key: one for key, one in spec.items() if key != "environments"}
    overlay = environments.get(chosen)
    if isinstance(overlay, dict):
        own = merged(own, overlay)
        report.overlay = ("spec", "environments", chosen)
    interpolator = Interpolator(environ, mapping_of(own.get("variables")), root, unset)
    project = ProjectFile(root, report, chosen, tuple(sorted(map(str, environments))), interpolator, key_complaint)
    filled = fill_document({**written, "spec": own}, lambda text: interpolator.fill(text, root))
    if not isinstance(written.get("spec"), dict):
        filled.value = written
    # A whole key under `spec` or `metadata` goes, or one connection: what is left would mean something else.
    project.unset = filled.unset.keys()
    _require_choice(environment, filled, environments)
    violated = _violated(project, written, filled)
    unusable = {path[: 3 if path[:2] == ("spec", "connections") else 2] for path in violated}
    unusable |= {path[:2] for path in filled.unset if path[0] != "spec" or path[1] not in _KNOWN_IN_PART}
    clean = _without(mapping_of(filled.value), unusable)
    project.name = text_or_nothing(mapping_of(clean.get("metadata")).get("name"))
    project.spec = cast("ProjectSpec", mapping_of(clean.get("spec")))
    for sort, value in mapping_of(mapping_of(mapping_of(filled.value).get("spec")).get("defaults")).items():
        if isinstance(value, dict):
            path = ("spec", "defaults", sort)
            project.defaults[sort] = layer_of("defaults", report, path, {**written, "spec": own}, violated, filled)
    _check(project, filled)
    if unset is not None:
        for at, used in filled.uses:
            connection = str(at[2]) if at[:2] == ("spec", "connections") else ""
            unset.add_use(used, report, at, connection=connection)
    return project


def project_name(root: Path) -> str:
    """The project's name as far as it can be read, "" where it cannot; what else is wrong does not matter here."""
    document = _only_document(SourceFile(FILE_NAME, root / FILE_NAME), Problems())
    written = mapping_of(document.value) if document is not None else {}
    name = text_or_nothing(mapping_of(written.get("metadata")).get("name"))
    return name if "${" not in name else ""


def acc_url(root: Path, environment: str, environ: Mapping[str, str]) -> str:
    """The URL of an environment's ACC, "" where it cannot be told; what else is wrong does not matter here."""
    document = _only_document(SourceFile(FILE_NAME, root / FILE_NAME), Problems())
    spec = mapping_of(mapping_of(document.value if document is not None else None).get("spec"))
    spec = merged(spec, mapping_of(mapping_of(spec.get("environments")).get(environment)))
    url = mapping_of(mapping_of(spec.get("connections")).get("acc")).get("url")
    try:
        found = Interpolator(environ, mapping_of(spec.get("variables")), root).fill(text_or_nothing(url), root)
    except InterpolationError:
        return ""
    return text_or_nothing(found.value).rstrip("/").casefold()


def _only_document(file: SourceFile, problems: Problems) -> yaml_parsing.YAMLDocument | None:
    """The one document of the project file. A file that holds none, or several, is a problem."""
    before = len(problems)
    documents = yaml_reading.read_file(file, problems)
    if not documents:
        if len(problems) == before:
            message = "the project file is empty: `reconciler init` writes one to start from"
            problems.add(file, (1, 1), "empty-project", message)
        return None
    if len(documents) > 1:
        message = "the project file holds one document: manifests go into files of their own"
        problems.add(file, documents[1].place, "extra-document", message)
    if not isinstance(documents[0].value, dict):
        message = "a document begins with apiVersion, kind, metadata, spec"
        problems.add(file, documents[0].place, "not-a-mapping", message)
        return None
    return documents[0]


def _require_choice(asked: str | None, filled: FilledDocument, environments: Mapping[str, YAMLValue]) -> None:
    """Raise UsageError where `policy.environment` is `required`, and none of the declared environments was chosen."""
    policy = mapping_of(mapping_of(mapping_of(filled.value).get("spec")).get("policy"))
    if policy.get("environment") != "required" or asked in environments:
        return
    names = sorted(map(str, environments))
    known = f"give --env NAME: {first_few(names, _MOST_NAMED)}" if names else "declare one in spec.environments"
    message = f"{FILE_NAME} says `policy.environment: required`, and no environment of it was chosen"
    raise UsageError(message, hint=known)


def _choose(asked: str | None, environments: Mapping[str, YAMLValue]) -> str:
    """The name of the environment. One that is called `default` is the one used when none is asked for."""
    if asked is None or (asked == DEFAULT_ENVIRONMENT and DEFAULT_ENVIRONMENT not in environments):
        return DEFAULT_ENVIRONMENT
    if asked not in environments:
        names = sorted(map(str, environments))
        near = get_close_matches(asked, names, 1)
        meant = f"did you mean {near[0]}? " if near else ""
        hint = meant + (f"Known are {', '.join(names)}" if names else f"{FILE_NAME} declares none in spec.environments")
        raise UsageError(f"there is no environment {asked!r}", hint=hint)
    return asked


def _violated(project: ProjectFile, written: dict[str, YAMLValue], filled: FilledDocument) -> list[DocumentPath]:
    """Report what the schema does not allow; the paths that cannot be used."""
    unfilled = {path for path, _ in filled.errors}
    for path, error in filled.errors:
        if not error.is_reported:
            _reporter_for(project, path).error(path, error.code, error.message)
    passed = unfilled | filled.unset.keys()
    found = [one for one in _violations(filled.value, passed.__contains__) if one.path not in passed]
    for one in found:
        _reporter_for(project, one.path).error(one.path, one.code, one.message, at_key=one.at_key)

    def is_elsewhere(path: DocumentPath, *, at_key: bool = False) -> bool:
        """Whether a violation counts in an environment that was not chosen, whose values are not filled in."""
        if path[:2] != ("spec", "environments") or path[2:3] == (project.environment,):
            return False
        return at_key or "${" not in text_or_nothing(value_at(written, path))

    for one in _violations(written, lambda path: not is_elsewhere(path)):
        if is_elsewhere(one.path, at_key=one.at_key):
            project.report.error(one.path, one.code, one.message, at_key=one.at_key)
    return [*unfilled, *(one.path for one in found)]


def _violations(value: YAMLValue, is_ignored: Callable[[DocumentPath], bool]) -> Iterable[json_schemas.Violation]:
    """What the schema does not allow; nothing where all places of it are ignored, which costs little to know."""
    schema = json_schemas.project_schema_text()
    if all(map(is_ignored, json_schemas.violated_paths(schema, value))):
        return ()
    return json_schemas.violations(schema, value)


def _reporter_for(project: ProjectFile, path: DocumentPath) -> ProblemReporter:
    """Where to report: what is wrong inside a connection waits until somebody uses that connection."""
    if path[:2] == ("spec", "connections") and len(path) > 2:
        problems = project.broken.setdefault(str(path[2]), Problems())
        return replace(project.report, problems=problems)
    return project.report


def _without(part: dict[str, YAMLValue], paths: Iterable[DocumentPath]) -> dict[str, YAMLValue]:
    """A mapping without what stands at these paths, each key looked at once."""
    below: dict[str, list[DocumentPath]] = {}
    for path in filter(None, paths):
        below.setdefault(str(path[0]), []).append(path[1:])
    left = {}
    for key, value in part.items():
        if key not in below:
            left[key] = value
        elif isinstance(value, dict) and all(below[key]):
            left[key] = _without(value, below[key])
    return left


def _check(project: ProjectFile, filled: FilledDocument) -> None:
    """What a schema cannot say."""
    report, spec = project.report, project.spec
    ledger = spec.get("ledger", _DEFAULT_LEDGER)
    if ("spec", "ledger") not in project.unset and not ledger_kind(ledger):
        report.error(("spec", "ledger"), "wrong-value", f"`ledger` must be {LEDGER_FORMS}")
    project.secret_values |= url_secrets(ledger)
    for index, pattern in project.patterns.items():
        if pattern.startswith(("/", "~")) or ".." in pattern.split("/"):
            message = f"the pattern {pattern[:80]!r} leaves the project folder: patterns are relative to {FILE_NAME}"
            report.error(("spec", "manifests", index), "outside-project", message)
    for index, blackout in enumerate(spec.get("blackouts", ())):
        path = ("spec", "blackouts", index)
        known = {key: value for key, value in blackout.items() if (*path, key) not in project.unset}
        found = _blackout(known, path, report)
        if not any(one[:3] == path for one in project.unset):
            project.blackouts.append(found)
    for name, settings in spec.get("connections", {}).items():
        problems = project.broken.get(name, Problems())
        local = replace(report, problems=problems)
        sources = {str(at[3]): found for at, found in filled.files.items() if at[:3] == ("spec", "connections", name)}
        at = ("spec", "connections", name)
        known = {key: value for key, value in settings.items() if (*at, key) not in project.unset}
        if len(known) < len(settings):
            project.unset_connections.add(name)
            project.unset_credentials |= connection_settings.secret_values(settings)
        connection = connection_settings.resolve(
            name, known, project.root, local, project.key_complaint, sources=sources
        )
        project.secret_values |= connection_settings.secret_values(known)
        if connection is not None:
            project.ready[name] = connection
        if problems:
            project.broken[name] = problems


def _policy(written: PolicyBlock) -> Policy:
    most = written.get("maxDeletes", "30%")
    prune = written.get("prune", "owned")
    if isinstance(most, str):
        return Policy(prune, round(float(most.removesuffix("%")) / 100, 6), max_deletes_is_share=True)
    return Policy(prune, float(most), max_deletes_is_share=False)


def _blackout(written: Mapping[str, YAMLValue], path: DocumentPath, report: ProblemReporter) -> Blackout:
    """A blackout that keeps to the schema; what else is wrong with it is reported."""

    def parsed(key: str, code: str, parse: Callable[[str], T]) -> T | None:
        return report.parsed((*path, key), code, parse, str(written[key])) if key in written else None

    begin = parsed("from", "bad-time", timetable.parse_declared_start)
    end = parsed("to", "bad-time", timetable.parse_declared_start)
    if begin and end and end <= begin:
        report.error((*path, "to"), "wrong-value", "`to` must be later than `from`")
    parsed("timeZone", "bad-zone", timetable.zones.to_windows)
    expression = parsed("cron", "bad-cron", timetable.parse)
    if expression is not None and expression.is_interval:
        report.error((*path, "cron"), "bad-cron", "a blackout takes six fields, not an interval: 0 0 22 * * FRI")
    return Blackout(
        name=str(written.get("name")),
        time_zone=str(written.get("timeZone")),
        blocks=written.get("policy") == "block",
        only=tuple(map(str, list_of(written.get("only")))),
        exclude=tuple(map(str, list_of(written.get("exclude")))),
        period=(begin, end) if begin and end else None,
        cron=str(written.get("cron", "")),
        duration_seconds=parsed("duration", "wrong-value", seconds_of) or 0.0,
    )
