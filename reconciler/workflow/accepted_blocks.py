"""Edits the blocks of schedules in their files so that they declare what is live, and says of the rest why not."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import cast

from msgspec import Struct

from reconciler.files import MANIFEST_BYTES, read_regular
from reconciler.kinds.schedule_acceptance import PARAMETERS, BlockEdit, Inexpressible, edits_of
from reconciler.kinds.schedule_state import ScheduleState
from reconciler.manifests.yaml_document_edit import CannotEdit, EditedFile, Obstacle
from reconciler.manifests.yaml_values import DocumentPath, mapping_of, text_of
from reconciler.model.address import Address, Origin
from reconciler.model.resource import Resource
from reconciler.secrecy import covers


class NotAccepted(Struct, frozen=True, order=True):
    """A schedule, or one `field` of it, that stays as the manifests have it, and why. `is_unread`: nobody knows it."""

    address: Address
    field: str
    why: str
    is_unread: bool = False


class WantedBlock(Struct, frozen=True):
    """A schedule that live moved: the fields to take, and the paths of it that must not be written anywhere."""

    resource: Resource[ScheduleState]
    live: ScheduleState
    fields: frozenset[str]
    secrets: tuple[str, ...]

    @property
    def address(self) -> Address:
        return self.resource.address


class AcceptedBlock(Struct, frozen=True):
    """A schedule whose block was edited, and the fields that it now says as they are live."""

    wanted: WantedBlock
    fields: frozenset[str]

    @property
    def live(self) -> ScheduleState:
        return self.wanted.live

    @property
    def file(self) -> str:
        return self.wanted.resource.origin.path


class BlockEditor:
    """Edits the files of a project, each read once."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.data: dict[str, bytes] = {}
        self.files: dict[str, EditedFile] = {}
        self.accepted: dict[Address, AcceptedBlock] = {}
        self.refused: list[NotAccepted] = []
        self._texts: dict[str, str | None] = {}

    def texts(self) -> dict[str, str]:
        """The files that changed, by their path; without those in which an edit shows to be unsure."""
        names = sorted({one.file for one in self.accepted.values()})
        return {name: text for name in names if (text := self._text(name)) is not None}

    def accepted_in(self, name: str) -> list[Address]:
        """The schedules of a file whose blocks were edited."""
        return [address for address, one in self.accepted.items() if one.file == name]

    def unsure(self) -> list[Address]:
        """The schedules that are written in a way that is not edited: found one by one where a file shows that."""
        found: list[Address] = []
        for name in {one.file for one in self.accepted.values()} - self.texts().keys():
            here, alone = self.accepted_in(name), list[Address]()
            for address in here:
                editor = BlockEditor(self._root)
                editor.edit([self.accepted[address].wanted])
                if editor.accepted and not editor.texts():
                    alone.append(address)
            found += alone or here
        return found

    def _text(self, name: str) -> str | None:
        if name not in self._texts:
            try:
                self._texts[name] = self.files[name].text
            except CannotEdit:
                self._texts[name] = None
        return self._texts[name]

    def edit(self, wanted: Iterable[WantedBlock]) -> None:
        """Edit the blocks of these schedules as far as that can be; the rest is in `refused`."""
        for one in wanted:
            try:
                fields = self._edit(one)
            except CannotEdit as error:
                self._refuse(one, "", f"its block {error.obstacle}: edit it by hand, at {one.resource.origin}")
                continue
            if fields is not None:
                self.accepted[one.address] = AcceptedBlock(one, fields)

    def _refuse(self, one: WantedBlock, field: str, why: str) -> None:
        self.refused.append(NotAccepted(one.address, field, why))

    def _edit(self, one: WantedBlock) -> frozenset[str] | None:
        """Edit one block; returns the fields that it then says wholly as they are live, None where nothing was edited.

        Raises CannotEdit.
        """
        origin = one.resource.origin
        if origin.item:
            why = f"its block is made by forEach, with others: edit the block or the item by hand, at {origin}"
            self._refuse(one, "", why)
            return None
        block = _Block(self._file(origin.path), one.resource)
        refused: set[str] = set()
        taken: set[str] = set()
        for edit in edits_of(one.live, one.resource.state, one.fields, block.value):
            if isinstance(edit, Inexpressible):
                why = edit.why
            elif covers(one.secrets, edit.field):
                why = "it is secret, or was, and is not written to a file"
            else:
                why = block.apply(edit)
            name = edit.field.partition(".")[0].replace("every", "cron")
            (refused if why else taken).add(name)
            if why:
                self._refuse(one, edit.field, why)
        return frozenset(taken - refused) if taken else None

    def _file(self, name: str) -> EditedFile:
        if name not in self.files:
            self.data[name] = read_regular(self._root / name, MANIFEST_BYTES)
            self.files[name] = EditedFile(self.data[name])
        return self.files[name]


class _Block:
    """The block of a schedule in its file. `value` is what is written there, merges followed and nothing filled in."""

    def __init__(self, file: EditedFile, resource: Resource[ScheduleState]) -> None:
        """Raises CannotEdit where the block does not stand at the schedule's origin."""
        at = file.mapping_at(resource.origin.line, resource.origin.column)
        if at is None:
            raise CannotEdit(Obstacle.ELSEWHERE)
        self._file, self._document, self._path = file, *at
        self._inherited, self._origin = resource.inherited, resource.origin
        self.value = mapping_of(file.value_at(*at))
        name = text_of(cast("str", self.value.get("name")))
        if name != resource.address.name and "${" not in name:
            raise CannotEdit(Obstacle.ELSEWHERE)

    def apply(self, edit: BlockEdit) -> str:
        """Make one edit; why not where it cannot be made, else ""."""
        path = (*self._path, *edit.path)
        before = self._file.value_at(self._document, path)
        if isinstance(before, str) and "${" in before.replace("$${", ""):
            return f"it says {before}: change what that stands for, or write a value there, at {self._place(path)}"
        try:
            if edit.path[0] == PARAMETERS and not self._file.is_mapping_here(self._document, path[:-1]):
                return self._apply_to_whole(edit, path[:-1])
            if edit.value is not None:
                self._file.set_value(self._document, path, edit.value)
            elif self._file.is_written(self._document, path):
                self._file.remove(self._document, path)
            else:
                return self._not_removed(edit)
        except CannotEdit as error:
            return f"it {error.obstacle}: edit it by hand, at {self._place(path)}"
        return ""

    def _apply_to_whole(self, edit: BlockEdit, path: DocumentPath) -> str:
        """Write the mapping around an edit into the block, which has none, or one by a merge or an alias."""
        whole = dict(mapping_of(self._file.value_at(self._document, path)))
        key = edit.path[-1]
        if edit.value is not None:
            whole[key] = edit.value
        elif whole.pop(key, None) is None:
            return self._not_removed(edit)
        self._file.set_value(self._document, path, whole)
        return ""

    def _not_removed(self, edit: BlockEdit) -> str:
        place = self._inherited.get(edit.field)
        where = f"at {place}" if place is not None else f"behind a merge, at {self._origin}"
        return f"it is gone from ACC, and stands {where}, for others as well: remove it there by hand"

    def _place(self, path: DocumentPath) -> Origin:
        """Where a value stands, or the block that gets it."""
        line, column = self._file.place_of(self._document, path)
        return Origin(self._origin.path, line, column)
