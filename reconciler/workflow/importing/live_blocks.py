"""What of a live schedule can be said in a manifest: the keys of its block, and what a person should know of it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import chain, count

from msgspec import Struct

from reconciler import timetable
from reconciler.identity import is_owned, mark_in
from reconciler.kinds import schedule
from reconciler.kinds.schedule import ScheduleObservation
from reconciler.kinds.schedule_state import ScheduleState, timing, wire_start
from reconciler.manifests.yaml_values import YAMLValue, comment_text, is_writable, quoted, value_text
from reconciler.model.live import AgentView
from reconciler.model.project import Project
from reconciler.product_terms import LOG_LEVELS, is_guid
from reconciler.secrecy import Secrecy, masked
from reconciler.workflow.importing.findings import Found, ImportFinding

_LOG_LEVEL_NAMES = {number: name for name, number in LOG_LEVELS.items()}
_SECRET_LIKE = re.compile(r"(?i)passw|pwd|secret|token|api[-_ ]?key|credential|private")
_CHANGING = ("logLevel", "sessionId", "windowless", "enabled")
PARAMETERS = "inputParameters"
ACC_SAYS = "ACC says: "


class LiveBlock(Struct, frozen=True):
    """The block of one live schedule. `values` are its keys after `name` and `id`, as they are meant.

    `remarks` are comment lines, each in front of the key that it belongs to; "" for the end of the block.
    `secret_like` are parameters whose names look like those of secrets.
    """

    name: str
    identity: str
    values: Mapping[str, YAMLValue]
    remarks: tuple[tuple[str, str], ...] = ()
    secret_like: frozenset[str] = frozenset()


class LiveAgent(Struct, frozen=True):
    """One agent as it is to be written: its blocks, sorted by name, and what is `left` unmanaged, with the reason.

    `undeclarable` are those of them that are this project's own: once the agent is declared without them, they are
    schedules that no manifest declares any more, and pruned.
    """

    path: str
    handle: str
    blocks: tuple[LiveBlock, ...]
    left: tuple[tuple[str, str], ...] = ()
    findings: tuple[ImportFinding, ...] = ()
    undeclarable: tuple[tuple[str, str], ...] = ()


class ImportScope(Struct, frozen=True):
    """What every agent is imported with. `declared` are the ids of all schedules that manifests declare, with the
    place; `ours` are those that the ledger knows, and `remembered` the ids that it knows by agent and name. `defaults`
    is what the project gives every schedule that does not say otherwise.
    """

    project: Project
    secrecy: Secrecy
    redact: Callable[[str], str]
    declared: Mapping[str, str]
    ours: frozenset[str]
    defaults: Mapping[str, object] = {}
    remembered: Mapping[tuple[str, str], str] = {}

    def is_ours(self, identity: str) -> bool:
        """Whether this project and environment made a schedule, or the ledger knows it as one of theirs."""
        return is_owned(identity, self.project.name, self.project.environment) or identity in self.ours

    def other_environment(self, identity: str) -> str:
        """The other environment of this project that made a schedule; "" where none did."""
        known = {"default", *self.project.environments} - {self.project.environment}
        return next((one for one in sorted(known) if is_owned(identity, self.project.name, one)), "")


def live_agent(view: AgentView, handle: str, scope: ImportScope, *, names: Collection[str] | None = None) -> LiveAgent:
    """What is to be written of an agent; with `names`, which its document has already, what is missing there."""
    findings: list[ImportFinding] = []
    left: list[tuple[str, str]] = []
    found: list[tuple[str, str, ScheduleObservation]] = []
    for identity, live in sorted(schedule.KIND.live_of(view).items()):
        state = live.state
        assert state is not None
        kind, why = _left_alone(live, state, scope, is_update=names is not None)
        if kind is Found.ALREADY_DECLARED:
            findings.append(ImportFinding(kind, view.path, identity, why))
        elif kind is not None:
            left.append((identity, why))
            findings.append(ImportFinding(kind, view.path, identity, why))
        else:
            when = timing(state)
            base = timetable.short_name(when) if when is not None else "schedule"
            found.append((base, _content(live), live))
    taken = set(names or ())
    blocks = []
    # By what they are, and only then by the id: agents that are alike get names that are.
    for base, _, live in sorted(found, key=lambda one: (*one[:2], one[2].identity)):
        # What the ledger knows by a name is not to be taken for another schedule.
        known = {name for (agent, name), one in scope.remembered.items() if agent == handle and one != live.identity}
        name = free_name(base, taken | known)
        taken.add(name)
        block, told = _block(live, name, view.path, scope)
        if unwanted := _inherited(block, scope.defaults):
            taken.discard(name)
            why = f"spec.defaults would give it {', '.join(unwanted)}, which it does not have in ACC"
            left.append((block.identity, why))
            findings.append(ImportFinding(Found.UNWRITABLE, view.path, block.identity, why))
            continue
        blocks.append(block)
        findings += told
    return LiveAgent(
        view.path,
        handle,
        tuple(sorted(blocks, key=lambda block: by_name(block.name))),
        tuple(left),
        tuple(findings),
        () if names is not None else tuple((identity, why) for identity, why in left if scope.is_ours(identity)),
    )


def by_name(name: str) -> list[tuple[int, int, str]]:
    """What names are sorted by: `daily-0200-10` comes after `daily-0200-9`."""
    parts = filter(None, re.split(r"([0-9]+)", name))
    return [(0, int(part), part) if part.isdigit() else (1, 0, part) for part in parts]


def free_name(name: str, taken: set[str]) -> str:
    """A name like this one that nobody has; it is taken from then on."""
    forms = chain([name], (f"{name}-{number}" for number in count(2)))
    free = next(form for form in forms if form not in taken)
    taken.add(free)
    return free


def _content(live: ScheduleObservation) -> str:
    state = live.state
    assert state is not None
    return json.dumps([state.time_zone, state.parameters, state.session_id, state.cron, state.start_time], default=dict)


# --- which schedules are left alone ----------------------------------------------------------------------------------


def _left_alone(
    live: ScheduleObservation, state: ScheduleState, scope: ImportScope, *, is_update: bool
) -> tuple[Found | None, str]:
    """Why a schedule is not written; None where it is."""
    identity = live.identity
    if place := scope.declared.get(identity):
        return Found.ALREADY_DECLARED, f"declared at {place}"
    if other := scope.other_environment(identity):
        return Found.OTHER_ENVIRONMENT, f"made by this project's environment {other}, which manages it"
    if is_update and scope.is_ours(identity):
        # Its block was taken out on purpose, or is about to be renamed: writing it again would undo that.
        return Found.OURS_UNDECLARED, "made or adopted by this project, and no longer declared: `plan` says what comes"
    why = _unwritable(live, state)
    return (Found.UNWRITABLE, why) if why else (None, "")


def _unwritable(live: ScheduleObservation, state: ScheduleState) -> str:
    """Why a schedule cannot be said in a manifest; "" when it can. No manifest may hold what nobody can read."""
    if not is_guid(live.identity):
        return f"its id {_shown(live.identity)} is no GUID"
    try:
        timetable.parse(state.cron or "")
    except timetable.TimetableError as error:
        return f"its cron {_shown(state.cron)} cannot be read: {error.message}"
    try:
        zone = timetable.zones.to_windows(state.time_zone or "")
    except timetable.TimetableError:
        return f"its time zone {_shown(state.time_zone)} is not known"
    try:
        timetable.parse_start(state.start_time or "", zone)
    except timetable.TimetableError:
        return f"its start {_shown(state.start_time)} cannot be read"
    return ""


def _shown(text: object) -> str:
    return comment_text(f'"{text}"')[:200]


# --- one block -------------------------------------------------------------------------------------------------------


def _block(
    live: ScheduleObservation, name: str, path: str, scope: ImportScope
) -> tuple[LiveBlock, Iterable[ImportFinding]]:
    state, project = live.state, scope.project
    assert state is not None
    findings = []
    remarks: list[tuple[str, str]] = []
    values: dict[str, YAMLValue] = {}
    if is_owned(live.identity, project.name, project.environment):
        remarks.append(("id", "Made by this project, from a manifest that is gone."))
        findings.append(ImportFinding(Found.OURS_AGAIN, path, name, live.identity))
    elif mark_in(live.identity) is not None:
        advice = "then leave it to that one, and take this block out"
        remarks.append(("id", f"Perhaps made by another project or environment: {advice}."))
        findings.append(ImportFinding(Found.OTHER_PROJECT, path, name, advice))
    every = timetable.parse(state.cron or "").every()
    rhythm = "every" if every else "cron"
    if described := comment_text(scope.redact(str(live.record.cron_description or ""))):
        remarks.append((rhythm, f"{ACC_SAYS}{described}"))
    values[rhythm] = every or " ".join((state.cron or "").split())
    values["startTime"] = wire_start(state)
    values["timeZone"] = timetable.zones.to_windows(state.time_zone or "")
    hidden = _hidden(live, scope.secrecy)
    parameters = state.parameters
    secret_like: frozenset[str] = frozenset()
    if why := _unsayable(parameters):
        remarks.append(("logLevel", f"inputParameters {why} in ACC; they cannot be written here, and stay as they are"))
    elif isinstance(parameters, Mapping) and parameters and hidden:
        remarks += [(PARAMETERS, line) for line in _hidden_parameters(parameters, hidden)]
    elif isinstance(parameters, Mapping) and parameters:
        values[PARAMETERS] = dict(sorted(parameters.items()))
        secret_like = frozenset(key for key in parameters if _SECRET_LIKE.search(key))
    findings += [ImportFinding(Found.WAS_SECRET, path, name, comment_text(key)) for key in sorted(hidden)]
    findings += [ImportFinding(Found.SECRET_LIKE, path, name, comment_text(key)) for key in sorted(secret_like)]
    level = state.log_level
    if level in _LOG_LEVEL_NAMES:
        values["logLevel"] = _LOG_LEVEL_NAMES[level]
    elif level is not None:
        remarks.append(("sessionId", f"logLevel is {level} in ACC, which is not documented; it is left as it is"))
    if not is_writable(state.session_id or ""):
        half = "sessionId holds half a character in ACC; it cannot be written here, and stays as it is"
        remarks.append(("windowless", half))
    elif state.session_id or "sessionId" in scope.defaults:
        values["sessionId"] = state.session_id or ""
    values |= {
        flag: on for flag, on in (("windowless", state.windowless), ("enabled", state.enabled)) if on is not None
    }
    return LiveBlock(name, live.identity, values, tuple(remarks), secret_like), findings


def _inherited(block: LiveBlock, defaults: Mapping[str, object]) -> list[str]:
    """What the project's defaults would give a schedule that is taken over, and that it does not have."""
    own, theirs = block.values.get(PARAMETERS), defaults.get(PARAMETERS)
    keys = [key for key in _CHANGING if key in defaults and key not in block.values]
    parameters = theirs.keys() - (own.keys() if isinstance(own, dict) else ()) if isinstance(theirs, Mapping) else ()
    return [*keys, *(f"{PARAMETERS}.{comment_text(key)}" for key in sorted(parameters))]


