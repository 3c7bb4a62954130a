"""Draws histories from seeds, plays them, and makes one that fails as short as it gets."""

from __future__ import annotations

import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from clocks import SkippingClock
from history_declaring import Declaring
from history_manifests import Manifests
from history_model import Model
from history_repository import Repository
from history_runs import PROJECT, Runs
from history_world import World
from kill_processes import Zygote
from stage import Stage

from reconciler.emulator import Emulator

Step = tuple[str, int, int]
T = TypeVar("T")

WEIGHTS = {
    # what runs the tool
    "apply": 16, "apply_allowing": 4, "apply_only": 4, "apply_lost_reply": 5, "apply_error": 5, "apply_killed": 3,
    "plan": 2, "drift": 2, "status": 1, "save_plan": 3, "apply_saved": 1, "accept_ledger": 2, "destroy": 1,
    "forget_agent": 2, "resolve": 3, "resend": 2, "by_hand": 4,
    # what people declare
    "add_document": 3, "remove_document": 2, "rename_handle": 4, "swap_handles": 2, "reorder": 1, "set_approval": 2,
    "set_file": 3, "add_schedule": 5, "remove_schedule": 3, "edit_schedule": 4, "switch_schedule": 2,
    "rename_schedule": 6, "swap_names": 2, "protect": 4, "adopt": 3, "drop_id": 2, "add_trigger": 3, "bump_revision": 2,
    "change_path": 1, "remove_trigger": 1,
    # what people do in the products, and what happens to the ledger
    "move": 4, "follow": 3, "alias": 2, "declare_twice": 1, "respell": 2, "remake": 2, "remove_agent": 1,
    "edit_live": 2, "switch_live": 1, "delete_live": 2, "add_stranger": 1, "edit_stranger": 1, "lose_ledger": 2,
    "ignore_ids": 1,
}  # fmt: skip
"""How often each sort of step is drawn."""
OPENING: tuple[Step, ...] = (("add_document", 0, 1), ("add_document", 0, 3), ("add_trigger", 0, 2), ("apply", 0, 0))
LENGTH = 10, 20
TO_BE_SENT = (
    "add_schedule", "edit_schedule", "remove_schedule", "set_file", "bump_revision", "set_approval", "rename_schedule",
    "rename_handle", "move", "remake", "remove_document",
)  # fmt: skip
"""What is drawn before a fault, so that there is something to strike."""
FOLDER = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""Where projects stand: it is not the disk that is tested."""


@dataclass(frozen=True)
class History:
    """Steps, and the world that they happen in."""

    seed: int
    steps: tuple[Step, ...]
    is_case_blind: bool = False

    def __str__(self) -> str:
        steps = "".join(f"        {step!r},\n" for step in self.steps)
        return f"History(\n    {self.seed},\n    (\n{steps}    ),\n    is_case_blind={self.is_case_blind},\n)"


def drawn(seed: int) -> History:
    """The history of a seed: most begin with two agents and a trigger that are applied."""
    chance = random.Random(seed)
    names, weights = list(WEIGHTS), list(WEIGHTS.values())
    steps = list(OPENING if chance.random() < 0.8 else ())
    for name in chance.choices(names, weights, k=chance.randint(*LENGTH)):
        before = chance.sample(TO_BE_SENT, 3) if name in _WANTS_CHANGES else ()
        after = (*chance.sample(list(WEIGHTS), chance.randrange(2)), "apply_saved") if name == "save_plan" else ()
        steps += [(each, chance.randrange(8), chance.randrange(8)) for each in (*before, name, *after)]
    return History(seed, tuple(steps), chance.random() < 0.5)


_WANTS_CHANGES = {"apply_lost_reply", "apply_error", "apply_killed", "save_plan"}


@dataclass
class Play:
    """One history on its stage. `told` is what happened, step by step."""

    history: History
    runs: Runs
    declaring: Declaring
    repository: Repository
    told: list[str] = field(default_factory=list)
    unowned: set[str] = field(default_factory=set)
    counted: Counter[str] = field(default_factory=Counter)

    def play(self) -> None:
        for step in self.history.steps:
            self.take(*step)
        self.come_to_rest()

    def take(self, name: str, a: int, b: int) -> None:
        self.runs.model.note_agents()
        self.told.append(f"{name} {a} {b}")
        said = self._step(name)(a, b)
        self.told[-1] = f"{name} {a} {b}: {said or '-'}"
        self.counted[name] += bool(said)

    def _step(self, name: str) -> Callable[[int, int], str]:
        for group in (self.runs, self.declaring, self.repository):
            if name in vars(type(group)):
                found: Callable[[int, int], str] = getattr(group, name)
                return found
        raise KeyError(name)

    def come_to_rest(self) -> None:
        """Correct what is wrong, settle what is open, and apply, as people would. It has to get there."""
        for number in range(8):
            self.runs.model.note_agents()
            self._correct()
            self.take("resolve", 0, 0)
            accepting = ("--accept-new-ledger",) if number > 1 else ()
            ended = self.runs.write("apply", "--auto-approve", "--max-deletes", "99", *accepting)
            self.told.append(f"at rest? {ended.code}")
            if ended.code == 0:
                break
            seen = self.runs.read("plan", "--format", "json")
            blocked = seen.document["blocked"] if seen.out else []
            reasons = {one["reason"] for one in blocked} if seen.out else {ended.said}
            self.unowned = {one["address"] for one in blocked if one["reason"] == "unowned"}
            self.told[-1] += f" {sorted(reasons)}"
            if ended.code == 3 and reasons == {"protected"}:
                self.runs.model.check_reached(protected_stay=True)
                break
            self.take("forget_agent", 0, 0)
        else:
            raise AssertionError(f"it never came to rest: {ended.said}")
        self.runs.verify_history()

    def _correct(self) -> None:
        """What people mend in the manifests and in ACC when a plan complains."""
        model = self.runs.model
        if self.runs.ignores_ids:
            self.take("ignore_ids", 0, 0)
        for key in sorted(model.strays & model.foreign.keys()):
            self.repository.forget([model.world.estate.schedules[key]])
            model.world.estate.remove_schedule(key)
        documents = model.manifests.documents
        for _, second in model.conflicts():
            if second in documents:
                self._remove(documents, second, f"the document of {second.handle}")
        for document in list(documents):
            if model.world.at(document.path) is None and not self.repository.lead_to_agent(document, 0):
                self._remove(documents, document, f"the document of {document.handle}, whose agent is gone")
            agent = model.world.at(document.path)
            for block in list(document.blocks):
                is_there = agent is not None and block.adopts in agent.schedules
                is_foreign = block.adopts in model.foreign or f"schedule/{document.handle}/{block.name}" in self.unowned
                if block.adopts and (is_foreign or not is_there):
                    self._remove(document.blocks, block, f"{document.handle}/{block.name}, which adopts in vain")

    def _remove(self, several: list[T], one: T, what: str) -> None:
        several.remove(one)
        self.runs.model.dirty.add("something was removed")
        self.told.append(f"remove {what}")


@contextmanager
def on_stage(history: History, zygote: Zygote) -> Iterator[Play]:
    """A world and a project of its own for one history."""
    world, manifests, clock = World(history.seed, history.is_case_blind), Manifests(), SkippingClock()
    model = Model(world, manifests, foreign=dict(world.strangers()))
    with (
        tempfile.TemporaryDirectory(dir=FOLDER) as folder,
        Emulator(world.estate, switches=world.switches(), clock=clock) as emulator,
    ):
        stage = Stage(Path(folder), emulator, clock)
        (stage.root / "reconciler.yaml").write_text(PROJECT.format(url=emulator.url), encoding="utf-8")
        group: tuple[World, Manifests, Model] = (world, manifests, model)
        yield Play(history, Runs(stage, model, zygote), Declaring(*group), Repository(*group))


def failure_of(history: History, zygote: Zygote, counted: Counter[str] | None = None) -> str:
    """What is wrong with a history, and how it came to it; "" when nothing is. Adds to the counts of steps."""
    with on_stage(history, zygote) as play:
        try:
            play.play()
        except AssertionError as error:
            return "\n".join([*play.told, f"FAILED: {error}"])
        finally:
            if counted is not None:
                counted.update(play.counted + play.runs.counted + Counter(histories=1))
    return ""


def shortened(history: History, zygote: Zygote, *, seconds: float = 60.0) -> tuple[History, str]:
    """The shortest history that fails alike, found by leaving out steps, and how; "" when it does not fail again."""
    until = time.monotonic() + seconds
    failure = failure_of(history, zygote)
    alike = _gist(failure)
    size = len(history.steps) if failure else 0
    while size := size // 2:
        at = 0
        while at < len(history.steps) and time.monotonic() < until:
            steps = history.steps[:at] + history.steps[at + size :]
            shorter = History(history.seed, steps, history.is_case_blind)
            found = failure_of(shorter, zygote)
            if found and _gist(found) == alike:
                history, failure = shorter, found
                size = min(size, max(1, len(steps) // 2))
            else:
                at += size
    return history, failure


def _gist(failure: str) -> str:
    """The first words of what failed: while a history is made shorter, it must not become another failure's."""
    return " ".join(failure.rpartition("FAILED: ")[2].split()[:4])


def play_all(seeds: Iterable[int], zygote: Zygote) -> tuple[Counter[str], list[str]]:
    """Play the histories of these seeds; the counts of all steps, and the failures, made short."""
    counted: Counter[str] = Counter()
    failures = []
    for seed in seeds:
        history = drawn(seed)
        if first := failure_of(history, zygote, counted):
            short, again = shortened(history, zygote)
            failures.append(f"{short}\n{again}" if again else f"{history}\nfailed once, and not again:\n{first}")
    return counted, failures
