"""Estates to start from: a believable one for the demo, and as large a one as a benchmark wants."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from reconciler.clock import MACHINE
from reconciler.emulator.acc_state import FileLogEntry, InputFile, Run, RunStatus, Schedule, ServerRecord, Token
from reconciler.emulator.emulated_estate import Estate
from reconciler.emulator.key_pairs import jwt_like
from reconciler.emulator.mft_state import Licence, Task, Tenant

_ZONES = ("AUS Eastern Standard Time", "UTC", "W. Europe Standard Time", "Eastern Standard Time")
_DEMO_ZONE = "AUS Eastern Standard Time"
DEMO_TENANT = "3f2b7c58-6a0e-4e0d-9b6e-0d7c2a1f9e11"
DEMO_KEY_ID = "demo-key"
_DEMO_AGENTS: tuple[tuple[str, str | None, float, tuple[RunStatus, ...]], ...] = (
    ("sequentum/Retail/prices", "Shelf prices of the eight large chains", 40.0, (RunStatus.SUCCEEDED,)),
    ("sequentum/Retail/stock", "Stock levels by store", 65.0, (RunStatus.SUCCEEDED,)),
    ("sequentum/Retail/promotions", "Weekly catalogues", 30.0, (RunStatus.SUCCEEDED,)),
    ("sequentum/Retail/reviews", None, 120.0, (RunStatus.SUCCEEDED, RunStatus.FAILED)),
    ("sequentum/Travel/flights", "Fares, fourteen days ahead", 300.0, (RunStatus.SUCCEEDED,)),
    ("sequentum/Travel/hotels", "Room rates", 240.0, (RunStatus.SUCCEEDED,)),
    ("sequentum/Travel/cars", None, 90.0, (RunStatus.FAILED,)),
    ("sequentum/Property/rentals", "Listings for rent", 180.0, (RunStatus.SUCCEEDED,)),
    ("sequentum/Property/sales", "Listings for sale", 180.0, (RunStatus.SUCCEEDED,)),
    ("sequentum/Jobs/postings", "Openings by suburb", 75.0, (RunStatus.SUCCEEDED,)),
    ("sequentum/Finance/rates", "Deposit and loan rates", 15.0, (RunStatus.SUCCEEDED,)),
    ("sequentum/Test2/quick", None, 9.0, (RunStatus.SUCCEEDED,)),
)
_BY_HAND: tuple[tuple[str, str, str, dict[str, str]], ...] = (
    ("sequentum/Retail/prices", "0 0 0 1", "2025-05-30T15:36:00", {}),
    ("sequentum/Retail/stock", "0 30 6 * * MON-FRI", "2025-02-03T06:30:00", {"region": "au"}),
    ("sequentum/Retail/reviews", "0 0 3 * * SUN", "2025-02-02T03:00:00", {"depth": "2"}),
    ("sequentum/Travel/flights", "0 0 6 0", "2025-03-01T00:00:00", {"days": "14"}),
    ("sequentum/Travel/cars", "0 15 4 * * *", "2025-03-01T04:15:00", {}),
    ("sequentum/Property/sales", "0 0 1 ? * 5L", "2025-01-31T01:00:00", {}),
    ("sequentum/Finance/rates", "0 30 0 0", "2025-07-01T09:00:00", {"currency": "AUD"}),
)
_DEMO_TASKS = (
    Task("02115928-16fe-4493-949b-d77d302a88ee", "Publish prices", 3.0, ("success",), {"folder": "/out"}),
    Task("5b6f9d0e-64a4-4c57-8d6b-6c8f3f0a7d21", "Publish stock", 4.0),
    Task("a4c0a3f5-0c3c-4b8e-bf5e-0b9f2f6f1f53", "Send partner feed", 2.0, ("failed", "success")),
)


def id_source(seed: int | str) -> Callable[[], str]:
    """Version 4 UUIDs that are the same for the same seed."""
    chance = random.Random(seed)
    return lambda: str(uuid.UUID(int=chance.getrandbits(128), version=4))


def estate(*, agents: int = 10, schedules: int = 5, seed: int = 0, start: datetime | None = None) -> Estate:
    """An estate of `agents` agents with `schedules` schedules each, made by hand. Same seed, same estate."""
    chance = random.Random(seed)
    made = Estate(new_id=id_source(seed))
    day = (start or datetime(2026, 1, 1, tzinfo=UTC)).replace(tzinfo=None)
    for number in range(agents):
        agent = made.add_agent(f"sequentum/Group{number // 100:03d}/agent-{number:05d}")
        for which in range(schedules):
            hour, minute = chance.randrange(24), chance.randrange(0, 60, 5)
            cron = f"0 {minute} {hour} * * *" if which % 2 == 0 else f"0 {chance.choice((15, 20, 30))} 0 0"
            made.add_schedule(
                agent,
                cron=cron,
                start_time=(day + timedelta(hours=chance.randrange(24))).isoformat(),
                time_zone_id=chance.choice(_ZONES),
                input_parameters=json.dumps({"shard": str(which)}, separators=(",", ":")),
            )
    made.new_id = id_source(f"{seed}/later")
    return made


def demo(now: datetime | None = None, seed: int = 1) -> Estate:
    """A dozen agents with a past, some schedules that people made by hand, and a tenant with three tasks."""
    moment = (now or MACHINE()).replace(microsecond=0)
    tenant = Tenant(
        DEMO_TENANT, licence=Licence(used=412, limit=5000, end_date=f"{moment + timedelta(days=200):%Y-%m-%d}")
    )
    made = Estate(tenant=tenant, zone="Australia/Sydney", new_id=id_source(seed))
    made.servers.append(ServerRecord())
    year = moment + timedelta(days=365)
    made.add_token(Token(jwt_like("deploy", year, "write"), user="deploy", expires=year))
    made.add_token(Token(jwt_like("auditor", year, "read"), read_only=True, user="auditor", expires=year))
    for task in _DEMO_TASKS:
        tenant.add_task(Task(task.task_id, task.name, task.duration, task.outcomes, dict(task.parameters)))
    for path, description, duration, outcomes in _DEMO_AGENTS:
        made.add_agent(path, description=description, duration=duration, outcomes=outcomes)
    cars = made.agents["sequentum/Travel/cars"]
    cars.approved = False
    reason = "Site changed its layout, prices are wrong"
    made.file_log.append(FileLogEntry(moment - timedelta(days=2, hours=3), cars.path, "mia", "disapproved", reason))
    urls = b"url\r\nhttps://shop.example/1\r\n"
    made.agents["sequentum/Retail/stock"].input_files["stores.csv"] = InputFile("stores.csv", urls)
    chance = random.Random(seed)
    for path, cron, start, parameters in _BY_HAND:
        schedule = made.add_schedule(
            path,
            cron=cron,
            start_time=start,
            time_zone_id=_DEMO_ZONE,
            input_parameters=json.dumps(parameters, separators=(",", ":")),
            log_level=chance.choice((1, 2)),
        )
        _give_past(made, schedule, moment, chance)
    made.new_id = id_source(f"{seed}/later")
    return made


def _give_past(made: Estate, schedule: Schedule, now: datetime, chance: random.Random) -> None:
    """Six daily runs of one schedule that ended as the agent's runs do."""
    agent, schedule_id = schedule.agent, schedule.schedule_id
    for days in range(6, 0, -1):
        start = now - timedelta(days=days, seconds=chance.randrange(3600), microseconds=chance.randrange(10**6))
        end = start + timedelta(seconds=agent.duration * chance.uniform(0.8, 1.3))
        outcome = agent.outcomes[-1] if days <= 2 else agent.outcomes[0]
        job = made.add_job(agent, start, schedule_id)
        run = made.add_run(Run(made.new_id(), agent, start, end, outcome, job, schedule_id), settled=True)
        schedule.last_run_time = start
        schedule.show_end(run)
