"""Finds what blocks have in common, as templates: settings of nearly all, and rhythms that many have. Pure."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from msgspec import Struct

from reconciler.manifests.yaml_values import YAMLValue
from reconciler.workflow.importing.alike_agents import PlannedBlock
from reconciler.workflow.importing.live_blocks import PARAMETERS, free_name

_NEARLY_ALL = 0.9
_WORTH_A_TEMPLATE = 4
_RHYTHMS = ("cron", "every")
_OF_NEARLY_ALL = ("startTime", "timeZone", "logLevel", "windowless", "enabled")
_OF_ITS_OWN = ("name", "id", PARAMETERS)
"""What no template holds: parameters may be secret, and nobody sees where a template's go."""


class SharedTemplate(Struct, frozen=True):
    """A ScheduleTemplate: what it says itself, and the template that it uses."""

    name: str
    settings: Mapping[str, YAMLValue]
    used: SharedTemplate | None = None

    @property
    def whole(self) -> dict[str, YAMLValue]:
        """All that a block gets from it."""
        return {**(self.used.settings if self.used is not None else {}), **self.settings}

    def fits(self, block: PlannedBlock) -> bool:
        """Whether a block gets nothing that it does not have, and no other rhythm than its own."""
        whole = self.whole
        return whole.keys() <= block.values.keys() and all(
            _is_said(block, key, whole[key]) for key in _RHYTHMS if key in whole
        )


def templates_of(blocks: Sequence[PlannedBlock], taken: set[str]) -> list[SharedTemplate]:
    """The templates that these blocks are worth; `taken` are names that are in use."""
    common = _of_nearly_all(blocks, taken)
    found = [common] if common is not None else []
    by_rhythm: dict[str, list[PlannedBlock]] = defaultdict(list)
    for block in blocks:
        key = next(key for key in _RHYTHMS if key in block.values)
        if key not in block.varying:
            by_rhythm[json.dumps([key, block.values[key]])].append(block)
    for alike in by_rhythm.values():
        used = common if common is not None and all(map(common.fits, alike)) else None
        inherited = used.settings if used is not None else {}
        settings = {
            key: value
            for key, value in alike[0].values.items()
            if key not in _OF_ITS_OWN
            and inherited.get(key) != value
            and all(_is_said(one, key, value) for one in alike)
        }
        name = Counter(str(one.values["name"]) for one in alike).most_common(1)[0][0]
        if len(alike) >= _WORTH_A_TEMPLATE and len(settings) > 1 and "${" not in name:
            found.append(SharedTemplate(free_name(name, taken), settings, used))
    return found


def _of_nearly_all(blocks: Sequence[PlannedBlock], taken: set[str]) -> SharedTemplate | None:
    """What more than half of the blocks say, of what nearly all say something of."""
    settings: dict[str, YAMLValue] = {}
    for key in _OF_NEARLY_ALL:
        saying = [block for block in blocks if key in block.values]
        plain = Counter(json.dumps(block.values[key]) for block in saying if key not in block.varying)
        usual, count = plain.most_common(1)[0] if plain else ("", 0)
        if count > max(1, len(blocks) / 2) and len(saying) >= _NEARLY_ALL * len(blocks):
            settings[key] = json.loads(usual)
    return SharedTemplate(free_name("imported", taken), settings) if settings else None


def with_template(block: PlannedBlock, templates: Sequence[SharedTemplate]) -> dict[str, YAMLValue]:
    """A block that says only what the template does not that takes the most from it."""
    best: dict[str, YAMLValue] = dict(block.values)
    for template in templates:
        if template.fits(block):
            whole = template.whole
            kept = {
                key: value
                for key, value in block.values.items()
                if key not in whole or not _is_said(block, key, whole[key])
            }
            if len(kept) + 1 < len(best):
                best = {**kept, "use": template.name}
    return best


def _is_said(block: PlannedBlock, key: str, value: YAMLValue) -> bool:
    """Whether a block says this of a key, for every agent that it stands for."""
    found = block.values.get(key)
    return key not in block.varying and type(found) is type(value) and found == value
