"""What every page stands on: one design, one policy that lets nothing else run, and style and script inside or shared.

A page that stands alone is one file. In a site the pages share their style and script (`Links.assets`), so that a
thousand pages carry them once; both were tried in a browser, served and opened from a disk.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator
from datetime import date
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from reconciler.render import Stamp
from reconciler.render.characters import neutral
from reconciler.render.frequency import minute_text
from reconciler.render.html.links import ALONE, Links, fragment

_HERE = Path(__file__).parent
_SHARED = (_HERE / "scaffold", _HERE / "components")


def page(
    template: Path, stamp: Stamp, *, title: str, links: Links = ALONE, lead: str = "", rules: str = "", **shown: object
) -> str:
    """A whole page from a template that fills the blocks of `scaffold.html`, and from what is `shown` in it.

    Its style and script stand beside the template, with its name; `lead` is a sentence below the title, and `rules` is
    style that depends on what is shown. Style and script inside are allowed by their digests, shared ones by coming
    from the page's own place, and nothing else is. Whatever a template is given is text: escaped, and with what is
    invisible made visible.
    """
    own = (*_SHARED, template)
    style_files, script_files = (tuple(_references(own, suffix, links.assets)) for suffix in (".css", ".js"))
    style = rules if links.assets else _content(own, ".css") + rules
    script = "" if links.assets else _content(own, ".js")
    policy = (
        f"default-src 'none'; style-src {_sources(style, links)}; script-src {_sources(script, links)}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    return (
        _templates(template.parent)
        .get_template(template.name)
        .render(
            policy=policy,
            style=Markup(style),  # noqa: S704 - our own files
            script=Markup(script),  # noqa: S704 - our own files
            style_files=style_files,
            script_files=script_files,
            title=title,
            lead=lead,
            stamp=stamp,
            links=links,
            **shown,
        )
    )


def asset_files(folders: Iterable[Path] = ()) -> dict[str, str]:
    """The style and script that the pages of a site share, by the names under which they lie in its folder of assets.

    `folders` are those of templates outside of this one.
    """
    found = sorted(path for folder in (_HERE, *folders) for path in folder.iterdir() if path.suffix in (".css", ".js"))
    return {path.name: path.read_text(encoding="utf-8") for path in found}


def _references(own: Iterable[Path], suffix: str, assets: str) -> Iterator[str]:
    """What a page links to; the digest makes a browser that keeps files fetch them anew when they change."""
    for path in own:
        if assets and (content := _content((path,), suffix)):
            yield f"{assets}{path.stem}{suffix}?{hashlib.sha256(content.encode()).hexdigest()[:8]}"


def _content(own: Iterable[Path], suffix: str) -> str:
    return "".join(_text(path.with_suffix(suffix)) for path in own)


@cache
def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _sources(content: str, links: Links) -> str:
    """Where style or script may come from. Firefox takes no file on a disk for `'self'`; no server is a `file:`."""
    sources = ["'self'", "file:"] if links.assets else []
    return " ".join([*sources, *([f"'{_digest(content)}'"] if content else [])]) or "'none'"


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
    templates.filters.update(prose=_prose, minute=minute_text, day_time=_day_time, fragment=_fragment)
    return templates


def _fragment(address: object) -> str:
    return fragment(str(address))


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


def _day_time(moment: str) -> str:
    """`22 November 2026, 20:45 UTC`, or the text as it is where it has another form."""
    try:
        day = date.fromisoformat(moment[:10])
    except ValueError:
        return moment
    return f"{day.day} {day:%B} {day.year}, {moment[11:16]} UTC"


def _digest(content: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
