"""Waiting for somebody else's lock: ended at once by a signal, and bounded whatever its owner does."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from stage import NIGHTLY, Ended, Stage, agent, wait_for

from reconciler.kinds.registry import memo_of
from reconciler.ledger import Ledger, Owner

pytest_plugins = ["postgres"]

Open = Callable[..., Stage]


@pytest.fixture(params=["sqlite", "postgresql"])
def used(request: pytest.FixtureRequest, open_stage: Open) -> Iterator[tuple[Stage, str]]:
    """A project that has a ledger, and the ledger's URL."""
    stage = open_stage()
    url = "sqlite:///.reconciler/ledger.db"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_url")
        stage.project(f"  ledger: {url}\n")
    stage.write(agent(NIGHTLY))
    assert stage.apply().code == 0
    stage.write(agent(NIGHTLY.replace("0 0 2", "0 0 3")))
    yield stage, url


@contextmanager
def held(stage: Stage, url: str) -> Iterator[None]:
    """Somebody else is applying."""
    opened = Ledger.open(url, "retail", "default", root=stage.root, create=True, clock=stage.clock, memo_of=memo_of)
    with opened as ledger, ledger.acquire(Owner("bob", "build-7", 99), ttl=100_000):
        yield


@contextmanager
def writing(stage: Stage, url: str) -> Iterator[None]:
    """Somebody is in the middle of a write to the ledger, and stays there."""
    connection: Any
    if url.startswith("sqlite"):
        connection = sqlite3.connect(stage.ledger, isolation_level=None)
        connection.execute("BEGIN IMMEDIATE")
    else:
        connection = psycopg.connect(url)
        connection.execute("SELECT * FROM reconciler_lease FOR UPDATE")
    try:
        yield
    finally:
        connection.close()


def interrupted_while_waiting(stage: Stage, number: signal.Signals, *command: str) -> Ended:
    """Start a command that waits for the lock, and interrupt it there; it must have ended long before its patience."""
    process = stage.start(*command, "--lock-timeout", "1h")
    wait_for(lambda: is_waiting(process), seconds=60)
    time.sleep(0.5)
    assert process.poll() is None
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    return Ended(process.returncode, out, err)


def is_waiting(process: subprocess.Popen[str]) -> bool:
    """Whether its second thread, which writes to the ledger, is there: it is made when the lock is asked for."""
    tasks = Path(f"/proc/{process.pid}/task")
    names = [(each / "comm").read_text(encoding="utf-8") for each in tasks.iterdir()] if tasks.exists() else []
    return len(names) > 1 and process.poll() is None


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("command", [("apply", "--auto-approve"), ("destroy", "--auto-approve")], ids=lambda c: c[0])
def test_a_signal_ends_the_wait_for_a_lock(
    used: tuple[Stage, str], number: signal.Signals, command: tuple[str, ...]
) -> None:
    stage, url = used
    writes = stage.writes()
    with held(stage, url):
        ended = interrupted_while_waiting(stage, number, *command)
    assert (ended.code, ended.out) == (130, ""), ended.err
    assert "interrupted while waiting for the lock; nothing was done" in ended.err
    assert "Traceback" not in ended.err
    assert stage.writes() == writes


def test_a_signal_ends_the_wait_for_a_write_that_hangs(used: tuple[Stage, str]) -> None:
    stage, url = used
    with writing(stage, url):
        ended = interrupted_while_waiting(stage, signal.SIGTERM, "apply", "--auto-approve")
    assert ended.code == 130, ended.err


def test_a_write_that_hangs_ends_others_with_exit_6(used: tuple[Stage, str]) -> None:
    stage, url = used
    with writing(stage, url):
        ended = stage.apply()
        assert ended.code == 6, ended.err
        assert "being written by another" in ended.said
        assert "has to be ended" in ended.said
        assert stage.run("plan", "--detailed-exitcode").code == 2, "who only reads is not held up"


def test_an_owner_that_hangs_in_a_write_is_named(used: tuple[Stage, str]) -> None:
    stage, url = used
    with held(stage, url), writing(stage, url):
        ended = stage.apply()
        assert ended.code == 6
        assert "bob on build-7" in ended.said
        assert "in the middle of a write" in ended.said
        assert "end that process" in ended.said
        unlocked = stage.run("unlock", "--force")
        assert unlocked.code == 6
        assert "being written by another" in unlocked.said
