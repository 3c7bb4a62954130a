"""What every page stands on: one file with its style and script inside, one policy that lets nothing else run."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from reconciler.render import Stamp
from reconciler.render.characters import neutral

_HERE = Path(__file__).parent


def page(template: Path, stamp: Stamp, *, title: str, rules: str = "", **shown: object) -> str:
    """A whole page from a template that fills the blocks of `scaffold.html`, and from what is `shown` in it.

    Its style and script stand beside the template, with its name; `rules` is style that depends on what is shown. All
    of it is allowed by its digest and nothing else is. Whatever a template is given is text: escaped, and with what is
    invisible made visible.
    """
    style, script = (
        "".join((path.with_suffix(suffix)).read_text(encoding="utf-8") for path in (_HERE / "scaffold", template))
        for suffix in (".css", ".js")
    )
    style += rules
    policy = (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    return (
        _templates(template.parent)
        .get_template(template.name)
        .render(policy=policy, style=Markup(style), script=Markup(script), title=title, stamp=stamp, **shown)  # noqa: S704 - our own files
    )


@cache
def _templates(folder: Path) -> Environment:
    templates = Environment(
        loader=FileSystemLoader([folder, _HERE]),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters["prose"] = _prose
    return templates


def _visible(value: object) -> object:
    return neutral(value) if type(value) is str else value if isinstance(value, Markup) else neutral(str(value))


def _prose(value: str) -> Markup:
    """A sentence from outside, in which what stands in backticks is code."""
    text = neutral(value)
    pieces = text.split("`")
    if len(pieces) == 1 or len(pieces) % 2 == 0:
        return escape(text)
    return Markup().join(
        Markup("<code>{}</code>").format(piece) if index % 2 else escape(piece) for index, piece in enumerate(pieces)
    )


def _digest(content: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
