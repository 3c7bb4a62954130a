"""Whatever is done by hand between applies: a plan that has nothing to do is right, and an apply makes it so.

The law is held against what the emulated ACC really has, which no program can read over its API.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from stage import NIGHTLY, PRICES, Stage, agent, estate

CALLS = {
    "delete": "input delete {agent} --yes",
    "disable": "input disable {agent} --yes",
    "approve": "agent approve {agent} -m x",
    "disapprove": "agent disapprove {agent} -m x --yes",
    "upload as declared": "input upload {agent} {declared}/urls.csv",
    "upload both": "input upload {agent} {declared}/urls.csv {declared}/zones.txt",
    "upload others": "input upload {agent} {other}/urls.csv {other}/zones.txt",
    "upload one more": "input upload {agent} {other}/more.csv",
    "start that deletes": "job start {agent} --input-file urls.csv --delete-input-files",
}
FAULTS = ("", "400", "drop-before", "drop-after", "500 after")
SETS = ("", "  inputFilesExclusive: true\n", "  inputFilesEnabled: false\n", "  inputFilesEnabled: true\n")
FILES = "  inputFiles:\n    - file: urls.csv\n    - file: zones.txt\n"

calls = st.tuples(st.sampled_from(sorted(CALLS)), st.sampled_from(FAULTS), st.booleans())
edits = st.tuples(st.sampled_from(["edit"]), st.sampled_from(SETS), st.sampled_from(["approved", "disapproved"]))
steps = st.one_of(calls, calls, calls, st.sampled_from(["apply", "file", "run ends", "resend"]), edits)


class World:
    """A project, what it declares, and the agent as ACC has it."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.agent = stage.estate.agents[PRICES]
        self.agent.duration = 3600.0
        self.switch, self.state, self.content = "", "approved", b"one\n"
        self.other = stage.root / "other"
        self.other.mkdir()
        for name in ("urls.csv", "zones.txt", "more.csv"):
            (self.other / name).write_bytes(b"other\n")
        self.declare()

    def declare(self) -> None:
        for name in ("urls.csv", "zones.txt"):
            (self.stage.root / "manifests" / name).write_bytes(self.content)
        self.stage.write(agent(NIGHTLY, extra=f"  approval: {{state: {self.state}}}\n{FILES}{self.switch}"))

    def call(self, name: str, fault: str, *, by_id: bool) -> None:
        declared: Path = self.stage.root / "manifests"
        named = self.agent.agent_id if by_id else PRICES
        if fault:
            for method in ("POST", "DELETE"):
                self.stage.emulator.inject(f"{method} /api/ #1 {fault}")
        words = CALLS[name].format(agent=named, declared=declared, other=self.other)
        self.stage.run("acc", *words.split())
        self.stage.emulator.clear_faults()

    def end_runs(self) -> None:
        for run in self.agent.runs:
            run.end = min(run.end, self.stage.clock())
        self.stage.run("acc", "run", "history", PRICES)

    def is_as_declared(self) -> bool:
        """Whether ACC has what is declared, now and when the runs that are under way have ended."""
        held = {name: file.content for name, file in self.agent.input_files.items() if file.enabled}
        wanted = {} if "false" in self.switch else dict.fromkeys(("urls.csv", "zones.txt"), self.content)
        if "Exclusive" not in self.switch and "false" not in self.switch:
            held = {name: content for name, content in held.items() if name in wanted}
        return held == wanted and self.agent.approved == (self.state == "approved")

    def has_nothing_to_do(self) -> bool:
        return self.stage.run("plan", "--detailed-exitcode").code == 0


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(steps, min_size=1, max_size=8))
@example(
    [("disable", "", True), ("upload as declared", "", False), "apply", ("start that deletes", "", False), "run ends"]
)
@example([("upload others", "400", False), "apply", ("delete", "drop-after", True), ("upload both", "", True)])
def test_a_plan_without_changes_is_right(
    open_stage: Callable[..., Stage], record_count: Callable[[str, int], None], history: list[object]
) -> None:
    world = World(open_stage(held=estate()))
    assert world.stage.apply().code == 0
    for number, step in enumerate([*history, "run ends", "apply"], 1):
        match step:
            case ("edit", str(switch), str(state)):
                world.switch, world.state = switch, state
                world.declare()
            case (str(name), str(fault), bool(by_id)):
                world.call(name, fault, by_id=by_id)
            case "file":
                world.content += b"more\n"
                world.declare()
            case "run ends":
                world.end_runs()
            case "resend":
                world.stage.apply("--resend", "*/prices")
            case _:
                world.stage.apply()
        if world.has_nothing_to_do():
            assert world.is_as_declared(), (number, step)
    assert world.has_nothing_to_do()
    record_count("histories of calls by hand", 1)
