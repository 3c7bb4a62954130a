"""Generated histories of secrets: added, changed, renamed, removed, made plain, their replies lost, their ledger too.

Each secret has a core of letters and digits, which no notation writes in another way, and characters around it that
every notation does. After every step commands look, and the core must never be in anything that they print or write.
"""

from __future__ import annotations

import base64
import html
import json
import os
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote_plus

import pytest
from stage import POLL, PRICES, Stage, agent, opened, task_trigger

pytestmark = pytest.mark.usefixtures("no_waiting")

HISTORIES = int(os.environ.get("SECRET_HISTORIES", "8"))
STEPS = 7
CORE = "Qz7Core"
NASTY = ('"', "'", "\\", "<b>&amp;", "+ %2B%", "\n second line ", "äß€", "${env:X}", "`|*_", "{}[]: #", "\t")
NOTATIONS: tuple[Callable[[str], str], ...] = (
    str,
    html.escape,
    quote_plus,
    json.dumps,
    lambda text: json.dumps(json.dumps(text)),
    lambda text: " ".join(text.split()),
    lambda text: base64.b64encode(f"user:{text}".encode()).decode(),
)
KEYS = ("password", "apiKey", "deep.key")
FORMS = {
    "plan": ("text", "json", "markdown", "html"),
    "drift": ("text", "json", "markdown", "html", "sarif", "junit"),
    "status": ("text", "json"),
    "calendar": ("text", "html", "json", "ics"),
    "history": ("text", "json"),
    "doctor": ("text", "json"),
    "validate": ("text", "json", "sarif", "junit", "github"),
}
LOOKS: list[tuple[str, ...]] = [(verb, "--format", form) for verb, forms in FORMS.items() for form in forms]
LOOKS += [("-v", *words) for words in LOOKS if words[-1] == "text"]
LOOKS += [("acc", "schedule", "list", PRICES, "--format", form) for form in ("text", "json")]
LOOKS += [("acc", "run", "history", PRICES, "--format", form) for form in ("text", "json")]


