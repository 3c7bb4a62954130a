"""Waits for the lock of a project and environment (its lease), in short steps that a signal ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.errors import Interrupted, Locked
from reconciler.ledger.lease import take_lease
from reconciler.ledger.records import Holder, Owner
from reconciler.ledger.scope import Scope

if TYPE_CHECKING:
    from reconciler.ledger.commits import GroupCommit

_POLL_SECONDS = 0.5
_HANGS_SECONDS = 10.0
"""A commit that takes so long hangs, and whoever waits for it is told."""


@dataclass(frozen=True, slots=True)
class Acquisition:
    """Takes the lease when it is free. `shown` is the ledger's place, `holder` says who holds the lease now.

    `pause` waits so many seconds, and says whether to give up.
    """

    commits: GroupCommit
    scope: Scope
    shown: str
    holder: Callable[[], Holder | None]
    pause: Callable[[float], object]

    def take(self, owner: Owner, *, timeout: float, ttl: float) -> int:
        """The lease's number, within `timeout` seconds by the ledger's clock. Raises Locked, Interrupted."""
        deadline = self.scope.clock().timestamp() + timeout
        busy = 0
        while True:
            try:
                taken = self.commits.alone(lambda c: take_lease(self.scope, c, owner, ttl), wait=_POLL_SECONDS)
            except Locked as error:
                busy += 1
                locked = self._hanging(error)
            else:
                if not isinstance(taken, Holder):
                    return taken
                busy = 0
                locked = self._locked(taken)
            may_be_a_moment = 0 < busy * _POLL_SECONDS < _HANGS_SECONDS
            if not may_be_a_moment and self.scope.clock().timestamp() >= deadline:
                raise locked
            if self.pause(0.0 if busy else _POLL_SECONDS):
                raise Interrupted("interrupted while waiting for the lock; nothing was done")

    def _locked(self, holder: Holder) -> Locked:
        return Locked(
            self._applied_by(holder),
            hint="wait for it (`--lock-timeout 10m`); `reconciler unlock` shows the lock, and with `--force` breaks it "
            "if that run is dead",
        )

    def _hanging(self, error: Locked) -> Locked:
        """Somebody has been writing for long: most likely whoever holds the lease."""
        holder = self.holder()
        if holder is None:
            return error
        return Locked(
            f"{self._applied_by(holder)}, which is in the middle of a write to the ledger {self.shown} "
            "and does not end it",
            hint="wait for it (`--lock-timeout 10m`). If it hangs, end that process: nobody else can break a lock of "
            "the database, `reconciler unlock --force` neither",
        )

    def _applied_by(self, holder: Holder) -> str:
        return f"{self.scope.project}/{self.scope.environment} is being applied by {holder.owner} since {holder.since}"
