"""The client of Progress Automate MFT: one method for each call that is used. A start is never repeated by itself.

Sources in quotes are the resources of "Automate MFT API endpoints". Reads raise ProductError, a start Refused when
nothing happened and Uncertain when it may have.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import ClassVar

from reconciler.clients.auth import Credential, PrivateKeyJwt, token_claims, token_expiry
from reconciler.clients.calls import Request, RetryPolicy, SessionOptions, segment
from reconciler.clients.received import RawObject, Received
from reconciler.clients.shown_text import printable, shortened
from reconciler.clients.transport import Session
from reconciler.errors import ProductError, Refused, Uncertain
from reconciler.model.copies import replace
from reconciler.model.project import Connection

TOKEN_PATH = "/v1/oauth/token"  # noqa: S105 - a path, not a secret
_SUCCESS = "success"
_LONGEST_LIFE = 10**9
_LONGEST_WORD = 80
_FINAL = frozenset({_SUCCESS, "failed"})

LICENSE = Request.get("/v1/licenses/current")
"""The one read that needs nothing but a token: a token that it is refused for is not accepted."""

RETRY_POLICY = RetryPolicy(throttled_tries=3, throttled_wait=5.0)
"""As in the vendor's sample: 429 is met three times, five seconds apart, unless the answer names a wait."""

_COUNTER = "taskexecutions"
_COUNTED = {
    "limit": ("limit", "max", "maximum", "total", "allowed", "quota", "included"),
    "left": ("remaining", "left", "available"),
}


class License(Received, frozen=True):
    """The licence's plan, its dates as text, and task executions used and allowed (None: not told)."""

    tier: str | None
    start: str | None
    end: str | None
    executions: int | None
    executions_limit: int | None

    @property
    def executions_left(self) -> int | None:
        if self.executions is None or self.executions_limit is None:
            return None
        return max(0, self.executions_limit - self.executions)


class StartedTask(Received, frozen=True):
    """A start that was accepted, with the id under which its run can be asked for."""

    run_id: str


class FreshToken(Received, frozen=True):
    """An access token, when it runs out (None: not told), and what it says of itself (None: it is opaque)."""

    hidden: ClassVar[frozenset[str]] = frozenset({"raw", "token"})

    token: str
    expires: datetime | None
    claims: RawObject | None


class TaskRun(Received, frozen=True):
    """A run as it is now. `status` is the product's word in lower case; times are its own text."""

    run_id: str
    status: str
    started: str | None
    finished: str | None

    @property
    def is_final(self) -> bool:
        """Whether the run has ended. A word that nobody documents does not end it."""
        return self.status in _FINAL

    @property
    def has_succeeded(self) -> bool:
        return self.status == _SUCCESS


class MftClient:
    """The calls; threads may share one client."""

    def __init__(self, session: Session, credential: PrivateKeyJwt) -> None:
        self.session = session
        self._credential = credential

    def fresh_token(self) -> FreshToken:
        """Buy an access token now ("POST /v1/oauth/token"), whatever is at hand. Raises Refused."""
        asked = self._credential.clock()
        raw = self._credential.fresh()
        token = str(_lower(raw)["accesstoken"]).strip()
        expires = token_expiry(token)
        life = _lower(raw).get("expiresin")
        if expires is None and isinstance(life, int | float) and 0 < life < _LONGEST_LIFE:
            expires = asked + timedelta(seconds=life)
        return FreshToken(token, expires, token_claims(token), raw=raw)

    def license(self) -> License:
        """Plan and usage of the tenant ("GET /v1/licenses/current")."""
        return _license(_object(LICENSE, self.session.json(LICENSE)))

    def start_task(
        self, *, id: str | None = None, name: str | None = None, parameters: Mapping[str, str] | None = None
    ) -> StartedTask:
        """Start a task by its id or by its name ("POST /v1/tasks/{TaskID}/start", "POST /v1/tasks/start?name=").

        `parameters` are sent as texts. Raises Uncertain when no answer came that can be trusted, and when an accepted
        start names no run.
        """
        if (id is None) == (name is None):
            raise Refused("A task is started by its id or by its name: give one of them.")
        path = "/v1/tasks/start" if id is None else f"/v1/tasks/{segment(id, 'the task id')}/start"
        if name is not None and not name.strip():
            raise Refused("The task name is empty: nothing was asked of the product.")
        given = parameters or {}
        texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in given.items()}
        value = self.session.json_of_start(Request.post(path, texts, query={"name": name}))
        started = value if isinstance(value, dict) else {}
        run_id = _run_id(started)
        if not run_id:
            raise Uncertain(
                f"POST {path} was accepted, but the answer names no run. It probably started.",
                hint="Look for the run in Automate MFT.",
            )
        return StartedTask(run_id, raw=started)

    def task_run(self, run_id: str) -> TaskRun:
        """The state of a run ("GET /v1/task-runs/{TaskRunID}")."""
        request = Request.get(f"/v1/task-runs/{segment(run_id, 'the run id')}")
        raw = _object(request, self.session.json(request))
        keys = _lower(raw)
        status = keys.get("status")
        within = _lower(status) if isinstance(status, dict) else {}
        word = within.get("taskrunstatus", keys.get("taskrunstatus", status))
        if not isinstance(word, str) or not word.strip():
            raise ProductError(f"GET {request.path} was answered without a taskRunStatus.")
        times = {**within, **keys}
        said = word.strip().lower()
        return TaskRun(
            _run_id(raw) or run_id,
            said if said in _FINAL else shortened(printable(self.session.clean(word)), _LONGEST_WORD).lower(),
            _first_text(times, ("startedat", "starttime", "started", "startdate", "starttimestamp")),
            _first_text(
                times, ("finishedat", "finishtime", "endtime", "finished", "enddate", "completedat", "finishtimestamp")
            ),
            raw=raw,
        )


