"""What a person and a log see of an apply: one line that is drawn over, groups, a heartbeat, each cause once."""

from __future__ import annotations

import io
import json
import os
import re
import signal
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from datetime import timedelta
from functools import partial
from unittest.mock import patch

import pytest
from clocks import SkippingClock
from hypothesis import given
from hypothesis import strategies as st
from stage import PASSWORD, POLL, Stage, agent, task_trigger, wait_for
from terminal import LINE, MemoryTerminal, TerminalProcess, shown

from reconciler import cli
from reconciler.cli.live_line import HEARTBEAT, LiveLine
from reconciler.emulator import Fault
from reconciler.kinds.registry import memo_of
from reconciler.ledger import Ledger, Owner
from reconciler.render.characters import columns

SLOW = task_trigger("slow", task="Slow", extra="  wait: {timeout: 55s, interval: 5s}\n")
SLOWLY = "  wait: {timeout: 45s, interval: 5s}\n  parameters: {password: '${env:PASSWORD}'}\n"
POLLED = "GET /task-runs/ #* sleep=0.05"


def shops(stage: Stage, number: int, *more: str, every: str = "15m") -> None:
    """So many agents in ACC, each with a schedule that a manifest declares."""
    for shop in range(number):
        path = f"sequentum/Retail/shop-{shop:03}"
        if path not in stage.estate.agents:
            stage.estate.add_agent(path, duration=0.0)
    documents = [agent(POLL.replace("15m", every), name=f"shop-{shop:03}") for shop in range(number)]
    stage.write("---\n".join([*documents, *more]))


def counts(lines: list[str]) -> int:
    """How many schedules the lines of groups and of single changes tell of."""
    found = [re.match(r"\S+ (?:([0-9]+) (?:of [0-9]+ )?schedules|schedule/)", line) for line in lines]
    return sum(int(one[1] or 1) for one in found if one)


# --- a terminal -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [1, 25, 300])
def test_a_terminal_keeps_what_matters_and_nothing_of_the_line_that_is_drawn_over(stage: Stage, number: int) -> None:
    shops(stage, number)
    stage.emulator.inject("POST /schedule$ #* sleep=0.02")
    terminal = TerminalProcess(stage, "apply", "--auto-approve", "--format", "json", columns=70)
    code, out = terminal.ended()
    assert (code, json.loads(out)["summary"]["applied"]) == (0, number)
    lines = shown(terminal.bytes.decode(), columns=70)
    assert not [line for line in lines if LINE.search(line) or "reading" in line], lines
    assert counts(lines) == number
    assert len(lines) <= 2
    drawn = terminal.drawn()
    assert len(drawn) > 2 or number < 300
    assert all(columns(line) <= 67 for line in drawn)
    done = [int(re.findall(r"[0-9]+", line)[0]) for line in drawn]
    assert done == sorted(done)


def test_a_terminal_that_draws_nothing_over_is_a_log(stage: Stage) -> None:
    shops(stage, 25)
    terminal = TerminalProcess(stage, "apply", "--auto-approve", TERM="dumb", NO_COLOR="")
    assert terminal.ended()[0] == 0
    assert b"\x1b" not in terminal.bytes
    assert "+ 25 schedules created (verified) in " in terminal.bytes.decode()


@pytest.mark.parametrize("no_color", ["1", ""])
def test_the_signs_of_a_terminal_have_colours_where_they_are_wanted(stage: Stage, no_color: str) -> None:
    shops(stage, 2)
    terminal = TerminalProcess(stage, "apply", "--auto-approve", NO_COLOR=no_color)
    assert terminal.ended()[0] == 0
    assert (b"\x1b[32m+\x1b[0m 2 schedules" in terminal.bytes) == (not no_color)


def test_a_terminal_sees_what_is_waited_for(stage: Stage) -> None:
    shops(stage, 3, SLOW)
    stage.emulator.inject(POLLED)
    written = MemoryTerminal()
    stage.environ["TERM"] = "xterm"
    with patch.dict(os.environ, stage.environ, clear=True), redirect_stderr(written), redirect_stdout(io.StringIO()):
        ended = cli.main(["-C", str(stage.root), "apply", "--auto-approve"], clock=stage.clock)
    drawn = re.findall(r"\[[ 0-9]+/4\][^\r]*", written.getvalue())
    assert any(re.search(r"waiting for trigger/slow \(queued, [0-9]+ (s|min)\)", line) for line in drawn), drawn
    lines = shown(written.getvalue().replace("\n", "\r\n"))
    assert any(line.startswith("▸ trigger/slow started (run ") for line in lines)
    assert not any(LINE.search(line) for line in lines)
    assert ended == 8


