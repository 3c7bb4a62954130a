"""Writes changes into a fresh ledger from several threads: `python -m benchmarks.journal FOLDER CHANGES THREADS`."""

from __future__ import annotations

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from reconciler.applier.run import opened
from reconciler.kinds.registry import memo_of
from reconciler.kinds.schedule_state import ScheduleMemo
from reconciler.ledger import Ledger, Owner
from reconciler.model.address import Address
from reconciler.model.copies import replace
from reconciler.model.live import Evidence
from reconciler.model.outcome import Outcome, Status
from reconciler.model.plan import Action, Change, Reason

_AT = "2026-01-01T00:00:00Z"
_FIELDS = ("cron", "startTime", "timeZone", "inputParameters", "logLevel", "enabled")


def write(folder: Path, changes: int, threads: int) -> float:
    """Tell and end so many changes; returns how many a second were durable."""
    with (
        Ledger.open("sqlite:///ledger.db", "bench", "default", root=folder, create=True, memo_of=memo_of) as ledger,
        ledger.acquire(Owner(user="bench", host="localhost", pid=1, ci_link="")) as lease,
    ):
        ledger.begin_run(lease, commit="", command="apply", plan_digest="")

        def one(number: int) -> None:
            address = Address("schedule", f"agent-{number:05d}", "nightly")
            path = f"sequentum/agent-{number:05d}"
            change = Change(address, Action.CREATE, Reason.NEW, identity=f"id-{number}", agent_path=path)
            entry = opened(change, None, declared=ledger.seal([number]), memo=ScheduleMemo(), at=_AT)
            ledger.began(lease, change, entry)
            applied = {name: ledger.seal([name, number]) for name in _FIELDS}
            outcome = Outcome(change, Status.APPLIED, evidence=Evidence.VERIFIED, identity=change.identity)
            ledger.outcome(lease, outcome, replace(entry, applied=applied, settled=True))

        began = time.perf_counter()
        with ThreadPoolExecutor(threads) as pool:
            for _ in pool.map(one, range(changes)):
                pass
        return changes / (time.perf_counter() - began)


if __name__ == "__main__":
    print(write(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