def connect(connection: Connection, options: SessionOptions) -> MftClient:
    """A client for this connection, with `tenantId`, `keyId` and `privateKey` (PEM text) of its settings."""
    options = replace(options, retry_policy=options.retry_policy or RETRY_POLICY)
    for_tokens = replace(options, before_write=None)
    token_session = Session(replace(connection, rate=None), for_tokens, credential=Credential())
    credential = PrivateKeyJwt(
        tenant_id=connection.settings.get("tenantId", ""),
        key_id=connection.settings.get("keyId", ""),
        private_key=connection.settings.get("privateKey", ""),
        token_url=token_session.url + TOKEN_PATH,
        ask=lambda body: token_session.json(Request.post(TOKEN_PATH, body)),
        hint=f"Look at tenantId, keyId and privateKey under connections.{connection.name} in reconciler.yaml.",
        clock=options.clock,
    )
    return MftClient(Session(connection, options, credential=credential, token_proof=LICENSE), credential)


# --- reading ---------------------------------------------------------------------------------------------------------


def _object(request: Request, value: object) -> RawObject:
    if not isinstance(value, dict):
        raise ProductError(f"{request.method} {request.path} was answered with something else than an object.")
    return value


def _lower(value: RawObject) -> dict[str, object]:
    return {str(key).lower().replace("_", ""): each for key, each in value.items()}


def _run_id(value: RawObject) -> str:
    keys = _lower(value)
    for key in ("id", "taskrunid", "runid"):
        found = keys.get(key)
        if isinstance(found, str) and found.strip():
            return found.strip()
        if isinstance(found, int) and not isinstance(found, bool):
            return str(found)
    return ""


def _first_text(keys: RawObject, names: tuple[str, ...]) -> str | None:
    return next((value for name in names if isinstance(value := keys.get(name), str) and value), None)


def _license(raw: RawObject) -> License:
    keys = _lower(raw)
    for inner in ("license", "licence", "plan", "current"):
        if isinstance(within := keys.get(inner), dict):
            keys = {**_lower(within), **keys}
    used, limit = _executions(raw)
    return License(
        tier=_first_text(keys, ("tier", "plan", "plantype", "licensetype", "name")),
        start=_first_text(keys, ("startdate", "start", "startsat", "validfrom")),
        end=_first_text(keys, ("enddate", "end", "endsat", "expirationdate", "expirydate", "expiresat", "validto")),
        executions=used,
        executions_limit=limit,
        raw=raw,
    )


def _executions(raw: RawObject) -> tuple[int | None, int | None]:
    """The counter of task executions and its limit, wherever the answer keeps them."""
    found: dict[str, int] = {}
    for path, value in _numbers(raw, ""):
        before, counter, after = path.partition(_COUNTER)
        if counter:
            about = (what for what, words in _COUNTED.items() if any(word in before + after for word in words))
            found.setdefault(next(about, "used"), value)
    used, limit, left = map(found.get, ("used", "limit", "left"))
    if limit is None and used is not None and left is not None:
        limit = used + left
    if used is None and limit is not None and left is not None:
        used = limit - left
    return used, limit


def _numbers(value: object, path: str) -> Iterator[tuple[str, int]]:
    """Every whole number by its path in lower-case letters; an entry of a list is known by its `name`."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _numbers(each, f"{path}/{_letters(str(key))}")
    elif isinstance(value, list):
        for each in value:
            keys = _lower(each) if isinstance(each, dict) else {}
            name = _first_text(keys, ("name", "type", "counter", "key", "feature")) or ""
            yield from _numbers(each, f"{path}/{_letters(name)}")
    elif isinstance(value, int) and not isinstance(value, bool):
        yield path, value


def _letters(text: str) -> str:
    return "".join(char for char in text.lower() if char.isalnum())
