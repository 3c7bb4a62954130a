"""The nouns that the rooms hand to each other: frozen, comparable, standard library only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeAlias

JSON: TypeAlias = Any
"""What `json.loads` can return. `Any`, because mypy has no useful recursive spelling of it."""

State: TypeAlias = Mapping[str, Any]
"""A resource's state as plain data, in the products' terms, with every default made explicit or left out."""


SECRET = "(secret)"  # noqa: S105 - the word in its place
SECRET_CHANGED = "(secret, changed)"  # noqa: S105 - the word in its place
"""What stands for a value that is never shown; the second one where there was another one before."""

MOVED_FROM = "movedFrom"
"""The fact of a schedule's entry that holds which `movedFrom` was followed."""


class KindName(StrEnum):
    """The four kinds of resource; the value is the first part of an address."""

    INPUT_FILES = "input-files"
    APPROVAL = "approval"
    SCHEDULE = "schedule"
    TRIGGER = "trigger"


@dataclass(frozen=True, slots=True, order=True)
class Address:
    """Where a resource stands: `schedule/<agent>/<name>`, `input-files/<agent>`, `approval/<agent>`, `trigger/<name>`.

    For a live schedule that no manifest declares, `name` is its id.
    """

    kind: KindName
    agent: str
    name: str = ""

    def __str__(self) -> str:
        return "/".join(part for part in (self.kind.value, self.agent, self.name) if part)

    @property
    def is_readable(self) -> bool:
        """Whether all parts are there that its text needs to be read back."""
        match self.kind:
            case KindName.SCHEDULE:
                return bool(self.agent and self.name) and "/" not in self.name
            case KindName.TRIGGER:
                return bool(self.name) and not self.agent
        return bool(self.agent) and not self.name

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read an address back from its text. Raises ValueError when it is none."""
        kind_text, _, rest = text.partition("/")
        kind = KindName(kind_text)
        # The agent of a schedule that no manifest declares may be a path, which has slashes of its own.
        agent, _, name = rest.rpartition("/") if kind is KindName.SCHEDULE else rest.partition("/")
        match kind:
            case KindName.SCHEDULE if agent and name:
                return cls(kind, agent, name)
            case KindName.TRIGGER if agent and not name:
                return cls(kind, "", agent)
            case KindName.INPUT_FILES | KindName.APPROVAL if agent and not name:
                return cls(kind, agent)
        raise ValueError(f"{text!r} is not an address")


@dataclass(frozen=True, slots=True, order=True)
class Origin:
    """A place in a manifest: path relative to the project, line and column counted from 1."""

    path: str
    line: int
    column: int = 1

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong or doubtful in the files, with the next step in `message`."""

    path: str
    line: int
    column: int
    address: str
    code: str
    message: str
    severity: Severity = Severity.ERROR


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """A warning about a plan, or the reason why a guard refuses it."""

    code: str
    address: str
    message: str


# --- desired ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Connection:
    """How to reach one product. `settings` are its own keys (`token`, or `tenantId`, `keyId`, `privateKey`).

    `rate` is in requests per second (None: no limit), `timeout` in seconds. `open_files` are those that a credential
    came from and others than their owner may read, as a shell takes their paths.
    """

    name: str
    url: str
    settings: Mapping[str, str]
    concurrency: int = 8
    rate: float | None = None
    timeout: float = 30.0
    ca_bundle: str | None = None
    allow_insecure: bool = False
    open_files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Policy:
    """What a plan may do. `max_deletes` is a number, or a share such as 0.3 when `max_deletes_is_share`."""

    prune: str = "owned"
    max_deletes: float = 0.3
    max_deletes_is_share: bool = True


@dataclass(frozen=True, slots=True)
class Blackout:
    """Times in which schedules should not run, on the clock of `time_zone`. With `blocks` they refuse a plan.

    `period` is from a local time up to another; else each time of `cron` begins one of `duration_seconds`. `only` and
    `exclude` are patterns over addresses.
    """

    name: str
    time_zone: str
    blocks: bool = False
    only: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    period: tuple[datetime, datetime] | None = None
    cron: str = ""
    duration_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Project:
    """The project file, resolved for one environment. `root` is the folder of `reconciler.yaml`.

    `environments` are the names of all that the file declares.
    """

    name: str
    environment: str
    root: Path
    connections: Mapping[str, Connection]
    ledger: str
    policy: Policy
    environments: tuple[str, ...] = ()
    blackouts: tuple[Blackout, ...] = ()


