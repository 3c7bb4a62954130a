"""The JSON Schemas for editors: of what people write, before variables, items, templates and defaults are put in.

Each follows from the schema that documents are checked against once they are complete. Wherever a value may come out
of a `${…}`, text with one is allowed beside it.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from reconciler.errors import UsageError
from reconciler.manifests import json_schemas, schema_sources
from reconciler.manifests.document_kinds import DOCUMENT_KINDS
from reconciler.manifests.schema_sources import Schema
from reconciler.manifests.yaml_values import YAMLValue, list_of, mapping_of, value_at
from reconciler.suggestion import Suggestions

_FILLED_IN = r"\$\{"
_TEXT_WITH_PLACEHOLDER: Schema = {"type": "string", "pattern": _FILLED_IN}
_FILLED_TYPES = {"boolean": "true or false", "integer": "a whole number", "number": "a number"}


def document_names() -> tuple[str, ...]:
    """What a document may be: the `kind:` of each. All have a JSON Schema."""
    return tuple(_sources())


def schema_text(name: str | None = None) -> str:
    """The JSON Schema (draft 2020-12) of a document as people write it, whatever the case of its name.

    Without a name that of any document, by its `kind`. Raises UsageError.
    """
    if name is None:
        return _text(_any_document())
    known = {kind.lower(): source for kind, source in _sources().items()}
    if name.lower() not in known:
        near = Suggestions(document_names()).nearest(name)
        meant = f"did you mean {near}? " if near else ""
        raise UsageError(f"there is no kind {name!r}", hint=f"{meant}known are {', '.join(document_names())}")
    return _text(_written(known[name.lower()]))


def _sources() -> dict[str, Callable[[], str]]:
    """Where the schema of each kind of document is found."""
    return {
        "Project": lambda: schema_sources.text("project.schema.json"),
        **{kind: document.schema_text for kind, document in DOCUMENT_KINDS.items()},
    }


def _text(schema: Schema) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False)


def _written(source: Callable[[], str]) -> Schema:
    schema = mapping_of(schema_sources.as_written(json.loads(source())))
    found = _with_placeholders(schema)
    properties = mapping_of(schema.get("properties"))
    if "kind" in properties:  # by it the rest is chosen, before anything is filled in
        mapping_of(found["properties"])["kind"] = properties["kind"]
    return found


def _any_document() -> Schema:
    """One schema for files of several documents: `kind` says which applies, so that only its mistakes are told.

    A file of items may lie among the manifests, where an editor cannot tell it from them.
    """
    written = {kind: _written(source) for kind, source in _sources().items()}
    kinds: list[YAMLValue] = list(written)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Manifest",
        "description": "Any document of reconciler, by its kind; or a file of items for forEach.",
        "type": ["object", "array"],
        "required": ["kind"],
        "properties": {
            "apiVersion": {"description": "The version of this format."},
            "kind": {"enum": kinds, "description": "What this document declares."},
        },
        "items": mapping_of(value_at(written["Agent"], ("properties", "forEach", "items"))),
        "allOf": [
            {
                "if": {"type": "object", "properties": {"kind": {"const": kind}}, "required": ["kind"]},
                "then": {"$ref": f"#/$defs/{kind}"},
            }
            for kind in written
        ],
        "$defs": {kind: _moved(schema, f"#/$defs/{kind}/") for kind, schema in written.items()},
    }


def _moved(part: YAMLValue, to: str) -> YAMLValue:
    """A part of a schema that becomes part of another one, so that its references still find what they name."""
    if isinstance(part, list):
        return [_moved(one, to) for one in part]
    if not isinstance(part, dict):
        return part
    return {
        key: str(one).replace("#/", to, 1) if key == "$ref" else _moved(one, to)
        for key, one in part.items()
        if key != "$schema"
    }


# --- where something may be filled in --------------------------------------------------------------------------------


def _with_placeholders(schema: Schema) -> Schema:
    """The same for a value, or for what is inside it, that may be filled in. Keys are never filled in."""
    found: Schema = {}
    for key, part in {**schema, **mapping_of(schema.get("x-editor"))}.items():
        if key in ("properties", "patternProperties", "$defs"):
            found[key] = {name: _each(one) for name, one in mapping_of(part).items()}
        elif key in ("items", "additionalProperties", "then", "else"):
            found[key] = _each(part)
        elif key in ("allOf", "anyOf", "oneOf"):
            found[key] = [_each(one) for one in list_of(part)]
        elif key != "x-editor":
            found[key] = part
    if found.get("not") == {"const": True}:  # an editor would only say that it matches what is not allowed
        del found["not"]
        found |= {"if": {"type": "boolean"}, "then": {"const": False}}
    return _or_placeholder(found)


def _each(part: YAMLValue) -> YAMLValue:
    return _with_placeholders(part) if isinstance(part, dict) else part


def _or_placeholder(schema: Schema) -> Schema:
    choice = {key: one for key, one in schema.items() if key in ("enum", "const", "type")}
    if choice.keys() - {"type"}:
        said = {key: one for key, one in schema.items() if key not in choice}
        return {"anyOf": [choice, _TEXT_WITH_PLACEHOLDER], **said}
    types = schema.get("type")
    named = {types} if isinstance(types, str) else set(map(str, list_of(types)))
    if "pattern" in schema or "maxLength" in schema:
        return _patterned(schema)
    if named & _FILLED_TYPES.keys() and "string" not in named:
        words = " or ".join(_FILLED_TYPES[one] for one in sorted(named) if one in _FILLED_TYPES)
        error = "patternErrorMessage" if "object" in named else "errorMessage"
        return {error: f"Must be {words}", **schema, "type": [*sorted(named), "string"], "pattern": _FILLED_IN}
    return schema


def _patterned(schema: Schema) -> Schema:
    pattern, size = str(schema.get("pattern", "")), schema.get("maxLength")
    most = f"^(?=[\\s\\S]{{0,{size}}}$)" if size else ""
    description = str(schema.get("description", ""))
    words = json_schemas.pattern_words(pattern, description, list_of(schema.get("examples"))).partition(": ")
    said = {"patternErrorMessage": (words[2] or words[0])[0].upper() + (words[2] or words[0])[1:]} if pattern else {}
    left = {key: one for key, one in schema.items() if key != "maxLength"}
    return {**said, **left, "pattern": f"{_FILLED_IN}|{most}(?:{pattern})"}
