"""Writes imported agents in short, and only as far as that says the same as when everything is written out."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from reconciler import manifests
from reconciler.kinds.schedule_state import ScheduleState
from reconciler.model.resource import Desired, Severity
from reconciler.workflow.importing.factoring import FactoredFile, factored
from reconciler.workflow.importing.live_blocks import LiveAgent
from reconciler.workflow.importing.new_files import WrittenFile

_PROJECT = "apiVersion: reconciler/v1\nkind: Project\nmetadata: {name: compared}\nspec: {manifests: ['*.yaml']}\n"


def factored_files(
    plain: Sequence[WrittenFile], agents: Sequence[LiveAgent], folder: Path, templates: Iterable[str], as_of: datetime
) -> tuple[WrittenFile, ...]:
    """The files that declare these agents in short; `plain` are those that write everything out, one for each agent.

    `templates` are names that are in use. What would not come out of the short files as it went in stays plain.
    """
    there = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    expected, _ = _read({file.path.name: file.text for file in plain}, as_of)
    short, kept = list(agents), list(plain)
    while short and expected is not None:
        handles = {agent.handle for agent in short}
        kept = [file for file in plain if file.path.stem not in handles]
        taken = there | {file.path.name for file in kept}
        files = factored(short, taken_files=taken, taken_templates=tuple(templates))
        found, errors = _read({**{file.path.name: file.text for file in kept}, **_texts(files)}, as_of)
        if found is None:
            wrong = handles & _handles_in(errors, files) or handles
        else:
            before, after = _agents(expected), _agents(found)
            wrong = handles & {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
        if not wrong:
            made = [WrittenFile(folder / one.name, one.text, one.holds, one.agents, one.schedules) for one in files]
            return tuple(sorted((*made, *kept), key=lambda file: file.path))
        short = [agent for agent in short if agent.handle not in wrong]
    return tuple(plain)


def _texts(files: Iterable[FactoredFile]) -> dict[str, str]:
    return {file.name: file.text for file in files}


def _handles_in(errors: Iterable[str], files: Iterable[FactoredFile]) -> frozenset[str]:
    """The agents whose files have errors, but for what all of them need."""
    by_name = {file.name: file.handles for file in files if file.agents or file.name.endswith(".csv")}
    return frozenset().union(*(by_name.get(name, frozenset()) for name in errors))


def _read(files: Mapping[str, str], as_of: datetime) -> tuple[Desired | None, frozenset[str]]:
    """What files say that are a project by themselves, read as a plan reads them; and those that have errors."""
    with tempfile.TemporaryDirectory(prefix="reconciler-") as folder:
        root = Path(folder)
        for name, text in {**files, "reconciler.yaml": _PROJECT}.items():
            (root / name).write_text(text, encoding="utf-8", newline="")
        desired, problems = manifests.check(root, None, {}, as_of=as_of, connections=False)
    return desired, frozenset(one.path for one in problems if one.severity is Severity.ERROR)


def _agents(desired: Desired) -> dict[str, object]:
    """Everything that is said of each agent, but for where it stands."""
    found: dict[str, list[object]] = {agent.handle: [agent.path] for agent in desired.agents}
    for one in desired.resources:
        written = one.state.written if isinstance(one.state, ScheduleState) else None
        found.setdefault(one.address.agent, []).append((one.address, one.identity, one.adopted, one.state, written))
    return dict(found)
