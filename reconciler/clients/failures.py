"""The ways in which one attempt fails, and what is said of each, in words without secrets."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum, auto
from urllib.parse import urlsplit

import requests
import urllib3

from reconciler.clients import shown_text, wire
from reconciler.clients.calls import Request
from reconciler.clients.exchange import DeadlineExceeded
from reconciler.clients.uploads import BodyError
from reconciler.errors import Missing, ProductError, Refused, Unauthorised, Uncertain
from reconciler.model import Connection

_LARGEST_ERROR = 64 * 1024
_DIGITS = re.compile(r"\d{1,9}(\.\d{0,9})?")
_WORDS: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], str], ...] = (
    (urllib3.exceptions.IncompleteRead, "the answer broke off in the middle"),
    (urllib3.exceptions.DecodeError, "the answer cannot be decompressed"),
    (urllib3.exceptions.ProxyError, "the proxy cannot be reached, or will not connect"),
    (ConnectionRefusedError, "connection refused"),
    (ConnectionError, "the connection was closed without an answer"),
)


class FailureClass(Enum):
    """How one attempt failed, as far as repeating it is concerned."""

    NOT_SENT = auto()
    """Nothing reached the product."""
    THROTTLED = auto()
    """429: the product asks us to wait; nothing happened."""
    DENIED = auto()
    """401 or 403: the credential; nothing happened."""
    REFUSED = auto()
    """Another 4xx: nothing happened, and asking again would not help."""
    NO_REPLY = auto()
    """It left, and no answer came, or a gateway answered that it got none."""
    UNEXPECTED_REPLY = auto()
    """An answer came that cannot be trusted, and would come again."""


class AttemptFailed(Exception):
    """One failed attempt: its class, its status if one arrived, a clean sentence, and how long we are asked to wait."""

    def __init__(
        self,
        kind: FailureClass,
        message: str,
        *,
        status: int | None = None,
        retry_after: float | None = None,
        hint: str = "",
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.status = status
        self.retry_after = retry_after
        self.hint = hint
        self.is_final = False


_CLASSES = {
    429: FailureClass.THROTTLED,
    **dict.fromkeys((401, 403), FailureClass.DENIED),
    **dict.fromkeys((502, 503, 504), FailureClass.NO_REPLY),
}
"""What a status means for the next attempt. Of others, 4xx is a refusal, and all else is not to be trusted."""
_ERRORS: dict[FailureClass, type[ProductError]] = {
    FailureClass.DENIED: Unauthorised,
    FailureClass.NO_REPLY: ProductError,
    FailureClass.UNEXPECTED_REPLY: ProductError,
}


def verdict(last: AttemptFailed, ambiguous: AttemptFailed | None) -> ProductError:
    """The error for the last failure of a call, in the light of an earlier one that may have taken effect."""
    if ambiguous is not None:
        again = "" if ambiguous is last else f" Asked again: {last.message}"
        return Uncertain(ambiguous.message + again, hint=last.hint or ambiguous.hint, status=ambiguous.status)
    kind = Missing if last.status == 404 else _ERRORS.get(last.kind, Refused)
    return kind(last.message, hint=last.hint, status=last.status)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Makes the failures of one connection. `host` is as the url has it, `hint` is for a credential that is refused."""

    connection: Connection
    host: str
    clean: Callable[[str], str]
    hint: str
    now: Callable[[], datetime]

    def target(self, request: Request) -> str:
        """What was asked, as a person reads it."""
        return self.clean(f"{request.method} {shown_text.shown_target(request.path, request.query, self.clean)}")

    def of_page(self, request: Request, status: int, body: bytes, content_type: str) -> AttemptFailed:
        """A page came where none is due."""
        return AttemptFailed(
            FailureClass.UNEXPECTED_REPLY,
            f"{self.target(request)} answered {status} with {shown_text.shown_body(body, content_type, self.clean)}: "
            "a sign-in page, or the wrong address.",
            status=status,
            hint="Look at the connection's url, and at what stands between us and the product.",
        )

    def of_failure(self, request: Request, error: BaseException) -> AttemptFailed:
        """No answer came, or it broke off."""
        kind = FailureClass.NOT_SENT if wire.was_never_sent(error) else FailureClass.NO_REPLY
        words, hint = _explain(error, request.timeout or self.connection.timeout)
        failure = AttemptFailed(kind, self.clean(f"{self.target(request)} at {self.host}: {words}."), hint=hint)
        failure.is_final = bool(hint) or any(isinstance(cause, BodyError) for cause in wire.causes(error))
        return failure

    def of_status(self, request: Request, response: requests.Response) -> AttemptFailed:
        """The answer's status says no."""
        status = response.status_code
        if 300 <= status < 400:
            location = urlsplit(response.headers.get("Location") or "")
            goal = shown_text.shortened(shown_text.printable(self.clean(f"{location.netloc}{location.path}")), 100)
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
        said = shown_text.shown_body(body, response.headers.get("Content-Type") or "", self.clean)
        kind = _CLASSES.get(status) or (FailureClass.REFUSED if 400 <= status < 500 else FailureClass.UNEXPECTED_REPLY)
        return AttemptFailed(
            kind,
            f"{self.target(request)} answered {status}" + (f": {said}" if said else "") + ".",
            status=status,
            retry_after=retry_after(response.headers.get("Retry-After"), self.now),
            hint=self.hint if kind is FailureClass.DENIED else "",
        )


def _explain(error: BaseException, timeout: float) -> tuple[str, str]:
    """Words and hint ("" for none) for what ended an attempt without an answer."""
    chain = list(wire.causes(error))
    for cause in chain:
        if isinstance(cause, ssl.SSLCertVerificationError):
            hint = "If the server has a company's own certificate, name its bundle with caBundle."
            return f"the certificate is not trusted ({cause.verify_message})", hint
        if isinstance(cause, socket.gaierror):
            return "the host name is not known", "Look at the connection's url."
        if isinstance(cause, (BodyError, DeadlineExceeded)):
            return str(cause), ""
    for types, words in _WORDS:
        if any(isinstance(cause, types) for cause in chain):
            return words, ""
    words = next(filter(None, (_words(cause, timeout) for cause in chain)), type(error).__name__)
    return words, ""


def _words(cause: BaseException, timeout: float) -> str:
    match cause:
        case requests.exceptions.InvalidSchema() | requests.exceptions.InvalidHeader():
            return str(cause)
        case requests.exceptions.Timeout() | urllib3.exceptions.TimeoutError() | TimeoutError():
            return f"no answer within {timeout:g} s"
        case ssl.SSLError():
            return f"no TLS connection ({cause.reason or 'handshake failed'})"
        case OSError() if cause.strerror:
            return cause.strerror
    return ""


def retry_after(value: str | None, now: Callable[[], datetime]) -> float | None:
    """Seconds to wait, from seconds or an HTTP date; None when there is no sense in it."""
    text = (value or "").strip()
    if not text:
        return None
    if _DIGITS.fullmatch(text):
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now()).total_seconds())
