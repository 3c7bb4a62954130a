"""Rules for the URLs of connections and ledgers, and which hosts are this machine (loopback)."""

from __future__ import annotations

import functools
import ipaddress
import re
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

SQLITE = "sqlite:///"
LEDGER_FORMS = "sqlite:///PATH or postgresql://USER@HOST/DATABASE"

_POSTGRES = re.compile(r"postgres(?:ql)?(?:\+psycopg)?://", re.IGNORECASE)
_FROM_THE_API_ON = {"acc": ("api", "https://acc.sequentum.com"), "mft": ("v1", "https://api.us.mft.progress.com")}


class Complaint(NamedTuple):
    """A stable code, and what is wrong with what to write instead."""

    code: str
    message: str


@functools.lru_cache(maxsize=256)
def is_loopback(host: str) -> bool:
    """Whether a host is this machine: `localhost`, 127.0.0.0/8, `::1`, and these as IPv4-mapped IPv6 addresses.

    Other names are not, whatever they resolve to: a resolver may be anybody's.
    """
    name = host.removeprefix("[").removesuffix("]").removesuffix(".").lower()
    if name == "localhost":
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


def connection_complaint(name: str, url: str, *, is_insecure_allowed: bool) -> Complaint | None:
    """What is wrong with the URL of the connection `name` (acc, mft); None when it may be used."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return Complaint("bad-url", "`url` cannot be read as a URL: write it like https://acc.sequentum.com")
    message = ""
    if any(char.isspace() or char == "\\" or not char.isprintable() for char in url):
        message = "`url` has a space, a backslash or a character that nobody sees: look at what fills it in"
    elif parts.scheme not in ("http", "https") or not host or port == 0:
        message = "`url` must be https:// and a host, such as https://acc.sequentum.com"
    elif parts.username is not None or parts.password is not None:
        message = "`url` may not hold a user or a password: credentials have keys of their own"
    elif "?" in url or "#" in url:
        message = "`url` may not have a query or a fragment: it is where the product's own paths begin"
    elif name in _FROM_THE_API_ON and parts.path.rstrip("/").rpartition("/")[2].lower() == _FROM_THE_API_ON[name][0]:
        # An address copied from the vendor's page goes on where every call begins by itself.
        part, example = _FROM_THE_API_ON[name]
        meant = url.rstrip("/")[: -len(part)].rstrip("/") or example
        message = f"`url` ends in /{part}, which every call adds by itself: write {meant}"
    if message:
        return Complaint("bad-url", message)
    if parts.scheme == "http" and not is_insecure_allowed and not is_loopback(host):
        return Complaint(
            "insecure-url",
            "plain http would send the credential in clear text: write https, or `allowInsecure: true` if you must",
        )
    return None


def ledger_kind(url: str) -> str:
    """`sqlite` or `postgresql` (also written `postgres://`); "" for any other URL, or one that names nothing."""
    if url.startswith(SQLITE) and len(url) > len(SQLITE):
        return "sqlite"
    match = _POSTGRES.match(url)
    return "postgresql" if match and len(url) > match.end() else ""


def url_secrets(url: str) -> frozenset[str]:
    """The passwords in a URL, as they are written and as they are meant; none where it cannot be read."""
    try:
        parts = urlsplit(url)
        found = {parts.password or ""} | {value for key, value in parse_qsl(parts.query) if "password" in key}
    except ValueError:
        return frozenset()
    return frozenset(found | set(map(unquote, found))) - {""}


def postgres_url(url: str) -> str:
    """A PostgreSQL URL as its driver takes it, whichever of the names its scheme has."""
    return _POSTGRES.sub("postgresql://", url, count=1)
