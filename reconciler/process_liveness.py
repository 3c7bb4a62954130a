"""Whether a process that left its trace is still there, where that can be known: on the same running machine.

A process is known by the boot of its machine, its space of process ids, its id and its start. With all four there is no
mistaking it for another. Of any other machine, and on systems without `/proc`, nobody can say that it is over.
"""

from __future__ import annotations

import os
from pathlib import Path

_PROC = Path("/proc")


def trace() -> str:
    """This process, in a form that `is_over` can judge later; "" where the system does not tell."""
    scope = _scope()
    started = _start_of(os.getpid())
    return f"{scope} {os.getpid()} {started}" if scope and started else ""


def is_over(trace: str) -> bool:
    """Whether the process that left this trace is surely gone."""
    head, _, started = trace.rpartition(" ")
    scope, _, pid = head.rpartition(" ")
    return bool(scope) and scope == _scope() and pid.isdigit() and _start_of(int(pid)) != started


def _scope() -> str:
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {(_PROC / 'self/ns/pid').readlink()}"
    except (OSError, ValueError):
        return ""


def _start_of(pid: int) -> str:
    """When a process started, in ticks since the boot; "" when there is no such process, or only its remains."""
    try:
        # The name in the second field may hold anything, so the fields are counted from its end.
        fields = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return ""
    state, started = fields[0], fields[19]
    return "" if state in "ZX" else started
