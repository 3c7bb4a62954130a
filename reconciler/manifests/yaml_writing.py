"""Words values as YAML that reads back as exactly them, in the style of what stands around them."""

from __future__ import annotations

import functools
import re

import yaml

from reconciler.manifests.yaml_parsing import SourceError
from reconciler.manifests.yaml_reading import parse
from reconciler.manifests.yaml_values import YAMLValue, quoted, text_of

_WORD = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./:+-]*", re.ASCII)
_TEXT_TAGS = ("tag:yaml.org,2002:str", "tag:yaml.org,2002:timestamp")
_NUMBER_OF_1_2 = re.compile(r"0o[0-7]+|[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", re.ASCII)
"""What is a number in YAML 1.2, and may be text in 1.1, which PyYAML reads: `1e3`, `0o17`."""
_WIDEST = 100


def same(one: YAMLValue, two: YAMLValue) -> bool:
    """Whether two values are alike to the type, which 1, 1.0 and true are not."""
    if isinstance(one, dict) and isinstance(two, dict):
        return one.keys() == two.keys() and all(same(value, two[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(two, list):
        return len(one) == len(two) and all(map(same, one, two))
    return type(one) is type(two) and one == two


def inline(value: YAMLValue, *, in_flow: bool, style: str | None = None) -> str:
    """A value on one line. `style` is the quote of what it replaces, "" for none, None for a value that is new."""
    if isinstance(value, dict):
        entries = (f"{key_text(key, in_flow=True)}: {inline(one, in_flow=True)}" for key, one in value.items())
        return "{" + ", ".join(entries) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(inline(one, in_flow=True) for one in value) + "]"
    if not isinstance(value, str):
        return "null" if value is None else text_of(value)
    return _scalar(value, style, in_flow=in_flow)


def entry_lines(key: str, value: YAMLValue) -> list[str]:
    """An entry of a block mapping without its indentation, wide mappings line by line."""
    name = key_text(key, in_flow=False)
    line = f"{name}: {inline(value, in_flow=False)}"
    if len(line) <= _WIDEST or not isinstance(value, dict) or not value:
        return [line]
    return [f"{name}:", *(f"  {line}" for inner, one in value.items() for line in entry_lines(inner, one))]


@functools.lru_cache(maxsize=4096)
def key_text(key: str, *, in_flow: bool) -> str:
    """A key as plain as it can stand there."""
    if (
        _WORD.fullmatch(key)
        and ":" not in key
        and _is_text_to_all(key)
        and _reads_as(f"{{{key}: 0}}" if in_flow else f"{key}: 0", {key: 0})
    ):
        return key
    return quoted(key)


@functools.lru_cache(maxsize=4096)
def _scalar(value: str, style: str | None, *, in_flow: bool) -> str:
    tried: tuple[str, ...] = ()
    if (style == "" or (style is None and _WORD.fullmatch(value))) and _is_text_to_all(value):
        tried = (value,)
    elif style == "'":
        tried = ("'" + value.replace("'", "''") + "'",)
    for text in tried if value.isprintable() else ():  # what cannot be seen is to be seen in a review
        if _reads_as(f"{{k: {text}}}" if in_flow else f"k: {text}", {"k": value}):
            return text
    return quoted(value)


def _is_text_to_all(word: str) -> bool:
    """Whether others who read YAML take an unquoted word for text, or a time: of `on`, `007`, `1_000` they may not."""
    tag = yaml.resolver.Resolver().resolve(yaml.ScalarNode, word, (True, False))  # type: ignore[no-untyped-call]
    return tag in _TEXT_TAGS and not _NUMBER_OF_1_2.fullmatch(word)


def _reads_as(text: str, value: YAMLValue) -> bool:
    try:
        found = parse(text)
    except (SourceError, ValueError):
        return False
    return len(found) == 1 and not found[0].problems and same(found[0].value, value)
