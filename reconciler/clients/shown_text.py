"""How parts of a request and of its answer are shown in messages: on one line, without secrets, and cut."""

from __future__ import annotations

import contextlib
import html
import json
import re
import unicodedata
from collections.abc import Callable
from urllib.parse import unquote

_SHOWN_BODY = 200
_LOOKED_AT = 4000
_SHOWN_VALUE = 40
_TITLE = re.compile(r"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)


def shown_target(path: str, query: str, clean: Callable[[str], str]) -> str:
    """Path and query as a person reads them, long values cut; secrets go before anything is cut or collapsed."""
    shown = printable(clean(unquote(path)))
    if not query:
        return shown
    pairs = []
    for pair in query.split("&"):
        key, _, value = pair.partition("=")
        pairs.append(f"{key}={shortened(printable(clean(unquote(value))), _SHOWN_VALUE)}")
    return shown + "?" + "&".join(pairs)


def shown_body(body: bytes, content_type: str, clean: Callable[[str], str]) -> str:
    """What an error body says, as one short line: a page by its title, JSON and text by their beginning.

    Secrets go before the text is cut or its white space collapsed: half a secret is a secret too.
    """
    text = clean(body.decode("utf-8", errors="replace").lstrip("\ufeff").strip())
    if not text or "\x00" in text:
        return ""
    if is_page(body, content_type):
        title = _TITLE.search(text)
        return "an HTML page" + (f" titled {printable(clean(html.unescape(title[1])))[:80]!r}" if title else "")
    if text[0] in '{["':
        with contextlib.suppress(ValueError, RecursionError):
            text = json.dumps(json.loads(text), ensure_ascii=False)
    # A body is read to a limit, which may have cut a secret in half: what is near it is never brought into view.
    return shortened(printable(text[:_LOOKED_AT]), _SHOWN_BODY)


def is_page(body: bytes, content_type: str) -> bool:
    """Whether this is an HTML page, whatever it calls itself."""
    start = body[:256].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return start.startswith((b"<!doctype html", b"<html", b"<head", b"<body")) or (
        "text/html" in content_type.lower() and start.startswith(b"<")
    )


def printable(text: str) -> str:
    """One line without control, formatting or direction characters."""
    kept = ("" if unicodedata.category(char) in ("Cc", "Cf", "Cs") and not char.isspace() else char for char in text)
    return " ".join("".join(kept).split())


def shortened(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
