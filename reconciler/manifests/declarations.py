"""What the documents of all files declare, as it is gathered: agents, resources, and whose names are taken."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from reconciler.manifests import exposure
from reconciler.manifests.document_kinds import DocumentKind
from reconciler.manifests.interpolation import Interpolator
from reconciler.manifests.problems import ProblemReporter
from reconciler.manifests.yaml_values import DocumentPath
from reconciler.model import Address, Agent, Origin, Resource


@dataclass(frozen=True, slots=True)
class Scope:
    """What every manifest of a run is read with."""

    root: Path
    project: str
    environment: str
    interpolator: Interpolator
    as_of: datetime


@dataclass(slots=True)
class UnconnectedResource:
    """A resource whose `patterns`, each with its place, have not been held against all addresses yet."""

    resource: Resource
    patterns: list[tuple[str, DocumentPath]]
    report: ProblemReporter


@dataclass(slots=True)
class Declared:
    """All that the files declare. `mentioned` are further addresses that stand in the files, but with errors."""

    agents: list[Agent] = field(default_factory=list)
    resources: list[Resource] = field(default_factory=list)
    unconnected: list[UnconnectedResource] = field(default_factory=list)
    secret_values: set[str] = field(default_factory=set)
    public: list[exposure.PublicPlace] = field(default_factory=list)
    mentioned: set[Address] = field(default_factory=set)
    kinds: dict[str, DocumentKind] = field(default_factory=dict)
    places: dict[tuple[str, str], Origin] = field(default_factory=dict)

    def claim(self, what: str, key: str, origin: Origin, report: ProblemReporter, shown: str) -> bool:
        """Take a name that only one place may have. A second claim is an error that names both places."""
        first = self.places.setdefault((what, key), origin)
        if first is origin:
            return True
        message = f"{shown} is declared twice; the first is at {first}"
        report.problems.add(report.file, (origin.line, origin.column), "duplicate", message, address=report.address)
        return False

    def check_move(
        self, before: str, now: str, what: str, key: str, path: DocumentPath, report: ProblemReporter
    ) -> None:
        """Report a `movedFrom` that names where the thing is anyway, or where another one says that it comes from."""
        if before == now:
            report.error(
                path, "moved-nowhere", "`movedFrom` names what it is called now: write what it was called before"
            )
        self.claim(what, key, report.origin(path), report, f"{what} {before!r}")
