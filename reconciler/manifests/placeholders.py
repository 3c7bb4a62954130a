"""What `${…}` looks like in a text, and how a text says it that means it as it stands."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from reconciler.manifests.yaml_values import YAMLValue

PLACEHOLDER = re.compile(r"\$\$\{|\$\{(?P<inside>[^}]*)(?P<end>\}?)")
"""A `${…}`, or a `$${`, which has no `inside`. One that is never closed has no `end`."""

_EACH = "each."


class EachKey(Struct, frozen=True):
    """A key of an item of `forEach`, as `${each.NAME}` or `${each.NAME:-default}`; `default` is None for the first."""

    name: str
    default: str | None = None


def each_key(inside: str | None) -> EachKey | None:
    """The key of an item that is asked for by what stands inside a `${…}`; None where something else is."""
    if inside is None or not inside.startswith(_EACH):
        return None
    name, has_default, default = inside.removeprefix(_EACH).partition(":-")
    return EachKey(name, default if has_default else None)


def asks_item(text: str) -> bool:
    """Whether a text asks an item of `forEach` for anything."""
    return f"${{{_EACH}" in text


def is_composed(value: YAMLValue) -> bool:
    """Whether a value is put together from variables, and not a text that means what it says."""
    return isinstance(value, str) and "${" in value.replace("$${", "")


def escaped(value: YAMLValue) -> YAMLValue:
    """A value as a manifest writes it, where a literal `${` is `$${`."""
    return escaped_text(value) if isinstance(value, str) else value


def escaped_text(text: str) -> str:
    """A text as a manifest writes it."""
    return text.replace("${", "$${")


def unescaped(value: YAMLValue) -> YAMLValue:
    """What a manifest's value means that is not put together from variables."""
    return value.replace("$${", "${") if isinstance(value, str) else value
