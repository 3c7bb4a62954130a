"""One document of a manifest on its way: as it was read, then filled in and held against the schema of its kind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.manifests import json_schemas, yaml_parsing, yaml_reading
from reconciler.manifests.composition import Composition, Layer
from reconciler.manifests.document_kinds import DOCUMENT_KINDS, DocumentKind
from reconciler.manifests.interpolation import FilledDocument, Interpolator, fill_document
from reconciler.manifests.problems import ProblemReporter, Problems, SourceFile
from reconciler.manifests.unset_values import UnsetValues
from reconciler.manifests.yaml_values import (
    DocumentPath,
    YAMLValue,
    mapping_of,
    text_of,
    text_or_nothing,
    value_at,
    without_free_keys,
)
from reconciler.model.address import Origin

if TYPE_CHECKING:
    from reconciler.manifests.for_each import Item

_DEEPEST_ASKED = 5
NO_DOCUMENT = frozenset({"not-a-mapping", "missing-key", "unknown-kind"})
"""What is said of something in a file that is no document."""
_NOTHING: Mapping[str, Origin] = MappingProxyType({})


class ManifestDocument(Struct):
    """One document of a known kind. Each stage adds what it finds out: how it is filled in, and what is wrong with it.

    `wrong` are the paths that cannot be used, `around` all that have such a one inside; `suspect` those where more is
    missing than the document is to blame for. `mistaken` are the first two for what is a mistake: elsewhere a value is
    only not known. `item` is what of `forEach` made it.
    """

    kind: DocumentKind
    parsed: yaml_parsing.YAMLDocument
    report: ProblemReporter
    filled: FilledDocument
    wrong: frozenset[DocumentPath] = frozenset()
    around: frozenset[DocumentPath] = frozenset()
    suspect: frozenset[DocumentPath] = frozenset()
    composition: Composition | None = None
    mistaken: tuple[frozenset[DocumentPath], frozenset[DocumentPath]] = (frozenset(), frozenset())
    item: Item | None = None

    def fill(self, interpolator: Interpolator) -> None:
        """Fill in the variables and the secrets."""
        file = self.report.file
        if file.may_interpolate:
            folder = file.location.parent
            self.filled = fill_document(self.filled.value, lambda text: interpolator.fill(text, folder))

    def check(self) -> None:
        """Report what its schema does not allow once it is filled in, and note the paths that cannot be used.

        Where a value is not known, its schema cannot say anything; a parameter may have any, so that one can be used.
        """
        wrong = {path for path, _ in self.filled.errors}.union(self.suspect)
        for path, error in self.filled.errors:
            if not error.is_reported:
                self.report.at(self.address_at(path)).error(path, error.code, error.message)
        schema_text, passed = self.kind.schema_text(), wrong | self.filled.unset.keys()
        if self.item is not None and self.item.is_row and not json_schemas.is_valid(schema_text, self.value):
            self._take_cells_for_text([*json_schemas.violated_paths(schema_text, self.value)])
        if not json_schemas.is_valid(schema_text, self.value) and not passed.issuperset(
            json_schemas.violated_paths(schema_text, self.value)
        ):
            for violation in json_schemas.violations(schema_text, self.value):
                if violation.path not in passed:
                    passed.add(violation.path)
                    wrong.add(violation.path)
                    if not self._is_told_elsewhere(violation.path):
                        here = self.report.at(self.address_at(violation.path))
                        here.error(violation.path, violation.code, violation.message, at_key=violation.at_key)
        self.mistaken = frozenset(wrong), _around(wrong)
        unset = {path for path in self.filled.unset if not self.kind.secret_keys & set(path[:-1])}
        self.wrong, self.around = (frozenset(wrong | unset), _around(wrong | unset)) if unset else self.mistaken

    def add_uses(self, unset: UnsetValues) -> None:
        """Tell where what is not set is written in this document."""
        for path, name in self.filled.uses:
            unset.add_use(name, self.report.at(self.address_at(path)), path)

    def _take_cells_for_text(self, paths: Iterable[DocumentPath]) -> None:
        """A cell has no quotes that could say that its digits are text: where no number can stand, they are."""
        for path in paths:
            value = value_at(self.filled.value, path)
            if not path or not isinstance(value, int | float) or self.layer_at(path) is not None:
                continue
            if text_or_nothing(value_at(self.parsed.value, path)).startswith("${each."):
                value_at(self.filled.value, path[:-1])[path[-1]] = text_of(value)  # type: ignore[index]

    def _is_told_elsewhere(self, path: DocumentPath) -> bool:
        """Whether what is wrong at a path was inherited, and reported where it stands."""
        found = self.layer_at(path)
        return found is not None and found[0].is_wrong_at(found[1])

    def layer_at(self, path: DocumentPath) -> tuple[Layer, DocumentPath] | None:
        """Who else says what stands at a path, and where there; None where the document does itself."""
        return self.composition.layer_at(path) if self.composition is not None else None

    def inherited(self, path: DocumentPath) -> Mapping[str, Origin]:
        """Where the fields stand that what is declared at a path has from a template or from defaults."""
        return self.composition.inherited(path) if self.composition is not None else _NOTHING

    @property
    def value(self) -> dict[str, YAMLValue]:
        return mapping_of(self.filled.value)

    @property
    def metadata(self) -> dict[str, YAMLValue]:
        return mapping_of(self.value.get("metadata"))

    @property
    def spec(self) -> dict[str, YAMLValue]:
        return mapping_of(self.value.get("spec"))

    @property
    def handle(self) -> str:
        """The name in `metadata`, or "" when there is none that can be used."""
        return self.written_handle if self.is_usable(("metadata", "name")) else ""

    @property
    def written_handle(self) -> str:
        """The same also where it is wrong, for checking the rest of the document; "" when it is no text."""
        return text_or_nothing(self.metadata.get("name"))

    @property
    def labels(self) -> dict[str, str]:
        """The labels in `metadata`, as text."""
        labels = self.metadata.get("labels") if self.is_usable(("metadata", "labels")) else None
        return {key: text_of(value) for key, value in mapping_of(labels).items()}

    def is_usable(self, path: DocumentPath) -> bool:
        """Whether nothing is wrong at this path, inside it, or around it."""
        return not self.wrong or not _touches(path, self.wrong, self.around)

    def is_unset(self, path: DocumentPath) -> bool:
        """Whether nothing is wrong with what stands at this path but that it is not known."""
        return path in self.wrong and path not in self.mistaken[0]

    def known_part(self, part: YAMLValue, path: DocumentPath) -> dict[str, YAMLValue] | None:
        """The mapping that stands at a path, without what is not known of it; None where anything else is wrong."""
        if not isinstance(part, dict) or (self.wrong and _touches(path, *self.mistaken)):
            return None
        return {key: value for key, value in part.items() if self.is_usable((*path, key))} if self.wrong else part

    def spec_part(self, key: str) -> YAMLValue:
        """A part of `spec`, or None when it is not there or cannot be used."""
        return self.spec.get(key) if self.is_usable(("spec", key)) else None

    def origin(self, container: YAMLValue, path: DocumentPath) -> Origin:
        """Where a mapping or a list begins; by path where the container itself is not known."""
        place = self.parsed.places.get(self.filled.sources.get(id(container), id(container)))
        if place:
            return Origin(self.report.file.path, *place, self.report.item)
        origin, found = self.report.origin(path), self.layer_at(path)
        return Origin(*origin.place, origin.item or found[0].name) if found is not None else origin

    def address_at(self, path: DocumentPath) -> str:
        """The address of what stands at a path, as exact as the document lets it be known; "" where it does not."""
        address = self.kind.address_at(self, path) if self.handle else None
        return str(address) if address is not None else ""

    def secret_keys(self, path: DocumentPath) -> tuple[str, ...]:
        """The keys directly under a path whose values came from outside."""
        depth = len(path)
        return tuple(sorted(str(one[depth]) for one in self.filled.secrets_under(path) if len(one) > depth))


def _around(paths: Iterable[DocumentPath]) -> frozenset[DocumentPath]:
    """All that has one of these paths inside."""
    return frozenset(path[:size] for path in paths for size in range(min(len(path), _DEEPEST_ASKED)))


def _touches(path: DocumentPath, paths: frozenset[DocumentPath], around: frozenset[DocumentPath]) -> bool:
    """Whether one of these paths is this one, or is inside it or around it."""
    return path in around or any(path[:length] in paths for length in range(len(path) + 1))


def read(file: SourceFile, problems: Problems) -> Iterator[ManifestDocument]:
    """The documents of one manifest file; what is wrong goes to `problems`."""
    for parsed in yaml_reading.read_file(file, problems):
        report = ProblemReporter(problems, file, parsed.index)
        kind = _kind_of(parsed.value, report)
        if kind is not None:
            yield ManifestDocument(kind, parsed, report, FilledDocument(without_free_keys(parsed.value)))


def _kind_of(value: YAMLValue, report: ProblemReporter) -> DocumentKind | None:
    if not isinstance(value, dict):
        report.error((), "not-a-mapping", "a document begins with apiVersion, kind, metadata and spec")
        return None
    kind, known = value.get("kind"), DOCUMENT_KINDS
    if isinstance(kind, str) and kind in known:
        return known[kind]
    if kind == "Project":
        message = "a Project belongs into reconciler.yaml, and a project has one of them"
        report.error(("kind",), "unknown-kind", message)
    elif kind is None:
        near = get_close_matches("kind", [str(key) for key in value], 1, 0.7)
        meant = f"; did you mean `kind` by `{near[0]}`?" if near else ""
        report.error((), "missing-key", f"the document needs `kind`: {' or '.join(known)}{meant}")
    else:
        near = get_close_matches(str(kind), known, 1, 0.5)
        advice = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
        report.error(("kind",), "unknown-kind", f"there is no kind {str(kind)[:80]!r}; {advice}")
    return None


def entry_name(listed: YAMLValue, index: int) -> str:
    """The `name` of an entry of a list, or ""."""
    entry = listed[index] if isinstance(listed, list) and index < len(listed) else None
    return text_or_nothing(mapping_of(entry).get("name"))
