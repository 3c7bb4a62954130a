"""The nouns that the rooms hand to each other: frozen, comparable, standard library only."""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import datetime
from enum import Enum, StrEnum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Self, TypeAlias, cast

from reconciler.causes import Why

JSON: TypeAlias = Any
"""What `json.loads` can return. `Any`, because mypy has no useful recursive spelling of it."""


class State:
    """What a resource is, in the products' terms: every kind has its own, a frozen dataclass.

    A field that is None is not set in the manifest; of a live state it is one that the product does not tell.
    """

    __slots__ = ()

    @property
    def parameters(self) -> Mapping[str, str] | str | None:
        """The part of it that may hold secrets, by name; a text where a product shows one that is no object."""
        return None


if TYPE_CHECKING:
    from typing_extensions import TypeVar

    S_co = TypeVar("S_co", bound=State, covariant=True, default=State)
    M_co = TypeVar("M_co", bound="Memo", covariant=True, default="Memo")
else:  # the standard library's has no default yet; with one, `Resource` alone is a resource of any kind
    S_co, M_co = typing.TypeVar("S_co", covariant=True), typing.TypeVar("M_co", covariant=True)

T = typing.TypeVar("T", bound=State)

SECRET = "(secret)"  # noqa: S105 - the word in its place
SECRET_CHANGED = "(secret, changed)"  # noqa: S105 - the word in its place
"""What stands for a value that is never shown; the second one where there was another one before."""


class AddressForm(Enum):
    """What the addresses of a kind are made of."""

    NAMED = "<kind>/<name>"
    OF_AGENT = "<kind>/<agent>"
    IN_AGENT = "<kind>/<agent>/<name>"


ADDRESS_FORMS: dict[str, AddressForm] = {}
"""The form of every kind's addresses; the registry of kinds fills it."""


@dataclass(frozen=True, slots=True, order=True)
class Address:
    """Where a resource stands: `schedule/<agent>/<name>`, `input-files/<agent>`, `approval/<agent>`, `trigger/<name>`.

    For a live schedule that no manifest declares, `name` is its id.
    """

    kind: str
    agent: str
    name: str = ""

    def __str__(self) -> str:
        return "/".join(part for part in (self.kind, self.agent, self.name) if part)

    @property
    def form(self) -> AddressForm | None:
        """What its kind's addresses are made of; None for a kind that nobody registered."""
        return ADDRESS_FORMS.get(self.kind)

    @property
    def is_readable(self) -> bool:
        """Whether all parts are there that its text needs to be read back."""
        match self.form:
            case AddressForm.IN_AGENT:
                return bool(self.agent and self.name) and "/" not in self.name
            case AddressForm.NAMED:
                return bool(self.name) and not self.agent
            case AddressForm.OF_AGENT:
                return bool(self.agent) and not self.name and "/" not in self.agent
        return False

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read an address back from its text. Raises ValueError when it is none."""
        kind, _, rest = text.partition("/")
        form = ADDRESS_FORMS.get(kind)
        # The agent of a schedule that no manifest declares may be a path, which has slashes of its own.
        agent, _, name = rest.rpartition("/") if form is AddressForm.IN_AGENT else rest.partition("/")
        match form:
            case AddressForm.IN_AGENT if agent and name:
                return cls(kind, agent, name)
            case AddressForm.NAMED if agent and not name:
                return cls(kind, "", agent)
            case AddressForm.OF_AGENT if agent and not name:
                return cls(kind, agent)
        raise ValueError(f"{text!r} is not an address")


@dataclass(frozen=True, slots=True, order=True)
class Origin:
    """A place in a manifest: path relative to the project, line and column counted from 1.

    `item` says which of a document's `forEach` items made it, as in `item 2 (region: nz)`; "" where none did.
    """

    path: str
    line: int
    column: int = 1
    item: str = ""

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}" + (f" [{self.item}]" if self.item else "")

    @property
    def place(self) -> tuple[str, int, int]:
        """Where it is in the order of the manifests."""
        return (self.path, self.line, self.column)


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong or doubtful in the files, with the next step in `message`. `item`: as in `Origin`."""

    path: str
    line: int
    column: int
    address: str
    code: str
    message: str
    severity: Severity = Severity.ERROR
    item: str = ""


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """A warning about a plan, or the reason why a guard refuses it."""

    code: str
    address: str
    why: Why


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
class Resource(Generic[S_co]):
    """One thing that the manifests declare: its `state` is what shall be, and holds what the block sets.

    `agent_path` is the agent's path in the ACC repository ("" for a trigger). `identity` is the id that the live
    schedule has or will have; `adopted` when the manifest names that id itself. `secrets` are paths
    (`inputParameters.password`) whose values are never shown. `moved_from` is the name that a schedule had before
    (`movedFrom`). `known_as` is the address that triggers know it by, where that is another one than its own.
    """

    address: Address
    state: S_co
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
class Observation(Generic[S_co]):
    """What was seen of one resource: its state, None where it is absent; or `problem`, why it could not be read.

    `identity` is the id that the product knows it by, in the form in which ids are compared; "" where it has none.
    """

    identity: str
    state: S_co | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class AgentView:
    """One agent as ACC shows it: its id, and what it holds; or `problem`, why it cannot be read.

    `observed` are the things of each kind that can be read back, by the kind's name and then by their identity.
    """

    path: str
    agent_id: str = ""
    observed: Mapping[str, Mapping[str, Observation]] = field(default_factory=dict)
    problem: str = ""

    def of(self, kind: str) -> Mapping[str, Observation]:
        """The things of one kind, by their identity."""
        return self.observed.get(kind, {})

    def holds(self, identity: str) -> bool:
        """Whether the agent has a thing with this identity, of whatever kind."""
        return any(identity in things for things in self.observed.values())

    @property
    def things(self) -> Iterator[Observation]:
        """All that the agent holds, of whatever kind."""
        return (thing for things in self.observed.values() for thing in things.values())

    @property
    def identities(self) -> Iterator[str]:
        """The identities of all that the agent holds."""
        return (identity for things in self.observed.values() for identity in things if identity)