@dataclass(frozen=True, slots=True)
class Resource:
    """One thing that the manifests declare.

    `spec` is the block as written, after interpolation and schema validation; only the keys that were written.
    For input files each entry of `spec["files"]` is `{"name": str, "file": absolute path str}`.
    `agent_path` is the agent's path in the ACC repository ("" for a trigger). `identity` is the id that the live
    schedule has or will have; `adopted` when the manifest names that id itself. `secrets` are paths into `spec`
    (`inputParameters.password`) whose values are never shown. `moved_from` is the name that a schedule had before
    (`movedFrom`). `known_as` is the address that triggers know it by, where that is another one than its own.
    """

    address: Address
    spec: State
    origin: Origin
    agent_path: str = ""
    identity: str = ""
    adopted: bool = False
    protect: bool = False
    needs: tuple[Address, ...] = ()
    secrets: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    moved_from: str = ""
    known_as: str = ""


@dataclass(frozen=True, slots=True)
class Agent:
    """One `Agent` document: the handle used in addresses, and the path that ACC knows.

    `moved_from` is the handle, `path_before` the path that it had before, where the document says so (`movedFrom`).
    """

    handle: str
    path: str
    origin: Origin
    labels: Mapping[str, str] = field(default_factory=dict)
    moved_from: str = ""
    path_before: str = ""


@dataclass(frozen=True, slots=True)
class Desired:
    """All that the manifests say: resources sorted by address, and the warnings found on the way.

    `secret_values` are the strings that must never be printed, wherever they turn up.
    """

    project: Project
    agents: tuple[Agent, ...]
    resources: tuple[Resource, ...]
    problems: tuple[Problem, ...] = ()
    secret_values: frozenset[str] = frozenset()


# --- live ------------------------------------------------------------------------------------------------------------


class Evidence(StrEnum):
    """How a statement about a product is known."""

    VERIFIED = "verified"
    ATTESTED = "attested"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class AgentView:
    """One agent as ACC shows it: its id and all its schedules by lower-case id; or `problem`, why it cannot be read."""

    path: str
    agent_id: str = ""
    schedules: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Live:
    """All that was seen: `agents` by path. `problems` are reads that failed, and belong to no single agent.

    `elsewhere` are agents, by id, that were found by the id which the ledger remembers although no known path leads to
    them any more; the path in such a view is the one where the agent was.
    """

    agents: Mapping[str, AgentView]
    problems: tuple[Finding, ...] = ()
    elsewhere: Mapping[str, AgentView] = field(default_factory=dict)


# --- memory ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Entry:
    """What we last made so, by address.

    `declared` is a keyed digest of the manifest's words, `applied` keyed digests of the state that was reached, by
    field; neither can be turned back into content. `settled` is false between Began and Outcome, and stays false
    when the outcome is not known. `protect` outlives the block that declared it. `facts` are small public facts that a
    kind needs later (a trigger's run id and attempts, the names of input files and their row counts).

    An agent is who its id says: `agent_id` is the one that the entry was reached under ("" in entries of older
    ledgers), `agent_path` only where it was last. `known_as` is the address under which triggers first knew the
    resource, where a rename has given it another one since: so that a new name changes no trigger's key.
    """

    address: Address
    identity: str
    agent_path: str
    declared: str
    applied: Mapping[str, str]
    settled: bool
    protect: bool = False
    adopted: bool = False
    needs: tuple[Address, ...] = ()
    facts: Mapping[str, JSON] = field(default_factory=dict)
    at: str = ""
    agent_id: str = ""
    known_as: str = ""


@dataclass(frozen=True, slots=True)
class Memory:
    """The ledger's entries for one project and environment.

    `known` is false until the ledger was accepted as the one to go by. `lost`: it took the place of one that was lost,
    and nobody has accepted that yet. `agent_ids` are the ids of agents by the path where each was last ("" in what
    older ledgers hold). `neighbours` are the other projects and environments that share the ledger.
    """

    entries: Mapping[Address, Entry] = field(default_factory=dict)
    known: bool = False
    lost: bool = False
    agent_ids: Mapping[str, str] = field(default_factory=dict)
    neighbours: tuple[tuple[str, str], ...] = ()


