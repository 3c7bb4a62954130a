"""The kind `trigger`: a start of an Automate MFT task, exactly once for each key.

Automate MFT has no idempotency key and no list of runs, so all that is known of a start is what the ledger holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.causes import Cause, Why, because
from reconciler.diff import Sealer
from reconciler.errors import Missing, ProductError
from reconciler.kind import (
    Decision,
    Examined,
    HealthReport,
    Need,
    Product,
    Progress,
    Run,
    StartedKind,
    StartMemo,
    StartState,
    Unanswered,
    Wait,
)
from reconciler.kinds.trigger_health import of_trigger
from reconciler.model.address import AddressForm
from reconciler.model.copies import replace
from reconciler.model.entry import Entry, always
from reconciler.model.live import AgentView
from reconciler.model.plan import Action, FieldChange, Reason
from reconciler.model.resource import Resource
from reconciler.model.state import JSON, State

if TYPE_CHECKING:
    from reconciler.clients.mft import MftClient

DEFAULT_WAIT = Wait(timeout=1800.0, interval=5.0)
"""How a run is followed where the manifest does not say."""


class Task(Struct, frozen=True, omit_defaults=True):
    """A task of Automate MFT, by its name or by its id."""

    name: str | None = None
    id: str | None = None

    @property
    def plain(self) -> dict[str, str]:
        """As the manifest writes it."""
        return {key: value for key, value in (("id", self.id), ("name", self.name)) if value is not None}

    def __str__(self) -> str:
        return self.name or self.id or ""


class TriggerState(State, frozen=True):
    """A start that is wanted: task, parameters and revision; how its run is followed (None: not) and retried.

    Complete, it has its `key`, and the parts that the key was made of, for saying why it is due: `contents` are the
    digests of all that `changed` matches, by the address under which each was first known; `shown` are the addresses
    that people know it by now, where those are others. `attempt` is which start for this key a planned one is.
    """

    task: Task
    parameters: Mapping[str, str] = {}
    revision: str | None = None
    retries: int = 0
    wait: Wait | None = DEFAULT_WAIT
    key: str = ""
    contents: Mapping[str, str] = {}
    shown: Mapping[str, str] = {}
    sealed_parameters: str = ""
    attempt: int = 1


class TriggerMemo(StartMemo, frozen=True):
    """What the ledger keeps of a start: never a parameter's value, only the digest of all of them."""

    task: Task | None = always(None)
    revision: str | None = always(None)
    contents: Mapping[str, str] = always({})
    sealed_parameters: str = always("", name="sealed_parameters")

    @property
    def what(self) -> str:
        return f"task {self.task}" if self.task is not None else ""


