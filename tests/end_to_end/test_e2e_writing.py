"""Whatever cannot be written - a full disk, a reader who went away, a plan file - ends in the documented way."""

from __future__ import annotations

import json
import os
import resource
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bounded import ends_within
from stage import NIGHTLY, POLL, Stage, agent, task_trigger, wait_for

from reconciler import applier
from reconciler.kinds import schedule
from reconciler.model.plan import Action, Change

Open = Callable[..., Stage]
FULL = "/dev/full"


def many(count: int) -> str:
    return agent(*(POLL.replace("poll", f"s{number:02}") for number in range(count)))


def ended(stage: Stage, line: str, **settings: Any) -> tuple[int, str]:
    """A command as a shell runs it, with its redirections: exit code and what it said on stderr."""
    program = f"{sys.executable} -m reconciler -C {stage.root} {line}"
    package = Path(applier.__file__).parents[2]
    done = subprocess.run(
        ["bash", "-c", program],
        env={**stage.environ, "PYTHONPATH": str(package)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        **settings,
    )
    assert "Traceback" not in done.stderr, done.stderr
    assert "internal error" not in done.stderr, done.stderr
    return done.returncode, done.stderr


def is_settled(stage: Stage) -> bool:
    """Whether everything that was applied is in the ledger, to the last."""
    with sqlite3.connect(stage.ledger) as connection:
        rows = connection.execute("SELECT settled FROM reconciler_entries").fetchall()
        runs = connection.execute("SELECT result FROM reconciler_runs").fetchall()
    connection.close()
    return bool(rows) and all(settled for (settled,) in rows) and runs[-1] == ("applied",)


# --- where an apply tells of itself ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        (f"apply --auto-approve --events {FULL}", 1, f"{FULL} could not be written: No space left on device"),
        (f"apply --auto-approve --html {FULL}", 1, f"{FULL} could not be written: No space left on device"),
        (f"apply --auto-approve > {FULL}", 1, "what is printed could not be written: No space left on device"),
        (f"apply --auto-approve --format json > {FULL}", 1, "No space left on device"),
        (f"apply --auto-approve 2> {FULL}", 0, ""),
        ("apply --auto-approve >&-", 0, ""),
        ("apply --auto-approve 2>&-", 0, ""),
        ("apply --auto-approve >&- 2>&- <&-", 0, ""),
        ("apply --auto-approve 2>&1 | true; exit ${PIPESTATUS[0]}", 0, ""),
        ("apply --auto-approve --format json | head -c 1 > /dev/null; exit ${PIPESTATUS[0]}", 0, ""),
    ],
)
def test_an_apply_that_cannot_tell_of_itself_is_finished_and_recorded(
    stage: Stage, line: str, code: int, words: str
) -> None:
    stage.write(many(8))
    found, said = ended(stage, line)
    assert (found, words in said) == (code, True), said
    assert len(stage.owned()) == 8
    assert is_settled(stage)
    assert stage.run("plan", "--detailed-exitcode").code == 0


def test_events_that_fill_the_disk_end_with_a_whole_line(stage: Stage) -> None:
    stage.write(many(12))
    path = stage.root / "events.jsonl"

    def small_disk() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size, path.stat().st_size))

    assert stage.apply("--events", str(path)).code == 0
    whole = path.read_bytes()
    path.write_bytes(whole + b"\n" * (1_000_000 - len(whole)))  # room for the ledger, but not for another line
    stage.write(agent())
    found, said = ended(stage, f"apply --auto-approve --max-deletes 12 --events {path}", preexec_fn=small_disk)
    assert found == 1
    assert said.count("File too large") == 1
    assert "The apply goes on" in said
    assert stage.owned() == {}
    assert path.read_bytes()[: len(whole)] == whole
    assert path.read_bytes().endswith(b"\n")


@pytest.mark.parametrize("line", ["--events nowhere/events", "--events .", "--html nowhere/page.html", "--html ."])
def test_a_file_that_cannot_be_made_is_said_before_anything_is_done(stage: Stage, line: str) -> None:
    stage.write(agent(NIGHTLY))
    option, name = line.split()
    assert stage.apply(option, str(stage.root / name)).code == 64
    assert stage.writes() == []


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("plan > /dev/full", 1),
        ("plan --format json > /dev/full", 1),
        ("validate > /dev/full", 1),
        ("plan --out /dev/full", 1),
        ("--help > /dev/full", 1),
        ("acc agent show sequentum/Retail/prices > /dev/full", 1),
        ("plan --detailed-exitcode | true; exit ${PIPESTATUS[0]}", 2),
        ("plan --detailed-exitcode >&-", 2),
        ("plan --out /dev/stdout | grep -q hmac-sha256", 0),
        ("drift | true; exit ${PIPESTATUS[0]}", 0),
        ("validate 2>&- | true; exit ${PIPESTATUS[0]}", 0),
    ],
)
def test_a_command_that_cannot_print_says_so_unless_nobody_listens(stage: Stage, line: str, code: int) -> None:
    stage.write(agent(NIGHTLY))
    found, said = ended(stage, line)
    assert found == code, said
    assert ("No space left on device" in said) == (code == 1)


