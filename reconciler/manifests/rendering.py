"""Writes documents out as if nobody had used templates, defaults or `forEach`: as YAML that means the same.

What is secret stands there as the manifests say it, `${env:NAME}` and not what that holds, so that the text is as good
as the manifests that it comes from, and may be shown to anybody.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from reconciler.manifests.documents import ManifestDocument
from reconciler.manifests.placeholders import PLACEHOLDER, asks_item, each_key, escaped
from reconciler.manifests.yaml_values import DocumentPath, YAMLValue, comment_text, value_at
from reconciler.manifests.yaml_writing import inline, key_text


def rendered(documents: Iterable[ManifestDocument], *, with_origins: bool = False) -> Iterator[str]:
    """The text of each document, in the order of the manifests; `with_origins` says of each field where it stands."""
    made = [document for document in documents if not document.kind.is_template]
    made.sort(key=lambda one: (one.report.file.path, one.parsed.index, one.item.number if one.item else 0))
    for number, document in enumerate(made):
        lines = _Writer(document, with_origins=with_origins).lines(document.value, (), "")
        name = f"{document.report.file.path}{f' [{document.item.label}]' if document.item else ''}"
        yield "\n".join([*(["---"] if number else []), f"# {comment_text(name)}", *lines, ""])


class _Writer:
    """Writes one document."""

    def __init__(self, document: ManifestDocument, *, with_origins: bool) -> None:
        self._document, self._with_origins = document, with_origins
        self._folder = document.report.file.location.parent
        self._hidden = document.filled.secrets.keys() | document.filled.unset.keys()

    def lines(self, part: YAMLValue, path: DocumentPath, indent: str) -> Iterator[str]:
        """A mapping or a list that is not empty, one entry a line."""
        entries = self._in_order(part, path) if isinstance(part, dict) else enumerate(part)  # type: ignore[arg-type]
        for key, value in entries:
            lead = "-" if isinstance(part, list) else f"{key_text(str(key), in_flow=False)}:"
            at = (*path, key)
            if not isinstance(value, dict | list) or not value:
                yield f"{indent}{lead} {self._scalar(value, at)}{self._origin(at)}"
            elif isinstance(part, dict):
                yield f"{indent}{lead}"
                yield from self.lines(value, at, f"{indent}  ")
            else:
                first, *others = self.lines(value, at, f"{indent}  ")
                yield f"{indent}- {first.lstrip(' ')}"
                yield from others

    def _in_order(self, part: dict[str, YAMLValue], path: DocumentPath) -> list[tuple[str, YAMLValue]]:
        """What a block says itself comes first, as it says it, and then what it inherits."""
        composition = self._document.composition
        place = {key: number for number, key in enumerate(composition.own_keys(path) if composition else ())}
        return sorted(part.items(), key=lambda entry: place.get(entry[0], len(place)))

    def _scalar(self, value: YAMLValue, path: DocumentPath) -> str:
        if path in self._hidden:
            value = self._written(path)
        elif isinstance(value, str):
            value = self._moved(value, path) if path[-1] == "file" else value
            value = escaped(value)
        return inline(value, in_flow=False)

    def _written(self, path: DocumentPath) -> YAMLValue:
        """What the manifests say at a path, with the words of the item in it."""
        text, folder = self._source(path)
        item = self._document.item

        def word(match: re.Match[str]) -> str:
            each = each_key(match["inside"])
            if each is not None and item is not None:
                return item.words(each.name, each.default or "")
            if match[0].startswith("${file:"):
                return f"${{file:{self._moved(match[0][len('${file:') : -1], path, folder)}}}"
            return match[0]

        return PLACEHOLDER.sub(word, text)

    def _source(self, path: DocumentPath) -> tuple[str, Path]:
        found = self._document.layer_at(path)
        if found is None:
            return str(value_at(self._document.parsed.value, path)), self._folder
        layer, inside = found
        return str(value_at(layer.written, (*layer.path, *inside))), layer.report.file.location.parent

    def _moved(self, written: str, path: DocumentPath, folder: Path | None = None) -> str:
        """A relative path that is meant from the file it is written in, as it is meant from this document's file."""
        folder = folder or self._document.report.folder(path)
        if folder == self._folder or written.startswith("~") or Path(written).is_absolute():
            return written
        return Path(os.path.relpath(folder / written, self._folder)).as_posix()

    def _origin(self, path: DocumentPath) -> str:
        """A comment that says where a field stands, and whose it is where that is not the document's own."""
        if not self._with_origins:
            return ""
        found, item = self._document.layer_at(path), self._document.item
        origin = self._document.report.origin(path)
        by = ""
        if found is not None:
            by = f" ({found[0].name})"
        elif item is not None and asks_item(self._source(path)[0]):
            by = f" [{item.label}]"
        return f"  # {comment_text(f'{origin.path}:{origin.line}{by}')}"
