"""Writes imported agents as an engineer would: what is alike once, what differs in a table, and little else. Pure."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence

from msgspec import Struct

from reconciler.manifests.yaml_values import YAMLValue, comment_text
from reconciler.manifests.yaml_writing import inline, key_text
from reconciler.model.copies import replace
from reconciler.quantities import counted
from reconciler.workflow.importing.alike_agents import (
    ItemList,
    PlannedDocument,
    column_name,
    document_of,
    groups_of,
    lines_of,
    single,
    tokens_of,
)
from reconciler.workflow.importing.live_blocks import PARAMETERS, LiveAgent, free_name
from reconciler.workflow.importing.shared_templates import SharedTemplate, templates_of, with_template

_WIDTH = 118
_MOST_TOLD = 3
_ORDER = ("name", "use", "id", "cron", "every", "startTime", "timeZone", PARAMETERS, "logLevel", "sessionId")
_HEAD = "apiVersion: reconciler/v1\nkind: {kind}\n"


class FactoredFile(Struct, frozen=True):
    """A file to be written: its name, its text, what it holds in words, and the handles of agents that need it.

    Its documents make so many `agents` and `schedules`.
    """

    name: str
    text: str
    holds: str
    handles: frozenset[str]
    agents: int = 0
    schedules: int = 0


class _Plan(Struct):
    """What is to be written: documents, and the lists that they are made from."""

    documents: list[PlannedDocument] = []
    lists: list[ItemList] = []


def factored(
    agents: Sequence[LiveAgent], *, taken_files: Collection[str] = (), taken_templates: Collection[str] = ()
) -> tuple[FactoredFile, ...]:
    """The files that declare these agents. `taken_files` and `taken_templates` are names that are in use already."""
    plan = _planned(agents, set(taken_files))
    templates = templates_of([block for one in plan.documents for block in one.blocks], set(taken_templates))
    files = []
    if templates:
        in_use = set(taken_files) | {f"{one.name}.yaml" for one in plan.documents}
        name = _free_file("templates", ".yaml", in_use)
        text = "---\n".join(map(_template_text, templates))
        handles = frozenset(agent.handle for agent in agents)
        files.append(FactoredFile(name, text, counted(len(templates), "template"), handles))
    for items in plan.lists:
        handles = frozenset().union(*(one.handles for one in plan.documents if one.items == items.name))
        files.append(FactoredFile(items.name, _table(items), counted(items.size, "line"), handles))
    for document in plan.documents:
        blocks = [with_template(block, templates) for block in document.blocks]
        count = len(document.blocks) * len(document.agents)
        holds = f"{counted(len(document.agents), 'agent')} with " * (len(document.agents) > 1)
        holds += counted(count, "schedule")
        text = _document_text(document, blocks)
        files.append(FactoredFile(f"{document.name}.yaml", text, holds, document.handles, len(document.agents), count))
    return tuple(files)


def _planned(agents: Sequence[LiveAgent], taken: set[str]) -> _Plan:
    """Documents for all agents. Groups whose agents have the same words for them share a list."""
    plan = _Plan()
    names = {name.rsplit(".", 1)[0] for name in taken if not name.endswith(".csv")}
    by_tokens: dict[tuple[str, ...], list[tuple[str, list[LiveAgent]]]] = defaultdict(list)
    groups = groups_of(agents)
    plan.documents += [single(group[0]) for group in groups if len(group) == 1]
    names.update(one.name for one in plan.documents)
    for group in groups:
        if len(group) > 1:
            tokens = tokens_of([agent.handle for agent in group])
            label = (tokens.before.strip("-_. ") or _folder_label(group)).replace(" ", "-")
            by_tokens[tokens.values].append((free_name(label, names), group))
    for sharing in by_tokens.values():
        items = ItemList("", len(sharing[0][1]))
        found = [
            document_of(group, name, items, f"{column_name(name)}_" if len(sharing) > 1 else "")
            for name, group in sharing
        ]
        items.name = _free_file(_list_name(items, found), ".csv", taken)
        plan.documents += [replace(document, items=items.name) for document in found]
        plan.lists.append(items)
    plan.documents.sort(key=lambda document: document.name)
    plan.lists.sort(key=lambda items: items.name)
    return plan


def _free_file(stem: str, ending: str, taken: set[str]) -> str:
    """The name of a file that nobody has; it is taken from then on."""
    name = free_name(stem, {one.removesuffix(ending) for one in taken if one.endswith(ending)}) + ending
    taken.add(name)
    return name


def _folder_label(group: Sequence[LiveAgent]) -> str:
    parts = group[0].path.lower().split("/")
    return column_name(parts[-2]).replace("_", "-") if len(parts) > 1 else "agents"


def _list_name(items: ItemList, documents: Sequence[PlannedDocument]) -> str:
    """`regions` for a table that begins with `region`; else as the one document that is made from it."""
    first = next(iter(items.columns))
    if first != "name":
        return f"{first.replace('_', '-')}s"
    return documents[0].name if len(documents) == 1 else "agents"


# --- text ------------------------------------------------------------------------------------------------------------


def _template_text(template: SharedTemplate) -> str:
    spec: dict[str, YAMLValue] = {"use": template.used.name} if template.used is not None else {}
    spec |= template.settings
    lines = _flow("spec: ", spec, 0)
    return f"{_HEAD.format(kind='ScheduleTemplate')}metadata: {{name: {template.name}}}\n" + "".join(lines)


def _document_text(document: PlannedDocument, blocks: Sequence[Mapping[str, YAMLValue]]) -> str:
    lines = [_HEAD.format(kind="Agent")]
    left = [(agent.path, *one) for agent in document.agents for one in agent.left]
    for path, identity, why in left[:_MOST_TOLD]:
        lines.append(f"# {comment_text(f'{path}: the schedule {identity} stays unmanaged: {why}')}\n")
    if len(left) > _MOST_TOLD:
        lines.append(f"# {len(left) - _MOST_TOLD:,} more schedules of these agents stay unmanaged.\n")
    if document.items:
        lines.append(f"forEach: {{file: {inline(document.items, in_flow=True)}}}\n")
    lines.append(f"metadata: {{name: {inline(document.handle, in_flow=True)}}}\n")
    lines.append(f"spec:\n  path: {inline(document.path, in_flow=False)}\n")
    lines.append("  schedules:\n" if blocks else "  schedules: []\n")
    for planned, block in zip(document.blocks, blocks, strict=True):
        lines += [f"    # {comment}\n" for comment in planned.comments]
        lines += _flow("    - ", block, 6)
    return "".join(lines)


def _flow(lead: str, block: Mapping[str, YAMLValue], indent: int) -> Iterator[str]:
    """A mapping in brackets, on as few lines as it takes."""
    order = {key: number for number, key in enumerate(_ORDER)}
    keys = sorted(block, key=lambda key: order.get(key, len(order)))
    line = f"{lead}{{"
    for number, key in enumerate(keys):
        entry = f"{key_text(key, in_flow=True)}: {inline(block[key], in_flow=True)}"
        entry += "}" if number == len(keys) - 1 else ","
        if number and len(line) + len(entry) + 1 > _WIDTH:
            yield f"{line}\n"
            line = f"{' ' * (indent + 1)}{entry}"
        else:
            line += f" {entry}" if number else entry
    yield f"{line}\n"


def _table(items: ItemList) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(lines_of(items))
    return out.getvalue()
