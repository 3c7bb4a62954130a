"""Writes manifests of live schedules, each with its id, so that taking them over changes nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path

from reconciler import timetable
from reconciler.errors import ManifestError, ProductError, UsageError
from reconciler.identity import is_owned
from reconciler.kinds import schedule
from reconciler.kinds.schedule import ScheduleObservation
from reconciler.kinds.schedule_state import ScheduleState, wire_start
from reconciler.manifests.starter import write_new
from reconciler.manifests.yaml_values import comment_text, is_writable, quoted, value_text
from reconciler.model.live import AgentView, Live
from reconciler.model.project import Project
from reconciler.model.resource import Agent, Desired, Problem, Severity
from reconciler.observe import read_agents
from reconciler.product_terms import LOG_LEVELS, is_guid
from reconciler.products import Products
from reconciler.secrecy import Secrecy, masked, secrecy_of
from reconciler.workflow.context import CommandContext
from reconciler.workflow.memory import read
from reconciler.workflow.reading import check_manifests, read_project

_LOG_LEVEL_NAMES = {number: name for name, number in LOG_LEVELS.items()}
_PATH = re.compile(r"[^/\\\s]([^\\]*[^/\\\s])?")
_SECRET_LIKE = re.compile(r"(?i)passw|pwd|secret|token|api[-_ ]?key|credential|private")
_LONGEST_KEY = 100
_LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class Imported:
    """One agent's manifest: where it belongs, its text, how many schedules are in it, and what a person should know."""

    path: Path
    text: str
    schedules: int
    notes: tuple[str, ...] = ()


def import_agents(context: CommandContext, paths: Iterable[str], folder: Path) -> tuple[Imported, ...]:
    """Read these agents, and word a manifest for each. All or nothing: an agent that cannot be read ends it.

    Raises ProductError; ManifestError when the manifests that are there already have errors; UsageError when an agent
    is declared already, or its path cannot stand in a manifest.
    """
    wanted = sorted({path.casefold(): path for path in paths}.values())
    project, secrets = read_project(context)
    desired = _declared(context)
    declared = desired.agents if desired is not None else ()
    known = {agent.path.casefold(): agent for agent in declared}
    for path in wanted:
        if path.casefold() in known:
            origin = known[path.casefold()].origin
            raise UsageError(f"the agent {path} is declared already, at {origin}", hint="leave it out")
        if not _PATH.fullmatch(path) or not is_writable(path):
            raise UsageError(
                f"{path!r} is no path of an agent",
                hint="write it without a slash at either end: sequentum/Retail/prices",
            )
    ids = read(context, project).memory.agent_ids
    paths = sorted({*wanted, *(agent.path for agent in declared if not ids.get(agent.path))})
    with Products(project, secrets, context.stop, context.clock) as products:
        live = read_agents(
            products.acc,
            paths,
            (schedule.KIND,),
            concurrency=products.connection("acc").concurrency,
            stop=context.stop,
            progress=lambda done: context.progress("reading agents", done, len(paths)),
        )
        ids = {**ids, **{path: view.agent_id for path, view in live.agents.items() if not view.problem}}
        live = Live({path: live.agents[path] for path in wanted})
        _require_one_path_each(live, declared, ids)
        hidden = _secrecy(context, (project, secrets), desired, live)
        products.hide(
            hidden.values_of((one.identity, one.state) for view in live.agents.values() for one in view.things)
        )
    unread = [f"{view.path}: {view.problem}" for view in live.agents.values() if view.problem]
    if unread:
        raise ProductError(
            f"not every agent could be read, and nothing was written. {'; '.join(unread)}",
            hint="correct the path, or leave that agent out; `reconciler doctor` looks at the connection",
        )
    handles = {agent.handle for agent in declared}
    scope = _Scope(project, hidden, products.redact)
    return tuple(_import(view, folder, handles, scope) for view in live.agents.values())


def _require_one_path_each(live: Live, declared: Iterable[Agent], ids: Mapping[str, str]) -> None:
    """Raise UsageError where two paths lead to one agent. `ids` are those of agents, by path."""
    seen = {ids[one.path]: f"{one.path}, declared at {one.origin}" for one in declared if ids.get(one.path)}
    for path, view in live.agents.items():
        other = path if view.problem else seen.setdefault(view.agent_id, path)
        if other != path:
            message = f"{path} and {other} are one agent: ACC gives both paths the same id"
            raise UsageError(message, hint=f"leave {path} out")


@dataclass(frozen=True, slots=True)
class _Scope:
    """What every agent is imported with."""

    project: Project
    secrecy: Secrecy
    redact: Callable[[str], str]


