"""`ledger migrate`: the ledger goes elsewhere with all that it knows, and at no moment two of them can be used."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from stage import NIGHTLY, POLL, Ended, Stage, agent, estate, task_trigger

from reconciler.errors import LedgerError
from reconciler.ledger import Owner
from reconciler.workflow.context import CommandContext
from reconciler.workflow.memory import open_ledger
from reconciler.workflow.reading import read_project

pytest_plugins = ["postgres"]
WAIT = "  wait: {timeout: 5s, interval: 1s}\n"
DEFAULT = "sqlite:///.reconciler/ledger.db"
DATABASE_PASSWORD = "pass-phrase-of-tests"


def dumped(path: Path) -> list[str]:
    with sqlite3.connect(path) as connection:
        return list(connection.iterdump())


def declare(stage: Stage, revision: str = "1") -> None:
    stage.write(agent(NIGHTLY, POLL) + "---\n" + task_trigger(revision=revision, extra=WAIT))


def use(stage: Stage, url: str) -> None:
    stage.project(f"  ledger: {url}\n")


def migrated(stage: Stage, to: str) -> Ended:
    ended = stage.run("ledger", "migrate", "--to", to)
    assert DATABASE_PASSWORD not in ended.out + ended.err
    return ended


def told(stage: Stage) -> dict[str, object]:
    """All that a ledger says, without times of reading."""
    entries = stage.run("ledger", "list", "--format", "json").document
    history = stage.run("history", "--limit", "1000", "--format", "json").document
    assert stage.run("history", "--verify").code == 0
    return {"entries": entries["entries"], "agents": entries["agents"], "runs": history["runs"]}


@pytest.fixture(params=["postgresql", "sqlite"])
def elsewhere(request: pytest.FixtureRequest, stage: Stage) -> str:
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres_url"))
    return "sqlite:///other/ledger.db"


def test_nothing_is_lost_and_nothing_is_sent_there_and_back(stage: Stage, elsewhere: str) -> None:
    declare(stage)
    assert stage.apply().code == 0
    stage.write(
        agent(NIGHTLY, POLL) + "---\n" + task_trigger(extra=WAIT) + "---\n" + task_trigger("second", extra=WAIT)
    )
    stage.emulator.inject("POST tasks/start #1 drop-after")
    assert stage.apply().code == 5
    before, plan, writes = told(stage), stage.plan(), stage.writes()
    for source, target in ((DEFAULT, elsewhere), (elsewhere, DEFAULT), (DEFAULT, elsewhere)):
        use(stage, source)
        ended = migrated(stage, target)
        assert ended.code == 0, ended.err
        assert "retail/default (4 resources, 2 runs)" in ended.out
        refused = stage.apply()
        assert refused.code == 1
        assert "was moved to" in refused.err
        assert DATABASE_PASSWORD not in refused.err
        use(stage, target)
        assert told(stage) == before
        after = stage.plan()
        assert (after["changes"], after["blocked"]) == (plan["changes"], plan["blocked"])
        assert stage.writes() == writes
        assert stage.apply().code == 3, "the unknown start is as unknown as before"
    assert stage.run("resolve", "trigger/second", "--ran").code == 0
    assert stage.apply().code == 0
    assert stage.starts() == 2


def test_every_command_names_the_new_place_and_none_writes_to_the_old_one(stage: Stage, elsewhere: str) -> None:
    declare(stage)
    assert stage.apply().code == 0
    assert stage.run("plan", "--out", str(stage.root / "p.json")).code == 0
    assert migrated(stage, elsewhere).code == 0
    before, writes = dumped(stage.ledger), stage.writes()
    for words in (
        ["plan"],
        ["plan", "--out", str(stage.root / "q.json")],
        ["apply", "--auto-approve"],
        ["apply", str(stage.root / "p.json")],
        ["apply", "--auto-approve", "--accept-new-ledger"],
        ["destroy", "--auto-approve"],
        ["drift"],
        ["status"],
        ["resolve", "trigger/publish", "--not-ran"],
        ["history"],
        ["unlock", "--force"],
        ["ledger", "list"],
        ["ledger", "forget", "trigger/publish"],
        ["ledger", "backup", str(stage.root / "copy.db")],
        ["acc", "agent", "approve", "-m", "so", "sequentum/Retail/prices"],
    ):
        ended = stage.run(*words)
        assert ended.code == 1, (words, ended)
        assert "was moved to" in ended.err, words
        assert DATABASE_PASSWORD not in ended.err
    assert stage.writes() == writes
    assert dumped(stage.ledger) == before
    assert not (stage.root / "copy.db").exists()
    assert "was moved to" in stage.run("doctor").said


def test_doing_it_twice_is_harmless(stage: Stage, elsewhere: str) -> None:
    declare(stage)
    assert stage.apply().code == 0
    assert migrated(stage, elsewhere).code == 0
    for source in (DEFAULT, elsewhere):
        use(stage, source)
        again = migrated(stage, elsewhere)
        assert again.code == 0, again.err
        assert "moved before" in again.out
    declare(stage, "2")
    assert stage.apply().code == 0
    use(stage, DEFAULT)
    assert migrated(stage, elsewhere).code == 0
    use(stage, elsewhere)
    assert stage.apply().code == 0
    assert stage.starts() == 2


def test_all_environments_move_with_the_key_of_each(stage: Stage, elsewhere: str) -> None:
    text = (stage.root / "reconciler.yaml").read_text(encoding="utf-8") + "  environments: {prod: {}}\n"
    (stage.root / "reconciler.yaml").write_text(text, encoding="utf-8")
    stage.write(task_trigger(extra=WAIT))
    assert stage.apply().code == 0
    stage.environ["RECONCILER_KEY"] = "another key than that of the other one"
    assert stage.apply("--env", "prod").code == 0
    ended = stage.run("ledger", "migrate", "--env", "prod", "--to", elsewhere)
    assert ended.code == 0
    assert "retail/default, retail/prod" in ended.out
    assert "RECONCILER_KEY: it has to stay as it is" in ended.err
    path = stage.root / "reconciler.yaml"
    path.write_text(text + f"  ledger: {elsewhere}\n", encoding="utf-8")
    assert stage.apply("--env", "prod").code == 0
    del stage.environ["RECONCILER_KEY"]
    assert stage.apply("--env", "prod").code == 1
    assert stage.apply().code == 0
    assert stage.starts() == 2


def test_nobody_applies_meanwhile(stage: Stage, elsewhere: str) -> None:
    declare(stage)
    assert stage.apply().code == 0
    context = CommandContext(stage.root, None, stage.environ, clock=stage.clock)
    project, _ = read_project(context)
    with open_ledger(context, project, create=True) as ledger, ledger.acquire(Owner("bob", "build-7", 99), ttl=100_000):
        ended = migrated(stage, elsewhere)
        assert ended.code == 6
        assert "bob on build-7" in ended.err
    assert stage.apply().code == 0
    use(stage, elsewhere)
    assert stage.starts() == 1


def test_a_place_that_is_taken_is_left_alone(stage: Stage, elsewhere: str) -> None:
    declare(stage)
    use(stage, elsewhere)
    assert stage.apply().code == 0
    use(stage, DEFAULT)
    assert stage.apply().code == 3
    before = told(stage)
    ended = migrated(stage, elsewhere)
    assert ended.code == 1
    assert "holds a ledger of retail already, and two cannot become one" in ended.err
    assert told(stage) == before
    use(stage, elsewhere)
    assert stage.plan()["changes"] == []
    assert stage.starts() == 1


def test_a_new_place_that_somebody_looked_at_first_is_still_new(stage: Stage, elsewhere: str) -> None:
    declare(stage)
    assert stage.apply().code == 0
    use(stage, elsewhere)
    stage.run("plan", "--out", str(stage.root / "p.json"))
    use(stage, DEFAULT)
    assert migrated(stage, elsewhere).code == 0
    use(stage, elsewhere)
    assert stage.apply().code == 0
    assert stage.starts() == 1


def test_slips_are_told_and_change_nothing(stage: Stage, postgres_url: str) -> None:
    declare(stage)
    nothing = migrated(stage, postgres_url)
    assert nothing.code == 1
    assert "nothing to move" in nothing.err
    assert stage.apply().code == 0
    (stage.root / "link.db").symlink_to(stage.ledger)
    (stage.root / "hard.db").hardlink_to(stage.ledger)
    for to, code, word in (
        (DEFAULT, 64, "is what `ledger:` names"),
        ("sqlite:///./.reconciler/../.reconciler/ledger.db", 64, "is what `ledger:` names"),
        ("sqlite:///link.db", 64, "is what `ledger:` names"),
        ("sqlite:///hard.db", 64, "is what `ledger:` names"),
        ("mysql://root:sesame@host/db", 64, "--to must be"),
        ("${env:NOBODY_SET_THIS}", 64, "NOBODY_SET_THIS"),
        ("postgresql://ann:sesame@127.0.0.1:1/nowhere", 1, "cannot be reached"),
    ):
        ended = migrated(stage, to)
        assert (ended.code, word in ended.said) == (code, True), ended
        assert "sesame" not in ended.said
    other = postgres_url.replace("127.0.0.1", "localhost")
    assert migrated(stage, postgres_url).code == 0
    use(stage, postgres_url)
    same = migrated(stage, other)
    assert same.code == 64
    assert "by another name, or a copy of it" in same.err
    assert stage.apply().code == 0
    assert stage.starts() == 1


def test_a_password_may_come_from_the_environment(stage: Stage, postgres_url: str) -> None:
    declare(stage)
    assert stage.apply().code == 0
    stage.environ["LEDGER_PASSWORD"] = DATABASE_PASSWORD
    url = postgres_url.replace(DATABASE_PASSWORD, "${env:LEDGER_PASSWORD}")
    assert migrated(stage, url).code == 0
    use(stage, f'"{url}"')
    assert stage.apply().code == 0
    assert stage.starts() == 1


def test_a_saved_plan_goes_along(stage: Stage, elsewhere: str) -> None:
    declare(stage)
    saved = str(stage.root / "p.json")
    assert stage.run("plan", "--out", saved).code == 0
    copy = Path(saved).read_bytes()
    assert migrated(stage, elsewhere).code == 0
    use(stage, elsewhere)
    assert stage.run("apply", saved).code == 0
    Path(saved).write_bytes(copy)
    assert stage.run("apply", saved).code == 7
    assert stage.starts() == 1


def test_a_place_that_cannot_be_written_leaves_the_old_one_valid(stage: Stage) -> None:
    declare(stage)
    assert stage.apply().code == 0
    (stage.root / "file").write_text("", encoding="utf-8")
    ended = migrated(stage, "sqlite:///file/ledger.db")
    assert ended.code == 1
    assert stage.apply().code == 0
    assert stage.starts() == 1


def test_who_opened_the_old_one_before_gets_no_lock_after(stage: Stage, elsewhere: str) -> None:
    """As an apply does that waits for the lock while the ledger moves away under it."""
    declare(stage)
    assert stage.apply().code == 0
    context = CommandContext(stage.root, None, stage.environ, clock=stage.clock)
    project, _ = read_project(context)
    with open_ledger(context, project, create=True) as ledger:
        assert migrated(stage, elsewhere).code == 0
        with pytest.raises(LedgerError, match="was moved to"):
            ledger.acquire(Owner("bob", "build-7", 99))


# --- killed on the way -----------------------------------------------------------------------------------------------

KILLED = """\
import os, signal, sys
from datetime import datetime
from pathlib import Path
from reconciler.clock import Clock
from reconciler.workflow.context import CommandContext
from reconciler.workflow.ledger_places import migrate

