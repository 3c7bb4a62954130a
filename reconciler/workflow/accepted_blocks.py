"""Edits the blocks of schedules in their files so that they declare what is live, and says of the rest why not."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from msgspec import Struct

from reconciler.files import MANIFEST_BYTES, read_regular
from reconciler.kinds.schedule_state import ScheduleState
from reconciler.manifests.item_edit import EditedText
from reconciler.manifests.yaml_document_edit import CannotEdit, EditedFile
from reconciler.model.address import Address
from reconciler.model.resource import Resource
from reconciler.workflow.accepted_items import ItemEditor, MadeBlocks
from reconciler.workflow.accepted_made_blocks import MadeBlockEditor
from reconciler.workflow.edited_block import Block, FieldOutcomes, NotAccepted, WantedBlock


class AcceptedBlock(Struct, frozen=True):
    """A schedule that was edited, the fields that it now says as they are live, and the files that changed for it."""

    wanted: WantedBlock
    fields: frozenset[str]
    files: frozenset[str]

    @property
    def live(self) -> ScheduleState:
        return self.wanted.live


class BlockEditor:
    """Edits the files of a project, each read once. `made` finds the blocks that `forEach` makes, once that matters."""

    def __init__(self, root: Path, made: Callable[[], MadeBlocks]) -> None:
        self._root, self._made = root, made
        self._manifests: dict[str, EditedFile] = {}
        self._data: dict[str, bytes] = {}
        self._items = ItemEditor(self._manifest)
        self.accepted: dict[Address, AcceptedBlock] = {}
        self.refused: list[NotAccepted] = []
        self._texts: dict[str, str | None] = {}

    def texts(self) -> dict[str, str]:
        """The files that changed, by their path; without those in which an edit shows to be unsure."""
        return {name: text for name in self._changed() if (text := self._text(name)) is not None}

    def as_read(self) -> dict[str, bytes]:
        """The same as they are read: a file of items under every name that manifests have for it."""
        texts = {name: text.encode("utf-8") for name, text in self.texts().items()}
        items = {alias: texts[name] for name in texts if name in self._items.data for alias in self._made().names(name)}
        return {**texts, **items}

    def before(self, name: str) -> bytes:
        """What a file that changed held before."""
        return self._data[name] if name in self._data else self._items.data[name]

    def file(self, name: str) -> EditedText:
        """A file that changed."""
        return self._items.files[name] if name in self._items.files else self._manifests[name]

    def accepted_beside(self, resource: Resource) -> list[Address]:
        """The schedules whose edits may have changed another resource: in its items, or in its file."""
        block = self._made().block(resource.address) if resource.origin.item else None
        return (self.accepted_in(block.source.name) if block is not None else []) or self.accepted_in(
            resource.origin.path
        )

    def accepted_in(self, name: str) -> list[Address]:
        """The schedules for which a file was changed."""
        return [address for address, one in self.accepted.items() if name in one.files]

    def unsure(self) -> list[Address]:
        """The schedules that are written in a way that is not edited: found one by one where a file shows that."""
        found: list[Address] = []
        for name in self._changed() - self.texts().keys():
            here, alone = self.accepted_in(name), list[Address]()
            for address in here:
                editor = BlockEditor(self._root, self._made)
                editor.edit([self.accepted[address].wanted])
                if len(editor.texts()) < len(editor._changed()):
                    alone.append(address)
            found += alone or here
        return found

    def _changed(self) -> set[str]:
        return {name for one in self.accepted.values() for name in one.files}

    def _text(self, name: str) -> str | None:
        if name not in self._texts:
            try:
                self._texts[name] = self.file(name).text
            except CannotEdit:
                self._texts[name] = None
        return self._texts[name]

    def edit(self, wanted: Iterable[WantedBlock]) -> None:
        """Edit the blocks of these schedules as far as that can be; the rest is in `refused`."""
        outcomes, waiting = FieldOutcomes(), list[WantedBlock]()
        for one in wanted:
            if one.resource.origin.item:
                waiting.append(one)
                continue
            try:
                self._edit(one, outcomes)
            except CannotEdit as error:
                outcomes.refuse_block(one, error.obstacle)
        if waiting:
            MadeBlockEditor(self._made(), self._manifest, self._items, outcomes).edit(waiting)
        for one in outcomes.wanted.values():
            self.accepted[one.address] = AcceptedBlock(one, *outcomes.of(one))
        self.refused += outcomes.refused

    def _edit(self, one: WantedBlock, outcomes: FieldOutcomes) -> None:
        """Edit one block that stands by itself. Raises CannotEdit."""
        name = one.resource.origin.path
        block = Block(self._manifest(name), one.resource)
        for edit in outcomes.edits(one, block.value):
            if why := block.apply(edit):
                outcomes.refuse(one, edit.field, why)
            else:
                outcomes.take(one, edit.field, name)

    def _manifest(self, name: str) -> EditedFile:
        if name not in self._manifests:
            self._data[name] = read_regular(self._root / name, MANIFEST_BYTES)
            self._manifests[name] = EditedFile(self._data[name])
        return self._manifests[name]
