"""The ways in which one attempt fails, and what is said of each."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum, auto

import requests
import urllib3

from reconciler.clients import wire
from reconciler.clients.calls import BodyError
from reconciler.clients.exchange import DeadlineExceeded
from reconciler.errors import Missing, ProductError, Refused, Unauthorised, Uncertain

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


@dataclass(eq=False)
class AttemptFailed(Exception):
    """One failed attempt: its class, its status if one arrived, a clean sentence, and how long we are asked to wait."""

    kind: FailureClass
    message: str
    _: KW_ONLY
    status: int | None = None
    retry_after: float | None = None
    hint: str = ""
    is_final: bool = False


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


def class_of_status(status: int) -> FailureClass:
    """What a status outside 200-299 means for the next attempt."""
    match status:
        case 429:
            return FailureClass.THROTTLED
        case 401 | 403:
            return FailureClass.DENIED
        case 502 | 503 | 504:
            return FailureClass.NO_REPLY
    return FailureClass.REFUSED if 400 <= status < 500 else FailureClass.UNEXPECTED_REPLY


def explain(error: BaseException, timeout: float) -> tuple[str, str]:
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
