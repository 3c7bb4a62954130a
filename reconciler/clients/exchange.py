"""The deadline of one request, how far it got, and who is asked before its first byte leaves.

One deadline covers everything from the connection to the last byte, however slowly the bytes come: status line,
headers, any number of `100 Continue`, bodies and the bodies of errors. A file on its way, up or down, may take longer
as long as it moves; it is never endless.
"""

from __future__ import annotations

import io
import socket
import threading
import time
from collections.abc import Callable, Sized
from enum import Enum, auto
from http.client import HTTPResponse
from typing import TYPE_CHECKING, TypeAlias, cast

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, LocationParseError, NameResolutionError, NewConnectionError
from urllib3.util.connection import allowed_gai_family

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

SLOWEST_TRANSFER = 16 * 1024
"""Bytes a second that a file has to move, on the whole, to be given more time than the connection's timeout."""

LONGEST_TRANSFER = 6 * 3600.0
"""Seconds after which a transfer ends, however well it moves."""

_IDLE_SECONDS = 10.0
"""A pooled connection that rested longer is not trusted: firewalls forget it silently, and leave a start in doubt."""

_ASK_AGAIN_SECONDS = 1.0
"""A process may have been frozen while it sent for so long: whoever was asked before is asked again."""

PoolClasses: TypeAlias = dict[str, type[HTTPConnectionPool]]
_of_thread = threading.local()


class Progress(Enum):
    """How far a request got."""

    NOT_SENT = auto()
    """No connection was asked for yet."""
    CONNECTING = auto()
    """A connection is being made; a proxy's CONNECT is part of that."""
    SENT = auto()
    """A byte of it may have reached the product."""


class DeadlineExceeded(TimeoutError):
    """An exchange lasted longer than it may; the text says how."""


class Exchange:
    """What is known of the request that this thread is sending.

    `seconds` is the time for all of it, `connect_seconds` the part of it in which a connection must stand.
    `before_write`, for a request that could change something, is asked right before its first byte leaves, and again
    while it is being sent for long; what it raises ends the exchange.
    """

    def __init__(
        self,
        seconds: float,
        *,
        connect_seconds: float,
        is_transfer: bool = False,
        before_write: Callable[[], None] | None = None,
    ) -> None:
        now = time.monotonic()
        self.progress = Progress.NOT_SENT
        self.has_answer = False
        self._seconds = seconds
        self._until = now + seconds
        self._connected_until = now + min(seconds, connect_seconds)
        self._latest = now + max(LONGEST_TRANSFER, seconds) if is_transfer else self._until
        self._is_transfer = is_transfer
        self._before_write = before_write
        self._asked_at: float | None = None

    def remaining(self) -> float:
        """Seconds that are left. Raises DeadlineExceeded when none are."""
        until = self._connected_until if self.progress is Progress.CONNECTING else self._until
        left = until - time.monotonic()
        if left <= 0:
            raise self.deadline_exceeded()
        return left

    def moved(self, size: int) -> None:
        """So many bytes went or came: a transfer earns time by them, never more at once than it began with."""
        if self._is_transfer:
            self._until = min(self._until + size / SLOWEST_TRANSFER, time.monotonic() + self._seconds, self._latest)

    def deadline_exceeded(self) -> DeadlineExceeded:
        if self._is_transfer and (self.has_answer or self.progress is Progress.SENT):
            if time.monotonic() >= self._latest:
                return DeadlineExceeded(f"the transfer took longer than {LONGEST_TRANSFER / 3600:g} h")
            return DeadlineExceeded(
                f"the transfer stood still, or moved less than {SLOWEST_TRANSFER >> 10} KiB a second"
            )
        if self.has_answer:
            return DeadlineExceeded(f"the answer was not complete within {self._seconds:g} s")
        return DeadlineExceeded(f"no answer within {self._seconds:g} s")

    def ask_before_write(self) -> None:
        """Ask whether this may be sent, unless that was answered a moment ago."""
        if self._before_write is None:
            return
        # The time of day too: it goes on while a machine sleeps.
        now = time.time()
        if self._asked_at is None or abs(now - self._asked_at) > _ASK_AGAIN_SECONDS:
            self._before_write()
            self._asked_at = time.time()


def begin(exchange: Exchange) -> None:
    """From now on this thread sends for `exchange`."""
    _of_thread.exchange = exchange


def current_exchange() -> Exchange:
    """The exchange of this thread."""
    exchange: Exchange = _of_thread.exchange
    return exchange


