"""Somebody at a keyboard, in a project of files whose connections lead to an emulator over real HTTP."""

from __future__ import annotations

import contextlib
import io
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock

from clocks import BEGIN, SkippingClock
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from reconciler.cli import main
from reconciler.emulator import Emulator, Estate, Tenant, Token, new_key
from reconciler.emulator.acc_state import Agent, Run, RunStatus, Schedule, ScheduleStatus
from reconciler.emulator.mft_state import Task

PRIVATE, PUBLIC = new_key()
TOKEN = "acc-token-that-nobody-may-see"
TENANT = "tenant-of-the-tests"
PATH = "sequentum/Retail/prices"
ZONE = "AUS Eastern Standard Time"
SCHEMAS = Path(__file__).parents[2] / "schemas" / "output"

PROJECT = """\
apiVersion: reconciler/v1
kind: Project
metadata: {name: retail-data}
spec:
  connections:
    acc:
      url: ${env:ACC_URL}
      token: ${env:ACC_TOKEN}
    mft:
      url: ${env:ACC_URL}
      tenantId: ${env:MFT_TENANT}
      keyId: key-1
      privateKey: ${file:mft.pem}
  environments:
    prod: {}
"""


@dataclass
class Typed:
    """What a command ended with."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


@dataclass
class Desk:
    """A project in a folder, and the environment variables that its author has set."""

    root: Path
    emulator: Emulator
    clock: SkippingClock
    environ: dict[str, str] = field(default_factory=dict)

    def type(self, *words: str, columns: int = 120, **variables: Any) -> Typed:
        """Run one command without a terminal. An environment variable that is None is not set."""
        out, err = io.StringIO(), io.StringIO()
        environ = {**self.environ, "COLUMNS": str(columns), **variables}
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "USER", "LOGNAME") if name in os.environ}
        given = kept | {name: value for name, value in environ.items() if value is not None}
        with (
            mock.patch.dict(os.environ, given, clear=True),
            mock.patch("sys.stdin", io.StringIO()),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            code = main(["-C", str(self.root), *words], clock=self.clock)
        typed = Typed(code, out.getvalue(), err.getvalue())
        assert "Traceback" not in typed.err + typed.out, typed.err
        assert "internal error" not in typed.err, typed.err
        assert TOKEN not in typed.out + typed.err
        assert PRIVATE.splitlines()[1] not in typed.out + typed.err
        return typed

    def write(self, name: str, text: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    @property
    def agent(self) -> Agent:
        return self.emulator.estate.agents[PATH]


def estate(**licence: Any) -> Estate:
    """One agent without schedules, and a tenant with two tasks."""
    made = Estate(tenant=Tenant(TENANT, keys={"key-1": PUBLIC}), zone="Australia/Sydney")
    made.add_token(Token(TOKEN))
    made.add_agent(PATH)
    assert made.tenant is not None
    made.tenant.licence.used = 10
    for name, value in licence.items():
        setattr(made.tenant.licence, name, value)
    made.tenant.add_task(Task("02115928-16fe-4493-949b-d77d302a88ee", "Publish prices", 0.0))
    made.tenant.add_task(Task("5b6f9d0e-64a4-4c57-8d6b-6c8f3f0a7d21", "Fail", 0.0, ("failed",)))
    return made


@contextlib.contextmanager
def desk(root: Path, made: Estate | None = None, **options: Any) -> Iterator[Desk]:
    """A fresh project in `root` against an emulator of its own."""
    clock = SkippingClock()
    with Emulator(made or estate(), clock=clock, **options) as emulator:
        root.mkdir(parents=True, exist_ok=True)
        (root / "mft.pem").write_text(PRIVATE)
        (root / "mft.pem").chmod(0o600)
        (root / "reconciler.yaml").write_text(PROJECT)
        yield Desk(root, emulator, clock, {"ACC_URL": emulator.url, "ACC_TOKEN": TOKEN, "MFT_TENANT": TENANT})


def give_run(
    schedule: Schedule,
    *,
    ago: timedelta,
    took: timedelta = timedelta(seconds=40),
    outcome: RunStatus = RunStatus.SUCCEEDED,
) -> Run:
    """Let a schedule have run, as its history and its own fields show it."""
    agent = schedule.agent
    start = BEGIN - ago
    run = Run(f"00000000-0000-4000-8000-{len(agent.runs):012d}", agent, start, start + took, outcome)
    run.schedule_id = schedule.schedule_id
    run.settled = start + took < BEGIN
    agent.runs.append(run)
    schedule.last_run_time = start
    if run.settled:
        good = outcome is RunStatus.SUCCEEDED
        schedule.status = ScheduleStatus.SUCCEEDED if good else ScheduleStatus.FAILED
        schedule.completed_time = start + took
    else:
        schedule.status = ScheduleStatus.RUNNING
    return run


def accepts(name: str, document: Mapping[str, Any]) -> None:
    """Hold a document against the published schema of its command."""
    schema = json.loads((SCHEMAS / f"{name}.schema.json").read_text())
    Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(document)


NASTY = st.text(
    st.one_of(
        st.characters(codec="utf-8"),
        st.sampled_from(list("${}:-#'\"\\\n\r\t,[]&*!|>%@`~=<?\x00\x85\u2028\u202e\ufeff\U0001f551")),
    ),
    max_size=30,
)
CRON = st.sampled_from(
    ["0 0 0 1", "0 15 0 0", "30 0 0 0", "0 0 2 * * *", "5 4 3 ? * MON#2", "0 0 1 L * ?", "1 2 3 0", "0/5 * * * * *"]
)
SCHEDULE = st.fixed_dictionaries(
    {
        "cron": CRON | NASTY,
        "start_time": st.datetimes().map(lambda at: at.isoformat()) | NASTY,
        "time_zone_id": st.sampled_from([ZONE, "UTC", "Eastern Standard Time", "Odd Standard Time"]) | NASTY,
        "session_id": st.none() | NASTY,
        "input_parameters": st.dictionaries(NASTY, NASTY, max_size=3).map(json.dumps) | NASTY,
        "log_level": st.integers(-1, 5),
        "is_windowless": st.booleans(),
        "is_enabled": st.booleans(),
    }
)


def populated(schedules: list[dict[str, Any]]) -> Estate:
    """An estate with whatever people may have typed into ACC."""
    made = estate()
    for number, values in enumerate(schedules):
        made.add_schedule(PATH, f"{number:08x}-93a7-4a77-b7b7-fa0b9c579917", **values)
    return made
