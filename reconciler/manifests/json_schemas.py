"""The JSON Schemas of what a manifest may say: whether a document keeps to one, and in a user's words why not."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import TYPE_CHECKING, TypedDict, cast

from msgspec import Struct

from reconciler.manifests import schema_sources
from reconciler.manifests.yaml_values import DocumentPath, YAMLValue, mapping_of
from reconciler.product_terms import GUID

if TYPE_CHECKING:
    import jsonschema_rs
    from jsonschema import ValidationError
    from jsonschema.protocols import Validator

_SWITCHES = {"yes": "true", "on": "true", "true": "true", "no": "false", "off": "false", "false": "false"}
"""What people write for a switch, and what it should be."""

_TYPES = {
    "object": "a mapping",
    "array": "a list",
    "string": "text",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "null": "nothing",
}


@functools.lru_cache(maxsize=64)
def _quick_validator(schema_text: str) -> jsonschema_rs.Draft202012Validator:
    import jsonschema_rs

    return jsonschema_rs.Draft202012Validator(json.loads(schema_text))


def is_valid(schema_text: str, document: YAMLValue) -> bool:
    """Whether a document keeps to its schema; the quick question. `violations` has the reasons."""
    return _quick_validator(schema_text).is_valid(document)


def project_schema_text() -> str:
    """The JSON Schema of the project file."""
    return schema_sources.text("project.schema.json")


def violated_paths(schema_text: str, document: YAMLValue) -> Iterator[DocumentPath]:
    """Where a document does not keep to its schema."""
    return (tuple(error.instance_path) for error in _quick_validator(schema_text).iter_errors(document))


# --- what is wrong ---------------------------------------------------------------------------------------------------


class _Schema(TypedDict, total=False):
    """The part of a schema that was violated, as far as messages go into it."""

    description: str
    examples: list[YAMLValue]
    properties: dict[str, _Schema]
    patternProperties: dict[str, _Schema]
    required: list[str]
    type: str | list[str]
    enum: list[YAMLValue]
    const: YAMLValue
    pattern: str
    minLength: int
    maxLength: int
    minItems: int
    minimum: int
    maximum: int
    maxProperties: int
    then: _Schema


class Violation(Struct, frozen=True):
    """One thing that a schema does not allow. `at_key`: the key is wrong, and not its value."""

    path: DocumentPath
    code: str
    message: str
    at_key: bool = False


def violations(schema_text: str, document: YAMLValue) -> Iterable[Violation]:
    """Every reason why a document does not keep to its schema. Messages never show a value that could be secret."""
    found = [one for error in _explaining_validator(schema_text).iter_errors(document) for one in _explain(error)]
    return dict.fromkeys(found) or (Violation((), "wrong-value", "the document is not what its schema allows"),)


@functools.lru_cache(maxsize=64)
def _explaining_validator(schema_text: str) -> Validator:
    """The validator that explains, at some seventy times the cost of the one that only says no."""
    from jsonschema import Draft202012Validator, ValidationError
    from jsonschema.validators import extend

    def pattern(_: Validator, wanted: str, value: YAMLValue, __: object) -> Iterator[ValidationError]:
        # To a schema `$` is the very end; Python's would let a line end stand behind it.
        if isinstance(value, str) and not re.search(re.sub(r"(?<!\\)\$$", r"\\Z", wanted), value):
            yield ValidationError(f"{wanted!r} is not matched")

    def only_one(validator: Validator, given: _Schema, value: YAMLValue, schema: _Schema) -> Iterator[ValidationError]:
        # The library forgets which key it was that `false` does not allow.
        if validator.evolve(schema=given).is_valid(value):
            for key in [one for one in schema["then"]["properties"] if one in mapping_of(value)]:
                names = " or ".join(f"`{one}`" for one in (*given["required"], key))
                yield ValidationError(f"{names}: only one of them may be written", path=(key,))

    explaining: type[Validator] = extend(Draft202012Validator, {"pattern": pattern, "if": only_one})  # type: ignore[no-untyped-call]
    return explaining(json.loads(schema_text))


def _explain(error: ValidationError) -> Iterator[Violation]:
    path, shown = tuple(error.absolute_path), _shown(tuple(error.absolute_path))
    owner = cast("_Schema", error.schema if isinstance(error.schema, dict) else {})  # `false` is a schema as well
    value = cast("YAMLValue", error.instance)
    properties = owner.get("properties", {})
    match error.validator:
        case _ if _is_about_a_key(error):
            yield Violation((*path, str(value)), "bad-name", f"{str(value)[:80]!r} cannot be a name here", at_key=True)
        case "additionalProperties" | "unevaluatedProperties":
            free = "|".join(owner.get("patternProperties", ())) or r"(?!)"
            for key in [one for one in mapping_of(value) if one not in properties and not re.search(free, str(one))]:
                message = _unknown_key(key, tuple(properties), shown)
                yield Violation((*path, key), "unknown-key", message, at_key=True)
        case "required":
            for key in [one for one in owner["required"] if one not in mapping_of(value)]:
                described = properties.get(key)
                detail = described.get("description", "") if isinstance(described, dict) else ""
                yield Violation(path, "missing-key", f"{shown} needs `{key}`: {_first_sentence(detail)}")
        case "maxProperties":
            yield Violation(path, "too-many", f"{shown} takes at most {owner['maxProperties']} entries")
        case "oneOf" | "anyOf" | "if":
            yield from _one_of(path, shown, error)
        case "type":
            yield Violation(path, "wrong-type", _wrong_type(shown, owner["type"], value))
        case "not":
            yield Violation(path, "wrong-value", f"{shown} cannot be {_type_words(value)} here")
        case "enum":
            yield Violation(path, "wrong-value", f"{shown} {_wrong_choice(owner['enum'], value)}")
        case "pattern":
            yield Violation(path, "wrong-value", f"{shown} {_wrong_pattern(owner, value)}")
        case _:
            yield Violation(path, "wrong-value", f"{shown} {_limits(owner)}")


def _is_about_a_key(error: ValidationError) -> bool:
    """Whether it is a key that is wrong, by what its schema says of names."""
    rules = list(error.absolute_schema_path)
    return rules[-2:-1] == ["propertyNames"] and rules[-3:-2] != ["properties"]


def _shown(path: DocumentPath) -> str:
    named = [str(step) for step in path if isinstance(step, str)]
    return f"`{named[-1][:80]}`" if named else "the document"


def _first_sentence(text: str) -> str:
    first = text.split(". ", 1)[0].rstrip(".")
    if not first:
        return "it is not optional"
    return first if first[1:2].isupper() else first[0].lower() + first[1:]


@functools.lru_cache(maxsize=1024)
def _unknown_key(key: str, known: tuple[str, ...], shown: str) -> str:
    folded = {one.lower(): one for one in known}
    near = get_close_matches(key[:80].lower(), folded, 1, 0.6)
    if near:
        return f"`{key[:80]}` is not known in {shown}; did you mean `{folded[near[0]]}`?"
    known_are = f"known are {', '.join(known)}" if known else "it takes no keys"
    return f"`{key[:80]}` is not known in {shown}: {known_are}"


def _one_of(path: DocumentPath, shown: str, error: ValidationError) -> Iterator[Violation]:
    """What alternatives ask for: groups of keys by name, else what is wrong with the one that comes closest."""
    if error.validator == "if":
        yield Violation(path, "exactly-one", error.message, at_key=True)
        return
    branches, value = cast("list[_Schema]", error.validator_value), mapping_of(cast("YAMLValue", error.instance))
    if any(branch.keys() != {"required"} for branch in branches):
        from jsonschema.exceptions import best_match

        closest = best_match([error])
        if closest is not error:
            yield from _explain(closest)
            return
        what = "none" if error.context else "more than one"
        yield Violation(path, "wrong-value", f"{shown} is {what} of what it may be")
        return
    groups = [branch["required"] for branch in branches]
    names = " or ".join(" and ".join(f"`{key}`" for key in group) for group in groups)
    held = [group for group in groups if all(key in value for key in group)]
    if len(held) > 1:
        message = f"{names}: only one of them may be written"
        yield Violation((*path, held[-1][0]), "exactly-one", message, at_key=True)
    else:
        yield Violation(path, "exactly-one", f"{shown} needs {names}")


def _wrong_type(shown: str, wanted: str | list[str], value: YAMLValue) -> str:
    wanted_types = [wanted] if isinstance(wanted, str) else list(wanted)
    if set(wanted_types) >= {"string", "number"}:
        words = "plain text"
    else:
        words = " or ".join(_TYPES[one] for one in wanted_types)
    if value is None:
        empty = "" if "string" not in wanted_types else ' (write "" for empty text)'
        return f"{shown} is empty, and must be {words}{empty}"
    message = f"{shown} must be {words}, not {_type_words(value)}"
    if isinstance(value, (int, float)) and "string" in wanted_types:
        return f"{message}: put it in quotes"
    if isinstance(value, str) and "boolean" in wanted_types and value.lower() in _SWITCHES:
        return f"{message}: write {_SWITCHES[value.lower()]}, in lower case and without quotes"
    if isinstance(value, str) and "integer" in wanted_types:
        return f"{message}: write its digits without quotes and without zeros in front"
    return message


def _type_words(value: YAMLValue) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return "a number"
    return "a mapping" if isinstance(value, dict) else "a list" if isinstance(value, list) else "text"


def _wrong_choice(allowed: list[YAMLValue], value: YAMLValue) -> str:
    words = tuple(dict.fromkeys(str(one).lower() if isinstance(one, bool) else str(one) for one in allowed))
    message = f"must be one of {', '.join(words)}"
    if isinstance(value, str) and value.lower() in _SWITCHES and any(one is True for one in allowed):
        return f"{message}: write {_SWITCHES[value.lower()]}, in lower case and without quotes"
    near = _near(value[:80].lower(), words) if isinstance(value, str) else ()
    return message + (f"; did you mean {near[0]}?" if near else "")


@functools.lru_cache(maxsize=1024)
def _near(word: str, words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(get_close_matches(word, words, 1))


def _wrong_pattern(owner: _Schema, value: YAMLValue) -> str:
    words = pattern_words(owner.get("pattern", ""), owner.get("description", ""), owner.get("examples", ()))
    return f"{words}; {str(value)[:80]!r} has something else" if words.startswith("takes") else words


def pattern_words(pattern: str, description: str, examples: Iterable[YAMLValue]) -> str:
    """What text must be that a pattern is for."""
    if pattern.startswith("^[a-z0-9"):
        allowed = "and -" if "." not in pattern else "and . _ - after the first"
        return f"takes lower-case letters, digits{',' if '.' in pattern else ''} {allowed}"
    if GUID in pattern:
        return "must be a GUID, such as d9c944df-93a7-ea77-f7b7-fa0b9c579917"
    such = ", ".join(str(one) for one in examples)
    return f"is not written as it must be: {_first_sentence(description)}{such and f', such as {such}'}"


def _limits(owner: _Schema) -> str:
    if "const" in owner:
        return f"must be {owner['const']}"
    if owner.get("minLength") or owner.get("minItems"):
        if "maxLength" not in owner:
            return "may not be empty"
        return f"needs 1 to {owner['maxLength']} characters"
    if "minimum" in owner or "maximum" in owner:
        top = f" to {owner['maximum']}" if "maximum" in owner else " or more"
        return f"must be {owner.get('minimum', 0)}{top}"
    if "maxLength" in owner:
        return f"takes at most {owner['maxLength']} characters"
    return "is not allowed together with what else is written here"
