"""The kind `trigger`: a start of an Automate MFT task, exactly once for each key.

Automate MFT has no idempotency key and no list of runs, so all that is known of a start is what the ledger holds:
`facts["state"]` is `sending` (told before the request left), `running` (a run id came back), `success`, `failed`,
`unknown` (the reply was lost) or `not-ran` (a person said so).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol

from reconciler.diff import Sealer
from reconciler.model import Action, Entry, FieldChange, Intent, Reason, Resource, State

DEFAULT_TIMEOUT = 1800.0
DEFAULT_INTERVAL = 5.0
"""Seconds: how long a run is followed where the manifest does not say, and how often it is asked for."""


def desired_state(
    spec: State, contents: Mapping[str, str], seal: Sealer, *, shown: Mapping[str, str] = MappingProxyType({})
) -> State:
    """What starts the task: its key, and the parts that the key was made of, for saying why it is due.

    `contents` are the digests of the desired content of all that `changed` matches, by the address under which each was
    first known; `shown` are the addresses that people know it by now, where those are others.
    """
    revision = spec.get("when", {}).get("revision")
    task = dict(spec["task"])
    parameters = dict(spec.get("parameters") or {})
    key = seal(["trigger", task, parameters, revision, dict(contents)])
    return {
        "key": key,
        "task": task,
        "parameters": parameters,
        "revision": revision,
        "contents": dict(contents),
        "shown": dict(shown),
        "sealed_parameters": seal(["parameters", parameters]),
        "retries": int(spec.get("retries", 0)),
    }


def with_key_kept(desired: State, today: Mapping[str, str], entry: Entry | None) -> State:
    """The same under the key of the last start, while what that rested on is what is desired now.

    New names of agents and schedules change nothing, and neither do other agents under the old names: it is the content
    that counts. `today` are the digests by the addresses of today.
    """
    if entry is None or not entry.facts.get("contents"):
        return desired
    before, facts = entry.facts["contents"], entry.facts
    if any(desired[part] != facts.get(part) for part in ("task", "revision", "sealed_parameters")):
        return desired
    if _same_content(before, desired["contents"]) or _same_content(before, today):
        return {**desired, "key": entry.declared}
    return desired


def _same_content(before: Mapping[str, str], after: Mapping[str, str]) -> bool:
    """Whether nothing changed but names: what bears one name on both sides is the same, and so is the rest together."""
    if any(after[name] != before[name] for name in before.keys() & after.keys()):
        return False
    gone, come = before.keys() - after.keys(), after.keys() - before.keys()
    return sorted(before[name] for name in gone) == sorted(after[name] for name in come)


def judge(resource: Resource, desired: State, entry: Entry | None, *, again: bool = False) -> Intent | None:
    """Whether the task is due; None when this key was started before. A start is never repeated on a guess.

    `again`: somebody asks for a second start of this key. It comes when the first one is known to be over.
    """
    if entry is None:
        return _start(Reason.DUE, "never started by this project", desired, entry)
    if not entry.settled and entry.facts.get("state") != "running":
        return Intent(Action.START, message=_UNKNOWN.format(address=resource.address), blocked=Reason.UNKNOWN_START)
    if entry.applied.get("key") != desired["key"]:
        return _start(Reason.DUE, _cause(desired, entry), desired, entry)
    return _of_this_key(resource, desired, entry, again=again)


def _of_this_key(resource: Resource, desired: State, entry: Entry, *, again: bool) -> Intent | None:
    """What is to be done about a key that was started before, and of which it is known how far it came."""
    run, attempt = entry.facts.get("runId"), _attempts(entry)
    if not entry.settled:
        message = f"run {run} was started before: it is followed to its end, not started again"
        warning = ("resend-waits", _WAITS.format(run=run, address=resource.address))
        after = {**desired, "attempt": attempt}
        return Intent(Action.ADOPT, Reason.INTERRUPTED, message, after=after, warnings=(warning,) if again else ())
    state = str(entry.facts.get("state"))
    if state == "not-ran":
        return _start(Reason.DUE, "the last start is known not to have run", desired, entry)
    if again:
        message = f"--resend asks for one more start; {_ENDS.get(state, 'it was started')} before".format(run=run)
        return _start(Reason.RETRY, message, desired, entry)
    if state != "failed":
        return None
    if attempt <= desired["retries"]:
        return _start(Reason.RETRY, f"run {run} failed; attempt {attempt + 1}", desired, entry, attempt=attempt + 1)
    return Intent(Action.START, warnings=(("trigger-failed", _FAILED.format(run=run, address=resource.address)),))


def _attempts(entry: Entry) -> int:
    return int(entry.facts.get("attempts", 1))


_ENDS = {"success": "it ran", "started": "run {run} was started", "failed": "run {run} failed"}
_WAITS = (
    "not started again while its run {run} is not known to be over. When it is, ask once more: "
    "`reconciler apply --resend {address}`"
)
_FAILED = (
    "run {run} failed. Once its cause is mended, start the task again: `reconciler apply --resend {address}`, or with "
    "another `when.revision`"
)


_UNKNOWN = (
    "how its last start ended is not known, so nothing starts it again. Look at the task's runs in Automate MFT, then "
    "say `reconciler resolve {address} --ran` or `--not-ran`"
)


def _start(reason: Reason, message: str, desired: State, entry: Entry | None, *, attempt: int = 1) -> Intent:
    before = entry.facts if entry is not None else {}
    fields = []
    if desired["task"] != before.get("task"):
        fields.append(FieldChange("task", _task(before.get("task")), _task(desired["task"])))
    if desired["revision"] != before.get("revision"):
        fields.append(FieldChange("revision", before.get("revision"), desired["revision"]))
    if desired["sealed_parameters"] != before.get("sealed_parameters"):
        # What the parameters were is not known: the ledger holds their digest alone.
        given = sorted(desired["parameters"].items())
        fields += [FieldChange(f"parameters.{name}", None, value) for name, value in given]
    return Intent(Action.START, reason, message, after={**desired, "attempt": attempt}, fields=tuple(fields))


def _task(task: Mapping[str, str] | None) -> str | None:
    return None if task is None else task.get("name") or task.get("id")


def _cause(desired: State, entry: Entry) -> str:
    """What moved since the last start, in words."""
    causes: list[str] = []
    if desired["revision"] != entry.facts.get("revision"):
        causes.append("the revision changed")
    if desired["task"] != entry.facts.get("task"):
        causes.append("the task changed")
    if desired["sealed_parameters"] != entry.facts.get("sealed_parameters"):
        causes.append("the parameters changed")
    before, shown = entry.facts.get("contents", {}), desired["shown"]
    moved = sorted(at for at in {*before, *desired["contents"]} if before.get(at) != desired["contents"].get(at))
    causes += [f"{shown.get(at, at)} changed" for at in moved]
    return ", ".join(causes) or "what it depends on changed"


def facts(desired: State, *, state: str, attempts: int, run_id: str = "", licence: object = None) -> dict[str, Any]:
    """What the ledger keeps of a start: never a parameter's value, only its digest."""
    return {
        "state": state,
        "attempts": attempts,
        "runId": run_id,
        "task": dict(desired["task"]),
        "revision": desired["revision"],
        "contents": dict(desired["contents"]),
        "sealed_parameters": desired["sealed_parameters"],
        "licence": licence,
    }


