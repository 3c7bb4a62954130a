"""Records in the ledger what a call by hand changes of what is attested, so that the next plan knows it.

No product shows input files and approvals: what the ledger holds of them is all there is to go by, and a call of this
program that bypassed it would leave it wrong. It is told as an apply would: Began before the call leaves, the outcome
after it, and a lost reply leaves the entry open. Schedules are not recorded, since every plan reads them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

from msgspec import Struct

from reconciler.causes import Cause, Why, because
from reconciler.clock import at_text
from reconciler.diff import Sealer
from reconciler.errors import LedgerError, ProductError, Refused
from reconciler.identity import normal_id
from reconciler.kind import AnyAttested, AttestedMemo, ByHand
from reconciler.kinds import approval, input_files
from reconciler.model.copies import replace
from reconciler.model.entry import Entry, Memory
from reconciler.model.live import Evidence
from reconciler.model.outcome import Outcome, Status
from reconciler.model.plan import Action, Change, Reason
from reconciler.model.state import JSON
from reconciler.workflow.context import CommandContext
from reconciler.workflow.git import commit_of
from reconciler.workflow.memory import read, this_owner, writing
from reconciler.workflow.reading import check_manifests, read_project

AttestedEntry: TypeAlias = Entry[AttestedMemo]


class Target(Struct, frozen=True):
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


class Effect(Struct, frozen=True):
    """What a call does to what is attested: `kind` of address, `action` for the journal, and the entry afterwards.

    `opened` says what may come of it, in the entry of a call of which nobody knows whether it happened. `in_parts`:
    it takes several requests, so that one that is refused may leave others done. `is_noted`: the entry of something
    that is declared and was never sent is made, so that ACC's log does not say it twice. Sending files once more has
    the same effect, so nothing of them is noted.
    """

    kind: AnyAttested
    action: Action
    after: Callable[[AttestedEntry, Sealer], AttestedEntry]
    opened: Callable[[AttestedEntry], AttestedEntry] = lambda entry: entry
    in_parts: bool = False
    is_noted: bool = False


def decided(state: str) -> Effect:
    """`approved` or `disapproved` was said."""

    def after(entry: AttestedEntry, seal: Sealer) -> AttestedEntry:
        said = approval.KIND.sealed(approval.ApprovalState(state), seal)
        return replace(entry, applied={"state": said.digest}, settled=True, memo=approval.ApprovalMemo(state=state))

    return Effect(approval.KIND, approval.action_for(state), after, is_noted=True)


def uploaded(files: Mapping[str, Path]) -> Effect:
    """Files were sent, by name.

    Those that the ledger knew have the new content; others count where nothing else may be in the set.
    """

    def after(entry: AttestedEntry, seal: Sealer) -> AttestedEntry:
        memo = _files_memo(entry)
        if memo.run_deletes:
            return entry  # the run may delete these, too: all files stay due
        was_off = memo.enabled is False
        applied = {} if was_off else dict(entry.applied)  # uploading brings back what is uploaded, and nothing else
        sizes = {} if was_off else dict(memo.sizes)
        for name, path in files.items():
            if f"files.{name}" in entry.applied or memo.exclusive:
                measured = input_files.measure(path, name, seal)
                assert measured.size is not None
                applied[f"files.{name}"], sizes[name] = measured.digest, measured.size
        memo = replace(memo, sizes=sizes, enabled=None if was_off else memo.enabled)
        return replace(entry, applied=applied, memo=memo)

    return Effect(input_files.KIND, Action.UPLOAD, after, in_parts=len(files) > 1)


def emptied(action: Action) -> Effect:
    """All files of the agent were deleted or disabled, or a run was started that deletes them when it is done."""

    def after(entry: AttestedEntry, _: Sealer) -> AttestedEntry:
        memo = _files_memo(entry)
        enabled = False if action is Action.DISABLE else memo.enabled
        run_deletes = memo.run_deletes or action is Action.START
        memo = replace(memo, sizes={}, enabled=enabled, run_deletes=run_deletes)
        return replace(entry, applied={}, settled=True, memo=memo)

    def opened(entry: AttestedEntry) -> AttestedEntry:
        return replace(entry, memo=replace(_files_memo(entry), run_deletes=True)) if action is Action.START else entry

    return Effect(input_files.KIND, action, after, opened)


def _files_memo(entry: AttestedEntry) -> input_files.InputFilesMemo:
    assert isinstance(entry.memo, input_files.InputFilesMemo)
    return entry.memo


class Recording(Struct, frozen=True):
    """How a call is recorded: `why_not`, where it is not. `require_lease` raises Fenced when it may not be sent."""

    why_not: Why | None = None
    require_lease: Callable[[], None] = lambda: None


@contextmanager
def recorded(context: CommandContext, command: str, effect: Effect, target: Target) -> Iterator[Recording]:
    """Around a call: the ledger is told before it leaves and after it came back.

    Raises Locked before anything is sent while somebody else is applying, and LedgerError where the ledger cannot be
    read or written. What the call raises goes on to the caller.
    """
    from reconciler.ledger import Ledger

    project, _ = read_project(context)
    if not Ledger.exists(project.ledger, project.root):
        yield Recording(because(Cause.CALL_WITHOUT_LEDGER))
        return
    # Looked for without the lock first: who does not touch the project is not to wait for it.
    if _entry_of(context, read(context, project).memory, effect, target) is None:
        yield Recording(because(Cause.CALL_OF_NOTHING_KNOWN))
        return
    with writing(context, project) as (ledger, lease):
        entry = _entry_of(context, ledger.memory(), effect, target)
        if entry is None:
            yield Recording(because(Cause.CALL_OF_NOTHING_KNOWN))
            return
        opened, reached = _opened_and_reached(context, ledger.seal, command, effect, entry)
        change = Change(
            address=entry.address,
            action=effect.action,
            reason=Reason.DRIFTED,
            agent_path=entry.agent_path,
            agent_id=entry.agent_id,
            needs=entry.needs,
        )
        run = ledger.begin_run(lease, commit=commit_of(context.root), command=command, plan_digest="")
        ledger.began(lease, change, opened)

        def end(status: Status, detail: str, found: Entry | None) -> None:
            evidence = Evidence.ATTESTED if status is Status.APPLIED else Evidence.UNKNOWN
            outcome = Outcome(change, status, evidence=evidence, at=at_text(context.clock()))
            try:
                ledger.outcome(lease, outcome, found, detail)
                ledger.end_run(lease, run, result=status.value, summary={status.value: 1})
            except LedgerError as error:
                said = "it was accepted" if status is Status.APPLIED else f"it is {status}"
                raise type(error)(f"{command}: {said}, and the ledger could not be told: {error.message}") from error

        try:
            yield Recording(require_lease=lease.check)
        except LedgerError:
            raise  # the lock was broken meanwhile: whoever has it now finds the entry open, and looks
        except Refused as error:
            before = entry if entry.at else None
            end(Status.FAILED, error.words, opened if effect.in_parts else before)
            raise
        except BaseException as error:
            end(Status.UNKNOWN, error.words if isinstance(error, ProductError) else str(error), opened)
            raise
        end(Status.APPLIED, "", reached)


def _entry_of(context: CommandContext, memory: Memory, effect: Effect, target: Target) -> AttestedEntry | None:
    """What the ledger holds of the agent; an empty entry for what is declared and was never sent, if it is noted."""
    for entry in effect.kind.remembered(memory.entries):
        if target.holds(entry, memory):
            return entry
    if not effect.is_noted:
        return None
    desired, _ = check_manifests(context, connections=False)
    paths = target.paths(memory)
    for one in effect.kind.among(desired.resources if desired is not None else ()):
        if one.agent_path in paths:
            memo = effect.kind.memo_type()
            return Entry(one.address, "", one.agent_path, "", {}, settled=False, memo=memo, agent_id=target.agent_id)
    return None


def _opened_and_reached(
    context: CommandContext, seal: Sealer, command: str, effect: Effect, entry: AttestedEntry
) -> tuple[AttestedEntry, AttestedEntry]:
    """The entry while nobody knows whether the call happened: what was before, open; and once it was accepted.

    Files are measured before they leave.
    """
    reached, owner, at = effect.after(entry, seal), this_owner(context), at_text(context.clock())
    before = (entry.memo.by_hand.before if entry.memo.by_hand is not None else None) or _attested(entry)
    is_undone = reached.settled and _attested(reached) == before
    by_hand = ByHand(command, f"{owner.user} on {owner.host}", at, {} if is_undone else before)
    opened = replace(entry, settled=False, memo=replace(effect.opened(entry).memo, by_hand=by_hand), at=at)
    return opened, replace(reached, at=at, memo=replace(reached.memo, by_hand=None if is_undone else by_hand))


def _attested(entry: AttestedEntry) -> dict[str, JSON]:
    """What is attested, for seeing whether calls by hand came back to what was applied last."""
    return {"applied": dict(entry.applied), "enabled": entry.memo.is_enabled}
