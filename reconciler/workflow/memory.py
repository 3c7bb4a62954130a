"""The ledger as a command needs it: read once, or held under a lease for writing."""

from __future__ import annotations

import getpass
import os
import secrets
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.diff import Sealer, sealer
from reconciler.errors import Locked
from reconciler.kinds.registry import memo_of
from reconciler.model.entry import Entry, Memory
from reconciler.model.outcome import Outcome, Waiting
from reconciler.model.plan import Change
from reconciler.model.project import Project
from reconciler.render.reasons import words
from reconciler.workflow.context import CommandContext

if TYPE_CHECKING:
    from reconciler.ledger import Lease, Ledger, Owner

_LOCK = "the lock"
_CI_LINKS = ("CI_JOB_URL", "BUILD_URL", "CIRCLE_BUILD_URL", "BUILDKITE_BUILD_URL")


class Remembered(Struct, frozen=True):
    """What the ledger says, read once. Without a ledger the seal is good for this process alone.

    `is_held`: somebody was applying when it was read.
    """

    memory: Memory
    agent_paths: Mapping[str, str]
    seal: Sealer
    is_held: bool = False


def read(context: CommandContext, project: Project) -> Remembered:
    """Read the ledger without writing anything; nothing at all when there is none. Raises LedgerError."""
    with open_existing(context, project) as ledger:
        return read_from(ledger)


@contextmanager
def open_existing(context: CommandContext, project: Project) -> Iterator[Ledger | None]:
    """The project's ledger for reading; None where there is none yet. Raises LedgerError."""
    from reconciler.ledger import Ledger

    if not Ledger.exists(project.ledger, project.root):
        yield None
        return
    with open_ledger(context, project, create=False) as ledger:
        yield ledger


def read_from(ledger: Ledger | None) -> Remembered:
    """The same of a ledger that is open, or of none."""
    if ledger is None:
        return Remembered(Memory(), {}, sealer(secrets.token_bytes(32)))
    return Remembered(ledger.memory(), ledger.agent_paths(), ledger.seal, ledger.holder() is not None)


def open_ledger(context: CommandContext, project: Project, *, create: bool) -> Ledger:
    """Open the project's ledger. The key of its digests is RECONCILER_KEY, or the ledger's own."""
    from reconciler.ledger import Ledger

    key = context.environ.get("RECONCILER_KEY", "")
    return Ledger.open(
        project.ledger,
        project.name,
        project.environment,
        root=project.root,
        create=create,
        clock=context.clock,
        key=os.fsencode(key) or None,
        memo_of=memo_of,
    )


@contextmanager
def writing(
    context: CommandContext,
    project: Project,
    lock_timeout: float = 0.0,
    tell: Callable[[Waiting], None] = lambda _: None,
) -> Iterator[tuple[Ledger, Lease]]:
    """The ledger, with the lease held until the end. Raises Locked when somebody else holds it.

    `tell` hears whom it is waited for, for at most `lock_timeout` seconds.
    """
    since = context.clock.monotonic()
    pause = partial(context.clock.wait, context.stop)

    def waiting(locked: Locked) -> None:
        tell(Waiting(_LOCK, locked.message, context.clock.monotonic() - since))

    with open_ledger(context, project, create=True) as ledger:
        try:
            lease = ledger.acquire(this_owner(context), timeout=lock_timeout, pause=pause, waiting=waiting)
        finally:
            tell(Waiting(_LOCK, is_over=True))
        with lease:
            yield ledger, lease


def this_owner(context: CommandContext) -> Owner:
    """Who we are to others that use the ledger."""
    from reconciler.ledger import Owner

    return Owner(user=_user(context), host=socket.gethostname(), pid=os.getpid(), ci_link=ci_link(context.environ))


def ci_link(environ: Mapping[str, str]) -> str:
    """The page of the CI job that this runs in; "" where there is none."""
    if environ.get("GITHUB_RUN_ID"):
        repository = f"{environ.get('GITHUB_SERVER_URL')}/{environ.get('GITHUB_REPOSITORY')}"
        return f"{repository}/actions/runs/{environ['GITHUB_RUN_ID']}"
    return next((environ[name] for name in _CI_LINKS if environ.get(name)), "")


def _user(context: CommandContext) -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return context.environ.get("USER", "unknown")


class Recorder(Struct, frozen=True):
    """The ledger under one lease, as the applier writes to it."""

    ledger: Ledger
    lease: Lease

    def check(self) -> None:
        self.lease.check()

    def began(self, change: Change, entry: Entry) -> None:
        self.ledger.began(self.lease, change, entry)

    def outcome(self, outcome: Outcome, entry: Entry | None) -> None:
        self.ledger.outcome(self.lease, outcome, entry, words(outcome.why))

    def put(self, entry: Entry) -> None:
        self.ledger.put(self.lease, entry)
