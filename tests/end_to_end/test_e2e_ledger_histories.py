"""No key is started twice unless a person says so, whatever is done to the ledger: generated histories.

Backups are made and gone back to, the ledger moves, entries are forgotten, replies are lost, the key changes. The law
needs no model of the program: it counts the starts of each key, and what people said while it was declared.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from stage import NIGHTLY, Stage, agent, estate, task_trigger

PLACES = ("sqlite:///.reconciler/ledger.db", "sqlite:///other/ledger.db")
WAIT = "  wait: {timeout: 2s, interval: 1s}\n"


@dataclass
class World:
    """A project with one trigger, its ledger at one of two places, and backups of it."""

    stage: Stage
    at: int = 0
    revision: int = 1
    backups: list[Path] = field(default_factory=list)
    plan: bytes = b""
    allowed: Counter[str] = field(default_factory=Counter)

    def write(self) -> None:
        parameters = f"  parameters: {{key: k{self.revision}}}\n"
        trigger = task_trigger(revision=str(self.revision), extra=WAIT + parameters)
        self.stage.write(agent(NIGHTLY) + "---\n" + trigger)
        self.stage.project(f"  ledger: {PLACES[self.at]}\n")

    @property
    def file(self) -> Path:
        return self.stage.root / PLACES[self.at].removeprefix("sqlite:///")

    def say(self) -> None:
        """A person allows one more start of what is declared now."""
        self.allowed[f"k{self.revision}"] += 1

    def go(self, step: str, number: int) -> None:
        self.stage.clock.skip(timedelta(seconds=number % 3))
        match step:
            case "apply":
                self.stage.apply()
            case "lost reply":
                self.stage.emulator.inject("POST tasks/start #1 drop-after")
                self.stage.apply()
                self.stage.emulator.clear_faults()
            case "only" | "resend":
                self.allowed[f"k{self.revision}"] += step == "resend"
                self.stage.apply(f"--{step}", "trigger/publish")
            case "accept":
                self.say()
                self.stage.apply("--accept-new-ledger")
            case "ran":
                self.stage.run("resolve", "trigger/publish", "--ran")
            case "not-ran":
                self.say()
                self.stage.run("resolve", "trigger/publish", "--not-ran")
            case "forget":
                if self.stage.run("ledger", "forget", "trigger/publish").code == 0:
                    self.say()
            case "revise":
                self.revision += 1
                self.write()
            case "save a plan":
                file = self.stage.root / "p.json"
                file.unlink(missing_ok=True)
                self.stage.run("plan", "--out", str(file))
                self.plan = file.read_bytes()
            case "apply a copy of it" if self.plan:
                file = self.stage.root / "p.json"
                file.write_bytes(self.plan)
                self.stage.run("apply", str(file))
            case "back up":
                file = self.stage.root / f"backup-{number}.db"
                assert self.stage.run("ledger", "backup", str(file)).code == 0
                self.backups.append(file)
            case "restore" if self.backups:
                self.file.write_bytes(self.backups[-1].read_bytes())
            case "restore the first" if self.backups:
                self.file.write_bytes(self.backups[0].read_bytes())
            case "move":
                # A backup of before the first move is not known to be the same ledger, so the old place stays taken.
                if self.stage.run("ledger", "migrate", "--to", PLACES[1 - self.at]).code == 0:
                    self.at = 1 - self.at
                    self.write()

    def check(self, number: int, step: str) -> None:
        assert self.stage.estate.tenant is not None
        started = Counter(str(run.parameters["key"]) for run in self.stage.estate.tenant.runs.values())
        for key, count in started.items():
            assert count <= 1 + self.allowed[key], (number, step, key, started, self.allowed)


steps = st.sampled_from(
    [
        *("apply", "apply", "apply", "lost reply", "only", "resend", "accept", "ran", "not-ran", "forget"),
        *("revise", "revise", "back up", "back up", "restore", "restore", "restore the first", "move"),
        *("save a plan", "apply a copy of it", "apply a copy of it"),
    ]
)


@settings(
    max_examples=int(os.environ.get("LEDGER_HISTORIES", "20")),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(history=st.lists(steps, min_size=3, max_size=14))
@example(history=["back up", "revise", "apply", "restore", "apply", "apply"])
@example(history=["lost reply", "back up", "ran", "revise", "apply", "restore", "ran", "apply"])
@example(history=["back up", "revise", "apply", "move", "restore", "move", "apply", "back up", "restore", "apply"])
@example(history=["back up", "revise", "apply", "restore", "forget", "apply"])
@example(history=["revise", "back up", "save a plan", "apply a copy of it", "restore", "apply a copy of it", "apply"])
def test_no_key_is_started_twice_unless_a_person_says_so(
    open_stage: Callable[..., Stage], record_count: Callable[[str, int], None], history: list[str]
) -> None:
    world = World(open_stage(held=estate()))
    world.write()
    assert world.stage.apply().code == 0
    for number, step in enumerate(history, 1):
        world.go(step, number)
        world.check(number, step)
    record_count("histories of ledgers", 1)