def test_a_plan_file_that_does_not_fit_leaves_what_was_there(stage: Stage) -> None:
    stage.write(agent(NIGHTLY))
    path = stage.root / "tonight.plan"
    assert stage.run("plan", "--out", str(path)).code == 0
    before = path.read_bytes()

    def small_disk() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) - 10, len(before) - 10))

    found, said = ended(stage, f"plan --out {path}", preexec_fn=small_disk)
    assert found == 1
    assert "too large" in said or "cannot be read or written" in said
    assert path.read_bytes() == before
    assert [one.name for one in stage.root.iterdir() if one.name.startswith(".tonight")] == []


def test_a_ledger_that_cannot_grow_lets_nothing_be_sent(stage: Stage) -> None:
    stage.write(many(40))

    def small_disk() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    found, said = ended(stage, "apply --auto-approve", preexec_fn=small_disk)
    assert found in (1, 4)
    assert "ledger" in said
    assert stage.writes() == []


# --- surprises -------------------------------------------------------------------------------------------------------


def surprising(found: Callable[..., Any], when: Callable[[Any], bool]) -> Callable[..., Any]:
    """A function with a mistake in it, as one of a kind of ours may have: it raises what nobody expects."""

    def act(*arguments: Any, **settings: Any) -> Any:
        change = next((one for one in arguments if isinstance(one, Change)), None)
        if when(change):
            raise ZeroDivisionError("a password, perhaps")
        return found(*arguments, **settings)

    return act


