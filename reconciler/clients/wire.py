"""The connection pool under `requests`, and whether a request that failed had left this machine."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from requests.utils import get_environ_proxies, select_proxy
from urllib3 import BaseHTTPResponse, ProxyManager
from urllib3.connectionpool import ConnectionPool
from urllib3.exceptions import ClosedPoolError, LocationValueError

from reconciler.clients.calls import BodyError
from reconciler.clients.exchange import POOLS, Progress, current_exchange, tracked_pools
from reconciler.errors import Refused
from reconciler.model.project import Connection
from reconciler.urls import connection_complaint, is_loopback


class Adapter(HTTPAdapter):
    """The transport of `requests`, without what a JSON API never needs: cookies, redirects, look-ups per call."""

    def __init__(self, connections: int) -> None:
        super().__init__(pool_connections=1, pool_maxsize=connections)
        self.poolmanager.pool_classes_by_scheme = POOLS
        self._pool: ConnectionPool | None = None

    def get_connection_with_tls_context(
        self,
        request: requests.PreparedRequest,
        verify: bool | str | None,  # noqa: FBT001 - as `requests` has it
        proxies: Mapping[str, str] | None = None,
        cert: tuple[str, str] | str | None = None,
    ) -> ConnectionPool:
        """One product, one certificate bundle, one proxy: the pool is found once, and not for every request."""
        if self._pool is None:
            self._pool = super().get_connection_with_tls_context(request, verify, proxies, cert)
        return self._pool

    def request_url(self, request: requests.PreparedRequest, proxies: Mapping[str, str] | None) -> str:
        return super().request_url(request, proxies) if proxies else request.path_url

    def close(self) -> None:
        super().close()
        self._pool = None

    def proxy_manager_for(self, proxy: str, **kwargs: object) -> ProxyManager:
        manager: ProxyManager = super().proxy_manager_for(proxy, **kwargs)
        is_socks = proxy.lower().startswith("socks")
        manager.pool_classes_by_scheme = tracked_pools(manager.pool_classes_by_scheme) if is_socks else POOLS
        return manager

    def build_response(self, req: requests.PreparedRequest, resp: BaseHTTPResponse) -> requests.Response:
        response = requests.Response()
        response.status_code = resp.status
        response.headers = cast("CaseInsensitiveDict[str]", resp.headers)
        response.raw = resp
        response.reason = resp.reason or ""
        response.url = req.url or ""
        response.request = req
        return response


def was_never_sent(error: BaseException) -> bool:
    """Whether this failure of the last request on this thread came before any byte of it could reach the product."""
    progress = current_exchange().progress
    if progress is not Progress.NOT_SENT:
        return progress is Progress.CONNECTING
    # It failed before any connection was asked for: only errors that speak for themselves count.
    early = (
        LocationValueError,
        ClosedPoolError,
        requests.exceptions.ProxyError,
        requests.exceptions.InvalidURL,
        requests.exceptions.InvalidHeader,
        requests.exceptions.InvalidSchema,
        BodyError,
    )
    return any(isinstance(cause, early) for cause in causes(error))


def causes(error: BaseException) -> Iterator[BaseException]:
    """The error and all that it wraps, outermost first."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        cause = waiting.pop(0)
        if not isinstance(cause, BaseException) or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        waiting += [getattr(cause, "reason", None), *cause.args[:2], cause.__cause__, cause.__context__]


# --- where to, once --------------------------------------------------------------------------------------------------


def base_url(connection: Connection) -> str:
    """The connection's URL without a slash at its end. Raises Refused when it is none that may be used."""
    complaint = connection_complaint(connection.name, connection.url, is_insecure_allowed=connection.allow_insecure)
    if complaint is not None:
        raise Refused(f"connections.{connection.name}: {complaint.message}")
    prepared = requests.PreparedRequest()
    try:
        prepared.prepare_url(connection.url, None)
        parts = urlsplit(prepared.url or "")
    except (requests.exceptions.RequestException, ValueError) as error:
        raise Refused(f"connections.{connection.name}.url: {connection.url!r} is not a URL ({error})") from error
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def proxies_for(url: str) -> dict[str, str]:
    """The proxy that the environment names for this URL. Loopback never goes through one: it would be another's."""
    parts = urlsplit(url)
    if is_loopback(parts.hostname or ""):
        return {}
    proxy = select_proxy(url, get_environ_proxies(url))
    return {parts.scheme: proxy} if proxy else {}


def trusted_bundle(connection: Connection) -> str | bool:
    """Where the trusted certificates are: the connection's own bundle, the environment's, or certifi's (True)."""
    named = [(f"connections.{connection.name}.caBundle", connection.ca_bundle)]
    named += [(name, os.environ.get(name)) for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")]
    for where, value in named:
        if value:
            path = Path(value).expanduser()
            if not path.exists():
                raise Refused(f"{where}: there is no certificate bundle at {value}")
            return str(path)
    return True
