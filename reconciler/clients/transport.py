"""One HTTP session per connection: paced, patient, and honest about what may have happened.

A request that the product refused, or that never left, is Refused (Unauthorised, Missing). A change that left without
an answer that can be trusted is Uncertain, and stays so when a later attempt fails in another way. A read that fails is
a ProductError; it changed nothing.
"""

from __future__ import annotations

import json
import random as randomness
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import BinaryIO, TypeVar, cast
from urllib.parse import urlsplit

import requests
import urllib3

from reconciler import __version__
from reconciler.clients import faults, wire
from reconciler.clients.calls import Authorise, Patience, Reply, Request, query_text, segment
from reconciler.clients.faults import Fate, Fault
from reconciler.clients.pace import Pace
from reconciler.clients.redaction import Redactor
from reconciler.clients.wire import StreamedBody
from reconciler.errors import Missing, ProductError, Refused, Unauthorised, Uncertain
from reconciler.model import JSON, Connection

__all__ = ["Authorise", "Patience", "Redactor", "Reply", "Request", "Session", "StreamedBody", "query_text", "segment"]

T = TypeVar("T")

_LARGEST_JSON = 64 * 1024 * 1024
_LARGEST_ERROR = 64 * 1024
_CHUNK = 256 * 1024
_BREAK_SECONDS = 5.0


