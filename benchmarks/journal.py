"""Writes changes into a fresh ledger from several threads: `python -m benchmarks.journal FOLDER CHANGES THREADS`."""

from __future__ import annotations

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from reconciler.ledger import Ledger, Owner
from reconciler.model import Action, Address, Change, Entry, Evidence, KindName, Outcome, Reason, Status

_FIELDS = ("cron", "startTime", "timeZone", "inputParameters", "logLevel", "enabled")


def write(folder: Path, changes: int, threads: int) -> float:
    """Tell and end so many changes; returns how many a second were durable."""
    with (
        Ledger.open("sqlite:///ledger.db", "bench", "default", root=folder, create=True) as ledger,
        ledger.acquire(Owner(user="bench", host="localhost", pid=1, ci_link="")) as lease,
    ):
        ledger.begin_run(lease, commit="", command="apply", plan_digest="")

        def one(number: int) -> None:
            address = Address(KindName.SCHEDULE, f"agent-{number:05d}", "nightly")
            path = f"sequentum/agent-{number:05d}"
            change = Change(address, Action.CREATE, Reason.NEW, "new", identity=f"id-{number}", agent_path=path)
            declared = ledger.seal([number])
            ledger.began(lease, change, declared=declared, facts={})
            applied = {name: ledger.seal([name, number]) for name in _FIELDS}
            entry = Entry(address, change.identity, path, declared, applied, settled=True)
            outcome = Outcome(change, Status.APPLIED, evidence=Evidence.VERIFIED, identity=change.identity)
            ledger.outcome(lease, outcome, replace(entry, at="2026-01-01T00:00:00Z"))

        began = time.perf_counter()
        with ThreadPoolExecutor(threads) as pool:
            for _ in pool.map(one, range(changes)):
                pass
        return changes / (time.perf_counter() - began)


if __name__ == "__main__":
    print(write(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
