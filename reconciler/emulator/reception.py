"""What is refused before it becomes a call: nonsense, pages of other sites, what is too large, what comes too often."""

from __future__ import annotations

import functools
import math
import re
from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote_to_bytes, urlsplit

from reconciler.emulator.reply import Call, Refusal
from reconciler.emulator.switches import Switches
from reconciler.urls import is_loopback

if TYPE_CHECKING:
    from aiohttp import web

_PRINTED = re.compile(r"[!-~]+")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_LARGEST_ADMIN = 30_000_000
_SECOND = timedelta(seconds=1)


class Reception:
    """Receives requests for the products, and says no where a careful server would. Every Refusal is a 4xx."""

    def __init__(self, switches: Switches) -> None:
        self._largest = _LARGEST_ADMIN if switches.body_limit == "none" else int(switches.body_limit)
        self._is_limited = switches.body_limit != "none"
        self._per_second = 0 if switches.rate_limit == "none" else int(switches.rate_limit.removesuffix("/s"))
        self._retry_after = switches.retry_after
        self._taken: dict[bool, deque[datetime]] = {True: deque(), False: deque()}

    async def receive(self, request: web.BaseRequest, clock: Callable[[], datetime]) -> Call:
        """The call that a request is, read to its end, at the time that it is then. Raises Refusal."""
        path, _, query = target_of(request.raw_path).partition("?")
        host = _own_host(request.headers.getall("Host", []))
        _refuse_foreign(request.headers)
        try:
            values = dict(parse_qsl(query, keep_blank_values=True, errors="strict")) if query else {}
        except ValueError:
            raise Refusal(400, "The query is not UTF-8") from None
        return Call(
            method=request.method,
            path=_decoded(path),
            query=values,
            headers=request.headers,
            body=await self._body(request) if request.body_exists else b"",
            now=clock(),
            base_url=f"http://{host}",
        )

    async def _body(self, request: web.BaseRequest) -> bytes:
        too_large = Refusal(413, f"The body has more than {self._largest} bytes")
        if self._is_limited and (request.content_length or 0) > self._largest:
            raise too_large
        parts: list[bytes] = []
        size = 0
        try:
            while part := await request.content.readany():
                parts.append(part)
                size += len(part)
                if self._is_limited and size > self._largest:
                    raise too_large
        except Refusal:
            raise
        except Exception as error:  # each parser of aiohttp has errors of its own
            raise Refusal(400, f"The body cannot be read: {type(error).__name__}") from error
        return b"".join(parts)

    def admit(self, call: Call) -> None:
        """Count a call against its product's limit of one second. Raises Refusal: 429, with when to come again."""
        if not self._per_second:
            return
        now, taken = call.now, self._taken[call.path.startswith("/v1/")]
        while taken and not now - _SECOND < taken[0] <= now:
            taken.popleft()
        if len(taken) < self._per_second:
            taken.append(now)
            return
        free = taken[0] + _SECOND
        wait = max(1, math.ceil((free - now).total_seconds()))
        again = str(wait)
        if self._retry_after == "date":
            again = format_datetime(now + timedelta(seconds=wait), usegmt=True)
        raise Refusal(429, "Too many requests", {"Retry-After": again})


def target_of(raw: str) -> str:
    """The path with its query, also where a client sends the whole URL. Raises Refusal for what is no target."""
    if not _PRINTED.fullmatch(raw):
        raise Refusal(400, "The request's target may hold ASCII letters only")
    if "%" in raw and _BAD_ESCAPE.search(raw):
        raise Refusal(400, "The request's target has a % without two hexadecimal digits")
    if raw[0] == "/":
        return raw
    for scheme in ("http://", "https://"):
        if raw.lower().startswith(scheme):
            return "/" + raw[len(scheme) :].partition("/")[2]
    return raw


def _decoded(path: str) -> str:
    if "%" not in path:
        return path
    try:
        text = unquote_to_bytes(path).decode("utf-8")
    except UnicodeDecodeError:
        raise Refusal(400, "The path is not UTF-8") from None
    if "\0" in text:
        raise Refusal(400, "The path holds a NUL")
    return text


def _own_host(given: list[str]) -> str:
    """The request's Host, which must be this machine: a page whose name was made to lead here has another."""
    if len(given) != 1:
        raise Refusal(400, "One Host header is required")
    host = _host_in(given[0])
    if not host:
        raise Refusal(400, "The Host header is not valid")
    if not is_loopback(host):
        raise Refusal(421, "This server answers for the loopback addresses only")
    return given[0]


@functools.lru_cache(maxsize=64)
def _host_in(authority: str) -> str:
    """The host in HOST:PORT; "" when that is not what it is."""
    try:
        parts = urlsplit(f"//{authority}")
        is_plain = parts.netloc == authority and parts.username is None and parts.port != 0
    except ValueError:
        return ""
    return (parts.hostname or "") if is_plain else ""


def _refuse_foreign(headers: Mapping[str, str]) -> None:
    """Refuse what a page of another site sends from a browser on this machine."""
    origin = headers.get("Origin")
    if origin is None:
        return
    try:
        host = urlsplit(origin).hostname or ""
    except ValueError:
        host = ""
    if not is_loopback(host):
        raise Refusal(403, "Pages of other origins may not call this server")
