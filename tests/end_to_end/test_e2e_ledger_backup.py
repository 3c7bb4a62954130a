"""`ledger backup`: one consistent file of a ledger that is in use, and what going back to an old one means."""

from __future__ import annotations

import resource
import sqlite3
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from stage import CLOCKED, NIGHTLY, POLL, Stage, agent, task_trigger

from reconciler.ledger import Owner
from reconciler.workflow.context import CommandContext
from reconciler.workflow.memory import open_ledger
from reconciler.workflow.reading import read_project

pytest_plugins = ["postgres"]
WAIT = "  wait: {timeout: 5s, interval: 1s}\n"
SLOW = "  wait: {timeout: 1s, interval: 1s}\n"


def declare(stage: Stage, revision: str = "1", *, task: str = "Publish prices", extra: str = WAIT) -> None:
    stage.write(agent(NIGHTLY, POLL) + "---\n" + task_trigger(task=task, revision=revision, extra=extra))


def backed_up(stage: Stage, name: str = "copy.db") -> Path:
    file = stage.root / name
    ended = stage.run("ledger", "backup", str(file))
    assert ended.code == 0, ended.err
    assert file.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in stage.root.iterdir() if one.name.startswith(f".{name}")] == [], "nothing beside it"
    stage.clock.skip(timedelta(seconds=2))  # times in the ledger have whole seconds
    return file


def restore(stage: Stage, file: Path) -> None:
    for path in stage.ledger.parent.glob("ledger.db*"):
        path.unlink()
    file.rename(stage.ledger)


@pytest.fixture(params=["sqlite", "postgresql"])
def kept(request: pytest.FixtureRequest, stage: Stage) -> Stage:
    if request.param == "postgresql":
        stage.project(f"  ledger: {request.getfixturevalue('postgres_url')}\n")
    return stage


def test_a_backup_is_a_ledger_that_says_the_same(kept: Stage) -> None:
    declare(kept)
    assert kept.apply().code == 0
    before = kept.run("ledger", "list", "--format", "json").document
    runs = kept.run("history", "--format", "json").document["runs"]
    file = backed_up(kept)
    kept.project(f"  ledger: sqlite:///{file}\n")
    after = kept.run("ledger", "list", "--format", "json").document
    assert (after["entries"], after["agents"]) == (before["entries"], before["agents"])
    assert "restored from a backup" in kept.run("ledger", "list").err
    assert kept.run("history", "--format", "json").document["runs"] == runs
    assert kept.run("history", "--verify").code == 0
    plan = kept.run("plan", "--detailed-exitcode")
    assert plan.code == 0
    assert "the ledger was restored from a backup" in plan.said
    assert kept.apply().code == 0
    assert kept.starts() == 1
    assert "it was restored from a backup" in kept.run("doctor").said


def test_all_environments_are_in_it(kept: Stage) -> None:
    text = (kept.root / "reconciler.yaml").read_text(encoding="utf-8") + "  environments: {prod: {}}\n"
    (kept.root / "reconciler.yaml").write_text(text, encoding="utf-8")
    declare(kept)
    assert kept.apply().code == 0
    kept.write(agent(NIGHTLY, name="stock"))
    assert kept.apply("--env", "prod").code == 0
    ended = kept.run("ledger", "backup", "--env", "prod", str(kept.root / "copy.db"))
    assert "retail/default, retail/prod" in ended.out
    with sqlite3.connect(kept.root / "copy.db") as connection:
        found = connection.execute("SELECT environment, COUNT(*) FROM reconciler_entries GROUP BY 1 ORDER BY 1")
        assert found.fetchall() == [("default", 3), ("prod", 1)]


def test_nothing_is_overwritten_and_nothing_made_up(stage: Stage) -> None:
    file = stage.root / "copy.db"
    declare(stage)
    assert stage.run("ledger", "backup", str(file)).code == 1
    assert not file.exists()
    assert not stage.ledger.exists()
    assert stage.apply().code == 0
    file.write_text("mine", encoding="utf-8")
    ended = stage.run("ledger", "backup", str(file))
    assert ended.code == 64
    assert "is there already, and nothing is overwritten" in ended.err
    assert file.read_text(encoding="utf-8") == "mine"
    assert stage.run("ledger", "backup", str(stage.root / "nowhere" / "copy.db")).code == 64