def _secrecy(
    context: CommandContext, known: tuple[Project, frozenset[str]], desired: Desired | None, live: Live
) -> Secrecy:
    """What is secret, or was when it was applied: none of it may come to stand in a file. Raises LedgerError."""
    project, secrets = known
    memory = read(context, project).memory
    ours = (
        is_owned(one, project.name, project.environment) for view in live.agents.values() for one in view.identities
    )
    return secrecy_of(
        desired.resources if desired is not None else (),
        memory.entries.values(),
        secrets | (desired.secret_values if desired is not None else frozenset()),
        is_lost=not memory.known and any(ours),
    )


def _declared(context: CommandContext) -> Desired | None:
    """What is declared already; None in a project that has no manifest yet. Raises ManifestError."""
    found, problems = check_manifests(context, connections=False)
    errors = [one for one in problems if one.severity is Severity.ERROR and one.code != "no-files"]
    if errors:
        raise ManifestError(errors)
    return found


def write(imported: Iterable[Imported]) -> None:
    """Write the files, all of them or none. Raises UsageError naming the one that is there already, or in the way."""
    advice = "choose another folder with --out"
    write_new({one.path: one.text for one in imported}, if_there=advice, if_failed=f"nothing was written; {advice}")


def unseen(context: CommandContext, imported: Iterable[Imported]) -> tuple[tuple[Path, ...], tuple[Problem, ...]]:
    """Of what was written: the files that no pattern of the project reaches, and the errors in the others."""
    found, problems = check_manifests(context, connections=False)
    errors = tuple(one for one in problems if one.severity is Severity.ERROR)
    if found is None:
        return (), errors
    reached = {(context.root / agent.origin.path).resolve() for agent in found.agents}
    return tuple(one.path for one in imported if one.path.resolve() not in reached), errors


# --- one agent -------------------------------------------------------------------------------------------------------


_HEAD = """\
apiVersion: reconciler/v1
kind: Agent
metadata:
  name: {name}
spec:
  path: {path}
  # ACC does not show whether the agent is approved, nor its input files. Declare them to manage them:
  # approval: {{state: approved}}
  # inputFiles:
  #   - file: data/input.csv
"""


def _import(view: AgentView, folder: Path, taken: set[str], scope: _Scope) -> Imported:
    slug = re.sub(r"[^a-z0-9._-]+", "-", view.path.rsplit("/", 1)[-1].lower())[:_LONGEST_NAME].strip("-._")
    handle = _free(slug or "agent", taken)
    # A handle of digits alone would be a number.
    is_plain = handle[0].isalpha() and handle not in ("true", "false", "null")
    notes: list[str] = []
    lines: list[str] = []
    names: set[str] = set()
    for identity, live in sorted(schedule.KIND.live_of(view).items()):
        state = live.state
        assert state is not None
        if why := _unwritable(live, state):
            notes.append(f"{view.path}: the schedule {identity} stays unmanaged: {why}")
            lines.append(f"# The schedule {comment_text(live.identity)} is left as it is, unmanaged:")
            lines.append(f"# {comment_text(why)}")
            continue
        name = _free(f"s-{identity[:8]}", names)
        hidden = _hidden(live, scope.secrecy)
        lines.extend(_schedule(live, state, name, scope, hidden))
        if hidden:
            words = ", ".join(map(comment_text, sorted(hidden)))
            why = "was secret, or may have been: all parameters stay as they are in ACC, and out of the file"
            notes.append(f"{view.path}: {name}: inputParameters: {words} {why}")
        elif not _unsayable(state.input_parameters):
            secrets = (comment_text(key) for key in sorted(state.parameters or ()) if _SECRET_LIKE.search(key))
            looks = "looks like a secret, and stands in the file"
            notes.extend(f"{view.path}: {name}: inputParameters.{key} {looks}" for key in secrets)
    head = _HEAD.format(name=handle if is_plain else quoted(handle), path=value_text(view.path))
    listed = "".join(f"    {line}\n" for line in lines)
    text = f"{head}  schedules:{'' if names else ' []'}\n{listed}"
    return Imported(folder / f"{handle}.yaml", text, len(names), tuple(notes))


