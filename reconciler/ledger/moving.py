"""Moves a project's ledger to another place, so that at no moment two of them could be gone on with.

Each step is a transaction of one of the two databases, in this order:

1. the old one gets an id, so that copies of it are known as such
2. the new one gets all rows, and a note that it is *arriving*: nobody may use it yet
3. the old one gets a note that it was *moved*: nobody may use it any more
4. the new one loses its note: from now on it is the one to go by

All leases of the project are held meanwhile. Killed before 3, the old one is as it was, and what arrived is replaced by
the next attempt; killed after 3, the next attempt does 4 alone.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import datetime
from pathlib import Path

from msgspec import Struct

from reconciler.clock import at_text
from reconciler.errors import LedgerError, Locked, UsageError
from reconciler.ledger import statements
from reconciler.ledger.commits import GroupCommit
from reconciler.ledger.database import Connection, Database
from reconciler.ledger.lease import Lease, SharedRead, holder_of, read_lease, wait_for_lease
from reconciler.ledger.location import Location, as_ledger_error, locate
from reconciler.ledger.migrations import is_there, prepare, settle_file
from reconciler.ledger.reader import Reader
from reconciler.ledger.records import Holder, Note
from reconciler.ledger.row_copy import copy_rows, drop_rows
from reconciler.ledger.scope import LeaseRow, Scope, moved, not_arrived
from reconciler.model.outcome import Owner

_TTL = 60.0
_ID, _MOVED_TO, _ARRIVING, _MOVED_FROM = "ledger_id", "moved_to", "arriving", "moved_from"
STEPS = 4


class LedgerMove(Struct, frozen=True):
    """What a move did. `was_done`: an earlier one had done all of it, or all but the last step.

    `environments` went along; `own_key` says of how many of them the ledger keeps the key of their digests.
    """

    environments: tuple[str, ...]
    rows: Mapping[str, int]
    source: str
    target: str
    own_keys: int
    was_done: bool = False


class Mover(Struct, frozen=True):
    """One move of a project's ledger. `pause` waits, and says whether to give up; `told` hears of each step."""

    project: str
    source: Location
    target: Location
    owner: Owner
    clock: Callable[[], datetime]
    pause: Callable[[float], object]
    told: Callable[[int], None]

    @property
    def _whole(self) -> Scope:
        """Where it is noted what holds for the project as a whole, whatever environment."""
        return Scope(self.project, "", self.clock)

    def move(self) -> LedgerMove:
        """Move the ledger, or end a move that was interrupted; one that has ended changes nothing.

        Raises UsageError where both places are one, Locked while somebody applies, LedgerError where there is nothing
        to move, or where the new place holds anything else of this project.
        """
        if self._is_one_place():
            return self._already_here()
        if not is_there(self.source):
            raise LedgerError(f"there is no ledger at {self.source.shown}, so there is nothing to move")
        with closing(Database(self.target)) as target:
            try:
                return self._move_to(target)
            finally:
                target.close()
                settle_file(self.target)

    def _move_to(self, target: Database) -> LedgerMove:
        with (
            closing(GroupCommit(self.source, self._whole)) as commits,
            closing(Reader(self.source, beside_writer=True)) as reader,
        ):
            noted = self._whole
            if source := noted.meta(reader, _ARRIVING):
                raise not_arrived(self.source.shown, source)
            if to := noted.meta(reader, _MOVED_TO):
                return self._end_moved(target, noted.meta(reader, _ID) or "", to)
            while True:
                environments = self._environments(reader)
                with self._held(commits, reader, environments) as leases:
                    found = self._copy_and_switch(commits, reader, target, leases)
                if found is not None:
                    return found

    def _copy_and_switch(
        self, commits: GroupCommit, reader: Reader, target: Database, leases: Sequence[tuple[Scope, Lease]]
    ) -> LedgerMove | None:
        """The four steps; None where another environment was begun meanwhile, so that all has to be done again."""
        ledger_id = commits.alone(self._identified)
        self.told(1)
        prepare(target)
        rows = self._arrive(reader, target, ledger_id)
        self.told(2)
        environments = tuple(scope.environment for scope, _ in leases)

        def switch(connection: Connection) -> bool:
            if connection.is_postgres:  # so that no environment begins between the question and the note
                connection.execute("LOCK TABLE reconciler_meta IN SHARE ROW EXCLUSIVE MODE")
            for scope, lease in leases:
                scope.require(connection, lease.fencing)
            if self._environments(connection) != environments:
                return False
            self._whole.put_meta(connection, {_MOVED_TO: self.target.shown})
            return True

        if not commits.alone(switch):
            return None
        self.told(3)
        own_keys = self._own_keys(reader, environments)
        self._end(target)
        self.told(4)
        return LedgerMove(environments, rows, self.source.shown, self.target.shown, own_keys)

    # --- the old place -----------------------------------------------------------------------------------------------

    def _environments(self, source: Connection | Reader) -> tuple[str, ...]:
        return tuple(str(name) for (name,) in source.execute(statements.ENVIRONMENTS, {"project": self.project}))

    def _own_keys(self, source: Connection | Reader, environments: Iterable[str]) -> int:
        """Of how many of these environments a ledger keeps the key of their digests."""
        scopes = (Scope(self.project, one, self.clock) for one in environments)
        return sum(scope.meta(source, "key") is not None for scope in scopes)

    def _identified(self, connection: Connection) -> str:
        """The id of this ledger, which its copies share."""
        known = self._whole.meta(connection, _ID)
        if known is None:
            known = secrets.token_hex(16)
            self._whole.put_meta(connection, {_ID: known})
        return known

    @contextmanager
    def _held(
        self, commits: GroupCommit, reader: Reader, environments: Sequence[str]
    ) -> Iterator[list[tuple[Scope, Lease]]]:
        """All environments of the project, so that nobody applies meanwhile. Raises Locked."""
        if not environments:
            raise LedgerError(
                f"the ledger {self.source.shown} remembers nothing of {self.project}, so there is nothing to move",
                hint="write the new place as `ledger:`, and apply",
            )
        with ExitStack() as stack:
            held = []
            for environment in environments:
                scope = Scope(self.project, environment, self.clock)
                fencing = wait_for_lease(
                    commits,
                    scope,
                    self.owner,
                    timeout=0.0,
                    ttl=_TTL,
                    shown=self.source.shown,
                    holder=_holder(scope, reader),
                    pause=self.pause,
                )
                read = SharedRead(_reading(scope, reader))
                held.append((scope, stack.enter_context(Lease(fencing, self.owner, commits, scope, read, _TTL))))
            yield held

    # --- the new place -----------------------------------------------------------------------------------------------

    def _arrive(self, reader: Reader, target: Database, ledger_id: str) -> Mapping[str, int]:
        """Copy all rows, and note that they are not to be used yet; in place of what an earlier attempt left there."""
        with target.transaction() as connection:
            self._require_room(connection, ledger_id)
            drop_rows(connection, self.project)
            with reader.snapshot() as read:
                rows = copy_rows(read, connection, self.target, self.project)
            self._whole.put_meta(connection, {_ARRIVING: self.source.shown})
        return rows

    def _require_room(self, connection: Connection, ledger_id: str) -> None:
        """Raise unless nothing is there of this project, or only what this ledger left there before."""
        whole = self._whole
        is_ours = whole.meta(connection, _ID) == ledger_id
        is_aside = bool(whole.select(connection, statements.MOVES))
        if is_ours and is_aside:
            return
        if is_ours:
            raise UsageError(
                f"{self.target.shown} is the ledger {self.source.shown}, by another name, or a copy of it",
                hint="name a place that holds no ledger of this project",
            )
        if source := whole.meta(connection, _ARRIVING):
            raise not_arrived(self.target.shown, source)
        for environment in self._environments(connection):  # whoever is about to begin there, begins after us
            scope = Scope(self.project, environment, self.clock)
            row, now = scope.lock(connection), scope.now(connection)
            if row.held and not row.is_abandoned(now):
                taken = holder_of(row, now)
                raise Locked(f"{self.target.shown} is in use by {taken.owner} since {taken.since}", hint="wait for it")
        if is_aside:
            raise LedgerError(
                f"{self.target.shown} holds a ledger of {self.project} that was moved elsewhere, and is not known to "
                "be an earlier one of this",
                hint="name another place; or move that one out of the way, once nobody uses it any more",
            )
        if connection.execute(statements.REMEMBERS, {"project": self.project}):
            raise LedgerError(
                f"{self.target.shown} holds a ledger of {self.project} already, and two cannot become one",
                hint="name another database, another schema (`?options=-csearch_path%3DNAME`) or another file",
            )

    def _end(self, target: Database) -> None:
        with target.transaction() as connection:
            self._whole.write(connection, statements.DROP_META, {"name": _ARRIVING})
            self._whole.put_meta(connection, {_MOVED_FROM: self.source.shown})
            body = {"from": self.source.shown, "to": self.target.shown, "by": str(self.owner)}
            for environment in self._environments(connection):
                scope = Scope(self.project, environment, self.clock)
                scope.lock(connection)
                scope.append(connection, [Note(at_text(self.clock()), "", "ledger-moved", "", body)])

    # --- what an earlier move left ---------------------------------------------------------------------------------

    def _end_moved(self, target: Database, ledger_id: str, to: str) -> LedgerMove:
        """The old one was moved: end it if that was to here, and say so if it is done."""
        if not is_there(self.target):
            raise moved(self.source.shown, to)
        prepare(target)
        with target.transaction() as connection:
            whole = self._whole
            is_ours = whole.meta(connection, _ID) == ledger_id
            onward = whole.meta(connection, _MOVED_TO)
            is_arriving = whole.meta(connection, _ARRIVING) is not None
            environments = self._environments(connection)
            own_keys = self._own_keys(connection, environments)
        if not is_ours:
            raise moved(self.source.shown, to)
        if onward is not None:
            raise moved(self.target.shown, onward)
        if is_arriving:
            self._end(target)
            self.told(STEPS)
        return LedgerMove(environments, {}, self.source.shown, self.target.shown, own_keys, was_done=True)

    def _already_here(self) -> LedgerMove:
        """Both places are one: done before, if this ledger came from elsewhere; else a slip."""
        if is_there(self.source):
            with closing(Reader(self.source, beside_writer=False)) as reader:
                whole = self._whole
                whole.require_here(reader, self.source.shown)
                if came_from := whole.meta(reader, _MOVED_FROM):
                    environments = self._environments(reader)
                    own_keys = self._own_keys(reader, environments)
                    return LedgerMove(environments, {}, came_from, self.target.shown, own_keys, was_done=True)
        raise UsageError(
            f"{self.target.shown} is what `ledger:` names, so there is nothing to move",
            hint="let `ledger:` name the old place, migrate, and change it then",
        )

    def _is_one_place(self) -> bool:
        if self.source.path is not None and self.target.path is not None:
            one, other = self.source.path, self.target.path
            with as_ledger_error(self.target):
                return os.path.realpath(one) == os.path.realpath(other) or (
                    one.exists() and other.exists() and one.samefile(other)
                )
        return self.source == self.target


def move(
    url: str,
    to: str,
    project: str,
    *,
    root: Path,
    owner: Owner,
    clock: Callable[[], datetime],
    pause: Callable[[float], object],
    told: Callable[[int], None],
) -> LedgerMove:
    """Move the ledger of a project, all environments of it, from one URL to another; see `Mover.move`."""
    return Mover(project, locate(url, root), locate(to, root), owner, clock, pause, told).move()


def _reading(scope: Scope, reader: Reader) -> Callable[[], tuple[LeaseRow | None, float]]:
    return lambda: read_lease(scope, reader)


def _holder(scope: Scope, reader: Reader) -> Callable[[], Holder | None]:
    def holder() -> Holder | None:
        row, now = read_lease(scope, reader)
        return holder_of(row, now) if row is not None and row.held else None

    return holder
