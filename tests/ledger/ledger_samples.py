"""What every test of the ledger starts from: a place for it, a clock that stands still, a change and an entry."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from reconciler.applier.run import opened
from reconciler.kinds.registry import memo_of
from reconciler.kinds.schedule_state import ScheduleMemo
from reconciler.ledger import Ledger, Owner
from reconciler.model.address import Address
from reconciler.model.entry import Entry, Memo
from reconciler.model.plan import Action, Change, Reason

OWNER = Owner("ann", "build-7", 4711, "https://ci.example/42")
AT = "2026-11-22T12:00:00Z"


@dataclass
class Clock:
    """A clock that moves only when told."""

    now: datetime = field(default=datetime(2026, 11, 22, 12, 0, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class Place:
    """Where a test keeps its ledger."""

    url: str
    root: Path
    clock: Clock

    @property
    def is_file(self) -> bool:
        return self.url.startswith("sqlite")

    @property
    def file(self) -> Path:
        return self.root / ".reconciler" / "ledger.db"

    def open(self, environment: str = "default", *, create: bool = True, key: bytes | None = None) -> Ledger:
        return Ledger.open(
            self.url,
            "retail",
            environment,
            root=self.root,
            create=create,
            clock=self.clock,
            key=key,
            memo_of=memo_of,
        )

    def execute(self, statement: str) -> None:
        """Change the database behind the ledger's back, as an intruder or an accident would."""
        if self.is_file:
            import sqlite3

            connection: Any = sqlite3.connect(self.file)
        else:
            import psycopg

            connection = psycopg.connect(self.url)
        try:
            assert connection.execute(statement).rowcount != 0, "the statement touched nothing"
            connection.commit()
        finally:
            connection.close()


def change(name: str = "nightly", action: Action = Action.UPDATE) -> Change:
    return Change(
        Address("schedule", "prices", name),
        action,
        Reason.EDITED,
        identity=f"id-{name}",
        agent_path="Retail/prices",
    )


def entry(name: str = "nightly", **fields: Any) -> Entry:
    values: dict[str, Any] = {
        "address": Address("schedule", "prices", name),
        "identity": f"id-{name}",
        "agent_path": "Retail/prices",
        "declared": "hmac-sha256:1",
        "applied": {"cron": "hmac-sha256:2"},
        "settled": True,
        "memo": ScheduleMemo(),
        "at": AT,
    }
    return Entry(**(values | fields))


def begun(step: Change, known: Entry | None = None, *, declared: str = "d", memo: Memo | None = None) -> Entry:
    """The entry with which a change begins: over what is `known`, with the memo that it has from then on."""
    kept = memo or (known.memo if known is not None else ScheduleMemo())
    return opened(step, known, declared=declared, memo=kept, at=AT)
