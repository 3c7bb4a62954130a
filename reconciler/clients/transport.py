"""One HTTP session per connection: paced, patient, and honest about what may have happened.

A request that the product refused, or that never left, is Refused (Unauthorised, Missing). A change that left without
an answer that can be trusted is Uncertain, and stays so when a later attempt fails in another way. A read that fails is
a ProductError; it changed nothing. Whoever may forbid a change is asked before each of its attempts.
"""

from __future__ import annotations

import json
import random as randomness
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import BinaryIO, TypeVar, cast
from urllib.parse import urlsplit

import requests
import urllib3

from reconciler import __version__
from reconciler.clients import failures, wire
from reconciler.clients.calls import Authorise, Reply, Request, RetryPolicy, query_text, segment
from reconciler.clients.diagnosis import Diagnosis
from reconciler.clients.exchange import Exchange, has_left, watch
from reconciler.clients.failures import AttemptFailed, FailureClass
from reconciler.clients.limits import CircuitBreaker, RateLimiter
from reconciler.clients.redaction import Redactor
from reconciler.clients.wire import StreamedBody
from reconciler.clock import Clock
from reconciler.errors import LedgerError, ProductError, Refused, Uncertain
from reconciler.model import JSON, Connection

__all__ = [
    "Authorise",
    "Redactor",
    "Reply",
    "Request",
    "RetryPolicy",
    "Session",
    "StreamedBody",
    "query_text",
    "segment",
]

T = TypeVar("T")

_LARGEST_JSON = 64 * 1024 * 1024
_CHUNK = 256 * 1024