def test_a_full_disk_leaves_nothing_behind(stage: Stage) -> None:
    declare(stage)
    assert stage.apply().code == 0
    before = sorted(stage.root.rglob("*"))
    command = [sys.executable, str(CLOCKED), stage.clock().isoformat(), "-C", str(stage.root), "ledger", "backup"]
    done = subprocess.run(
        [*command, str(stage.root / "copy.db")],
        env={**stage.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONDONTWRITEBYTECODE": "1"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert f"{stage.root / 'copy.db'}" in done.stderr
    assert "Traceback" not in done.stderr
    assert sorted(stage.root.rglob("*")) == before


def test_it_is_of_one_moment_while_others_write(kept: Stage) -> None:
    """Every copy holds what was committed at one moment: its journal is whole, and every run that it knows is in it."""
    declare(kept)
    assert kept.apply().code == 0
    context = CommandContext(kept.root, None, kept.environ, clock=kept.clock)
    project, _ = read_project(context)
    over = threading.Event()

    def write() -> None:
        with open_ledger(context, project, create=True) as ledger, ledger.acquire(Owner("bob", "b", 99)) as lease:
            entry = next(iter(ledger.memory().entries.values()))
            while not over.is_set():
                run = ledger.begin_run(lease, commit="", command="apply", plan_digest="")
                ledger.put(lease, entry)
                ledger.end_run(lease, run, result="applied", summary={})

    thread = threading.Thread(target=write)
    thread.start()
    try:
        files = [backed_up(kept, f"copy-{number}.db") for number in range(8)]
    finally:
        over.set()
        thread.join()
    sizes = []
    for file in files:
        kept.project(f"  ledger: sqlite:///{file}\n")
        assert kept.run("history", "--verify").code == 0
        with sqlite3.connect(file) as connection:
            begun, ended, runs = (
                connection.execute(statement).fetchone()[0]
                for statement in (
                    "SELECT COUNT(*) FROM reconciler_events WHERE kind = 'run-began'",
                    "SELECT COUNT(*) FROM reconciler_events WHERE kind = 'run-ended'",
                    "SELECT COUNT(*) FROM reconciler_runs",
                )
            )
        assert begun == runs
        assert begun - ended in (0, 1)
        sizes.append(runs)
    assert sizes == sorted(sizes)
    assert sizes[-1] > sizes[0], "the other one did write"


# --- going back to an old one ----------------------------------------------------------------------------------------


def test_an_old_backup_starts_nothing_again(stage: Stage) -> None:
    declare(stage)
    assert stage.apply().code == 0
    file = backed_up(stage)
    declare(stage, "2")
    assert stage.apply().code == 0
    assert stage.starts() == 2
    restore(stage, file)
    for words in ((), ("--only", "trigger/publish"), ("--resend", "trigger/publish")):
        assert stage.apply(*words).code == 3
    saved = str(stage.root / "p.json")
    assert stage.run("plan", "--out", saved).code == 3
    assert stage.run("apply", saved).code == 3
    assert stage.starts() == 2
    (block,) = stage.plan()["blocked"]
    assert (block["address"], block["reason"]) == ("trigger/publish", "lost-ledger")
    assert "was restored from a backup" in stage.run("resolve", "trigger/publish").err
    assert stage.run("resolve", "trigger/publish", "--ran").code == 0
    assert stage.apply().code == 0
    assert stage.starts() == 2
    declare(stage, "3")
    assert stage.apply().code == 0, "what a person said of it is known"
    assert stage.starts() == 3


def test_what_did_not_run_since_is_started_once_somebody_says_so(stage: Stage) -> None:
    declare(stage)
    assert stage.apply().code == 0
    restore(stage, backed_up(stage))
    declare(stage, "2")
    assert stage.apply().code == 3
    assert stage.run("resolve", "trigger/publish", "--not-ran").code == 0
    assert stage.apply().code == 0
    assert stage.apply().code == 0
    assert stage.starts() == 2


def test_a_restored_ledger_can_be_accepted(stage: Stage) -> None:
    declare(stage)
    assert stage.apply().code == 0
    restore(stage, backed_up(stage))
    declare(stage, "2")
    assert stage.apply("--accept-new-ledger").code == 0
    assert stage.starts() == 2
    assert stage.plan()["warnings"] == []
    declare(stage, "3")
    assert stage.apply().code == 0
    assert stage.starts() == 3


def test_a_run_that_was_open_then_says_nothing_about_what_came_after(stage: Stage) -> None:
    declare(stage, task="Slow", extra=SLOW)
    assert stage.apply().code == 8
    file = backed_up(stage)
    assert stage.estate.tenant is not None
    for run in stage.estate.tenant.runs.values():
        run.end = stage.clock()
    assert stage.apply().code == 0
    declare(stage, "2", task="Slow", extra=SLOW)
    assert stage.apply().code == 8
    assert stage.starts() == 2
    restore(stage, file)
    for _ in range(2):
        assert stage.apply().code == 3
        stage.clock.skip(timedelta(seconds=2))
    assert stage.starts() == 2
    assert stage.run("resolve", "trigger/publish", "--ran").code == 0
    assert stage.apply().code == 0
    assert stage.starts() == 2, "a person's word is about the trigger as it is declared now"


def test_a_start_that_was_unknown_then_is_asked_for_as_it_is_now(stage: Stage) -> None:
    declare(stage)
    stage.emulator.inject("POST tasks/start #1 drop-after")
    assert stage.apply().code == 5
    file = backed_up(stage)
    assert stage.run("resolve", "trigger/publish", "--ran").code == 0
    declare(stage, "2")
    assert stage.apply().code == 0
    assert stage.starts() == 2
    restore(stage, file)
    assert stage.apply().code == 3
    assert stage.run("resolve", "trigger/publish", "--ran").code == 0
    assert stage.apply().code == 0
    assert stage.starts() == 2


def test_a_backup_of_a_restored_ledger_knows_no_more(stage: Stage) -> None:
    declare(stage)
    assert stage.apply().code == 0
    first = backed_up(stage)
    declare(stage, "2")
    assert stage.apply().code == 0
    restore(stage, first)
    restore(stage, backed_up(stage, "second.db"))
    assert stage.apply().code == 3
    assert stage.starts() == 2


def test_an_older_copy_can_be_made_to_say_so(stage: Stage) -> None:
    """What docs/ci.md does with a cache that came back older: a copy made by hand does not know that it is one."""
    declare(stage)
    assert stage.apply().code == 0
    older = stage.ledger.read_bytes()
    declare(stage, "2")
    assert stage.apply().code == 0
    stage.ledger.write_bytes(older)
    restore(stage, backed_up(stage, "older.db"))
    assert stage.apply().code == 3
    assert stage.starts() == 2
    assert stage.run("resolve", "trigger/publish", "--ran").code == 0
    assert stage.apply().code == 0
    assert stage.starts() == 2
