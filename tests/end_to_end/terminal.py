"""A terminal for the program to talk to: a real one for a process of its own, and one in memory for this process."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import threading
from pathlib import Path

import pyte
from stage import CLOCKED, Stage

from reconciler import cli

LINE = re.compile(r"\[ *[0-9]+/[0-9]+\]")
"""The beginning of the one line that is drawn over."""


class MemoryTerminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


class TerminalProcess:
    """`reconciler ARGUMENTS…` whose stderr is a terminal, and whose stdout is a pipe; `asks`: stdin is one, too."""

    def __init__(self, stage: Stage, *arguments: str, columns: int = 100, asks: bool = False, **environ: str) -> None:
        self._master, slave = pty.openpty()
        self.resize(columns)
        self.process = subprocess.Popen(
            [sys.executable, str(CLOCKED), stage.clock().isoformat(), "-C", str(stage.root), *arguments],
            env={**stage.environ, "PYTHONPATH": str(Path(cli.__file__).parents[2]), "TERM": "xterm", **environ},
            stdin=slave if asks else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=slave,
            text=True,
        )
        os.close(slave)
        self.bytes = b""
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def resize(self, columns: int) -> None:
        """Make the terminal so wide."""
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", 200, columns, 0, 0))

    def ended(self) -> tuple[int, str]:
        """Its exit code, and what it printed on stdout."""
        out, _ = self.process.communicate(timeout=120)
        self._reader.join()
        os.close(self._master)
        return self.process.returncode, out

    def drawn(self) -> list[str]:
        """Every state of the one line, in order."""
        pieces = re.split(r"\r\x1b\[[KJ]|\r\n", self.bytes.decode())
        return [piece for piece in pieces if LINE.match(piece)]

    def _read(self) -> None:
        while True:
            try:
                found = os.read(self._master, 65_536)
            except OSError:  # the other side is closed
                return
            if not found:
                return
            self.bytes += found


def shown(written: str, columns: int = 100) -> list[str]:
    """The lines that stand on a terminal in the end, as pyte has it."""
    screen = pyte.HistoryScreen(columns, 2_000)
    pyte.Stream(screen).feed(written)
    return [line.rstrip() for line in screen.display if line.strip()]