@dataclass(frozen=True, slots=True)
class Live:
    """All that was seen: `agents` by path.

    `elsewhere` are agents, by id, that were found by the id which the ledger remembers although no known path leads to
    them any more; the path in such a view is the one where the agent was.
    """

    agents: Mapping[str, AgentView]
    elsewhere: Mapping[str, AgentView] = field(default_factory=dict)

    def observation(self, resource: Resource[T]) -> Observation[T]:
        """What was seen of a declared resource: present, absent, or unreadable with its agent."""
        view = self.agents.get(resource.agent_path)
        if view is None or view.problem:
            return Observation(resource.identity, None, view.problem if view else "the agent was not read")
        found = view.of(resource.address.kind).get(resource.identity)
        # An agent's things of one kind all have the state of that kind.
        return cast("Observation[T]", found) if found is not None else Observation(resource.identity, None)


# --- memory ----------------------------------------------------------------------------------------------------------


def as_plain(value: object) -> JSON:
    """A noun as JSON's own types, with a mapping for every noun. Fields that do not compare are left out."""
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return {str(key): as_plain(each) for key, each in value.items()}
    if isinstance(value, (tuple, list)):
        return [as_plain(each) for each in value]
    if is_dataclass(value) and not isinstance(value, Address):
        return {one.name: as_plain(getattr(value, one.name)) for one in fields(value) if one.compare}
    return str(value)


def stored(
    key: str,
    read: Callable[[JSON], object] = lambda value: value,
    write: Callable[[Any], JSON] | None = None,
    *,
    always: bool = False,
    **settings: object,
) -> Any:
    """A field of a memo: the key under which the ledger keeps it, how it is read back and written.

    One that has its default is left out, unless it is `always` there.
    """
    metadata = {"key": key, "read": read, "write": write or as_plain, "always": always}
    return field(metadata=metadata, **settings)  # type: ignore[call-overload]


