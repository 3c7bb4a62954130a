"""The JSON Schemas as their files have them, each put together to stand by itself.

What several have in common is written once: a `$ref` may name another file, and `x-part-of` takes a mapping of another
file as people write it before `defaults` and templates supplied anything, but for the keys of `x-without`.
`x-suppliable` names the keys that those, or an environment, may supply: only once they have is one that is missing a
mistake. `x-editor` holds what only editors are told, because whoever reads the value says it better.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import TypeAlias, cast

from reconciler.manifests.yaml_values import YAMLValue, list_of, mapping_of

Schema: TypeAlias = dict[str, YAMLValue]

FOLDER = Path(__file__).resolve().parent.parent / "schemas"


@functools.cache
def text(name: str) -> str:
    """The schema of a file such as `agent.schema.json`, which what it refers to is part of."""
    return json.dumps(_Bundle(name).schema, ensure_ascii=False)


@functools.cache
def _source(name: str) -> Schema:
    return cast("Schema", json.loads((FOLDER / name).read_text(encoding="utf-8")))


class _Bundle:
    """One file, and under its `$defs` whatever it refers to."""

    def __init__(self, name: str) -> None:
        self._definitions: Schema = {}
        self._seen: set[tuple[str, str, bool]] = set()
        root = self._resolved({**_source(name), "$defs": {}}, name, written=False)
        self.schema: Schema = {**mapping_of(root), "$defs": self._definitions}
        if not self._definitions:
            del self.schema["$defs"]

    def _resolved(self, part: YAMLValue, file: str, *, written: bool) -> YAMLValue:
        """A part of a file, in which references point into this bundle. `written`: as `as_written` has it."""
        if isinstance(part, list):
            return [self._resolved(one, file, written=written) for one in part]
        if not isinstance(part, dict):
            return part
        found = {
            key: one if key == "examples" else self._resolved(one, file, written=written) for key, one in part.items()
        }
        if "$ref" in found:
            reference = str(found.pop("$ref"))
            origin, target = _pointed_at(reference, file)
            if origin == file and {"properties", "items"} & target.keys():
                return {"$ref": self._defined(reference, file, written=written), **found}
            # What is short, or used once, stands where it is described.
            return {**mapping_of(self._resolved(target, origin, written=written)), **found}
        if "x-part-of" in found:
            origin, target = _pointed_at(str(found.pop("x-part-of")), file)
            whole = mapping_of(self._resolved(target, origin, written=True))
            return {**_without(whole, list_of(found.pop("x-without", []))), **found}
        return _relaxed(found) if written else found

    def _defined(self, reference: str, file: str, *, written: bool) -> str:
        """Have what a reference names among the definitions; the reference to that."""
        origin, target = _pointed_at(reference, file)
        name = reference.rpartition("/")[2]
        if (origin, name, written) not in self._seen:
            self._seen.add((origin, name, written))
            found = self._resolved(target, origin, written=written)
            if self._definitions.setdefault(name, found) != found:
                raise ValueError(f"two definitions are called {name}")
        return f"#/$defs/{name}"


def _pointed_at(reference: str, file: str) -> tuple[str, Schema]:
    """The file and the part of it that a reference in a file names."""
    name, _, pointer = reference.partition("#")
    part: YAMLValue = _source(name or file)
    for step in filter(None, pointer.split("/")):
        part = mapping_of(part)[step]
    return name or file, {key: one for key, one in mapping_of(part).items() if key not in ("$schema", "$defs", "title")}


def _without(schema: Schema, keys: list[YAMLValue]) -> Schema:
    """The schema of a mapping that cannot have these keys."""
    properties = {key: one for key, one in mapping_of(schema.get("properties")).items() if key not in keys}
    required = [key for key in list_of(schema.get("required")) if key not in keys]
    return {key: one for key, one in schema.items() if key != "required"} | {
        "properties": properties,
        **({"required": required} if required else {}),
    }


def as_written(part: YAMLValue) -> YAMLValue:
    """A schema for what people write, where defaults or a template may still supply what is missing."""
    if isinstance(part, list):
        return [as_written(one) for one in part]
    if not isinstance(part, dict):
        return part
    return _relaxed({key: one if key == "examples" else as_written(one) for key, one in part.items()})


def _relaxed(schema: Schema) -> Schema:
    """The same of one mapping. Of alternatives that may be supplied, still no two may be written."""
    suppliable = list_of(schema.get("x-suppliable"))
    if not suppliable:
        return schema
    left = {key: one for key, one in schema.items() if key not in ("x-suppliable", "required", "oneOf")}
    required = [key for key in list_of(schema.get("required")) if key not in suppliable]
    if required:
        left["required"] = required
    groups = [list_of(mapping_of(one).get("required")) for one in list_of(schema.get("oneOf"))]
    if groups:
        left["allOf"] = [
            {"if": {"required": group}, "then": {"properties": dict.fromkeys(map(str, other), False)}}
            for number, group in enumerate(groups)
            for other in groups[number + 1 :]
        ]
    return left