def _hidden(live: ScheduleObservation, secrecy: Secrecy) -> frozenset[str]:
    """The parameters whose values are secret, were, or may have been."""
    parameters = live.record.input_parameters or {}
    shown = masked(parameters, secrecy.paths_in_view(live.identity), secrecy.values)
    return frozenset(key for key, value in parameters.items() if shown[key] != value)


def _hidden_parameters(parameters: Mapping[str, str], hidden: frozenset[str]) -> Iterator[str]:
    """A comment in the place of parameters that must not be written down: undeclared, they stay as they are."""
    yield "inputParameters stay as they are in ACC, since some are secret, or may be. To declare them, write these"
    yield "lines without #, and give the variables the values that ACC holds:"
    yield "inputParameters:"
    for key, value in sorted(parameters.items()):
        variable = re.sub(r"\W", "_", key.upper(), flags=re.ASCII) or "NAME"
        text = f'"${{env:{variable}}}"' if key in hidden else value_text(value)
        yield f"  {quoted(key)}: {text}"


def _unsayable(parameters: object) -> str:
    """Why no manifest can say these parameters; "" when one can."""
    if not isinstance(parameters, Mapping):
        return "are no JSON object"
    if "" in parameters:
        return "have one without a name"
    if not all(is_writable(str(word)) for pair in parameters.items() for word in pair):
        return "hold half a character"
    return ""