@dataclass
class Life:
    """One project through a history. `parameters` is what the manifest says now; None: it leaves them to ACC."""

    stage: Stage
    draw: random.Random
    parameters: dict[str, str] | None = field(default_factory=dict)
    trigger: dict[str, str] = field(default_factory=dict)
    name: str = "nightly"
    handle: str = "prices"
    is_declared: bool = True
    count: int = 0
    told: list[str] = field(default_factory=list)

    # --- what the author does ----------------------------------------------------------------------------------------

    def write(self) -> None:
        schedule = (
            f"    - name: {self.name}\n      cron: 0 0 2 * * *\n"
            "      startTime: 2026-01-01T02:00:00\n      timeZone: UTC\n"
        )
        if self.parameters is not None:
            schedule += f"      inputParameters: {json.dumps(self.parameters)}\n"
        blocks = [schedule] if self.is_declared else []
        extra = f"  parameters: {json.dumps(self.trigger)}\n  wait: false\n"
        manifest = agent(*blocks, POLL, name=self.handle, path=PRICES)
        self.stage.write(manifest + "---\n" + task_trigger(revision=str(self.count), extra=extra))

    def add(self) -> None:
        self.count += 1
        value = f"{self.draw.choice(NASTY)}{CORE}{self.count}{self.draw.choice(NASTY)}"
        self.stage.environ[f"V{self.count}"] = value
        self.parameters = {**(self.parameters or {}), self.draw.choice(KEYS): f"${{env:V{self.count}}}"}
        if self.draw.random() < 0.3:
            self.trigger["key"] = f"${{env:V{self.count}}}"

    def rotate(self) -> None:
        for name in [name for name in self.stage.environ if name[0] == "V" and name[1:].isdigit()]:
            self.count += 1
            self.stage.environ[name] = f"{CORE}{self.count}{self.draw.choice(NASTY)}"

    def remove(self) -> None:
        """From the manifest and from the environment: nobody knows the value any more."""
        self.parameters = {"region": "au"}
        self.trigger = {}
        self.forget()

    def leave(self) -> None:
        self.parameters = None
        self.trigger = {}
        self.forget()

    def forget(self) -> None:
        for name in [name for name in self.stage.environ if name[0] == "V" and name[1:].isdigit()]:
            del self.stage.environ[name]

    def make_plain(self) -> None:
        self.parameters = dict.fromkeys(KEYS, "plain")
        self.trigger = {"key": "plain"}
        self.forget()

    def rename_key(self) -> None:
        if self.parameters:
            key, value = self.parameters.popitem()
            self.parameters[f"{key}-2"] = value

    def rename_schedule(self) -> None:
        self.name = self.draw.choice(("nightly", "daily", "weekly"))

    def rename_agent(self) -> None:
        self.handle = self.draw.choice(("prices", "offers"))

    def withdraw(self) -> None:
        self.is_declared = not self.is_declared

    # --- what happens to it ------------------------------------------------------------------------------------------

    def apply(self, *faults: str) -> None:
        for fault in faults:
            self.stage.emulator.inject(fault)
        files = [self.stage.root / name for name in ("events.jsonl", "page.html")]
        ended = self.stage.run(
            "apply", "--auto-approve", "--accept-new-ledger", "--events", str(files[0]), "--html", str(files[1])
        )
        self.stage.emulator.clear_faults()
        self.hold(ended.out + ended.err, "apply", *faults)
        for file in files:
            self.hold(file.read_text(encoding="utf-8") if file.exists() else "", file.name, *faults)

    def apply_and_lose_the_reply(self) -> None:
        self.apply("POST /schedule #* drop-after", f"GET /schedules #{self.draw.choice((2, 3, 3, 3, 4))}+ 500")

    def lose_the_reply_and_remove(self) -> None:
        """A new secret is sent, nobody hears how that ended, and the manifest goes back."""
        self.is_declared = True
        self.add()
        self.write()
        self.apply_and_lose_the_reply()
        self.draw.choice((self.remove, self.leave))()
        self.write()

    def apply_and_be_refused(self) -> None:
        quoted = self.quoted() or "no"
        self.apply(f"POST /schedule #* 400 body={' '.join(quoted.split())}")

    def lose_the_ledger(self) -> None:
        for path in self.stage.ledger.parent.glob("*"):
            path.unlink()

    def run_it(self) -> None:
        for one in self.stage.schedules():
            self.stage.run("acc", "schedule", "start", one.schedule_id)

    def quoted(self) -> str:
        """A value that a live schedule of ours holds, in one of the notations."""
        held = [
            value
            for one in self.stage.owned().values()
            for value in json.loads(one.input_parameters or "{}").values()
            if CORE in value
        ]
        return self.draw.choice(NOTATIONS)(self.draw.choice(held)) if held else ""

    # --- what is looked at -------------------------------------------------------------------------------------------

    def look(self, looks: list[tuple[str, ...]]) -> int:
        quoted = self.quoted()
        for one in self.stage.owned().values():
            one.error_message = f"cannot log in with {quoted}!" if quoted else None
        for run in self.stage.estate.agents[PRICES].runs:
            run.message = f"login {quoted} failed" if quoted else ""
        for words in looks:
            ended = self.stage.run(*words)
            self.hold(ended.out + ended.err, *words)
        file = self.stage.root / "plan.json"
        self.stage.run("plan", "--out", str(file))
        if file.exists():
            self.hold(file.read_text(encoding="utf-8"), "plan --out")
            for form in FORMS["plan"]:
                self.hold(self.stage.run("show", str(file), "--format", form).out, "show", form)
            file.unlink()
        for path in self.stage.ledger.parent.glob("*"):
            self.hold(path.read_bytes().decode("utf-8", errors="replace"), path.name)
        return len(looks) + len(FORMS["plan"])

    def hold(self, text: str, *words: str) -> None:
        """Whether a text is without any secret. The core's letters stay what they are in every notation but base64."""
        assert CORE not in text, (self.told, words, text[max(text.find(CORE) - 200, 0) :][:400])
        for before in range(3):
            coded = base64.b64encode(bytes(before) + CORE.encode()).decode()[-(-before * 8 // 6) :]
            assert coded[:7] not in text, (self.told, words)


STEPS_OF_A_LIFE = (
    *(Life.add,) * 4,
    Life.rotate,
    *(Life.remove,) * 2,
    Life.leave,
    Life.make_plain,
    Life.rename_key,
    Life.rename_schedule,
    Life.rename_agent,
    Life.withdraw,
)
WHAT_HAPPENS = (
    *(Life.apply,) * 4,
    *(Life.apply_and_lose_the_reply,) * 2,
    Life.lose_the_reply_and_remove,
    Life.apply_and_be_refused,
    None,
)


@pytest.mark.parametrize("seed", range(HISTORIES))
def test_no_secret_is_ever_seen(tmp_path: Path, seed: int, record_count: Callable[[str, int], None]) -> None:
    draw = random.Random(seed)
    for stage in opened(tmp_path):
        life = Life(stage, draw)
        life.add()
        looked = 0
        for _ in range(STEPS):
            for step in draw.sample(STEPS_OF_A_LIFE, draw.randrange(1, 3)):
                life.told.append(step.__name__)
                step(life)
            life.write()
            looked += life.look(draw.sample(LOOKS, 2))
            happens = draw.choice(WHAT_HAPPENS)
            if happens is not None:
                life.told.append(happens.__name__)
                happens(life)
            for seldom in (Life.run_it, Life.lose_the_ledger):
                if draw.random() < 0.12:
                    life.told.append(seldom.__name__)
                    seldom(life)
            looked += life.look(draw.sample(LOOKS, 3))
        looked += life.look(LOOKS)
        record_count("histories of secrets", 1)
        record_count("looks at secrets", looked)
