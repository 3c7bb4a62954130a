"""Sends one request once and reads its answer, or raises AttemptFailed. Whether it is sent again is for `transport`.

What is sent is limited: by a rate, and by a circuit breaker for a product that does not answer.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import BinaryIO, TypeVar, cast
from urllib.parse import urlsplit

import requests
import urllib3

from reconciler import __version__
from reconciler.clients import failures, shown_text, wire
from reconciler.clients.calls import BodyError, Reply, Request, SessionOptions, StreamedBody
from reconciler.clients.exchange import Exchange, begin
from reconciler.clients.failures import AttemptFailed, FailureClass
from reconciler.errors import ProductError
from reconciler.model.project import Connection

T = TypeVar("T")
Consume = Callable[[Request, requests.Response], T]

_OPEN_SECONDS = 5.0
_LARGEST_JSON = 64 * 1024 * 1024
_LARGEST_ERROR = 64 * 1024
_CHUNK = 256 * 1024
_HEADERS = {
    "User-Agent": f"reconciler/{__version__}",
    "Accept": "*/*",
    "Accept-Encoding": "gzip, deflate",
    "Cache-Control": "no-cache",
}


class RateLimiter:
    """How many requests may be under way, and how many a second may begin; shared by all threads of a session.

    `concurrency` requests may be under way; `rate` a second may begin, evenly spaced (None: no limit). A product that
    asks for a pause is given it by everybody (`hold`).
    """

    def __init__(
        self, *, concurrency: int, rate: float | None, clock: Callable[[], float], sleep: Callable[[float], object]
    ) -> None:
        self._places = threading.BoundedSemaphore(max(1, concurrency))
        self._interval = 1.0 / rate if rate else 0.0
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._next_start = float("-inf")
        self._held_until = float("-inf")

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Wait until a request may begin; it is under way while the block lasts."""
        with self._places:
            if self._interval or self._held_until > float("-inf"):
                self._wait_for_moment()
            yield

    def hold(self, seconds: float) -> None:
        """Let nobody begin for so long."""
        with self._lock:
            self._held_until = max(self._held_until, self._clock() + seconds)

    def _wait_for_moment(self) -> None:
        with self._lock:
            now = self._clock()
            start = max(now, self._next_start, self._held_until)
            self._next_start = start + self._interval
        if start > now:
            self._sleep(start - now)


@dataclass
class CircuitBreaker:
    """Counts the calls in a row that nobody answered: `enough` of them open it for a moment, and nothing is sent."""

    enough: int
    clock: Callable[[], float]
    calls: int = 0
    _open_until: float = float("-inf")

    def record_failure(self) -> None:
        self.calls += 1
        if self.calls >= self.enough:
            self._open_until = self.clock() + _OPEN_SECONDS

    def record_answer(self) -> None:
        self.calls = 0

    def is_open(self) -> bool:
        return self.clock() < self._open_until


