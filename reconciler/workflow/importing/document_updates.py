"""Adds schedules to the documents of agents that are declared already; what is written there stays as it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from msgspec import Struct

from reconciler.files import MANIFEST_BYTES, read_regular
from reconciler.manifests.yaml_document_edit import CannotEdit, EditedFile
from reconciler.manifests.yaml_values import list_of
from reconciler.model.resource import Agent
from reconciler.workflow.importing.live_blocks import LiveAgent
from reconciler.workflow.importing.written_blocks import block_lines
from reconciler.workflow.manifest_writing import EditedManifest

_SCHEDULES = ("spec", "schedules")


class Addition(Struct, frozen=True):
    """What is missing in the document of a declared agent, which has `written` schedules so far."""

    agent: Agent
    live: LiveAgent
    written: int


class UpdatedFile(Struct, frozen=True):
    """A file that gets so many schedules."""

    manifest: EditedManifest
    schedules: int

    @property
    def path(self) -> Path:
        return self.manifest.path


def updated_files(root: Path, additions: Iterable[Addition]) -> tuple[tuple[UpdatedFile, ...], tuple[str, ...]]:
    """The files with what is missing in them; and, in words, the documents that cannot be edited."""
    by_file: dict[str, list[Addition]] = {}
    for addition in additions:
        by_file.setdefault(addition.agent.origin.path, []).append(addition)
    files: list[UpdatedFile] = []
    refused: list[str] = []
    for name, wanted in sorted(by_file.items()):
        try:
            data = read_regular(root / name, MANIFEST_BYTES)
            edited = EditedFile(data)
        except CannotEdit as error:
            refused += [_refusal(one, str(error.obstacle)) for one in wanted]
            continue
        added, told = _with_additions(edited, wanted)
        refused += told
        try:
            if added:
                files.append(UpdatedFile(EditedManifest(name, root / name, data, edited.text), added))
        except CannotEdit as error:
            refused += [_refusal(one, str(error.obstacle)) for one in wanted]
    return tuple(files), tuple(refused)


def _with_additions(edited: EditedFile, wanted: Sequence[Addition]) -> tuple[int, list[str]]:
    """Put what is missing into a file: how many schedules, and the documents that cannot be edited."""
    added, refused = 0, []
    for addition in wanted:
        try:
            why = _append(edited, addition)
        except CannotEdit as error:
            why = f"its list of schedules {error.obstacle}"
        if why:
            refused.append(_refusal(addition, why))
        else:
            added += len(addition.live.blocks)
    return added, refused


def _append(edited: EditedFile, addition: Addition) -> str:
    """Append the blocks to the document of an agent; why not, where that cannot be, else "". Raises CannotEdit."""
    document, path = edited.mapping_at(addition.agent.origin.line, addition.agent.origin.column) or (-1, ())
    if path or edited.value_at(document, ("kind",)) != "Agent":
        return "its document is not written in one place"
    if edited.value_at(document, ("forEach",)) is not None:
        return (
            "its document is made by forEach, and what is added there would be added for every item; give this agent a "
            "document of its own, or each of them a column for the id"
        )
    if len(list_of(edited.value_at(document, _SCHEDULES))) != addition.written:
        return "its schedules are not all written in its document"
    edited.append(document, _SCHEDULES, ["\n".join(block_lines(block)) for block in addition.live.blocks])
    return ""


def _refusal(addition: Addition, why: str) -> str:
    agent, count = addition.agent, len(addition.live.blocks)
    return f"{agent.path}, declared at {agent.origin}, was not updated, and lacks {count}: {why}"