@dataclass(frozen=True, slots=True)
class Memo:
    """What the ledger keeps of a resource beside digests: small, public, and typed by each kind.

    `secrets` are the paths that live may still show as they are, `secrets_before` those that earlier runs may: never
    values.
    """

    secrets: tuple[str, ...] = stored("secrets", tuple, default=())
    secrets_before: tuple[str, ...] = stored("secretsBefore", tuple, default=())

    def to_json(self) -> dict[str, JSON]:
        """As the ledger keeps it, in the form of all its versions."""
        return {
            one.metadata["key"]: one.metadata["write"](value)
            for one in fields(self)
            if (value := getattr(self, one.name)) != one.default or one.metadata["always"]
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, JSON]) -> Self:
        """Raises ValueError, TypeError, LookupError or AttributeError when it makes no sense."""
        readers = _readers_of(cls)  # type: ignore[arg-type]  # a class can be hashed
        return cls(**{readers[key][0]: readers[key][1](value) for key, value in kept.items() if key in readers})


@cache
def _readers_of(memo: type[Memo]) -> dict[str, tuple[str, Callable[[JSON], Any]]]:
    """What each key of the ledger is called in a memo, and how it is read: worked out once, since estates are large."""
    return {one.metadata["key"]: (one.name, one.metadata["read"]) for one in fields(memo)}


@dataclass(frozen=True, slots=True)
class Entry(Generic[M_co]):
    """What we last made so, by address.

    `declared` is a keyed digest of the manifest's words, `applied` keyed digests of the state that was reached, by
    field; neither can be turned back into content. `settled` is false between Began and Outcome, and stays false
    when the outcome is not known. `protect` outlives the block that declared it. `memo` is what the kind needs later (a
    trigger's run id and attempts, the sizes of input files).

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
    memo: M_co
    protect: bool = False
    adopted: bool = False
    needs: tuple[Address, ...] = ()
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
class Change(Generic[S_co]):
    """One step of a plan. It holds no function and survives JSON.

    `before` and `after` are full states (None: absent); `basis` is the fingerprint of what was seen when deciding.
    `secrets` are the paths that are secret from now on: those declared, and those that were and may still be shown.
    """

    address: Address
    action: Action
    reason: Reason
    why: Why | None = None
    fields: tuple[FieldChange, ...] = ()
    before: S_co | None = None
    after: S_co | None = None
    identity: str = ""
    agent_path: str = ""
    agent_id: str = ""
    basis: str = ""
    needs: tuple[Address, ...] = ()
    origin: Origin | None = None
    preview: Preview | None = None
    secrets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BlockedResource:
    """A resource that the plan may not touch, and why."""

    address: Address
    reason: Reason
    why: Why
    origin: Origin | None = None


@dataclass(frozen=True, slots=True, order=True)
class Unmanaged:
    """A live schedule that is not ours: counted, never touched. `agent` is its handle, or its path if undeclared."""

    agent: str
    id: str


class Visibility(StrEnum):
    """How what we did can be seen again; the value is the word for what needs no change."""

    OBSERVED = "read"
    ATTESTED = "attested"
    STARTED_ONCE = "started"


@dataclass(frozen=True, slots=True, order=True)
class Unchanged:
    """What needs no change, of one kind. Of what no product shows, `first` and `last` are when it was accepted.

    Times are RFC 3339, "" for what was read. `nouns` are what one of them and several are
    called.
    """

    kind: str
    count: int
    first: str = ""
    last: str = ""
    visibility: Visibility = Visibility.OBSERVED
    nouns: tuple[str, ...] = ()


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
    why: Why | None = None
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
    why: Why | None = None
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
class ResourceStatus:
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


@dataclass(frozen=True, slots=True)
class Owner:
    """Who runs: shown to whoever is kept waiting. `ci_link` leads to the job, where there is one."""

    user: str
    host: str
    pid: int
    ci_link: str = ""

    def __str__(self) -> str:
        link = f", {self.ci_link}" if self.ci_link else ""
        return f"{self.user} on {self.host} (process {self.pid}{link})"


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run for `history`. `finished` and `result` are "" while it goes on, and for ever when it died."""

    id: str
    owner: Owner
    commit: str
    plan_digest: str
    command: str
    started: str
    finished: str = ""
    result: str = ""
    summary: Mapping[str, JSON] | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """How one change of a run ended, as the ledger's events have it."""

    address: str
    action: str
    status: str
    detail: str


def at_text(moment: datetime) -> str:
    """RFC 3339 in UTC with whole seconds, the one form of time in documents and in the ledger."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
