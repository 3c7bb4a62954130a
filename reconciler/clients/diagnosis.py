"""Turns a status, an HTML page or an exception into the AttemptFailed of one connection, in words without secrets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

import requests
import urllib3

from reconciler.clients import failures, shown_text, wire
from reconciler.clients.calls import Request
from reconciler.clients.failures import AttemptFailed, FailureClass
from reconciler.clients.uploads import BodyError
from reconciler.model import Connection

_LARGEST_ERROR = 64 * 1024


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
        words, hint = failures.explain(error, request.timeout or self.connection.timeout)
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
        body = _error_body(response)
        said = shown_text.shown_body(body, response.headers.get("Content-Type") or "", self.clean)
        kind = failures.class_of_status(status)
        return AttemptFailed(
            kind,
            f"{self.target(request)} answered {status}" + (f": {said}" if said else "") + ".",
            status=status,
            retry_after=failures.retry_after(response.headers.get("Retry-After"), self.now),
            hint=self.hint if kind is FailureClass.DENIED else "",
        )


def _error_body(response: requests.Response) -> bytes:
    """The start of an error's body, as far as it can be read: the status alone says enough."""
    try:
        return bytes(response.raw.read(_LARGEST_ERROR, decode_content=True))
    except (urllib3.exceptions.HTTPError, OSError):
        return b""