@given(st.lists(st.tuples(st.integers(1, 200), st.integers(5, 200)), min_size=1, max_size=8))
def test_a_terminal_that_is_made_narrower_keeps_no_wreck(steps: list[tuple[int, int]]) -> None:
    """Terminals of today wrap again what they show: a line of `drawn` columns then fills more rows."""
    clock, written = SkippingClock(), MemoryTerminal()
    width = 100

    class Sized(LiveLine):
        def _columns(self) -> int:
            return width

    with redirect_stderr(written):
        line = Sized(clock, {"TERM": "xterm"})
        drawn = 0
        for size, now_wide in steps:
            clock.skip(timedelta(seconds=1))
            width = now_wide
            written.truncate(0)
            written.seek(0)
            line.show(partial(_text, "x" * size), partial(_text, ""))
            said = written.getvalue()
            if not said:
                continue
            up = re.match(r"\x1b\[([0-9]+)A", said)
            rows = -(-drawn // width)
            assert (int(up[1]) if up else 0) == max(rows - 1, 0)
            drawn = len(re.split(r"\x1b\[[JK]", said)[-1])
            assert drawn <= max(width - 3, 0)


def _text(text: str, _now: float) -> str:
    return text


# --- a log ------------------------------------------------------------------------------------------------------------


def test_a_log_has_groups_a_heartbeat_and_no_control_codes(stage: Stage) -> None:
    shops(stage, 30, SLOW)
    stage.emulator.inject(POLLED)
    ended = stage.apply("--format", "json")
    assert "\x1b" not in ended.err and "\r" not in ended.err
    lines = ended.err.splitlines()
    assert counts(lines) == 30
    beats = [line for line in lines if "still waiting for trigger/slow, " in line]
    assert 1 <= len(beats) <= 60 / HEARTBEAT
    assert re.fullmatch(r"\[30/31\].*still waiting for trigger/slow, [0-9]+ (s|min), queued", beats[-1])
    assert sum("trigger/slow started (run" in line for line in lines) == 1


def test_adoptions_are_one_line_and_with_verbose_each_has_its_own(stage: Stage) -> None:
    shops(stage, 40)
    assert stage.apply().code == 0
    stage.ledger.unlink()
    ended = stage.apply()
    assert [line for line in ended.err.splitlines() if "adopted" in line] == [
        next(line for line in ended.err.splitlines() if line.startswith("= 40 schedules adopted (verified) in "))
    ]
    stage.ledger.unlink()
    lines = stage.apply("-v").err.splitlines()
    assert sum(" adopted in " in line for line in lines) == 40


# --- how it ends ------------------------------------------------------------------------------------------------------


def test_a_token_that_may_not_write_is_told_once(stage: Stage) -> None:
    shops(stage, 120)
    stage.emulator.inject("POST /schedule$ #* 401")
    ended = stage.apply()
    assert ended.code == 4
    of_apply = ended.out[ended.out.index("Failed (120)") :]
    assert of_apply.count("401") == 1
    assert "schedule/shop-{000..119}/poll" in of_apply
    assert ended.err.count("401") == 1
    assert "119 more failed, for the same cause as schedule/shop-" in ended.err
    assert of_apply.count("next: ") == 1


@pytest.mark.parametrize("effect", ["cut", "drop-before", "503"])
def test_a_product_that_goes_away_is_told_once_with_counts(stage: Stage, no_waiting: None, effect: str) -> None:
    shops(stage, 60)
    stage.emulator.inject(f"POST /schedule$ #5+ {effect}")
    ended = stage.apply()
    assert ended.code in (0, 4)
    if ended.code == 0:  # each reply was lost, and each was read back
        assert counts(ended.err.splitlines()) == len(stage.owned()) == 60
        return
    of_apply = ended.out[ended.out.index("\nPlan: ") :]
    told = [int(number) for number in re.findall(r"^[A-Z][a-z]+ \(([0-9]+)\):", of_apply, re.M)]
    applied = re.search(r"Applied ([0-9]+) of 60", of_apply)
    assert applied and sum(told) + int(applied[1]) == 60, of_apply
    assert len(of_apply.splitlines()) < 45


def test_an_interruption_counts_what_was_done_and_says_what_is_next(stage: Stage) -> None:
    shops(stage, 80)
    fault = stage.emulator.inject("POST /schedule$ #* sleep=0.05")
    terminal = TerminalProcess(stage, "apply", "--auto-approve")
    wait_for(lambda: fault.fired > 8)
    terminal.process.send_signal(signal.SIGINT)
    code, out = terminal.ended()
    assert code == 130
    found = re.search(
        r"^Interrupted: ([0-9]+) applied, (?:([0-9]+) in flight w\w+ finished, )?([0-9]+) not begun\.$", out, re.M
    )
    assert found, out
    assert sum(int(number or 0) for number in found.groups()) == 80
    assert out.endswith("next: Run `reconciler apply` again; what was applied is recorded.\n")
    assert "Skipped" not in out
    lines = shown(terminal.bytes.decode())
    assert not any(LINE.search(line) for line in lines), lines
    assert sum("interrupted: finishing what is in flight" in line for line in lines) == 1
    live = len(stage.owned())
    assert int(found[1]) + int(found[2] or 0) == live < 80
    stage.emulator.clear_faults()
    assert stage.apply().code == 0
    assert len(stage.owned()) == 80


@pytest.mark.parametrize("saved", [False, True])
def test_an_interruption_while_it_reads_is_told_once_and_shows_no_half_plan(stage: Stage, saved: bool) -> None:
    shops(stage, 60)
    if saved:
        assert stage.run("plan", "--out", str(stage.root / "plan.json")).code == 0
    fault = stage.emulator.inject("GET agentPath=.* #* sleep=0.1")
    arguments = [str(stage.root / "plan.json")] if saved else ["--auto-approve"]
    terminal = TerminalProcess(stage, "apply", *arguments)
    wait_for(lambda: fault.fired > 10)
    terminal.process.send_signal(signal.SIGTERM)
    assert terminal.ended() == (130, "")
    lines = shown(terminal.bytes.decode())
    assert lines[-1] == "error: interrupted while reading; nothing was done"
    assert len(lines) == 2
    stage.emulator.clear_faults()
    assert stage.apply(*arguments[:1]).code == 0, "the plan was not used up"


def test_a_state_in_hostile_words_stays_in_its_line_and_shows_no_secret(stage: Stage) -> None:
    stage.write(task_trigger("slow", task="Slow", extra=SLOWLY))
    word = f"stuck\\n::error::\\u202e\\u001b[31m {PASSWORD} " + "x" * 9_000
    stage.emulator.inject("GET /task-runs/ #/2 sleep=0.05")
    stage.emulator.inject(
        Fault("status", "/task-runs/", "GET", status=200, body=f'{{"taskRunId": "1", "taskRunStatus": "{word}"}}')
    )
    ended = stage.apply()
    assert ended.code == 8
    assert "still waiting for trigger/slow, " in ended.err
    for line in (ended.out + ended.err).splitlines():
        assert line.isprintable() and len(line) < 200
        assert not line.lstrip().startswith("::")
    assert "stuck" in ended.err and "(secret)" in ended.err
    page = "".join(stage.run("status").out for _ in range(2))  # every second answer is the hostile one
    assert "(secret)" in page and all(map(str.isprintable, page.splitlines()))


@pytest.mark.parametrize("columns", [40, 100])
def test_an_interruption_instead_of_an_answer_begins_a_line(stage: Stage, columns: int) -> None:
    shops(stage, 3)
    terminal = TerminalProcess(stage, "apply", columns=columns, asks=True)
    wait_for(lambda: b"accepted" in terminal.bytes)
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.ended()[0] == 130
    assert shown(terminal.bytes.decode(), columns)[-1] == "interrupted"


def test_why_a_plan_is_refused_stands_first(stage: Stage) -> None:
    shops(stage, 12)
    assert stage.apply().code == 0
    stage.write(agent(name="prices"))
    page = stage.run("plan").out
    assert page.index("Refused, or incomplete") < page.index("--max-deletes 12") < page.index("Risky: 12 changes")
    assert "Warnings" not in page


def test_a_refusal_is_told_once(stage: Stage) -> None:
    shops(stage, 12)
    assert stage.apply().code == 0
    stage.write(agent(name="prices"))
    ended = stage.apply()
    assert ended.code == 3
    assert ended.said.count("--max-deletes 12") == 1
    assert ended.said.count("Nothing was done.") == 1


def test_a_lock_is_told_once_with_its_holder_and_the_next_step(stage: Stage) -> None:
    shops(stage, 2)
    with held(stage):
        ended = stage.apply()
        assert ended.code == 6
        assert ended.said.count("bob on build-7") == 1
        assert "unlock" in ended.said
        waited = stage.apply("--lock-timeout", "2m")
        assert waited.code == 6
        assert waited.err.count("waiting for the lock: retail/default is being applied by bob on build-7") == 1
        assert re.search(r"still waiting for the lock, [0-9]+ s, retail/default is being applied by bob", waited.err)


def held(stage: Stage) -> ExitStack:
    """Somebody else is applying, while the block lasts."""
    url = f"sqlite:///{stage.ledger}"
    stack = ExitStack()
    stage.ledger.parent.mkdir(exist_ok=True)
    ledger = stack.enter_context(
        Ledger.open(url, "retail", "default", root=stage.root, create=True, clock=stage.clock, memo_of=memo_of)
    )
    stack.enter_context(ledger.acquire(Owner("bob", "build-7", 99), ttl=100_000))
    return stack


def test_reading_says_how_far_it_is_once_it_takes_long(stage: Stage) -> None:
    """By a clock that goes on by a second whenever somebody looks at it."""
    shops(stage, 20)
    assert stage.apply().code == 0
    plain = stage.clock.monotonic

    def slowly() -> float:
        stage.clock.skip(timedelta(seconds=1))
        return plain()

    stage.clock.monotonic = slowly  # type: ignore[method-assign]
    ended = stage.run("drift")
    assert re.search(r"^still reading agents [0-9]+/20, [0-9.]+/(s|min), about .* left$", ended.err, re.M), ended.err
    assert "\r" not in ended.err
