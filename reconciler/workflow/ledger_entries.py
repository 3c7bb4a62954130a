"""What the ledger remembers, entry by entry: listed, and forgotten where a person says so. No product is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.causes import Cause, Why, because
from reconciler.clock import at_text
from reconciler.errors import UsageError
from reconciler.identity import is_owned
from reconciler.kind import ObservedMemo, StartMemo, StartState
from reconciler.kinds.registry import KINDS
from reconciler.model.address import Address
from reconciler.model.entry import Entry, Memory
from reconciler.model.live import Evidence
from reconciler.model.outcome import Outcome, RunRecord, Status
from reconciler.model.plan import Action, BlockedResource, Change, Finding, Reason, Visibility
from reconciler.model.project import Project
from reconciler.model.remembrance import Remembered, RememberedAgent
from reconciler.selection import meant
from reconciler.suggestion import PatternSuggestions
from reconciler.workflow.context import CommandContext
from reconciler.workflow.git import commit_of
from reconciler.workflow.history import opened
from reconciler.workflow.memory import writing
from reconciler.workflow.reading import check_manifests

if TYPE_CHECKING:
    from reconciler.ledger import Lease, Ledger

_KEY_SHOWN = 12
_WORDS = {Visibility.ATTESTED: "attested", Visibility.STARTED_ONCE: "started"}


class LedgerContents(Struct, frozen=True):
    """What the ledger holds of one project and environment; `place` is safe to print.

    `restored` is when the backup was made that it is a copy of, "" where it is none.
    """

    project: Project
    place: str
    entries: tuple[Remembered, ...]
    agents: tuple[RememberedAgent, ...]
    restored: str = ""


def contents(context: CommandContext, patterns: tuple[str, ...]) -> LedgerContents:
    """All entries and agents' paths that are remembered; with patterns the entries that match, and their agents.

    Raises UsageError for a pattern that matches nothing, LedgerError where there is no ledger.
    """
    with opened(context) as (project, ledger):
        memory, paths, runs = ledger.memory(), ledger.agent_paths(), ledger.last_runs()
        place = ledger.place
    desired, _ = check_manifests(context, connections=False)
    addresses = None if desired is None else {one.address for one in desired.resources}
    entries = tuple(_remembered(memory.entries[one], runs, addresses) for one in _chosen(memory, patterns))
    declared = None if desired is None else {one.path for one in desired.agents}
    shown = {one.agent_path for one in entries} if patterns else paths.keys()
    agents = tuple(
        RememberedAgent(path, handle, memory.agent_ids.get(path, ""), None if declared is None else path in declared)
        for path, handle in sorted(paths.items())
        if path in shown
    )
    return LedgerContents(project, place, entries, agents, memory.restored)


def _chosen(memory: Memory, patterns: tuple[str, ...]) -> tuple[Address, ...]:
    """The addresses in the ledger that patterns mean, sorted; all without one. Raises UsageError."""
    texts = {str(address): address for address in memory.entries}
    found: set[Address] = set()
    for pattern in patterns:
        matches = meant(texts, pattern)
        if not matches:
            entries = memory.entries.values()
            aliases = {entry.agent_path.lower(): entry.address.agent for entry in entries if entry.agent_path}
            near = PatternSuggestions(texts, aliases).hint(pattern)
            hint = near or "`reconciler ledger list` shows all that is remembered"
            raise UsageError(f"the ledger remembers nothing of {pattern!r}", hint=hint)
        found |= matches
    return tuple(sorted(found if patterns else texts.values()))


def _remembered(entry: Entry, runs: Mapping[str, RunRecord], declared: set[Address] | None) -> Remembered:
    kind, memo = KINDS[entry.address.kind], entry.memo
    owned = "adopted" if entry.adopted else "owned"
    state, key, run_id, is_resolved = "", "", "", False
    evidence = {Visibility.OBSERVED: Evidence.VERIFIED}.get(kind.visibility, Evidence.ATTESTED)
    if isinstance(memo, StartMemo):
        state, run_id, is_resolved = memo.state.value, memo.run_id, memo.resolved
        key = entry.applied.get("key", entry.declared).rpartition(":")[2][:_KEY_SHOWN]
        has_ended = memo.state in (StartState.SUCCESS, StartState.FAILED)
        evidence = Evidence.VERIFIED if has_ended else evidence
    return Remembered(
        address=entry.address,
        what=_WORDS.get(kind.visibility, owned),
        is_settled=entry.settled,
        evidence=evidence if entry.settled and not is_resolved else Evidence.UNKNOWN,
        at=entry.at,
        agent_path=entry.agent_path,
        identity=entry.identity,
        protect=entry.protect,
        state=state,
        key=key,
        run_id=run_id,
        is_resolved=is_resolved,
        run=runs.get(str(entry.address)),
        is_declared=None if declared is None else entry.address in declared,
    )


# --- forgetting ------------------------------------------------------------------------------------------------------


class Forgetting(Struct, frozen=True):
    """What is to be forgotten, with what follows of each; or, where any may not be, why not.

    Nothing is forgotten while `blocked` holds anything. `declined`: a person was asked, and said no.
    """

    addresses: tuple[Address, ...]
    consequences: tuple[Finding, ...]
    blocked: tuple[BlockedResource, ...] = ()
    declined: bool = False


def forget(context: CommandContext, patterns: tuple[str, ...], *, confirm: Callable[[Forgetting], bool]) -> Forgetting:
    """Remove entries from the ledger, all or none; recorded in the history, and nothing is sent.

    `confirm` is asked once, with the lock held. Raises UsageError for what the ledger does not know, Locked when
    somebody is applying.
    """
    with opened(context) as (project, ledger):
        _chosen(ledger.memory(), patterns)  # a slip is told without waiting for anybody
    with writing(context, project) as (ledger, lease):
        memory = ledger.memory()
        chosen = [memory.entries[one] for one in _chosen(memory, patterns)]
        found = Forgetting(
            tuple(entry.address for entry in chosen),
            tuple(_consequences(chosen, project, leaves_nothing=len(chosen) == len(memory.entries))),
            tuple(block for entry in chosen if (block := _refusal(entry, project)) is not None),
        )
        if found.blocked:
            return found
        if not confirm(found):
            return Forgetting(found.addresses, found.consequences, declined=True)
        _write(context, ledger, lease, chosen)
        return found


def _write(context: CommandContext, ledger: Ledger, lease: Lease, chosen: Iterable[Entry]) -> None:
    run = ledger.begin_run(lease, commit=commit_of(context.root), command="ledger forget", plan_digest="")
    outcomes = [
        Outcome(
            Change(entry.address, Action.FORGET, Reason.REMOVED, agent_path=entry.agent_path, agent_id=entry.agent_id),
            Status.APPLIED,
            because(Cause.FORGOTTEN_BY_PERSON),
            identity=entry.identity,
            at=at_text(context.clock()),
        )
        for entry in chosen
    ]
    ledger.forget(lease, outcomes)
    ledger.end_run(lease, run, result="forgotten", summary={"applied": len(outcomes)})


def _refusal(entry: Entry, project: Project) -> BlockedResource | None:
    """Why an entry has to stay; None where it may go."""
    memo, address = entry.memo, entry.address
    marked = is_owned(entry.identity, project.name, project.environment)

    def blocked(reason: Reason, why: Why) -> BlockedResource:
        return BlockedResource(address, reason, why)

    if isinstance(memo, StartMemo) and not entry.settled:
        if memo.state is StartState.RUNNING:
            why = because(Cause.FORGET_RUN_OPEN, address=address, run=memo.run_id)
            return blocked(Reason.UNKNOWN_START, why)
        return blocked(Reason.UNKNOWN_START, because(Cause.FORGET_START_UNKNOWN, address=address))
    if isinstance(memo, ObservedMemo):
        if memo.server_assigned_ids or (not entry.settled and memo.ids_before is not None):
            return blocked(Reason.INTERRUPTED, because(Cause.FORGET_SERVER_IDS))
        if entry.protect and marked:
            return blocked(Reason.PROTECTED, because(Cause.FORGET_PROTECTED))
        # Of a schedule with our mark everything is hidden once nobody knows it; of others everything is shown.
        secret = sorted({*memo.secrets, *memo.secrets_before})
        if secret and not marked:
            return blocked(Reason.POLICY, because(Cause.FORGET_SHOWS_SECRET, names=tuple(secret)))
    return None


def _consequences(chosen: Iterable[Entry], project: Project, *, leaves_nothing: bool) -> Iterator[Finding]:
    for entry in chosen:
        address = str(entry.address)
        visibility = KINDS[entry.address.kind].visibility
        if visibility is Visibility.STARTED_ONCE:
            yield Finding("starts-again", address, because(Cause.FORGOTTEN_TRIGGER))
        elif visibility is Visibility.ATTESTED:
            yield Finding("sent-again", address, because(Cause.FORGOTTEN_ATTESTED))
        elif is_owned(entry.identity, project.name, project.environment):
            yield Finding("still-owned", address, because(Cause.FORGOTTEN_OWNED))
        else:
            yield Finding("not-ours", address, because(Cause.FORGOTTEN_ADOPTED))
    if leaves_nothing:
        yield Finding("nothing-left", "the ledger", because(Cause.FORGOTTEN_ALL))
