"""Whatever is begun, settled, forgotten or cut off in between: the ledger says neither more nor less."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from ledger_samples import OWNER, Clock, Place, begun, change, entry

from reconciler.kinds.schedule_state import ScheduleMemo
from reconciler.ledger import Lease, Ledger
from reconciler.model.copies import replace
from reconciler.model.entry import Entry
from reconciler.model.outcome import Outcome, Status

NAMES = st.sampled_from(["a", "b", "c"])


class Memory(RuleBasedStateMachine):
    """A ledger beside a dictionary; a crash is a copy of the files as they lie there, opened anew."""

    @initialize()
    def start(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.crashes = 0
        self.events = 0
        self.expected: dict[str, Entry] = {}
        self.clock = Clock()
        self.place = Place("sqlite:///.reconciler/ledger.db", Path(self.folder.name) / "0", self.clock)
        self._open()

    def _open(self) -> None:
        self.ledger: Ledger = self.place.open()
        self.ledger.break_lock()
        self.lease: Lease = self.ledger.acquire(OWNER, ttl=10_000)

    @rule(name=NAMES, declared=st.sampled_from(["d1", "d2"]), attempt=st.integers(0, 3))
    def began(self, name: str, declared: str, attempt: int) -> None:
        step, secrets = change(name), tuple(f"inputParameters.p{number}" for number in range(attempt))
        known = self.ledger.memory().entries.get(step.address)
        told = replace(known.memo if known is not None else ScheduleMemo(), secrets=secrets)
        self.ledger.began(self.lease, step, begun(step, known, declared=declared, memo=told))
        before = self.expected.get(name)
        base = before or entry(name, applied={})
        self.expected[name] = replace(base, declared=declared, memo=replace(base.memo, secrets=secrets), settled=False)
        self.events += 1

    @rule(name=NAMES, settled=st.booleans(), digest=st.sampled_from(["x", "y"]))
    def outcome(self, name: str, settled: bool, digest: str) -> None:
        after = entry(name, settled=settled, applied={"cron": digest}, memo=ScheduleMemo(set_fields=("logLevel",)))
        self.ledger.outcome(self.lease, Outcome(change(name), Status.APPLIED), after)
        self.expected[name] = after
        self.events += 1

    @rule(name=NAMES)
    def deleted(self, name: str) -> None:
        self.ledger.outcome(self.lease, Outcome(change(name), Status.APPLIED), None)
        self.expected.pop(name, None)
        self.events += 1

    @rule(name=NAMES)
    def adopted(self, name: str) -> None:
        self.expected[name] = entry(name, adopted=True)
        self.ledger.put(self.lease, self.expected[name])
        self.events += 1

    @rule()
    def ended_and_begun_anew(self) -> None:
        self.lease.close()
        self.ledger.close()
        self._open()

    @rule()
    def crashed(self) -> None:
        import shutil

        self.crashes += 1
        survivor = Path(self.folder.name) / str(self.crashes)
        shutil.copytree(self.place.root, survivor)
        self.lease.close()
        self.ledger.close()
        self.place = Place(self.place.url, survivor, self.clock)
        self._open()
        self.events += 1  # the dead run's lock was broken

    @invariant()
    def memory_is_what_was_promised(self) -> None:
        with self.place.open(create=False) as reader:
            found = {address.name: kept for address, kept in reader.memory().entries.items()}
            assert found == self.expected
            assert reader.verify() == ()
            assert len(reader.events(1000)) == self.events
            assert set(reader.agent_paths()) <= {"Retail/prices"}

    def teardown(self) -> None:
        if hasattr(self, "ledger"):
            self.lease.close()
            self.ledger.close()
            self.folder.cleanup()


TestMemory = Memory.TestCase
TestMemory.settings = settings(deadline=None, max_examples=15, stateful_step_count=20)
