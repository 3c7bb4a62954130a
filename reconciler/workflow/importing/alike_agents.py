"""Finds agents that are alike, and what tells them apart: a document for all, a table with a line for each. Pure."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, count

from msgspec import Struct

from reconciler.manifests.placeholders import escaped, escaped_text
from reconciler.manifests.yaml_values import YAMLValue, comment_text, text_of
from reconciler.quantities import first_few
from reconciler.workflow.importing.live_blocks import ACC_SAYS, PARAMETERS, LiveAgent, LiveBlock, by_name, free_name

_SEPARATORS = re.compile(r"[-_./ ]")
_DIGITS = re.compile(r"[0-9]+")
_NO_COLUMN = re.compile(r"[^a-z0-9_]+")
_MOSTLY = 0.6
_SHARING = ("timeZone", "startTime")
_SHORT_NAMES = {"timeZone": "zone", "startTime": "start", "cron": "cron", "every": "every"}


class PlannedBlock(Struct, frozen=True):
    """One block of a document that is to be written: its keys as they shall stand there, `${each.…}` included.

    `varying` are the keys whose value is another one for another agent. `comments` are what a reader should know of it.
    """

    values: Mapping[str, YAMLValue]
    varying: frozenset[str] = frozenset()
    comments: tuple[str, ...] = ()


class PlannedDocument(Struct, frozen=True):
    """An Agent document: one agent, or with `items` (the name of a list) one for each line there."""

    name: str
    handle: str
    path: str
    blocks: tuple[PlannedBlock, ...]
    agents: tuple[LiveAgent, ...]
    items: str = ""

    @property
    def handles(self) -> frozenset[str]:
        return frozenset(agent.handle for agent in self.agents)


class ItemList(Struct):
    """A table with a line for each item: columns by name, each with a value for every item; "" where there is none.

    `required` are the columns in which a new line needs something: they come first. `rare` are those of exceptions:
    they come last, behind the ids.
    """

    name: str
    size: int
    columns: dict[str, tuple[str, ...]] = {}
    required: set[str] = set()
    rare: set[str] = set()

    def column(self, wanted: str, values: Sequence[str], *, required: bool = True) -> str:
        """The name of a column with these values: one that is there, or a new one that is called so, if it can be."""
        values = tuple(values)
        name = next((name for name, known in self.columns.items() if known == values), "")
        if not name:
            forms = chain([wanted], (f"{wanted}_{number}" for number in count(2)))
            name = next(form for form in forms if form not in self.columns)
            self.columns[name] = values
        if required:
            self.required.add(name)
        return name


# --- who is alike ----------------------------------------------------------------------------------------------------


def groups_of(agents: Iterable[LiveAgent]) -> list[list[LiveAgent]]:
    """The agents that one document can stand for, two or more each; whoever is like no other comes alone.

    Alike are those with as many schedules of the same sort, that set the same keys. Families come first, whose paths
    differ in their last part alone; then those of one folder; then all.
    """
    left = list(agents)
    found: list[list[LiveAgent]] = []
    for relation in (_family, _folder, lambda _: ""):
        by_key: dict[object, list[LiveAgent]] = defaultdict(list)
        for agent in left:
            by_key[relation(agent.path), _shape(agent)].append(agent)
        left = []
        for alike in by_key.values():
            if len(alike) > 1 and alike[0].blocks:
                found += _split(alike)
            else:
                left += alike
    groups = [sorted(group, key=lambda agent: agent.handle) for group in (*found, *([agent] for agent in left))]
    return sorted(groups, key=lambda group: group[0].handle)


def _family(path: str) -> str:
    folder, _, last = path.rpartition("/")
    parts = _SEPARATORS.split(last)
    return f"{folder}/{last[: -len(parts[-1])]}" if len(parts) > 1 and parts[-1] else f"{folder}/"


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def _split(alike: list[LiveAgent]) -> list[list[LiveAgent]]:
    """Agents of one shape together, unless they fall into groups of which none is the rule and the rest exceptions."""
    by_rhythm: dict[object, list[LiveAgent]] = defaultdict(list)
    for agent in alike:
        by_rhythm[tuple((block.name, block.values.get("cron")) for block in aligned(agent))].append(agent)
    largest = max(map(len, by_rhythm.values()))
    if largest >= _MOSTLY * len(alike) or largest == 1:
        return [alike]
    rest = [agent for group in by_rhythm.values() if len(group) == 1 for agent in group]
    return [group for group in by_rhythm.values() if len(group) > 1] + ([rest] if rest else [])


def aligned(agent: LiveAgent) -> list[LiveBlock]:
    """The blocks of an agent in an order in which those of agents that are alike belong together."""
    return sorted(agent.blocks, key=lambda block: (_sort_of(block.name), _keys(block)))


def _shape(agent: LiveAgent) -> object:
    return tuple((_sort_of(block.name), _keys(block)) for block in aligned(agent))


def _sort_of(name: str) -> str:
    """A name without its numbers: `daily-0230` and `daily-0415-2` are of one sort."""
    return "-".join(part for part in _DIGITS.sub("", name).split("-") if part)


def _keys(block: LiveBlock) -> tuple[str, ...]:
    return (*block.values, *(f".{key}" for key in _parameters(block)))


def _parameters(block: LiveBlock) -> Mapping[str, YAMLValue]:
    found = block.values.get(PARAMETERS)
    return found if isinstance(found, dict) else {}


# --- what tells them apart -------------------------------------------------------------------------------------------


class Tokens(Struct, frozen=True):
    """What tells the agents of a group apart by name: `prices-` and `-daily` around `au`, `nz`, …"""

    before: str
    values: tuple[str, ...]
    after: str


def tokens_of(texts: Sequence[str]) -> Tokens:
    """The parts in which some texts differ, cut where words end."""
    before = _common_beginning(texts)
    while before and not _SEPARATORS.fullmatch(before[-1]):
        before = before[:-1]
    rests = [text[len(before) :] for text in texts]
    after = _common_beginning([rest[::-1] for rest in rests])[::-1]
    while after and not _SEPARATORS.fullmatch(after[0]):
        after = after[1:]
    return Tokens(before, tuple(rest[: len(rest) - len(after)] for rest in rests), after)


def _common_beginning(texts: Sequence[str]) -> str:
    first, last = min(texts), max(texts)
    return next((first[:at] for at, char in enumerate(first) if char != last[at : at + 1]), first)


class _Wording(Struct):
    """Words the values of a group by columns of a list. `prefix` is for the columns that are this group's alone.

    `shared` has a short name for values that several fields have in common, such as each agent's zone.
    """

    items: ItemList
    prefix: str
    tokens: Tokens
    token_column: str
    shared: Mapping[tuple[str, ...], str]

    def text(self, values: Sequence[str], wanted: str) -> str:
        """One text that becomes each of these values with the items."""
        if len(set(values)) == 1:
            return escaped_text(values[0])
        cut = tokens_of(values)
        if cut.values == self.tokens.values:
            around = map(escaped_text, (cut.before, cut.after))
            return f"${{each.{self.token_column}}}".join(around)
        if known := self.shared.get(tuple(values)):
            return f"${{each.{self.items.column(known, values)}}}"
        usual, count = Counter(values).most_common(1)[0]
        if count >= _MOSTLY * len(values) and count > 1 and "" not in values and not set(usual) & set("{}$"):
            values = ["" if value == usual else value for value in values]
            name = self.items.column(self.prefix + wanted, values, required=False)
            self.items.rare.add(name)
            return f"${{each.{name}:-{usual}}}"
        return f"${{each.{self.items.column(self.prefix + wanted, values)}}}"


def document_of(group: Sequence[LiveAgent], name: str, items: ItemList, prefix: str) -> PlannedDocument:
    """The document that stands for a group, whose agents are the lines of `items` in this order."""
    tokens = tokens_of([agent.handle for agent in group])
    rows = sorted(zip(*(aligned(agent) for agent in group), strict=True), key=lambda row: by_name(_usual_name(row)))
    token = items.column(_token_name(tokens, rows), tokens.values)
    shared = _shared(rows)
    for values, wanted in shared.items():
        if wanted == _SHORT_NAMES["timeZone"]:
            items.column(wanted, values)  # beside what tells the agents apart, where people look for it
    wording = _Wording(items, prefix, tokens, token, shared)
    path = wording.text([agent.path for agent in group], "path")
    handle = wording.text([agent.handle for agent in group], "name")
    labels: set[str] = set()
    blocks = tuple(_block(row, free_name(_label(row), labels).replace("-", "_"), wording) for row in rows)
    return PlannedDocument(name, handle, path, blocks, tuple(group), items.name)


def _shared(rows: Sequence[Sequence[LiveBlock]]) -> dict[tuple[str, ...], str]:
    """A short name for the values that a field of several blocks has, or the only block in which it differs."""
    found: dict[str, Counter[tuple[str, ...]]] = defaultdict(Counter)
    for row in rows:
        fields = {_SHORT_NAMES[key]: [block.values[key] for block in row] for key in _SHARING if key in row[0].values}
        fields |= {column_name(key): [_parameters(block)[key] for block in row] for key in _parameters(row[0])}
        for name, values in fields.items():
            if len(texts := tuple(map(text_of, values))) > 1 and len(set(texts)) > 1:
                found[name][texts] += 1
    named: dict[tuple[str, ...], str] = {}
    for name, counts in found.items():
        texts, count = min(counts.items(), key=lambda one: (-one[1], one[0]))
        if count > 1 or (len(counts) == 1 and Counter(texts).most_common(1)[0][1] < _MOSTLY * len(texts)):
            named.setdefault(texts, name)
    return named


def _label(row: Sequence[LiveBlock]) -> str:
    """What the columns of a block are called after: its name, or where the agents have many for it, of which sort."""
    usual, count = Counter(block.name for block in row).most_common(1)[0]
    if count >= _MOSTLY * len(row):
        return column_name(usual)
    return column_name("-".join(part for part in _sort_of(usual).split("-") if len(part) > 1))


def _token_name(tokens: Tokens, rows: Sequence[Sequence[LiveBlock]]) -> str:
    """What the column is called that tells the agents apart: as a parameter that has the same values, or `name`."""
    for row in rows:
        for key in _parameters(row[0]):
            if tuple(text_of(_parameters(block)[key]) for block in row) == tokens.values:
                return column_name(key)
    return "name"


def _usual_name(row: Sequence[LiveBlock]) -> str:
    return Counter(block.name for block in row).most_common(1)[0][0]


def _block(row: Sequence[LiveBlock], label: str, wording: _Wording) -> PlannedBlock:
    values: dict[str, YAMLValue] = {"name": wording.text([block.name for block in row], f"{label}_name")}
    varying: set[str] = set()
    identities = [block.identity for block in row]
    column = wording.items.column(f"{wording.prefix}{label}_id", identities, required=False)
    values["id"] = f"${{each.{column}}}"
    for key in row[0].values:
        if key == PARAMETERS:
            parameters: dict[str, YAMLValue] = {}
            for inner in _parameters(row[0]):
                found = [text_of(_parameters(block)[inner]) for block in row]
                parameters[inner] = wording.text(found, setting_column(label, (key, inner)))
                if len(set(found)) > 1:
                    varying.add(key)
            values[key] = parameters
            continue
        found = [text_of(block.values[key]) for block in row]
        if len(set(found)) > 1:
            varying.add(key)
            values[key] = wording.text(found, setting_column(label, (key,)))
        else:
            plain = row[0].values[key]
            values[key] = escaped(plain)
    return PlannedBlock(values, frozenset(varying), tuple(_comments(row)))


def _comments(row: Sequence[LiveBlock]) -> Iterator[str]:
    """What was found out about the schedules of a block, but for what ACC says of their rhythm."""
    if secret_like := sorted({key for block in row for key in block.secret_like}):
        words = ", ".join(map(comment_text, secret_like))
        yield f"{words}: looks like a secret: better `${{env:NAME}}`, so that it is neither shown nor kept in Git."
    told = [(block, text) for block in row for _, text in block.remarks if not text.startswith(ACC_SAYS)]
    if len(row) == 1:
        yield from (text for _, text in told)
        return
    if hidden := [block.identity for block in row if any(key == PARAMETERS for key, _ in block.remarks)]:
        yield f"{first_few(hidden, 1)}: inputParameters stay as they are in ACC, since some are secret, or may be."
    told = [(block, text) for block, text in told if (PARAMETERS, text) not in block.remarks]
    for text in dict.fromkeys(text for _, text in told):
        yield f"{first_few([block.identity for block, one in told if one == text], 1)}: {text}"


def column_name(text: str) -> str:
    """A name that may stand in `${each.…}`."""
    found = _NO_COLUMN.sub("_", text.lower()).strip("_")
    return found if found[:1].isalpha() else f"c_{found}".rstrip("_")


def setting_column(label: str, setting: Sequence[str]) -> str:
    """The name of a column for a key of a block, or for a parameter of it; `label` is what its columns begin with."""
    key = setting[-1]
    return f"{label}_{column_name(key) if len(setting) > 1 else _SHORT_NAMES.get(key, key.lower())}"


def single(agent: LiveAgent) -> PlannedDocument:
    """The document of an agent that is like no other."""

    def written(value: YAMLValue) -> YAMLValue:
        return {key: escaped(one) for key, one in value.items()} if isinstance(value, dict) else escaped(value)

    blocks = tuple(
        PlannedBlock(
            {"name": block.name, "id": block.identity, **{key: written(one) for key, one in block.values.items()}},
            comments=tuple(_comments([block])),
        )
        for block in agent.blocks
    )
    return PlannedDocument(agent.handle, agent.handle, escaped_text(agent.path), blocks, (agent,))


def lines_of(items: ItemList) -> Iterator[list[str]]:
    """The table line by line, its head first."""
    names = sorted(items.columns, key=lambda name: 0 if name in items.required else 2 if name in items.rare else 1)
    yield names
    yield from map(list, zip(*(items.columns[name] for name in names), strict=True))
