"""Knows the blocks that `forEach` makes schedules of, and edits the items that they are made from."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from reconciler.files import MANIFEST_BYTES, read_regular
from reconciler.kinds.schedule import KIND
from reconciler.manifests.documents import ManifestDocument, entry_name
from reconciler.manifests.for_each import path_in_project
from reconciler.manifests.item_edit import EditedItems, EditedJSON, EditedTable, EditedText, ListedItems, edited_list
from reconciler.manifests.placeholders import PLACEHOLDER, EachKey, each_key
from reconciler.manifests.yaml_document_edit import CannotEdit, EditedFile, Obstacle
from reconciler.manifests.yaml_values import DocumentPath, YAMLValue, list_of, mapping_of, value_at
from reconciler.model.address import Address, Origin

NO_DEFAULT = ("${", "}")
"""What cannot stand in a default of `${each.KEY:-default}`."""


class ItemSource(Struct, frozen=True):
    """Where items stand: a file, or with a `document` the list in that one of a manifest. `name` is the file's."""

    name: str
    location: Path
    document: int = -1
    is_inside: bool = True


class Use(Struct, frozen=True, order=True):
    """A place at which `${each.KEY}` stands: a path into a document of a manifest."""

    file: str
    document: int
    path: tuple[str, ...]


class MadeBlock(Struct, frozen=True, eq=False):
    """A block as one item makes it: `path` leads to it in the document, which is that of the item."""

    document: ManifestDocument
    path: DocumentPath
    source: ItemSource

    @property
    def number(self) -> int:
        return self.document.item.number if self.document.item is not None else 0

    @property
    def place(self) -> tuple[str, int, DocumentPath]:
        """What the blocks have in common that all items make of one written block."""
        return self.document.report.file.path, self.document.parsed.index, self.path

    @property
    def value(self) -> dict[str, YAMLValue]:
        """The block filled in, with all that it inherits."""
        return mapping_of(value_at(self.document.value, self.path))

    def use(self, path: DocumentPath) -> Use:
        """The place of a field of the block."""
        return Use(*self.place[:2], tuple(map(str, (*self.path, *path))))

    def inherited(self, path: DocumentPath) -> tuple[YAMLValue, Origin] | None:
        """What stands at a path of the block that it inherits, as it is written, and where."""
        found = self.document.layer_at((*self.path, *path))
        if found is None:
            return None
        layer, inside = found
        at = (*layer.path, *inside)
        return value_at(layer.written, at), layer.report.origin(at)


class MadeBlocks:
    """All blocks that items make schedules of, and every place at which a key of items is used."""

    def __init__(self, root: Path, documents: Iterable[ManifestDocument]) -> None:
        self._root = root
        self._blocks: dict[Address, MadeBlock] = {}
        self._counts: Counter[tuple[str, int]] = Counter()
        self._uses: dict[Path | tuple[Path, int], dict[str, dict[Use, Origin]]] = defaultdict(lambda: defaultdict(dict))
        self._names: dict[Path, list[str]] = defaultdict(list)
        for document in documents:
            if document.item is not None:
                self._add(document)

    def _add(self, document: ManifestDocument) -> None:
        source, whole = self._source_of(document), (document.report.file.path, document.parsed.index)
        if not self._counts[whole]:
            for path, text in _texts(document.parsed.value, ()):
                for key in keys_in(text):
                    use = Use(*whole, tuple(map(str, path)))
                    self._uses[_key(source)][key][use] = document.report.origin(path)
        self._counts[whole] += 1
        listed = list_of(document.spec.get("schedules"))
        for index in range(len(listed)):
            if name := entry_name(listed, index):
                address = Address(KIND.name, document.handle, name)
                self._blocks[address] = MadeBlock(document, ("spec", "schedules", index), source)

    def _source_of(self, document: ManifestDocument) -> ItemSource:
        file = document.report.file
        each = mapping_of(document.parsed.value).get("forEach")
        if not isinstance(each, dict):
            return ItemSource(file.path, file.location, document.parsed.index)
        location = file.location.parent / str(each["file"])
        name, resolved = path_in_project(location, self._root), location.resolve()
        known = self._names[resolved]
        if name not in known:
            known.append(name)
        return ItemSource(known[0], resolved, is_inside=not Path(known[0]).is_absolute())

    def block(self, address: Address) -> MadeBlock | None:
        """The block of a schedule that an item makes; None for one that stands by itself."""
        return self._blocks.get(address)

    def item_count(self, block: MadeBlock) -> int:
        """How many items make what is written there."""
        return self._counts[block.place[:2]]

    def uses(self, source: ItemSource, key: str) -> Mapping[Use, Origin]:
        """Every place at which a key of these items is used."""
        return self._uses[_key(source)][key]

    def is_shared(self, source: ItemSource) -> bool:
        """Whether several documents take their items from there."""
        return len({(use.file, use.document) for uses in self._uses[_key(source)].values() for use in uses}) > 1

    def is_used(self, source: ItemSource, key: str) -> bool:
        return bool(self._uses[_key(source)].get(key))

    def names(self, name: str) -> frozenset[str]:
        """Every name that manifests have for a file of items, by one of them."""
        return frozenset(next((names for names in self._names.values() if name in names), (name,)))


