"""The emulated Automate MFT: tokens for signed assertions, the licence, task starts and task runs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from reconciler.emulator.emulated_estate import Estate
from reconciler.emulator.key_pairs import jwt_like
from reconciler.emulator.mft_state import AccessToken, Licence, Task, TaskRun, Tenant
from reconciler.emulator.reply import Call, Refusal, Reply, json_reply
from reconciler.emulator.switches import Switches
from reconciler.model.state import JSON

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ALGORITHMS = ("ES256", "RS256", "EdDSA")
MOST_PARAMETERS = 10
LONGEST_LIFE = 600.0
_LEEWAY = 5.0
_LATEST = 10**11
_START = re.compile(r"/v1/tasks/([^/]+)/start")
_RUN = re.compile(r"/v1/task-runs/([^/]+)")
_KNOWN = (_START, _RUN, re.compile("/v1/(oauth/token|licenses/current|tasks/start)"))


@dataclass(eq=False)
class MftApi:
    """Every call of the "Automate MFT API" over the estate's tenant."""

    estate: Estate
    switches: Switches

    def answer(self, call: Call) -> Reply:
        """Answer one call under /v1. Raises Refusal."""
        tenant = self.estate.tenant
        if tenant is None:
            raise Refusal(404, "There is no tenant here")
        match call.method, call.path:
            case "POST", "/v1/oauth/token":
                return self._token(tenant, call)
            case "GET", "/v1/licenses/current":
                self._authorise(tenant, call)
                return json_reply(licence_document(tenant.licence))
            case "POST", "/v1/tasks/start":
                self._authorise(tenant, call)
                return self._start(tenant, tenant.task_named(call.query.get("name", "")), call)
        if call.method == "POST" and (match := _START.fullmatch(call.path)):
            self._authorise(tenant, call)
            return self._start(tenant, tenant.tasks.get(match[1].lower()), call)
        if call.method == "GET" and (match := _RUN.fullmatch(call.path)):
            self._authorise(tenant, call)
            return self._task_run(tenant, match[1], call.now)
        if any(pattern.fullmatch(call.path) for pattern in _KNOWN):
            raise Refusal(405, "This method is not allowed here")
        raise Refusal(404, f"There is no call {call.path}")

    def _token(self, tenant: Tenant, call: Call) -> Reply:
        """Automate MFT API: POST /v1/oauth/token."""
        body = call.json_object()
        if body.get("grant_type") != "client_credentials":
            raise Refusal(400, "unsupported_grant_type: grant_type must be client_credentials")
        if body.get("client_assertion_type") != ASSERTION_TYPE:
            raise Refusal(400, f"invalid_request: client_assertion_type must be {ASSERTION_TYPE}")
        token = body.get("client_assertion")
        if not isinstance(token, str):
            raise Refusal(400, "invalid_request: client_assertion is missing")
        audience = f"{call.base_url}/v1/oauth/token"
        assertion = read_assertion(token, keys=tenant.keys, tenant=tenant.tenant_id, audience=audience, now=call.now)
        self._refuse_replay(tenant, assertion, call.now)
        expires = call.now + timedelta(seconds=tenant.token_seconds)
        value = f"mft-{self.estate.new_id()}"
        if self.switches.access_tokens == "jwt":
            value = jwt_like(tenant.tenant_id, expires, self.estate.new_id())
        tenant.access_tokens[value] = AccessToken(value, expires, tenant.token_uses)
        document: dict[str, JSON] = {"access_token": value, "token_type": "Bearer"}
        if self.switches.expires_in == "present":
            document["expires_in"] = int(tenant.token_seconds)
        return json_reply(document, effect="token-issued")

    def _refuse_replay(self, tenant: Tenant, assertion: Assertion, now: datetime) -> None:
        seen = tenant.seen_assertions
        for known in [known for known, until in seen.items() if until < now.timestamp()]:
            del seen[known]
        if assertion.unique_id in seen:
            raise Refusal(401, "invalid_client: the assertion was used before")
        if assertion.unique_id:
            seen[assertion.unique_id] = assertion.expires

    def _authorise(self, tenant: Tenant, call: Call) -> None:
        scheme, _, value = call.headers.get("Authorization", "").partition(" ")
        token = tenant.access_tokens.get(value.strip()) if scheme.lower() == "bearer" else None
        if token is None:
            status = int(self.switches.unknown_token)
            headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
            raise Refusal(status, "The access token is missing or not known", headers)
        if call.now >= token.expires or token.uses == 0:
            raise Refusal(int(self.switches.expired_token), "The access token has expired")
        if token.uses is not None:
            token.uses -= 1

    def _start(self, tenant: Tenant, task: Task | None, call: Call) -> Reply:
        """Automate MFT API: POST /v1/tasks/{TaskID}/start, POST /v1/tasks/start?name={TaskName}."""
        if task is None:
            raise Refusal(404, "There is no such task")
        parameters = call.json_object()
        check_task_parameters(parameters)
        licence = tenant.licence
        if (licence.limit is not None and licence.used >= licence.limit) or licence.end_date < f"{call.now:%Y-%m-%d}":
            raise Refusal(int(self.switches.licence_exhausted), "The licence allows no more task executions")
        licence.used += 1
        run = TaskRun(
            run_id=self.estate.new_id(),
            task=task,
            queued=call.now,
            end=call.now + timedelta(seconds=task.duration),
            outcome=task.next_outcome(),
            parameters={**task.parameters, **parameters},
        )
        tenant.runs[run.run_id.lower()] = run
        document = {"id": run.run_id, "taskId": task.task_id, "status": {"taskRunStatus": "queued"}}
        return json_reply(document, effect="task-started")

    def _task_run(self, tenant: Tenant, run_id: str, now: datetime) -> Reply:
        """Automate MFT API: GET /v1/task-runs/{TaskRunID}."""
        run = tenant.runs.get(run_id.lower())
        if run is None:
            raise Refusal(404, f"There is no task run {run_id}")
        status = self._status(run, now)
        ended = now >= run.end
        document: dict[str, JSON] = {
            "id": run.run_id,
            "taskId": run.task.task_id,
            "taskName": run.task.name,
            "status": {"taskRunStatus": status},
            "agent": None if status == "queued" else {"id": "agent-1", "name": "Transfer agent 1"},
            "startedAt": None if status == "queued" else _text(run.queued),
            "finishedAt": _text(run.end) if ended else None,
        }
        if ended:
            good = run.outcome == "success"
            document["fileStats"] = {
                "filesTransferred": 3 if good else 0,
                "bytesTransferred": 4096 if good else 0,
                "filesFailed": 0 if good else 1,
            }
        return json_reply(document)

    def _status(self, run: TaskRun, now: datetime) -> str:
        if now >= run.end:
            return run.outcome
        share = (now - run.queued) / (run.end - run.queued)
        if share < 0.1:
            return "queued"
        if self.switches.task_run_status == "unknown" and share >= 0.5:
            return "finalizing"
        return "running"


def check_task_parameters(parameters: dict[str, JSON]) -> None:
    """At most ten, all of them strings. Raises Refusal."""
    if len(parameters) > MOST_PARAMETERS:
        raise Refusal(400, f"A task takes at most {MOST_PARAMETERS} parameters")
    for name, value in parameters.items():
        if not isinstance(value, str):
            raise Refusal(400, f"The parameter {name} must be a string")


def licence_document(licence: Licence) -> dict[str, JSON]:
    """Plan, dates and counters. Only that they are there is documented, not what they are called."""
    return {
        "plan": licence.plan,
        "tier": licence.plan.lower(),
        "startDate": licence.start_date,
        "endDate": licence.end_date,
        "counters": {"taskExecutions": {"used": licence.used, "limit": licence.limit}},
    }


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


@dataclass(frozen=True, slots=True)
class Assertion:
    """An assertion that was found good: its `jti` ("" when it has none) and when it ends, in POSIX seconds."""

    unique_id: str
    expires: float


def read_assertion(token: str, *, keys: Mapping[str, str], tenant: str, audience: str, now: datetime) -> Assertion:
    """Check an assertion against the registered public keys (PEM by key id). Raises Refusal, 401."""
    import jwt

    try:
        header = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as error:
        raise _refused("the assertion is no JWT") from error
    algorithm, key_id = header.get("alg"), header.get("kid")
    if algorithm not in ALGORITHMS:
        raise _refused(f"the algorithm must be one of {', '.join(ALGORITHMS)}")
    if not isinstance(key_id, str) or key_id not in keys:
        raise _refused("the key id is not known")
    try:
        claims = jwt.decode(
            token,
            keys[key_id],
            algorithms=[algorithm],
            audience=audience,
            options={
                "require": ["exp", "aud", "iss", "sub"],
                "verify_exp": False,
                "verify_nbf": False,
                "verify_iat": False,
            },
        )
    # A key of another kind than `alg` is one of the last two.
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as error:
        raise _refused(str(error)) from error
    if claims["iss"] != tenant or claims["sub"] != tenant:
        raise _refused("iss and sub must be the tenant id")
    return Assertion(str(claims.get("jti") or ""), _check_times(claims, now.timestamp()))


def _check_times(claims: Mapping[str, object], now: float) -> float:
    times: dict[str, float] = {}
    for name in ("exp", "nbf", "iat"):
        time = claims.get(name, 0)
        if isinstance(time, bool) or not isinstance(time, int | float):
            raise _refused(f"{name} must be a number")
        if not abs(time) < _LATEST:
            raise _refused(f"{name} is out of range")
        times[name] = float(time)
    expires = times["exp"]
    if expires <= now:
        raise _refused("the assertion has expired")
    if expires > now + LONGEST_LIFE + _LEEWAY:
        raise _refused("exp is more than ten minutes ahead")
    for name in ("nbf", "iat"):
        if times[name] > now + _LEEWAY:
            raise _refused(f"{name} lies in the future")
    return expires


def _refused(why: str) -> Refusal:
    return Refusal(401, f"invalid_client: {why}")
