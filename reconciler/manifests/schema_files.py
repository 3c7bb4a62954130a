"""The JSON Schemas of what a manifest may say, and what their findings mean in a user's words."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

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


@functools.cache
def text(name: str) -> str:
    """A JSON Schema as its file has it."""
    return (_folder() / name).read_text(encoding="utf-8")


@functools.lru_cache(maxsize=64)
def _parsed(schema_text: str) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(schema_text)
    return parsed


def _folder() -> Path:
    """In a wheel the schemas lie in the package; in a checkout beside it."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "schemas"
    return inside if inside.is_dir() else package.parent / "schemas"


@functools.lru_cache(maxsize=64)
def _validator(schema_text: str) -> Any:
    import jsonschema_rs

    return jsonschema_rs.Draft202012Validator(_parsed(schema_text))


def is_valid(schema_text: str, document: Any) -> bool:
    """Whether a document keeps to its schema; the quick question, without reasons."""
    return bool(_validator(schema_text).is_valid(document))


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that a schema does not allow. `at_key`: the key is wrong, and not its value."""

    path: tuple[str | int, ...]
    code: str
    message: str
    at_key: bool = False


def violations(schema_text: str, document: Any) -> Iterator[Violation]:
    """Every reason why a document does not keep to its schema. Messages never show a value that could be secret."""
    for error in _validator(schema_text).iter_errors(document):
        path = tuple(error.instance_path)
        yield from _explain(schema_text, document, path, error)


def _explain(schema_text: str, document: Any, path: tuple[str | int, ...], error: Any) -> Iterator[Violation]:
    rule_path = list(error.schema_path)
    rule = type(error.kind).__name__
    shown = _shown(path)
    owner = _rule(schema_text, rule_path[:-1])
    match rule:
        case "AdditionalProperties":
            value = value_at(document, path)
            known = list(owner.get("properties", {}))
            for key in [one for one in value if one not in known]:
                yield Violation((*path, key), "unknown-key", _unknown_key(key, tuple(known), shown), at_key=True)
        case "Required":
            key = str(error.kind.property)
            detail = _rule(schema_text, [*rule_path[:-1], "properties", key]).get("description", "")
            yield Violation(path, "missing-key", f"{shown} needs `{key}`: {_first_sentence(detail)}")
        case "PropertyNames":
            name = error.kind.error.instance if hasattr(error.kind, "error") else ""
            yield Violation((*path, str(name)), "bad-name", f"{str(name)[:80]!r} cannot be a name here", at_key=True)
        case "MaxProperties":
            yield Violation(path, "too-many", f"{shown} takes at most {owner['maxProperties']} entries")
        case "OneOfNotValid" | "OneOfMultipleValid":
            yield _one_of(path, shown, owner, value_at(document, path))
        case "Not":
            yield Violation(path, "wrong-value", f"{shown} cannot be {_type_words(value_at(document, path))} here")
        case "Type":
            yield Violation(path, "wrong-type", _wrong_type(shown, owner["type"], value_at(document, path)))
        case "Enum":
            yield Violation(path, "wrong-value", _wrong_value(shown, owner["enum"], value_at(document, path)))
        case "Constant":
            yield Violation(path, "wrong-value", f"{shown} must be {owner['const']}")
        case "Pattern":
            yield Violation(path, "wrong-value", _wrong_pattern(shown, owner, value_at(document, path)))
        case _:
            yield Violation(path, "wrong-value", f"{shown} {_limits(owner)}")


def _rule(schema_text: str, path: list[str | int]) -> dict[str, Any]:
    """The part of a schema at a path, references followed. {} when there is none."""
    root = part = _parsed(schema_text)
    for step in path:
        if step == "$ref":
            part = _follow(root, part["$ref"])
            continue
        try:
            part = part[step]  # type: ignore[index]
        except (KeyError, IndexError, TypeError):
            return {}
    return part if isinstance(part, dict) else {}


def _follow(root: dict[str, Any], reference: str) -> Any:
    part: Any = root
    for step in reference.removeprefix("#/").split("/"):
        part = part[step]
    return part


def value_at(document: Any, path: tuple[str | int, ...]) -> Any:
    """What stands at a path that is there."""
    for step in path:
        document = document[step]
    return document


def _shown(path: tuple[str | int, ...]) -> str:
    named = [str(step) for step in path if isinstance(step, str)]
    return f"`{named[-1][:80]}`" if named else "the document"


def _first_sentence(text: str) -> str:
    first = text.split(". ", 1)[0].rstrip(".")
    if not first:
        return "it is not optional"
    return first if first[:2].isupper() else first[0].lower() + first[1:]


@functools.lru_cache(maxsize=1024)
def _unknown_key(key: str, known: tuple[str, ...], shown: str) -> str:
    folded = {one.lower(): one for one in known}
    near = get_close_matches(key[:80].lower(), folded, 1, 0.6)
    if near:
        return f"`{key[:80]}` is not known in {shown}; did you mean `{folded[near[0]]}`?"
    return f"`{key[:80]}` is not known in {shown}: known are {', '.join(known)}"


def _one_of(path: tuple[str | int, ...], shown: str, owner: dict[str, Any], value: Any) -> Violation:
    groups = [branch["required"] for branch in owner["oneOf"]]
    names = " or ".join(" and ".join(f"`{key}`" for key in group) for group in groups)
    held = [group for group in groups if all(key in value for key in group)]
    if len(held) > 1:
        return Violation((*path, held[-1][0]), "exactly-one", f"{names}: only one of them may be written", at_key=True)
    return Violation(path, "exactly-one", f"{shown} needs {names}")


def _examples(owner: dict[str, Any]) -> str:
    examples = owner.get("examples")
    return f", such as {', '.join(str(one) for one in examples)}" if examples else ""


def _wrong_type(shown: str, wanted: str | list[str], value: Any) -> str:
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


def _type_words(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return "a number"
    return "a mapping" if isinstance(value, dict) else "a list" if isinstance(value, list) else "text"


def _wrong_value(shown: str, allowed: list[Any], value: Any) -> str:
    words = tuple(dict.fromkeys(str(one).lower() if isinstance(one, bool) else str(one) for one in allowed))
    message = f"{shown} must be one of {', '.join(words)}"
    if isinstance(value, str) and value.lower() in _SWITCHES and any(one is True for one in allowed):
        return f"{message}: write {_SWITCHES[value.lower()]}, in lower case and without quotes"
    near = _near(value[:80].lower(), words) if isinstance(value, str) else ()
    return message + (f"; did you mean {near[0]}?" if near else "")


@functools.lru_cache(maxsize=1024)
def _near(word: str, words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(get_close_matches(word, words, 1))


def _wrong_pattern(shown: str, owner: dict[str, Any], value: Any) -> str:
    pattern = owner.get("pattern", "")
    if pattern.startswith("^[a-z0-9"):
        allowed = (
            "lower-case letters, digits and -"
            if "." not in pattern
            else "lower-case letters, digits, and . _ - after the first"
        )
        return f"{shown} takes {allowed}; {str(value)[:80]!r} has something else"
    if "[0-9A-Fa-f]{8}" in pattern:
        return f"{shown} must be a GUID, such as d9c944df-93a7-ea77-f7b7-fa0b9c579917"
    detail = owner.get("description", "")
    return f"{shown} is not written as it must be: {_first_sentence(detail)}{_examples(owner)}"


def _limits(owner: dict[str, Any]) -> str:
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
