"""Writes manifests of live schedules, each with its id, so that taking them over changes nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reconciler import manifests, timetable
from reconciler.errors import ProductError, UsageError
from reconciler.identity import normal_id
from reconciler.kinds import schedule
from reconciler.model import AgentView
from reconciler.observe import look
from reconciler.products import Products
from reconciler.workflow.setting import Setting

_LOG_LEVELS = {0: "none", 1: "low", 2: "medium", 3: "high"}


@dataclass(frozen=True, slots=True)
class Imported:
    """One agent's manifest: where it belongs, and its text."""

    path: Path
    text: str
    schedules: int


def import_agents(setting: Setting, paths: Iterable[str], folder: Path) -> tuple[Imported, ...]:
    """Read these agents, and word a manifest for each. All or nothing: an agent that cannot be read ends it.

    Raises ProductError, and UsageError when an agent is declared already or a file is in the way.
    """
    wanted = sorted(set(paths))
    project, secrets = manifests.load_project(setting.root, setting.environment, setting.environ, as_of=setting.clock())
    declared, _ = manifests.check(setting.root, setting.environment, setting.environ, as_of=setting.clock())
    agents = declared.agents if declared is not None else ()
    known = {agent.path.casefold(): agent for agent in agents}
    for path in wanted:
        if path.casefold() in known:
            origin = known[path.casefold()].origin
            raise UsageError(f"the agent {path} is declared already, at {origin}", hint="leave it out")
    with Products(project, secrets, setting.stop) as products:
        concurrency = products.connection("acc").concurrency
        live = look(products.acc, wanted, concurrency=concurrency, stop=setting.stop)
    unread = [f"{view.path}: {view.problem}" for view in live.agents.values() if view.problem]
    if unread:
        raise ProductError(f"not every agent could be read, and nothing was written. {'; '.join(unread)}")
    handles = {agent.handle for agent in agents}
    return tuple(_import(view, folder, handles) for view in live.agents.values())


def write(imported: Iterable[Imported]) -> None:
    """Write the files, none of which may be there already. Raises UsageError naming the one in the way."""
    files = tuple(imported)
    for one in files:
        if one.path.exists():
            raise UsageError(f"{one.path} is there already", hint="choose another folder with --out")
    for one in files:
        one.path.parent.mkdir(parents=True, exist_ok=True)
        one.path.write_text(one.text, encoding="utf-8")


def _import(view: AgentView, folder: Path, taken: set[str]) -> Imported:
    handle = _free(_slug(view.path.rsplit("/", 1)[-1]), taken)
    taken.add(handle)
    lines = [
        "apiVersion: reconciler/v1",
        "kind: Agent",
        "metadata:",
        f"  name: {handle}",
        "spec:",
        f"  path: {_text(view.path)}",
        "  # ACC does not show whether the agent is approved, nor its input files. Declare them to manage them:",
        "  # approval: {state: approved}",
        "  # inputFiles:",
        "  #   - file: data/input.csv",
    ]
    schedules = [view.schedules[identity] for identity in sorted(view.schedules)]
    lines.append("  schedules:" if schedules else "  schedules: []")
    names: set[str] = set()
    for live in schedules:
        name = _free(f"s-{_slug(normal_id(live.schedule_id))[:8]}", names)
        names.add(name)
        lines.extend(f"    {line}" for line in _schedule(live, name))
    return Imported(folder / f"{handle}.yaml", "\n".join(lines) + "\n", len(schedules))


def _schedule(live: Any, name: str) -> Iterator[str]:
    state = schedule.live_state(live)
    yield f"- name: {name}"
    yield f"  id: {normal_id(live.schedule_id)}"
    described = " ".join(str(live.cron_description or "").split())
    if described:
        yield f"  # ACC says: {_comment(described)}"
    yield f"  {_rhythm(state['cron'])}"
    yield f"  startTime: {schedule.wire_start(state)}"
    yield f"  timeZone: {_text(state['timeZone'])}"
    parameters = state["inputParameters"]
    if not isinstance(parameters, Mapping):
        yield "  # inputParameters are no JSON object in ACC, and cannot be written here; they are left as they are"
    elif parameters:
        yield "  inputParameters:"
        for key, value in sorted(parameters.items()):
            yield f"    {_text(key)}: {_text(value)}"
    if state["logLevel"] is not None:
        yield f"  logLevel: {_LOG_LEVELS.get(state['logLevel'], state['logLevel'])}"
    if state["sessionId"]:
        yield f"  sessionId: {_text(state['sessionId'])}"
    for flag in ("windowless", "enabled"):
        if state[flag] is not None:
            yield f"  {flag}: {str(state[flag]).lower()}"


def _rhythm(cron: str) -> str:
    """`every` where ACC's interval form has one unit, else the expression as it is."""
    try:
        every = timetable.parse(cron).every()
    except timetable.TimetableError:
        every = None
    return f"every: {every}" if every else f"cron: {_text(cron)}"


def _text(value: object) -> str:
    """A YAML string that reads back as this and nothing else: what looks like interpolation is escaped."""
    return json.dumps(str(value).replace("${", "$${"), ensure_ascii=False)


def _comment(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text)


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9._-]+", "-", text.lower()).strip("-._") or "agent"


def _free(name: str, taken: set[str]) -> str:
    return next(
        one for number in range(1, len(taken) + 2) if (one := name if number == 1 else f"{name}-{number}") not in taken
    )
