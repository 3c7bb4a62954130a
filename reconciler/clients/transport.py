"""The HTTP session of one connection: repeats what is safe to repeat, and says after a failure what may have happened.

A request that the product refused, or that never left, is Refused (Unauthorised, Missing). A change that left without
an answer that can be trusted is Uncertain, and stays so when a later attempt fails in another way. A read that fails is
a ProductError; it changed nothing. Whoever may forbid a change is asked before each of its attempts.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import partial
from typing import BinaryIO, TypeVar, cast

from reconciler.clients import failures
from reconciler.clients.auth import Credential
from reconciler.clients.calls import Reply, Request, RetryPolicy, SessionOptions
from reconciler.clients.exchange import Progress, current_exchange
from reconciler.clients.failures import AttemptFailed, FailureClass
from reconciler.clients.redaction import Redactor
from reconciler.clients.sender import Consume, Sender
from reconciler.errors import LedgerError, ProductError, Refused, Uncertain
from reconciler.model.copies import replace
from reconciler.model.project import Connection

T = TypeVar("T")


class Session(AbstractContextManager["Session"]):
    """All traffic of one connection; threads share it.

    `token_proof` is a read that tells, after a start was answered with 401 or 403, whether the token is the cause.
    Raises Refused when the connection's url or certificate bundle cannot be used.
    """

    def __init__(
        self,
        connection: Connection,
        options: SessionOptions,
        *,
        credential: Credential,
        token_proof: Request | None = None,
    ) -> None:
        self.connection = connection
        self._credential = credential
        self._options = options
        self._clock = options.clock.monotonic
        self._retry_policy = options.retry_policy or RetryPolicy()
        self._token_proof = token_proof
        self._sender = Sender(connection, options, clean=self.clean, hint=credential.hint)
        self.url = self._sender.url
        """Where the product's own paths begin."""

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._sender.close()

    # --- the three kinds of call ---------------------------------------------------------------------------------

    def json(self, request: Request) -> object:
        """What the product answers as JSON. Anything else, an empty body too, is an error."""
        return self._call(request, self._sender.read_json)

    def json_of_start(self, request: Request) -> object:
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
        return self._call(request, self._sender.read_any)

    def download(self, request: Request, sink: BinaryIO) -> int:
        """Write the body to `sink` as it arrives, and say how many bytes it had."""
        return self._call(replace(request, is_transfer=True), partial(self._sender.read_stream, sink=sink))

    def clock_skew(self) -> float | None:
        """Seconds by which the product's clock was ahead of ours at its last answer; None if it did not say."""
        if self._sender.server_date is None:
            return None
        text, at = self._sender.server_date
        try:
            said = parsedate_to_datetime(text)
        except (ValueError, TypeError):
            return None
        return float((said.replace(tzinfo=said.tzinfo or UTC) - at).total_seconds())

    def clean(self, text: str) -> str:
        """Text without secrets, ours and those of the credential in use."""
        return self._options.redact(Redactor(self._credential.secrets())(text))

    # --- attempts ------------------------------------------------------------------------------------------------

    def _call(self, request: Request, consume: Consume[T]) -> T:
        """Repeat attempts as long as that is safe and sensible; then raise what is known."""
        self._refuse_while_broken(request)
        until = self._clock() + self._retry_policy.deadline
        ambiguous: AttemptFailed | None = None
        tries = throttled = 0
        renewed = False
        while True:
            header = self._ask_credential(self._credential.header, ambiguous)
            try:
                return self._sender.send(request, header, consume)
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
                    partial(self._credential.renew, header), ambiguous
                ):
                    continue
            throttled += last.kind is FailureClass.THROTTLED
            tries += last.kind is not FailureClass.THROTTLED
            wait = self._wait_before_next(request, last, tries, throttled)
            interrupted = self._options.interrupted
            if (
                wait is None
                or self._clock() + wait > until
                or interrupted.is_set()
                or self._options.clock.wait(interrupted, wait)
            ):
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
        jitter = self._options.random() * min(policy.longest_wait, policy.first_wait * 2.0**count)
        if failure.retry_after is None:
            return jitter
        if failure.kind is FailureClass.THROTTLED and failure.retry_after <= policy.deadline:
            self._sender.rate_limiter.hold(failure.retry_after)
        return failure.retry_after + min(jitter, 1.0)

    def _verdict(self, last: AttemptFailed, ambiguous: AttemptFailed | None) -> ProductError:
        """The error for the last failure, in the light of an earlier attempt that may have taken effect."""
        if last.kind in (FailureClass.NOT_SENT, FailureClass.NO_REPLY) and last.status is None:
            self._sender.circuit_breaker.record_failure()
        return failures.verdict(last, ambiguous)

    def _left_open(self, request: Request, ambiguous: AttemptFailed | None) -> ProductError | None:
        """What earlier attempts, or the bytes sent so far, may have done when a call is forbidden; None: nothing."""
        if ambiguous is not None:
            return failures.verdict(ambiguous, ambiguous)
        if current_exchange().progress is Progress.SENT:
            return Uncertain(f"{self._sender.target(request)} was broken off while it was being sent.")
        return None

    def _refuse_while_broken(self, request: Request) -> None:
        """When call after call met silence, spare everybody the wait for a moment: nothing is sent."""
        if self._sender.circuit_breaker.is_open():
            raise Refused(
                f"{self._sender.target(request)} was not sent: {self._sender.host} did not answer "
                f"{self._sender.circuit_breaker.calls} calls in a row",
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
            self._sender.send(self._token_proof, header, self._sender.read_any)
        except AttemptFailed as failure:
            return failure.kind is FailureClass.DENIED
        return False
