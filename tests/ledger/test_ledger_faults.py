"""Everything that can be wrong with a database ends in one clear error with a next step."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from ledger_samples import OWNER, Clock, Place, entry

from reconciler.errors import LedgerError, Locked
from reconciler.kinds.registry import memo_of
from reconciler.ledger import Ledger, migrations

pytest_plugins = ["ledger_places"]


def _filled(place: Place, count: int = 300) -> Place:
    with place.open() as ledger, ledger.acquire(OWNER) as lease:
        ledger.put(lease, *(entry(f"s{number}") for number in range(count)))
    return place


def _cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def _garble(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xa5" * (len(data) - 4096)
    path.write_bytes(data)


@pytest.mark.parametrize("create", [True, False])
@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_cut, "cut short"),
        (_garble, "damaged"),
        (lambda path: path.write_bytes(b""), "cut short: 0 bytes"),
        (lambda path: os.truncate(path, 60), "cut short"),
        (lambda path: path.write_text("ledger: yes\n" * 100), "no SQLite database"),
        (lambda path: (path.unlink(), path.mkdir()), "cannot be|no ledger"),
    ],
)
def test_a_damaged_file_is_told(file_place: Place, damage: object, message: str, create: bool) -> None:
    assert callable(damage)
    damage(_filled(file_place).file)
    with pytest.raises(LedgerError, match=message) as told, file_place.open(create=create) as ledger:
        ledger.memory()
    assert told.value.hint
    assert str(file_place.file) in told.value.message


@pytest.mark.parametrize("create", [True, False])
def test_a_database_of_somebody_else_is_left_alone(file_place: Place, create: bool) -> None:
    file_place.file.parent.mkdir()
    connection = sqlite3.connect(file_place.file)
    connection.execute("CREATE TABLE precious (x)")
    connection.close()
    before = file_place.file.read_bytes()
    with pytest.raises(LedgerError, match="not a ledger"):
        file_place.open(create=create)
    assert file_place.file.read_bytes()[100:] == before[100:]


@pytest.mark.parametrize("create", [True, False])
def test_a_newer_ledger_is_refused(place: Place, create: bool) -> None:
    place.open().close()
    place.execute("UPDATE reconciler_meta SET value = '99' WHERE name = 'schema_version'")
    with pytest.raises(LedgerError, match="version 99") as refused:
        place.open(create=create)
    assert "upgrade" in refused.value.hint


def test_an_older_ledger_is_brought_up_to_date(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    _filled(place, 2)
    step = ("ALTER TABLE reconciler_entries ADD COLUMN note TEXT NOT NULL DEFAULT 'none'",)
    monkeypatch.setattr(migrations, "STEPS", (*migrations.STEPS, step))
    before = place.file.read_bytes() if place.is_file else b""
    with place.open(create=False) as ledger:
        assert len(ledger.memory().entries) == 2  # read as it is, or in a copy that was taken forward
    assert not place.is_file or place.file.read_bytes() == before
    with place.open() as ledger, ledger.acquire(OWNER) as lease:
        ledger.put(lease, entry("new"))
        assert len(ledger.memory().entries) == 3
    place.execute("UPDATE reconciler_entries SET note = 'seen' WHERE note = 'none'")


def test_a_migration_that_fails_changes_nothing(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    _filled(place, 2)
    with monkeypatch.context() as patch:
        steps = ("CREATE TABLE reconciler_extra (x INTEGER)", "ALTER TABLE reconciler_nowhere ADD COLUMN y INTEGER")
        patch.setattr(migrations, "STEPS", (*migrations.STEPS, steps))
        with pytest.raises(LedgerError):
            place.open()
    with place.open() as ledger:
        assert len(ledger.memory().entries) == 2


def test_an_entry_that_makes_no_sense_is_told(place: Place) -> None:
    _filled(place, 1)
    place.execute("UPDATE reconciler_entries SET address = 'nonsense'")
    with place.open(create=False) as ledger, pytest.raises(LedgerError, match="cannot be read"):
        ledger.memory()


_FULL = """
import resource, signal, sys
from pathlib import Path
from reconciler.errors import LedgerError, Locked
from reconciler.kinds.registry import memo_of
from reconciler.kinds.schedule_state import ScheduleMemo
from reconciler.ledger import Ledger, Owner
from reconciler.model.address import Address
from reconciler.model.entry import Entry

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
place = "sqlite:///.reconciler/ledger.db"
root = Path(sys.argv[1])
with Ledger.open(place, "retail", "default", root=root, create=True, memo_of=memo_of) as ledger:
    lease = ledger.acquire(Owner("ann", "here", 1), ttl=3600)
    resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, resource.RLIM_INFINITY))
    written = 0
    try:
        for number in range(2000):
            address = Address("schedule", "prices", f"s{number}")
            ledger.put(lease, Entry(address, "x" * 2000, "Retail/prices", "d", {}, settled=True, memo=ScheduleMemo()))
            written += 1
    except LedgerError as error:
        print(written, error.message, "|", error.hint)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    lease.close()