def progress(stage, step, of):
    if step == int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)

clock = Clock(datetime.fromisoformat(sys.argv[1]))
migrate(CommandContext(Path(sys.argv[2]), None, dict(os.environ), clock=clock, progress=progress), sys.argv[4])
"""


def killed(stage: Stage, step: int, to: str) -> None:
    """The same as the command, killed right after a step."""
    done = subprocess.run(
        [sys.executable, "-c", KILLED, stage.clock().isoformat(), str(stage.root), str(step), to],
        env={**stage.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr


def usable(stage: Stage, url: str) -> bool:
    """Whether somebody can go on with the ledger at a place: it is there, and not as empty as a new one."""
    if url.startswith("sqlite") and not (stage.root / url.removeprefix("sqlite:///")).exists():
        return False
    use(stage, url)
    ended = stage.run("ledger", "list", "--format", "json")
    return ended.code == 0 and bool(ended.document["entries"])


@pytest.mark.parametrize("step", [1, 2, 3, 4])
def test_killed_after_any_step_one_of_them_is_valid_at_most(stage: Stage, elsewhere: str, step: int) -> None:
    declare(stage)
    assert stage.apply().code == 0
    before = told(stage)
    killed(stage, step, elsewhere)
    valid = [url for url in (DEFAULT, elsewhere) if usable(stage, url)]
    assert valid == ([DEFAULT] if step < 3 else [] if step == 3 else [elsewhere])
    if step == 2:
        use(stage, elsewhere)
        for words in (["apply", "--auto-approve"], ["apply", "--auto-approve", "--accept-new-ledger"], ["plan"]):
            refused = stage.run(*words)
            assert refused.code == 1
            assert "is being moved there" in refused.err
    if step < 3:
        use(stage, DEFAULT)
        declare(stage, "2")
        assert stage.apply().code == 0, "the old one is as it was"
        before = told(stage)
    starts = stage.starts()
    use(stage, DEFAULT)
    assert migrated(stage, elsewhere).code == 0
    assert [url for url in (DEFAULT, elsewhere) if usable(stage, url)] == [elsewhere]
    use(stage, elsewhere)
    assert told(stage) == before
    assert stage.apply().code == 0
    assert stage.starts() == starts


def test_a_move_that_was_given_up_holds_up_no_other(stage: Stage, postgres_url: str) -> None:
    declare(stage)
    assert stage.apply().code == 0
    killed(stage, 2, postgres_url)
    assert migrated(stage, "sqlite:///other.db").code == 0
    use(stage, "sqlite:///other.db")
    declare(stage, "2")
    assert stage.apply().code == 0
    assert migrated(stage, postgres_url).code == 0
    use(stage, postgres_url)
    assert stage.apply().code == 0
    assert stage.starts() == 2


def test_what_arrived_can_be_gone_on_with_where_the_old_one_is_gone(stage: Stage, elsewhere: str) -> None:
    declare(stage)
    assert stage.apply().code == 0
    killed(stage, 2, elsewhere)
    declare(stage, "2")
    assert stage.apply().code == 0, "which what arrived does not know"
    stage.ledger.unlink()
    use(stage, elsewhere)
    assert "`reconciler ledger backup FILE` here" in stage.apply().said
    assert stage.run("ledger", "backup", str(stage.root / "saved.db")).code == 0
    use(stage, "sqlite:///saved.db")
    assert stage.apply().code == 3
    assert stage.run("resolve", "trigger/publish", "--ran").code == 0
    assert stage.apply().code == 0
    assert stage.starts() == 2


@pytest.mark.parametrize("seed", range(int(os.environ.get("KILLED_MOVES", "6"))))
def test_killed_at_any_moment_the_same_command_ends_it(stage: Stage, elsewhere: str, seed: int) -> None:
    declare(stage)
    assert stage.apply().code == 0
    before = told(stage)
    begun = time.monotonic()
    process = stage.start("ledger", "migrate", "--to", elsewhere)
    try:
        # A start takes half a second or so: the later the more is done, and some end before they are killed.
        process.wait(0.25 + random.Random(seed).random() * 0.6)
    except subprocess.TimeoutExpired:
        process.kill()
    process.communicate()
    assert time.monotonic() - begun < 60
    valid = [url for url in (DEFAULT, elsewhere) if usable(stage, url)]
    assert valid in ([DEFAULT], [], [elsewhere])
    use(stage, DEFAULT)
    ended = migrated(stage, elsewhere)
    assert ended.code == 0, ended
    use(stage, elsewhere)
    assert told(stage) == before
    assert stage.apply().code == 0
    assert stage.starts() == 1
    assert not usable(stage, DEFAULT)


def test_an_unfinished_copy_of_another_ledger_is_not_replaced(stage: Stage, elsewhere: str) -> None:
    declare(stage)
    assert stage.apply().code == 0
    killed(stage, 3, elsewhere)
    use(stage, "sqlite:///third.db")
    assert stage.apply().code == 3
    ended = migrated(stage, elsewhere)
    assert ended.code == 1
    assert "is being moved there from" in ended.err
    use(stage, DEFAULT)
    assert migrated(stage, elsewhere).code == 0
    use(stage, elsewhere)
    assert stage.apply().code == 0
    assert stage.starts() == 1


# --- whatever happens ------------------------------------------------------------------------------------------------


@dataclass
class Moves:
    """A project whose ledger wanders among three places, and how many starts it was allowed."""

    stage: Stage
    places: tuple[str, ...]
    at: int = 0
    revision: int = 1
    started: int = 0
    due: bool = True
    ending: int | None = None

    def go(self, step: object) -> None:
        match step:
            case "revise":
                self.revision, self.due = self.revision + 1, True
                declare(self.stage, str(self.revision))
            case "apply" | "saved":
                self.apply(saved=step == "saved")
            case ("apply at", int(place)):
                self.elsewhere(place)
            case ("move", int(place)):
                self.move(place)
            case ("killed", int(step_number), int(place)):
                self.kill(step_number, place)

    def apply(self, *, saved: bool) -> None:
        use(self.stage, self.places[self.at])
        if saved:
            file = str(self.stage.root / "p.json")
            self.stage.run("plan", "--out", file)
            ended = self.stage.run("apply", file)
        else:
            ended = self.stage.apply()
        if self.ending is not None:
            assert ended.code == 1, "moved, and not wholly arrived"
            return
        is_same_plan = saved and not self.due and ended.code == 7  # made in the same second as the last one
        assert ended.code == 0 or is_same_plan, ended
        self.started += self.due
        self.due = False

    def elsewhere(self, place: int) -> None:
        """Somebody applies with a place that the ledger is not at: it says so, or is new and starts nothing."""
        if place != self.at:
            use(self.stage, self.places[place])
            assert self.stage.apply().code == 1

    def move(self, place: int) -> None:
        use(self.stage, self.places[self.at])
        ended = migrated(self.stage, self.places[place])
        if self.ending is not None:
            assert ended.code == (0 if place == self.ending else 1), ended
            self.at, self.ending = (place, None) if place == self.ending else (self.at, self.ending)
        elif place == self.at:
            assert ended.code in (0, 64)
        else:
            assert ended.code == 0, ended
            self.at = place

    def kill(self, step: int, place: int) -> None:
        if self.ending is not None or place == self.at:
            return
        use(self.stage, self.places[self.at])
        killed(self.stage, step, self.places[place])
        if step == 3:
            self.ending = place
        elif step == 4:
            self.at = place


places = st.integers(0, 2)
steps = st.one_of(
    st.sampled_from(["apply", "apply", "revise", "saved"]),
    st.tuples(st.just("move"), places),
    st.tuples(st.just("killed"), st.integers(1, 4), places),
)


@settings(
    max_examples=int(os.environ.get("MOVES", "6")),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(history=st.lists(steps, min_size=3, max_size=9))
@example(history=["apply", ("killed", 3, 1), "apply", ("move", 2), ("move", 1), "apply", ("move", 0), "saved"])
@example(history=["apply", ("killed", 2, 1), "revise", "apply", ("move", 1), ("killed", 4, 2), "apply", ("move", 0)])
def test_one_start_for_each_key_wherever_the_ledger_goes(
    open_stage: Callable[..., Stage],
    postgres_server: str,
    record_count: Callable[[str, int], None],
    history: list[object],
) -> None:
    name = f"moves_{uuid.uuid4().hex}"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    stage = open_stage(held=estate())
    moves = Moves(stage, (DEFAULT, postgres_server.rpartition("/")[0] + f"/{name}", "sqlite:///other/ledger.db"))
    declare(stage)
    moves.go("apply")
    for number, step in enumerate(history, 1):
        moves.go(step)
        assert stage.starts() == moves.started, (number, step, moves)
    if moves.ending is not None:
        moves.move(moves.ending)
    moves.go("apply")
    assert stage.starts() == moves.started
    valid = [url for url in moves.places if usable(stage, url)]
    assert valid == [moves.places[moves.at]]
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
    record_count("histories of moved ledgers", 1)


def test_an_absolute_path_may_have_a_slash_too_many(stage: Stage) -> None:
    """`sqlite:////$PWD/…` is what people write who know that an absolute path has four slashes."""
    declare(stage)
    assert stage.apply().code == 0
    url = f"sqlite:////{stage.root}/far/ledger.db"
    ended = migrated(stage, url)
    assert ended.code == 0, ended.err
    assert f"to {stage.root}/far/ledger.db" in ended.out
    use(stage, url)
    assert stage.apply().code == 0
    assert stage.starts() == 1
