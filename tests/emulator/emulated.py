"""What the emulator's tests share: a small estate with the documents' own ids, a clock, and a plain client."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import requests

from reconciler.emulator import Emulator, Estate, Tenant, Token
from reconciler.emulator.acc_state import ServerRecord
from reconciler.emulator.mft_state import Task
from reconciler.emulator.population import id_source

AGENT_ID = "a2f22850-7c88-4e05-a30a-004aa980ee6c"
OTHER_AGENT_ID = "0041d691-49d1-4c48-8c21-654b8e248c11"
SCHEDULE_ID = "d9c944df-93a7-ea77-f7b7-fa0b9c579917"
PATH = "sequentum/Test2/quick"


class Clock:
    """A clock that moves only when a test says so."""

    def __init__(self) -> None:
        self.now = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Client:
    """Plain HTTP against one emulator, with its writing token."""

    def __init__(self, emulator: Emulator, session: requests.Session) -> None:
        self.emulator = emulator
        self.session = session
        self.headers = {"Authorization": f"Bearer {emulator.token}"}

    def ask(self, method: str, path: str, **options: Any) -> requests.Response:
        headers = {**self.headers, **options.pop("headers", {})}
        options.setdefault("allow_redirects", False)
        return self.session.request(method, self.emulator.url + path, headers=headers, timeout=20, **options)

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.ask("GET", path, **options)

    def post(self, path: str, **options: Any) -> requests.Response:
        return self.ask("POST", path, **options)

    def delete(self, path: str, **options: Any) -> requests.Response:
        return self.ask("DELETE", path, **options)

    def schedules(self, agent_id: str = AGENT_ID) -> Any:
        return self.get(f"/api/job/{agent_id}/schedules").json()


Start = Callable[..., Client]


def small_estate() -> Estate:
    """Two agents, one schedule made by hand, a tenant with three tasks."""
    estate = Estate(tenant=Tenant("tenant-1", token_seconds=600), zone="Australia/Sydney", new_id=id_source("tests"))
    agent = estate.add_agent(PATH, AGENT_ID, description=None, duration=10.0)
    estate.add_agent("sequentum/Test1/Test-Agent", OTHER_AGENT_ID, description="Other", duration=10.0)
    estate.add_schedule(
        agent, SCHEDULE_ID, cron="0 0 0 1", start_time="2019-05-30T15:36:00", time_zone_id="AUS Eastern Standard Time"
    )
    estate.add_token(Token("writes"))
    estate.add_token(Token("reads", read_only=True, user="auditor"))
    estate.servers.append(ServerRecord())
    assert estate.tenant is not None
    estate.tenant.add_task(Task("02115928-16fe-4493-949b-d77d302a88ee", "Publish prices", 20.0))
    estate.tenant.add_task(Task("5b6f9d0e-64a4-4c57-8d6b-6c8f3f0a7d21", "Fail & tell/all", 0.0, ("failed", "success")))
    return estate


def schedule_body(**changes: Any) -> dict[str, Any]:
    """The documented body of "Add or update job schedule"."""
    return {
        "scheduleId": "b4cdc56a-2c16-4b1b-a135-b4e687f8bc95",
        "cron": "0 0 0 1",
        "sessionId": None,
        "startTime": "2019-07-16T11:21:20",
        "timeZoneId": "AUS Eastern Standard Time",
        "inputParameters": '{"par1":"2000","par2":"5000"}',
        "logLevel": 1,
        "isWindowless": True,
        "isEnabled": True,
        **changes,
    }
