"""Structural comparison of plain data, canonical JSON, and digests: one definition of "the same"."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Protocol

from reconciler.model.plan import FieldChange
from reconciler.model.state import JSON


def canonical_json(value: JSON) -> str:
    """The one text of a value: sorted keys, no spaces, UTF-8 as it is. Equal values give equal bytes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def octets(text: str) -> bytes:
    """A text as UTF-8. A lone surrogate, which JSON can spell and UTF-8 cannot, is written as if it could."""
    return text.encode("utf-8", "surrogatepass")


def digest(value: JSON) -> str:
    """`sha256:…` of the canonical text. For what may be public; secrets and content take a `Sealer`."""
    return "sha256:" + hashlib.sha256(octets(canonical_json(value))).hexdigest()


class Sealer(Protocol):
    """Turns content into a digest that only the holder of the key can check."""

    def __call__(self, value: JSON) -> str: ...


def sealer(key: bytes) -> Sealer:
    """A `Sealer` for this key: `hmac-sha256:…` over the canonical text."""

    def seal(value: JSON) -> str:
        return "hmac-sha256:" + hmac.new(key, octets(canonical_json(value)), hashlib.sha256).hexdigest()

    return seal


def changes(before: JSON, after: JSON, path: str = "") -> Iterator[FieldChange]:
    """Every leaf at which two values differ, in order of path; mappings are walked, all else is a leaf.

    A key that one side lacks shows as None there, and a mapping beside nothing is walked like one beside an empty one.
    """
    if before == after:
        return
    if None in (before, after) and isinstance(after if before is None else before, Mapping):
        before, after = before or {}, after or {}
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted({*before, *after}):
            yield from changes(before.get(key), after.get(key), f"{path}.{key}" if path else str(key))
    else:
        yield FieldChange(path, before, after)


def field_sealer(seal: Sealer) -> Callable[[str, str], str]:
    """The digests of `sealed` one by one, each computed once: estates repeat themselves."""

    @lru_cache(maxsize=65536)
    def digest_of(field: str, text: str) -> str:
        return seal([field, text])

    return digest_of


def sealed(meaning: Mapping[str, str], seal: Sealer) -> dict[str, str]:
    """A keyed digest of each field's meaning: what the ledger remembers of a state."""
    return {field: seal([field, text]) for field, text in meaning.items()}