# --- connections -----------------------------------------------------------------------------------------------------


class _TimedReader(io.RawIOBase):
    """A socket's incoming side that keeps to the exchange's deadline at every single read."""

    def __init__(self, source: io.RawIOBase, sock: socket.socket, exchange: Exchange) -> None:
        self._source = source
        self._sock = sock
        self._exchange = exchange

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int | None:
        exchange = self._exchange
        self._sock.settimeout(exchange.remaining())
        try:
            size: int | None = self._source.readinto(buffer)
        except TimeoutError:
            raise exchange.deadline_exceeded() from None
        if size:
            exchange.has_answer = True
            exchange.moved(size)
        return size

    def close(self) -> None:
        if not self.closed:
            self._source.close()
        super().close()


class _TimedResponse(HTTPResponse):
    """An answer that is read under the exchange's deadline."""

    def __init__(
        self, sock: socket.socket, debuglevel: int = 0, method: str | None = None, url: str | None = None
    ) -> None:
        super().__init__(sock, debuglevel, method, url)
        self.fp = io.BufferedReader(_TimedReader(self.fp.detach(), sock, current_exchange()))


class Tracked:
    """Mixed into a connection: notes how far its exchange got, keeps its deadline, and asks before bytes leave.

    A proxy's CONNECT is part of connecting: with it nothing of the request has left.
    """

    response_class: type[HTTPResponse] = _TimedResponse
    _connecting = False
    _used_at = 0.0

    def connect(self) -> None:
        self._connecting = True
        current_exchange().progress = Progress.CONNECTING
        try:
            super().connect()  # type: ignore[misc]
        finally:
            self._connecting = False
        self._used_at = time.monotonic()

    def send(self, data: object) -> None:
        exchange = current_exchange()
        if not self._connecting:
            if self.sock is None:  # type: ignore[attr-defined]
                self.connect()
            exchange.ask_before_write()
            exchange.progress = Progress.SENT
            self._used_at = time.monotonic()
        self.sock.settimeout(exchange.remaining())  # type: ignore[attr-defined]
        try:
            super().send(data)  # type: ignore[misc]
        except TimeoutError:
            raise exchange.deadline_exceeded() from None
        exchange.moved(len(cast(Sized, data)))

    @property
    def is_connected(self) -> bool:
        fresh = time.monotonic() - self._used_at < _IDLE_SECONDS
        return fresh and bool(super().is_connected)  # type: ignore[misc]


class _Dialled(Tracked):
    """A connection that tries every address of its host within one deadline, and not each within its own."""

    def _new_conn(self) -> socket.socket:
        host, port = self._dns_host, self.port  # type: ignore[attr-defined]
        failure: OSError | None = None
        try:
            addresses = socket.getaddrinfo(host.strip("[]"), port, allowed_gai_family(), socket.SOCK_STREAM)
        except UnicodeError as error:
            raise LocationParseError(f"{host!r}, a label is empty or too long") from error
        except socket.gaierror as error:
            raise NameResolutionError(host, self, error) from error  # type: ignore[arg-type]
        for family, kind, protocol, _, address in addresses:
            sock = socket.socket(family, kind, protocol)
            try:
                for option in self.socket_options or ():  # type: ignore[attr-defined]
                    sock.setsockopt(*option)
                sock.settimeout(current_exchange().remaining())
                sock.connect(address)
                sock.settimeout(current_exchange().remaining())
            except OSError as error:
                sock.close()
                failure = error
                if isinstance(error, DeadlineExceeded):
                    break
            else:
                return sock
        if isinstance(failure, TimeoutError):
            raise ConnectTimeoutError(self, f"connecting to {host} took too long") from failure
        raise NewConnectionError(self, f"no connection to {host}: {failure}") from failure  # type: ignore[arg-type]


def tracked_pools(classes: PoolClasses, tracked: type[Tracked] = Tracked) -> PoolClasses:
    """Pools like these, whose connections are watched."""
    return {
        scheme: type(
            pool.__name__, (pool,), {"ConnectionCls": type(tracked.__name__, (tracked, pool.ConnectionCls), {})}
        )
        for scheme, pool in classes.items()
    }


POOLS = tracked_pools({"http": HTTPConnectionPool, "https": HTTPSConnectionPool}, _Dialled)
"""What a pool manager makes its pools of, unless a SOCKS proxy dials for them."""
