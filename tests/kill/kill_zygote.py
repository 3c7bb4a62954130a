"""Runs the program in fresh processes without paying for its imports each time: an order a line, a fork, a report.

An order is JSON: `arguments`, `environ` and `now`. The answer is the new process's id on one line, and on the next,
once it has ended, its exit code (negative: the signal that killed it). It stays single-threaded, so that forking is
safe.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import datetime

import reconciler.cli
import reconciler.cli.apply_commands
import reconciler.clients.acc
import reconciler.clients.mft
import reconciler.ledger.commits
import reconciler.manifests
import reconciler.render.text
import reconciler.workflow.applying
import reconciler.workflow.saved
from reconciler.clock import Clock


def run(order: dict[str, object]) -> None:
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.dup2(nothing, 2)
    environ = order["environ"]
    arguments = order["arguments"]
    assert isinstance(environ, dict)
    assert isinstance(arguments, list)
    os.environ.clear()
    os.environ.update(environ)
    os._exit(reconciler.cli.main(arguments, clock=Clock(datetime.fromisoformat(str(order["now"])))))


for line in sys.stdin:
    child = os.fork()
    if child == 0:
        run(json.loads(line))
    sys.stdout.write(f"{child}\n")
    sys.stdout.flush()
    _, status = os.waitpid(child, 0)
    sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
    sys.stdout.flush()