class Session:
    """All traffic of one connection; threads share it.

    `interrupted`, once set, ends waiting: what is under way is finished, no attempt is repeated. `before_write` is
    asked right before each attempt of a request that could change something; a LedgerError of its ends the call.
    `token_proof` is a read that tells, after a start was answered with 401 or 403, whether the token is the cause.
    Raises Refused when the connection's url or certificate bundle cannot be used.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        authorise: Authorise,
        redact: Callable[[str], str] | None = None,
        clock: Clock,
        random: Callable[[], float] = randomness.random,
        interrupted: threading.Event | None = None,
        retry_policy: RetryPolicy | None = None,
        before_write: Callable[[], None] | None = None,
        token_proof: Request | None = None,
    ) -> None:
        self.connection = connection
        self.url = wire.base_url(connection)
        self._authorise = authorise
        self._redact = redact or Redactor()
        self._clock = clock.monotonic
        self._random = random
        self._now = clock
        self._interrupted = interrupted or threading.Event()
        self._sleep = partial(clock.wait, self._interrupted)
        self._retry_policy = retry_policy or RetryPolicy()
        self._before_write = before_write
        self._token_proof = token_proof
        self._rate_limiter = RateLimiter(
            concurrency=connection.concurrency, rate=connection.rate, clock=clock.monotonic, sleep=self._sleep
        )
        self._adapter = wire.Adapter(pool_connections=1, pool_maxsize=max(1, connection.concurrency))
        self._proxies = wire.proxies_for(self.url)
        self._trusted = wire.trusted_bundle(connection)
        self._headers = {
            "User-Agent": f"reconciler/{__version__}",
            "Accept": "*/*",
            "Accept-Encoding": "gzip, deflate",
            "Cache-Control": "no-cache",
        }
        self._circuit_breaker = CircuitBreaker(enough=max(4, connection.concurrency), clock=clock.monotonic)
        self._diagnosis = Diagnosis(connection, urlsplit(self.url).netloc, self.clean, authorise.hint, clock)
        self._server_date: tuple[str, datetime] | None = None

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._adapter.close()

    # --- the three kinds of call ---------------------------------------------------------------------------------

    def json(self, request: Request) -> JSON:
        """What the product answers as JSON. Anything else, an empty body too, is an error."""
        return self._call(request, self._consume_json)

    def json_of_start(self, request: Request) -> JSON:
        """The same for a call that starts something: when it was accepted in other words, it says so."""
        try:
            return self.json(request)
        except Uncertain as error:
            if error.status is not None and 200 <= error.status < 300:
                raise Uncertain(
                    f"{error.message} It probably started.", hint=error.hint, status=error.status
                ) from error
            raise

    def send(self, request: Request) -> Reply:
        """Any 2xx, empty bodies included; an HTML page is an error, since it comes from somebody else."""
        return self._call(request, self._consume_any)

    def download(self, request: Request, sink: BinaryIO) -> int:
        """Write the body to `sink` as it arrives, and say how many bytes it had."""

        def consume(request: Request, response: requests.Response) -> int:
            return self._consume_stream(request, response, sink)

        return self._call(replace(request, is_transfer=True), consume)

    def clock_skew(self) -> float | None:
        """Seconds by which the product's clock was ahead of ours at its last answer; None if it did not say."""
        if self._server_date is None:
            return None
        text, at = self._server_date
        try:
            said = parsedate_to_datetime(text)
        except (ValueError, TypeError):
            return None
        return float((said.replace(tzinfo=said.tzinfo or UTC) - at).total_seconds())

    def clean(self, text: str) -> str:
        """Text without secrets, ours and those of the credential in use."""
        return self._redact(Redactor(self._authorise.secrets())(text))

    # --- attempts ------------------------------------------------------------------------------------------------

    def _call(self, request: Request, consume: Callable[[Request, requests.Response], T]) -> T:
        """Repeat attempts as long as that is safe and sensible; then raise what is known."""
        self._refuse_while_broken(request)
        until = self._clock() + self._retry_policy.deadline
        ambiguous: AttemptFailed | None = None
        tries = throttled = 0
        renewed = False
        while True:
            header = self._ask_credential(self._authorise.header, ambiguous)
            try:
                return self._attempt(request, header, consume)
            except AttemptFailed as failure:
                last = failure
            except LedgerError as forbidden:
                forbidden.left_open = self._left_open(request, ambiguous)
                raise
            if last.status == 404 and request.method == "DELETE" and ambiguous is not None:
                return cast(T, Reply(204, "", b""))
            if last.kind in (FailureClass.NO_REPLY, FailureClass.UNEXPECTED_REPLY) and not request.is_read:
                ambiguous = last
            if last.kind is FailureClass.DENIED and not renewed:
                renewed = True
                if self._may_be_the_token(request, header) and self._ask_credential(
                    partial(self._authorise.renew, header), ambiguous
                ):
                    continue
            throttled += last.kind is FailureClass.THROTTLED
            tries += last.kind is not FailureClass.THROTTLED
            wait = self._wait_before_next(request, last, tries, throttled)
            if wait is None or self._clock() + wait > until or self._interrupted.is_set():
                raise self._verdict(last, ambiguous) from None
            self._sleep(wait)
            if self._interrupted.is_set():
                raise self._verdict(last, ambiguous) from None

    def _wait_before_next(self, request: Request, failure: AttemptFailed, tries: int, throttled: int) -> float | None:
        """Seconds until the next attempt; None when there should be none."""
        policy = self._retry_policy
        match failure.kind:
            case FailureClass.THROTTLED:
                if throttled >= policy.throttled_tries:
                    return None
                if failure.retry_after is None and policy.throttled_wait is not None:
                    return policy.throttled_wait
                count = throttled
            case FailureClass.NOT_SENT | FailureClass.NO_REPLY:
                may_repeat = failure.kind is FailureClass.NOT_SENT or request.repeatable
                if failure.is_final or not may_repeat or tries >= policy.tries:
                    return None
                count = tries
            case _:
                return None
        jitter = self._random() * min(policy.longest_wait, policy.first_wait * 2.0**count)
        if failure.retry_after is None:
            return jitter
        if failure.kind is FailureClass.THROTTLED and failure.retry_after <= policy.deadline:
            self._rate_limiter.hold(failure.retry_after)
        return failure.retry_after + min(jitter, 1.0)

    def _verdict(self, last: AttemptFailed, ambiguous: AttemptFailed | None) -> ProductError:
        """The error for the last failure, in the light of an earlier attempt that may have taken effect."""
        if last.kind in (FailureClass.NOT_SENT, FailureClass.NO_REPLY) and last.status is None:
            self._circuit_breaker.record_failure()
        return failures.verdict(last, ambiguous)

    def _left_open(self, request: Request, ambiguous: AttemptFailed | None) -> ProductError | None:
        """What earlier attempts, or the bytes sent so far, may have done when a call is forbidden; None: nothing."""
        if ambiguous is not None:
            return failures.verdict(ambiguous, ambiguous)
        if has_left():
            return Uncertain(f"{self._diagnosis.target(request)} was broken off while it was being sent.")
        return None

    def _refuse_while_broken(self, request: Request) -> None:
        """When call after call met silence, spare everybody the wait for a moment: nothing is sent."""
        if self._circuit_breaker.is_open():
            raise Refused(
                f"{self._diagnosis.target(request)} was not sent: {urlsplit(self.url).netloc} did not answer "
                f"{self._circuit_breaker.calls} calls in a row",
                hint="Look at the connection's url and at the network, then try again.",
            )

    def _ask_credential(self, ask: Callable[[], T], ambiguous: AttemptFailed | None) -> T:
        """What the credential says. Its failure is the call's, unless an earlier attempt may have taken effect."""
        try:
            return ask()
        except ProductError as error:
            if ambiguous is None:
                raise
            raise Uncertain(f"{ambiguous.message} Asked again: {error.message}", hint=error.hint) from error

    def _may_be_the_token(self, request: Request, header: str) -> bool:
        """Whether another token could help after 401 or 403. For a start that has to be proven: a read is refused too.

        A permission that is missing, or a block, is answered in the same way, and a start must not be sent twice on a
        guess.
        """
        if request.repeatable or request.is_read:
            return True
        if self._token_proof is None:
            return False
        try:
            self._attempt(self._token_proof, header, self._consume_any)
        except AttemptFailed as failure:
            return failure.kind is FailureClass.DENIED
        return False

    # --- one attempt ---------------------------------------------------------------------------------------------

    def _attempt(self, request: Request, header: str, consume: Callable[[Request, requests.Response], T]) -> T:
        prepared = self._prepared(request, header)
        seconds = request.timeout or self.connection.timeout
        with self._rate_limiter.turn():
            watch(
                Exchange(
                    seconds,
                    connect_seconds=self.connection.timeout,
                    is_transfer=request.is_transfer or isinstance(request.body, StreamedBody),
                    before_write=None if request.is_read else self._before_write,
                )
            )
            response: requests.Response | None = None
            done = False
            try:
                response = self._adapter.send(
                    prepared, stream=True, timeout=seconds, verify=self._trusted, proxies=self._proxies
                )
                self._note_answer(response)
                if not 200 <= response.status_code < 300:
                    raise self._diagnosis.of_status(request, response)
                result = consume(request, response)
                done = True
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, wire.BodyError) as error:
                raise self._diagnosis.of_failure(request, error) from error
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
        headers = self._headers.copy()
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

    def _note_answer(self, response: requests.Response) -> None:
        self._circuit_breaker.record_answer()
        date = response.headers.get("Date")
        if date:
            self._server_date = (date, self._now())

    # --- bodies ----------------------------------------------------------------------------------------------------

    def _consume_json(self, request: Request, response: requests.Response) -> JSON:
        reply = self._consume_any(request, response)
        try:
            return json.loads(reply.body)
        except (ValueError, RecursionError):
            shown = failures.shown_body(reply.body, reply.content_type, self.clean) or "nothing"
            raise AttemptFailed(
                FailureClass.UNEXPECTED_REPLY,
                f"{self._diagnosis.target(request)} answered {reply.status} with {shown} where JSON is due.",
                status=reply.status,
                hint="Is the connection's url the address of the API?",
            ) from None

    def _consume_any(self, request: Request, response: requests.Response) -> Reply:
        body = self._read(request, response)
        content_type = response.headers.get("Content-Type") or ""
        if body and failures.is_page(body, content_type):
            raise self._diagnosis.of_page(request, response.status_code, body, content_type)
        return Reply(response.status_code, content_type, body)

    def _read(self, request: Request, response: requests.Response) -> bytes:
        """The whole body, unless it is too large."""
        parts: list[bytes] = []
        size = 0
        while chunk := response.raw.read1(_CHUNK, decode_content=True):
            parts.append(chunk)
            size += len(chunk)
            if size > _LARGEST_JSON:
                raise AttemptFailed(
                    FailureClass.UNEXPECTED_REPLY,
                    f"{self._diagnosis.target(request)} answered more than {_LARGEST_JSON >> 20} MiB.",
                )
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _consume_stream(self, request: Request, response: requests.Response, sink: BinaryIO) -> int:
        size = 0
        content_type = response.headers.get("Content-Type") or ""
        while True:
            try:
                chunk = response.raw.read(_CHUNK, decode_content=True)
            except (urllib3.exceptions.HTTPError, OSError) as error:
                failure = self._diagnosis.of_failure(request, error)
                failure.is_final = size > 0
                raise failure from error
            if not chunk:
                return size
            if not size and failures.is_page(chunk, content_type):
                raise self._diagnosis.of_page(request, response.status_code, chunk, content_type)
            _write(sink, chunk)
            size += len(chunk)


def _write(sink: BinaryIO, chunk: bytes) -> None:
    try:
        sink.write(chunk)
    except OSError as error:
        raise ProductError(f"The download cannot be written: {error.strerror or error}") from error
