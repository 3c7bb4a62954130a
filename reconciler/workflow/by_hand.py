"""Records in the ledger what a call by hand changes of what is attested, so that the next plan knows it.

No product shows input files and approvals: what the ledger holds of them is all there is to go by, and a call of this
program that bypassed it would leave it wrong. It is told as an apply would: Began before the call leaves, the outcome
after it, and a lost reply leaves the entry open. Schedules are not recorded, since every plan reads them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias

from reconciler.diff import Sealer
from reconciler.errors import LedgerError, ProductError, Refused
from reconciler.identity import normal_id
from reconciler.kind import AnyAttested, AttestedMemo, ByHand
from reconciler.kinds import approval, input_files
from reconciler.model import (
    JSON,
    Action,
    Change,
    Entry,
    Evidence,
    Memory,
    Outcome,
    Project,
    Reason,
    Status,
    at_text,
)
from reconciler.workflow.context import CommandContext
from reconciler.workflow.git import commit_of
from reconciler.workflow.memory import read, this_owner, writing
from reconciler.workflow.reading import check_manifests, read_project

if TYPE_CHECKING:
    from reconciler.ledger import Lease, Ledger


AttestedEntry: TypeAlias = Entry[AttestedMemo]


@dataclass(frozen=True, slots=True)
class Target:
    """The agent that a call is for: its path where the caller gave one, its id where it is known; either may be ""."""

    path: str
    agent_id: str

    def holds(self, entry: Entry, memory: Memory) -> bool:
        """Whether an entry is about this agent: by its id, and by its path where an id is not known."""
        if self.agent_id and entry.agent_id:
            return normal_id(entry.agent_id) == normal_id(self.agent_id)
        return entry.agent_path in self.paths(memory)

    def paths(self, memory: Memory) -> frozenset[str]:
        """The paths where the agent is, as far as is known."""
        mine = normal_id(self.agent_id) if self.agent_id else None
        known = {path for path, agent_id in memory.agent_ids.items() if agent_id and normal_id(agent_id) == mine}
        return frozenset(known | ({self.path} if self.path else set()))


class Effect(Protocol):
    """What a call does to what is attested: `kind` of address, `action` for the journal, and the entry afterwards.

    `in_parts`: it takes several requests, so that one that is refused may leave others done. `is_noted`: the entry of
    something that is declared and was never sent is made, so that ACC's log does not say it twice.
    """

    @property
    def kind(self) -> AnyAttested: ...
    @property
    def action(self) -> Action: ...
    @property
    def in_parts(self) -> bool: ...
    @property
    def is_noted(self) -> bool: ...
    def after(self, entry: AttestedEntry, seal: Sealer) -> AttestedEntry: ...


@dataclass(frozen=True, slots=True)
class Approval:
    """`approved` or `disapproved` was said."""

    state: str
    kind = approval.KIND
    in_parts = False
    is_noted = True

    @property
    def action(self) -> Action:
        return approval.action_for(self.state)

    def after(self, entry: AttestedEntry, seal: Sealer) -> AttestedEntry:
        said = approval.KIND.sealed(approval.ApprovalState(self.state), seal)
        memo = approval.ApprovalMemo(state=self.state)
        return replace(entry, applied={"state": said.digest}, settled=True, memo=memo)


class _OfInputFiles:
    """What calls about input files have in common: sending them once more has the same effect, so none is noted."""

    kind = input_files.KIND
    is_noted = False

    @staticmethod
    def memo(entry: AttestedEntry) -> input_files.InputFilesMemo:
        assert isinstance(entry.memo, input_files.InputFilesMemo)
        return entry.memo


@dataclass(frozen=True, slots=True)
class Upload(_OfInputFiles):
    """Files were sent, by name."""

    files: Mapping[str, Path]
    action = Action.UPLOAD

    @property
    def in_parts(self) -> bool:
        return len(self.files) > 1

    def after(self, entry: AttestedEntry, seal: Sealer) -> AttestedEntry:
        """The files that the ledger knew have the new content; others count where nothing else may be in the set."""
        memo = self.memo(entry)
        if memo.run_deletes:
            return entry  # the run may delete these, too: all files stay due
        was_off = memo.enabled is False
        applied = {} if was_off else dict(entry.applied)  # uploading brings back what is uploaded, and nothing else
        sizes = {} if was_off else dict(memo.sizes)
        for name, path in self.files.items():
            if f"files.{name}" in entry.applied or memo.exclusive:
                measured = input_files.measure(path, name, seal)
                assert measured.size is not None
                applied[f"files.{name}"], sizes[name] = measured.digest, measured.size
        memo = replace(memo, sizes=sizes, enabled=None if was_off else memo.enabled)
        return replace(entry, applied=applied, memo=memo)


@dataclass(frozen=True, slots=True)
class NoFiles(_OfInputFiles):
    """All files of the agent were deleted or disabled, or a run was started that deletes them when it is done."""

    action: Action
    in_parts = False

    def after(self, entry: AttestedEntry, seal: Sealer) -> AttestedEntry:
        memo = replace(self.memo(entry), sizes={})
        if self.action is Action.DISABLE:
            memo = replace(memo, enabled=False)
        if self.action is Action.START:
            memo = replace(memo, run_deletes=True)
        return replace(entry, applied={}, settled=True, memo=memo)


@dataclass(frozen=True, slots=True)
class Recording:
    """How a call is recorded: `why_not`, where it is not. `require_lease` raises Fenced when it may not be sent."""

    why_not: str = ""
    require_lease: Callable[[], None] = lambda: None


@contextmanager
def recorded(context: CommandContext, command: str, effect: Effect, target: Target) -> Iterator[Recording]:
    """Around a call: the ledger is told before it leaves and after it came back.

    Raises Locked before anything is sent while somebody else is applying, and LedgerError where the ledger cannot be
    read or written. What the call raises goes on to the caller.
    """
    project, _ = read_project(context)
    with ExitStack() as stack:
        if why := _why_not(context, project, effect, target):
            yield Recording(why)
            return
        ledger, lease = stack.enter_context(writing(context, project, 0.0))
        entry = _entry_of(context, ledger, effect, target)
        if entry is None:
            yield Recording(_NOT_KNOWN)
            return
        call = _Call(context, ledger, lease, command, effect, entry, _reached(context, ledger, command, effect, entry))
        call.begin()
        try:
            yield Recording(require_lease=lease.check)
        except LedgerError:
            raise  # the lock was broken meanwhile: whoever has it now finds the entry open, and looks
        except Refused as error:
            call.end(Status.FAILED, error.words, call.opened if effect.in_parts else call.known)
            raise
        except BaseException as error:
            detail = error.words if isinstance(error, ProductError) else str(error)
            call.end(Status.UNKNOWN, detail, call.opened)
            raise
        call.end(Status.APPLIED, "", call.reached)


_NO_LEDGER = "not recorded: there is no ledger yet"
_NOT_KNOWN = "not recorded: neither the ledger nor a manifest has this of the agent"


def _why_not(context: CommandContext, project: Project, effect: Effect, target: Target) -> str:
    """Why there is nothing to record, found without the lock: who does not touch the project is not to wait for it."""
    from reconciler.ledger import Ledger

    if not Ledger.exists(project.ledger, project.root):
        return _NO_LEDGER
    remembered = read(context, project)
    known = _known(remembered.memory, effect, target) is not None
    return "" if known or _declared(context, remembered.memory, effect, target) is not None else _NOT_KNOWN


def _known(memory: Memory, effect: Effect, target: Target) -> AttestedEntry | None:
    """What the ledger holds of the agent."""
    mine = (one for one in effect.kind.remembered(memory.entries) if target.holds(one, memory))
    return next(mine, None)


def _declared(context: CommandContext, memory: Memory, effect: Effect, target: Target) -> AttestedEntry | None:
    """An empty entry for what is declared and was never sent, where that is to be noted."""
    if not effect.is_noted:
        return None
    desired, _ = check_manifests(context, connections=False)
    paths = target.paths(memory)
    for one in effect.kind.among(desired.resources if desired is not None else ()):
        if one.agent_path in paths:
            memo = effect.kind.memo_type()
            return Entry(one.address, "", one.agent_path, "", {}, settled=False, memo=memo, agent_id=target.agent_id)
    return None


def _entry_of(context: CommandContext, ledger: Ledger, effect: Effect, target: Target) -> AttestedEntry | None:
    memory = ledger.memory()
    return _known(memory, effect, target) or _declared(context, memory, effect, target)


def _reached(
    context: CommandContext, ledger: Ledger, command: str, effect: Effect, entry: AttestedEntry
) -> AttestedEntry:
    """The entry as it is once the call was accepted. Files are measured before they leave."""
    after, at = effect.after(entry, ledger.seal), at_text(context.clock())
    known = entry.memo.by_hand
    before = (known.before if known is not None else None) or _attested(entry)
    by_hand = None
    if not after.settled or _attested(after) != before:
        by_hand = ByHand(command, _by(context), at, before)
    return replace(after, at=at, memo=replace(after.memo, by_hand=by_hand))


def _by(context: CommandContext) -> str:
    owner = this_owner(context)
    return f"{owner.user} on {owner.host}"


def _attested(entry: AttestedEntry) -> dict[str, JSON]:
    """What is attested, for seeing whether calls by hand came back to what was applied last."""
    return {"applied": dict(entry.applied), "enabled": getattr(entry.memo, "enabled", None)}


@dataclass(slots=True)
class _Call:
    """One call, as the ledger is told of it."""

    context: CommandContext
    ledger: Ledger
    lease: Lease
    command: str
    effect: Effect
    entry: AttestedEntry
    reached: AttestedEntry
    run: str = ""

    @property
    def known(self) -> Entry | None:
        """What the ledger held before; None where it held nothing."""
        return self.entry if self.entry.at else None

    @property
    def opened(self) -> Entry:
        """What is known when nobody knows whether it happened: what was before, open; and that files may go later."""
        reached, memo = self.reached.memo, self.entry.memo
        by_hand = reached.by_hand or ByHand(self.command, _by(self.context), self.reached.at, {})
        if isinstance(memo, input_files.InputFilesMemo) and isinstance(reached, input_files.InputFilesMemo):
            memo = replace(memo, run_deletes=memo.run_deletes or reached.run_deletes)
        return replace(self.entry, settled=False, memo=replace(memo, by_hand=by_hand), at=self.reached.at)

    @property
    def change(self) -> Change:
        return Change(
            address=self.entry.address,
            action=self.effect.action,
            reason=Reason.DRIFTED,
            agent_path=self.entry.agent_path,
            agent_id=self.entry.agent_id,
            needs=self.entry.needs,
        )

    def begin(self) -> None:
        commit = commit_of(self.context.root)
        self.run = self.ledger.begin_run(self.lease, commit=commit, command=self.command, plan_digest="")
        self.ledger.began(self.lease, self.change, self.opened)

    def end(self, status: Status, detail: str, entry: Entry | None) -> None:
        evidence = Evidence.ATTESTED if status is Status.APPLIED else Evidence.UNKNOWN
        outcome = Outcome(self.change, status, evidence=evidence, at=at_text(self.context.clock()))
        try:
            self.ledger.outcome(self.lease, outcome, entry, detail)
            self.ledger.end_run(self.lease, self.run, result=status.value, summary={status.value: 1})
        except LedgerError as error:
            said = "it was accepted" if status is Status.APPLIED else f"it is {status}"
            raise type(error)(f"{self.command}: {said}, and the ledger could not be told: {error.message}") from error