class Sender:
    """The way to one product, shared by all threads of a session: its pool, its limits, and the words for what fails.

    `clean` takes secrets out of a text, `hint` is for a credential that is refused. Raises Refused when the
    connection's url or certificate bundle cannot be used.
    """

    def __init__(
        self, connection: Connection, options: SessionOptions, *, clean: Callable[[str], str], hint: str
    ) -> None:
        clock = options.clock
        self.url = wire.base_url(connection)
        self.host = urlsplit(self.url).netloc
        self.rate_limiter = RateLimiter(
            concurrency=connection.concurrency,
            rate=connection.rate,
            clock=clock.monotonic,
            sleep=partial(clock.wait, options.interrupted),
        )
        self.circuit_breaker = CircuitBreaker(enough=max(4, connection.concurrency), clock=clock.monotonic)
        self.server_date: tuple[str, datetime] | None = None
        """The product's `Date` at its last answer, and when that was by our clock."""
        self._connection = connection
        self._options = options
        self._clean = clean
        self._hint = hint
        self._adapter = wire.Adapter(max(1, connection.concurrency))
        self._proxies = wire.proxies_for(self.url)
        self._trusted = wire.trusted_bundle(connection)

    def close(self) -> None:
        self._adapter.close()

    def send(self, request: Request, header: str, consume: Consume[T]) -> T:
        """Send it once, with `header` as its authorisation, and hand a 2xx answer to `consume`."""
        prepared = self._prepared(request, header)
        seconds = request.timeout or self._connection.timeout
        with self.rate_limiter.slot():
            begin(
                Exchange(
                    seconds,
                    connect_seconds=self._connection.timeout,
                    is_transfer=request.is_transfer or isinstance(request.body, StreamedBody),
                    before_write=None if request.is_read else self._options.before_write,
                )
            )
            response: requests.Response | None = None
            done = False
            try:
                response = self._adapter.send(
                    prepared, stream=True, timeout=seconds, verify=self._trusted, proxies=self._proxies
                )
                self.circuit_breaker.record_answer()
                if date := response.headers.get("Date"):
                    self.server_date = (date, self._options.clock())
                if not 200 <= response.status_code < 300:
                    raise self._of_status(request, response)
                result = consume(request, response)
                done = True
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, BodyError) as error:
                raise self._of_failure(request, error) from error
            finally:
                if response is not None:
                    if done:
                        response.raw.release_conn()
                    else:
                        response.raw.close()
            return result

    def _prepared(self, request: Request, header: str) -> requests.PreparedRequest:
        """The request as `requests` sends it, put together by hand: its own preparation costs as much as the call."""
        prepared = requests.PreparedRequest()
        prepared.method = request.method
        prepared.url = f"{self.url}{request.path}?{request.query}" if request.query else self.url + request.path
        headers = _HEADERS.copy()
        if header:
            headers["Authorization"] = header
        if request.content_type:
            headers["Content-Type"] = request.content_type
        if isinstance(request.body, StreamedBody):
            headers["Content-Length"] = str(request.body.size)
            prepared.body = cast(bytes, request.body)
        elif request.body is not None or request.method != "GET":
            headers["Content-Length"] = str(len(request.body or b""))
            prepared.body = request.body
        prepared.headers = cast("requests.structures.CaseInsensitiveDict[str]", headers)
        return prepared

    # --- bodies ----------------------------------------------------------------------------------------------------

    def read_json(self, request: Request, response: requests.Response) -> object:
        reply = self.read_any(request, response)
        try:
            return json.loads(reply.body)
        except (ValueError, RecursionError):
            shown = shown_text.shown_body(reply.body, reply.content_type, self._clean) or "nothing"
            raise AttemptFailed(
                FailureClass.UNEXPECTED_REPLY,
                f"{self.target(request)} answered {reply.status} with {shown} where JSON is due.",
                status=reply.status,
                hint="Is the connection's url the address of the API?",
            ) from None

    def read_any(self, request: Request, response: requests.Response) -> Reply:
        body = self._body(request, response)
        content_type = response.headers.get("Content-Type") or ""
        if body and shown_text.is_page(body, content_type):
            raise self._of_page(request, response.status_code, body, content_type)
        return Reply(response.status_code, content_type, body)

    def _body(self, request: Request, response: requests.Response) -> bytes:
        """The whole body, unless it is too large."""
        parts: list[bytes] = []
        size = 0
        while chunk := response.raw.read1(_CHUNK, decode_content=True):
            parts.append(chunk)
            size += len(chunk)
            if size > _LARGEST_JSON:
                raise AttemptFailed(
                    FailureClass.UNEXPECTED_REPLY,
                    f"{self.target(request)} answered more than {_LARGEST_JSON >> 20} MiB.",
                )
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def read_stream(self, request: Request, response: requests.Response, sink: BinaryIO) -> int:
        size = 0
        content_type = response.headers.get("Content-Type") or ""
        while True:
            try:
                chunk = response.raw.read(_CHUNK, decode_content=True)
            except (urllib3.exceptions.HTTPError, OSError) as error:
                failure = self._of_failure(request, error)
                failure.is_final = size > 0
                raise failure from error
            if not chunk:
                return size
            if not size and shown_text.is_page(chunk, content_type):
                raise self._of_page(request, response.status_code, chunk, content_type)
            try:
                sink.write(chunk)
            except OSError as error:
                raise ProductError(f"The download cannot be written: {error.strerror or error}") from error
            size += len(chunk)

    # --- what failed, in words without secrets ------------------------------------------------------------------------

    def target(self, request: Request) -> str:
        """What was asked, as a person reads it."""
        return self._clean(f"{request.method} {shown_text.shown_target(request.path, request.query, self._clean)}")

    def _of_page(self, request: Request, status: int, body: bytes, content_type: str) -> AttemptFailed:
        """A page came where none is due."""
        return AttemptFailed(
            FailureClass.UNEXPECTED_REPLY,
            f"{self.target(request)} answered {status} with {shown_text.shown_body(body, content_type, self._clean)}: "
            "a sign-in page, or the wrong address.",
            status=status,
            hint="Look at the connection's url, and at what stands between us and the product.",
        )

    def _of_failure(self, request: Request, error: BaseException) -> AttemptFailed:
        """No answer came, or it broke off."""
        kind = FailureClass.NOT_SENT if wire.was_never_sent(error) else FailureClass.NO_REPLY
        words, hint = failures.explain(error, request.timeout or self._connection.timeout)
        failure = AttemptFailed(kind, self._clean(f"{self.target(request)} at {self.host}: {words}."), hint=hint)
        failure.is_final = bool(hint) or any(isinstance(cause, BodyError) for cause in wire.causes(error))
        return failure

    def _of_status(self, request: Request, response: requests.Response) -> AttemptFailed:
        """The answer's status says no."""
        status = response.status_code
        if 300 <= status < 400:
            location = urlsplit(response.headers.get("Location") or "")
            goal = shown_text.shortened(shown_text.printable(self._clean(f"{location.netloc}{location.path}")), 100)
            return AttemptFailed(
                FailureClass.UNEXPECTED_REPLY,
                f"{self.target(request)} answered {status}, a redirect to {goal or 'nowhere'}: "
                "a sign-in page, or the wrong address.",
                status=status,
                hint="Look at the connection's url. Redirects are not followed.",
            )
        try:  # the start of it, as far as it can be read: the status alone says enough
            body = bytes(response.raw.read(_LARGEST_ERROR, decode_content=True))
        except (urllib3.exceptions.HTTPError, OSError):
            body = b""
        said = shown_text.shown_body(body, response.headers.get("Content-Type") or "", self._clean)
        kind = failures.class_of_status(status)
        return AttemptFailed(
            kind,
            f"{self.target(request)} answered {status}" + (f": {said}" if said else "") + ".",
            status=status,
            retry_after=failures.retry_after(response.headers.get("Retry-After"), self._options.clock),
            hint=self._hint if kind is FailureClass.DENIED else "",
        )
