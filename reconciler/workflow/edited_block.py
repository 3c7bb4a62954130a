"""Edits the block of one schedule where it stands, or says why that cannot be done."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import cast

from msgspec import Struct

from reconciler.kinds.schedule_acceptance import PARAMETERS, BlockEdit, Inexpressible, edits_of
from reconciler.kinds.schedule_state import ScheduleState
from reconciler.manifests.placeholders import is_composed
from reconciler.manifests.yaml_document_edit import CannotEdit, EditedFile, Obstacle
from reconciler.manifests.yaml_values import DocumentPath, YAMLValue, mapping_of, text_of
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


class FieldOutcomes:
    """What became of each field that was to be taken. `wanted` are the schedules of which one at least was."""

    def __init__(self) -> None:
        self.wanted: dict[Address, WantedBlock] = {}
        self.refused: list[NotAccepted] = []
        self._taken: dict[Address, set[str]] = defaultdict(set)
        self._left: dict[Address, set[str]] = defaultdict(set)
        self._files: dict[Address, set[str]] = defaultdict(set)

    def take(self, one: WantedBlock, field: str, *files: str) -> None:
        """A field was taken, for which these files were changed."""
        self.wanted[one.address] = one
        self._taken[one.address].add(_whole(field))
        self._files[one.address].update(files)

    def refuse(self, one: WantedBlock, field: str, why: str) -> None:
        """A field was not taken, or nothing of a schedule."""
        self.refused.append(NotAccepted(one.address, field, why))
        self._left[one.address].add(_whole(field))

    def refuse_block(self, one: WantedBlock, obstacle: Obstacle) -> None:
        """Nothing of a schedule was taken, since its block cannot be edited."""
        self.refuse(one, "", f"its block {obstacle}: edit it by hand, at {one.resource.origin}")

    def edits(self, one: WantedBlock, block: dict[str, YAMLValue]) -> Iterator[BlockEdit]:
        """What its block, as it is written, has to say otherwise; without what may not be, which is refused."""
        for edit in edits_of(one.live, one.resource.state, one.fields, block):
            if isinstance(edit, Inexpressible):
                self.refuse(one, edit.field, edit.why)
            elif covers(one.secrets, edit.field):
                self.refuse(one, edit.field, "it is secret, or was, and is not written to a file")
            else:
                yield edit

    def of(self, one: WantedBlock) -> tuple[frozenset[str], frozenset[str]]:
        """The fields that a schedule now says wholly as they are live, and the files that were changed for it."""
        address = one.address
        return frozenset(self._taken[address] - self._left[address]), frozenset(self._files[address])


def _whole(field: str) -> str:
    """The field of a schedule that a plan would name."""
    return field.partition(".")[0].replace("every", "cron")


class Block:
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
        if composed := self.composed(edit.path):
            return composed
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

    def value_at(self, path: tuple[str, ...]) -> YAMLValue:
        """What the block itself says at a path; None where it says nothing."""
        return self._file.value_at(self._document, (*self._path, *path))

    def composed(self, path: tuple[str, ...]) -> str:
        """Why nothing can be written at a path that is put together from variables; "" where it is not."""
        before = self.value_at(path)
        if is_composed(before):
            return f"it says {before}: change what that stands for, or write a value there, at {self.place(path)}"
        return ""

    def place(self, path: tuple[str, ...]) -> Origin:
        """Where a value of the block stands, or the block that gets it."""
        return self._place((*self._path, *path))

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
