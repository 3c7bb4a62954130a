"""A project folder and both products over real HTTP: what a person has who types `reconciler`."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

from clocks import SkippingClock
from editor_acceptance import refused_by_editors, refused_text

from reconciler import cli
from reconciler.emulator import Emulator, Estate, Switches, Task, Tenant, Token, new_key
from reconciler.emulator.acc_state import Schedule
from reconciler.identity import is_owned, owned_id

TOKEN = "acc-token-that-nobody-may-see"
PASSWORD = "swordfish-and-chips"
HAND_MADE = "d9c944df-93a7-ea77-f7b7-fa0b9c579917"
PRICES = "sequentum/Retail/prices"
CLOCKED = Path(__file__).parents[1] / "clocked.py"
STOCK = "sequentum/Retail/stock"

PROJECT = """\
apiVersion: reconciler/v1
kind: Project
metadata: {{name: retail}}
spec:
  connections:
    acc: {{url: {url}, token: "${{env:ACC_TOKEN}}"}}
    mft: {{url: {url}, tenantId: tenant-1, keyId: key-1, privateKey: "${{env:MFT_KEY}}"}}
  variables: {{zone: Australia/Sydney}}
"""

NIGHTLY = """\
    - name: nightly
      cron: "0 0 2 * * MON-FRI"
      startTime: 2026-01-01T02:00:00
      timeZone: ${var:zone}
"""
POLL = """\
    - name: poll
      every: 15m
      startTime: 2026-01-01T00:00:00
      timeZone: UTC
