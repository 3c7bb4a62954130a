"""Programs that do only what must be done, with the plainest library for it: `python -m benchmarks.floors NAME …`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any


def exchanges(url: str, token: str, concurrency: str, calls: str) -> None:
    """The calls of a file, `[[[method, path, body], …], …]`: each inner list in order, `concurrency` lists at a time.

    One plain `requests.Session`, shared, with as many pooled connections as threads.
    """
    from concurrent.futures import ThreadPoolExecutor

    import requests
    from requests.adapters import HTTPAdapter

    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {token}"
    session.mount("http://", HTTPAdapter(pool_maxsize=int(concurrency)))

    def together(chain: Iterable[tuple[str, str, Any]]) -> None:
        for method, path, body in chain:
            response = session.request(method, url + path, json=body, timeout=30)
            response.raise_for_status()

    with ThreadPoolExecutor(int(concurrency)) as pool:
        for _ in pool.map(together, json.loads(Path(calls).read_text())):
            pass


def json_files(folder: str) -> None:
    """`json.loads` of every file of a folder."""
    for path in sorted(Path(folder).iterdir()):
        json.loads(path.read_bytes())


def commits(folder: str, count: str) -> None:
    """So many durable commits of one row each, in SQLite with a write-ahead log; prints how many a second."""
    import sqlite3
    import time

    connection = sqlite3.connect(Path(folder) / "bare.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE IF NOT EXISTS entries (address TEXT PRIMARY KEY, state TEXT)")
    began = time.perf_counter()
    for number in range(int(count)):
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT OR REPLACE INTO entries VALUES (?, ?)", (f"schedule/agent/{number}", "x" * 400))
        connection.execute("COMMIT")
    print(int(count) / (time.perf_counter() - began))


_PROGRAMS: dict[str, Callable[..., None]] = {"exchanges": exchanges, "json": json_files, "commits": commits}

if __name__ == "__main__":
    _PROGRAMS[sys.argv[1]](*sys.argv[2:])