class TriggerKind(StartedKind[TriggerState, TriggerMemo, "MftClient"]):
    """Starts of tasks ("Start task", "Get task run")."""

    name = "trigger"
    form = AddressForm.NAMED
    product = Product.MFT
    rank = 3
    noun = ("trigger", "triggers")
    memo_type = TriggerMemo
    usual_wait = DEFAULT_WAIT

    # --- the key -----------------------------------------------------------------------------------------------------

    def complete(
        self, resource: Resource[TriggerState], seal: Sealer, needs: Iterable[Need], entry: Entry[TriggerMemo] | None
    ) -> TriggerState:
        """The state with its key: that of the last start, while what that rested on is what is desired now."""
        needed = tuple(needs)
        state = resource.state
        contents = {need.known_as: need.digest for need in needed}
        state = replace(
            state,
            key=seal(["trigger", state.task.plain, dict(state.parameters), state.revision, contents]),
            contents=contents,
            shown={need.known_as: str(need.address) for need in needed if need.known_as != str(need.address)},
            sealed_parameters=seal(["parameters", dict(state.parameters)]),
        )
        return _with_key_kept(state, {str(need.address): need.digest for need in needed}, entry)

    def declared_fields(self, state: TriggerState) -> dict[str, JSON]:
        wait = state.wait
        told: dict[str, JSON] = {f"task.{key}": value for key, value in state.task.plain.items()}
        told |= {"parameters": dict(state.parameters)} if state.parameters else {}
        told |= {"when.revision": state.revision} if state.revision is not None else {}
        told |= {"retries": state.retries} if state.retries else {}
        return told | {"wait": False if wait is None else f"{wait.timeout:g}s, asked every {wait.interval:g}s"}

    def content(self, state: TriggerState, seal: Sealer) -> str:
        return state.key

    def declared(self, state: TriggerState, seal: Sealer) -> str:
        return state.key

    # --- whether it is due -------------------------------------------------------------------------------------------

    def decide(
        self, resource: Resource[TriggerState], entry: Entry[TriggerMemo] | None, *, again: bool
    ) -> Decision[TriggerState] | None:
        desired = resource.state
        if entry is None:
            return _start(Reason.DUE, because(Cause.NEVER_STARTED), desired, entry)
        if not entry.settled and entry.memo.state is not StartState.RUNNING:
            why = because(Cause.START_UNKNOWN, address=resource.address)
            return Decision(Action.START, why=why, blocked=Reason.UNKNOWN_START)
        if entry.applied.get("key") != desired.key:
            return _start(Reason.DUE, _cause(desired, entry.memo), desired, entry)
        return _of_this_key(resource, entry, again=again)

    def retried(self, state: TriggerState) -> TriggerState | None:
        return replace(state, attempt=state.attempt + 1) if state.attempt <= state.retries else None

    def wait(self, state: TriggerState) -> Wait | None:
        return state.wait

    # --- the call ----------------------------------------------------------------------------------------------------

    def start(self, api: MftClient, state: TriggerState) -> str:
        task = state.task
        return api.start_task(id=task.id, name=task.name, parameters=state.parameters).run_id

    def run(self, api: MftClient, run_id: str) -> Run:
        seen = api.task_run(run_id)
        return Run(seen.run_id, seen.status, seen.is_final, seen.has_succeeded)

    def remember(self, progress: Progress[TriggerState]) -> TriggerMemo:
        state = progress.state
        return TriggerMemo(
            state=progress.how_far,
            attempts=state.attempt,
            run_id=progress.run_id,
            licence=progress.licence,
            task=state.task,
            revision=state.revision,
            contents=state.contents,
            sealed_parameters=state.sealed_parameters,
        )

    # --- health ------------------------------------------------------------------------------------------------------

    def question(
        self, resource: Resource[TriggerState], view: AgentView | None, entry: Entry[TriggerMemo] | None
    ) -> str:
        """The run whose end nobody has seen."""
        return entry.memo.run_id if entry is not None and entry.memo.state.is_open else ""

    def ask(self, api: MftClient, question: str, hide: Callable[[str, JSON], None]) -> Run | Unanswered:
        try:
            return self.run(api, question)
        except ProductError as error:
            return Unanswered(error.words, is_missing=isinstance(error, Missing))

    def health(self, examined: Examined[TriggerState, TriggerMemo]) -> HealthReport:
        answer = examined.answer
        run = answer if isinstance(answer, (Run, Unanswered)) else None
        return of_trigger(examined.entry, run, is_lost=examined.is_lost)


KIND = TriggerKind()


def _with_key_kept(desired: TriggerState, today: Mapping[str, str], entry: Entry[TriggerMemo] | None) -> TriggerState:
    """The same under the key of the last start, while what that rested on is what is desired now.

    New names of agents and schedules change nothing, and neither do other agents under the old names: it is the content
    that counts. `today` are the digests by the addresses of today.
    """
    if entry is None or not entry.memo.contents:
        return desired
    memo = entry.memo
    before = (memo.task, memo.revision, memo.sealed_parameters)
    if before != (desired.task, desired.revision, desired.sealed_parameters):
        return desired
    if _same_content(memo.contents, desired.contents) or _same_content(memo.contents, today):
        return replace(desired, key=entry.declared)
    return desired