# --- plan ------------------------------------------------------------------------------------------------------------


class Action(StrEnum):
    """What can be done to a resource; in the order of the plan's summary."""

    CREATE = "create"
    UPDATE = "update"
    ENABLE = "enable"
    DISABLE = "disable"
    DELETE = "delete"
    UPLOAD = "upload"
    APPROVE = "approve"
    DISAPPROVE = "disapprove"
    START = "start"
    ADOPT = "adopt"
    FORGET = "forget"

    @property
    def is_remote(self) -> bool:
        """Whether a product is asked to change something; the others touch the ledger alone."""
        return self not in (Action.ADOPT, Action.FORGET)


class Reason(StrEnum):
    """Why a change stands in the plan, or why a resource is blocked. A reason explains; it never decides."""

    NEW = "new"
    RENAMED = "renamed"
    EDITED = "edited"
    DRIFTED = "drifted"
    DIVERGED = "diverged"
    DIFFERS = "differs"
    VANISHED = "vanished"
    INTERRUPTED = "interrupted"
    REMOVED = "removed"
    DUE = "due"
    RETRY = "retry"
    PROTECTED = "protected"
    UNOWNED = "unowned"
    UNREADABLE = "unreadable"
    POLICY = "policy"
    UNKNOWN_START = "unknown-start"
    LOST_LEDGER = "lost-ledger"
    STRANDED = "stranded"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field that differs, by its path in the manifest. None means: not there. A secret's values are never shown."""

    path: str
    before: JSON
    after: JSON
    secret: bool = False

    @property
    def shown(self) -> tuple[JSON, JSON]:
        """Before and after as they may be shown: for a secret only that there is one, and whether it changed."""
        if not self.secret:
            return self.before, self.after
        before = None if self.before is None else SECRET
        after = None if self.after is None else SECRET if self.before is None else SECRET_CHANGED
        return before, after


@dataclass(frozen=True, slots=True)
class Preview:
    """What a reviewer approves about a schedule, before and after: next runs (RFC 3339, local offset) and runs a day.

    Empty and None where the schedule does not run, or does not exist, on that side.
    """

    before_runs: tuple[str, ...] = ()
    after_runs: tuple[str, ...] = ()
    before_per_day: float | None = None
    after_per_day: float | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """One step of a plan. It holds no function and survives JSON.

    `before` and `after` are full states (None: absent); `basis` is the fingerprint of what was seen when deciding.
    `secrets` are the paths that are secret from now on: those declared, and those that were and may still be shown.
    """

    address: Address
    action: Action
    reason: Reason
    message: str
    fields: tuple[FieldChange, ...] = ()
    before: State | None = None
    after: State | None = None
    identity: str = ""
    agent_path: str = ""
    agent_id: str = ""
    basis: str = ""
    needs: tuple[Address, ...] = ()
    origin: Origin | None = None
    preview: Preview | None = None
    secrets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Intent:
    """What a kind wants done about one resource, before the planner adds where it stands."""

    action: Action
    reason: Reason | None = None
    message: str = ""
    after: State | None = None
    fields: tuple[FieldChange, ...] = ()
    blocked: Reason | None = None
    warnings: tuple[tuple[str, str], ...] = ()
    needs_idle_agent: bool = False


@dataclass(frozen=True, slots=True)
class BlockedResource:
    """A resource that the plan may not touch, and why."""

    address: Address
    reason: Reason
    message: str
    origin: Origin | None = None


@dataclass(frozen=True, slots=True, order=True)
class Unmanaged:
    """A live schedule that is not ours: counted, never touched. `agent` is its handle, or its path if undeclared."""

    agent: str
    id: str