"""


def test_a_disk_that_runs_full_loses_nothing_that_was_promised(file_place: Place) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _FULL, str(file_place.root)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    count, _, message = done.stdout.partition(" ")
    assert "full" in message
    assert int(count) > 0
    with file_place.open(create=False) as ledger:
        assert len(ledger.memory().entries) == int(count)
        assert ledger.verify() == ()


_AS_NOBODY = """
import os, sys
from pathlib import Path
from reconciler.errors import LedgerError, Locked
from reconciler.kinds.registry import memo_of
from reconciler.ledger import Ledger, Owner

import reconciler.ledger.commits
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
place = dict(root=Path(sys.argv[1]), memo_of=memo_of)
with Ledger.open("sqlite:///.reconciler/ledger.db", "retail", "default", create=False, **place) as ledger:
    print(len(ledger.memory().entries))
try:
    with Ledger.open("sqlite:///.reconciler/ledger.db", "retail", "default", create=True, **place) as ledger:
        ledger.acquire(Owner("ann", "here", 1))
except LedgerError as error:
    print(error.message)
"""


@pytest.mark.parametrize("open_log", [False, True])
def test_a_read_only_ledger_is_read_and_its_writing_refused(file_place: Place, open_log: bool) -> None:
    # Root may write everywhere, so the look is taken by a user who may not.
    root = Path(tempfile.mkdtemp())
    try:
        place = _filled(Place(file_place.url, root, file_place.clock), 3)
        if open_log:  # as a killed run leaves it: with the log beside it
            connection = sqlite3.connect(place.file)
            connection.execute("PRAGMA journal_mode=WAL")
            connection.close()
        root.chmod(0o755)
        place.file.chmod(0o444)
        place.file.parent.chmod(0o555)
        done = subprocess.run(
            [sys.executable, "-c", _AS_NOBODY, str(root)],
            capture_output=True,
            text=True,
            check=False,
            cwd=Path(__file__).parents[2],
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        count, message = done.stdout.splitlines()
        assert count == "3"
        assert "read-only" in message or "cannot be opened" in message
    finally:
        root.joinpath(".reconciler").chmod(0o755)
        shutil.rmtree(root)


@pytest.mark.parametrize("url", ["mysql://x/y", "sqlite://", "sqlite:///", "sqlite:///:memory:", "ledger.db"])
def test_a_url_that_is_no_ledger_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(LedgerError) as refused:
        Ledger.exists(url, tmp_path)
    assert "sqlite:///" in refused.value.hint


def test_a_closed_ledger_says_so(place: Place) -> None:
    ledger = place.open()
    ledger.close()
    ledger.close()
    with pytest.raises(LedgerError, match="closed"):
        ledger.acquire(OWNER)


def test_a_server_that_is_not_there_is_told_without_the_password(tmp_path: Path) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        url = f"postgresql://ann:hunter2@127.0.0.1:{listener.getsockname()[1]}/ledgers"
    for attempt in (
        lambda: Ledger.exists(url, tmp_path),
        lambda: Ledger.open(url, "retail", "default", root=tmp_path, create=True, memo_of=memo_of),
        lambda: Ledger.open(url, "retail", "default", root=tmp_path, create=False, memo_of=memo_of),
    ):
        with pytest.raises(LedgerError, match="cannot be reached") as told:
            attempt()
        assert "hunter2" not in told.value.message + told.value.hint
        assert "ann@127.0.0.1" in told.value.message


def test_a_wrong_password_is_told_and_not_shown(postgres_url: str, tmp_path: Path) -> None:
    head, _, tail = postgres_url.rpartition("@")
    url = f"{head.rpartition(':')[0]}:hunter2@{tail}"
    with pytest.raises(LedgerError, match="does not accept the credential") as told:
        Ledger.open(url, "retail", "default", root=tmp_path, create=True, memo_of=memo_of)
    assert "hunter2" not in told.value.message


def test_a_user_who_may_not_write_is_told(postgres_url: str, tmp_path: Path) -> None:
    import psycopg

    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS looker")
        connection.execute("CREATE ROLE looker LOGIN PASSWORD 'looks'")
    url = f"postgresql://looker:looks@{postgres_url.rpartition('@')[2]}"
    with pytest.raises(LedgerError, match="may not be written") as told:
        Ledger.open(url, "retail", "default", root=tmp_path, create=True, memo_of=memo_of)
    assert "grant" in told.value.hint


def test_a_password_of_any_characters_and_a_server_that_hung_up(
    postgres_url: str, tmp_path: Path, clock: Clock
) -> None:
    import psycopg

    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS odd")
        connection.execute("CREATE ROLE odd SUPERUSER LOGIN PASSWORD 'p@s/s:w?o#r %41d'")
        place = Place(
            f"postgresql://odd:p%40s%2Fs%3Aw%3Fo%23r%20%2541d@{postgres_url.rpartition('@')[2]}", tmp_path, clock
        )
        with place.open() as ledger, ledger.acquire(OWNER) as lease:
            ledger.put(lease, entry("one"))
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'odd'")
            with pytest.raises(LedgerError, match="cannot be reached"):
                ledger.put(lease, entry("two"))
            with pytest.raises(LedgerError, match="cannot be reached"):
                ledger.memory()
            ledger.put(lease, entry("three"))
            assert {each.identity for each in ledger.memory().entries.values()} == {"id-one", "id-three"}


def test_a_missing_driver_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(LedgerError, match="psycopg") as told:
        Ledger.exists("postgresql://localhost/x", tmp_path)
    assert told.value.hint == "pip install 'acc-mft-reconciler[postgres]'"


def test_a_read_needs_no_database_library(file_place: Place) -> None:
    _filled(file_place, 1)
    program = (
        "import sys; from pathlib import Path; from reconciler.ledger import Ledger\n"
        "from reconciler.kinds.registry import memo_of\n"
        "url, root = 'sqlite:///.reconciler/ledger.db', Path(sys.argv[1])\n"
        "assert Ledger.exists(url, root)\n"
        "with Ledger.open(url, 'retail', 'default', root=root, create=False, memo_of=memo_of) as ledger:\n"
        "    assert ledger.memory().entries and ledger.agent_paths() and not ledger.is_plan_used('x')\n"
        "print(sorted(name for name in sys.modules if name.startswith('psycopg')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(file_place.root)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert done.stdout.strip() == "[]"


def test_the_file_ledger_says_who_else_has_it_locked(file_place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    from reconciler.ledger import database

    _filled(file_place, 1)
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    other = sqlite3.connect(file_place.file, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        with pytest.raises(Locked, match="being written by another program") as caught:
            file_place.open()
        assert caught.value.exit_code == 6
    finally:
        other.close()
