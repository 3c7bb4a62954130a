"""The page itself: one file with its style and script inside, a policy that lets nothing else run, and one header."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from functools import cache
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from reconciler.render import Stamp
from reconciler.render.characters import neutral

_MONTHS = "January February March April May June July August September October November December"
_IN_SCRIPT = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"})


def text(value: str) -> str:
    """A string from outside as HTML text or as an attribute's value: nothing in it is markup, nothing is invisible."""
    return escape(neutral(value))


def prose(value: str) -> str:
    """A sentence from outside: as `text`, and what stands in backticks as code."""
    pieces = text(value).split("`")
    if len(pieces) % 2 == 0:
        return "`".join(pieces)
    return "".join(f"<code>{piece}</code>" if index % 2 else piece for index, piece in enumerate(pieces))


def document(
    kind: str, stamp: Stamp, body: str, *, style: str = "", script: str = "", data: Mapping[str, Any] | None = None
) -> str:
    """A whole page. `kind` is its title ("Plan"), `body` is trusted HTML for the main part.

    `style` and `script` are added to the page's own; both are allowed by their digests and nothing else is. `data` is
    embedded as JSON in the element `#data`, for a script to read.
    """
    css, js = _asset("page.css") + style, _asset("page.js") + script
    policy = (
        f"default-src 'none'; style-src '{_digest(css)}'; script-src '{_digest(js)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    embedded = f'<script type="application/json" id="data">{_embedded(data)}</script>\n' if data is not None else ""
    return Template(_asset("page.html")).substitute(
        policy=policy,
        kind=text(kind),
        name=text(stamp.project),
        place=text(stamp.environment),
        created_at=text(stamp.created_at),
        moment=_moment(stamp.created_at),
        version=text(stamp.reconciler_version),
        body=body,
        embedded=embedded,
        style=css,
        script=js,
    )


def _embedded(data: Mapping[str, Any]) -> str:
    """JSON in which no `<` can end the element, as the same value."""
    return json.dumps(data, ensure_ascii=True, separators=(",", ":")).translate(_IN_SCRIPT)


def _moment(created_at: str) -> str:
    """`22 November 2026, 20:45 UTC`, or the text as it is where it has another form."""
    try:
        year, month, day = created_at[:10].split("-")
        return f"{int(day)} {_MONTHS.split()[int(month) - 1]} {int(year)}, {text(created_at[11:16])} UTC"
    except (ValueError, IndexError):
        return text(created_at)


def _digest(content: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()


@cache
def _asset(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")