def _same_content(before: Mapping[str, str], after: Mapping[str, str]) -> bool:
    """Whether nothing changed but names: what bears one name on both sides is the same, and so is the rest together."""
    if any(after[name] != before[name] for name in before.keys() & after.keys()):
        return False
    gone, come = before.keys() - after.keys(), after.keys() - before.keys()
    return sorted(before[name] for name in gone) == sorted(after[name] for name in come)


def _of_this_key(
    resource: Resource[TriggerState], entry: Entry[TriggerMemo], *, again: bool
) -> Decision[TriggerState] | None:
    """What is to be done about a key that was started before, and of which it is known how far it came."""
    memo, desired = entry.memo, resource.state
    run = memo.run_id
    if not entry.settled:
        why = because(Cause.RUN_FOLLOWED, run=run)
        warning = ("resend-waits", because(Cause.RESEND_WAITS, run=run, address=resource.address))
        after = replace(desired, attempt=memo.attempts)
        warnings = (warning,) if again else ()
        return Decision(Action.ADOPT, Reason.INTERRUPTED, why, after=after, warnings=warnings)
    if memo.state is StartState.NOT_RAN:
        return _start(Reason.DUE, because(Cause.NOT_RAN), desired, entry)
    if again:
        ended = because(_ENDS.get(memo.state, Cause.WAS_STARTED_BEFORE), run=run)
        return _start(Reason.RETRY, because(Cause.RESTARTED, ended), desired, entry)
    if memo.state is not StartState.FAILED:
        return None
    if memo.attempts <= desired.retries:
        attempt = memo.attempts + 1
        why = because(Cause.ATTEMPT_FAILED, run=run, attempt=attempt)
        return _start(Reason.RETRY, why, desired, entry, attempt=attempt)
    failed = because(Cause.RUN_FAILED, run=run, address=resource.address)
    return Decision(Action.START, warnings=(("trigger-failed", failed),))


_ENDS = {
    StartState.SUCCESS: Cause.IT_RAN_BEFORE,
    StartState.STARTED: Cause.STARTED_BEFORE,
    StartState.FAILED: Cause.RUN_FAILED_BEFORE,
}


def _start(
    reason: Reason, why: Why, desired: TriggerState, entry: Entry[TriggerMemo] | None, *, attempt: int = 1
) -> Decision[TriggerState]:
    before = entry.memo if entry is not None else TriggerMemo()
    found = []
    if desired.task != before.task:
        found.append(FieldChange("task", None if before.task is None else str(before.task), str(desired.task)))
    if desired.revision != before.revision:
        found.append(FieldChange("revision", before.revision, desired.revision))
    if desired.sealed_parameters != before.sealed_parameters:
        # What the parameters were is not known: the ledger holds their digest alone.
        given = sorted(desired.parameters.items())
        found += [FieldChange(f"parameters.{name}", None, value) for name, value in given]
    return Decision(Action.START, reason, why, after=replace(desired, attempt=attempt), fields=tuple(found))


def _cause(desired: TriggerState, before: TriggerMemo) -> Why:
    """What moved since the last start."""
    causes: list[Why] = []
    if desired.revision != before.revision:
        causes.append(because(Cause.REVISION_CHANGED))
    if desired.task != before.task:
        causes.append(because(Cause.TASK_CHANGED))
    if desired.sealed_parameters != before.sealed_parameters:
        causes.append(because(Cause.PARAMETERS_CHANGED))
    known = before.contents
    moved = sorted(at for at in {*known, *desired.contents} if known.get(at) != desired.contents.get(at))
    causes += [because(Cause.CONTENT_CHANGED, of=desired.shown.get(at, at)) for at in moved]
    return because(Cause.DUE_FOR, *(causes or [because(Cause.NEED_CHANGED)]))
