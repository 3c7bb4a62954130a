"""Edits blocks that `forEach` makes: what moved in ACC for one item comes into that item, and the block asks it there.

Where the block asks an item already, as `${each.KEY}`, that item gets the value. Where it says one thing for all, it is
made to ask each item for a key of its own, with what it said as the default: `${each.NAME:-3}`. Where all items moved
alike, the block itself says so.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct

from reconciler.kinds.schedule_acceptance import BlockEdit
from reconciler.manifests.item_edit import EditedItems
from reconciler.manifests.placeholders import PLACEHOLDER, EachKey, unescaped
from reconciler.manifests.yaml_document_edit import CannotEdit, EditedFile, Obstacle
from reconciler.manifests.yaml_values import YAMLValue, mapping_of, text_of, text_or_nothing
from reconciler.manifests.yaml_writing import same
from reconciler.model.address import Origin
from reconciler.model.copies import replace
from reconciler.workflow.accepted_items import (
    NO_DEFAULT,
    ItemEditor,
    ItemSource,
    MadeBlock,
    MadeBlocks,
    Use,
    in_table,
    only_each_key,
)
from reconciler.workflow.edited_block import Block, FieldOutcomes, WantedBlock
from reconciler.workflow.importing.alike_agents import column_name, setting_column

_ID = "_id"
_MOST_NAMED = 3
_CRON, _EVERY = ("cron",), ("every",)


class _Move(Struct, frozen=True):
    """A field that live moved of a schedule that an item makes. `value` is what the block would say, None for nothing.

    `place` is where the field stands, or the block that gets it.
    """

    wanted: WantedBlock
    block: MadeBlock
    path: tuple[str, ...]
    value: YAMLValue
    place: Origin

    @property
    def field(self) -> str:
        return ".".join(self.path)

    @property
    def text(self) -> str:
        """The value as an item has it, as text."""
        return text_of(unescaped(self.value))


class _Refused(Exception):
    """Why a field cannot be taken."""


class MadeBlockEditor:
    """Edits the blocks of a project that items make, and the items."""

    def __init__(
        self, made: MadeBlocks, manifest: Callable[[str], EditedFile], items: ItemEditor, outcomes: FieldOutcomes
    ) -> None:
        self._made, self._manifest, self._items, self._outcomes = made, manifest, items, outcomes
        self._asked: dict[tuple[ItemSource, int, str], list[tuple[_Move, EachKey]]] = defaultdict(list)

    def edit(self, wanted: Iterable[WantedBlock]) -> None:
        """Edit as far as that can be; the outcomes have the rest."""
        together: dict[object, list[tuple[WantedBlock, MadeBlock]]] = defaultdict(list)
        for one in wanted:
            block = self._made.block(one.address)
            if block is None:
                self._outcomes.refuse_block(one, Obstacle.ELSEWHERE)
            else:
                together[block.place].append((one, block))
        for alike in together.values():
            try:
                self._edit_block(alike)
            except CannotEdit as error:
                for one, _ in alike:
                    self._outcomes.refuse_block(one, error.obstacle)
        for (source, number, key), asked in self._asked.items():
            try:
                self._set_key(source, number, key, asked)
            except _Refused as error:
                self._refuse((move for move, _ in asked), str(error))

    def _refuse(self, moves: Iterable[_Move], why: str) -> None:
        for one in moves:
            self._outcomes.refuse(one.wanted, one.field, why)

    # --- the block -------------------------------------------------------------------------------------------------

    def _edit_block(self, alike: Sequence[tuple[WantedBlock, MadeBlock]]) -> None:
        """Edit one written block for these items. Raises CannotEdit where it cannot be edited at all."""
        written = Block(self._manifest(alike[0][1].place[0]), alike[0][0].resource)
        moves: dict[tuple[str, ...], list[_Move]] = defaultdict(list)
        for one, block in alike:
            for edit in self._outcomes.edits(one, block.value):
                place = replace(written.place(edit.path), item=one.resource.origin.item)
                moves[edit.path].append(_Move(one, block, edit.path, edit.value, place))
        count = self._made.item_count(alike[0][1])
        self._settle_rhythm(written, moves, count)
        for path, found in moves.items():
            self._edit_field(written, path, found, count)

    def _settle_rhythm(self, written: Block, moves: dict[tuple[str, ...], list[_Move]], count: int) -> None:
        """Let the moves be in one form: an interval can be said as `cron` too, where another item needs that."""
        crons, intervals = moves.get(_CRON, []), moves.pop(_EVERY, [])
        removals = [one for one in intervals if one.value is None and written.value_at(_EVERY) is not None]
        intervals = [one for one in intervals if one.value is not None]
        if not any(one.wanted.resource.state.says_every for one in crons):
            if intervals:
                moves[_EVERY] = intervals
        elif _is_of_all(crons, count):
            if removals and (why := written.apply(BlockEdit(_EVERY, None))):
                self._refuse(moves.pop(_CRON), why)
        else:
            as_cron = (" ".join((one.wanted.live.cron or "").split()) for one in intervals)
            crons += [replace(one, path=_CRON, value=text) for one, text in zip(intervals, as_cron, strict=True)]

    def _edit_field(self, written: Block, path: tuple[str, ...], moves: list[_Move], count: int) -> None:
        each = only_each_key(written.value_at(path))
        if each is not None:
            for one in moves:
                self._asked[one.block.source, one.block.number, each.name].append((one, each))
        elif why := written.composed(path):
            self._refuse(moves, why)
        elif _is_of_all(moves, count):
            if why := written.apply(BlockEdit(path, moves[0].value)):
                self._refuse(moves, why)
            else:
                self._take(moves, moves[0].block.place[0])
        else:
            try:
                self._ask_items(written, path, moves)
            except _Refused as error:
                self._refuse(moves, str(error))

    def _take(self, moves: Iterable[_Move], *files: str) -> None:
        for one in moves:
            self._outcomes.take(one.wanted, one.field, *files)

    # --- a key of its own --------------------------------------------------------------------------------------------

    def _ask_items(self, written: Block, path: tuple[str, ...], moves: Sequence[_Move]) -> None:
        """Make the block ask each item, with what it says now as the default; those that moved get theirs.

        Raises _Refused.
        """
        block = moves[0].block
        default = _default(written, moves[0])
        items = self._opened(block.source, moves[0])
        key = self._free_key(block, path, written, items)
        possible = []
        for one in moves:
            if why := _why_not(one, default, items.obstacle(one.block.number, key)):
                self._refuse([one], why)
            else:
                possible.append(one)
        if not possible:
            return
        why = written.apply(BlockEdit(path, f"${{each.{key}:-{default}}}"))
        if not why and path == _CRON and written.value_at(_EVERY) is not None:
            why = written.apply(BlockEdit(_EVERY, None))
        if why:
            self._refuse(possible, why)
            return
        for one in possible:
            items.set_value(one.block.number, key, unescaped(one.value))
        self._take(possible, block.place[0], block.source.name)

    def _opened(self, source: ItemSource, move: _Move) -> EditedItems:
        try:
            return self._items.items(source)
        except CannotEdit as error:
            raise _Refused(
                f"its item {error.obstacle}, {source.location}: edit it by hand, for {move.place}"
            ) from error

    def _free_key(self, block: MadeBlock, path: tuple[str, ...], written: Block, items: EditedItems) -> str:
        """A name as `import --factor` would give it, that no item has and no document asks for."""
        identity = only_each_key(written.value.get("id"))
        if identity is not None and identity.name.endswith(_ID) and identity.name != _ID:
            label = identity.name.removesuffix(_ID)
        else:
            label = column_name(_usual(written.value.get("name")))
            if self._made.is_shared(block.source):
                handle = mapping_of(mapping_of(block.document.parsed.value).get("metadata")).get("name")
                label = f"{column_name(_usual(handle))}_{label}"
        name, number = wanted, _ = setting_column(label, path), 1
        taken = items.keys()
        while name in taken or self._made.is_used(block.source, name):
            number += 1
            name = f"{wanted}_{number}"
        return name

    # --- a key that the block asks for already ----------------------------------------------------------------------

    def _set_key(self, source: ItemSource, number: int, key: str, asked: Sequence[tuple[_Move, EachKey]]) -> None:
        """Set a key of an item as far as that changes nothing else. Raises _Refused."""
        first = asked[0][0]
        origins = self._made.uses(source, key)
        others = [f"{origin.path}:{origin.line}" for use, origin in origins.items() if use not in _uses(asked)]
        if len({one.text for one, _ in asked}) > 1:
            others += [str(one.wanted.address) for one, _ in asked if one.text != first.text]
        if others:
            shown = ", ".join(sorted(set(others))[:_MOST_NAMED]) + ", …" * (len(set(others)) > _MOST_NAMED)
            change = f"its item's {key} is for others as well, which an edit there would change ({shown})"
            raise _Refused(f"{change}: give it a key of its own, at {first.place}")
        items = self._opened(source, first)
        for one, each in asked:
            if why := _why_not(one, each.default, items.obstacle(number, key)):
                raise _Refused(why)
        is_default = in_table(source) and all(each.default == first.text for _, each in asked)
        items.set_value(number, key, "" if is_default else unescaped(first.value))
        self._take((one for one, _ in asked), source.name)


def _uses(asked: Iterable[tuple[_Move, EachKey]]) -> frozenset[Use]:
    return frozenset(one.block.use(one.path) for one, _ in asked)


def _is_of_all(moves: Sequence[_Move], count: int) -> bool:
    """Whether every item moved, and all alike."""
    return len(moves) == count and all(same(one.value, moves[0].value) for one in moves)


def _why_not(move: _Move, default: str | None, obstacle: Obstacle | None) -> str:
    """Why an item cannot say what is live where the block asks it; "" where it can."""
    if move.value is None:
        return f"it is gone from ACC, and an item cannot leave it out: remove it by hand, at {move.place}"
    if not move.text and default:
        return f"it is empty in ACC, and an item with nothing there takes the default: edit it by hand, at {move.place}"
    if obstacle is not None:
        return f"its item {obstacle}: edit it by hand, for {move.place}"
    return ""


def _default(written: Block, move: _Move) -> str:
    """What a field says for all items so far, as a default has to say it. Raises _Refused."""
    said, place = written.value_at(move.path), move.place
    state = move.wanted.resource.state
    if said is None and move.path == _CRON and state.says_every:
        if why := written.composed(_EVERY):
            raise _Refused(why)
        said = state.cron
    elif said is None:
        inherited = move.block.inherited(move.path)
        if inherited is not None:
            said, place = inherited
        elif move.path == ("enabled",):
            said = True
        else:
            raise _Refused(f"the other items do not have it, and none can leave it out: edit it by hand, at {place}")
    text = text_of(said)
    if any(one in text for one in NO_DEFAULT):
        raise _Refused(f"the other items say {text}, which cannot stand in a default: edit it by hand, at {place}")
    return text


def _usual(name: YAMLValue) -> str:
    """A name without what differs by item, but for a default."""
    return PLACEHOLDER.sub(lambda match: (match["inside"] or "").partition(":-")[2], text_or_nothing(name))