def _unwritable(live: ScheduleObservation, state: ScheduleState) -> str:
    """Why a schedule cannot be said in a manifest; "" when it can. No manifest may hold what nobody can read."""
    if not is_guid(live.identity):
        return f"its id {_shown(live.identity)} is no GUID"
    try:
        timetable.parse(state.cron)
    except timetable.TimetableError as error:
        return f"its cron {_shown(state.cron)} cannot be read: {error.message}"
    try:
        zone = timetable.zones.to_windows(state.time_zone)
    except timetable.TimetableError:
        return f"its time zone {_shown(state.time_zone)} is not known"
    try:
        timetable.parse_start(state.start_time or "", zone)
    except timetable.TimetableError:
        return f"its start {_shown(state.start_time)} cannot be read"
    return ""


def _hidden(live: ScheduleObservation, secrecy: Secrecy) -> frozenset[str]:
    """The parameters whose values are secret, were, or may have been."""
    parameters = live.record.input_parameters or {}
    shown = masked(parameters, secrecy.paths_in_view(live.identity), secrecy.values)
    return frozenset(key for key, value in parameters.items() if shown[key] != value)


def _schedule(
    live: ScheduleObservation, state: ScheduleState, name: str, scope: _Scope, hidden: frozenset[str]
) -> Iterator[str]:
    identity = live.identity
    yield f"- name: {name}"
    if is_owned(identity, scope.project.name, scope.project.environment):
        yield "  # Made by this project, from a manifest that is gone."
    elif identity[14] == "8":
        yield "  # Perhaps made by another project or environment: then leave it to that one, and take this block out."
    yield f"  id: {identity}"
    if described := comment_text(scope.redact(str(live.record.cron_description or ""))):
        yield f"  # ACC says: {described}"
    every = timetable.parse(state.cron or "").every()
    yield f"  every: {every}" if every else f"  cron: {value_text(' '.join((state.cron or '').split()))}"
    yield f"  startTime: {wire_start(state)}"
    yield f"  timeZone: {value_text(timetable.zones.to_windows(state.time_zone))}"
    yield from _parameters(state.input_parameters, hidden)
    level = state.log_level
    if level in _LOG_LEVEL_NAMES:
        yield f"  logLevel: {_LOG_LEVEL_NAMES[level]}"
    elif level is not None:
        yield f"  # logLevel is {level} in ACC, which is not documented; it is left as it is"
    if not is_writable(state.session_id or ""):
        yield "  # sessionId holds half a character in ACC; it cannot be written here, and stays as it is"
    elif state.session_id:
        yield f"  sessionId: {value_text(state.session_id)}"
    for flag, value in (("windowless", state.windowless), ("enabled", state.enabled)):
        if value is not None:
            yield f"  {flag}: {str(value).lower()}"


def _parameters(parameters: object, hidden: frozenset[str]) -> Iterator[str]:
    if why := _unsayable(parameters):
        yield f"  # inputParameters {why} in ACC; they cannot be written here, and stay as they are"
    elif isinstance(parameters, Mapping) and parameters:
        if hidden:
            yield from _hidden_parameters(parameters, hidden)
            return
        yield "  inputParameters:"
        for key, value in sorted(parameters.items()):
            if _SECRET_LIKE.search(key):
                yield "    # Looks like a secret: better `${env:NAME}`, so that it is neither shown nor kept in Git."
            if len(key) > _LONGEST_KEY:
                yield f"    ? {quoted(key)}"
                yield f"    : {value_text(value)}"
            else:
                yield f"    {quoted(key)}: {value_text(value)}"


def _hidden_parameters(parameters: Mapping[str, str], hidden: frozenset[str]) -> Iterator[str]:
    """A comment in the place of parameters that must not be written down: undeclared, they stay as they are."""
    yield "  # inputParameters stay as they are in ACC, since some are secret, or may be. To declare them, write these"
    yield "  # lines without #, and give the variables the values that ACC holds:"
    yield "  # inputParameters:"
    for key, value in sorted(parameters.items()):
        variable = re.sub(r"\W", "_", key.upper(), flags=re.ASCII) or "NAME"
        text = f'"${{env:{variable}}}"' if key in hidden else value_text(value)
        yield f"  #   {quoted(key)}: {text}"


def _unsayable(parameters: object) -> str:
    """Why no manifest can say these parameters; "" when one can."""
    if not isinstance(parameters, Mapping):
        return "are no JSON object"
    if "" in parameters:
        return "have one without a name"
    if not all(is_writable(str(word)) for pair in parameters.items() for word in pair):
        return "hold half a character"
    return ""


def _shown(text: object) -> str:
    return comment_text(f'"{text}"')[:200]


def _free(name: str, taken: set[str]) -> str:
    """A name like this one that nobody has; it is taken from then on."""
    forms = chain([name], (f"{name}-{number}" for number in count(2)))
    free = next(form for form in forms if form not in taken)
    taken.add(free)
    return free
