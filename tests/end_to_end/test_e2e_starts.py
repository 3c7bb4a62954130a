"""One start for each key, whatever happens in between: generated histories against a model of a few lines.

Replies are lost, starts are refused, runs go on, people resolve and resend, the document goes and comes back, the
ledger is lost, and applies are filtered or come from a saved plan. After every step Automate MFT has seen exactly the
starts that the model allows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from stage import NIGHTLY, Stage, agent, estate, task_trigger

TASK = "02115928-16fe-4493-949b-d77d302a88ee"
WAIT = "  wait: {timeout: 2s, interval: 1s}\n"
REPLIES = {"good": "", "lost after": "drop-after", "lost before": "drop-before", "refused": "400"}
APPLIES = ("apply", "only", "saved", "resend", "accept")


@dataclass
class Model:
    """What may be started. `entry`: the ledger knows of a start; `doubt`: of one whose end only a person can tell."""

    starts: int = 0
    declared: bool = True
    entry: bool = False
    due: bool = True
    doubt: bool = False
    open: bool = False
    goes_on: bool = False
    moved: bool = False
    lost: bool = False

    def apply(self, how: str, reply: str, *, slow: bool) -> None:
        if how == "accept":
            self.lost = False
        if not self.declared:
            if how != "only" and not self.doubt:
                self.entry, self.due, self.open, self.moved = False, True, False, False
            return
        if self.doubt or (self.lost and not self.entry):
            return
        again = how == "resend" and not self.open
        if self.open and not self.goes_on:
            self.open, self.due, self.moved = False, self.moved, False
        if self.open or not (self.due or again) or reply == "refused":
            return
        self.starts += reply != "lost before"
        self.doubt = reply != "good"
        self.open = self.goes_on = slow and not self.doubt
        self.entry, self.due, self.moved = True, False, False

    def revise(self) -> None:
        self.moved, self.due = self.doubt or self.open, self.due or not (self.doubt or self.open)

    def resolve(self, *, ran: bool) -> None:
        if self.doubt or self.open or (self.lost and self.declared and not self.entry):
            self.due = not ran or (self.moved and self.entry)
            self.entry, self.doubt, self.open, self.moved = True, False, False, False

    def lose(self) -> None:
        self.lost, self.entry, self.due, self.doubt, self.open, self.moved = True, False, True, False, False, False


@dataclass
class World:
    """A project, and what is done to it."""

    stage: Stage
    model: Model
    revision: int = 1

    def write(self) -> None:
        text = agent(NIGHTLY)
        if self.model.declared:
            text += "---\n" + task_trigger(revision=str(self.revision), extra=WAIT)
        self.stage.write(text)

    def apply(self, how: str, reply: str, *, slow: bool) -> None:
        assert self.stage.estate.tenant is not None
        self.stage.estate.tenant.tasks[TASK].duration = 3600.0 if slow else 0.0
        if effect := REPLIES[reply]:
            self.stage.emulator.inject(f"POST tasks/start #1 {effect}")
        words = {"only": ["--only", "trigger/publish"], "resend": ["--resend", "trigger/publish"]}.get(how, [])
        if how == "accept":
            words = ["--accept-new-ledger"]
        if how == "saved":
            file = str(self.stage.root / "p.plan")
            self.stage.run("plan", "--out", file)
            self.stage.run("apply", file)
        elif self.model.declared or how in ("apply", "accept"):
            self.stage.apply(*words)
        self.stage.emulator.clear_faults()

    def end_runs(self) -> None:
        assert self.stage.estate.tenant is not None
        for run in self.stage.estate.tenant.runs.values():
            run.end = min(run.end, self.stage.clock())


applies = st.tuples(st.sampled_from(APPLIES), st.sampled_from(sorted(REPLIES)), st.booleans())
steps = st.one_of(applies, applies, st.sampled_from(["revise", "ran", "not-ran", "document", "lose", "time passes"]))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(steps, min_size=2, max_size=12))
@example([("apply", "good", True), "revise", ("apply", "good", False), "time passes", ("resend", "good", False)])
@example([("apply", "lost after", False), "lose", ("apply", "good", False), "not-ran", ("only", "good", False)])
def test_no_start_that_nobody_asked_for(
    open_stage: Callable[..., Stage], record_count: Callable[[str, int], None], history: list[object]
) -> None:
    world = World(open_stage(held=estate()), Model())
    world.stage.write(agent(NIGHTLY))
    assert world.stage.apply().code == 0
    world.write()
    model = world.model
    for number, step in enumerate(history, 1):
        match step:
            case (str(how), str(reply), bool(slow)):
                if model.declared or how in ("apply", "accept", "saved"):
                    model.apply(how, reply, slow=slow)
                world.apply(how, reply, slow=slow)
            case "revise":
                world.revision += 1
                world.model.revise()
                world.write()
            case "document":
                model.declared = not model.declared
                world.write()
            case "lose":
                for path in world.stage.ledger.parent.iterdir():
                    path.unlink()
                model.lose()
            case "time passes":
                world.end_runs()
                model.goes_on = False
            case _:
                world.stage.run("resolve", "trigger/publish", f"--{step}")
                model.resolve(ran=step == "ran")
        assert world.stage.starts() == model.starts, (number, step, model)
    record_count("histories of starts", 1)
