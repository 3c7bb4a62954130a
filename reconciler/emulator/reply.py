"""One call as a handler sees it, and what it answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from reconciler.model.state import JSON

JSON_TYPE = "application/json; charset=utf-8"


@dataclass(slots=True)
class Call:
    """A request that was read to its end. `args` are the variable parts of the path, `user` whose token it carried."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    now: datetime
    base_url: str = ""
    args: tuple[str, ...] = ()
    user: str = ""

    def json(self) -> JSON:
        """The body as JSON. Raises Refusal: 415 when it is not sent as JSON, 400 when it is none."""
        kind = self.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise Refusal(415, "The request's content type must be application/json")
        try:
            value = json.loads(self.body.decode("utf-8"), parse_constant=_no_constant)
            if b"\\u" in self.body:  # half of a surrogate pair is no text, and could never be sent back
                json.dumps(value, ensure_ascii=False).encode()
        except (ValueError, RecursionError) as error:
            raise Refusal(400, f"The body is not valid JSON: {type(error).__name__}") from error
        return value

    def json_object(self) -> dict[str, JSON]:
        """The body as a JSON object; an empty body stands for an object without keys."""
        if not self.body:
            return {}
        value = self.json()
        if not isinstance(value, dict):
            raise Refusal(400, "The body must be a JSON object")
        return value


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


@dataclass(slots=True)
class Reply:
    """An answer. `effect` names what the call changed, "" when nothing; it goes to the request log."""

    body: bytes = b""
    status: int = 200
    content_type: str = JSON_TYPE
    effect: str = ""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class DelayedReply:
    """An answer that is ready only when the emulated clock has reached `at`."""

    at: datetime
    finish: Callable[[datetime], Reply]
    effect: str = ""


class Refusal(Exception):
    """The product says no: nothing was changed."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = dict(headers or {})


def json_reply(value: object, *, status: int = 200, effect: str = "") -> Reply:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Reply(text.encode(errors="backslashreplace"), status, effect=effect)


def zip_reply(content: bytes, name: str) -> Reply:
    return Reply(
        content, content_type="application/zip", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )
