"""The emulated Automate MFT: strict about assertions, honest about runs and the licence."""

from __future__ import annotations

from typing import Any

import jwt
import pytest
import requests
from emulated import Client, Clock, Start, small_estate

from reconciler.emulator import Switches, Tenant, new_key
from reconciler.emulator.key_pairs import KeyKind

TASK = "02115928-16fe-4493-949b-d77d302a88ee"
FAILING = "Fail & tell/all"


class Mft:
    """The tenant of one emulator and a key that it knows."""

    def __init__(self, client: Client, clock: Clock, kind: KeyKind = "ES256") -> None:
        self.client = client
        self.clock = clock
        self.kind = kind
        self.private, public = new_key(kind)
        tenant = client.emulator.estate.tenant
        assert tenant is not None
        self.tenant: Tenant = tenant
        tenant.keys["key-1"] = public

    def assertion(self, *, key: str = "", algorithm: str = "", kid: str = "key-1", **changes: Any) -> str:
        now = self.clock.now.timestamp()
        claims = {
            "aud": f"{self.client.emulator.url}/v1/oauth/token",
            "jti": "one",
            "iat": now,
            "nbf": now,
            "exp": now + 240,
            "iss": "tenant-1",
            "sub": "tenant-1",
            **changes,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(claims, key or self.private, algorithm=algorithm or self.kind, headers={"kid": kid})

    def ask_token(self, assertion: str, **changes: Any) -> requests.Response:
        body = {
            "grant_type": "client_credentials",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": assertion,
            **changes,
        }
        return self.client.post("/v1/oauth/token", json=body, headers={"Authorization": ""})

    def sign_in(self, jti: str = "one") -> None:
        token = self.ask_token(self.assertion(jti=jti)).json()["access_token"]
        self.client.headers = {"Authorization": f"bearer {token}"}

    def begin(self, path: str = f"/v1/tasks/{TASK}/start", **options: Any) -> requests.Response:
        return self.client.post(path, **options)

    def status(self, run_id: str) -> Any:
        return self.client.get(f"/v1/task-runs/{run_id}").json()["status"]["taskRunStatus"]


@pytest.fixture
def mft(start: Start, clock: Clock) -> Mft:
    return Mft(start(), clock)


@pytest.mark.parametrize("kind", ["ES256", "RS256", "EdDSA"])
def test_each_kind_of_key_gets_a_token(start: Start, clock: Clock, kind: KeyKind) -> None:
    reply = Mft(start(), clock, kind)
    token = reply.ask_token(reply.assertion())
    assert token.status_code == 200
    assert (token.json()["token_type"], token.json()["expires_in"]) == ("Bearer", 600)


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "http://elsewhere/v1/oauth/token"},
        {"aud": None},
        {"iss": "tenant-2"},
        {"sub": "tenant-2"},
        {"iss": None},
        {"exp": None},
        {"kid": "key-2"},
    ],
)
def test_a_wrong_assertion_is_refused(mft: Mft, changes: dict[str, Any]) -> None:
    assert mft.ask_token(mft.assertion(**changes)).status_code == 401


@pytest.mark.parametrize(
    ("claim", "offset", "status"),
    [
        ("exp", 0, 401),
        ("exp", -1, 401),
        ("exp", 1, 200),
        ("exp", 600, 200),
        ("exp", 700, 401),
        ("nbf", 60, 401),
        ("nbf", -60, 200),
        ("iat", 60, 401),
        ("iat", -60, 200),
    ],
)
def test_the_times_of_an_assertion_are_checked(mft: Mft, claim: str, offset: float, status: int) -> None:
    changed: dict[str, Any] = {claim: mft.clock.now.timestamp() + offset}
    assert mft.ask_token(mft.assertion(**changed)).status_code == status


def test_what_is_only_recommended_may_be_missing(mft: Mft) -> None:
    assert mft.ask_token(mft.assertion(jti=None, iat=None, nbf=None)).status_code == 200


def test_a_key_that_is_not_registered_is_refused(mft: Mft) -> None:
    stranger, _ = new_key()
    other_kind, _ = new_key("RS256")
    assert mft.ask_token(mft.assertion(key=stranger)).status_code == 401
    assert mft.ask_token(mft.assertion(key=other_kind, algorithm="RS256")).status_code == 401
    assert mft.ask_token("not.a.jwt").status_code == 401
    secret = "a shared secret that is long enough to be one"
    assert mft.ask_token(mft.assertion(key=secret, algorithm="HS256")).status_code == 401


def test_an_assertion_is_good_once(mft: Mft) -> None:
    assertion = mft.assertion()
    assert [mft.ask_token(assertion).status_code for _ in range(2)] == [200, 401]
    mft.clock.advance(300)
    assert mft.ask_token(mft.assertion()).status_code == 200


def test_the_token_request_must_be_json(mft: Mft) -> None:
    form = {"grant_type": "client_credentials", "client_assertion": mft.assertion()}
    assert mft.client.post("/v1/oauth/token", data=form).status_code == 415
    assert mft.ask_token(mft.assertion(), grant_type="password").status_code == 400
    assert mft.ask_token(mft.assertion(), client_assertion_type="jwt").status_code == 400
    assert mft.ask_token(mft.assertion(), client_assertion=None).status_code == 400


@pytest.mark.parametrize("path", ["/v1/licenses/current", "/v1/task-runs/x"])
def test_without_an_access_token_nothing_is_answered(mft: Mft, path: str) -> None:
    assert mft.client.get(path).status_code == 401


def test_the_licence_shows_plan_dates_and_counters(mft: Mft) -> None:
    mft.sign_in()
    assert mft.client.get("/v1/licenses/current").json() == {
        "plan": "Professional",
        "tier": "professional",
        "startDate": "2026-01-01",
        "endDate": "2027-12-31",
        "counters": {"taskExecutions": {"used": 0, "limit": 10000}},
    }


def test_a_task_runs_to_its_end(mft: Mft) -> None:
    mft.sign_in()
    run_id = mft.begin(json={}).json()["id"]
    assert mft.status(run_id) == "queued"
    mft.clock.advance(10)
    assert mft.status(run_id) == "running"
    mft.clock.advance(10)
    run = mft.client.get(f"/v1/task-runs/{run_id}").json()
    assert run["status"] == {"taskRunStatus": "success"}
    assert (run["startedAt"], run["finishedAt"]) == ("2026-05-04T12:00:00.000Z", "2026-05-04T12:00:20.000Z")
    assert run["agent"]["name"] == "Transfer agent 1"
    assert run["fileStats"] == {"filesTransferred": 3, "bytesTransferred": 4096, "filesFailed": 0}
    assert mft.tenant.licence.used == 1


def test_a_task_is_started_by_name_with_parameters(mft: Mft) -> None:
    mft.sign_in()
    statuses = []
    for _ in range(2):
        reply = mft.begin("/v1/tasks/start", params={"name": FAILING}, json={"folder": "/out"})
        statuses.append(mft.status(reply.json()["id"]))
    assert statuses == ["failed", "success"]
    assert [run.parameters for run in mft.tenant.runs.values()] == [{"folder": "/out"}] * 2


def test_a_start_without_a_body_is_good(mft: Mft) -> None:
    mft.sign_in()
    assert mft.begin().status_code == 200


def test_what_does_not_exist_is_404(mft: Mft) -> None:
    mft.sign_in()
    assert mft.begin("/v1/tasks/nothing/start", json={}).status_code == 404
    assert mft.begin("/v1/tasks/start", params={"name": "nothing"}, json={}).status_code == 404
    assert mft.client.get("/v1/task-runs/nothing").status_code == 404
    assert mft.client.get("/v1/tasks").status_code == 404
    assert mft.tenant.licence.used == 0


@pytest.mark.parametrize("body", [{str(n): "x" for n in range(11)}, {"a": 1}, {"a": None}, {"a": {"b": "c"}}])
def test_impossible_parameters_are_refused(mft: Mft, body: dict[str, Any]) -> None:
    mft.sign_in()
    assert mft.begin(json=body).status_code == 400
    assert mft.tenant.licence.used == 0


def test_an_access_token_ends_by_time(mft: Mft) -> None:
    mft.sign_in()
    mft.clock.advance(599)
    assert mft.client.get("/v1/licenses/current").status_code == 200
    mft.clock.advance(1)
    assert mft.client.get("/v1/licenses/current").status_code == 403


def test_an_access_token_ends_by_count(start: Start, clock: Clock) -> None:
    mft = Mft(start(switches=Switches(expired_token="401", expires_in="absent")), clock)
    mft.tenant.token_uses = 2
    assert "expires_in" not in mft.ask_token(mft.assertion()).json()
    mft.sign_in(jti="two")
    assert [mft.client.get("/v1/licenses/current").status_code for _ in range(3)] == [200, 200, 401]


@pytest.mark.parametrize("status", ["402", "403"])
def test_a_licence_runs_out(start: Start, clock: Clock, status: str) -> None:
    mft = Mft(start(switches=Switches(licence_exhausted=status)), clock)
    mft.tenant.licence.limit = 1
    mft.sign_in()
    assert [mft.begin(json={}).status_code for _ in range(2)] == [200, int(status)]
    mft.tenant.licence.limit = None
    assert mft.begin(json={}).status_code == 200
    mft.tenant.licence.end_date = "2026-05-03"
    assert mft.begin(json={}).status_code == int(status)


def test_a_state_that_nobody_documented(start: Start, clock: Clock) -> None:
    mft = Mft(start(switches=Switches(task_run_status="unknown")), clock)
    mft.sign_in()
    run_id = mft.begin(json={}).json()["id"]
    clock.advance(15)
    assert mft.status(run_id) == "finalizing"
    clock.advance(5)
    assert mft.status(run_id) == "success"


@pytest.mark.parametrize(("fault", "used"), [("drop-before", 0), ("drop-after", 1), ("429", 0), ("504 after", 1)])
def test_a_start_whose_reply_is_lost(start: Start, clock: Clock, fault: str, used: int) -> None:
    mft = Mft(start(faults=[f"POST /start$ #1 {fault}"]), clock)
    mft.sign_in()
    try:
        assert mft.begin(json={}).status_code >= 400
    except requests.ConnectionError:
        assert fault.startswith("drop")
    assert mft.tenant.licence.used == used
    assert mft.client.emulator.requests[-1].effect == ("task-started" if used else "")


def test_without_a_tenant_there_is_no_such_product(start: Start) -> None:
    estate = small_estate()
    estate.tenant = None
    assert start(estate).get("/v1/licenses/current").status_code == 404
