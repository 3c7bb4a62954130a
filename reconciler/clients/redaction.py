"""Secrets leave no message: every value known to be secret, and whatever looks like a credential, is blotted out."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

BLOT = "(secret)"
_SHORTEST = 4
_PEM_LINE = 16
_PEM = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)
_JWT = re.compile(r"\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?")
# A word after "bearer" is a credential only if it looks like one, so that "bearer authentication" stays readable.
_BEARER = re.compile(r"(?i)\b(bearer)(\s+|%20|\+)(?=[^\s\"']*\d|[^\s\"']{24})[A-Za-z0-9._~+/=-]{8,}")


class Redactor:
    """Replaces each of `values` by `(secret)`, in the forms in which a server, a URL or a log may show it again.

    Values shorter than four characters are left alone: they would blot out half of every sentence.
    """

    def __init__(self, values: Iterable[str] = ()) -> None:
        forms = {form for value in values for part in _parts(value) for form in _forms(part)}
        self._forms = sorted((form for form in forms if len(form) >= _SHORTEST), key=lambda form: (-len(form), form))

    def __call__(self, text: str) -> str:
        text = _PEM.sub(BLOT, text)
        # One pass over what occurs, longest first: no replacement is ever searched again.
        present = [re.escape(form) for form in self._forms if form in text]
        if present:
            text = re.sub("|".join(present), BLOT, text)
        text = _BEARER.sub(rf"\1\2{BLOT}", text)
        return _JWT.sub(BLOT, text)


def _parts(value: str) -> Iterator[str]:
    yield value
    stripped = value.strip()
    if stripped != value:
        yield stripped
    lines = stripped.splitlines()
    if len(lines) > 1:
        yield from (line for line in lines if len(line) >= _PEM_LINE and not line.startswith("-----"))


def _forms(value: str) -> Iterator[str]:
    if len(value) < _SHORTEST:
        return
    yield value
    for encoded in (quote(value, safe="", errors="replace"), quote(value, errors="replace"), quote_plus(value)):
        yield encoded
        yield re.sub("%[0-9A-F]{2}", lambda match: match[0].lower(), encoded)
    yield json.dumps(value)[1:-1]
    yield json.dumps(value, ensure_ascii=False)[1:-1]
    # A JSON text inside a JSON string, as in `inputParameters`.
    yield json.dumps(json.dumps(value)[1:-1])[1:-1]
    yield html.escape(value)
    raw = value.encode(errors="replace")
    for coded in (base64.b64encode(raw), base64.urlsafe_b64encode(raw)):
        yield coded.decode()
        yield coded.decode().rstrip("=")
