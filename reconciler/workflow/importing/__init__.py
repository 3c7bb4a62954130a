"""Writes manifests of live schedules, each with its id, so that taking them over changes nothing.

`agent_list` reads which agents are meant, `told_apart` which of them are new, `live_blocks` what of them a manifest can
say. `written_blocks` words it in `new_files`, `factoring` writes it in short (`alike_agents` and `shared_templates` say
what is alike, `factored_files` that it still means the same), and `document_updates` adds it to documents that are
there. `findings` and `import_result` tell what a person should know of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from reconciler import manifests
from reconciler.errors import ManifestError
from reconciler.identity import is_owned
from reconciler.kind import ObservedMemo
from reconciler.kinds import schedule
from reconciler.model.entry import Memory
from reconciler.model.live import AgentView, Live
from reconciler.model.project import Project
from reconciler.model.resource import Agent, Desired, Problem, Severity
from reconciler.observe import read_agents
from reconciler.products import Products
from reconciler.secrecy import Secrecy, secrecy_of
from reconciler.workflow.context import CommandContext
from reconciler.workflow.importing.agent_list import Asked, listed, paths_of
from reconciler.workflow.importing.document_updates import Addition, updated_files
from reconciler.workflow.importing.findings import notes
from reconciler.workflow.importing.import_result import Imported, withholding
from reconciler.workflow.importing.live_blocks import ImportScope, free_name, live_agent
from reconciler.workflow.importing.new_files import WrittenFile, plain_files, write_files
from reconciler.workflow.importing.told_apart import ToldApart, told_apart
from reconciler.workflow.manifest_writing import write_edited
from reconciler.workflow.memory import read
from reconciler.workflow.reading import check_manifests, read_project

__all__ = ["Asked", "Imported", "WrittenFile", "import_agents", "listed", "notes", "unseen", "write"]

_LONGEST_NAME = 100
_SCHEDULE = schedule.KIND.name


def import_agents(
    context: CommandContext, asked: Iterable[Asked], folder: Path, *, update: bool = False, factor: bool = False
) -> Imported:
    """Read these agents, and word a manifest for each that is not declared yet; with `update`, what others lack; with
    `factor`, what agents have in common once.

    Raises ManifestError when the manifests that are there already have errors; UsageError where a path cannot be one;
    ProductError where no connection can be had.
    """
    wanted = paths_of(asked)
    desired = _declared(context)
    defaults = manifests.load_defaults(context.root, context.environment, context.environ)
    named, found, scope = _read(context, wanted, desired, defaults.get("schedule", {}), update=update)
    handles = {agent.handle for agent in (desired.agents if desired is not None else ())}
    seen = [live_agent(view, _handle(view.path, handles), scope) for view in found.new]
    agents = [agent for agent in seen if not agent.undeclarable]
    additions = [_addition(agent, view, scope, desired) for agent, view in found.known]
    lacking = [one for one in additions if one.live.blocks]
    updates, unedited = updated_files(context.root, lacking)
    files = plain_files(agents, folder)
    if factor:
        from reconciler.workflow.importing.factored_files import factored_files  # few imports are written in short

        files = factored_files(files, agents, folder, desired.templates if desired is not None else (), context.clock())
    return Imported(
        named,
        files,
        tuple(agents),
        updates,
        updated=len(lacking) - len(unedited),
        declared=tuple(found.declared),
        complete=sum(not one.live.blocks for one in additions),
        refused=tuple(found.refused),
        unread=tuple(found.unread),
        unedited=unedited,
        withheld=tuple(why for agent in seen for why in withholding(agent)),
        inherited=tuple(sorted(defaults.get("agent", {}))) if agents else (),
        findings=tuple(finding for one in (*agents, *(each.live for each in additions)) for finding in one.findings),
    )


def _read(
    context: CommandContext,
    wanted: Iterable[str],
    desired: Desired | None,
    defaults: Mapping[str, object],
    *,
    update: bool,
) -> tuple[int, ToldApart, ImportScope]:
    """Read the agents at these paths: how many they are, what they turn out to be, and what they are imported with."""
    project, secrets = read_project(context)
    memory = read(context, project).memory
    declared = desired.agents if desired is not None else ()
    hidden_here = secrets | (desired.secret_values if desired is not None else frozenset())
    known = {agent.path.casefold(): agent.path for agent in declared}
    ids = dict(memory.agent_ids)
    named = {known.get(path.casefold(), path) for path in wanted}
    missing = {path for path in named if update or path.casefold() not in known}
    # Whether two paths lead to one agent is known by the ids alone.
    paths = sorted(missing | {agent.path for agent in declared if missing and not ids.get(agent.path)})
    with Products(project, hidden_here, context.stop, context.clock) as products:
        live = read_agents(
            products.acc,
            paths,
            (schedule.KIND,),
            concurrency=products.connection("acc").concurrency,
            stop=context.stop,
            progress=lambda done: context.progress("reading agents", done, len(paths)),
        )
        ids |= {path: view.agent_id for path, view in live.agents.items() if not view.problem}
        live = Live({path: view for path, view in live.agents.items() if path in missing})
        found = told_apart(sorted(named), live, declared, ids, update=update)
        hidden = _secrecy((project, secrets), desired, live, memory)
        products.hide(
            hidden.values_of((one.identity, one.state) for view in live.agents.values() for one in view.things)
        )
    remembered = {(at.agent, at.name): entry.identity for at, entry in memory.entries.items() if at.kind == _SCHEDULE}
    scope = ImportScope(project, hidden, products.redact, _places(desired), _known_ids(memory), defaults, remembered)
    return len(named), found, scope


def _addition(agent: Agent, view: AgentView, scope: ImportScope, desired: Desired | None) -> Addition:
    """What a declared agent has in ACC, and its document lacks."""
    resources = desired.resources if desired is not None else ()
    here = _SCHEDULE, agent.handle
    names = {one.address.name for one in resources if (one.address.kind, one.address.agent) == here}
    return Addition(agent, live_agent(view, agent.handle, scope, names=names), len(names))


def _secrecy(known: tuple[Project, frozenset[str]], desired: Desired | None, live: Live, memory: Memory) -> Secrecy:
    """What is secret, or was when it was applied: none of it may come to stand in a file."""
    project, secrets = known
    ours = (
        is_owned(one, project.name, project.environment) for view in live.agents.values() for one in view.identities
    )
    return secrecy_of(
        desired.resources if desired is not None else (),
        memory.entries.values(),
        secrets | (desired.secret_values if desired is not None else frozenset()),
        is_lost=not memory.known and any(ours),
    )


def _declared(context: CommandContext, edited: Mapping[str, bytes] | None = None) -> Desired | None:
    """What is declared already; None in a project that has no manifest yet. Raises ManifestError.

    `edited` are manifests as they would be.
    """
    found, problems = check_manifests(context, connections=False, edited=edited)
    errors = [one for one in problems if one.severity is Severity.ERROR and one.code != "no-files"]
    if errors:
        raise ManifestError(errors)
    return found


def _places(desired: Desired | None) -> dict[str, str]:
    """Where each schedule is declared, by its id."""
    resources = desired.resources if desired is not None else ()
    return {one.identity: str(one.origin) for one in resources if one.identity and one.address.kind == _SCHEDULE}


def _known_ids(memory: Memory) -> frozenset[str]:
    """The ids of all schedules that the ledger knows as ours, those that ACC assigned included."""
    found = {entry.identity for entry in memory.entries.values() if entry.identity}
    for entry in memory.entries.values():
        if isinstance(entry.memo, ObservedMemo):
            found.update(entry.memo.server_assigned_ids)
    return frozenset(found)


def _handle(path: str, taken: set[str]) -> str:
    slug = re.sub(r"[^a-z0-9._-]+", "-", path.rsplit("/", 1)[-1].lower())[:_LONGEST_NAME].strip("-._")
    return free_name(slug or "agent", taken)


def write(context: CommandContext, imported: Imported) -> None:
    """Write the new files, and each file that gets more, whole: all of them, or none where one cannot be.

    Raises UsageError naming the one that is there already, or in the way; ManifestError where the manifests would have
    errors with what was added; ReconcilerError where a file was changed meanwhile, or cannot be written.
    """
    updates = [one.manifest for one in imported.updates]
    write_files(imported.files)
    try:
        if updates:
            _declared(context, {one.name: one.text.encode() for one in updates})
        write_edited(updates)
    except BaseException:
        for new in imported.files:
            new.path.unlink(missing_ok=True)
        raise


def unseen(context: CommandContext, written: Sequence[WrittenFile]) -> tuple[tuple[Path, ...], tuple[Problem, ...]]:
    """Of what was written: the files that no pattern of the project reaches, and the errors in the others."""
    found, problems = check_manifests(context, connections=False)
    errors = tuple(one for one in problems if one.severity is Severity.ERROR and one.code != "no-files")
    agents = found.agents if found is not None else ()
    if errors:
        return (), errors
    reached = {(context.root / agent.origin.path).resolve() for agent in agents}
    return tuple(one.path for one in written if one.agents and one.path.resolve() not in reached), errors
