"""The part `inputFiles` of an Agent document: the files that the agent reads, and what becomes of others."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from reconciler.kinds import input_file_checks
from reconciler.kinds.input_files import KIND, DeclaredFile, InputFilesState, Place
from reconciler.manifests.declarations import Declared, Scope
from reconciler.manifests.documents import ManifestDocument
from reconciler.manifests.problems import ProblemReporter
from reconciler.manifests.yaml_values import DocumentPath, list_of
from reconciler.model.address import Address, Origin
from reconciler.model.resource import Agent, Resource


class InputFilesPart:
    """Declares the resource `input-files/AGENT`."""

    keys = ("inputFiles", "inputFilesExclusive", "inputFilesEnabled")
    blocks = ()

    def declare(
        self, document: ManifestDocument, scope: Scope, declared: Declared, agent: Agent, needs: tuple[Address, ...]
    ) -> tuple[Address, ...]:
        address = Address(KIND.name, agent.handle)
        declared.mentioned.add(address)
        report = document.report.at(str(address))
        state = InputFilesState(
            _files(document, report, scope.root),
            enabled=cast("bool | None", document.spec_part("inputFilesEnabled")),
            exclusive=document.spec_part("inputFilesExclusive") is True,
        )
        written = next(key for key in self.keys if key in document.spec)
        origin = document.origin(document.spec[written], ("spec", written))
        declared.resources.append(
            Resource(address, state, origin, agent_path=agent.path, needs=needs, labels=agent.labels)
        )
        return (address,)

    def address_at(self, document: ManifestDocument, handle: str, path: DocumentPath) -> Address | None:
        return Address(KIND.name, handle)


def _files(document: ManifestDocument, report: ProblemReporter, root: Path) -> dict[str, DeclaredFile]:
    """The declared files by the name that ACC will know, each with its absolute path."""
    files: dict[str, DeclaredFile] = {}
    names: dict[str, Origin] = {}
    unpacked: list[tuple[str, str, DocumentPath]] = []
    for index, entry in enumerate(list_of(document.spec.get("inputFiles"))):
        path = ("spec", "inputFiles", index)
        known = document.known_part(entry, path)
        if known is None:
            continue
        location = input_file_checks.check_file(str(known["file"]), path, report, root) if "file" in known else None
        if document.is_unset((*path, "name")) or not known:
            continue
        name = input_file_checks.check_name(known, path, report)
        origin = report.origin(path)
        first = names.setdefault(name.lower(), origin)
        if first is not origin:
            report.error(path, "duplicate", f"the input file {name!r} is declared twice; the first is at {first}")
        if location is not None:
            files[name] = DeclaredFile(Place(location))
            unpacked += [(member, name, path) for member in input_file_checks.members(location)]
    _check_unpacked(unpacked, names, report)
    return dict(sorted(files.items()))


def _check_unpacked(
    unpacked: list[tuple[str, str, DocumentPath]], names: dict[str, Origin], report: ProblemReporter
) -> None:
    """Report each archive that brings a file which another entry brings too. `unpacked`: member, archive, its place."""
    first: dict[str, str] = {}
    told: set[str] = set()
    for member, archive, path in unpacked:
        key = member.casefold()
        other = str(names[member.lower()]) if member.lower() in names else first.setdefault(key, archive)
        if other != archive and archive not in told:
            told.add(archive)
            where = f"the input file at {other}" if member.lower() in names else f"a file in {other!r}"
            message = (
                f"{member[:120]!r} in {archive!r} has the name of {where}: which of the two wins is not documented"
            )
            report.error(path, "zip-clash", message)
