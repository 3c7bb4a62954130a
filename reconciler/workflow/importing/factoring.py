"""Writes imported agents as an engineer would: what is alike once, what differs in a table, and little else. Pure."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from reconciler.manifests.yaml_values import YAMLValue, comment_text
from reconciler.manifests.yaml_writing import inline, key_text
from reconciler.model.copies import replace
from reconciler.quantities import counted
from reconciler.workflow.importing.alike_agents import (
    ItemList,
    PlannedBlock,
    PlannedDocument,
    column_name,
    document_of,
    groups_of,
    lines_of,
    single,
    tokens_of,
)
from reconciler.workflow.importing.live_blocks import PARAMETERS, LiveAgent, free_name

_WIDTH = 118
_NEARLY_ALL = 0.9
_WORTH_A_TEMPLATE = 4
_MOST_TOLD = 3
_LIFTED = ("startTime", "timeZone", "logLevel", "windowless", "enabled")
_ORDER = ("name", "use", "id", "cron", "every", "startTime", "timeZone", PARAMETERS, "logLevel", "sessionId")
_HEAD = "apiVersion: reconciler/v1\nkind: {kind}\n"

Setting = tuple[str, ...]
"""A key of a block, or `inputParameters` and a key in there."""


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


class _Template(Struct, frozen=True):
    """A ScheduleTemplate: what it holds, `use` included."""

    name: str
    settings: Mapping[Setting, YAMLValue]
    use: str = ""

    def fits(self, block: PlannedBlock) -> bool:
        """Whether a block sets all that it would get, so that it gets nothing that it does not have."""
        return all(_has(block, setting) for setting in self.settings)


class _Plan(Struct):
    """What is to be written: documents, and the lists that they are made from."""

    documents: list[PlannedDocument] = []
    lists: list[ItemList] = []


def factored(
    agents: Sequence[LiveAgent], *, taken_files: Collection[str] = (), taken_templates: Collection[str] = ()
) -> tuple[FactoredFile, ...]:
    """The files that declare these agents. `taken_files` and `taken_templates` are names that are in use already."""
    plan = _planned(agents, set(taken_files))
    templates = _templates(plan.documents, set(taken_templates))
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
        blocks = [_with_template(block, templates) for block in document.blocks]
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
    for group in groups_of(agents):
        if len(group) == 1:
            plan.documents.append(single(group[0]))
            names.add(group[0].handle)
    for group in groups_of(agents):
        if len(group) > 1:
            ordered = sorted(group, key=lambda agent: agent.handle)
            tokens = tokens_of([agent.handle for agent in ordered])
            label = (tokens.before.strip("-_. ") or _folder_label(ordered)).replace(" ", "-")
            by_tokens[tokens.values].append((free_name(label, names), ordered))
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


# --- templates -------------------------------------------------------------------------------------------------------


def _templates(documents: Iterable[PlannedDocument], taken: set[str]) -> list[_Template]:
    """One for what nearly all schedules have in common, and one for each rhythm that many have."""
    blocks = [block for document in documents for block in document.blocks]
    common = _common(blocks, taken)
    found = [common] if common is not None else []
    by_rhythm: dict[str, list[PlannedBlock]] = defaultdict(list)
    for block in blocks:
        rhythm = next(((key, block.values[key]) for key in ("cron", "every") if key in block.values), None)
        if rhythm is not None and not _is_varying(block, rhythm[:1]):
            by_rhythm[json.dumps(rhythm)].append(block)
    for alike in by_rhythm.values():
        if len(alike) < _WORTH_A_TEMPLATE:
            continue
        use = common if common is not None and all(map(common.fits, alike)) else None
        inherited = use.settings if use is not None else {}
        settings = {
            setting: value
            for setting, value in _settings(alike[0])
            if setting[0] not in ("name", "id", PARAMETERS)
            if inherited.get(setting) != value
            if all(_same(one, setting, value) for one in alike)
        }
        if len(settings) > 1:
            name = Counter(str(one.values["name"]) for one in alike).most_common(1)[0][0]
            if "${" not in name:
                found.append(_Template(free_name(name, taken), settings, use.name if use is not None else ""))
    return found


def _common(blocks: Sequence[PlannedBlock], taken: set[str]) -> _Template | None:
    settings: dict[Setting, YAMLValue] = {}
    for key in _LIFTED:
        found = Counter(
            json.dumps(block.values[key]) for block in blocks if key in block.values and not _is_varying(block, (key,))
        )
        has_it = sum(key in block.values for block in blocks)
        usual = found.most_common(1)
        if usual and usual[0][1] > len(blocks) / 2 and usual[0][1] > 1 and has_it >= _NEARLY_ALL * len(blocks):
            settings[(key,)] = json.loads(usual[0][0])
    return _Template(free_name("imported", taken), settings) if settings else None


def _with_template(block: PlannedBlock, templates: Sequence[_Template]) -> dict[str, YAMLValue]:
    """A block that says only what the template does not that takes the most from it."""
    best: dict[str, YAMLValue] = dict(block.values)
    for template in templates:
        whole = _whole(template, templates)
        if not all(_has(block, setting) for setting in whole):
            continue
        rhythms = [setting for setting in whole if setting[0] in ("cron", "every")]
        if not all(_same(block, setting, whole[setting]) for setting in rhythms):
            continue
        kept = {key: value for key, value in block.values.items() if not _is_inherited(block, key, whole)}
        if len(kept) + 1 < len(best):
            best = {**kept, "use": template.name}
    return best


def _is_inherited(block: PlannedBlock, key: str, whole: Mapping[Setting, YAMLValue]) -> bool:
    return (key,) in whole and _same(block, (key,), whole[(key,)])


def _whole(template: _Template, templates: Sequence[_Template]) -> dict[Setting, YAMLValue]:
    used = next((one for one in templates if one.name == template.use), None)
    return {**(used.settings if used is not None else {}), **template.settings}


def _settings(block: PlannedBlock) -> Iterator[tuple[Setting, YAMLValue]]:
    yield from (((key,), value) for key, value in block.values.items() if key != PARAMETERS)


def _has(block: PlannedBlock, setting: Setting) -> bool:
    return setting[0] in block.values


def _is_varying(block: PlannedBlock, setting: Setting) -> bool:
    return setting in block.varying


def _same(block: PlannedBlock, setting: Setting, value: YAMLValue) -> bool:
    found = block.values.get(setting[0])
    return setting not in block.varying and type(found) is type(value) and found == value


# --- text ------------------------------------------------------------------------------------------------------------


def _template_text(template: _Template) -> str:
    spec: dict[str, YAMLValue] = {"use": template.use} if template.use else {}
    spec |= {setting[0]: value for setting, value in template.settings.items()}
    lines = _flow("spec: ", spec, 0)
    return f"{_HEAD.format(kind='ScheduleTemplate')}metadata: {{name: {template.name}}}\n" + "".join(lines)


def _document_text(document: PlannedDocument, blocks: Sequence[Mapping[str, YAMLValue]]) -> str:
    lines = [_HEAD.format(kind="Agent")]
    left = [(agent.path, *one) for agent in document.agents for one in agent.left]
    for path, identity, why in left[:_MOST_TOLD]:
        lines.append(f"# {comment_text(f'{path}: the schedule {identity} stays unmanaged: {why}')}\n")
    if len(left) > _MOST_TOLD:
        lines.append(f"# {len(left) - _MOST_TOLD} more schedules of these agents stay unmanaged.\n")
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