class TaskRun(Protocol):
    """A run as the MFT client reads it."""

    @property
    def status(self) -> str: ...
    @property
    def is_final(self) -> bool: ...


class TaskStarter(Protocol):
    """The calls of the MFT client that this kind needs."""

    def start_task(
        self, *, id: str | None = None, name: str | None = None, parameters: Mapping[str, str] | None = None
    ) -> StartedTask: ...
    def task_run(self, run_id: str) -> TaskRun: ...


class StartedTask(Protocol):
    """A start that was accepted."""

    @property
    def run_id(self) -> str: ...


def act(mft: TaskStarter, desired: State) -> str:
    """Start the task, and return the id of its run. Raises Refused when it did not start, Uncertain when perhaps."""
    task = desired["task"]
    return mft.start_task(id=task.get("id"), name=task.get("name"), parameters=desired["parameters"]).run_id


@dataclass(frozen=True, slots=True)
class Wait:
    """How long a run is followed, in seconds; None: it is not."""

    timeout: float
    interval: float


def wait_of(spec: State) -> Wait | None:
    """How long a trigger wants its run followed. `wait: false` starts and leaves."""
    wait = spec.get("wait", {})
    if wait is False:
        return None
    return Wait(float(wait.get("timeout", DEFAULT_TIMEOUT)), float(wait.get("interval", DEFAULT_INTERVAL)))


def follow(
    mft: TaskStarter, run_id: str, wait: Wait, *, clock: Callable[[], float], pause: Callable[[float], bool]
) -> TaskRun:
    """Ask for a run until it has ended, or the time is over, or `pause` says to stop; the run as it was seen last.

    `clock` is monotonic seconds; `pause` waits, and returns whether to go on. Raises ProductError.
    """
    deadline = clock() + wait.timeout
    while True:
        run = mft.task_run(run_id)
        if run.is_final or clock() + wait.interval > deadline or not pause(wait.interval):
            return run
