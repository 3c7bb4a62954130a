"""Which exit code wins where several fit, and what selectors that match nothing end with."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from stage import HAND_MADE, NIGHTLY, POLL, Stage, agent, task_trigger

Open = Callable[..., Stage]
READERS = ("plan", "plan --out tonight.plan", "drift", "status", "calendar")
WRITERS = ("apply --auto-approve", "destroy --auto-approve")
LEGACY = f"""\
    - name: legacy
      id: {HAND_MADE}
      every: 1d
      startTime: 2019-05-30T15:36:00
      timeZone: AUS Eastern Standard Time
"""


@pytest.mark.parametrize("command", (*READERS, *WRITERS))
def test_selectors_that_match_nothing_are_wrong_usage_everywhere(stage: Stage, command: str) -> None:
    stage.write(agent(NIGHTLY))
    assert stage.apply().code == 0
    before = stage.writes()
    for selectors in (
        "--only schedule/nobody/*",
        "--exclude schedule/nobody/*",
        "--label team=nobody",
        "--only schedule/prices/nightly --exclude schedule/*",
        "--only schedule/prices/nightly --only schedule/nobody/*",
    ):
        ended = stage.run(*command.replace("tonight", str(stage.root / "tonight")).split(), *selectors.split())
        assert (ended.code, ended.out) == (64, ""), selectors
        assert "next:" in ended.err
    assert stage.writes() == before
    assert not (stage.root / "tonight.plan").exists()


def test_adopting_and_forgetting_are_pending(stage: Stage) -> None:
    stage.write(agent(LEGACY))
    assert stage.changes() == [("schedule/prices/legacy", "adopt", "new")]
    assert stage.run("plan", "--detailed-exitcode").code == 2
    assert stage.apply().code == 0
    assert stage.run("plan", "--detailed-exitcode").code == 0
    stage.write(agent(LEGACY) + "---\n" + task_trigger())
    assert stage.apply().code == 0
    stage.write(agent(LEGACY))
    assert [action for _, action, _ in stage.changes()] == ["forget"]
    assert stage.run("plan", "--detailed-exitcode").code == 2


def test_a_plan_says_first_what_it_could_not_read_then_what_is_blocked_then_what_is_pending(stage: Stage) -> None:
    foreign = LEGACY.replace("every: 1d", "every: 2d")
    stage.write(agent(NIGHTLY) + "---\n" + agent(POLL, name="stock"))
    assert stage.run("plan", "--detailed-exitcode").code == 2
    stage.write(agent(NIGHTLY, foreign) + "---\n" + agent(POLL, name="stock"))
    assert stage.run("plan", "--detailed-exitcode").code == 3
    stage.emulator.inject("GET agentPath=.*stock #* 403")
    assert stage.run("plan", "--detailed-exitcode").code == 1


def test_an_apply_says_first_what_is_undone_then_what_reads_back_differently_then_what_is_blocked(
    open_stage: Open,
) -> None:
    spoiled = NIGHTLY + "      inputParameters: {Region: AU}\n"
    foreign = LEGACY.replace("every: 1d", "every: 2d")
    stage = open_stage(switches=["mangle_field=lower-parameters"])
    stage.write(agent(foreign))
    assert stage.apply().code == 3
    stage.write(agent(foreign, spoiled))
    assert stage.apply().code == 8
    stage.write(agent(foreign, spoiled) + "---\n" + agent(POLL, name="stock"))
    stage.emulator.inject("GET agentPath=.*stock #* 403")
    assert stage.apply().code == 4
    stage.emulator.clear_faults()
    stage.emulator.inject("POST task.*start #1 drop-after")
    stage.write(agent(foreign, spoiled) + "---\n" + task_trigger())
    assert stage.apply().code == 5