@dataclass(frozen=True, slots=True, order=True)
class Unchanged:
    """What needs no change, of one kind. Of what no product shows, `first` and `last` are when it was accepted.

    Times are RFC 3339; "" for schedules, which were read.
    """

    kind: KindName
    count: int
    first: str = ""
    last: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """The changes that turn live into desired. Every tuple is sorted, so that equal input gives equal bytes."""

    project: str
    environment: str
    changes: tuple[Change, ...] = ()
    blocked: tuple[BlockedResource, ...] = ()
    unmanaged: tuple[Unmanaged, ...] = ()
    unchanged: int = 0
    warnings: tuple[Finding, ...] = ()
    owned_in_sight: int = 0
    filtered: bool = False
    unchanged_kinds: tuple[Unchanged, ...] = ()

    def count(self, action: Action) -> int:
        """How many changes take this action."""
        return sum(change.action is action for change in self.changes)

    @property
    def is_empty(self) -> bool:
        return not self.changes


# --- apply -----------------------------------------------------------------------------------------------------------


class Status(StrEnum):
    """How one change ended."""

    APPLIED = "applied"
    FAILED = "failed"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"
    UNVERIFIED = "unverified"
    STALE = "stale"


@dataclass(frozen=True, slots=True)
class Began:
    """An event: this change is about to be sent. `at` is RFC 3339."""

    change: Change
    at: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """An event: how a change ended. `seconds` is wall time; `run_id` only for a started task."""

    change: Change
    status: Status
    detail: str = ""
    seconds: float = 0.0
    evidence: Evidence = Evidence.UNKNOWN
    identity: str = ""
    run_id: str = ""
    at: str = ""


# --- drift -----------------------------------------------------------------------------------------------------------


class DriftStatus(StrEnum):
    """How live stands to what was last applied; in the order of the summary."""

    IN_SYNC = "in-sync"
    DRIFTED = "drifted"
    PENDING = "pending"
    DIVERGED = "diverged"
    MISSING = "missing"
    UNMANAGED = "unmanaged"
    UNVERIFIABLE = "unverifiable"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class DriftFinding:
    """One resource in the audit. `fields`: `before` is live, `after` what was declared.

    `unset` are fields that the manifest does not set, and that changed since the last apply: no drift. There `after` is
    what they were then.
    """

    address: Address
    status: DriftStatus
    evidence: Evidence
    fields: tuple[FieldChange, ...] = ()
    origin: Origin | None = None
    message: str = ""
    unset: tuple[FieldChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Drift:
    """An audit. `unchanged` says how what needs no change is known."""

    project: str
    environment: str
    findings: tuple[DriftFinding, ...] = ()
    unchanged: tuple[Unchanged, ...] = ()


# --- status and doctor -----------------------------------------------------------------------------------------------


class Health(StrEnum):
    """Whether a resource does its work; from worst to best, as `status` sorts them."""

    FAILING = "failing"
    DISABLED = "disabled"
    LATE = "late"
    RUNNING_LONG = "running long"
    UNKNOWN = "unknown"
    NEVER_RAN = "never ran"
    RUNNING = "running"
    OFF = "off"
    HEALTHY = "healthy"

    @property
    def is_unhealthy(self) -> bool:
        """Whether somebody should look."""
        return self in (Health.FAILING, Health.DISABLED, Health.LATE, Health.RUNNING_LONG)


@dataclass(frozen=True, slots=True)
class Standing:
    """One row of `status`. Times are RFC 3339, "" where there is none; `predicted` is our own next run.

    `in_doubt`: what happened has to be said by a person.
    """

    address: Address
    sync: DriftStatus
    health: Health
    last_run: str = ""
    next_run: str = ""
    predicted: str = ""
    notes: tuple[str, ...] = ()
    in_doubt: bool = False

    @property
    def is_unhealthy(self) -> bool:
        """Whether somebody should look: also at a schedule that is gone, and at a start that nobody knows about."""
        if self.in_doubt:
            return True
        return self.health.is_unhealthy or self.sync is DriftStatus.MISSING


class Level(StrEnum):
    """How a check of `doctor` came out."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Check:
    """One line of `doctor`: what was looked at, what was found, and what to do."""

    name: str
    level: Level
    found: str
    next_step: str = ""


def at_text(moment: datetime) -> str:
    """RFC 3339 in UTC with whole seconds, the one form of time in documents and in the ledger."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