"""


def agent(*schedules: str, name: str = "prices", path: str = "", extra: str = "") -> str:
    """An Agent document with these schedule blocks; `extra` are more lines of its spec, indented by two."""
    blocks = "".join(schedules)
    listed = f"  schedules:\n{blocks}" if blocks else "  schedules: []\n"
    path = path or f"sequentum/Retail/{name}"
    return f"apiVersion: reconciler/v1\nkind: Agent\nmetadata: {{name: {name}}}\nspec:\n  path: {path}\n{extra}{listed}"


def task_trigger(name: str = "publish", *, task: str = "Publish prices", revision: str = "1", extra: str = "") -> str:
    return (
        "apiVersion: reconciler/v1\nkind: TaskTrigger\n"
        f'metadata: {{name: {name}}}\nspec:\n  task: {{name: {task}}}\n  when: {{revision: "{revision}"}}\n{extra}'
    )


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """All that was printed, as one line."""
        return " ".join((self.out + self.err).split())

    @property
    def document(self) -> Any:
        return json.loads(self.out)


def estate() -> Estate:
    """Two agents, a schedule that somebody made by hand on one of them, and three tasks."""
    found = Estate(tenant=Tenant("tenant-1"), zone="Australia/Sydney")
    prices = found.add_agent(PRICES, duration=0.0)
    found.add_agent(STOCK, duration=0.0)
    found.add_schedule(
        prices,
        HAND_MADE,
        cron="0 0 0 1",
        start_time="2019-05-30T15:36:00",
        time_zone_id="AUS Eastern Standard Time",
        input_parameters='{"b":"2","a":"1"}',
    )
    found.add_token(Token(TOKEN))
    assert found.tenant is not None
    found.tenant.add_task(Task("02115928-16fe-4493-949b-d77d302a88ee", "Publish prices", 0.0))
    found.tenant.add_task(Task("5b6f9d0e-64a4-4c57-8d6b-6c8f3f0a7d21", "Fails once", 0.0, ("failed", "success")))
    found.tenant.add_task(Task("cccccccc-64a4-4c57-8d6b-6c8f3f0a7d21", "Fails", 0.0, ("failed",)))
    found.tenant.add_task(Task("dddddddd-64a4-4c57-8d6b-6c8f3f0a7d21", "Slow", 3600.0))
    return found


PRIVATE_KEY, PUBLIC_KEY = new_key()


@dataclass
class Stage:
    """One project against one emulator."""

    root: Path
    emulator: Emulator
    clock: SkippingClock
    environ: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        assert self.emulator.estate.tenant is not None
        self.emulator.estate.tenant.keys["key-1"] = PUBLIC_KEY
        self.environ = {
            "ACC_TOKEN": TOKEN,
            "MFT_KEY": PRIVATE_KEY,
            "PASSWORD": PASSWORD,
            "PATH": os.environ["PATH"],
            "HOME": str(self.root),
            "NO_COLOR": "1",
            "GIT_CEILING_DIRECTORIES": str(self.root.parent),
            **self.environ,
        }
        (self.root / "manifests").mkdir(parents=True, exist_ok=True)
        (self.root / "reconciler.yaml").write_text(PROJECT.format(url=self.emulator.url), encoding="utf-8")

    @property
    def estate(self) -> Estate:
        return self.emulator.estate

    @property
    def ledger(self) -> Path:
        return self.root / ".reconciler" / "ledger.db"

    def write(self, text: str, name: str = "retail.yaml") -> None:
        path = self.root / "manifests" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def project(self, more: str) -> None:
        """Append lines to the project file's spec, indented by two."""
        path = self.root / "reconciler.yaml"
        path.write_text(PROJECT.format(url=self.emulator.url) + more, encoding="utf-8")

    def run(self, *arguments: str) -> Ended:
        """One command in this process: exactly what the console script calls."""
        out, err = io.StringIO(), io.StringIO()
        handlers = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
        with (
            patch.dict(os.environ, self.environ, clear=True),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            code = cli.main(["-C", str(self.root), *arguments], clock=self.clock)
        assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == handlers
        if code == 0 and arguments[:1] in (("validate",), ("plan",), ("apply",)):
            assert refused_by_editors(self.root) == []
        if code == 0 and arguments[:1] == ("render",) and "--help" not in arguments:
            assert refused_text(out.getvalue()) == []
        ended = Ended(code, out.getvalue(), err.getvalue())
        for secret in (TOKEN, PASSWORD, PRIVATE_KEY.splitlines()[1]):
            assert secret not in ended.out + ended.err
        assert "Traceback" not in ended.err
        assert "internal error" not in ended.err, ended.err
        return ended

    def apply(self, *arguments: str) -> Ended:
        return self.run("apply", "--auto-approve", *arguments)

    def plan(self, *arguments: str) -> Any:
        """The plan's document. Whatever its exit code, it must be one."""
        return self.run("plan", "--format", "json", *arguments).document

    def changes(self, *arguments: str) -> list[tuple[str, str, str]]:
        return [(one["address"], one["action"], one["reason"]) for one in self.plan(*arguments)["changes"]]

    def start(
        self, *arguments: str, stdin: int = subprocess.DEVNULL, stderr: int = subprocess.PIPE, **environ: str
    ) -> subprocess.Popen[str]:
        """One command as a process of its own."""
        package = Path(cli.__file__).parents[2]
        return subprocess.Popen(
            [sys.executable, str(CLOCKED), self.clock().isoformat(), "-C", str(self.root), *arguments],
            env={**self.environ, "PYTHONPATH": str(package), **environ},
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )

    # --- what the products hold ------------------------------------------------------------------------------------

    def schedules(self, path: str = PRICES) -> list[Schedule]:
        return list(self.estate.agents[path].schedules.values())

    def owned(self) -> dict[str, Schedule]:
        """All live schedules with our mark, by id."""
        return {key: one for key, one in self.estate.schedules.items() if is_owned(key, "retail", "default")}

    def live(self, name: str, path: str = PRICES) -> Schedule:
        return self.estate.schedule(owned_id("retail", "default", path, name))

    def starts(self) -> int:
        """How often a task was started."""
        assert self.estate.tenant is not None
        return len(self.estate.tenant.runs)

    def writes(self) -> list[str]:
        """What was asked of the products that could change something, tokens aside."""
        return [
            f"{one.method} {one.path}"
            for one in self.emulator.requests
            if one.method != "GET" and one.path != "/v1/oauth/token"
        ]

    def hand_made(self) -> Mapping[str, object]:
        return as_bytes(self.estate.schedule(HAND_MADE))


def as_bytes(schedule: Schedule) -> Mapping[str, object]:
    """All that is held of a schedule, for telling whether anybody touched it."""
    return {name: value for name, value in vars(schedule).items() if name != "agent"}


Open = Callable[..., Stage]
"""Opens another stage; takes what `opened` takes."""


def opened(root: Path, *, held: Estate | None = None, **settings: Any) -> Iterator[Stage]:
    """A stage while a test lasts. `switches` are texts such as `guid_case=upper`."""
    switches = Switches.parse(settings.pop("switches", ()))
    clock = settings.pop("clock", None) or SkippingClock()
    with Emulator(held or estate(), switches=switches, clock=clock, **settings) as emulator:
        yield Stage(root, emulator, clock)


def wait_for(condition: Any, seconds: float = 30.0) -> None:
    """Wait until something is so; fail when it does not come to be."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.005)
