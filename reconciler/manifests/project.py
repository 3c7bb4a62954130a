"""Reads the project file for one environment: what it names, reaches, keeps and allows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from reconciler.errors import UsageError
from reconciler.manifests import blackouts, connections, schemas, source
from reconciler.manifests.interpolation import Filling, Interpolator, fill_all
from reconciler.manifests.problems import File, Notes, Path_, Spot
from reconciler.model import JSON, Connection, Policy, Project
from reconciler.urls import LEDGER_FORMS, ledger_kind, url_secrets

FILE_NAME = "reconciler.yaml"
DEFAULT_ENVIRONMENT = "default"
_DEFAULT_MANIFESTS = ("manifests/**/*.yaml",)
_DEFAULT_LEDGER = "sqlite:///.reconciler/ledger.db"


@dataclass(slots=True)
class Setting:
    """The project file as far as it could be read. `spec` is merged and filled in; broken parts are left out of it.

    `secret_values` is what must never be printed. `broken` names the connections whose settings are not known, with
    the problems that say why; they count only when such a connection is used.
    """

    root: Path
    file: File
    spot: Spot
    environment: str
    name: str
    spec: dict[str, Any]
    interpolator: Interpolator
    key_complaint: Callable[[str], str] | None = None
    secret_values: set[str] = field(default_factory=set)
    ready: dict[str, Connection] = field(default_factory=dict)
    broken: dict[str, Notes] = field(default_factory=dict)
    environments: tuple[str, ...] = ()

    @property
    def patterns(self) -> list[str]:
        return list(self.spec.get("manifests", _DEFAULT_MANIFESTS))

    def project(self) -> Project:
        """The noun. Connections that could not be resolved are left out."""
        return Project(
            name=self.name,
            environment=self.environment,
            root=self.root,
            connections=dict(sorted(self.ready.items())),
            ledger=self.spec.get("ledger", _DEFAULT_LEDGER),
            policy=_policy(self.spec.get("policy", {})),
            environments=self.environments,
            blackouts=tuple(blackouts.normal(one) for one in self.spec.get("blackouts", ())),
        )


def read_project(
    root: Path,
    environment: str | None,
    environ: Mapping[str, str],
    notes: Notes,
    key_complaint: Callable[[str], str] | None = None,
) -> Setting | None:
    """Read `reconciler.yaml`; what is wrong with it goes to `notes`. None when nothing can be made of it.

    `key_complaint` is asked what is wrong with a private key: not everybody wants to pay for that.

    Raises UsageError for an environment that the file does not declare.
    """
    file = File(FILE_NAME, root / FILE_NAME)
    document = _only_document(file, notes)
    if document is None:
        return None
    spot = Spot(notes, file, document.index)
    value: dict[str, Any] = document.value
    spec = value.get("spec") if isinstance(value.get("spec"), dict) else {}
    assert isinstance(spec, dict)
    environments = spec.get("environments")
    chosen = _choose(environment, environments if isinstance(environments, dict) else {})
    own = {key: one for key, one in spec.items() if key != "environments"}
    overlay = environments.get(chosen) if isinstance(environments, dict) else None
    if isinstance(overlay, dict):
        own = _merged(own, overlay)
        spot.overlay = ("spec", "environments", chosen)
    variables = own.get("variables")
    interpolator = Interpolator(environ, variables if isinstance(variables, dict) else {}, root)
    setting = Setting(root, file, spot, chosen, "", own, interpolator, key_complaint)
    setting.environments = tuple(sorted(map(str, environments))) if isinstance(environments, dict) else ()
    _fill_and_validate(setting, value)
    return setting


def name_of(root: Path) -> str:
    """The name in the project file, "" where there is none that can be read."""
    document = _only_document(File(FILE_NAME, root / FILE_NAME), Notes())
    metadata = document.value.get("metadata") if document is not None else None
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return name if isinstance(name, str) and "${" not in name else ""


def _only_document(file: File, notes: Notes) -> source.Document | None:
    """The one document of the project file. A file that holds none, or several, is a problem."""
    if not file.read(notes):
        return None
    try:
        documents = source.read(file.data)
    except source.SourceError as error:
        notes.add(file, (error.line, error.column), error.code, error.message)
        return None
    if not documents:
        notes.add(
            file, (1, 1), "empty-project", "the project file is empty: `reconciler init` writes one to start from"
        )
        return None
    for problem in documents[0].problems:
        notes.add(file, (problem.line, problem.column), problem.code, problem.message)
    if len(documents) > 1:
        message = "the project file holds one document: manifests go into files of their own"
        notes.add(file, documents[1].place, "extra-document", message)
    if not isinstance(documents[0].value, dict):
        notes.add(file, documents[0].place, "not-a-mapping", "a document begins with apiVersion, kind, metadata, spec")
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


def _fill_and_validate(setting: Setting, raw: dict[str, Any]) -> None:
    interpolator, spot = setting.interpolator, setting.spot
    filling = fill_all(
        {**{key: one for key, one in raw.items() if key != "spec"}, "spec": setting.spec},
        lambda text: interpolator.fill(text, setting.root),
    )
    if "spec" not in raw or not isinstance(raw["spec"], dict):
        filling.value = raw
    unfilled = {path for path, _ in filling.errors}
    setting.broken = {}
    for path, error in filling.errors:
        if error.is_told:
            continue
        _spot_for(setting, path).error(path, error.code, error.message)
    wrong: list[Path_] = list(unfilled)
    for violation in _violations(filling.value, unfilled):
        wrong.append(violation.path)
        at = _spot_for(setting, violation.path)
        at.error(violation.path, violation.code, violation.message, at_key=violation.at_key)
    for violation in _elsewhere(raw, setting.environment):
        spot.error(violation.path, violation.code, violation.message, at_key=violation.at_key)
    clean = _without(filling.value, wrong)
    metadata = clean.get("metadata")
    setting.name = metadata.get("name", "") if isinstance(metadata, dict) else ""
    setting.spec = clean.get("spec", {}) if isinstance(clean.get("spec"), dict) else {}
    _judge(setting, filling)


def _violations(value: Any, unfilled: set[Path_]) -> Iterator[schemas.Violation]:
    if schemas.is_valid("Project", value):
        return
    for violation in schemas.violations("Project", value):
        if violation.path not in unfilled:
            yield violation


def _elsewhere(raw: dict[str, Any], chosen: str) -> Iterator[schemas.Violation]:
    """What is wrong in the environments that were not chosen, as far as it can be told without their values."""
    if schemas.is_valid("Project", raw):
        return
    for violation in schemas.violations("Project", raw):
        path = violation.path
        if path[:2] != ("spec", "environments") or (len(path) > 2 and path[2] == chosen):
            continue
        value = None if violation.at_key else schemas.value_at(raw, path)
        if not (isinstance(value, str) and "${" in value):
            yield violation


def _spot_for(setting: Setting, path: Path_) -> Spot:
    """Where to report: what is wrong inside a connection waits until somebody uses that connection."""
    if path[:2] == ("spec", "connections") and len(path) > 2:
        notes = setting.broken.setdefault(str(path[2]), Notes())
        return Spot(notes, setting.file, setting.spot.index, overlay=setting.spot.overlay)
    return setting.spot


def _without(value: Any, paths: list[Path_]) -> Any:
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


def _judge(setting: Setting, filling: Filling) -> None:
    """What a schema cannot say."""
    spot, spec = setting.spot, setting.spec
    ledger = spec.get("ledger", _DEFAULT_LEDGER)
    if not ledger_kind(ledger):
        spot.error(("spec", "ledger"), "wrong-value", f"`ledger` must be {LEDGER_FORMS}")
    setting.secret_values |= url_secrets(ledger)
    for index, pattern in enumerate(setting.patterns):
        if pattern.startswith(("/", "~")) or ".." in pattern.split("/"):
            message = f"the pattern {pattern[:80]!r} leaves the project folder: patterns are relative to {FILE_NAME}"
            spot.error(("spec", "manifests", index), "outside-project", message)
    for index, blackout in enumerate(spec.get("blackouts", ())):
        blackouts.judge(blackout, ("spec", "blackouts", index), spot)
    for name, settings in spec.get("connections", {}).items():
        notes = setting.broken.get(name, Notes())
        local = Spot(notes, setting.file, spot.index, overlay=spot.overlay)
        connection = connections.resolve(name, settings, setting.root, local, setting.key_complaint)
        setting.secret_values |= connections.secret_values(settings)
        if connection is not None:
            inside = ("spec", "connections", name)
            files = {str(path[3]): found for path, found in filling.files.items() if path[:3] == inside}
            setting.ready[name] = connections.with_open_files(connection, files, local)
        if notes:
            setting.broken[name] = notes


def _policy(written: Mapping[str, JSON]) -> Policy:
    most = written.get("maxDeletes", "30%")
    prune = written.get("prune", "owned")
    if isinstance(most, str):
        return Policy(prune, round(float(most.removesuffix("%")) / 100, 6), max_deletes_is_share=True)
    return Policy(prune, float(most), max_deletes_is_share=False)
