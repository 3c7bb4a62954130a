"""Processes of the program that a test kills: started in no time, and killed at a request that the test names."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

from stage import Stage

import reconciler
from reconciler.emulator import Fault


class Zygote:
    """A process that forks the program on demand."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("kill_zygote.py"))],
            env={**os.environ, "PYTHONPATH": str(Path(reconciler.__file__).parents[1])},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(self, stage: Stage, *arguments: str) -> int:
        """Start the program; returns its process id."""
        assert self.process.stdin is not None
        order = {
            "arguments": ["-C", str(stage.root), *arguments],
            "environ": stage.environ,
            "now": stage.clock().isoformat(),
        }
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        return self._number()

    def ended(self) -> int:
        """Wait for the end of what was started, and return its exit code."""
        return self._number()

    def _number(self) -> int:
        assert self.process.stdout is not None
        return int(self.process.stdout.readline())

    def close(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


class KillAt(Fault):
    """A fault that strikes the one who asks: its process is killed at the n-th request, and hears no answer.

    `took_effect` says whether the product does its work all the same. `process` is told once it is known.
    """

    def __init__(self, nth: int, *, took_effect: bool) -> None:
        super().__init__("drop-after" if took_effect else "drop-before", nth=nth, took_effect=took_effect)
        self.process = 0
        self.is_known = threading.Event()

    def strikes(self, method: str, target: str) -> bool:
        hit = super().strikes(method, target)
        if hit:
            self.is_known.wait(10)
            os.kill(self.process, signal.SIGKILL)
        return hit
