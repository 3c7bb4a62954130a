"""What goes wrong on demand: which request, how often, and in what way."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

from reconciler.emulator.reply import Reply
from reconciler.errors import UsageError
from reconciler.files import MANIFEST_BYTES, read_regular
from reconciler.model.state import JSON

SIGN_IN = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body><form action='/login'></form></body></html>"
HTML_TYPE = "text/html; charset=utf-8"

EFFECTS = {
    "drop-before": "the connection is closed before anything happened",
    "drop-after": "the request took effect, then the connection is closed",
    "cut": "took effect; half of the reply is sent, then the connection is closed",
    "html": "200 with a sign-in page in HTML",
    "redirect": "302 to /login",
    "truncate": "took effect; the reply is half of its JSON",
    "garbage": "took effect; the reply is not text at all",
    "empty": "took effect; 200 with no body",
    "sleep": "answers only after so many seconds (sleep=1.5)",
    "status": "an HTTP error, written as its number: 503 retry-after=2 body=TEXT",
}

GRAMMAR = """\
[METHOD] PATTERN [WHEN] EFFECT [OPTION...]
  METHOD  GET, POST, DELETE or * (the default)
  PATTERN a regular expression, searched in the path with its query; * is every call
  WHEN    #3 the third match only · #3+ the third and all after it · #/3 every third · #* each (the default)
  EFFECT  400..599 · sleep=SECONDS · drop-before · drop-after · cut · html · redirect · truncate · garbage · empty
  OPTION  after | before (did it take effect?) · retry-after=SECONDS|DATE · body=TEXT (to the end of the line)"""

_TAKES_EFFECT = {"drop-after", "cut", "truncate", "garbage", "empty", "sleep"}
_LONGEST_SLEEP = 86_400
_METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE", "*"}
_WHEN = re.compile(r"#(?:(?P<every>\*)|/(?P<each>\d+)|(?P<nth>\d+)(?P<onward>\+?))")


@dataclass(eq=False)
class Fault:
    """One thing that goes wrong. `nth` counts its own matches from 1 (None: each); `onward`: that one and all after it;
    `each`: every so many. `took_effect` says whether the product does its work before the reply is spoiled."""

    effect: str
    pattern: str = ""
    method: str = "*"
    nth: int | None = None
    onward: bool = False
    each: int | None = None
    status: int = 0
    seconds: float = 0.0
    took_effect: bool | None = None
    retry_after: str | None = None
    body: str | None = None
    matched: int = field(default=0, init=False)
    fired: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        if self.effect not in EFFECTS:
            raise UsageError(f"there is no fault {self.effect!r}", hint="known are: " + ", ".join(EFFECTS))
        try:
            self._search = re.compile(self.pattern).search
        except re.error as error:
            raise UsageError(f"the fault's pattern {self.pattern!r} is not a regular expression: {error}") from error
        if self.took_effect is None:
            self.took_effect = self.effect in _TAKES_EFFECT

    def strikes(self, method: str, target: str) -> bool:
        """Whether this request is the one; counts the match. `target` is the path with its query."""
        if self.method not in ("*", method):
            return False
        if not self._search(target) and not self._search(target.partition("?")[0]):
            return False
        self.matched += 1
        if self.each is not None:
            hit = self.matched % self.each == 0
        elif self.nth is not None:
            hit = self.matched == self.nth or (self.onward and self.matched > self.nth)
        else:
            hit = True
        self.fired += hit
        return hit

    def __str__(self) -> str:
        when = "#*"
        if self.each is not None:
            when = f"#/{self.each}"
        elif self.nth is not None:
            when = f"#{self.nth}{'+' if self.onward else ''}"
        effect = {"status": str(self.status), "sleep": f"sleep={self.seconds:g}"}.get(self.effect, self.effect)
        return f"{self.method} {self.pattern or '*'} {when} {effect}"


def parse_fault(text: str) -> Fault:
    """Read one fault from its line, as `GRAMMAR` says. Raises UsageError."""
    head, _, body = text.partition(" body=")
    words = head.split()
    method = words.pop(0).upper() if words and words[0].upper() in _METHODS and len(words) > 2 else "*"
    if len(words) < 2:
        raise UsageError(f"{text!r} is not a fault", hint=GRAMMAR)
    pattern = words.pop(0)
    when = words.pop(0) if words[0].startswith("#") else "#*"
    match = _WHEN.fullmatch(when)
    if match is None:
        raise UsageError(f"{text!r}: {when!r} does not say which match", hint=GRAMMAR)
    if not words:
        raise UsageError(f"{text!r} names no effect", hint=GRAMMAR)
    effect, status, seconds = _effect(words.pop(0), text)
    took_effect, retry_after = None, None
    for word in words:
        name, _, value = word.partition("=")
        if word in ("after", "before"):
            took_effect = word == "after"
        elif name == "retry-after" and value:
            retry_after = value.replace("_", " ")
        else:
            raise UsageError(f"{text!r}: {word!r} is not an option", hint=GRAMMAR)
    return Fault(
        effect,
        "" if pattern == "*" else pattern,
        method,
        nth=int(match["nth"]) if match["nth"] else None,
        onward=bool(match["onward"]),
        each=max(1, int(match["each"])) if match["each"] else None,
        status=status,
        seconds=seconds,
        took_effect=took_effect,
        retry_after=retry_after,
        body=body or None,
    )


def _effect(word: str, text: str) -> tuple[str, int, float]:
    """The name of an effect, with its HTTP status and its seconds where it has them."""
    name, _, value = word.partition("=")
    if word.isdigit() and 400 <= int(word) <= 599:
        return "status", int(word), 0.0
    if name == "sleep":
        try:
            seconds = float(value)
        except ValueError:
            seconds = -1.0
        if not 0 <= seconds <= _LONGEST_SLEEP:
            raise UsageError(f"{text!r}: sleep takes seconds, as in sleep=1.5")
        return "sleep", 0, seconds
    if name in EFFECTS and name != "status" and not value:
        return name, 0, 0.0
    raise UsageError(f"{text!r}: {word!r} is not an effect", hint=GRAMMAR)


def fault_from(document: str | Mapping[str, JSON]) -> Fault:
    """A fault from its line, or from plain data: `{match: {method, path}, nth: 3 | every, do: drop-after, …}`."""
    if isinstance(document, str):
        return parse_fault(document)
    match = document.get("match") or {}
    nth = document.get("nth", "every")
    line = f"{match.get('method', '*')} {match.get('path') or '*'} #{'*' if nth == 'every' else nth}"
    line += f" {document.get('do', '')}"
    for option in ("retry-after", "body"):
        if document.get(option) is not None:
            line += f" {option}={document[option]}"
    return parse_fault(line)


def read_faults(path: Path) -> list[Fault]:
    """The faults in a file: a JSON or YAML list, or one a line with `#` starting a comment line. Raises UsageError."""
    try:
        text = read_regular(path, MANIFEST_BYTES).decode("utf-8")
    except (OSError, ValueError) as error:
        raise UsageError(f"the faults in {path} cannot be read: {error}") from error
    if path.suffix.lower() in (".json", ".yaml", ".yml"):
        import yaml

        try:
            entries = yaml.safe_load(text)
        except (yaml.YAMLError, RecursionError) as error:
            raise UsageError(f"the faults in {path} cannot be read: {error}") from error
        if not isinstance(entries, list):
            raise UsageError(f"{path} holds no list of faults")
        return [fault_from(entry) for entry in entries]
    lines = (line.strip() for line in text.splitlines())
    return [parse_fault(line) for line in lines if line and not line.startswith("#")]


def spoiled(fault: Fault, reply: Reply, *, retry_after: str, now: datetime) -> Reply:
    """The reply as this fault leaves it. `retry_after` (none, seconds, date) fills in what the fault does not say."""
    match fault.effect:
        case "status":
            body = b'{"message": "Injected fault"}' if fault.body is None else fault.body.encode()
            return Reply(body, fault.status, effect=reply.effect, headers=_waiting(fault, retry_after, now))
        case "html":
            return Reply(SIGN_IN, content_type=HTML_TYPE, effect=reply.effect)
        case "redirect":
            return Reply(b"", 302, HTML_TYPE, reply.effect, {"Location": "/login"})
        case "truncate":
            return Reply(reply.body[: len(reply.body) // 2], reply.status, reply.content_type, reply.effect)
        case "garbage":
            return Reply(bytes(range(128, 256)), reply.status, reply.content_type, reply.effect)
        case "empty":
            return Reply(b"", 200, reply.content_type, reply.effect)
    return reply


def _waiting(fault: Fault, style: str, now: datetime) -> dict[str, str]:
    value = fault.retry_after
    if value is None and fault.status in (429, 503) and style != "none":
        value = "1" if style == "seconds" else "date"
    if value == "date":
        value = format_datetime(now + timedelta(seconds=1), usegmt=True)
    return {"Retry-After": value} if value is not None else {}