class Session:
    """All traffic of one connection; threads share it.

    `interrupted`, once set, ends waiting: what is under way is finished, no attempt is repeated. `clock` is monotonic
    seconds, `now` the time of day. Raises Refused when the connection's url or certificate bundle cannot be used.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        authorise: Authorise,
        redact: Callable[[str], str] | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] | None = None,
        random: Callable[[], float] = randomness.random,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        interrupted: threading.Event | None = None,
        patience: Patience | None = None,
    ) -> None:
        self.connection = connection
        self.url = wire.base_url(connection)
        self._authorise = authorise
        self._redact = redact or Redactor()
        self._clock = clock
        self._random = random
        self._now = now
        self._interrupted = interrupted or threading.Event()
        self._sleep = sleep or self._interrupted.wait
        self._patience = patience or Patience()
        self._pace = Pace(concurrency=connection.concurrency, rate=connection.rate, clock=clock, sleep=self._sleep)
        self._adapter = wire.Adapter(pool_connections=1, pool_maxsize=max(1, connection.concurrency))
        self._proxies = wire.proxies_for(self.url)
        self._trusted = wire.trusted_bundle(connection)
        self._headers = {
            "User-Agent": f"reconciler/{__version__}",
            "Accept": "*/*",
            "Accept-Encoding": "gzip, deflate",
            "Cache-Control": "no-cache",
        }
        self._unanswered = 0
        self._broken_until = float("-inf")
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
        return self._exchange(request, self._consume_json)

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
        return self._exchange(request, self._consume_any)

    def download(self, request: Request, sink: BinaryIO) -> int:
        """Write the body to `sink` as it arrives, and say how many bytes it had."""

        def consume(request: Request, response: requests.Response) -> int:
            return self._consume_stream(request, response, sink)

        return self._exchange(request, consume)

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

    def _exchange(self, request: Request, consume: Callable[[Request, requests.Response], T]) -> T:
        """Repeat attempts as long as that is safe and sensible; then raise what is known."""
        self._refuse_while_broken(request)
        until = self._clock() + self._patience.deadline
        doubt: Fault | None = None
        tries = throttled = 0
        renewed = False
        while True:
            header = self._ask_credential(self._authorise.header, doubt)
            try:
                return self._attempt(request, header, consume)
            except Fault as fault:
                last = fault
            if last.status == 404 and request.method == "DELETE" and doubt is not None:
                return cast(T, Reply(204, "", b""))
            if last.fate in (Fate.LOST, Fate.ODD) and not request.is_read:
                doubt = last
            if last.fate is Fate.DENIED and not renewed:
                renewed = True
                if self._ask_credential(partial(self._authorise.renew, header), doubt):
                    continue
            throttled += last.fate is Fate.THROTTLED
            tries += last.fate is not Fate.THROTTLED
            wait = self._wait_before_next(request, last, tries, throttled)
            if wait is None or self._clock() + wait > until or self._interrupted.is_set():
                raise self._verdict(request, last, doubt) from None
            self._sleep(wait)
            if self._interrupted.is_set():
                raise self._verdict(request, last, doubt) from None

    def _wait_before_next(self, request: Request, fault: Fault, tries: int, throttled: int) -> float | None:
        """Seconds until the next attempt; None when there should be none."""
        patience = self._patience
        match fault.fate:
            case Fate.THROTTLED:
                if throttled >= patience.throttled_tries:
                    return None
                if fault.retry_after is None and patience.throttled_wait is not None:
                    return patience.throttled_wait
                count = throttled
            case Fate.NEVER_LEFT | Fate.LOST:
                may_repeat = fault.fate is Fate.NEVER_LEFT or request.repeatable
                if fault.is_final or not may_repeat or tries >= patience.tries:
                    return None
                count = tries
            case _:
                return None
        jitter = self._random() * min(patience.longest_wait, patience.first_wait * 2.0**count)
        if fault.retry_after is None:
            return jitter
        if fault.fate is Fate.THROTTLED and fault.retry_after <= patience.deadline:
            self._pace.hold(fault.retry_after)
        return fault.retry_after + min(jitter, 1.0)

    def _verdict(self, request: Request, last: Fault, doubt: Fault | None) -> ProductError:
        """The error for the last fault, in the light of an earlier attempt that may have taken effect."""
        if last.fate in (Fate.NEVER_LEFT, Fate.LOST) and last.status is None:
            self._unanswered += 1
            if self._unanswered >= max(4, self.connection.concurrency):
                self._broken_until = self._clock() + _BREAK_SECONDS
        if doubt is not None:
            again = "" if doubt is last else f" Asked again: {last.message}"
            return Uncertain(doubt.message + again, hint=last.hint or doubt.hint, status=doubt.status)
        if last.fate is Fate.DENIED:
            return last.as_error(Unauthorised)
        if last.status == 404:
            return last.as_error(Missing)
        if last.fate in (Fate.LOST, Fate.ODD):
            return last.as_error(ProductError)
        return last.as_error(Refused)

    def _refuse_while_broken(self, request: Request) -> None:
        """When call after call met silence, spare everybody the wait for a moment: nothing is sent."""
        if self._clock() < self._broken_until:
            raise Refused(
                f"{self._target(request)} was not sent: {urlsplit(self.url).netloc} did not answer "
                f"{self._unanswered} calls in a row",
                hint="Look at the connection's url and at the network, then try again.",
            )

    def _ask_credential(self, ask: Callable[[], T], doubt: Fault | None) -> T:
        """What the credential says. Its failure is the call's, unless an earlier attempt may have taken effect."""
        try:
            return ask()
        except ProductError as error:
            if doubt is None:
                raise
            raise Uncertain(f"{doubt.message} Asked again: {error.message}", hint=error.hint) from error

    # --- one attempt ---------------------------------------------------------------------------------------------

    def _attempt(self, request: Request, header: str, consume: Callable[[Request, requests.Response], T]) -> T:
        prepared = self._prepared(request, header)
        timeout = request.timeout or self.connection.timeout
        with self._pace.turn():
            wire.forget_sending()
            response: requests.Response | None = None
            done = False
            try:
                response = self._adapter.send(
                    prepared,
                    stream=True,
                    timeout=(min(timeout, self.connection.timeout), timeout),
                    verify=self._trusted,
                    proxies=self._proxies,
                )
                self._note_answer(response)
                if not 200 <= response.status_code < 300:
                    raise self._fault_of_status(request, response)
                result = consume(request, response)
                done = True
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, wire.BodyError) as error:
                raise self._fault_of_failure(request, error, timeout) from error
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
        self._unanswered = 0
        date = response.headers.get("Date")
        if date:
            self._server_date = (date, self._now())

    # --- bodies ----------------------------------------------------------------------------------------------------

    def _consume_json(self, request: Request, response: requests.Response) -> JSON:
        reply = self._consume_any(request, response)
        try:
            return json.loads(reply.body)
        except (ValueError, RecursionError):
            shown = faults.shown_body(reply.body, reply.content_type, self.clean) or "nothing"
            raise Fault(
                Fate.ODD,
                f"{self._target(request)} answered {reply.status} with {shown} where JSON is due.",
                status=reply.status,
                hint="Is the connection's url the address of the API?",
            ) from None

    def _consume_any(self, request: Request, response: requests.Response) -> Reply:
        body = self._read(request, response)
        content_type = response.headers.get("Content-Type") or ""
        if body and faults.is_page(body, content_type):
            raise self._page_fault(request, response.status_code, body, content_type)
        return Reply(response.status_code, content_type, body)

    def _read(self, request: Request, response: requests.Response) -> bytes:
        """The whole body, unless it is too large or takes too long."""
        started = self._clock()
        patience = max(self._patience.deadline, request.timeout or 0.0)
        parts: list[bytes] = []
        size = 0
        while chunk := response.raw.read1(_CHUNK, decode_content=True):
            parts.append(chunk)
            size += len(chunk)
            if size > _LARGEST_JSON:
                raise Fault(Fate.ODD, f"{self._target(request)} answered more than {_LARGEST_JSON >> 20} MiB.")
            if self._clock() - started > patience:
                raise Fault(Fate.LOST, f"{self._target(request)}: the answer took longer than {patience:g} s.")
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _consume_stream(self, request: Request, response: requests.Response, sink: BinaryIO) -> int:
        size = 0
        content_type = response.headers.get("Content-Type") or ""
        while True:
            try:
                chunk = response.raw.read(_CHUNK, decode_content=True)
            except (urllib3.exceptions.HTTPError, OSError) as error:
                fault = self._fault_of_failure(request, error, request.timeout or self.connection.timeout)
                fault.is_final = size > 0
                raise fault from error
            if not chunk:
                return size
            if not size and faults.is_page(chunk, content_type):
                raise self._page_fault(request, response.status_code, chunk, content_type)
            _write(sink, chunk)
            size += len(chunk)

    # --- words -----------------------------------------------------------------------------------------------------

    def _target(self, request: Request) -> str:
        return self.clean(f"{request.method} {faults.shown_target(request.path, request.query)}")

    def _page_fault(self, request: Request, status: int, body: bytes, content_type: str) -> Fault:
        return Fault(
            Fate.ODD,
            f"{self._target(request)} answered {status} with {faults.shown_body(body, content_type, self.clean)}: "
            "a sign-in page, or the wrong address.",
            status=status,
            hint="Look at the connection's url, and at what stands between us and the product.",
        )

    def _fault_of_failure(self, request: Request, error: BaseException, timeout: float) -> Fault:
        fate, words, hint = faults.of_failure(error, timeout)
        host = urlsplit(self.url).netloc
        message = self.clean(f"{self._target(request)} at {host}: {words}.")
        fault = Fault(fate, message, hint=hint)
        fault.is_final = bool(hint) or any(isinstance(cause, wire.BodyError) for cause in wire.causes(error))
        return fault

    def _fault_of_status(self, request: Request, response: requests.Response) -> Fault:
        status = response.status_code
        if 300 <= status < 400:
            location = urlsplit(response.headers.get("Location") or "")
            goal = faults.shortened(faults.printable(self.clean(f"{location.netloc}{location.path}")), 100)
            return Fault(
                Fate.ODD,
                f"{self._target(request)} answered {status}, a redirect to {goal or 'nowhere'}: "
                "a sign-in page, or the wrong address.",
                status=status,
                hint="Look at the connection's url. Redirects are not followed.",
            )
        body = self._error_body(response)
        said = faults.shown_body(body, response.headers.get("Content-Type") or "", self.clean)
        fate = faults.fate_of_status(status)
        return Fault(
            fate,
            f"{self._target(request)} answered {status}" + (f": {said}" if said else "") + ".",
            status=status,
            retry_after=faults.retry_after(response.headers.get("Retry-After"), self._now),
            hint=self._authorise.hint if fate is Fate.DENIED else "",
        )

    def _error_body(self, response: requests.Response) -> bytes:
        """The start of an error's body, as far as it can be read: the status alone says enough."""
        try:
            return bytes(response.raw.read(_LARGEST_ERROR, decode_content=True))
        except (urllib3.exceptions.HTTPError, OSError):
            return b""


def _write(sink: BinaryIO, chunk: bytes) -> None:
    try:
        sink.write(chunk)
    except OSError as error:
        raise ProductError(f"The download cannot be written: {error.strerror or error}") from error
