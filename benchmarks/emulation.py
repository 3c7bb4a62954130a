"""The emulated products as a process of their own, so that what they burn is never counted as ours."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.processes import RECONCILER

_START_SECONDS = 60.0


@contextmanager
def emulator(folder: Path, state: Path, *, latency: float = 0.0) -> Iterator[str]:
    """Serve a state file with so many seconds of latency; yields the URL."""
    port_file = folder / f"port-{time.monotonic_ns()}"
    command = [*RECONCILER, "emulator", "--state", str(state), "--latency", str(latency), "--port-file", str(port_file)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=Path(__file__).parents[1])
    try:
        deadline = time.monotonic() + _START_SECONDS
        while not port_file.exists():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("the emulator did not start")
            time.sleep(0.02)
        yield f"http://127.0.0.1:{port_file.read_text().strip()}"
    finally:
        process.terminate()
        process.wait()