def test_a_surprise_in_a_deletion_ends_the_deletions_and_is_told(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.write(many(12) + "---\n" + agent(NIGHTLY, name="stock"))
    assert stage.apply().code == 0
    stage.write(many(10))
    wrong = surprising(schedule.KIND.act, lambda change: change.action is Action.DELETE)
    monkeypatch.setattr(schedule.KIND, "act", wrong)
    done = stage.apply("--max-deletes", "3", "--format", "json")
    assert done.code == 4
    assert done.document["summary"]["unknown"] == 1
    assert done.document["summary"]["skipped"] == 2
    (surprise,) = [one for one in done.document["outcomes"] if one["status"] == "unknown"]
    assert "unexpected ZeroDivisionError at " in surprise["detail"]
    assert "a password" not in done.said
    assert len(stage.owned()) == 13
    with sqlite3.connect(stage.ledger) as connection:
        (result,) = connection.execute("SELECT result FROM reconciler_runs ORDER BY number DESC LIMIT 1").fetchone()
    connection.close()
    assert result == "in part"
    monkeypatch.undo()
    assert stage.apply("--max-deletes", "3").code == 0
    assert len(stage.owned()) == 10


def test_a_page_that_cannot_be_made_does_not_hide_how_it_went(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    from reconciler.render import html

    def surprise(*_: Any) -> str:
        raise ZeroDivisionError

    monkeypatch.setattr(html, "apply", surprise)
    stage.write(agent(NIGHTLY) + "---\n" + task_trigger(task="Fails"))
    with pytest.raises(AssertionError, match="internal error: ZeroDivisionError"):
        stage.apply("--html", str(stage.root / "page.html"))
    assert len(stage.owned()) == 1
    found, _ = ended(stage, "history")
    assert found == 0


# --- plan files ------------------------------------------------------------------------------------------------------


def saved(stage: Stage, *arguments: str) -> Path:
    path = stage.root / "tonight.plan"
    assert stage.run("plan", "--out", str(path), *arguments).code == 0
    return path


def in_a_folder_where_nothing_fits(path: Path) -> Path:
    """The file under a path so long that no other name in its folder can be reached, not even by root."""
    longest = os.pathconf("/", "PC_PATH_MAX") - 1
    folder = path.parent
    while (room := longest - len(str(folder)) - len("/p")) > 2:
        folder = folder / ("d" * min(room - 1, 200 if room > 300 or room < 202 else room // 2))
        folder.mkdir()
    assert len(f"{folder}/p") <= longest
    return path.rename(folder / "p")


@pytest.fixture
def keyed(open_stage: Open) -> Stage:
    """A project with a trigger and nothing else, whose digests have a key from outside."""
    stage = open_stage()
    stage.environ["RECONCILER_KEY"] = "a key of the team"
    stage.write(task_trigger())
    return stage


def lose_ledger(stage: Stage) -> None:
    for path in stage.ledger.parent.iterdir():
        path.unlink()


def test_a_used_plan_stays_used_when_the_ledger_is_lost(keyed: Stage) -> None:
    path = saved(keyed)
    path.chmod(0o640)
    assert keyed.run("apply", str(path)).code == 0
    assert keyed.starts() == 1
    lose_ledger(keyed)
    keyed.emulator.clear_requests()
    again = keyed.run("apply", str(path))
    assert (again.code, "used already, at " in again.err) == (7, True)
    assert "plan --out" in again.err
    assert keyed.emulator.requests == []
    assert keyed.starts() == 1
    assert path.stat().st_mode & 0o777 == 0o640
    shown = keyed.run("show", str(path))
    assert (shown.code, "was used at" in shown.err) == (0, True)


def test_taking_the_mark_away_makes_no_plan_good_again(keyed: Stage) -> None:
    path = saved(keyed)
    assert keyed.run("apply", str(path)).code == 0
    lose_ledger(keyed)
    document = json.loads(path.read_text())
    del document["used"]
    path.write_text(json.dumps(document))
    assert keyed.run("apply", str(path)).code == 7
    assert keyed.starts() == 1


def test_a_copy_of_a_used_plan_is_known_to_the_ledger(keyed: Stage) -> None:
    path = saved(keyed)
    copy = path.with_name("copy.plan")
    copy.write_bytes(path.read_bytes())
    assert keyed.run("apply", str(path)).code == 0
    keyed.emulator.clear_requests()
    assert keyed.run("apply", str(copy)).code == 7
    assert keyed.emulator.requests == []
    assert keyed.starts() == 1


def test_a_plan_file_that_cannot_be_marked_is_applied_with_a_word(keyed: Stage) -> None:
    path = saved(keyed)
    linked = in_a_folder_where_nothing_fits(path)
    done = keyed.run("apply", str(linked))
    assert done.code == 0, done.err
    assert "could not be marked as used" in done.err
    assert "ledger alone" in done.err
    assert keyed.starts() == 1
    assert keyed.run("apply", str(linked)).code == 7
    assert keyed.starts() == 1


def test_a_plan_that_was_refused_or_could_not_read_is_not_used_up(keyed: Stage) -> None:
    path = saved(keyed)
    before = path.read_bytes()
    keyed.environ["RECONCILER_KEY"] = ""
    lose_ledger(keyed)
    keyed.emulator.clear_requests()
    refused = keyed.run("apply", str(path))
    assert refused.code == 7
    assert "A saved plan that was made elsewhere needs the ledger it was made with, or RECONCILER_KEY" in refused.said
    keyed.environ["RECONCILER_KEY"] = "another key"
    other = keyed.run("apply", str(path))
    assert other.code == 7
    assert "A saved plan that was made elsewhere needs the ledger it was made with, or RECONCILER_KEY" in other.said
    assert keyed.emulator.requests == []
    assert path.read_bytes() == before
    keyed.environ["RECONCILER_KEY"] = "a key of the team"
    assert keyed.run("apply", str(path)).code == 0
    assert keyed.starts() == 1


def test_a_plan_is_used_before_the_first_request_that_changes_anything(keyed: Stage) -> None:
    keyed.write(task_trigger(task="Slow"))
    path = saved(keyed)
    process = keyed.start("apply", str(path))
    with ends_within(60):
        wait_for(lambda: keyed.starts() == 1)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.communicate()
    lose_ledger(keyed)
    assert keyed.run("apply", str(path)).code == 7
    assert keyed.starts() == 1


@pytest.mark.parametrize("damage", ["edited", "cut", "expired", "wrong types"])
def test_a_damaged_or_expired_plan_is_refused_before_any_request(keyed: Stage, damage: str) -> None:
    keyed.write(agent(NIGHTLY) + "---\n" + task_trigger())
    assert keyed.apply().code == 0
    keyed.write(agent(NIGHTLY.replace("0 0 2", "0 0 3")))
    path = saved(keyed, "--expires", "1h")
    document = json.loads(path.read_text())
    match damage:
        case "edited":
            document["intention"]["only"] = [f"schedule/{number}/*" for number in range(3)]
        case "cut":
            path.write_bytes(path.read_bytes()[:-20])
        case "expired":
            from datetime import timedelta

            keyed.clock.skip(timedelta(hours=2))
        case _:
            document["intention"] = {"only": 5, "destroy": True}
    if damage not in ("cut", "expired"):
        path.write_text(json.dumps(document))
    keyed.emulator.clear_requests()
    refused = keyed.run("apply", str(path))
    assert refused.code == 7
    assert len(refused.err.strip().splitlines()) <= 4
    assert keyed.emulator.requests == []


@pytest.mark.parametrize("target", ["/dev/zero", "/dev/null", "fifo", "folder"])
def test_a_plan_file_is_a_regular_file(keyed: Stage, target: str) -> None:
    path = Path(target)
    if target == "fifo":
        path = keyed.root / "fifo"
        os.mkfifo(path)
    elif target == "folder":
        path = keyed.root
    for command in ("apply", "show"):
        with ends_within(20):
            done = keyed.run(command, str(path))
        assert (done.code, "cannot be read" in done.err) == (64, True)