def _key(source: ItemSource) -> Path | tuple[Path, int]:
    return source.location if source.document < 0 else (source.location, source.document)


def _texts(part: YAMLValue, path: DocumentPath) -> Iterator[tuple[DocumentPath, str]]:
    """Every text of a document that may have a `${` in it, but for the items themselves."""
    if isinstance(part, str):
        if "${" in part:
            yield path, part
    elif isinstance(part, dict | list):
        for key, one in part.items() if isinstance(part, dict) else enumerate(part):
            if path or (key != "forEach" and not str(key).startswith("x-")):
                yield from _texts(one, (*path, key))


def keys_in(text: str) -> frozenset[str]:
    """The keys of an item that a text uses."""
    found = (each_key(match["inside"]) for match in PLACEHOLDER.finditer(text))
    return frozenset(one.name for one in found if one is not None)


def only_each_key(text: YAMLValue) -> EachKey | None:
    """The key of an item that a text is nothing but; None for any other text."""
    found = PLACEHOLDER.fullmatch(text) if isinstance(text, str) else None
    return each_key(found["inside"]) if found is not None else None


class ItemEditor:
    """Opens items to be edited, each file read once. `files` are those that are no manifests, `data` what they held."""

    def __init__(self, manifest: Callable[[str], EditedFile]) -> None:
        self._manifest = manifest
        self.data: dict[str, bytes] = {}
        self.files: dict[str, EditedText] = {}
        self._items: dict[ItemSource, EditedItems] = {}

    def items(self, source: ItemSource) -> EditedItems:
        """The items that stand there. Raises CannotEdit."""
        if source not in self._items:
            self._items[source] = self._opened(source)
        return self._items[source]

    def _opened(self, source: ItemSource) -> EditedItems:
        if source.document >= 0:
            return ListedItems(self._manifest(source.name), source.document, ("forEach",), is_interpolated=True)
        if not source.is_inside:
            raise CannotEdit(Obstacle.ELSEWHERE)
        data = read_regular(source.location, MANIFEST_BYTES)
        suffix = Path(source.name).suffix.lower()
        items: EditedItems
        if suffix in (".yaml", ".yml"):
            items = edited_list(data)
            self.files[source.name] = items.file
        else:
            table = EditedTable(data) if suffix == ".csv" else EditedJSON(data)
            self.files[source.name], items = table, table
        self.data[source.name] = data
        return items


def in_table(source: ItemSource) -> bool:
    return source.document < 0 and Path(source.name).suffix.lower() == ".csv"
