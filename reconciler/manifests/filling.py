"""Fills in every string of a document, and remembers what came from outside: such values are secret."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.manifests.interpolation import FilledValue, InterpolationError, Interpolator
from reconciler.manifests.yaml_values import DocumentPath, YAMLValue

if TYPE_CHECKING:
    from reconciler.manifests.documents import ManifestDocument

_DEEPEST_ASKED = 4


@dataclass(slots=True)
class FilledDocument:
    """What came of a whole document: its value, the paths of what came from outside with the texts to hide, errors.

    Containers in which something was filled in are copies; `sources` has the `id` of what each one was copied from.
    """

    value: YAMLValue
    sources: dict[int, int] = field(default_factory=dict)
    secrets: dict[DocumentPath, frozenset[str]] = field(default_factory=dict)
    errors: list[tuple[DocumentPath, InterpolationError]] = field(default_factory=list)
    files: dict[DocumentPath, frozenset[Path]] = field(default_factory=dict)
    _inside: dict[DocumentPath, list[DocumentPath]] = field(default_factory=dict)

    def index(self) -> None:
        """Note what lies in what, once all secrets are known."""
        for path in self.secrets:
            for length in range(min(len(path), _DEEPEST_ASKED) + 1):
                self._inside.setdefault(path[:length], []).append(path)

    def secrets_under(self, path: DocumentPath) -> list[DocumentPath]:
        """The secret paths at this path and below it, which is `spec`, a block of it, or a mapping in that block."""
        return self._inside.get(path, [])


def fill(document: ManifestDocument, interpolator: Interpolator) -> None:
    """Fill in the variables and the secrets of a manifest's document."""
    file = document.report.file
    if file.may_interpolate:
        folder = file.location.parent
        document.filled = fill_document(document.parsed.value, lambda text: interpolator.fill(text, folder))


def fill_document(value: YAMLValue, fill: Callable[[str], FilledValue]) -> FilledDocument:
    """Fill in every string of a document; keys are left as they are. A string that cannot be filled in stays as it is.

    The value handed in is never changed: aliases share their parts.
    """
    document = FilledDocument(None)
    document.value = _fill_part(value, (), fill, document)
    document.index()
    return document


def _fill_part(
    part: YAMLValue, path: DocumentPath, fill: Callable[[str], FilledValue], document: FilledDocument
) -> YAMLValue:
    if isinstance(part, str):
        if "${" not in part:
            return part
        try:
            filled = fill(part)
        except InterpolationError as error:
            document.errors.append((path, error))
            return part
        if filled.is_secret:
            document.secrets[path] = filled.secrets
        if filled.files:
            document.files[path] = filled.files
        return filled.value
    filled_in: YAMLValue
    if isinstance(part, dict):
        filled_in = {key: _fill_part(one, (*path, key), fill, document) for key, one in part.items()}
        is_changed = any(filled_in[key] is not one for key, one in part.items())
    elif isinstance(part, list):
        filled_in = [_fill_part(one, (*path, index), fill, document) for index, one in enumerate(part)]
        is_changed = any(new is not one for new, one in zip(filled_in, part, strict=True))
    else:
        return part
    if not is_changed:
        return part
    document.sources[id(filled_in)] = id(part)
    return filled_in
