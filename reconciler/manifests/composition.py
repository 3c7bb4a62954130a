"""Gives blocks what they do not say themselves: from their template, from those that it uses, and from `defaults`.

A document is filled in before, with the folder and the items of its own file; so is every template, and the project
file. What stands where is not worked out here: `Composition` finds it once somebody asks, which is when there is
something to report, or a change to show.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, cast

from msgspec import Struct

from reconciler.manifests.interpolation import FilledDocument, InterpolationError
from reconciler.manifests.merging import merged
from reconciler.manifests.problems import ProblemReporter
from reconciler.manifests.yaml_values import (
    DocumentPath,
    YAMLContainer,
    YAMLValue,
    list_of,
    mapping_of,
    text_or_nothing,
    value_at,
)
from reconciler.model.address import Origin
from reconciler.quantities import first_few
from reconciler.suggestion import Suggestions

if TYPE_CHECKING:
    from reconciler.manifests.document_kinds import BlockSort
    from reconciler.manifests.documents import ManifestDocument


_DEEPEST = 32


class Layer(Struct):
    """A block that others inherit from: the `spec` of a template, or a part of `defaults`.

    Paths in it are paths into `value`, which stands at `path` of the document that `report` is for. `name` is what
    people call it. `wrong` is what was reported there, `written` the document before it was filled in.
    """

    name: str
    value: dict[str, YAMLValue]
    report: ProblemReporter
    path: DocumentPath
    written: YAMLValue = None
    wrong: frozenset[DocumentPath] = frozenset()
    secrets: Mapping[DocumentPath, frozenset[str]] = {}
    errors: tuple[tuple[DocumentPath, InterpolationError], ...] = ()
    unset: Mapping[DocumentPath, frozenset[str]] = {}

    def is_wrong_at(self, path: DocumentPath) -> bool:
        """Whether this was reported already, or what is around it."""
        return any(path[:length] in self.wrong for length in range(len(path) + 1))


def layer_of(
    name: str,
    report: ProblemReporter,
    path: DocumentPath,
    written: YAMLValue,
    wrong: Iterable[DocumentPath],
    filled: FilledDocument,
) -> Layer:
    """The layer that stands at a path of a document, which was `written` and `filled`; `wrong` was reported."""
    depth = len(path)
    return Layer(
        name,
        {key: one for key, one in mapping_of(value_at(filled.value, path)).items() if key != "use"},
        report,
        path,
        written,
        frozenset(at[depth:] for at in wrong if at[:depth] == path),
        {at[depth:]: texts for at, texts in filled.secrets.items() if at[:depth] == path},
        tuple((at[depth:], error) for at, error in filled.errors if at[:depth] == path),
        {at[depth:]: texts for at, texts in filled.unset.items() if at[:depth] == path},
    )


class Chain(Struct):
    """All that a block inherits from, the nearest first, and what they say together. `is_broken`: not all is known."""

    layers: tuple[Layer, ...]
    sort: str
    is_broken: bool = False
    value: dict[str, YAMLValue] = {}
    secrets: list[tuple[DocumentPath, frozenset[str]]] = []
    errors: list[tuple[DocumentPath, InterpolationError]] = []
    unset: list[tuple[DocumentPath, frozenset[str]]] = []
    _inherited: dict[object, InheritedFields] = {}

    def __post_init__(self) -> None:
        for layer in reversed(self.layers):
            self.value = merged(self.value, layer.value, self.sort)
        for layer in self.layers:
            self.is_broken = self.is_broken or bool(layer.wrong)
            self.secrets += [one for one in layer.secrets.items() if self.layer_at(one[0]) is layer]
            self.errors += [one for one in layer.errors if self.layer_at(one[0]) is layer]
            self.unset += [one for one in layer.unset.items() if self.layer_at(one[0]) is layer]

    def layer_at(self, path: DocumentPath) -> Layer | None:
        """The nearest one that says what stands at a path."""
        return next((layer for layer in self.layers if _has(layer.value, path)), None)

    def inherited(self, block: dict[str, YAMLValue], below: DocumentPath) -> InheritedFields:
        """Which fields a block inherits: worked out once for all that have the same keys themselves."""
        shape = (below, tuple(block), *(tuple(one) for one in block.values() if type(one) is dict))
        found = self._inherited.get(shape)
        if found is None:
            found = self._inherited[shape] = InheritedFields(self, block, below)
        return found


class InheritedFields(Mapping[str, Origin]):
    """Where each field stands that a block inherits, by its name in a plan; looked for when somebody asks."""

    def __init__(self, chain: Chain, block: dict[str, YAMLValue], below: DocumentPath) -> None:
        self._chain, self._block, self._below = chain, block, below
        self._found: dict[str, Origin] | None = None

    @property
    def _fields(self) -> dict[str, Origin]:
        if self._found is None:
            whole = merged(self._chain.value, self._block, self._chain.sort)
            self._found = dict(self._located(mapping_of(value_at(whole, self._below)), self._below))
        return self._found

    def _located(self, part: dict[str, YAMLValue], path: DocumentPath) -> Iterator[tuple[str, Origin]]:
        for key, value in part.items():
            inside = (*path, key)
            if isinstance(value, dict):
                yield from self._located(value, inside)
            layer = self._chain.layer_at(inside) if not _has(self._block, inside) else None
            if layer is not None:
                name = ".".join(map(str, inside[len(self._below) :]))
                yield name, layer.report.origin((*layer.path, *inside))

    def __getitem__(self, name: str) -> Origin:
        return self._fields[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)


class Composition(Struct):
    """What a document inherits: by its path, each block as it is written, and what it inherits from."""

    blocks: dict[DocumentPath, tuple[dict[str, YAMLValue], Chain]]

    def layer_at(self, path: DocumentPath) -> tuple[Layer, DocumentPath] | None:
        """The layer that says what stands at a path of the document, and where there; None where none does."""
        for length in range(len(path), 0, -1):
            block, chain = self.blocks.get(path[:length], (None, None))
            inside = path[length:]
            if chain is not None and not _has(block, inside) and (layer := chain.layer_at(inside)):
                return layer, inside
        return None

    def source(self, path: DocumentPath) -> tuple[ProblemReporter, DocumentPath] | None:
        """The same as a reporter knows it."""
        found = self.layer_at(path)
        return (found[0].report, (*found[0].path, *found[1])) if found else None

    def own_keys(self, path: DocumentPath) -> list[str]:
        """What a block, or a mapping in it, says itself, in its own order; nothing where no block inherits."""
        for length in range(len(path), 0, -1):
            block, _ = self.blocks.get(path[:length], ({}, None))
            if block and _has(block, path[length:]):
                return list(mapping_of(value_at(block, path[length:])))
        return []

    def inherited(self, path: DocumentPath) -> Mapping[str, Origin]:
        """Where the fields stand that what is declared at a path inherits."""
        for length in range(len(path), 0, -1):
            block, chain = self.blocks.get(path[:length], (None, None))
            if chain is not None and block is not None:
                return chain.inherited(block, path[length:])
        return {}


def _has(part: YAMLValue, path: DocumentPath) -> bool:
    """Whether anything stands at a path."""
    for step in path:
        if isinstance(part, dict):
            if step not in part:
                return False
        elif not isinstance(part, list) or not isinstance(step, int) or step >= len(part):
            return False
        part = part[step]  # type: ignore[index]  # it was just seen in there
    return True


class _Template(Struct):
    """A document that others may `use`. `use` is the one that it uses itself, "" for none."""

    layer: Layer
    use: str


class Composer(Struct):
    """Knows the defaults, and the templates that were read so far. `may_have_more`: there may be others as well."""

    defaults: Mapping[str, Layer]
    may_have_more: bool = False
    _templates: dict[tuple[str, str], _Template] = {}
    _chains: dict[tuple[str, str], Chain] = {}
    _suggestions: dict[str, tuple[Suggestions, str]] = {}
    _is_complete: bool = False

    def add(self, document: ManifestDocument) -> None:
        """Take a template, filled in and checked, for those who use it. Of two with one name, the first one counts."""
        if not document.handle:
            self.may_have_more = self.may_have_more or ("metadata", "name") in document.filled.unset
            return
        use = document.spec.get("use")
        layer = layer_of(
            f"template {document.handle}",
            document.report,
            ("spec",),
            document.parsed.value,
            document.mistaken[0],
            document.filled,
        )
        template = _Template(layer, use if isinstance(use, str) else "")
        self._templates.setdefault((document.kind.document, document.handle), template)

    def close(self) -> None:
        """All templates are read: report those that use one that is not there, each other in a circle, or too many."""
        self._is_complete = True
        depth: dict[tuple[str, str], int] = {}
        for first in sorted(self._templates):
            trail = [first]
            while trail[-1] not in depth:
                kind, use = trail[-1][0], self._templates[trail[-1]].use
                depth[trail[-1]] = 0
                if (kind, use) in self._templates:
                    trail.append((kind, use))
                elif use:
                    self._report_unknown(self._templates[trail[-1]].layer.report, ("spec", "use"), kind, use)
            if trail[-1] in trail[:-1]:
                self._report_circle(trail[trail.index(trail[-1]) : -1])
                continue
            for inner, outer in zip(trail[::-1], trail[-2::-1], strict=False):
                depth[outer] = depth[inner] + 1
                if depth[outer] == _DEEPEST:
                    message = f"templates use each other more than {_DEEPEST} deep from here: use fewer"
                    self._templates[outer].layer.report.error(("spec", "use"), "template-depth", message)

    def _report_circle(self, circle: list[tuple[str, str]]) -> None:
        begin = circle.index(min(circle))
        names = [name for _, name in (*circle[begin:], *circle[:begin], circle[begin])]
        message = f"templates that use each other in a circle say nothing: {first_few(names, 10, between=' -> ')}"
        self._templates[min(circle)].layer.report.error(("spec", "use"), "template-cycle", message)

    def compose(self, document: ManifestDocument) -> bool:
        """Merge what a document inherits into it. False when it has to wait for a template that may still be read."""
        may_use = document.report.file.may_use
        if not may_use and not self.defaults:
            return True
        work, unknown = _Merge(document), []
        for sort in document.kind.blocks:
            if not may_use and sort.name not in self.defaults:
                continue
            for path, block in work.blocks_of(sort):
                written = block.get("use", "") if sort.template else ""
                use = text_or_nothing(written)
                if use is not written:
                    document.suspect |= {path}
                chain = self._chain(sort, use)
                if chain is None:
                    return False
                if chain.is_broken and use and (sort.template, use) not in self._templates:
                    unknown.append((path, sort.template, use))
                if chain.layers or chain.is_broken:
                    work.inherit(path, block, chain)
        work.finish()
        for path, kind, use in unknown:
            self._unknown_use(document, path, kind, use)
        return True

    def _unknown_use(self, document: ManifestDocument, path: DocumentPath, kind: str, use: str) -> None:
        if all(at != (*path, "use") for at, _ in document.filled.errors):
            self._report_unknown(document.report.at(document.address_at(path)), (*path, "use"), kind, use)

    def _report_unknown(self, report: ProblemReporter, path: DocumentPath, kind: str, use: str) -> None:
        if self.may_have_more or "${" in use:
            return
        if kind not in self._suggestions:
            names = sorted(name for of, name in self._templates if of == kind)
            known = f"known are {', '.join(names[:10])}" if names else f"write a document `kind: {kind}` of that name"
            self._suggestions[kind] = Suggestions(names), known
        suggestions, known = self._suggestions[kind]
        near = suggestions.nearest(use)
        report.error(
            path, "unknown-template", f"there is no {kind} {use[:80]!r}; {f'did you mean {near}?' if near else known}"
        )

    def _chain(self, sort: BlockSort, use: str) -> Chain | None:
        """What a block of a sort inherits from, where it uses this template; None while one may still be read."""
        key = (sort.name, use)
        if key in self._chains:
            return self._chains[key]
        names: list[str] = []
        name, is_broken = use, False
        while name and not is_broken:
            known = (sort.template, name) in self._templates
            if not known and not self._is_complete:
                return None
            is_broken = not known or name in names or len(names) >= _DEEPEST
            if not is_broken:
                names.append(name)
                name = self._templates[sort.template, name].use
        layers = [self._templates[sort.template, one].layer for one in names]
        layers += [self.defaults[sort.name]] if sort.name in self.defaults else []
        self._chains[key] = Chain(tuple(layers), sort.name, is_broken)
        return self._chains[key]


class _Merge:
    """The blocks of one document as they become, in copies of what is around them; the document changes at the end."""

    def __init__(self, document: ManifestDocument) -> None:
        self._document = document
        self._value = document.filled.value
        self._sources = dict(document.filled.sources)
        self._own: dict[DocumentPath, YAMLContainer] = {}
        self._composition = Composition({})

    def blocks_of(self, sort: BlockSort) -> Iterator[tuple[DocumentPath, dict[str, YAMLValue]]]:
        """The blocks of a sort that the document has, with their paths."""
        part = self._value
        for step in sort.path:
            part = mapping_of(part).get(str(step))
        listed = list_of(part) if sort.is_list else [part]
        for index, block in enumerate(listed):
            if type(block) is dict:
                yield ((*sort.path, index) if sort.is_list else sort.path), block

    def inherit(self, path: DocumentPath, block: dict[str, YAMLValue], chain: Chain) -> None:
        """Put what a block becomes in its place."""
        whole = merged(chain.value, block, chain.sort)
        if type(whole.get("use")) is str:
            del whole["use"]
        self._came_from(whole, block)
        for key, part in block.items():
            if type(part) is dict and whole[key] is not part:
                self._came_from(mapping_of(whole[key]), part)
        self._opened(path[:-1])[path[-1]] = whole  # type: ignore[index]  # the block stood there
        self._own[path] = whole
        self._composition.blocks[path] = (block, chain)
        filled = self._document.filled
        if chain.is_broken:
            self._document.suspect |= {path}
        for at, texts in chain.secrets:
            if not _has(block, at) and _has(whole, at):
                filled.add_secret((*path, *at), texts)
        for at, texts in chain.unset:
            if not _has(block, at) and _has(whole, at):
                filled.add_unset((*path, *at), texts)
        for at, error in chain.errors:
            if not _has(block, at) and _has(whole, at):
                filled.errors.append(((*path, *at), error.reported()))

    def finish(self) -> None:
        """Let the document be what it has become."""
        if self._composition.blocks:
            self._document.filled.value = self._value
            self._document.filled.sources = self._sources
            self._document.composition = self._composition
            self._document.report.inherited = self._composition.source

    def _opened(self, path: DocumentPath) -> YAMLContainer:
        """The container at a path, as a copy that may be changed."""
        if path not in self._own:
            before = cast("YAMLContainer", value_at(self._value, path))
            own = self._own[path] = before.copy()
            self._came_from(own, before)
            if path:
                self._opened(path[:-1])[path[-1]] = own  # type: ignore[index]  # it stood there
            else:
                self._value = own
        return self._own[path]

    def _came_from(self, new: YAMLContainer, before: YAMLContainer) -> None:
        self._sources[id(new)] = self._sources.get(id(before), id(before))
