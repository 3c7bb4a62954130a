"""The environment variables and files that are not there while a project is checked without its secrets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from msgspec import Struct

from reconciler.manifests.problems import ProblemReporter
from reconciler.manifests.yaml_values import DocumentPath
from reconciler.model.resource import Severity
from reconciler.quantities import counted


class _Use(Struct, frozen=True):
    name: str
    report: ProblemReporter
    path: DocumentPath
    connection: str


class UnsetValues(Struct):
    """Gathers what is not set, and reports each once, with the count of its uses.

    `severity` is how much it counts. `reasons` has a code and a message for each name, which is `env:NAME` or
    `file:PATH`. `hides_documents`: there may be documents that nobody knows, since a file of items is not known.
    """

    severity: Severity
    reasons: dict[str, tuple[str, str]] = {}
    hides_documents: bool = False
    _uses: list[_Use] = []

    @property
    def is_empty_unset(self) -> bool:
        """Whether what is empty counts as not set: CI gives a fork's pull request such variables, for its secrets."""
        return self.severity is Severity.WARNING

    def add_use(self, name: str, report: ProblemReporter, path: DocumentPath, *, connection: str = "") -> None:
        """Note that `name` is written at this place, among the settings of `connection` where there is one."""
        self._uses.append(_Use(name, report, path, connection))

    def report(self, connections: Collection[str]) -> None:
        """Report what is not set, at its first use. The settings of a connection that is none of these do not count."""
        used = [use for use in self._uses if not use.connection or use.connection in connections]
        counts = Counter(use.name for use in used)
        told: set[str] = set()
        for use in used:
            if use.name in told:
                continue
            told.add(use.name)
            code, message = self.reasons[use.name]
            times = counted(counts[use.name], "use")
            if self.severity is Severity.ERROR:
                use.report.error(use.path, code, f"{message} ({times})")
            else:
                use.report.warn(use.path, code, f"{message} ({times}; what depends on it was not checked)")
